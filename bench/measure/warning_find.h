/* The warnings of a round, found in its process and from its record. bench/report/warning_points.h has those of a point. */
#ifndef BENCH_MEASURE_WARNING_FIND_H
#define BENCH_MEASURE_WARNING_FIND_H

#include "bench/journal/records.h"
#include "bench/journal/warning.h"
#include "bench/machine/load.h"

#include <stddef.h>

/* The threads of a point and the cores of the machine. */
struct threading {
    int threads, cores, threads_per_core; /* 0: not known */
    bool pinned;
    int processors; /* that the threads may run on, all together; 0: not known */
};

/* Of this machine and environment, as it is now: a mask of processors may have changed since the threads were started. */
struct threading threading_here(int threads);

/* The warnings that a worker finds, as "warnings" of the record: busy, steal, clock, throttle, quota, smt, first_slow, wide. seconds:
 * of n samples, in order. NULL when out of memory. */
json_t *warnings_of_round(const double *seconds, size_t n, const struct load *load, const struct threading *threading);

/* Adds the warnings that need a finished record: memory, share. False when out of memory. */
bool warnings_of_record(json_t *record);

#endif
