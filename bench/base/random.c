/* See random.h. */
#include "bench/base/random.h"

#include <Random123/philox.h>
#include <math.h>

static philox4x32_ctr_t philox(uint64_t seed, uint32_t stream, uint64_t i, uint32_t block)
{
    philox4x32_ctr_t counter = {{(uint32_t)i, (uint32_t)(i >> 32), stream, block}};
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    return philox4x32(counter, key);
}

static double unit(uint32_t high, uint32_t low)
{
    return (double)(((uint64_t)high << 32 | low) >> 11) * 0x1p-53;
}

double random_uniform(uint64_t seed, uint32_t stream, uint64_t i)
{
    philox4x32_ctr_t x = philox(seed, stream, i, 0);
    return unit(x.v[0], x.v[1]);
}

double random_normal(uint64_t seed, uint32_t stream, uint64_t i)
{
    philox4x32_ctr_t x = philox(seed, stream, i, 0);
    double radius = sqrt(-2 * log(1 - unit(x.v[0], x.v[1]))); /* 1 - u is never 0 */
    return radius * cos(2 * M_PI * unit(x.v[2], x.v[3]));
}

struct draws draws_begin(uint64_t seed, uint32_t stream, uint64_t i)
{
    return (struct draws){.seed = seed, .i = i, .stream = stream};
}

static uint32_t next_word(struct draws *draws)
{
    if (draws->left == 0) {
        philox4x32_ctr_t x = philox(draws->seed, draws->stream, draws->i, ++draws->block);
        for (int k = 0; k < 4; k++)
            draws->word[k] = x.v[3 - k];
        draws->left = 4;
    }
    return draws->word[--draws->left];
}

/* The high half of a 32 x 32 bit product; the few words that would make some numbers likelier are passed over (Lemire 2019). */
uint32_t draws_below(struct draws *draws, uint32_t n)
{
    uint64_t product = (uint64_t)next_word(draws) * n;
    if ((uint32_t)product < n) {
        uint32_t surplus = -n % n; /* 2^32 mod n */
        while ((uint32_t)product < surplus)
            product = (uint64_t)next_word(draws) * n;
    }
    return (uint32_t)(product >> 32);
}
