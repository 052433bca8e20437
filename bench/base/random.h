/* Counter-based random numbers (Philox 4x32-10 of Random123): element i of stream `stream` (random_streams.h) of a seed is a function of
 * these three alone, so the raw draws are the same bits on every machine and for every number of threads. */
#ifndef BENCH_BASE_RANDOM_H
#define BENCH_BASE_RANDOM_H

#include "bench/base/random_streams.h"

#include <stdint.h>

/* Uniform in [0,1), 53 bits. */
double random_uniform(uint64_t seed, uint32_t stream, uint64_t i);

/* Standard normal (Box and Muller's transform of two uniforms: bits per machine type, since it needs log and cos). */
double random_normal(uint64_t seed, uint32_t stream, uint64_t i);

/* Integers, as many as needed, that belong to element i: for uses without a fixed number of draws. They share no bits with the
 * two functions above, whatever the stream. */
struct draws {
    uint64_t seed, i;
    uint32_t stream, block; /* of four words; the last that was drawn */
    uint32_t word[4];
    int left; /* words that were not handed out yet */
};

struct draws draws_begin(uint64_t seed, uint32_t stream, uint64_t i);

/* Uniform over 0 .. n - 1 without bias; n >= 1. */
uint32_t draws_below(struct draws *draws, uint32_t n);

#endif
