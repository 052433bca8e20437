/* What the planted implementations share: they misbehave in forward() and are otherwise what the contract asks for. Only the tests'
 * own program, build/bench-planted, registers them. */
#ifndef TESTS_PLANTED_PLANTED_H
#define TESTS_PLANTED_PLANTED_H

#include "impls/impl.h"
#include "impls/math/real.h"

#include <stdlib.h>

struct plan {
    struct problem problem;
    struct settings settings;
    bool keeps; /* what it computed first, if the options say so */
};

static void supports(const struct problem *problem, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    (void)problem, (void)settings, (void)environment;
    *support = (struct support){.yes = true};
}

static void count(const struct problem *problem, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    (void)problem, (void)settings, (void)environment, (void)l;
    *work = (struct work){.bytes = 1, .operations = 1, .set = 1};
}

static struct status plan(const struct problem *problem, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    (void)environment;
    *out = malloc(sizeof **out);
    if (*out == NULL)
        return status_at(STATUS_OUT_OF_MEMORY, -1, -1, "out of memory for the plan");
    **out = (struct plan){.problem = *problem, .settings = *settings, .keeps = settings_option(settings, "keeps") != NULL};
    return status_ok();
}

static void destroy(struct plan *plan)
{
    free(plan);
}

extern const struct implementation VARIANT(structured_sequential);

/* The right answer, for those that spoil it. */
static inline struct status answer(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                                   struct trace *trace)
{
    const struct environment environment = {.threads = 1};
    const struct settings settings = {.l_max = 1};
    struct plan *inner;
    struct status status = VARIANT(structured_sequential).plan(&plan->problem, &settings, &environment, &inner);
    if (status.code == STATUS_OK)
        status = VARIANT(structured_sequential).forward(inner, inputs, outputs, trace);
    VARIANT(structured_sequential).destroy(inner);
    return status;
}

#define PLANTED(planted_name, planted_summary, ...)                                                                                \
    {                                                                                                                              \
        .name = planted_name, .summary = planted_summary, .device = DEVICE_CPU, .cells = CELLS_VECTOR, .mixers = MIXERS_ANY,       \
        .supports = supports, .count = count, .plan = plan, .forward = forward, .destroy = destroy, __VA_ARGS__                    \
    }

#endif
