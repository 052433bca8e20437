/* The timed samples of an implementation, and the other load meanwhile. */
#ifndef BENCH_MEASURE_SAMPLING_H
#define BENCH_MEASURE_SAMPLING_H

#include "bench/machine/load.h"
#include "bench/measure/backward.h"
#include "bench/measure/measure.h"

/* A call that can be repeated: the same plan, inputs and outputs each time. On a device it reads uploaded inputs, leaves outputs
 * there, and starts with flushed caches. */
struct call {
    const struct implementation *implementation;
    struct plan *plan;
    const struct inputs *inputs;
    struct outputs outputs;
    const struct backward *backward; /* what a backward pass is given; NULL: the forward pass is called */
    struct status status;            /* of the last one */
};

struct sampling {
    double *seconds; /* of a call, one a sample, in order; room for as many as are wanted */
    int n;           /* 0 after a failure */
    int64_t calls;   /* a sample */
    struct load load;
    char reason[160]; /* of a failure */
};

/* Makes the call once. */
bool call_make(struct call *call);

/* Warms up, then times samples (each as many calls as last about 10 ms) until there are enough or the time is over. */
void sampling_run(struct call *call, const char *name, const struct limits *limits, struct sampling *sampling);

#endif
