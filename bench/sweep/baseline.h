/* The baseline of a sweep: an implementation with which the others are compared. Every point whose times are measured, and that is of another
 * implementation, is compared with the point of the baseline that has the same problem and settings: all fields that both use. */
#ifndef BENCH_SWEEP_BASELINE_H
#define BENCH_SWEEP_BASELINE_H

#include "bench/sweep/sweep.h"

/* Finds the partner of every point, where the sweep has a baseline, or takes `name`, an implementation with its options, in place of
 * the sweep's own (NULL: that of the sweep). False, with what is wrong, for a name that is no implementation, and where nothing can be
 * compared with it. */
bool baseline_apply(struct sweep *sweep, const char *name, struct error *error);

#endif
