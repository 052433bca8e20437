/* measure: throughput. Validates first, then times: no speed is reported of an answer that was not checked. */
#include "bench/measure.h"

#include "bench/clock.h"
#include "bench/journal.h"
#include "bench/random.h"
#include "bench/statistics.h"
#include "bench/subject.h"
#include "bench/textbook.h"
#include "bench/timing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SAMPLE_SECONDS 2e-3 /* a sample makes enough calls to last about so long */
#define WARM_SECONDS 0.2
#define TIMING_SHARE 0.25   /* of the round's time limit that may go into samples */
#define EXACT_SECONDS 10    /* the distance to the exact answer is measured where that costs less */
enum { SAMPLES_LEAST = 6 }; /* below which a median has no 95 % interval */
enum { WARM_CALLS = 10 };
enum { STREAM_SEQUENCE = 5 };

/* What an answer may differ from the reference by, relative to its largest entry: so many units of rounding of the dtype, times the
 * problem's own amplification 1 / (1 - kappa). docs/numbers.md says where they come from. */
#define TOLERANCE_UNITS 200.0
#define AMPLIFICATION_MOST 1000.0

struct checks {
    double iterate, exact, residual; /* relative max-norm distances; NaN: not measured */
    double tolerance;
    const char *against; /* what iterate was measured against */
};

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

static double tolerance_of(const struct problem *p, double kappa)
{
    double eps = p->dtype == DTYPE_FLOAT32 ? 0x1p-24 : 0x1p-53;
    double amplification = kappa < 1 ? fmin(1 / (1 - kappa), AMPLIFICATION_MOST) : AMPLIFICATION_MOST;
    return TOLERANCE_UNITS * eps * amplification;
}

/* Distances of sequence b of the answer h to the references. An iterate is held to the textbook iterate of its number; an exact
 * answer to the exact answer of the harness, or, where that costs too much, to its own equation. */
static bool validate(const struct subject *subject, const struct answers *answers, int64_t b, int64_t l, struct checks *checks,
                     struct error *error)
{
    struct tensors sequence;
    if (!tensors_sequence(&subject->tensors, b, &sequence, error))
        return false;
    const struct problem *p = &sequence.problem;
    int64_t n = p->T * p->d;
    bool damped = subject->settings.damping < 1 || subject->settings.patience > 0;
    double *h = malloc((size_t)n * sizeof *h), *reference = malloc((size_t)n * sizeof *h);
    bool good = h != NULL && reference != NULL;
    if (good) {
        to_doubles(subject->tensors.problem.dtype, subject->h, b * n, n, h);
        good = textbook_apply(p, &sequence.inputs, h, reference);
        checks->residual = distance_max(h, reference, n);
        if (good && answers->h != NULL)
            checks->exact = distance_max(h, answers->h, n);
    }
    if (good && subject->implementation->exact) {
        checks->against = answers->h != NULL ? "the exact answer" : "its own equation";
        checks->iterate = answers->h != NULL ? fmax(checks->exact, 0) : checks->residual;
    } else if (good && damped) {
        checks->against = "its own equation";
        checks->iterate = checks->residual;
        checks->tolerance = fmax(checks->tolerance, 10 * subject->settings.tolerance);
    } else if (good) {
        checks->against = "the textbook iterate";
        good = textbook_iterate(p, &sequence.inputs, l, reference);
        checks->iterate = distance_max(h, reference, n);
    }
    free(h);
    free(reference);
    tensors_free(&sequence);
    return good || fail(error, "no memory to validate the answer");
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
                       int64_t sequence, int64_t calls, const double *seconds, int n)
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
    };
    json_object_set_new(data, "calls", json_integer(calls));
    json_object_set_new(data, "seconds", raw);
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        json_object_set_new(data, figures[i].name, json_number(figures[i].value));
    json_object_set_new(data, "validated_against", json_string(checks->against));
    json_object_set_new(data, "validated_sequence", json_integer(sequence));
    json_object_set_new(data, "l_run", json_integer(trace->l_run));
    return data;
}

/* The timed part: plan, one call that is validated, one that sets the number of calls a sample, the samples. */
static bool measure(const struct point *point, const struct subject *subject, const struct answers *answers, int64_t b,
                    const struct limits *limits, struct finding *finding, struct error *error)
{
    const struct implementation *implementation = subject->implementation;
    const struct problem *p = &subject->tensors.problem;
    struct call call = {.implementation = implementation, .inputs = &subject->tensors.inputs, .outputs = {.h = subject->h}};
    struct trace trace = {0};
    struct status status = implementation->plan(p, &subject->settings, &subject->environment, &call.plan);
    if (status.code == STATUS_OK)
        status = implementation->forward(call.plan, call.inputs, &call.outputs, &trace);
    finding_status(finding, &status);
    if (status.code != STATUS_OK) {
        implementation->destroy(call.plan);
        return true;
    }
    struct checks checks = {NAN, NAN, NAN, tolerance_of(p, answers->spectrum.kappa), NULL};
    double *seconds = calloc((size_t)limits->samples, sizeof *seconds);
    struct work work;
    int n = 0;
    int64_t calls = 0;
    bool good = seconds != NULL && validate(subject, answers, b, trace.l_run, &checks, error);
    if (seconds == NULL)
        fail(error, "no memory for the samples");
    if (good && !(checks.iterate <= checks.tolerance)) {
        finding_say(finding, RESULT_WRONG, "sequence %lld is %.3g from %s, more than %.3g", (long long)b, checks.iterate,
                    checks.against, checks.tolerance);
    } else if (good) {
        char label[160], reason[160] = "";
        point_label(point, sizeof label, label);
        n = time_samples(&call, label, limits, shortest_call(&call), &calls, seconds, reason, sizeof reason);
        if (n == 0)
            finding_say(finding, (enum result)STATUS_INTERNAL, "timing failed: %s", reason);
    }
    implementation->count(p, &subject->settings, trace.l_run, &work);
    if (good)
        finding->data = to_json(p, &checks, &trace, &work, b, calls, seconds, n);
    free(seconds);
    implementation->destroy(call.plan);
    return good;
}

bool throughput_run(const struct point *point, const struct limits *limits, struct finding *finding, struct error *error)
{
    struct subject subject;
    struct answers answers = {.worst = {.largest = NAN, .residual = NAN}, .spectrum = {NAN, NAN, NAN, NAN}};
    bool good = subject_make(point, &subject, finding, error);
    if (good && finding->result == RESULT_OK) {
        const struct problem *p = &subject.tensors.problem;
        bool damped = !subject.implementation->exact && (subject.settings.damping < 1 || subject.settings.patience > 0);
        if (damped && !(subject.settings.tolerance > 0)) {
            finding_say(finding, (enum result)STATUS_UNSUPPORTED,
                        "throughput of a fixed number of damped iterations cannot be validated: give a tolerance");
            subject_free(&subject);
            return true;
        }
        struct problem one = *p;
        one.B = 1;
        int64_t b = 0;
        if (point->value[FIELD_SEED].kind == VALUE_INTEGER)
            b = (int64_t)(random_uniform((uint64_t)point->value[FIELD_SEED].integer, STREAM_SEQUENCE, 0) * (double)p->B);
        bool low_rank = p->mixer == MIXER_NONE || p->mixer == MIXER_DPLR || p->mixer == MIXER_HOUSEHOLDER;
        if (exact_cost(&one) < EXACT_SECONDS)
            good = answers_make(&subject.tensors, b, 1, low_rank, &answers, error);
        if (good && answers.h != NULL) {
            finding->inputs = answers_to_json(&answers);
            double limit = point->value[FIELD_LIMIT].real;
            if (answers.worst.status.code != STATUS_OK)
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
