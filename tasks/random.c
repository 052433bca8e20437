/* See random.h. */
#include "tasks/random.h"

#include <Random123/philox.h>
#include <math.h>

static philox4x32_ctr_t draw(uint64_t seed, uint32_t stream, uint64_t i)
{
    philox4x32_ctr_t counter = {{(uint32_t)i, (uint32_t)(i >> 32), stream, 0}};
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    return philox4x32(counter, key);
}

static double unit(uint32_t high, uint32_t low)
{
    return (double)(((uint64_t)high << 32 | low) >> 11) * 0x1p-53;
}

double random_uniform(uint64_t seed, uint32_t stream, uint64_t i)
{
    philox4x32_ctr_t x = draw(seed, stream, i);
    return unit(x.v[0], x.v[1]);
}

double random_normal(uint64_t seed, uint32_t stream, uint64_t i)
{
    philox4x32_ctr_t x = draw(seed, stream, i);
    double radius = sqrt(-2 * log(1 - unit(x.v[0], x.v[1]))); /* 1 - u is never 0 */
    return radius * cos(2 * M_PI * unit(x.v[2], x.v[3]));
}
