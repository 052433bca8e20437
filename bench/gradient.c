/* measure: gradient. How well the gradient that an implementation gives, of so many last applications of the map or exact, points
 * where the exact one does: cosine and relative distance of the gradients with respect to each input, of a random linear function of
 * h. The exact one is that of the dense RNN in double precision, by another implementation. It takes each as it comes: that a
 * gradient is far from the exact one is what is measured, no failure. */
#include "bench/measure.h"

#include "bench/clock.h"
#include "bench/exact.h"
#include "bench/journal.h"
#include "bench/subject.h"
#include "tasks/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_ADJOINT = 6 };

/* What a gradient is with respect to, in the order of tensors_list(). */
static const char *const names[TENSORS_MAX] = {"v", "lambda", "theta", "W", "h0"};

static void **member(struct gradients *gradients, int i)
{
    void **const members[TENSORS_MAX] = {&gradients->v, &gradients->lambda, &gradients->theta, &gradients->W, &gradients->h0};
    return members[i];
}

/* One gradient of the whole batch beside the exact one. */
struct pair {
    int64_t n, sequence; /* elements, and how many of them belong to a sequence; W: all, to every one */
    void *given;         /* (n) of the problem's dtype */
    double *exact;       /* (n) */
    double *one;         /* (sequence) the exact one of a single sequence */
};

/* Inner products from which everything follows; of several tensors they add up. */
struct likeness {
    double given, exact, both, apart;
};

/* The first input whose gradient was left unwritten, or is not finite; NULL when all are there. */
static const char *unwritten(const struct pair pair[TENSORS_MAX], enum dtype dtype)
{
    for (int i = 0; i < TENSORS_MAX; i++)
        for (int64_t k = 0; k < pair[i].n; k++) {
            double given;
            to_doubles(dtype, pair[i].given, k, 1, &given);
            if (!isfinite(given))
                return names[i];
        }
    return NULL;
}

static struct likeness compare(const struct pair *pair, enum dtype dtype)
{
    struct likeness likeness = {0};
    for (int64_t i = 0; i < pair->n; i++) {
        double given;
        to_doubles(dtype, pair->given, i, 1, &given);
        likeness.given += given * given;
        likeness.exact += pair->exact[i] * pair->exact[i];
        likeness.both += given * pair->exact[i];
        likeness.apart += (given - pair->exact[i]) * (given - pair->exact[i]);
    }
    return likeness;
}

/* Half the squared distance of both, each divided by a norm: of whole gradients 1 - cosine, without the cancellation of that
 * difference. */
static double turn(const struct pair *pair, enum dtype dtype, const struct likeness *norms)
{
    double sum = 0;
    for (int64_t i = 0; i < pair->n; i++) {
        double given;
        to_doubles(dtype, pair->given, i, 1, &given);
        double one = given / sqrt(norms->given) - pair->exact[i] / sqrt(norms->exact);
        sum += one * one / 2;
    }
    return sum;
}

static json_t *to_json(const struct likeness *likeness, double lack)
{
    return json_pack("{so so so so}", "cosine", json_number(likeness->both / sqrt(likeness->given * likeness->exact)), "lack",
                     json_number(lack), "distance", json_number(sqrt(likeness->apart / likeness->exact)), "norm",
                     json_number(sqrt(likeness->exact)));
}

static bool make_pairs(const struct tensors *tensors, struct pair pair[TENSORS_MAX], struct error *error)
{
    const struct problem *p = &tensors->problem;
    struct tensor tensor[TENSORS_MAX];
    size_t n = tensors_list(tensors, tensor);
    for (size_t k = 0; k < n; k++)
        for (int i = 0; i < TENSORS_MAX; i++) {
            if (strcmp(tensor[k].name, names[i]) != 0)
                continue;
            pair[i].n = (int64_t)(tensor[k].bytes / dtype_size(p->dtype));
            pair[i].sequence = strcmp(names[i], "W") == 0 ? pair[i].n : pair[i].n / p->B;
            pair[i].given = aligned_alloc(64, (tensor[k].bytes / 64 + 1) * 64);
            pair[i].exact = calloc((size_t)pair[i].n, sizeof(double));
            pair[i].one = malloc((size_t)pair[i].sequence * sizeof(double));
            if (pair[i].given == NULL || pair[i].exact == NULL || pair[i].one == NULL)
                return fail(error, "no memory for the gradients");
            memset(pair[i].given, 0xff, tensor[k].bytes); /* NaN: what is found there afterwards was computed */
        }
    return true;
}

static void free_pairs(struct pair pair[TENSORS_MAX])
{
    for (int i = 0; i < TENSORS_MAX; i++) {
        free(pair[i].given);
        free(pair[i].exact);
        free(pair[i].one);
    }
}

/* The exact gradients, a sequence at a time: those of W add up. adjoint (B,T,d). */
static bool solve(const struct subject *subject, const double *adjoint, struct pair pair[TENSORS_MAX], struct status *status,
                  struct error *error)
{
    const struct problem *p = &subject->tensors.problem;
    bool good = true;
    *status = status_ok();
    for (int64_t b = 0; b < p->B && good && status->code == STATUS_OK; b++) {
        struct tensors sequence;
        struct gradients exact = {0};
        if (!tensors_sequence(&subject->tensors, b, &sequence, error))
            return false;
        for (int i = 0; i < TENSORS_MAX; i++)
            *member(&exact, i) = pair[i].one;
        good = exact_gradient(&sequence.problem, &sequence.inputs, subject_tested(subject), adjoint + b * p->T * p->d, &exact,
                              status, error);
        for (int i = 0; i < TENSORS_MAX && good && status->code == STATUS_OK; i++) {
            double *sum = pair[i].exact + (pair[i].sequence < pair[i].n || p->B == 1 ? b * pair[i].sequence : 0);
            for (int64_t k = 0; k < pair[i].sequence; k++)
                sum[k] += pair[i].one[k];
        }
        if (status->b >= 0)
            status->b = b;
        tensors_free(&sequence);
    }
    return good;
}

/* What the implementation says. *l_run: iterations that its forward pass took. */
static struct status differentiate(const struct subject *subject, const double *adjoint, struct pair pair[TENSORS_MAX],
                                   void *rounded, int64_t *l_run, struct finding *finding)
{
    const struct implementation *implementation = subject->implementation;
    const struct problem *p = &subject->tensors.problem;
    const struct outputs outputs = {.h = subject->h}, adjoints = {.h = rounded};
    struct gradients given = {0};
    struct trace trace = {0};
    struct plan *plan;
    double since = clock_seconds();
    if (implementation->backward == NULL)
        return status_at(STATUS_UNSUPPORTED, -1, -1, "has no gradient");
    for (int i = 0; i < TENSORS_MAX; i++)
        *member(&given, i) = pair[i].given;
    for (int64_t i = 0; i < p->B * p->T * p->d; i++)
        p->dtype == DTYPE_FLOAT32 ? (void)(((float *)rounded)[i] = (float)adjoint[i]) : (void)(((double *)rounded)[i] = adjoint[i]);
    struct status status = implementation->plan(p, &subject->settings, &subject->environment, &plan);
    finding_lap(finding, STAGE_PLAN, &since);
    if (status.code != STATUS_OK)
        return status;
    status = implementation->forward(plan, &subject->tensors.inputs, &outputs, &trace);
    struct status backward = status;
    if (status.code == STATUS_OK || status.code == STATUS_NOT_CONVERGED)
        backward = implementation->backward(plan, &subject->tensors.inputs, &outputs, &adjoints, &given);
    finding_lap(finding, STAGE_TIMING, &since);
    implementation->destroy(plan);
    *l_run = trace.l_run;
    return status.code == STATUS_OK || (backward.code != STATUS_OK && backward.code != STATUS_NOT_CONVERGED) ? backward : status;
}

static json_t *describe(const struct pair pair[TENSORS_MAX], enum dtype dtype, int64_t l_run)
{
    struct likeness all = {0};
    double lack = 0;
    json_t *object = json_pack("{sI}", "l_run", (json_int_t)l_run);
    for (int i = 0; i < TENSORS_MAX && object != NULL; i++) {
        struct likeness one = compare(&pair[i], dtype);
        all = (struct likeness){all.given + one.given, all.exact + one.exact, all.both + one.both, all.apart + one.apart};
        json_object_set_new(object, names[i], pair[i].n > 0 ? to_json(&one, turn(&pair[i], dtype, &one)) : json_null());
    }
    for (int i = 0; i < TENSORS_MAX; i++)
        lack += turn(&pair[i], dtype, &all);
    if (object != NULL)
        json_object_set_new(object, "all", to_json(&all, lack));
    return object;
}

static bool compare_all(const struct subject *subject, const struct point *point, struct finding *finding, struct error *error)
{
    const struct problem *p = &subject->tensors.problem;
    int64_t n = p->B * p->T * p->d, l_run = 0;
    const struct value *seed = &point->value[FIELD_SEED];
    struct pair pair[TENSORS_MAX] = {0};
    struct status status;
    double *adjoint = aligned_alloc(64, ((size_t)n * sizeof(double) / 64 + 1) * 64), since = clock_seconds();
    void *rounded = aligned_alloc(64, ((size_t)n * sizeof(double) / 64 + 1) * 64);
    bool good = (adjoint != NULL && rounded != NULL) || fail(error, "no memory for the gradients");
    good = good && make_pairs(&subject->tensors, pair, error);
    for (int64_t i = 0; i < n && good && adjoint != NULL; i++) /* what float32 holds, so that both dtypes get the same one */
        adjoint[i] =
            (double)(float)random_normal(seed->kind == VALUE_INTEGER ? (uint64_t)seed->integer : 1, STREAM_ADJOINT, (uint64_t)i);
    good = good && solve(subject, adjoint, pair, &status, error);
    finding_lap(finding, STAGE_VALIDATION, &since);
    if (good) {
        finding_status(finding, &status);
        if (status.code == STATUS_OK) {
            status = differentiate(subject, adjoint, pair, rounded, &l_run, finding);
            finding_status(finding, &status);
            const char *missing = unwritten(pair, p->dtype);
            if (status.code == STATUS_OK && missing != NULL)
                finding_say(finding, RESULT_WRONG, "the gradient of %s is not finite, and nothing was said of that", missing);
            else if (status.code == STATUS_OK || status.code == STATUS_NOT_CONVERGED)
                finding->data = describe(pair, p->dtype, l_run);
        }
    }
    free_pairs(pair);
    free(adjoint);
    free(rounded);
    return good;
}

bool gradient_run(const struct point *point, const struct limits *limits, struct finding *finding, struct error *error)
{
    struct subject subject;
    struct answers answers = {0};
    bool good = subject_make(point, limits, &subject, finding, error);
    double since = clock_seconds(), limit = point->value[FIELD_LIMIT].real;
    if (good && finding->result == RESULT_OK)
        good = answers_make(&subject.tensors, subject_tested(&subject), 0, subject.tensors.problem.B, true, &answers, error);
    finding_lap(finding, STAGE_VALIDATION, &since);
    if (good && answers.h != NULL) {
        finding->inputs = answers_to_json(&answers);
        if (answers.worst.status.code != STATUS_OK) /* without an answer there is nothing to be the gradient of */
            finding_status(finding, &answers.worst.status);
        else if (answers.worst.largest > limit)
            finding_say(finding, RESULT_EXPLODES, "max|h*| = %.3g exceeds the limit of %g", answers.worst.largest, limit);
        else
            good = compare_all(&subject, point, finding, error);
    }
    answers_free(&answers);
    subject_free(&subject);
    return good;
}
