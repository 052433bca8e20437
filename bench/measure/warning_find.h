/* Which warnings apply to a round, while its process knows most about it, and to its record. bench/report/warning_points.h has those of a
 * point. */
#ifndef BENCH_MEASURE_WARNING_FIND_H
#define BENCH_MEASURE_WARNING_FIND_H

#include "bench/journal/records.h"
#include "bench/journal/warning.h"
#include "bench/machine/load.h"

#include <stddef.h>

/* How the threads of a point meet the cores. */
struct threading {
    int threads, cores, threads_per_core; /* 0: not known */
    bool pinned;
};

/* Of this machine and environment. */
struct threading threading_here(int threads);

/* What a worker sees, as the record's "warnings": busy, steal, clock, throttle, smt, first_slow, wide. seconds: of n samples, in
 * order. NULL when out of memory. */
json_t *warnings_of_round(const double *seconds, size_t n, const struct load *load, const struct threading *threading);

/* Adds what only a finished record shows: memory, share. False when out of memory. */
bool warnings_of_record(json_t *record);

#endif
