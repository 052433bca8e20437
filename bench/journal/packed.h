/* What a record holds in memory: of its line the values that the schema knows and something is made of, in one block. A journal of
 * 100,000 lines must fit, and as JSON one of them takes 30 KB. */
#ifndef BENCH_JOURNAL_PACKED_H
#define BENCH_JOURNAL_PACKED_H

#include "bench/base/texts.h"
#include "bench/journal/schema.h"
#include "bench/journal/warning.h"

#include <stdint.h>

enum datum_kind { DATUM_NONE, DATUM_INTEGER, DATUM_REAL, DATUM_BOOLEAN, DATUM_TEXT, DATUM_LIST, DATUM_WARNINGS };

/* The value of a column. What is null in the line has none, like what is not there: whether its object is, is known beside it. */
struct datum {
    uint16_t column; /* enum column_id */
    uint8_t kind;    /* enum datum_kind */
    bool whole;      /* DATUM_LIST: of integers, without a null */
    uint32_t n;      /* of a list or of warnings: how many */
    union {
        int64_t integer;
        double real; /* finite */
        bool boolean;
        const char *text;
        const double *list; /* NaN for null */
        const struct warned *warned;
    };
};

/* A text, or "true" or "false"; NULL for other kinds. */
const char *datum_word(const struct datum *datum);

struct packed {
    uint64_t objects;    /* which objects of the line are there; a bit each */
    struct datum *datum; /* ascending by column; what lists hold lies behind them, in the same block */
    size_t n;
};

/* Packs a line; its texts are kept in texts. False when out of memory. */
bool packed_of_line(const json_t *line, struct texts *texts, struct packed *packed);
void packed_free(struct packed *packed);

/* The value of a column; DATUM_NONE where there is none. */
const struct datum *packed_datum(const struct packed *packed, enum column_id id);

/* Whether the object is there that a column is a member of. */
bool packed_within(const struct packed *packed, enum column_id id);

/* Whether the line has an object of this name. */
bool packed_has(const struct packed *packed, const char *object);

/* The same with a place for every column, to be changed. Lists and texts belong to others. */
struct unpacked {
    uint64_t objects;
    struct datum datum[COLUMN_COUNT];
};

void unpacked_of(const struct packed *packed, struct unpacked *unpacked);

/* Copies all of it but the texts. False when out of memory. */
bool packed_of(const struct unpacked *unpacked, struct packed *packed);

/* Sets a column whose object is there; where there is none, there is nothing to say. NaN, infinities and a NULL text: no value. */
void unpacked_open(struct unpacked *unpacked, enum column_id id); /* from here on its object is there */
void unpacked_clear(struct unpacked *unpacked, enum column_id id);
void unpacked_set(struct unpacked *unpacked, enum column_id id, struct datum value);
void unpacked_set_integer(struct unpacked *unpacked, enum column_id id, int64_t integer);
void unpacked_set_real(struct unpacked *unpacked, enum column_id id, double real);
void unpacked_set_text(struct unpacked *unpacked, enum column_id id, const char *text);

#endif
