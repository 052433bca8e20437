/* All records of a journal in memory, in the order of their points: the source of the table and the plots once the rounds of
 * each point are merged (summary.h). What costs per record is its point and what packed.h keeps of its line. */
#ifndef BENCH_JOURNAL_RECORDS_H
#define BENCH_JOURNAL_RECORDS_H

#include "bench/base/texts.h"
#include "bench/journal/journal.h"
#include "bench/journal/packed.h"
#include "bench/journal/record.h"
#include "bench/journal/schema.h"
#include "bench/sweep/point.h"

/* ---- Line by line ---------------------------------------------------------------------------------------------------------- */

struct record_line {
    json_t *json;
    struct point point; /* its texts belong to json */
    enum result result; /* RESULT_COUNT when the word is unknown */
    size_t line;        /* of the journal, from 0 */
};

/* Calls each() for each valid record of a journal, line by line: this decides for every reader which they are. Beside what
 * journal_read() sets aside it sets those aside whose key is not that of their point. False, with file and line, for records of no
 * version or of a newer program, and for points that this program cannot read; when memory runs out; when each() returns false. each()
 * may json_incref() the line's json. */
bool records_each(const char *path, bool (*each)(const struct record_line *line, void *context), void *context,
                  struct unread *unread, struct error *error);

/* The value of a column in a line, or NULL; as a number: NaN where it is none; as a text: NULL where it is none. */
const json_t *line_column(const json_t *json, enum column_id id);
double line_number(const json_t *json, enum column_id id);
const char *line_text(const json_t *json, enum column_id id);

/* ---- All of them in memory ------------------------------------------------------------------------------------------------- */

struct record {
    struct point point;   /* its texts belong to the records */
    struct packed packed; /* likewise */
    enum result result;   /* RESULT_COUNT when the word is unknown */
    size_t line;          /* of the journal, from 0 */
};

struct records {
    struct record *record; /* by value_order() field after field; then round, then line */
    size_t n, capacity;
    struct texts texts;
    struct unread unread;
};

bool records_read(const char *path, struct records *records, struct error *error);
void records_free(struct records *records);

/* Removes the records that keep() rejects, and returns their number. */
size_t records_keep(struct records *records, bool (*keep)(const struct record *record, void *context), void *context);

/* The first record of the training that a point of accuracy depends on, or NULL. The records are in order. */
const struct record *records_training(const struct records *records, const struct point *point);

/* False where a point does not use a field. What every point uses may be none as well (inputs that are drawn): a value of its
 * own. */
static inline bool value_is_used(int field, const struct value *value)
{
    return value->kind != VALUE_NONE || fields[field].used == NULL;
}

/* A number as a double; NaN where a value is none. */
double value_number(const struct value *value);

/* ---- What a record holds ---------------------------------------------------------------------------------------------------- */

/* The value of a column in a record, DATUM_NONE where there is none; as a number: NaN where it is none; as a text: NULL where it is
 * none. */
const struct datum *column_datum(const struct record *record, enum column_id id);
double column_number(const struct record *record, enum column_id id);
const char *column_text(const struct record *record, enum column_id id);

/* How many elements a column has that is a list, else 0; one of them: NaN for null and past the last. */
size_t column_count(const struct record *record, enum column_id id);
double column_element(const struct record *record, enum column_id id, size_t i);

/* Whether a record has what its measure found: the object of that name. */
bool record_has(const struct record *record, const char *object);

/* What a record says of a warning, or NULL. */
const struct warned *record_warned(const struct record *record, enum warning_code code);

/* The state of a column in a record. */
enum column_state {
    COLUMN_THERE,        /* a value */
    COLUMN_ABSENT,       /* the column's word for it: what was measured never came to be */
    COLUMN_NOT_MEASURED, /* its point could have one */
    COLUMN_NOT_APPLICABLE
};
enum column_state column_state(const struct record *record, enum column_id id);

#endif
