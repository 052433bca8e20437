/* How fast the processor's clock runs, where nothing says so: in a virtual machine no frequency is visible, but a dependent
 * addition of two registers takes one cycle on every processor of interest. */
#ifndef BENCH_MACHINE_PACE_H
#define BENCH_MACHINE_PACE_H

/* Seconds of one dependent addition on the processor that runs this thread now: the shortest of a few runs, 2 ms in all, so that
 * an interruption of one does not count. */
double pace_addition(void);

#endif
