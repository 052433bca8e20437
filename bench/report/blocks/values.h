/* The values of a field among points, for a sentence. */
#ifndef BENCH_REPORT_BLOCKS_VALUES_H
#define BENCH_REPORT_BLOCKS_VALUES_H

#include "bench/journal/records.h"

/* "1 to 3" or "1, 2, 8": ascending; "" where no point uses the field. */
void block_values(struct record *const *record, size_t n, int field, size_t capacity, char text[capacity]);

#endif
