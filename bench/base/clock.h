/* Seconds of the monotonic clock, for limits, elapsed times and estimates. Measured times have their own clock, in timing.cc. */
#ifndef BENCH_BASE_CLOCK_H
#define BENCH_BASE_CLOCK_H

double clock_seconds(void);

#endif
