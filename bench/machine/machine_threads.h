/* The processors that a point may use, and how threads behave on them. */
#ifndef BENCH_MACHINE_MACHINE_THREADS_H
#define BENCH_MACHINE_MACHINE_THREADS_H

/* The threads that `threads: all` stands for: logical processors that this process may run on, but no more than its control
 * groups' quotas and OpenMP's limit leave; at least 1. */
int machine_threads(void);

/* So many, within the quotas of a system whose /proc and /sys are below root: for tests. */
int machine_threads_at(const char *root, int threads);

/* Sets how the OpenMP threads of child processes behave, unless the user has; machine.json records it. Waiting threads spin
 * briefly, then sleep: OpenMP's default, to spin for milliseconds, makes a call of microseconds take a time slice when another
 * process has one of the processors. Each thread is pinned to a processor: otherwise the system sometimes starts two on one
 * processor, and needs a tenth of a second to notice.
 * If the user's variables bind threads, OpenMP has bound this process as it loaded, and its children would inherit one
 * processor: this function unbinds it. */
void machine_settle_threads(void);

#endif
