/* See pace.h. */
#include "bench/machine/pace.h"

#include "bench/base/clock.h"

#include <math.h>
#include <stdint.h>

enum { RUNS = 5, TURNS = 1 << 15, CHAIN = 32 /* additions a turn: the loop's own counting runs beside them */ };

/* Two registers, not a constant: some processors add a constant while they rename registers, in no time at all. The empty statement
 * may change both as far as the compiler knows, so that it cannot fold additions. */
static void add_chain(uint64_t *sum, uint64_t step)
{
    uint64_t x = *sum;
    for (int turn = 0; turn < TURNS; turn++) {
#pragma GCC unroll 32
        for (int i = 0; i < CHAIN; i++) {
            x += step;
            __asm__ volatile("" : "+r"(x), "+r"(step));
        }
    }
    *sum = x;
}

double pace_addition(void)
{
    double shortest = INFINITY;
    uint64_t sum = 0;
    for (int run = 0; run < RUNS; run++) {
        double before = clock_seconds();
        add_chain(&sum, 1);
        shortest = fmin(shortest, clock_seconds() - before);
    }
    return sum == (uint64_t)RUNS * TURNS * CHAIN ? shortest / ((double)TURNS * CHAIN) : NAN;
}
