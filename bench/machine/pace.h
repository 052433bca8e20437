/* The speed of the processor clock where the system does not report it: virtual machines hide the frequency, but a dependent
 * addition of two registers takes one cycle on every relevant processor. */
#ifndef BENCH_MACHINE_PACE_H
#define BENCH_MACHINE_PACE_H

/* Seconds of one dependent addition on the processor that runs this thread now: the shortest of a few runs, 2 ms in all, so that
 * an interruption of one does not count. */
double pace_addition(void);

#endif
