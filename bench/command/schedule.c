/* See schedule.h. */
#include "bench/command/schedule.h"

#include "bench/base/random.h"

/* Fisher and Yates. */
void schedule_round(uint64_t seed, int round, size_t n, size_t order[])
{
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t k = (size_t)(random_uniform(seed, STREAM_ORDER, (uint64_t)round << 32 | i) * (double)i);
        size_t last = order[i - 1];
        order[i - 1] = order[k];
        order[k] = last;
    }
}
