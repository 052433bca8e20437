/* See sampling.h. */
#include "bench/measure/sampling.h"

#include "bench/base/clock.h"
#include "bench/base/statistics.h"
#include "bench/measure/timing.h"

#include <math.h>
#include <stdio.h>

#define SAMPLE_SECONDS 1e-2 /* a sample makes enough calls to last about so long */
#define WARM_SECONDS 3e-2   /* the least that calls are made before: threads, caches and clocks wake slowly */
#define TIMING_SHARE 0.25   /* of the round's time limit that may go into samples */

bool call_make(struct call *call)
{
    const struct implementation *implementation = call->implementation;
    const struct backward *backward = call->backward;
    if (implementation->flush != NULL) {
        call->status = implementation->flush(call->plan);
        if (call->status.code != STATUS_OK)
            return false;
    }
    call->status = backward == NULL ? implementation->forward(call->plan, call->inputs, &call->outputs, NULL)
                                    : implementation->backward(call->plan, call->inputs, &call->outputs, &backward->adjoints,
                                                               &backward->gradients);
    return call->status.code == STATUS_OK;
}

static bool call_again(void *argument)
{
    return call_make(argument);
}

static double call_elapsed(void *argument)
{
    struct call *call = argument;
    return call->implementation->elapsed(call->plan);
}

/* Makes calls in batches, each twice as long as the one before until one lasts as long as a sample, and finds how many calls a
 * sample takes. By batches, not by the fastest call: where threads wait for a processor that others use, calls in a row can take a
 * thousand times as long, and samples of so many would not end in time. False: a call failed. */
static bool warm_up(struct call *call, int64_t *calls)
{
    double spent = 0, seconds = 0;
    *calls = 1;
    while (spent < WARM_SECONDS || seconds < SAMPLE_SECONDS) {
        double before = clock_seconds();
        for (int64_t i = 0; i < *calls; i++)
            if (!call_make(call))
                return false;
        seconds = clock_seconds() - before;
        spent += seconds;
        *calls *= seconds < SAMPLE_SECONDS ? 2 : 1;
    }
    int64_t enough = (int64_t)ceil((double)*calls * SAMPLE_SECONDS / seconds), half = (*calls + 1) / 2;
    *calls = enough > half ? enough : half; /* half lasted less than a sample: whatever made this batch slow is no measure */
    return true;
}

void sampling_run(struct call *call, const char *name, const struct limits *limits, struct sampling *sampling)
{
    struct load_counts before;
    sampling->n = 0;
    if (!warm_up(call, &sampling->calls)) {
        snprintf(sampling->reason, sizeof sampling->reason, "a call failed during warm-up");
        return;
    }
    load_begin(&before, &sampling->load);
    double began = clock_seconds();
    while (sampling->n < limits->samples) {
        if (sampling->n >= STATISTICS_INTERVAL_LEAST && clock_seconds() - began > TIMING_SHARE * limits->time_limit)
            break;
        if (!timing_sample(name, call_again, call, call->implementation->elapsed != NULL ? call_elapsed : NULL, sampling->calls,
                           &sampling->seconds[sampling->n], sampling->reason, sizeof sampling->reason)) {
            sampling->n = 0;
            return;
        }
        sampling->n++;
    }
    load_end(&before, &sampling->load);
}
