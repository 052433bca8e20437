/* The memory that a piece of code takes: the largest resident set while it runs, above what was resident before. Linux reports
 * whole pages, with the buffers of libraries. */
#ifndef BENCH_MACHINE_MEMORY_H
#define BENCH_MACHINE_MEMORY_H

struct memory_watch {
    double resident; /* bytes at the beginning; NaN where the system does not tell */
};

void memory_watch_begin(struct memory_watch *watch);

/* Bytes that the resident set has grown by at most since then; NaN where the system does not tell. */
double memory_watch_end(const struct memory_watch *watch);

#endif
