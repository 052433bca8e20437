/* What a CUDA device can do at the most: bandwidth of a copy within its memory, and the rate of multiply-adds in registers. */
#ifndef BENCH_MACHINE_CUDA_LIMITS_H
#define BENCH_MACHINE_CUDA_LIMITS_H

#include "impls/cuda/device.h"

#ifdef __cplusplus
extern "C" {
#endif

struct device_limits {
    double bandwidth; /* bytes a second, those read and those written */
    double rate;      /* float32 operations a second; a multiply-add counts 2 */
};

/* The best of several samples by the device's own clock; takes a fraction of a second and memory of sixteen times the cache (64 MB at
 * least). unsupported in a build without CUDA. */
struct status device_limits_measure(struct device_limits *limits);

#ifdef __cplusplus
}
#endif

#endif
