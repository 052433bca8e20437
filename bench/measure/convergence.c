/* measure: convergence. Runs an implementation for l iterations and follows, on iterates that it hands over, the residual, the true
 * error against the exact answer, and the two bounds that hold. An exact implementation has no iterates: its error alone counts. */
#include "bench/measure/measure.h"

#include "bench/base/clock.h"
#include "bench/base/parse.h"
#include "bench/base/statistics.h"
#include "bench/measure/kept.h"
#include "bench/measure/subject.h"
#include "bench/problems/bounds.h"
#include "bench/problems/textbook.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE_POINTS = 6 };
#define ITERATES_MAX 2147483648 /* bytes of kept iterates; above that only the first sequence's are kept */

struct curve {
    int64_t n;                               /* kept iterations that were reached */
    int64_t *l;                              /* (n) */
    double *residual, *error_l2, *error_max; /* (n) */
    double *error_token;                     /* (n) largest 2-norm of a token's error, over max |h*|: what bound_token bounds */
    double *bound_max, *bound_token;         /* (n); NaN where a bound does not apply */
    double *fit;                             /* (2,n) room for the fit of the rate */
    double *every;                           /* (l_run) residual of the worst sequence at every iteration */
    int64_t l_run;
};

/* The asymptotic rate as a factor per iteration: slope of the log of the true error over the last third of the kept iterations at
 * which it is above the floor of the dtype. NaN when there is no exact answer, or too little to fit. */
static double measured_rate(const struct curve *curve, double floor)
{
    int64_t end = 0, from = 0;
    while (end < curve->n && curve->error_max[end] > floor && isfinite(curve->error_max[end]))
        end++;
    while (from < end && curve->l[from] < 2 * curve->l[end - 1] / 3)
        from++;
    int64_t n = end - from;
    if (n < RATE_POINTS)
        return NAN;
    double *x = curve->fit, *y = x + n;
    for (int64_t i = 0; i < n; i++) {
        x[i] = (double)curve->l[from + i];
        y[i] = log(curve->error_max[from + i]);
    }
    return exp(statistics_slope(x, y, (size_t)n));
}

static json_t *numbers(const double *values, int64_t n)
{
    json_t *array = json_array();
    for (int64_t i = 0; array != NULL && i < n; i++)
        if (json_array_append_new(array, json_number(values[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *integers(const int64_t *values, int64_t n)
{
    json_t *array = json_array();
    for (int64_t i = 0; array != NULL && i < n; i++)
        if (json_array_append_new(array, json_integer(values[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

/* {"1e-1": first l at or below it, times factor; ...}, null where it was not reached. l NULL: 1, 2, ... */
static json_t *reached(const int64_t *l, const double *values, int64_t n, double factor)
{
    json_t *object = json_object();
    for (int k = 0; object != NULL && k < TARGETS; k++) {
        int64_t i = 0;
        while (i < n && !(values[i] <= targets[k]))
            i++;
        json_object_set_new(object, target_names[k],
                            i < n ? json_number((double)(l != NULL ? l[i] : i + 1) * factor) : json_null());
    }
    return object;
}

/* max_t ||a_t - b_t||_2 over max |b|, of n sequences. */
static double token_distance(const struct problem *p, int64_t n, const double *a, const double *b)
{
    double most = 0;
    for (int64_t t = 0; t < n * p->T; t++) {
        double sum = 0;
        for (int64_t c = t * p->d; c < (t + 1) * p->d; c++)
            sum += (a[c] - b[c]) * (a[c] - b[c]);
        most = larger(most, sum);
    }
    return most == 0 ? 0 : sqrt(most) / largest(b, n * p->T * p->d);
}

/* Errors of kept iterate i over the n_sequences that were handed over. */
static void errors_at(const struct subject *subject, const struct trace *trace, const struct answers *answers, int64_t i,
                      double *scratch, struct curve *curve)
{
    const struct problem *p = &subject->tensors.problem;
    int64_t n = trace->n_sequences * p->T * p->d;
    to_doubles(p->dtype, trace->iterates, i * n, n, scratch);
    curve->error_l2[i] = distance_l2(scratch, answers->h, n);
    curve->error_max[i] = distance_max(scratch, answers->h, n);
    curve->error_token[i] = token_distance(p, trace->n_sequences, scratch, answers->h);
}

/* The bounds are on iterates of the map itself, of a problem that is linear. */
static bool fill_bounds(const struct subject *subject, const struct answers *answers, struct curve *curve, struct error *error)
{
    const struct problem *p = &subject->tensors.problem;
    const struct settings *settings = &subject->settings;
    bool linear =
        !subject->implementation->solver && p->feedback == FEEDBACK_NONE && settings->damping == 1 && settings->patience == 0;
    bool max_norm = linear && p->form == FORM_NORMALISED && answers->lambda_most <= 1 && answers->lambda_least >= 0;
    double size = largest(answers->h, answers->n * p->T * p->d);
    for (int64_t i = 0; i < curve->n; i++)
        curve->bound_max[i] = curve->bound_token[i] = linear ? 0 : NAN;
    for (int64_t b = 0; b < answers->n && linear; b++) {
        struct bounds bounds;
        if (!bounds_begin(&bounds, answers->h + b * p->T * p->d, p->T, p->d, answers->spectrum.norm_inf, answers->spectrum.kappa,
                          answers->lambda_most))
            return fail_memory(error);
        for (int64_t i = 0, l = 0; i < curve->n; i++) {
            for (; l < curve->l[i]; l++)
                bounds_next(&bounds);
            curve->bound_max[i] = max_norm ? larger(curve->bound_max[i], bounds.max_norm / size) : NAN;
            curve->bound_token[i] = larger(curve->bound_token[i], bounds.token_size / size);
        }
        bounds_end(&bounds);
    }
    return true;
}

/* True, false, or null when neither bound applies: errors never exceed a bound by more than what rounding leaves. */
static json_t *bounds_hold(const struct curve *curve, double floor)
{
    bool any = false, hold = true;
    for (int64_t i = 0; i < curve->n; i++)
        for (int which = 0; which < 2; which++) {
            double bound = which == 0 ? curve->bound_max[i] : curve->bound_token[i];
            double error = which == 0 ? curve->error_max[i] : curve->error_token[i];
            if (isnan(bound) || !isfinite(error))
                continue;
            any = true;
            hold = hold && error <= fmax(bound * (1 + 1e-6), floor);
        }
    return any ? json_boolean(hold) : json_null();
}

static json_t *curve_to_json(const struct curve *curve, const struct trace *trace, int64_t B, double eps, double kappa, bool exact,
                             double final_residual, double final_l2, double final_max)
{
    double per_iteration = trace->l_run > 0 ? trace->applications / (double)trace->l_run : 0;
    double floor = 100 * eps / (1 - fmin(isnan(kappa) ? 0.999 : kappa, 0.999));
    json_t *data = json_object();
    if (data == NULL)
        return NULL;
    bool bounded = curve->n > 0;
    json_object_set_new(data, "l", integers(curve->l, curve->n));
    json_object_set_new(data, "residual", numbers(curve->residual, curve->n));
    json_object_set_new(data, "error_l2", numbers(curve->error_l2, curve->n));
    json_object_set_new(data, "error_max", numbers(curve->error_max, curve->n));
    json_object_set_new(data, "bound_max",
                        bounded && !isnan(curve->bound_max[0]) ? numbers(curve->bound_max, curve->n) : json_null());
    json_object_set_new(data, "bound_token",
                        bounded && !isnan(curve->bound_token[0]) ? numbers(curve->bound_token, curve->n) : json_null());
    json_object_set_new(data, "bounds_hold", bounds_hold(curve, floor));
    json_object_set_new(data, "residual_to", reached(NULL, curve->every, curve->l_run, 1));
    json_object_set_new(data, "error_to", reached(curve->l, curve->error_max, curve->n, 1));
    json_object_set_new(data, "applications_to", reached(curve->l, curve->error_max, curve->n, per_iteration));
    json_object_set_new(data, "rate", json_number(exact ? NAN : measured_rate(curve, floor)));
    json_object_set_new(data, "applications", json_number(trace->applications));
    json_object_set_new(data, "l_run", json_integer(trace->l_run));
    json_object_set_new(data, "l_star", integers(trace->l, B));
    json_object_set_new(data, "sequences", json_integer(trace->n_sequences));
    json_object_set_new(data, "final",
                        json_pack("{so so so}", "residual", json_number(final_residual), "error_l2", json_number(final_l2),
                                  "error_max", json_number(final_max)));
    return data;
}

/* The worst sequence's residual at each iteration. */
static void worst_residuals(const struct trace *trace, int64_t B, struct curve *curve)
{
    curve->l_run = trace->l_run;
    for (int64_t i = 0; i < trace->l_run; i++) {
        curve->every[i] = 0;
        for (int64_t b = 0; b < B; b++)
            curve->every[i] = larger(curve->every[i], trace->residual[i * B + b]);
    }
    for (int64_t i = 0; i < curve->n; i++)
        curve->residual[i] = curve->every[curve->l[i] - 1];
}

/* Everything after the drawing: memory is one block of doubles, shared out below. */
static bool follow(const struct subject *subject, const struct answers *answers, struct finding *finding, struct error *error)
{
    const struct problem *p = &subject->tensors.problem;
    const struct implementation *implementation = subject->implementation;
    int64_t size = p->T * p->d, l = implementation->exact ? 0 : subject->settings.l_max;
    int64_t n_keep = implementation->exact ? 0 : kept_iterations(l, NULL), n_sequences = answers->n;
    double eps = p->dtype == DTYPE_FLOAT32 ? 0x1p-23 : 0x1p-52;
    bool known = answers->worst.status.code == STATUS_OK;

    size_t whole = (size_t)(n_sequences * size);
    int64_t *numbers_of = calloc((size_t)(n_keep + n_sequences + p->B), sizeof *numbers_of);
    double *memory = calloc((size_t)(8 * n_keep + l + l * p->B) + whole + 1, sizeof *memory);
    void *iterates = malloc((size_t)n_keep * whole * dtype_size(p->dtype) + 1);
    struct plan *plan = NULL;
    bool good = numbers_of != NULL && memory != NULL && iterates != NULL;
    if (!good)
        fail_memory(error);

    struct trace trace = {.keep = numbers_of, .n_keep = n_keep, .n_sequences = n_sequences, .iterates = iterates};
    struct curve curve = {.l = numbers_of};
    if (good) {
        int64_t *sequences = numbers_of + n_keep;
        if (n_keep > 0)
            kept_iterations(l, numbers_of);
        for (int64_t b = 0; b < n_sequences; b++)
            sequences[b] = b;
        trace.sequences = sequences;
        trace.l = sequences + n_sequences;
        curve.residual = memory;
        curve.error_l2 = curve.residual + n_keep;
        curve.error_max = curve.error_l2 + n_keep;
        curve.error_token = curve.error_max + n_keep;
        curve.bound_max = curve.error_token + n_keep;
        curve.bound_token = curve.bound_max + n_keep;
        curve.fit = curve.bound_token + n_keep;
        curve.every = curve.fit + 2 * n_keep;
        trace.residual = curve.every + l;

        double since = clock_seconds();
        struct status status = implementation->plan(p, &subject->settings, &subject->environment, &plan);
        finding_lap(finding, STAGE_PLAN, &since);
        const struct outputs outputs = {.h = subject->h};
        if (status.code == STATUS_OK)
            status = implementation_forward(implementation, plan, &subject->tensors.inputs, &outputs, &trace);
        finding_lap(finding, STAGE_TIMING, &since);
        finding_status(finding, &status);
        if (plan == NULL)
            trace.l_run = trace.n_kept = 0;
        if (trace.l_run < 0 || trace.l_run > l || trace.n_kept < 0 || trace.n_kept > n_keep) {
            finding_say(finding, RESULT_WRONG, "claims to have run %" PRId64 " iterations of %" PRId64 " and to have kept %" PRId64,
                        trace.l_run, l, trace.n_kept);
            trace.l_run = trace.n_kept = 0;
        }
    }
    double since = clock_seconds();
    if (good) {
        double *scratch = memory + 8 * n_keep + l + l * p->B, final_l2 = NAN, final_max = NAN;
        curve.n = trace.n_kept;
        if (finding->result == (enum result)STATUS_DIVERGED && curve.n > 0 && curve.l[curve.n - 1] == trace.l_run)
            curve.n--; /* the iterate that is not finite has no residual */
        worst_residuals(&trace, p->B, &curve);
        for (int64_t i = 0; i < curve.n; i++) {
            curve.error_l2[i] = curve.error_max[i] = curve.error_token[i] = curve.bound_max[i] = curve.bound_token[i] = NAN;
            if (known)
                errors_at(subject, &trace, answers, i, scratch, &curve);
        }
        if (known && curve.n > 0)
            good = fill_bounds(subject, answers, &curve, error);
        if (known && plan != NULL) {
            to_doubles(p->dtype, subject->h, 0, (int64_t)whole, scratch);
            final_l2 = distance_l2(scratch, answers->h, (int64_t)whole);
            final_max = distance_max(scratch, answers->h, (int64_t)whole);
        }
        finding->data = curve_to_json(&curve, &trace, p->B, eps, answers->spectrum.kappa, implementation->exact,
                                      trace.l_run > 0 ? curve.every[trace.l_run - 1] : NAN, final_l2, final_max);
    }
    finding_lap(finding, STAGE_VALIDATION, &since);
    implementation->destroy(plan);
    free(numbers_of);
    free(memory);
    free(iterates);
    finding_lap(finding, STAGE_END, &since);
    return good;
}

bool convergence_run(const struct point *point, const struct limits *limits, struct finding *finding, struct error *error)
{
    struct subject subject;
    struct answers answers = {0};
    bool good = subject_make(point, false, limits, &subject, finding, error);
    if (good && finding->result == RESULT_OK) {
        const struct problem *p = &subject.tensors.problem;
        double bytes =
            (double)kept_iterations(subject.settings.l_max, NULL) * (double)(p->B * p->T * p->d) * (double)dtype_size(p->dtype);
        double since = clock_seconds();
        good = answers_make(&subject.tensors, subject_tested(&subject), 0, bytes > ITERATES_MAX ? 1 : p->B, true, &answers, error);
        finding_lap(finding, STAGE_VALIDATION, &since);
    }
    if (good && answers.h != NULL) {
        finding->inputs = answers_to_json(&answers);
        double limit = subject.regime.limit;
        if (answers.worst.status.code == STATUS_OK && answers.worst.largest > limit)
            finding_say(finding, RESULT_EXPLODES, "max|h*| = %.3g exceeds the limit of %g", answers.worst.largest, limit);
        else
            good = follow(&subject, &answers, finding, error);
        if (good && answers.worst.status.code != STATUS_OK && answers.worst.status.code != STATUS_UNSUPPORTED &&
            finding->result == RESULT_OK) {
            finding_status(finding, &answers.worst.status); /* the iterates exist, what they should converge to does not */
        }
    }
    subject_end(&subject, &answers, finding);
    return good;
}
