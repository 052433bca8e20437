/* measure: throughput. Validates first, then times: no speed is reported of an answer that was not checked. */
#include "bench/measure.h"

#include "bench/clock.h"
#include "bench/journal.h"
#include "bench/memory.h"
#include "bench/random.h"
#include "bench/statistics.h"
#include "bench/subject.h"
#include "bench/timing.h"
#include "bench/validate.h"
#include "impls/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SAMPLE_SECONDS 1e-2 /* a sample makes enough calls to last about so long */
#define WARM_SECONDS 0.2
#define TIMING_SHARE 0.25   /* of the round's time limit that may go into samples */
#define EXACT_SECONDS 10    /* the distance to the exact answer is measured where that costs less */
enum { SAMPLES_LEAST = 6 }; /* below which a median has no 95 % interval */
enum { WARM_CALLS = 10 };
enum { STREAM_SEQUENCE = 5 };

struct call {
    const struct implementation *implementation;
    struct plan *plan;
    const struct inputs *inputs;
    struct outputs outputs;
    struct status status;
};

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

/* Times samples until there are enough, or the time for them is over. Returns how many, 0 with a reason after a failure. */
static int time_samples(struct call *call, const char *name, const struct limits *limits, double first, int64_t *calls,
                        double *seconds, char *reason, size_t capacity)
{
    double began = clock_seconds();
    int n = 0;
    *calls = first < SAMPLE_SECONDS ? (int64_t)ceil(SAMPLE_SECONDS / fmax(first, 1e-9)) : 1;
    while (n < limits->samples) {
        if (n >= SAMPLES_LEAST && clock_seconds() - began > TIMING_SHARE * limits->time_limit)
            break;
        if (!timing_sample(name, call_forward, call, call->implementation->elapsed != NULL ? call_elapsed : NULL, *calls,
                           &seconds[n], reason, capacity))
            return 0;
        n++;
    }
    return n;
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
        {"tokens_per_s", (double)p->B * (double)p->T / median},
        {"bytes", work->bytes},
        {"operations", work->operations},
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
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        json_object_set_new(data, figures[i].name, json_number(figures[i].value));
    json_object_set_new(data, "validated_against", json_text(checks->against));
    json_object_set_new(data, "validated_sequence", json_integer(sequence));
    json_object_set_new(data, "l_run", json_integer(trace->l_run));
    return data;
}

/* After the samples: other inputs, no trace of the old answer, one more call. Whoever had kept an answer would be found out
 * here. */
static bool call_with_other_inputs(struct subject *subject, struct call *call, struct trace *trace)
{
    tensors_negate_v(&subject->tensors);
    subject_forget(subject);
    call->status = call->implementation->forward(call->plan, call->inputs, &call->outputs, trace);
    return call->status.code == STATUS_OK;
}

/* The timed part: plan, one call that is validated, some that warm up, the samples, and one on other inputs that is validated
 * again. */
static bool measure(const struct point *point, struct subject *subject, const struct answers *answers, int64_t b,
                    const struct limits *limits, struct finding *finding, struct error *error)
{
    const struct implementation *implementation = subject->implementation;
    const struct problem *p = &subject->tensors.problem;
    struct call call = {.implementation = implementation, .inputs = &subject->tensors.inputs, .outputs = {.h = subject->h}};
    struct trace trace = {0}, later = {0};
    struct memory_watch watch;
    subject_forget(subject);
    memory_watch_begin(&watch);
    struct status status = implementation->plan(p, &subject->settings, &subject->environment, &call.plan);
    if (status.code == STATUS_OK)
        status = implementation->forward(call.plan, call.inputs, &call.outputs, &trace);
    double grown = memory_watch_end(&watch);
    finding_status(finding, &status);
    if (status.code != STATUS_OK) {
        implementation->destroy(call.plan);
        return true;
    }
    struct checks checks;
    double *seconds = calloc((size_t)limits->samples, sizeof *seconds);
    int n = 0;
    int64_t calls = 0;
    bool good = seconds != NULL || fail(error, "no memory for the samples");
    good = good && validate(subject, answers, b, &trace, &checks, finding, error);
    if (good && finding->result == RESULT_OK) {
        char label[160], reason[160] = "";
        point_label(point, sizeof label, label);
        n = time_samples(&call, label, limits, shortest_call(&call), &calls, seconds, reason, sizeof reason);
        if (n == 0)
            finding_say(finding, (enum result)STATUS_INTERNAL, "timing failed: %s", reason);
        else if (!call_with_other_inputs(subject, &call, &later))
            finding_say(finding, (enum result)call.status.code, "after the timed calls: %s", call.status.message);
        else
            good = validate_again(subject, b, &later, &checks, finding, error);
    }
    if (good) {
        struct work work;
        implementation->count(p, &subject->settings, &subject->environment, trace.l_run, &work);
        finding->data =
            to_json(p, &checks, &trace, &work, b, calls, seconds, finding->result == RESULT_OK ? n : 0, problem_bytes(p) + grown);
    }
    free(seconds);
    implementation->destroy(call.plan);
    return good;
}

bool throughput_run(const struct point *point, const struct limits *limits, struct finding *finding, struct error *error)
{
    struct subject subject;
    struct answers answers = {.worst = {.largest = NAN, .residual = NAN}, .spectrum = {NAN, NAN, NAN, NAN}};
    bool good = subject_make(point, limits, &subject, finding, error);
    if (good && finding->result == RESULT_OK) {
        const struct problem *p = &subject.tensors.problem;
        const struct settings *settings = &subject.settings;
        if (!subject.implementation->exact && settings->patience > 0 && !(settings->tolerance > 0)) {
            finding_say(finding, (enum result)STATUS_UNSUPPORTED,
                        "a fixed number of iterations damped with patience cannot be validated: give a tolerance");
            subject_free(&subject);
            return true;
        }
        struct problem one = *p;
        one.B = 1;
        int64_t b = 0;
        if (point->value[FIELD_SEED].kind == VALUE_INTEGER)
            b = (int64_t)(random_uniform((uint64_t)point->value[FIELD_SEED].integer, STREAM_SEQUENCE, 0) * (double)p->B);
        bool low_rank = p->mixer == MIXER_NONE || p->mixer == MIXER_DPLR || p->mixer == MIXER_HOUSEHOLDER;
        if (exact_cost(&one, subject_tested(&subject)) < EXACT_SECONDS)
            good = answers_make(&subject.tensors, subject_tested(&subject), b, 1, low_rank, &answers, error);
        if (good && answers.h != NULL) {
            finding->inputs = answers_to_json(&answers);
            double limit = point->value[FIELD_LIMIT].real;
            bool iterate_exists =
                !subject.implementation->exact && !(subject.settings.tolerance > 0) && answers.worst.status.code == STATUS_SINGULAR;
            if (iterate_exists)
                answers_free(&answers); /* the iterate is defined and can be validated; there is nothing it should converge to */
            else if (answers.worst.status.code != STATUS_OK)
                finding_status(finding, &answers.worst.status);
            else if (answers.worst.largest > limit)
                finding_say(finding, RESULT_EXPLODES, "max|h*| = %.3g exceeds the limit of %g", answers.worst.largest, limit);
        }
        if (good && finding->result == RESULT_OK)
            good = measure(point, &subject, &answers, b, limits, finding, error);
    }
    answers_free(&answers);
    subject_free(&subject);
    return good;
}
