/* See exact.h. */
#include "bench/problems/exact.h"

#include "bench/machine/machine_memory.h"
#include "bench/problems/disturbance.h"
#include "bench/problems/elimination.h"
#include "bench/problems/textbook.h"
#include "bench/problems/textbook_delta.h"
#include "bench/problems/textbook_heads.h"
#include "bench/problems/token_iteration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EQUATION_MOST 1e-9 /* of a residual that needs no explanation */
#define TEXTBOOK_MOST 3e10 /* operations that the textbook's own answer may take */

static const struct {
    struct status (*solve)(const struct problem *, const struct inputs *, const double *mixing, double *h);
    double (*operations)(const struct problem *);
} textbooks[CELL_COUNT] = {
    [CELL_VECTOR] = {elimination_solve, elimination_operations},
    [CELL_SELECTIVE] = {token_iteration_solve, token_iteration_operations},
    [CELL_DELTA] = {textbook_delta_solve, textbook_delta_operations},
    [CELL_SELECTIVE_HEADS] = {textbook_heads_solve, textbook_heads_operations},
};

struct status exact_by_textbook(const struct problem *p, const struct inputs *inputs, const double *mixing, double *h)
{
    return textbooks[p->cell].solve(p, inputs, mixing, h);
}

double exact_by_textbook_operations(const struct problem *p)
{
    return textbooks[p->cell].operations(p);
}

/* Whatever the instruction level: it is the same arithmetic. */
static bool same_variant(const struct implementation *one, const struct implementation *tested)
{
    return tested != NULL && strcmp(one->name, tested->name) == 0;
}

const struct implementation *exact_choose(const struct problem *p, const struct implementation *tested, enum gradient gradient,
                                          double *operations)
{
    static const char *const names[] = {"structured_sequential", "dense_sequential", "diagonal_scan", "delta_sequential"};
    const struct environment environment = {.threads = 1, .memory_limit = machine_memory_available()};
    const struct settings settings = {.l_max = 1, .quantile = 1, .damping = 1, .gradient = gradient};
    const struct implementation *best = NULL;
    *operations = INFINITY;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct implementation *one = registry_get_for(registry_find(names[i]), p->cell, DTYPE_FLOAT64, level_best());
        struct support support;
        struct work work;
        one->supports(p, &settings, &environment, &support);
        if (!support.yes || same_variant(one, tested))
            continue;
        one->count(p, &settings, &environment, 1, &work);
        if (work.operations < *operations) {
            best = one;
            *operations = work.operations;
        }
    }
    return best;
}

double exact_cost(const struct problem *p, const struct implementation *tested)
{
    double operations;
    if (exact_choose(p, tested, GRADIENT_NONE, &operations) == NULL)
        operations = exact_by_textbook_operations(p) <= TEXTBOOK_MOST ? exact_by_textbook_operations(p) : INFINITY;
    return operations / EXACT_OPERATIONS_A_SECOND;
}

/* By an implementation; or, where only the tested one could, by the textbook. False: the implementation could not begin. */
static bool answer(const struct problem *p, const struct inputs *inputs, const struct implementation *implementation, double *h,
                   struct status *status, struct error *error)
{
    const struct environment environment = {.threads = 1};
    const struct settings settings = {.l_max = 1, .quantile = 1, .damping = 1};
    const struct outputs outputs = {.h = h};
    struct plan *plan;
    if (implementation == NULL && exact_by_textbook_operations(p) > TEXTBOOK_MOST) {
        *status = status_at(STATUS_UNSUPPORTED, -1, -1, "no other implementation solves this problem");
        return true;
    }
    if (implementation == NULL) {
        *status = exact_by_textbook(p, inputs, NULL, h);
        return status->code != STATUS_OUT_OF_MEMORY || fail_memory(error);
    }
    *status = implementation->plan(p, &settings, &environment, &plan);
    if (status->code != STATUS_OK)
        return fail(error, "%s", status->message);
    *status = implementation->forward(plan, inputs, &outputs, NULL);
    implementation->destroy(plan);
    return true;
}

/* Solving an equation leaves a residual of some units of rounding, however ill-conditioned it is: what is more is to be explained by
 * how far rounding moves the equation itself, as where gates are within rounding of 1, or where h is small beside v. */
static bool explained(const struct problem *p, const struct inputs *inputs, const double *h, const double *next, double residual,
                      bool *holds, struct error *error)
{
    const struct tensors sequence = {.problem = *p, .inputs = *inputs};
    double moved = 0;
    *holds = residual <= fmax(EQUATION_MOST, rounding_beside(p, inputs, DTYPE_FLOAT64, h));
    if (*holds || !isfinite(residual))
        return true;
    bool good = disturbance_of_map(&sequence, DTYPE_FLOAT64, h, next, &moved, NULL, error);
    *holds = residual <= rounding_allowed(DTYPE_FLOAT64) * moved;
    return good;
}

bool exact_solve(const struct problem *p, const struct inputs *inputs, const struct implementation *tested, double *h,
                 struct exact *exact, struct error *error)
{
    double operations;
    int64_t n = p->T * p->d;
    *exact = (struct exact){.largest = NAN, .residual = NAN};
    if (!answer(p, inputs, exact_choose(p, tested, GRADIENT_NONE, &operations), h, &exact->status, error))
        return false;
    if (exact->status.code != STATUS_OK)
        return true;
    bool holds;
    double *next = malloc((size_t)n * sizeof *next);
    bool good = (next != NULL && textbook_apply(p, inputs, h, next)) || fail_memory(error);
    if (good) {
        exact->largest = norm_max(h, n);
        const struct yardstick yardstick = inputs_yardstick(p, inputs, DTYPE_FLOAT64);
        exact->residual = distance_max_to(next, h, n, &yardstick);
        good = explained(p, inputs, h, next, exact->residual, &holds, error);
    }
    if (good && !holds)
        exact->status = status_at(STATUS_INTERNAL, -1, -1, "the exact answer does not satisfy its own equation: residual %.3g",
                                  exact->residual);
    free(next);
    return good;
}

bool exact_gradient(const struct problem *p, const struct inputs *inputs, const struct implementation *tested,
                    const double *adjoint, const struct gradients *gradients, struct status *status, struct error *error)
{
    double operations;
    const struct implementation *implementation = exact_choose(p, tested, GRADIENT_EXACT, &operations);
    const struct environment environment = {.threads = 1};
    const struct settings settings = {.l_max = 1, .quantile = 1, .damping = 1, .gradient = GRADIENT_EXACT};
    if (implementation == NULL) {
        *status = status_at(STATUS_UNSUPPORTED, -1, -1, "no other implementation gives the exact gradient of this problem");
        return true;
    }
    struct plan *plan;
    double *h = malloc((size_t)(p->T * p->d) * sizeof *h);
    if (h == NULL)
        return fail_memory(error);
    const struct outputs outputs = {.h = h}, adjoints = {.h = (double *)(uintptr_t)adjoint};
    *status = implementation->plan(p, &settings, &environment, &plan);
    if (status->code == STATUS_OK)
        *status = implementation->forward(plan, inputs, &outputs, NULL);
    if (status->code == STATUS_OK)
        *status = implementation->backward(plan, inputs, &outputs, &adjoints, gradients);
    implementation->destroy(plan);
    free(h);
    return true;
}
