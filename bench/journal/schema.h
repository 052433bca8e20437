/* The schema: every value that a record can hold, in one table (schema.def). It drives the reader of records (records.h), the
 * merging of rounds into one row (bench/report/rounds.h), table.csv, the printed table, docs/columns.md, what `paper:` may ask
 * for, and the axes of plots. A new value is one row there, and one line in the measure that writes it. */
#ifndef BENCH_JOURNAL_SCHEMA_H
#define BENCH_JOURNAL_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

enum column_id {
#define COLUMN(id, ...) COLUMN_##id,
#include "bench/journal/schema.def"
#undef COLUMN
    COLUMN_COUNT
};

/* How the values of the rounds of a point become the value of its row. Statistics are over the rounds that have a value. */
enum merge {
    MERGE_ROUND, /* that of the round that stands for the point: the first one with the point's result */
    MERGE_MEDIAN,
    MERGE_LEAST,
    MERGE_MOST, /* of a measured time; MERGE_LARGEST keeps whole numbers whole */
    MERGE_Q1,
    MERGE_Q3,
    MERGE_LOW, /* 95 % interval of the median: needs 6 rounds */
    MERGE_HIGH,
    MERGE_VARIATION, /* standard deviation over mean: needs 2 rounds */
    MERGE_LARGEST,
    MERGE_RATE, /* of one round, times its time over the point's: what follows the median time */
    MERGE_OWN,  /* a rule of its own, in the description */
    MERGE_COUNT
};

/* How the printed table shows a number. */
enum column_style {
    STYLE_SHORT,    /* 2.5e-07 */
    STYLE_RATE,     /* 0.9876 */
    STYLE_TIME,     /* 1.23 ms, with how far it is known */
    STYLE_MILLIONS, /* 12.3, of 12.3e6 */
    STYLE_SHARE,    /* 62% */
    STYLE_COUNT,    /* 123 */
    STYLE_PLAIN     /* 12.3 */
};

struct column {
    const char *path;        /* of its place in a record: the names of objects and members, separated by dots */
    const char *name;        /* in table.csv, snake_case; NULL: stands in the journal alone */
    const char *unit;        /* "" where there is none */
    enum merge merge;        /* of the rounds' values ... */
    const char *description; /* what it is; for docs/columns.md, without a final stop */
    enum column_id of;       /* ... of this column in their records; 0: of the column itself */
    enum column_id plus;     /* to which the value of this one is added; 0: none */
    bool agreeing;           /* null where the rounds of the point have different results */
    bool text;               /* a word or a text, no number */
    bool list;               /* a cell of several, separated by blanks; of warnings: their codes */
    bool journal_only;       /* records in memory do not hold it: nothing is made of it */

    const char *measure;  /* whose points have it; NULL: by the path's first part, where that is a measure, else all */
    int only_with;        /* only points that use this field have it; 0: all */
    bool optional;        /* not there: does not apply (else: was not measured) */
    const char *absent;   /* word for null in an object that is there, "never": was measured, and is nowhere; NULL: not measured */
    double absent_number; /* and where it then stands among those that have it */

    enum column_id low, high; /* its own spread; 0: none */
    const char *spread;       /* what that is, in words */
    const char *label;        /* of an axis, with its unit; NULL: none drawn so far */
    int decimals;             /* of a share in a sentence; 0: four significant digits */

    const char *head; /* of the printed table's column; NULL: none ... */
    enum column_style style;
    const char *head_measure; /* ... for this measure alone; NULL: for that of the column */
    bool head_optional;       /* and no column where no row has it */
};

extern const struct column schema[COLUMN_COUNT];

/* The column of this name, or COLUMN_COUNT. */
enum column_id column_find(const char *name);

/* The id of a row of the schema. */
static inline enum column_id column_id_of(const struct column *column)
{
    return (enum column_id)(column - schema);
}

/* The name of the measure whose points have it; NULL: points of every measure. */
const char *column_measure(enum column_id id);

/* The description of a way of merging, for docs/columns.md. */
const char *merge_meaning(enum merge merge);

#endif
