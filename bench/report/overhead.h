/* Overhead of the harness per round: beside starting its process, set-up, validation and samples. */
#ifndef BENCH_REPORT_OVERHEAD_H
#define BENCH_REPORT_OVERHEAD_H

#include "bench/journal/records.h"

#define OVERHEAD_BOUND 0.020 /* s: what a round may cost beside what it is for */

struct overhead {
    size_t rounds, above;   /* of how many it is known, and how many of them are above the bound */
    double median, longest; /* s; NaN where there is no round */
};

/* Of records that are a round each (not merged). False when out of memory. */
bool overhead_of(const struct records *records, struct overhead *overhead, struct error *error);

void overhead_print(const struct overhead *overhead, FILE *out);

#endif
