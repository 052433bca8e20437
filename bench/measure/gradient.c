/* measure: gradient. How well the gradient of an implementation, of the last n evaluations of f or exact, agrees with the exact
 * one: cosine and relative distance of the gradients with respect to each input, of a random linear function of h. The exact
 * gradient is that of the dense RNN in double precision, by another implementation. A gradient far from the exact one is a
 * measurement, not a failure. */
#include "bench/measure/measure.h"

#include "bench/base/clock.h"
#include "bench/base/parse.h"
#include "bench/measure/backward.h"
#include "bench/measure/place.h"
#include "bench/problems/exact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One gradient of the whole batch beside the exact one. */
struct pair {
    int64_t n, sequence; /* elements, and how many of them belong to a sequence; of W and its like all, to every one */
    const void *given;   /* (n) of the problem's dtype */
    double *exact;       /* (n) */
    double *one;         /* (sequence) the exact one of a single sequence */
};

/* Inner products from which everything follows; of several tensors they add up. */
struct likeness {
    double given, exact, both, apart;
};

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

static bool make_pairs(const struct backward *backward, struct pair pair[TENSORS_MAX], struct error *error)
{
    for (int i = 0; i < TENSORS_MAX; i++) {
        if (backward->n[i] == 0)
            continue;
        pair[i].n = backward->n[i];
        pair[i].sequence = backward->sequence[i];
        pair[i].given = backward->gradients.tensor[i];
        pair[i].exact = calloc((size_t)pair[i].n, sizeof(double));
        pair[i].one = malloc((size_t)pair[i].sequence * sizeof(double));
        if (pair[i].exact == NULL || pair[i].one == NULL)
            return fail_memory(error);
    }
    return true;
}

static void free_pairs(struct pair pair[TENSORS_MAX])
{
    for (int i = 0; i < TENSORS_MAX; i++) {
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
            exact.tensor[i] = pair[i].one;
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
static struct status differentiate(const struct subject *subject, const struct backward *backward, int64_t *l_run,
                                   struct finding *finding)
{
    const struct implementation *implementation = subject->implementation;
    const struct problem *p = &subject->tensors.problem;
    const struct outputs outputs = {.h = subject->h};
    struct trace trace = {0};
    struct plan *plan;
    double since = clock_seconds();
    if (implementation->backward == NULL)
        return status_at(STATUS_UNSUPPORTED, -1, -1, "has no gradient");
    struct status status = implementation->plan(p, &subject->settings, &subject->environment, &plan);
    finding_lap(finding, STAGE_PLAN, &since);
    if (status.code != STATUS_OK)
        return status;
    status = implementation_forward(implementation, plan, &subject->tensors.inputs, &outputs, &trace);
    struct status after = status;
    if (status.code == STATUS_OK || status.code == STATUS_NOT_CONVERGED)
        after = implementation->backward(plan, &subject->tensors.inputs, &outputs, &backward->adjoints, &backward->gradients);
    finding_lap(finding, STAGE_TIMING, &since);
    implementation->destroy(plan);
    *l_run = trace.l_run;
    return status.code == STATUS_OK || (after.code != STATUS_OK && after.code != STATUS_NOT_CONVERGED) ? after : status;
}

static json_t *describe(const struct problem *p, const struct pair pair[TENSORS_MAX], int64_t l_run)
{
    struct likeness all = {0};
    enum dtype dtype = p->dtype;
    double lack = 0;
    json_t *object = json_pack("{sI}", "l_run", (json_int_t)l_run);
    for (int i = 0; i < TENSORS_MAX && object != NULL; i++) {
        struct likeness one = compare(&pair[i], dtype);
        all = (struct likeness){all.given + one.given, all.exact + one.exact, all.both + one.both, all.apart + one.apart};
        if (tensor_row(p, (enum tensor_id)i) != NULL)
            json_object_set_new(object, tensor_names[i], pair[i].n > 0 ? to_json(&one, turn(&pair[i], dtype, &one)) : json_null());
    }
    for (int i = 0; i < TENSORS_MAX; i++)
        lack += turn(&pair[i], dtype, &all);
    if (object != NULL)
        json_object_set_new(object, "all", to_json(&all, lack));
    return object;
}

static bool compare_all(const struct subject *subject, struct finding *finding, struct error *error)
{
    const struct problem *p = &subject->tensors.problem;
    int64_t l_run = 0;
    struct pair pair[TENSORS_MAX] = {0};
    struct backward backward;
    struct status status;
    double since = clock_seconds();
    bool good = backward_open(subject, &backward, error) && make_pairs(&backward, pair, error) &&
                solve(subject, backward.drawn, pair, &status, error);
    finding_lap(finding, STAGE_VALIDATION, &since);
    if (good) {
        finding_status(finding, &status);
        if (status.code == STATUS_OK) {
            status = differentiate(subject, &backward, &l_run, finding);
            finding_status(finding, &status);
            place_channel(subject, finding);
            bool there = status.code != STATUS_OK || backward_there(p, &backward, finding);
            if (there && (status.code == STATUS_OK || status.code == STATUS_NOT_CONVERGED))
                finding->data = describe(p, pair, l_run);
        }
    }
    free_pairs(pair);
    backward_close(&backward);
    return good;
}

bool gradient_run(const struct point *point, const struct limits *limits, struct finding *finding, struct error *error)
{
    struct subject subject;
    struct answers answers = {0};
    bool good = subject_make(point, false, limits, &subject, finding, error);
    double since = clock_seconds();
    if (good && finding->result == RESULT_OK)
        good = answers_make(&subject.tensors, subject_tested(&subject), 0, subject.tensors.problem.B, true, &answers, error);
    finding_lap(finding, STAGE_VALIDATION, &since);
    if (good && answers.h != NULL) {
        finding->inputs = answers_to_json(&answers);
        if (answers_usable(&answers, subject.regime.limit, finding)) /* without an answer there is nothing to be the gradient of */
            good = compare_all(&subject, finding, error);
        int64_t elsewhere;
        if (good && finding->data != NULL)
            good = validate_elsewhere(&subject, &answers, &elsewhere, finding, error);
    }
    subject_end(&subject, &answers, finding);
    return good;
}
