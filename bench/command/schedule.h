/* The order in which points are measured: every round visits all points, in a random order drawn from a seed. Drift of the
 * machine (heat, other load) then affects all points alike. */
#ifndef BENCH_COMMAND_SCHEDULE_H
#define BENCH_COMMAND_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

/* Writes a permutation of 0 .. n-1: a function of n, the seed and the round alone. */
void schedule_round(uint64_t seed, int round, size_t n, size_t order[]);

#endif
