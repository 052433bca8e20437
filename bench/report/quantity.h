/* What a sweep file may ask of a run by a short name, as here: of paper: does: columns of table.csv, each with what says how far it is
 * known. */
#ifndef BENCH_REPORT_QUANTITY_H
#define BENCH_REPORT_QUANTITY_H

#include "bench/journal/records.h"

struct quantity {
    const char *name, *header; /* as a sweep file, and as table.csv calls it */
    const char *low, *high;    /* headers of a record's own spread, or NULL */
    const char *spread;        /* what that is, in words */
    const char *absent;        /* what it means that a record of the measure does not have it, or NULL: not known ... */
    double absent_value;       /* ... and where it stands then among those that have it */
    const char *unit;          /* after the number, with its blank */
    int decimals;              /* of a share; -1: four significant digits */
};

/* NULL past the last. */
const struct quantity *quantity_get(int i);
/* Index by name, or -1. */
int quantity_find(const char *name);

/* Where records have it: "accuracy.token.share". Its first part is the name of the measure. */
const char *quantity_path(const struct quantity *quantity);

/* Whether it is one of the measure that a record is of. */
bool quantity_of_record(const struct quantity *quantity, const struct record *record);

/* The value in a record; absent_value where that applies, and NaN where it is not known. low and high: NaN where there are none. */
struct quantity_value {
    double value, low, high;
};
struct quantity_value quantity_value(const struct quantity *quantity, const struct record *record);

/* As people read it. */
void quantity_print(const struct quantity *quantity, double value, size_t capacity, char text[capacity]);

#endif
