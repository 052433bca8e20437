/* measure: reach. Each sequence of the batch is a separate problem: how many evaluations of f until the true error is small
 * enough? A sequence that explodes or diverges does not affect the others: it is set aside, or counted as never. Longer and
 * longer runs are tried until all errors are reached, or l of the settings: so a solver that needs few evaluations does not pay
 * for the memory and time of many. */
#include "bench/measure/measure.h"

#include "bench/base/clock.h"
#include "bench/base/parse.h"
#include "bench/base/statistics.h"
#include "bench/measure/kept.h"
#include "bench/measure/validate.h"
#include "bench/problems/disturbance.h"
#include "bench/problems/textbook.h"
#include "bench/problems/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = 32, LONGER = 4, AGREEMENT_MOST = 4096 /* iterations: beyond it agreement is given up */ };

/* Whether the iterates on the way to a later one are those that a run up to them leaves: found out once a point. Where chunks of time
 * are iterated one after the other they are not, and each number of iterations is a run. */
enum prefix { PREFIX_UNKNOWN, PREFIX_IS_RUN, PREFIX_IS_NOT };

struct room {
    int64_t *keep;
    void *iterates, *h;      /* (n_keep,T,d), (T,d) of the dtype */
    double *exact, *scratch; /* (T,d) */
};

/* One problem and what came of it. */
struct found {
    bool set_aside, sensitive, answered, diverged, elsewhere;
    double applications[TARGETS]; /* infinite: never */
    int64_t apart, agreed;        /* most iterations that were seen not to agree yet, fewest that do; 0: none */
    double floor, tracked;
};

struct reach {
    const struct subject *subject;
    const struct tensors *tensors; /* of this problem */
    struct room room;
    struct yardstick yardstick; /* of its inputs */
    double agreement;           /* relative distance to the sequential answer; 0: not looked for */
    enum prefix prefix;
    struct status status; /* of the last run */
};

static int64_t elements(const struct reach *reach)
{
    return reach->tensors->problem.T * reach->tensors->problem.d;
}

static double error_of(const struct reach *reach, const void *h, int64_t from)
{
    to_doubles(reach->tensors->problem.dtype, h, from, elements(reach), reach->room.scratch);
    return distance_max_to(reach->room.scratch, reach->room.exact, elements(reach), &reach->yardstick);
}

/* One run of l iterations, which leaves its answer in room.h, and its iterates where they are wanted. */
static void run(struct reach *reach, int64_t l, bool wanted, struct trace *trace)
{
    const struct subject *subject = reach->subject;
    const struct outputs outputs = {.h = reach->room.h};
    static const int64_t first = 0;
    struct settings settings = subject->settings;
    struct plan *plan;
    settings.l_max = l;
    *trace = (struct trace){.keep = reach->room.keep, .n_sequences = 1, .sequences = &first, .iterates = reach->room.iterates};
    trace->n_keep = wanted ? kept_iterations(l, reach->room.keep) : 0;
    memset(reach->room.h, 0xff, (size_t)elements(reach) * dtype_size(reach->tensors->problem.dtype)); /* NaN */
    reach->status = subject->implementation->plan(&reach->tensors->problem, &settings, &subject->environment, &plan);
    if (reach->status.code == STATUS_OK)
        reach->status = implementation_forward(subject->implementation, plan, &reach->tensors->inputs, &outputs, trace);
    else
        trace->l_run = trace->n_kept = 0;
    subject->implementation->destroy(plan);
}

/* A run of l iterations, without a look on the way: whether it ends within the target. */
static bool try(struct reach *reach, int64_t l, double target, struct found *found, double *applications)
{
    struct trace trace;
    run(reach, l, false, &trace);
    double error = error_of(reach, reach->room.h, 0);
    found->floor = fmin(found->floor, error);
    if (error <= target)
        *applications = trace.applications;
    return error <= target;
}

/* The smallest number of iterations whose run ends within the target, if errors fall: more than low, less than high. Returns high where
 * none does. */
static int64_t bisect(struct reach *reach, double target, int64_t low, int64_t high, struct found *found, double *applications)
{
    while (high - low > 1) {
        int64_t middle = (low + high) / 2;
        if (try(reach, middle, target, found, applications))
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* The same up to l, doubled and then bisected; 0 where none does. *applications: of that run; infinite. */
static int64_t search(struct reach *reach, double target, int64_t l, struct found *found, double *applications)
{
    int64_t low = 0;
    *applications = INFINITY;
    for (int64_t next = 1; low < l; next = 2 * next < l ? 2 * next : l) {
        if (try(reach, next, target, found, applications))
            return bisect(reach, target, low, next, found, applications);
        low = next;
    }
    return 0;
}

/* What an iterate says of agreement, in the order of iterations. */
static void compare_to_sequential(const struct reach *reach, int64_t l, double error, struct found *found)
{
    if (found->agreed > 0 || found->apart > AGREEMENT_MOST || !(reach->agreement > 0))
        return;
    if (error <= reach->agreement)
        found->agreed = l; /* may be beyond what is given up at: what is kept lies apart there */
    else
        found->apart = l;
}

/* Looks at the kept iterates of a run for errors that no earlier run had reached. True when none is left. */
static bool look(struct reach *reach, const struct trace *trace, struct found *found)
{
    bool all = true;
    int64_t size = elements(reach);
    double per_iteration = trace->l_run > 0 ? trace->applications / (double)trace->l_run : 0;
    for (int64_t i = 0; i < trace->n_kept; i++) {
        double error = error_of(reach, reach->room.iterates, i * size);
        found->floor = fmin(found->floor, error);
        compare_to_sequential(reach, trace->keep[i], error, found);
        for (int k = 0; k < TARGETS; k++)
            if (isinf(found->applications[k]) && error <= targets[k])
                found->applications[k] = (double)trace->keep[i] * per_iteration;
    }
    for (int k = 0; k < TARGETS; k++)
        all = all && isfinite(found->applications[k]);
    return all && (found->agreed > 0 || !(reach->agreement > 0));
}

/* Whether the first iterate of a run is what a run of one iteration leaves. */
static enum prefix compare(struct reach *reach, const struct trace *whole)
{
    struct trace part;
    size_t size = (size_t)elements(reach) * dtype_size(reach->tensors->problem.dtype);
    if (whole->n_kept < 1 || whole->l_run < 2)
        return PREFIX_UNKNOWN;
    run(reach, 1, false, &part);
    return memcmp(reach->room.h, reach->room.iterates, size) == 0 ? PREFIX_IS_RUN : PREFIX_IS_NOT;
}

/* The fewest iterations that agree with the sequential answer: between the kept iterates of a run, or from nothing where these are not
 * what shorter runs leave. */
static void agree(struct reach *reach, enum status_code code, struct found *found)
{
    int64_t l = reach->subject->settings.l_max;
    double ignored;
    if (reach->prefix == PREFIX_IS_NOT && code == STATUS_OK && reach->agreement > 0)
        found->agreed = search(reach, reach->agreement, l < AGREEMENT_MOST ? l : AGREEMENT_MOST, found, &ignored);
    else if (found->agreed > 0)
        found->agreed = bisect(reach, reach->agreement, found->apart, found->agreed, found, &ignored);
    if (found->agreed > AGREEMENT_MOST)
        found->agreed = 0;
}

static struct status solve(struct reach *reach, struct found *found)
{
    int64_t most = reach->subject->settings.l_max, l = FIRST;
    struct status status = status_ok();
    struct trace trace;
    for (bool done = false; !done && reach->prefix != PREFIX_IS_NOT; l *= LONGER) {
        l = l < most ? l : most;
        run(reach, l, true, &trace);
        status = reach->status;
        done = look(reach, &trace, found) || l == most || status.code != STATUS_OK;
        if (reach->prefix == PREFIX_UNKNOWN)
            reach->prefix = compare(reach, &trace);
    }
    for (int k = 0; k < TARGETS && reach->prefix == PREFIX_IS_NOT && status.code == STATUS_OK; k++) {
        search(reach, targets[k], most, found, &found->applications[k]);
        status = reach->status;
    }
    agree(reach, status.code, found);
    found->diverged = status.code == STATUS_DIVERGED;
    return status.code == STATUS_DIVERGED ? status_ok() : status;
}

/* Whether rounding alone, in double, would move the exact answer further than the smallest target: of such a problem nobody can say
 * what its answer is. Mixers that read the state can make one. */
static bool is_sensitive(const struct reach *reach, const struct tensors *sequence, bool *sensitive, struct error *error)
{
    double size = rounding_disturbance(DTYPE_FLOAT64);
    struct tensors disturbed;
    struct exact exact;
    if (!tensors_disturbed(sequence, size, 1, &disturbed, error))
        return false;
    bool good =
        exact_solve(&disturbed.problem, &disturbed.inputs, subject_tested(reach->subject), reach->room.scratch, &exact, error);
    int64_t n = sequence->problem.T * sequence->problem.d;
    double moved = good && exact.status.code == STATUS_OK
                       ? distance_max_to(reach->room.scratch, reach->room.exact, n, &reach->yardstick)
                       : INFINITY;
    *sensitive = !(rounding_allowed(DTYPE_FLOAT64) * moved / size <= targets[TARGETS - 1]);
    tensors_free(&disturbed);
    return good;
}

/* Whether the last iterate of a problem that was not solved has converged, to another fixed point. */
static bool is_elsewhere(struct reach *reach, const struct tensors *sequence, struct found *found, struct error *error)
{
    struct parting parting;
    struct trace trace;
    if (sequence->problem.cell == CELL_VECTOR)
        return true;
    run(reach, reach->subject->settings.l_max, false, &trace);
    to_doubles(reach->tensors->problem.dtype, reach->room.h, 0, elements(reach), reach->room.scratch);
    if (!validate_parting(reach->subject, sequence, reach->room.scratch, reach->room.exact, &parting, error))
        return false;
    found->elsewhere = parting.proven;
    return true;
}

/* Problem b. False: the harness failed. What is no answer of its own kind ends up in *status. */
static bool one_problem(struct reach *reach, int64_t b, struct answers *seen, struct found *found, struct status *status,
                        struct error *error)
{
    const struct subject *subject = reach->subject;
    struct tensors exactly, tensors;
    struct exact exact;
    *status = status_ok();
    if (!tensors_sequence(&subject->tensors, b, &exactly, error))
        return false;
    bool good = exact_solve(&exactly.problem, &exactly.inputs, subject_tested(subject), reach->room.exact, &exact, error);
    reach->yardstick = inputs_yardstick(&exactly.problem, &exactly.inputs, subject->tensors.problem.dtype);
    found->answered = good && exact.status.code == STATUS_OK;
    found->set_aside = found->answered && exact.largest > subject->regime.limit;
    if (found->answered && !found->set_aside)
        good = is_sensitive(reach, &exactly, &found->sensitive, error);
    found->set_aside = found->set_aside || found->sensitive;
    if (good && found->answered && !found->set_aside) {
        seen->worst.largest = spectrum_larger(seen->worst.largest, exact.largest);
        seen->worst.residual = spectrum_larger(seen->worst.residual, exact.residual);
        if (seen->n++ == 0 && !spectrum_sequence(&exactly.problem, &exactly.inputs, reach->room.exact, &seen->spectrum))
            good = fail_memory(error);
        good = good && tensors_sequence_as(&subject->tensors, b, subject->tensors.problem.dtype, &tensors, error);
        if (good) {
            struct trace trace;
            reach->tensors = &tensors;
            *status = solve(reach, found);
            found->tracked = NAN;
            if (status->code == STATUS_OK && !found->diverged && isinf(found->applications[TARGETS - 1]))
                good = is_elsewhere(reach, &exactly, found, error);
            if (status->code == STATUS_OK && subject->regime.words) {
                run(reach, subject->settings.l_max, false, &trace);
                to_doubles(tensors.problem.dtype, reach->room.h, 0, elements(reach), reach->room.scratch);
                found->tracked = words_tracked(&tensors.problem, reach->room.scratch, reach->room.exact);
            }
            reach->tensors = NULL;
            tensors_free(&tensors);
        }
    }
    tensors_free(&exactly);
    return good;
}

/* ---- Of all problems ------------------------------------------------------------------------------------------------------- */

/* As statistics_quantile(), of values that may end in infinities. */
static double quantile(const double *sorted, size_t n, double share)
{
    double place = share * (double)(n > 0 ? n - 1 : 0);
    size_t below = (size_t)place, above = below + ((double)below < place);
    if (n == 0)
        return NAN;
    return isinf(sorted[above]) ? INFINITY : statistics_quantile(sorted, n, share);
}

static json_t *target_to_json(const struct found *found, int64_t B, int k, double within, double *sorted)
{
    json_t *each = json_array();
    size_t n = 0, reached = 0, soon = 0;
    for (int64_t b = 0; b < B; b++) {
        bool counts = found[b].answered && !found[b].set_aside;
        double applications = counts ? found[b].applications[k] : NAN;
        json_array_append_new(each, json_number(applications));
        reached += counts && isfinite(applications);
        soon += counts && applications <= within;
        sorted[n] = applications;
        n += counts;
    }
    statistics_sort(sorted, n);
    return json_pack("{so so so sI so so}", "median", json_number(quantile(sorted, n, 0.5)), "q1",
                     json_number(quantile(sorted, n, 0.25)), "q3", json_number(quantile(sorted, n, 0.75)), "reached",
                     (json_int_t)reached, "within", json_number(n > 0 ? (double)soon / (double)n : NAN), "each", each);
}

static json_t *agreement_to_json(const struct found *found, int64_t B, double *sorted)
{
    json_t *each = json_array();
    size_t n = 0, reached = 0;
    for (int64_t b = 0; b < B; b++) {
        bool counts = found[b].answered && !found[b].set_aside, agreed = counts && found[b].agreed > 0;
        json_array_append_new(each, agreed ? json_integer(found[b].agreed) : json_null());
        sorted[n] = agreed ? (double)found[b].agreed : INFINITY;
        n += counts;
        reached += agreed;
    }
    statistics_sort(sorted, n);
    return json_pack("{so so so sI so}", "median", json_number(quantile(sorted, n, 0.5)), "q1",
                     json_number(quantile(sorted, n, 0.25)), "q3", json_number(quantile(sorted, n, 0.75)), "reached",
                     (json_int_t)reached, "each", each);
}

static json_t *to_json(const struct subject *subject, const struct found *found, double agreement, double *sorted)
{
    const struct problem *p = &subject->tensors.problem;
    int64_t set_aside = 0, sensitive = 0, unanswered = 0, diverged = 0, elsewhere = 0;
    size_t n = 0;
    double tracked = 0;
    json_t *to = json_object(), *data = json_object();
    for (int k = 0; k < TARGETS; k++)
        json_object_set_new(to, target_names[k], target_to_json(found, p->B, k, (double)p->T / 4, sorted));
    for (int64_t b = 0; b < p->B; b++) {
        set_aside += found[b].set_aside;
        sensitive += found[b].sensitive;
        unanswered += !found[b].answered;
        diverged += found[b].diverged;
        elsewhere += found[b].elsewhere;
        if (!found[b].answered || found[b].set_aside)
            continue;
        sorted[n++] = found[b].floor;
        tracked += found[b].tracked;
    }
    statistics_sort(sorted, n);
    json_object_set_new(data, "floor", json_number(quantile(sorted, n, 0.5))); /* before sorted is used again */
    json_object_set_new(data, "problems", json_integer(p->B));
    json_object_set_new(data, "set_aside", json_integer(set_aside));
    json_object_set_new(data, "sensitive", json_integer(sensitive));
    json_object_set_new(data, "without_answer", json_integer(unanswered));
    json_object_set_new(data, "diverged", json_integer(diverged));
    json_object_set_new(data, "elsewhere", p->cell != CELL_VECTOR ? json_integer(elsewhere) : json_null());
    json_object_set_new(data, "most", json_integer(subject->settings.l_max));
    json_object_set_new(data, "to", to);
    json_object_set_new(data, "agreement", agreement > 0 ? agreement_to_json(found, p->B, sorted) : json_null());
    json_object_set_new(data, "tracked", json_number(n > 0 ? tracked / (double)n : NAN));
    return data;
}

static bool room_make(const struct subject *subject, struct room *room, struct error *error)
{
    const struct problem *p = &subject->tensors.problem;
    size_t n = (size_t)(p->T * p->d), size = dtype_size(p->dtype), kept = (size_t)kept_iterations(subject->settings.l_max, NULL);
    *room = (struct room){.keep = calloc(kept, sizeof *room->keep),
                          .iterates = malloc(kept * n * size),
                          .h = malloc(n * size),
                          .exact = calloc(n, sizeof(double)),
                          .scratch = calloc(n, sizeof(double))};
    return (room->keep != NULL && room->iterates != NULL && room->h != NULL && room->exact != NULL && room->scratch != NULL) ||
           fail_memory(error);
}

static void room_free(struct room *room)
{
    free(room->keep);
    free(room->iterates);
    free(room->h);
    free(room->exact);
    free(room->scratch);
}

static bool all_problems(struct reach *reach, struct finding *finding, struct error *error)
{
    const struct subject *subject = reach->subject;
    int64_t B = subject->tensors.problem.B, aside = 0, elsewhere = 0;
    struct answers seen = {.spectrum = {NAN, NAN, NAN, NAN}};
    struct found *found = calloc((size_t)B, sizeof *found);
    double *sorted = calloc((size_t)B, sizeof *sorted);
    bool good = found != NULL && sorted != NULL;
    if (!good)
        fail_memory(error);
    struct status status = status_ok();
    for (int64_t b = 0; b < B && good && status.code == STATUS_OK; b++) {
        found[b] = (struct found){.floor = INFINITY, .tracked = NAN, .applications = {INFINITY, INFINITY, INFINITY}};
        good = one_problem(reach, b, &seen, &found[b], &status, error);
        aside += found[b].set_aside || !found[b].answered;
        elsewhere += found[b].elsewhere;
    }
    if (good && status.code != STATUS_OK) {
        finding_status(finding, &status);
    } else if (good) {
        finding->data = to_json(subject, found, reach->agreement, sorted);
        finding->inputs = answers_to_json(&seen);
        const json_t *floor = json_object_get(finding->data, "floor");
        finding_judge(finding, json_is_number(floor) ? json_number_value(floor) : NAN);
        if (2 * elsewhere >= B - aside && elsewhere > 0)
            finding_say(finding, RESULT_ELSEWHERE, "%lld of %lld problems end at another fixed point than the sequential mode",
                        (long long)elsewhere, (long long)(B - aside));
        if (aside == B)
            finding_say(finding, RESULT_EXPLODES,
                        "none of the %lld problems has an answer within the limit of %g that is insensitive to rounding",
                        (long long)B, subject->regime.limit);
    }
    free(found);
    free(sorted);
    return good;
}

bool reach_run(const struct point *point, const struct limits *limits, struct finding *finding, struct error *error)
{
    struct subject subject;
    double since;
    if (!subject_make(point, true, limits, &subject, finding, error)) {
        subject_free(&subject);
        return false;
    }
    bool good = true;
    struct reach reach = {.subject = &subject, .agreement = point_real(point, FIELD_AGREEMENT, 0)};
    since = clock_seconds();
    if (finding->result == RESULT_OK && (subject.implementation->exact || subject.settings.tolerance > 0))
        finding_say(finding, (enum result)STATUS_UNSUPPORTED, "%s",
                    subject.implementation->exact ? "an exact implementation has no iterations to count"
                                                  : "reach counts up to a true error: remove the tolerance");
    if (finding->result == RESULT_OK)
        good = room_make(&subject, &reach.room, error) && all_problems(&reach, finding, error);
    finding_lap(finding, STAGE_TIMING, &since);
    room_free(&reach.room);
    subject_free(&subject);
    return good;
}
