/* One timed sample, by Google Benchmark. The harness repeats and interleaves samples itself and keeps them all: a sample is one
 * benchmark instance, one repetition of a given number of calls, without statistics. */
#ifndef BENCH_MEASURE_TIMING_H
#define BENCH_MEASURE_TIMING_H

#ifdef __cplusplus
extern "C" {
#else
#include <stdbool.h>
#endif
#include <stddef.h>
#include <stdint.h>

/* Makes so many calls and stores the mean seconds of one. Time is that of elapsed(), asked after each call (a device's own clock),
 * or for NULL that of CLOCK_MONOTONIC_RAW around all the calls. False, with the reason in words: a call returned false (the sample
 * ends there), no usable time (0, negative, NaN), or Google Benchmark failed. Prints nothing. */
bool timing_sample(const char *name, bool (*call)(void *argument), void *argument, double (*elapsed)(void *argument), int64_t calls,
                   double *seconds_per_call, char *reason, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
