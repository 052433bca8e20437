/* All records of a journal in memory, in the order of their points: the source of the table and the plots once the rounds of
 * each point are merged (summary.h). */
#ifndef BENCH_JOURNAL_RECORDS_H
#define BENCH_JOURNAL_RECORDS_H

#include "bench/journal/journal.h"
#include "bench/journal/record.h"
#include "bench/journal/schema.h"
#include "bench/sweep/point.h"

struct record {
    json_t *json;
    struct point point; /* its texts belong to json */
    enum result result; /* RESULT_COUNT when the word is unknown */
    size_t line;        /* of the journal, from 0 */
};

struct records {
    struct record *record; /* by value_order() field after field; then round, then line */
    size_t n, capacity;
    struct unread unread;
};

/* Calls each() for each valid record of a journal, line by line: this decides for every reader which they are. Beside what
 * journal_read() sets aside it sets those aside whose key is not that of their point. False, with file and line, for records of no
 * version or of a newer program, and for points that this program cannot read; when memory runs out; when each() returns false. each()
 * may json_incref() the record's json. */
bool records_each(const char *path, bool (*each)(const struct record *record, void *context), void *context, struct unread *unread,
                  struct error *error);

/* All of them in memory. */
bool records_read(const char *path, struct records *records, struct error *error);
void records_free(struct records *records);

/* Removes the records that keep() rejects, and returns their number. */
size_t records_keep(struct records *records, bool (*keep)(const struct record *record, void *context), void *context);

/* The first record of the training that a point of accuracy depends on, or NULL. The records are in order. */
const struct record *records_training(const struct records *records, const struct point *point);

/* False where a point does not use a field. What every point uses may be none as well (inputs that are drawn): a value of its
 * own. */
bool value_is_used(int field, const struct value *value);

/* A number as a double; NaN where a value is none. */
double value_number(const struct value *value);

/* What stands at a path such as "throughput.median", or NULL; as a number: NaN where there is none. */
const json_t *record_at(const struct record *record, const char *path);
double record_number(const struct record *record, const char *path);

/* The value of a column in a record, or NULL; as a number: NaN where it is none; as a text: NULL where it is none. */
const json_t *column_json(const struct record *record, enum column_id id);
double column_number(const struct record *record, enum column_id id);
const char *column_text(const struct record *record, enum column_id id);

/* The state of a column in a record. */
enum column_state {
    COLUMN_THERE,        /* a value */
    COLUMN_ABSENT,       /* the column's word for it: what was measured never came to be */
    COLUMN_NOT_MEASURED, /* its point could have one */
    COLUMN_NOT_APPLICABLE
};
enum column_state column_state(const struct record *record, enum column_id id);

#endif
