/* See exact.h. */
#include "bench/problems/exact.h"

#include "bench/machine/machine_memory.h"
#include "bench/problems/textbook.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Solving an equation leaves a residual of some units of rounding, 1e-15, however ill-conditioned it is. */
#define EQUATION_MOST 1e-9

/* Whatever the instruction level: it is the same arithmetic. */
static bool same_variant(const struct implementation *one, const struct implementation *tested)
{
    return tested != NULL && strcmp(one->name, tested->name) == 0;
}

const struct implementation *exact_choose(const struct problem *p, const struct implementation *tested, enum gradient gradient,
                                          double *operations)
{
    static const char *const names[] = {"structured_sequential", "dense_sequential", "diagonal_scan"};
    const struct environment environment = {.threads = 1, .memory_limit = machine_memory_available()};
    const struct settings settings = {.l_max = 1, .quantile = 1, .damping = 1, .gradient = gradient};
    const struct implementation *best = NULL;
    *operations = INFINITY;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct implementation *one = registry_get(registry_find(names[i]), DTYPE_FLOAT64, level_best());
        struct support support;
        struct work work;
        one->supports(p, &settings, &environment, &support);
        one->count(p, &settings, &environment, 1, &work);
        if (support.yes && !same_variant(one, tested) && work.operations < *operations) {
            best = one;
            *operations = work.operations;
        }
    }
    return best;
}

double exact_cost(const struct problem *p, const struct implementation *tested)
{
    double operations;
    exact_choose(p, tested, GRADIENT_NONE, &operations);
    return operations / EXACT_OPERATIONS_A_SECOND;
}

bool exact_solve(const struct problem *p, const struct inputs *inputs, const struct implementation *tested, double *h,
                 struct exact *exact, struct error *error)
{
    double operations;
    const struct implementation *implementation = exact_choose(p, tested, GRADIENT_NONE, &operations);
    const struct environment environment = {.threads = 1};
    const struct settings settings = {.l_max = 1, .quantile = 1, .damping = 1};
    const struct outputs outputs = {.h = h};
    int64_t n = p->T * p->d;
    *exact = (struct exact){.largest = NAN, .residual = NAN};
    if (implementation == NULL) {
        exact->status = status_at(STATUS_UNSUPPORTED, -1, -1, "no exact implementation supports this problem");
        return true;
    }
    struct plan *plan;
    exact->status = implementation->plan(p, &settings, &environment, &plan);
    if (exact->status.code != STATUS_OK)
        return fail(error, "%s", exact->status.message);
    exact->status = implementation->forward(plan, inputs, &outputs, NULL);
    implementation->destroy(plan);
    if (exact->status.code != STATUS_OK)
        return true;

    double *next = malloc((size_t)n * sizeof *next);
    if (next == NULL || !textbook_apply(p, inputs, h, next)) {
        free(next);
        return fail_memory(error);
    }
    exact->largest = norm_max(h, n);
    exact->residual = distance_max(next, h, n);
    if (!(exact->residual <= EQUATION_MOST))
        exact->status = status_at(STATUS_INTERNAL, -1, -1, "the exact answer does not satisfy its own equation: residual %.3g",
                                  exact->residual);
    free(next);
    return true;
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
