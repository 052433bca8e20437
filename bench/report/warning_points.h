/* The warnings of all rounds of a point together. */
#ifndef BENCH_REPORT_WARNING_POINTS_H
#define BENCH_REPORT_WARNING_POINTS_H

#include "bench/report/rounds.h"

/* Sets what the rounds of a point say together, in the point's values (summary.h), of which everything but this is there: every code
 * once, with its worst figure and in how many rounds it is; clock, wide and few_rounds also where only the point shows them. The list
 * lies in warned. */
void warnings_of_rounds(const struct rounds *rounds, struct unpacked *merged, struct warned warned[WARNING_COUNT]);

#endif
