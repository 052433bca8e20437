/* measure: convergence. Runs an implementation for l iterations and follows, on the kept iterates, the residual, the true error
 * against the exact answer, and the two bounds. An exact implementation has no iterates: only its error counts. */
#include "bench/measure/measure.h"

#include "bench/base/clock.h"
#include "bench/base/parse.h"
#include "bench/base/statistics.h"
#include "bench/measure/kept.h"
#include "bench/measure/place.h"
#include "bench/problems/bounds.h"
#include "bench/problems/textbook.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE_POINTS = 6 };
#define ITERATES_MAX 2147483648 /* bytes of kept iterates; above that only the first sequence's are kept */

struct errors {
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
static double measured_rate(const struct errors *errors, double floor)
{
    int64_t end = 0, from = 0;
    while (end < errors->n && errors->error_max[end] > floor && isfinite(errors->error_max[end]))
        end++;
    while (from < end && errors->l[from] < 2 * errors->l[end - 1] / 3)
        from++;
    int64_t n = end - from;
    if (n < RATE_POINTS)
        return NAN;
    double *x = errors->fit, *y = x + n;
    for (int64_t i = 0; i < n; i++) {
        x[i] = (double)errors->l[from + i];
        y[i] = log(errors->error_max[from + i]);
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

/* max_t ||a_t - b_t||_2 over max |b|, or over what the yardstick says, of n sequences. */
static double token_distance(const struct problem *p, int64_t n, const double *a, const double *b,
                             const struct yardstick *yardstick)
{
    double most = 0;
    for (int64_t t = 0; t < n * p->T; t++) {
        double sum = 0;
        for (int64_t c = t * p->d; c < (t + 1) * p->d; c++)
            sum += (a[c] - b[c]) * (a[c] - b[c]);
        most = spectrum_larger(most, sum);
    }
    double size = norm_max(b, n * p->T * p->d);
    return most == 0 ? 0 : sqrt(most) / (size > yardstick->tiny ? size : yardstick->scale);
}

/* Errors of kept iterate i over the n_sequences that were handed over. */
static void errors_of_iterate(const struct subject *subject, const struct trace *trace, const struct answers *answers, int64_t i,
                              double *scratch, struct errors *errors)
{
    const struct problem *p = &subject->tensors.problem;
    int64_t n = trace->n_sequences * p->T * p->d;
    to_doubles(p->dtype, trace->iterates, i * n, n, scratch);
    errors->error_l2[i] = distance_l2_to(scratch, answers->h, n, &answers->yardstick);
    errors->error_max[i] = distance_max_to(scratch, answers->h, n, &answers->yardstick);
    errors->error_token[i] = token_distance(p, trace->n_sequences, scratch, answers->h, &answers->yardstick);
}

/* The bounds are on iterates of the map itself, of a problem that is linear. */
static bool fill_bounds(const struct subject *subject, const struct answers *answers, struct errors *errors, struct error *error)
{
    const struct problem *p = &subject->tensors.problem;
    const struct settings *settings = &subject->settings;
    bool linear = p->cell == CELL_VECTOR && !subject->implementation->solver && p->feedback == FEEDBACK_NONE &&
                  settings->damping == 1 && settings->patience == 0;
    bool max_norm = linear && p->form == FORM_NORMALISED && answers->lambda_most <= 1 && answers->lambda_least >= 0;
    double size = norm_max(answers->h, answers->n * p->T * p->d);
    for (int64_t i = 0; i < errors->n; i++)
        errors->bound_max[i] = errors->bound_token[i] = linear ? 0 : NAN;
    for (int64_t b = 0; b < answers->n && linear; b++) {
        struct bounds bounds;
        if (!bounds_begin(&bounds, answers->h + b * p->T * p->d, p->T, p->d, answers->spectrum.norm_inf, answers->spectrum.kappa,
                          answers->lambda_most))
            return fail_memory(error);
        for (int64_t i = 0, l = 0; i < errors->n; i++) {
            for (; l < errors->l[i]; l++)
                bounds_next(&bounds);
            errors->bound_max[i] = max_norm ? spectrum_larger(errors->bound_max[i], bounds.max_norm / size) : NAN;
            errors->bound_token[i] = spectrum_larger(errors->bound_token[i], bounds.token_size / size);
        }
        bounds_end(&bounds);
    }
    return true;
}

/* True, false, or null when neither bound applies: errors never exceed a bound by more than what rounding leaves. */
static json_t *bounds_hold(const struct errors *errors, double floor)
{
    bool any = false, hold = true;
    for (int64_t i = 0; i < errors->n; i++)
        for (int which = 0; which < 2; which++) {
            double bound = which == 0 ? errors->bound_max[i] : errors->bound_token[i];
            double error = which == 0 ? errors->error_max[i] : errors->error_token[i];
            if (isnan(bound) || !isfinite(error))
                continue;
            any = true;
            hold = hold && error <= fmax(bound * (1 + 1e-6), floor);
        }
    return any ? json_boolean(hold) : json_null();
}

static json_t *errors_to_json(const struct errors *errors, const struct trace *trace, int64_t B, double eps, double kappa,
                              bool exact, double final_residual, double final_l2, double final_max)
{
    double per_iteration = trace->l_run > 0 ? trace->applications / (double)trace->l_run : 0;
    double floor = 100 * eps / (1 - fmin(isnan(kappa) ? 0.999 : kappa, 0.999));
    json_t *data = json_object();
    if (data == NULL)
        return NULL;
    bool bounded = errors->n > 0;
    json_object_set_new(data, "l", integers(errors->l, errors->n));
    json_object_set_new(data, "residual", numbers(errors->residual, errors->n));
    json_object_set_new(data, "error_l2", numbers(errors->error_l2, errors->n));
    json_object_set_new(data, "error_max", numbers(errors->error_max, errors->n));
    json_object_set_new(data, "bound_max",
                        bounded && !isnan(errors->bound_max[0]) ? numbers(errors->bound_max, errors->n) : json_null());
    json_object_set_new(data, "bound_token",
                        bounded && !isnan(errors->bound_token[0]) ? numbers(errors->bound_token, errors->n) : json_null());
    json_object_set_new(data, "bounds_hold", bounds_hold(errors, floor));
    json_object_set_new(data, "residual_to", reached(NULL, errors->every, errors->l_run, 1));
    json_object_set_new(data, "error_to", reached(errors->l, errors->error_max, errors->n, 1));
    json_object_set_new(data, "applications_to", reached(errors->l, errors->error_max, errors->n, per_iteration));
    json_object_set_new(data, "rate", json_number(exact ? NAN : measured_rate(errors, floor)));
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
static void worst_residuals(const struct trace *trace, int64_t B, struct errors *errors)
{
    errors->l_run = trace->l_run;
    for (int64_t i = 0; i < trace->l_run; i++) {
        errors->every[i] = 0;
        for (int64_t b = 0; b < B; b++)
            errors->every[i] = spectrum_larger(errors->every[i], trace->residual[i * B + b]);
    }
    for (int64_t i = 0; i < errors->n; i++)
        errors->residual[i] = errors->every[errors->l[i] - 1];
}

/* What following the iterates takes: two blocks of numbers, shared out among what an implementation fills and what is made of it. */
struct room {
    int64_t *integers;
    double *reals, *scratch; /* scratch (n): one iterate, or the answer, of the sequences that are followed */
    void *iterates;
    size_t n; /* elements of these sequences */
    struct trace trace;
    struct errors errors;
};

static bool room_make(const struct subject *subject, int64_t n_sequences, struct room *room, struct error *error)
{
    const struct problem *p = &subject->tensors.problem;
    int64_t l = subject->implementation->exact ? 0 : subject->settings.l_max;
    int64_t n_keep = subject->implementation->exact ? 0 : kept_iterations(l, NULL);
    *room = (struct room){.n = (size_t)(n_sequences * p->T * p->d)};
    room->integers = calloc((size_t)(n_keep + n_sequences + p->B), sizeof *room->integers);
    room->reals = calloc((size_t)(8 * n_keep + l + l * p->B) + room->n + 1, sizeof *room->reals);
    room->iterates = malloc((size_t)n_keep * room->n * dtype_size(p->dtype) + 1);
    if (room->integers == NULL || room->reals == NULL || room->iterates == NULL)
        return fail_memory(error);
    if (n_keep > 0)
        kept_iterations(l, room->integers);
    int64_t *sequences = room->integers + n_keep;
    for (int64_t b = 0; b < n_sequences; b++)
        sequences[b] = b;
    struct errors *errors = &room->errors;
    errors->l = room->integers;
    errors->residual = room->reals;
    errors->error_l2 = errors->residual + n_keep;
    errors->error_max = errors->error_l2 + n_keep;
    errors->error_token = errors->error_max + n_keep;
    errors->bound_max = errors->error_token + n_keep;
    errors->bound_token = errors->bound_max + n_keep;
    errors->fit = errors->bound_token + n_keep;
    errors->every = errors->fit + 2 * n_keep;
    room->trace = (struct trace){.keep = room->integers,
                                 .n_keep = n_keep,
                                 .n_sequences = n_sequences,
                                 .sequences = sequences,
                                 .iterates = room->iterates,
                                 .l = sequences + n_sequences,
                                 .residual = errors->every + l};
    room->scratch = room->trace.residual + l * p->B;
    return true;
}

static void room_free(struct room *room)
{
    free(room->integers);
    free(room->reals);
    free(room->iterates);
}

/* Plans and runs the implementation, which fills the trace. */
static void iterate(const struct subject *subject, struct room *room, struct plan **plan, struct finding *finding)
{
    const struct implementation *implementation = subject->implementation;
    const struct outputs outputs = {.h = subject->h};
    struct trace *trace = &room->trace;
    int64_t l = implementation->exact ? 0 : subject->settings.l_max;
    double since = clock_seconds();
    struct status status = implementation->plan(&subject->tensors.problem, &subject->settings, &subject->environment, plan);
    finding_lap(finding, STAGE_PLAN, &since);
    if (status.code == STATUS_OK)
        status = implementation_forward(implementation, *plan, &subject->tensors.inputs, &outputs, trace);
    finding_lap(finding, STAGE_TIMING, &since);
    finding_status(finding, &status);
    place_channel(subject, finding);
    if (*plan == NULL)
        trace->l_run = trace->n_kept = 0;
    if (trace->l_run < 0 || trace->l_run > l || trace->n_kept < 0 || trace->n_kept > trace->n_keep) {
        finding_say(finding, RESULT_WRONG, "reports %" PRId64 " of %" PRId64 " iterations run and %" PRId64 " kept", trace->l_run,
                    l, trace->n_kept);
        trace->l_run = trace->n_kept = 0;
    }
}

/* Errors and bounds of the iterates that were kept, as far as the exact answer is known, and of what was left. */
static bool judge(const struct subject *subject, const struct answers *answers, bool planned, struct room *room,
                  struct finding *finding, struct error *error)
{
    const struct problem *p = &subject->tensors.problem;
    const struct trace *trace = &room->trace;
    struct errors *errors = &room->errors;
    bool known = answers->worst.status.code == STATUS_OK;
    double eps = p->dtype == DTYPE_FLOAT32 ? 0x1p-23 : 0x1p-52, final_l2 = NAN, final_max = NAN;
    errors->n = trace->n_kept;
    if (finding->result == (enum result)STATUS_DIVERGED && errors->n > 0 && errors->l[errors->n - 1] == trace->l_run)
        errors->n--; /* the iterate that is not finite has no residual */
    worst_residuals(trace, p->B, errors);
    for (int64_t i = 0; i < errors->n; i++) {
        errors->error_l2[i] = errors->error_max[i] = errors->error_token[i] = errors->bound_max[i] = errors->bound_token[i] = NAN;
        if (known)
            errors_of_iterate(subject, trace, answers, i, room->scratch, errors);
    }
    bool good = !known || errors->n == 0 || fill_bounds(subject, answers, errors, error);
    if (known && planned) {
        to_doubles(p->dtype, subject->h, 0, (int64_t)room->n, room->scratch);
        final_l2 = distance_l2_to(room->scratch, answers->h, (int64_t)room->n, &answers->yardstick);
        final_max = distance_max_to(room->scratch, answers->h, (int64_t)room->n, &answers->yardstick);
    }
    finding->data = errors_to_json(errors, trace, p->B, eps, answers->spectrum.kappa, subject->implementation->exact,
                                   trace->l_run > 0 ? errors->every[trace->l_run - 1] : NAN, final_l2, final_max);
    finding_judge(finding, final_max);
    return good;
}

/* Everything after the inputs and their answers. */
static bool follow(const struct subject *subject, const struct answers *answers, struct finding *finding, struct error *error)
{
    struct room room;
    struct plan *plan = NULL;
    bool good = room_make(subject, answers->n, &room, error);
    if (good)
        iterate(subject, &room, &plan, finding);
    double since = clock_seconds();
    int64_t elsewhere = -1;
    good = good && judge(subject, answers, plan != NULL, &room, finding, error);
    if (good && plan != NULL && answers->worst.status.code == STATUS_OK)
        good = validate_elsewhere(subject, answers, &elsewhere, finding, error);
    if (good && finding->data != NULL)
        json_object_set_new(finding->data, "elsewhere", elsewhere >= 0 ? json_integer(elsewhere) : json_null());
    if (good && elsewhere > 0) /* the errors are to an answer that the iteration leaves for another: they tell no rate */
        json_object_set_new(finding->data, "rate", json_null());
    finding_lap(finding, STAGE_VALIDATION, &since);
    subject->implementation->destroy(plan);
    room_free(&room);
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
        struct finding judged = {.result = RESULT_OK};
        if (!answers_usable(&answers, subject.regime.limit, &judged) && judged.result == RESULT_EXPLODES)
            finding_say(finding, judged.result, "%s", judged.message);
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
