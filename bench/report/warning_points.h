/* The warnings of all rounds of a point together. */
#ifndef BENCH_REPORT_WARNING_POINTS_H
#define BENCH_REPORT_WARNING_POINTS_H

#include "bench/journal/records.h"

#include <stddef.h>

/* What the rounds of a point say together, for the point's record (summary.h), of which everything but this is there: every code
 * once, with its worst figure and in how many rounds it is; clock, wide and few_rounds also where only the point shows them. NULL
 * when out of memory. */
json_t *warnings_of_rounds(const struct record *round, size_t n, const struct record *merged);

#endif
