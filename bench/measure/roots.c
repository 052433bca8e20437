/* measure: roots. How many fixed points the tokens of the selective cell have, how many of them attract, and on which of them the answer
 * of an implementation lies (docs/explanation/fixed-points.md). The sequential mode walks along each sequence: at each token all fixed
 * points are found, and the token's own iteration from y = 0 says which of them is its answer, from which the next token goes on. Where
 * that iteration settles nowhere the walk goes on from where it stopped, but no answer is compared with it any more. An answer belongs to
 * the fixed point that the textbook's map leads to from it. All of this in double precision. */
#include "bench/measure/measure.h"

#include "bench/base/clock.h"
#include "bench/base/parse.h"
#include "bench/base/statistics.h"
#include "bench/measure/subject.h"
#include "bench/problems/fixed_points.h"
#include "bench/problems/textbook.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    TOKEN_MOST = 20000, /* iterations of a token by itself */
    LIMIT_MOST = 3000   /* of a sequence, from an answer on */
};
#define SETTLED 1e-10 /* residual at which a sequence is at its limit */
#define LISTED 1e-5   /* relative distance within which an output is a fixed point of its token */
#define NEAR 1e-2     /* the same where the tokens before may lie a little apart */
#define ANSWERED 1e-4 /* residual of an answer that was computed without a tolerance and counts as converged */

/* What came of one sequence. */
struct walk {
    int64_t several, stable_several, settled, without, without_damped, degenerate, unlisted, most, sum; /* tokens; fixed points */
    int64_t answered;               /* tokens before the first that settles nowhere */
    int64_t first;                  /* token at which the limit of the answer is another, -1: none was found */
    bool converged, limited;        /* the answer, as the implementation says, and whether it has a limit */
    bool listed;                    /* at that token the limit lies on another fixed point of the same token */
    double to_limit, to_sequential; /* relative distance of the answer to its own limit, and to the sequential answer */
};

/* Room for one sequence at a time. */
struct room {
    double *token, *equation, *H, *zero, *g, *next; /* one token */
    double *answer, *limit, *sequential, *applied;  /* (T,d) */
    struct fixed_points found;
};

static bool room_make(const struct problem *p, struct room *room)
{
    int64_t T = p->T, d = p->d;
    int64_t sizes[] = {textbook_selective_scratch(p), token_equation_scratch(p), d * p->N, d, p->r, d, T * d, T * d, T * d, T * d};
    double **arrays[] = {&room->token, &room->equation, &room->H,     &room->zero,       &room->g,
                         &room->next,  &room->answer,   &room->limit, &room->sequential, &room->applied};
    bool memory = fixed_points_make(p, &room->found);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        *arrays[i] = calloc((size_t)sizes[i], sizeof(double));
        memory = memory && *arrays[i] != NULL;
    }
    return memory;
}

static void room_free(struct room *room)
{
    double *arrays[] = {room->token, room->equation, room->H,     room->zero,       room->g,
                        room->next,  room->answer,   room->limit, room->sequential, room->applied};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        free(arrays[i]);
    fixed_points_free(&room->found);
}

/* ---- One sequence -------------------------------------------------------------------------------------------------------------- */

/* limit = where the map leads from the answer, damped as the settings begin. False: out of memory. */
static bool find_limit(const struct problem *p, const struct inputs *inputs, double damping, struct room *room, struct walk *walk,
                       double *residual)
{
    int64_t n = p->T * p->d;
    memcpy(room->limit, room->answer, (size_t)n * sizeof(double));
    for (int64_t l = 0; l < LIMIT_MOST && !walk->limited; l++) {
        if (!textbook_apply(p, inputs, room->limit, room->applied))
            return false;
        double now = textbook_residual(p, room->limit, room->applied);
        *residual = l == 0 ? now : *residual;
        walk->limited = now <= SETTLED;
        for (int64_t i = 0; i < n; i++)
            room->limit[i] += damping * (room->applied[i] - room->limit[i]);
    }
    return true;
}

static void count(const struct fixed_points *found, struct walk *walk)
{
    bool damped = false;
    for (int i = 0; i < found->n; i++)
        damped = damped || found->point[i].most < 1;
    walk->several += found->n > 1;
    walk->stable_several += found->n_stable > 1;
    walk->without += found->n_stable == 0;
    walk->without_damped += !damped;
    walk->degenerate += found->merged || found->eigenvalue;
    walk->sum += found->n;
    walk->most = found->n > walk->most ? found->n : walk->most;
}

/* Token t: its fixed points, the sequential mode's y (d) among them, and whether the limit is another one. False: no memory, or it is
 * not finite. */
static bool one_token(const struct problem *p, const struct inputs *inputs, int64_t t, struct room *room, struct walk *walk)
{
    int64_t d = p->d;
    const double *initial = inputs->y0 != NULL ? inputs->y0 : room->zero, *limit = room->limit + t * d;
    double *y = room->sequential + t * d;
    struct selective_token token = textbook_selective_token(p, room->token);
    textbook_selective_begin(p, inputs, t, t > 0 ? y - d : initial, &token);
    struct token_equation equation = token_equation_make(p, inputs, t, &token, room->H, room->equation);
    if (!fixed_points_find(p, inputs, t, &token, room->H, &equation, &room->found))
        return false;
    count(&room->found, walk);
    bool settled = token_equation_iterate(&equation, TOKEN_MOST, room->g) > 0;
    token_equation_output(&equation, room->g, y);
    int at = settled ? fixed_points_at(p, &room->found, y, LISTED, NULL) : -1;
    walk->settled += settled;
    walk->unlisted += settled && at < 0;
    if (at >= 0)
        memcpy(y, room->found.point[at].y, (size_t)d * sizeof *y); /* to its last digit */
    if (walk->answered == t)
        walk->answered += settled;
    if (walk->answered > t && walk->limited && walk->first < 0 && distance_max(limit, y, d) > LISTED) {
        int other = fixed_points_at(p, &room->found, limit, NEAR, NULL);
        walk->first = t;
        walk->listed = other >= 0 && other != at;
    }
    textbook_selective_apply(p, inputs, NULL, t, &token, room->H, y, room->next, room->H);
    return true;
}

/* Sequence b, whose answer lies in the subject. converged: what the implementation says of it. */
static bool one_sequence(const struct subject *subject, int64_t b, struct room *room, struct walk *walk, struct error *error)
{
    const struct settings *settings = &subject->settings;
    struct tensors sequence;
    if (!tensors_sequence(&subject->tensors, b, &sequence, error))
        return false;
    const struct problem *p = &sequence.problem;
    const struct inputs *inputs = &sequence.inputs;
    int64_t n = p->T * p->d;
    double residual = INFINITY;
    to_doubles(subject->tensors.problem.dtype, subject->h, b * n, n, room->answer);
    bool exact = subject->implementation->exact;
    walk->converged = walk->converged && isfinite(norm_max(room->answer, n));
    bool good =
        !walk->converged || find_limit(p, inputs, exact ? 1 : settings->damping, room, walk, &residual) || fail_memory(error);
    if (!exact && !(settings->tolerance > 0))
        walk->converged = walk->converged && residual <= ANSWERED;
    memset(room->H, 0, (size_t)(p->d * p->N) * sizeof(double));
    if (inputs->H0 != NULL)
        memcpy(room->H, inputs->H0, (size_t)(p->d * p->N) * sizeof(double));
    for (int64_t t = 0; t < p->T && good; t++)
        good =
            one_token(p, inputs, t, room, walk) || fail(error,
                                                        "the fixed points of sequence %lld, t %lld, cannot be found: its tensors "
                                                        "are not finite, or there is no memory",
                                                        (long long)b, (long long)t);
    walk->to_limit = walk->limited ? distance_max(room->answer, room->limit, n) : NAN;
    walk->to_sequential = walk->answered == p->T && walk->converged ? distance_max(room->answer, room->sequential, n) : NAN;
    tensors_free(&sequence);
    return good;
}

/* ---- All of them --------------------------------------------------------------------------------------------------------------- */

/* The answer to a problem of the batch's dtype, into y. */
static struct status answer(const struct subject *subject, const struct tensors *tensors, void *y, struct trace *trace)
{
    const struct outputs outputs = {.y = y};
    struct plan *plan;
    struct status status = subject->implementation->plan(&tensors->problem, &subject->settings, &subject->environment, &plan);
    if (status.code == STATUS_OK)
        status = implementation_forward(subject->implementation, plan, &tensors->inputs, &outputs, trace);
    subject->implementation->destroy(plan);
    return status;
}

/* An exact implementation answers sequence by sequence, so that one without an answer leaves the others theirs. False: the harness
 * failed. *status, ok so far: of the first sequence that failed for another reason. */
static bool answer_exactly(const struct subject *subject, struct walk *walks, struct status *status, struct error *error)
{
    const struct problem *p = &subject->tensors.problem;
    size_t bytes = (size_t)(p->T * p->d) * dtype_size(p->dtype);
    for (int64_t b = 0; b < p->B && status->code == STATUS_OK; b++) {
        struct tensors one;
        if (!tensors_sequence_as(&subject->tensors, b, p->dtype, &one, error))
            return false;
        struct status of_one = answer(subject, &one, (char *)subject->h + (size_t)b * bytes, NULL);
        tensors_free(&one);
        walks[b].converged = of_one.code == STATUS_OK;
        if (of_one.code != STATUS_NO_STABLE_POINT && of_one.code != STATUS_NOT_CONVERGED)
            *status = of_one;
    }
    return true;
}

/* One that iterates answers all at once: they stop together. */
static bool answer_iterating(const struct subject *subject, struct walk *walks, struct status *status, struct error *error)
{
    const struct problem *p = &subject->tensors.problem;
    struct trace trace = {.l = calloc((size_t)p->B, sizeof *trace.l)};
    if (trace.l == NULL)
        return fail_memory(error);
    *status = answer(subject, &subject->tensors, subject->h, &trace);
    if (status->code == STATUS_NOT_CONVERGED)
        *status = status_ok();
    for (int64_t b = 0; b < p->B; b++)
        walks[b].converged = trace.l[b] > 0 || !(subject->settings.tolerance > 0);
    free(trace.l);
    return true;
}

/* Sequence by sequence, each by one thread. */
static bool walk_all(const struct subject *subject, struct walk *walks, struct error *error)
{
    struct problem one = subject->tensors.problem;
    bool good = true;
    one.B = 1;
    one.dtype = DTYPE_FLOAT64;
#pragma omp parallel num_threads(subject->environment.threads)
    {
        struct room room;
        struct error local;
        bool mine = room_make(&one, &room) || fail_memory(&local);
#pragma omp for schedule(dynamic)
        for (int64_t b = 0; b < subject->tensors.problem.B; b++)
            mine = mine && one_sequence(subject, b, &room, &walks[b], &local);
        room_free(&room);
        if (!mine) {
#pragma omp critical
            {
                good = false;
                *error = local;
            }
        }
    }
    return good;
}

/* {"median": of those that are finite, "most": of them}; null where there are none. */
static json_t *distances(double *values, size_t n)
{
    statistics_sort(values, n);
    return json_pack("{so so}", "median", json_number(statistics_quantile(values, n, 0.5)), "most",
                     json_number(n > 0 ? values[n - 1] : NAN));
}

static json_t *to_json(const struct problem *p, const struct walk *walks, double *values)
{
    struct walk all = {0};
    int64_t answered = 0, converged = 0, compared = 0, elsewhere = 0, listed = 0;
    double tokens = (double)(p->B * p->T), B = (double)p->B;
    double *to_limit = values, *to_sequential = values + p->B, *first = to_sequential + p->B;
    size_t n_limit = 0, n_sequential = 0;
    for (int64_t b = 0; b < p->B; b++) {
        const struct walk *walk = &walks[b];
        all.several += walk->several;
        all.stable_several += walk->stable_several;
        all.settled += walk->settled;
        all.without += walk->without;
        all.without_damped += walk->without_damped;
        all.degenerate += walk->degenerate;
        all.unlisted += walk->unlisted;
        all.sum += walk->sum;
        all.most = walk->most > all.most ? walk->most : all.most;
        answered += walk->answered == p->T;
        converged += walk->converged;
        compared += walk->limited && (walk->first >= 0 || walk->answered == p->T);
        if (walk->first >= 0)
            first[elsewhere++] = (double)walk->first;
        listed += walk->first >= 0 && walk->listed;
        if (isfinite(walk->to_limit))
            to_limit[n_limit++] = walk->to_limit;
        if (isfinite(walk->to_sequential))
            to_sequential[n_sequential++] = walk->to_sequential;
    }
    statistics_sort(first, (size_t)elsewhere);
    json_t *data = json_object();
    json_object_set_new(data, "several", json_number((double)all.several / tokens));
    json_object_set_new(data, "stable_several", json_number((double)all.stable_several / tokens));
    json_object_set_new(data, "mean", json_number((double)all.sum / tokens));
    json_object_set_new(data, "most", json_integer(all.most));
    json_object_set_new(data, "settled", json_number((double)all.settled / tokens));
    json_object_set_new(data, "without_stable", json_number((double)all.without / tokens));
    json_object_set_new(data, "without_damped", json_number((double)all.without_damped / tokens));
    json_object_set_new(data, "degenerate", json_integer(all.degenerate));
    json_object_set_new(data, "unlisted", json_integer(all.unlisted));
    json_object_set_new(data, "sequences", json_integer(p->B));
    json_object_set_new(data, "answered", json_number((double)answered / B));
    json_object_set_new(data, "converged", json_number((double)converged / B));
    json_object_set_new(data, "compared", json_integer(compared));
    json_object_set_new(data, "elsewhere", json_integer(elsewhere));
    json_object_set_new(data, "elsewhere_listed", json_integer(listed));
    json_object_set_new(data, "first", json_number(statistics_quantile(first, (size_t)elsewhere, 0.5)));
    json_object_set_new(data, "to_limit", distances(to_limit, n_limit));
    json_object_set_new(data, "to_sequential", distances(to_sequential, n_sequential));
    return data;
}

/* walks: one of each sequence; values: 3 of each. */
static bool measure_into(struct subject *subject, struct walk *walks, double *values, struct finding *finding, struct error *error)
{
    struct status status = status_ok();
    for (int64_t b = 0; b < subject->tensors.problem.B; b++)
        walks[b].first = -1;
    subject_forget(subject);
    if (!(subject->implementation->exact ? answer_exactly : answer_iterating)(subject, walks, &status, error))
        return false;
    if (status.code != STATUS_OK)
        finding_status(finding, &status);
    else if (!walk_all(subject, walks, error))
        return false;
    else
        finding->data = to_json(&subject->tensors.problem, walks, values);
    return true;
}

static bool measure_all(struct subject *subject, struct finding *finding, struct error *error)
{
    size_t B = (size_t)subject->tensors.problem.B;
    struct walk *walks = calloc(B, sizeof *walks);
    double *values = calloc(3 * B, sizeof *values);
    bool good = false;
    if (walks == NULL || values == NULL)
        fail_memory(error);
    else
        good = measure_into(subject, walks, values, finding, error);
    free(walks);
    free(values);
    return good;
}

bool roots_run(const struct point *point, const struct limits *limits, struct finding *finding, struct error *error)
{
    struct subject subject;
    bool good = subject_make(point, false, limits, &subject, finding, error);
    double since = clock_seconds();
    struct problem problem = point_problem(point);
    if (good && finding->result == RESULT_OK && !token_equation_possible(&problem))
        finding_say(finding, (enum result)STATUS_UNSUPPORTED,
                    "fixed points are counted of the selective cell with mixer dplr or householder, and norm output or both");
    if (good && finding->result == RESULT_OK)
        good = measure_all(&subject, finding, error);
    finding_lap(finding, STAGE_TIMING, &since);
    subject_free(&subject);
    return good;
}
