/* The columns of table.csv, as a block asks for them. */
#ifndef BENCH_REPORT_BLOCK_COLUMN_H
#define BENCH_REPORT_BLOCK_COLUMN_H

#include "bench/journal/records.h"

struct block_column {
    const char *name, *path; /* in table.csv, and in a record */
    const char *unit;        /* "" where there is none */
    const char *low, *high;  /* paths of its own spread, or NULL */
    const char *spread;      /* what that is, in words */
    bool never;              /* where a point of its measure does not have it, it was not reached */
};

/* NULL where no column has that name. */
const struct block_column *block_column_find(const char *name);

/* The nearest to a misspelt one, or NULL. */
const char *block_column_nearest(const char *name);

/* The number, infinite where it was not reached; NaN where there is none. */
double block_column_number(const struct block_column *column, const struct record *record);

#endif
