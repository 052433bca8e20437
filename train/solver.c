/* See solver.h. */
#include "train/solver.h"

#include "impls/contract/support.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned gradient_bit(enum gradient gradient)
{
    static const unsigned bits[] = {
        [GRADIENT_NONE] = GRADIENTS_NONE, [GRADIENT_EXACT] = GRADIENTS_EXACT, [GRADIENT_STEPS] = GRADIENTS_STEPS};
    return bits[gradient];
}

/* What the implementation is asked for: no gradient where nothing is trained. */
static struct settings wanted(const struct sequence_setup *setup)
{
    struct settings settings = setup->recurrence->settings;
    if (!setup->gradient)
        settings.gradient = GRADIENT_NONE;
    return settings;
}

/* The answer of an exact implementation is that of f, too. */
static void settle_further(const struct implementation *implementation, struct settings *settings)
{
    settings->further = implementation->exact ? 0 : settings->further;
}

bool solver_check(const struct problem *problem, const struct sequence_setup *setup, size_t capacity, char *reason)
{
    const struct recurrence *recurrence = setup->recurrence;
    if (!problem_check(problem, capacity, reason))
        return false;
    if (recurrence == NULL || recurrence->implementation < 0 || recurrence->implementation >= registry_count()) {
        snprintf(reason, capacity, "unknown implementation of the recurrence");
        return false;
    }
    const struct implementation *implementation =
        registry_get_for(recurrence->implementation, problem->cell, problem->dtype, level_best());
    if (implementation->device != DEVICE_CPU) {
        snprintf(reason, capacity, "%s computes on a device; layers need an implementation on the CPU", implementation->name);
        return false;
    }
    if (setup->gradient &&
        (implementation->backward == NULL || (implementation->gradients & gradient_bit(recurrence->settings.gradient)) == 0)) {
        snprintf(reason, capacity, "%s has no gradient of the kind that this training needs", implementation->name);
        return false;
    }
    struct settings settings = wanted(setup);
    struct support support;
    implementation->supports(problem, &settings, setup->environment, &support);
    if (!support.yes)
        snprintf(reason, capacity, "%s: %s", implementation->name, support.reason);
    return support.yes;
}

struct status solver_open(const struct problem *problem, const struct sequence_setup *setup, struct solver *solver)
{
    const struct recurrence *recurrence = setup->recurrence;
    *solver = (struct solver){.settings = wanted(setup),
                              .l_max = recurrence->settings.l_max,
                              .environment = *setup->environment,
                              .problem = *problem,
                              .clock = setup->clock};
    solver->implementation = registry_get_for(recurrence->implementation, problem->cell, problem->dtype, level_best());
    settle_further(solver->implementation, &solver->settings);
    solver->trace.l = memory_allocate(problem->B, sizeof *solver->trace.l);
    if (solver->settings.further > 0 && setup->gradient) {
        solver->start = memory_allocate(problem->B * problem->T * problem->d, (int64_t)dtype_size(problem->dtype));
        if (solver->start == NULL)
            return status_no_memory();
    }
    return solver->trace.l != NULL ? solver_resize(solver, problem->T, 0) : status_no_memory();
}

void solver_close(struct solver *solver)
{
    if (solver->plan != NULL)
        solver->implementation->destroy(solver->plan);
    free(solver->trace.l);
    free(solver->start);
    *solver = (struct solver){0};
}

struct status solver_resize(struct solver *solver, int64_t T, int64_t l_max)
{
    l_max = l_max > 0 ? l_max : solver->l_max;
    if (solver->plan != NULL && T == solver->problem.T && l_max == solver->settings.l_max)
        return status_ok();
    solver->problem.T = T;
    solver->settings.l_max = l_max;
    if (solver->plan != NULL)
        solver->implementation->destroy(solver->plan);
    return solver->implementation->plan(&solver->problem, &solver->settings, &solver->environment, &solver->plan);
}

/* The last iterate, of states or of their adjoint, is used where l_max came first. */
static struct status settle(struct status status)
{
    return status.code == STATUS_NOT_CONVERGED ? status_ok() : status;
}

struct status solver_forward(struct solver *solver, const struct inputs *inputs, void *h)
{
    struct outputs outputs = {.h = h, .start = solver->start};
    double begin = solver->clock != NULL ? solver->clock() : 0;
    struct status status = solver->implementation->forward(solver->plan, inputs, &outputs, &solver->trace);
    solver->seconds = solver->clock != NULL ? solver->clock() - begin : 0;
    return settle(status);
}

struct status solver_backward(struct solver *solver, const struct inputs *inputs, void *h, void *dh,
                              const struct gradients *gradients)
{
    struct outputs outputs = {.h = solver->start != NULL ? solver->start : h}, given = {.h = dh};
    return settle(solver->implementation->backward(solver->plan, inputs, &outputs, &given, gradients));
}

void solver_look(const struct solver *solver, const struct inputs *inputs, struct recurrence_view *view)
{
    *view = (struct recurrence_view){
        .problem = solver->problem, .inputs = *inputs, .trace = &solver->trace, .seconds = solver->seconds};
}
