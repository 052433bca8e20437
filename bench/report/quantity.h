/* The quantities that `paper:` of a sweep file may ask for, by their names in table.csv: each column of a measure that holds a
 * number. */
#ifndef BENCH_REPORT_QUANTITY_H
#define BENCH_REPORT_QUANTITY_H

#include "bench/journal/records.h"

/* The i-th of them; NULL past the last. */
const struct column *quantity_get(int i);

/* Whether it is one of the measure that a record is of. */
bool quantity_of_record(const struct column *quantity, const struct record *record);

/* The value in a record; absent_number where it was measured and did not occur, NaN where it is unknown. low and high: its own
 * spread, NaN where there is none. */
struct quantity_value {
    double value, low, high;
};
struct quantity_value quantity_value(const struct column *quantity, const struct record *record);

/* Prints it for people. */
void quantity_print(const struct column *quantity, double value, size_t capacity, char text[capacity]);

#endif
