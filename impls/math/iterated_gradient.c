/* See iterated_gradient.h. */
#include "impls/math/iterated_gradient.h"

#include "impls/contract/support.h"
#include "impls/math/adjoint.h"
#include "impls/math/finite.h"
#include "impls/math/residual.h"

#include <stdlib.h>

/* Reals of iterates, s, adjoint, token, and row, whose doubles take two floats each. */
enum { ARRAYS = 5 };
static void sizes(const struct problem *p, const struct settings *settings, int64_t size[ARRAYS])
{
    int64_t tokens = p->B * p->T, n = tokens * p->d;
    bool exact = settings->gradient == GRADIENT_EXACT;
    size[0] = exact ? n : settings->gradient_steps * n;
    size[1] = n;
    size[2] = exact || settings->gradient_steps > 1 ? n : 0;
    size[3] = exact ? tokens : 0;
    size[4] = exact ? p->B * (int64_t)(sizeof(double) / sizeof(real)) : 0;
}

double iterated_gradient_own_reals(const struct problem *p, const struct settings *settings)
{
    int64_t size[ARRAYS];
    double sum = 0;
    if (settings->gradient == GRADIENT_NONE)
        return 0;
    sizes(p, settings, size);
    for (int i = 0; i < ARRAYS; i++)
        sum += (double)size[i];
    return sum;
}

double iterated_gradient_reals(const struct problem *p, const struct settings *settings, int threads)
{
    return settings->gradient == GRADIENT_NONE ? 0 : iterated_gradient_own_reals(p, settings) + map_gradient_reals(p, threads);
}

bool iterated_gradient_open_for(const struct linear_mapping *linear, const struct settings *settings, struct iterated_gradient *g)
{
    int64_t size[ARRAYS];
    *g = (struct iterated_gradient){.settings = *settings, .linear = *linear};
    if (settings->gradient == GRADIENT_NONE)
        return true;
    sizes(linear->problem, settings, size);
    g->iterates = memory_allocate(size[0], sizeof(real));
    g->s = memory_allocate(size[1], sizeof(real));
    g->adjoint = memory_allocate(size[2], sizeof(real));
    g->token = memory_allocate(size[3], sizeof(real));
    g->row = memory_allocate(size[4], sizeof(real));
    if (g->iterates != NULL && g->s != NULL && g->adjoint != NULL && g->token != NULL && g->row != NULL)
        return true;
    iterated_gradient_close(g);
    return false;
}

bool iterated_gradient_open(const struct map *map, const struct settings *settings, struct iterated_gradient *g)
{
    const struct linear_mapping linear = map_gradient_mapping(map, &g->map);
    if (!iterated_gradient_open_for(&linear, settings, g))
        return false;
    if (settings->gradient == GRADIENT_NONE || map_gradient_open(map, &g->map))
        return true;
    iterated_gradient_close(g);
    return false;
}

void iterated_gradient_close(struct iterated_gradient *g)
{
    map_gradient_close(&g->map);
    free(g->iterates);
    free(g->s);
    free(g->adjoint);
    free(g->token);
    free(g->row);
    *g = (struct iterated_gradient){0};
}

static struct status run_steps(const struct iterated_gradient *g, const struct inputs *inputs, const struct outputs *outputs,
                               const struct outputs *grad_outputs, const struct gradients *gradients)
{
    const struct linear_mapping *linear = &g->linear;
    const struct problem *p = linear->problem;
    int64_t n = g->settings.gradient_steps, size = p->B * p->T * p->d;
    const real *h = outputs->h;
    for (int64_t k = 1; k <= n; k++) { /* the parameters of the last point stay */
        real *next = g->iterates + (k - 1) * size;
        linear->at(linear->map, inputs, h, next);
        h = next;
    }
    real *s = g->s, *adjoint = g->adjoint;
    adjoint_set(p, grad_outputs, linear->threads, s);
    for (int64_t k = n; k >= 1; k--) {
        const real *next = g->iterates + (k - 1) * size;
        h = k > 1 ? next - size : outputs->h;
        if (k < n)
            linear->at(linear->map, inputs, h, NULL);
        linear->transpose(linear->map, inputs, h, next, s, k == n ? grad_outputs->final : NULL, s, gradients,
                          k<n, k> 1 ? adjoint : NULL);
        real *swap = s;
        s = adjoint;
        adjoint = swap;
    }
    return status_ok();
}

static struct status run_exact(const struct iterated_gradient *g, const struct inputs *inputs, const struct outputs *outputs,
                               const struct outputs *grad_outputs, const struct gradients *gradients)
{
    const struct linear_mapping *linear = &g->linear;
    const struct problem *p = linear->problem;
    const struct gradients nothing = {0};
    const real *h = outputs->h, *final = grad_outputs->final;
    int64_t wanted = residual_wanted(p, &g->settings), converged = 0, l = 0;
    real *adjoint = g->adjoint, *next = g->iterates;
    linear->at(linear->map, inputs, h, NULL);
    adjoint_set(p, grad_outputs, linear->threads, adjoint);
    struct status status = status_ok();
    for (; l < g->settings.l_max && converged < wanted && status.code == STATUS_OK; l++) {
        linear->transpose(linear->map, inputs, h, h, adjoint, final, g->s, &nothing, false, next);
        adjoint_add(p, grad_outputs, linear->threads, next);
        status = finite_adjoint(p, next);
        if (status.code == STATUS_OK && g->settings.tolerance > 0) {
            residual_measure(p, linear->threads, adjoint, next, g->token, g->row);
            converged = 0;
            for (int64_t b = 0; b < p->B; b++)
                converged += g->row[b] < g->settings.tolerance;
        }
        real *swap = adjoint;
        adjoint = next;
        next = swap;
    }
    linear->transpose(linear->map, inputs, h, h, adjoint, final, g->s, gradients, false, NULL);
    if (status.code == STATUS_OK && g->settings.tolerance > 0 && converged < wanted)
        return status_at(STATUS_NOT_CONVERGED, -1, -1,
                         "the adjoints of %lld of %lld sequences below the tolerance after %lld iterations", (long long)converged,
                         (long long)p->B, (long long)l);
    return status;
}

struct status iterated_gradient_run(const struct iterated_gradient *g, const struct inputs *inputs, const struct outputs *outputs,
                                    const struct outputs *grad_outputs, const struct gradients *gradients)
{
    bool planned = g->settings.gradient != GRADIENT_NONE;
    struct status given = backward_check(planned ? g->linear.problem : NULL, planned, inputs, outputs, grad_outputs, gradients);
    if (given.code != STATUS_OK)
        return given;
    g->linear.begin(g->linear.map, inputs);
    return (g->settings.gradient == GRADIENT_EXACT ? run_exact : run_steps)(g, inputs, outputs, grad_outputs, gradients);
}
