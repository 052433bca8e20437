/* Other load while something was timed: processors used by other processes, time taken by a host, involuntary context switches,
 * and changes of the clock frequency. It changes no value; it says how far to trust one. */
#ifndef BENCH_MACHINE_LOAD_H
#define BENCH_MACHINE_LOAD_H

#include <jansson.h>

/* Counters since some time in the past; NaN where the system does not say. */
struct load_counts {
    double at;       /* seconds of the monotonic clock */
    double busy;     /* processor seconds of everybody */
    double own;      /* processor seconds of this process, all its threads */
    double steal;    /* processor seconds that the host of a virtual machine gave to others */
    double switches; /* times that this process was made to wait although it had work to do */
    double throttle; /* times that a core slowed itself down because of heat or power */
    double stops;    /* times that a quota of processors stopped the processes of a control group that this one is in */
};

struct load {
    double others, steal; /* processors (seconds a second); NaN: not known, or too short to say */
    double resolution;    /* of these two: the system counts in ticks of 10 ms */
    double switches;      /* a second */
    double throttled;     /* times */
    double stopped;       /* times, by a quota */
    double addition_s[2]; /* seconds of a dependent addition before and after: one cycle (pace.h) */
};

/* Reads all counters of a system whose /proc and /sys are below root ("": this one); own and switches are this process' always. */
void load_count(const char *root, struct load_counts *counts);

/* What happened between two readings; addition_s is left alone. */
void load_between(const struct load_counts *before, const struct load_counts *after, struct load *load);

/* Both together, around what is timed: the pace is measured outside of the counted interval. */
void load_begin(struct load_counts *before, struct load *load);
void load_end(const struct load_counts *before, struct load *load);

/* The record's "load" object. NULL when out of memory. */
json_t *load_to_json(const struct load *load);

#endif
