/* How a test in C chooses the way in which the runner (runner.h, C++) runs kernels. */
#ifndef TESTS_CUDA_RUNNER_WAYS_H
#define TESTS_CUDA_RUNNER_WAYS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum runner_order { RUNNER_FORWARD, RUNNER_REVERSE, RUNNER_RANDOM, RUNNER_ORDERS };

/* Order of threads within a block, and of blocks; how many blocks take turns (0: all); seed of random orders. */
void runner_ways_choose(int order, int resident, uint64_t seed);

/* Threads that have run to their end so far, in all launches. */
long long runner_threads(void);

#ifdef __cplusplus
}
#endif

#endif
