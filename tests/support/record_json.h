/* Records in memory as JSON, for tests that ask for a value by its path or compare all that a record holds. */
#ifndef TESTS_SUPPORT_RECORD_JSON_H
#define TESTS_SUPPORT_RECORD_JSON_H

#include "bench/journal/records.h"

/* The record with its point; columns without a value are left out, objects without any are there. To be given back. */
json_t *record_json(const struct record *record);

/* What stands at a path such as "throughput.median", or NULL; as a number: NaN where there is none. It lives as long as the process. */
const json_t *record_at(const struct record *record, const char *path);
double record_number(const struct record *record, const char *path);

/* The line of a journal that a record was read from, with all that it holds. To be given back. */
json_t *record_line(const struct record *record, const char *journal);

/* Whether two records have the same point and the same values. */
bool record_same(const struct record *a, const struct record *b);

#endif
