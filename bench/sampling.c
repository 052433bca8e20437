/* See sampling.h. */
#include "bench/sampling.h"

#include "bench/clock.h"
#include "bench/statistics.h"
#include "bench/timing.h"

#include <math.h>

#define SAMPLE_SECONDS 1e-2 /* a sample makes enough calls to last about so long */
#define WARM_SECONDS 0.2
#define TIMING_SHARE 0.25 /* of the round's time limit that may go into samples */
enum { WARM_CALLS = 10 };

static bool call_forward(void *argument)
{
    struct call *call = argument;
    call->status = call->implementation->forward(call->plan, call->inputs, &call->outputs, NULL);
    return call->status.code == STATUS_OK;
}

static double call_elapsed(void *argument)
{
    struct call *call = argument;
    return call->implementation->elapsed(call->plan);
}

/* Warms up, and returns the shortest of the calls made: threads and caches wake slowly, and a first call says little. */
static double shortest_call(struct call *call)
{
    double shortest = INFINITY, began = clock_seconds();
    for (int i = 0; i < WARM_CALLS && (i == 0 || clock_seconds() - began < WARM_SECONDS); i++) {
        double before = clock_seconds();
        call_forward(call);
        shortest = fmin(shortest, clock_seconds() - before);
    }
    return shortest;
}

void sampling_run(struct call *call, const char *name, const struct limits *limits, struct sampling *sampling)
{
    double shortest = shortest_call(call);
    struct load_counts before;
    load_begin(&before, &sampling->load);
    double began = clock_seconds();
    sampling->n = 0;
    sampling->calls = shortest < SAMPLE_SECONDS ? (int64_t)ceil(SAMPLE_SECONDS / fmax(shortest, 1e-9)) : 1;
    while (sampling->n < limits->samples) {
        if (sampling->n >= STATISTICS_INTERVAL_LEAST && clock_seconds() - began > TIMING_SHARE * limits->time_limit)
            break;
        if (!timing_sample(name, call_forward, call, call->implementation->elapsed != NULL ? call_elapsed : NULL, sampling->calls,
                           &sampling->seconds[sampling->n], sampling->reason, sizeof sampling->reason)) {
            sampling->n = 0;
            return;
        }
        sampling->n++;
    }
    load_end(&before, &sampling->load);
}
