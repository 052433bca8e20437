/* measure: throughput, of the forward or the backward pass. Validates first, then times: no speed is reported for an unchecked
 * answer or gradient. */
#include "bench/measure/measure.h"

#include "bench/base/clock.h"
#include "bench/base/parse.h"
#include "bench/base/random.h"
#include "bench/base/statistics.h"
#include "bench/machine/memory.h"
#include "bench/measure/place.h"
#include "bench/measure/sampling.h"
#include "bench/measure/transfer.h"
#include "bench/measure/warning_find.h"
#include "impls/contract/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Which samples lie beyond the fences of all of them. */
static json_t *outlying_samples(const double *seconds, const double *sorted, int n)
{
    double low, high;
    json_t *indices = json_array();
    if (!statistics_fences(sorted, (size_t)n, &low, &high))
        return indices;
    for (int i = 0; i < n; i++)
        if (seconds[i] < low || seconds[i] > high)
            json_array_append_new(indices, json_integer(i));
    return indices;
}

static json_t *to_json(const struct problem *p, const struct checks *checks, const struct trace *trace, const struct work *work,
                       int64_t sequence, int64_t calls, const double *seconds, int n, double peak_bytes)
{
    json_t *raw = json_array();
    double sorted[n > 0 ? n : 1], low = NAN, high = NAN;
    for (int i = 0; i < n; i++) {
        json_array_append_new(raw, json_number(seconds[i]));
        sorted[i] = seconds[i];
    }
    statistics_sort(sorted, (size_t)n);
    double median = statistics_median(sorted, (size_t)n);
    statistics_median_interval(sorted, (size_t)n, &low, &high);
    json_t *data = json_object();
    if (data == NULL)
        return NULL;
    const struct {
        const char *name;
        double value;
    } figures[] = {
        {"median", median},
        {"q1", statistics_quantile(sorted, (size_t)n, 0.25)},
        {"q3", statistics_quantile(sorted, (size_t)n, 0.75)},
        {"low", low},
        {"high", high},
        {"variation", statistics_variation(sorted, (size_t)n)},
        {"tokens_per_s", (double)p->B * (double)p->T / median},
        {"bytes", work->bytes},
        {"operations", work->operations},
        {"exponentials", work->exponentials},
        {"set", work->set},
        {"GB_per_s", work->bytes / median / 1e9},
        {"GFLOP_per_s", work->operations / median / 1e9},
        {"error_iterate", checks->iterate},
        {"error_exact", checks->exact},
        {"residual", checks->residual},
        {"tolerance", checks->tolerance},
        {"applications", trace->applications},
        {"peak_bytes", peak_bytes},
    };
    json_object_set_new(data, "calls", json_integer(calls));
    json_object_set_new(data, "seconds", raw);
    json_object_set_new(data, "outliers", outlying_samples(seconds, sorted, n));
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        json_object_set_new(data, figures[i].name, json_number(figures[i].value));
    json_object_set_new(data, "validated_against", json_text(checks->against));
    json_object_set_new(data, "validated_sequence", json_integer(sequence));
    json_object_set_new(data, "l_run", json_integer(trace->l_run));
    json_object_set_new(data, "told_apart", isnan(checks->apart) ? json_null() : json_boolean(checks->apart > checks->tolerance));
    json_object_set_new(data, "inaccurate", isnan(checks->exact) ? json_null() : json_boolean(checks->exact > 1));
    return data;
}

/* After the samples: other inputs, no trace of what was left before, one more call. Whoever had kept an answer would be found out
 * here. */
static bool call_with_other_inputs(struct subject *subject, struct call *call, struct backward *backward, struct trace *trace)
{
    tensors_mirror(&subject->tensors);
    subject_forget(subject);
    call->status = implementation_forward(call->implementation, call->plan, call->inputs, &call->outputs, trace);
    if (call->status.code != STATUS_OK || call->backward == NULL)
        return call->status.code == STATUS_OK;
    backward_forget(backward);
    return call_make(call);
}

static void say_circumstances(const struct sampling *sampling, int threads, struct finding *finding)
{
    struct threading threading = threading_here(threads);
    finding->load = load_to_json(&sampling->load);
    finding->warnings = warnings_of_round(sampling->seconds, (size_t)sampling->n, &sampling->load, &threading);
}

/* The first call, or both where the backward pass is what is timed. *grown: bytes that plan and calls took beside the tensors. */
static struct status call_first(struct subject *subject, struct call *call, struct trace *trace, double *grown,
                                struct finding *finding, double *since)
{
    const struct implementation *implementation = subject->implementation;
    struct memory_watch watch;
    subject_forget(subject);
    memory_watch_begin(&watch);
    struct status status = implementation->plan(&subject->tensors.problem, &subject->settings, &subject->environment, &call->plan);
    finding_lap(finding, STAGE_PLAN, since);
    if (status.code == STATUS_OK)
        status = implementation_forward(implementation, call->plan, call->inputs, &call->outputs, trace);
    if (status.code == STATUS_OK && call->backward != NULL) {
        call_make(call);
        status = call->status;
    }
    *grown = memory_watch_end(&watch);
    return status;
}

/* What the last timed call left: calls without a trace may go another way than those that have one. A backward pass has none. */
static bool validate_timed(const struct subject *subject, struct call *call, const struct answers *answers, int64_t b,
                           const struct trace *trace, struct finding *finding, struct error *error)
{
    if (call->backward != NULL)
        return true;
    if (call->implementation->download != NULL)
        call->status = call->implementation->download(call->plan, &call->outputs);
    if (call->status.code == STATUS_OK)
        return validate_again(subject, answers, b, false, trace, finding, error);
    finding_say(finding, (enum result)call->status.code, "after the timed calls: %s", call->status.message);
    return true;
}

/* One point on its way through the phases below. */
struct timed {
    struct subject *subject;
    struct call call;
    struct trace trace;       /* of the first call */
    double grown;             /* bytes that plan and calls took beside the tensors */
    int64_t b;                /* the sequence that is validated */
    struct checks answer;     /* of the first answer */
    struct checks checks;     /* of what is timed: the same, or of the gradients */
    struct sampling sampling; /* n = 0: nothing was timed */
    json_t *transfers;        /* NULL where there are none */
};

/* Before anything is timed: what the first calls left is right. */
static bool validate_first(struct timed *timed, const struct answers *answers, struct backward *backward, struct finding *finding,
                           struct error *error)
{
    bool good = validate(timed->subject, answers, timed->b, &timed->trace, &timed->answer, finding, error);
    timed->checks = timed->answer;
    if (good && finding->result == RESULT_OK && backward != NULL)
        good = backward_validate(timed->subject, timed->b, false, backward, &timed->checks, finding, error);
    return good;
}

static void take_samples(const struct point *point, const struct limits *limits, struct timed *timed)
{
    char label[160];
    point_label(point, sizeof label, label);
    timed->transfers = transfers_measure(&timed->call);
    if (timed->call.backward == NULL)
        subject_forget(timed->subject);
    if (timed->call.status.code == STATUS_OK)
        sampling_run(&timed->call, label, limits, &timed->sampling);
}

/* After the samples: the last answer, and one of other inputs, are right as well. */
static bool validate_last(struct timed *timed, const struct answers *answers, struct backward *backward, struct finding *finding,
                          struct error *error)
{
    struct call *call = &timed->call;
    struct trace later = {0};
    bool good = true;
    if (call->status.code != STATUS_OK)
        finding_status_when(finding, "during timing: ", &call->status);
    else if (timed->sampling.n == 0)
        finding_say(finding, (enum result)STATUS_INTERNAL, "timing failed: %s", timed->sampling.reason);
    else if (!validate_timed(timed->subject, call, answers, timed->b, &timed->trace, finding, error))
        good = false;
    else if (finding->result == RESULT_OK && !call_with_other_inputs(timed->subject, call, backward, &later))
        finding_status_when(finding, "after the timed calls: ", &call->status);
    else if (finding->result == RESULT_OK)
        good = validate_again(timed->subject, answers, timed->b, true, &later, finding, error);
    if (good && finding->result == RESULT_OK && backward != NULL)
        good = backward_validate(timed->subject, timed->b, true, backward, &(struct checks){0}, finding, error);
    return good;
}

/* What is known of the point, with its time where everything was right. */
static void say_timed(const struct timed *timed, struct finding *finding)
{
    const struct subject *subject = timed->subject;
    const struct implementation *implementation = subject->implementation;
    const struct problem *p = &subject->tensors.problem;
    bool backward = timed->call.backward != NULL;
    struct work work = {.bytes = NAN, .operations = NAN, .set = NAN, .exponentials = NAN}; /* of a backward pass, and of solvers of many sequences, nothing is counted */
    /* a solver leaves alone the sequences that have converged: that is less than l iterations of all of them */
    if (!backward && (!implementation->solver || p->B == 1))
        implementation->count(p, &subject->settings, &subject->environment, timed->trace.l_run, &work);
    int n = finding->result == RESULT_OK ? timed->sampling.n : 0;
    double tensors = problem_bytes(p) * (backward ? 2 : 1);
    finding->data = to_json(p, &timed->checks, &timed->trace, &work, timed->b, timed->sampling.calls, timed->sampling.seconds, n,
                            tensors + timed->grown);
    json_object_set(finding->data, "transfers", timed->transfers != NULL ? timed->transfers : json_null());
    if (n > 0)
        say_circumstances(&timed->sampling, subject->environment.threads, finding);
}

/* The timed part: plan and first calls, which are validated, some that warm up, the samples, whose last answer is validated, and calls
 * on other inputs that are validated again. backward: NULL where the forward pass is timed. */
static bool measure(const struct point *point, struct subject *subject, struct backward *backward, const struct answers *answers,
                    int64_t b, const struct limits *limits, struct finding *finding, struct error *error)
{
    struct timed timed = {.subject = subject,
                          .b = b,
                          .call = {.implementation = subject->implementation,
                                   .inputs = &subject->tensors.inputs,
                                   .outputs = {.h = subject->h},
                                   .backward = backward}};
    double since = clock_seconds();
    bool good = true;
    struct status status = call_first(subject, &timed.call, &timed.trace, &timed.grown, finding, &since);
    finding_status(finding, &status);
    place_channel(subject, finding);
    if (status.code != STATUS_OK) {
        good = validate_failure(subject, finding, error);
    } else {
        timed.sampling.seconds = calloc((size_t)limits->samples, sizeof *timed.sampling.seconds);
        good = (timed.sampling.seconds != NULL || fail_memory(error)) && validate_first(&timed, answers, backward, finding, error);
        if (good && finding->result == RESULT_OK) {
            finding_lap(finding, STAGE_VALIDATION, &since);
            take_samples(point, limits, &timed);
            finding_lap(finding, STAGE_TIMING, &since);
            good = validate_last(&timed, answers, backward, finding, error);
        }
        if (good)
            say_timed(&timed, finding);
        json_decref(timed.transfers);
        free(timed.sampling.seconds);
    }
    subject->implementation->destroy(timed.call.plan);
    finding_lap(finding, STAGE_VALIDATION, &since);
    return good;
}

/* The same with what a backward pass is given, where that is what is timed. */
static bool measure_pass(const struct point *point, struct subject *subject, const struct answers *answers, int64_t b,
                         const struct limits *limits, struct finding *finding, struct error *error)
{
    struct backward backward;
    double since = clock_seconds();
    if (subject->settings.gradient == GRADIENT_NONE)
        return measure(point, subject, NULL, answers, b, limits, finding, error);
    bool good = backward_open(subject, &backward, error);
    finding_lap(finding, STAGE_INPUTS, &since);
    good = good && measure(point, subject, &backward, answers, b, limits, finding, error);
    since = clock_seconds();
    backward_close(&backward);
    finding_lap(finding, STAGE_END, &since);
    return good;
}

bool throughput_run(const struct point *point, const struct limits *limits, struct finding *finding, struct error *error)
{
    struct subject subject;
    struct answers answers = {.h = NULL};
    bool good = subject_make(point, false, limits, &subject, finding, error);
    if (good && finding->result == RESULT_OK && validate_possible(&subject, finding)) {
        int64_t b = subject_sequence(&subject, limits);
        double since = clock_seconds();
        good = validate_problem(&subject, b, problem_low_rank(&subject.tensors.problem), &answers, finding, error);
        finding_lap(finding, STAGE_VALIDATION, &since);
        if (good && finding->result == RESULT_OK)
            good = measure_pass(point, &subject, &answers, b, limits, finding, error);
    }
    subject_end(&subject, &answers, finding);
    return good;
}
