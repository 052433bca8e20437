/* What no implementation could mean anything by: settings and environments. Problems are in problem.c, tensors in tensors.c. */
#include "impls/contract/support.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool terminated(const struct option *option)
{
    return memchr(option->name, '\0', sizeof option->name) != NULL && memchr(option->value, '\0', sizeof option->value) != NULL;
}

/* What everyone reads: the gradient and the options. */
static bool common_check(const struct settings *s, size_t capacity, char *reason)
{
    if (s->gradient < 0 || s->gradient > GRADIENT_STEPS)
        snprintf(reason, capacity, "gradient %d: there is no such kind", (int)s->gradient);
    else if (s->gradient == GRADIENT_STEPS && (s->gradient_steps < 1 || s->gradient_steps > ITERATIONS_MAX))
        snprintf(reason, capacity, "gradient_steps = %" PRId64 ": must be between 1 and %d", s->gradient_steps, ITERATIONS_MAX);
    else if (s->further < 0 || s->further > ITERATIONS_MAX)
        snprintf(reason, capacity, "further = %" PRId64 ": must be between 0 and %d", s->further, ITERATIONS_MAX);
    else if (s->n_options < 0 || s->n_options > OPTIONS_MAX)
        snprintf(reason, capacity, "%d options: there must be 0 to %d", s->n_options, OPTIONS_MAX);
    else
        return true;
    return false;
}

/* What only iterations read. Comparisons are such that NaN fails them. */
static bool iteration_check(const struct settings *s, size_t capacity, char *reason)
{
    if (s->l_max < 1 || s->l_max > ITERATIONS_MAX)
        snprintf(reason, capacity, "l_max = %" PRId64 ": must be between 1 and %d", s->l_max, ITERATIONS_MAX);
    else if (!(s->tolerance >= 0) || isinf(s->tolerance))
        snprintf(reason, capacity, "tolerance = %g: must be 0, for none, or above", s->tolerance);
    else if (!(s->quantile > 0 && s->quantile <= 1))
        snprintf(reason, capacity, "quantile = %g: must be above 0 and at most 1", s->quantile);
    else if (!(s->damping > 0 && s->damping <= 1))
        snprintf(reason, capacity, "damping = %g: must be above 0 and at most 1", s->damping);
    else if (s->patience < 0 || s->patience > ITERATIONS_MAX)
        snprintf(reason, capacity, "patience = %" PRId64 ": must be between 0, for never, and %d", s->patience, ITERATIONS_MAX);
    else if (s->patience > 0 && !(s->damping_factor > 0 && s->damping_factor <= 1))
        snprintf(reason, capacity, "damping_factor = %g: must be above 0 and at most 1", s->damping_factor);
    else
        return true;
    return false;
}

bool settings_check(const struct settings *settings, bool iterates, size_t capacity, char *reason)
{
    if (!common_check(settings, capacity, reason))
        return false;
    for (int i = 0; i < settings->n_options; i++)
        if (!terminated(&settings->option[i])) {
            snprintf(reason, capacity, "option %d is not terminated", i);
            return false;
        }
    return !iterates || iteration_check(settings, capacity, reason);
}

bool environment_check(const struct environment *environment, size_t capacity, char *reason)
{
    if (environment->threads >= 1 && environment->threads <= THREADS_MAX)
        return true;
    snprintf(reason, capacity, "threads = %d: must be between 1 and %d", environment->threads, THREADS_MAX);
    return false;
}
