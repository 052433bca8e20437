/* See finite.h. */
#include "impls/math/finite.h"

#include "impls/contract/support.h"
#include "impls/math/residual.h"

#include <string.h>

struct status finite_status(const struct problem *p, const real *h)
{
    int64_t T = p->T, d = p->d;
    for (int64_t b = 0; b < p->B; b++) {
        int64_t t = final_is_output(p) && row_finite(h + (b * T + T - 1) * d, d) ? T : 0;
        while (t < T && row_finite(h + (b * T + t) * d, d))
            t++;
        if (t < T)
            return status_at(STATUS_DIVERGED, b, t, "the %s is not finite", final_is_output(p) ? "state" : "output");
    }
    return status_ok();
}

struct status finite_adjoint(const struct problem *p, const real *adjoint)
{
    int64_t T = p->T, d = p->d;
    for (int64_t b = 0; b < p->B; b++) {
        int64_t t = T - 1;
        while (t >= 0 && row_finite(adjoint + (b * T + t) * d, d))
            t--;
        if (t >= 0)
            return status_at(STATUS_DIVERGED, b, t, "the adjoint is not finite");
    }
    return status_ok();
}

struct status outputs_finish(const struct problem *p, const struct outputs *outputs)
{
    const real *h = outputs->h;
    real *final = final_is_output(p) ? outputs->final : NULL;
    size_t row = (size_t)p->d * sizeof(real);
    for (int64_t b = 0; final != NULL && b < p->B; b++)
        memcpy(final + b * p->d, h + (b * p->T + p->T - 1) * p->d, row);
    return finite_status(p, h);
}

struct status singular_status(const struct problem *p, int64_t place)
{
    return status_at(STATUS_SINGULAR, place / p->T, place % p->T, "the %s matrix of this step is singular",
                     p->form == FORM_NORMALISED ? "I - G (I - Q)" : "Q");
}

struct status exact_finish(const struct problem *p, const struct outputs *outputs, struct trace *trace, int64_t place)
{
    struct status status = outputs_finish(p, outputs);
    if (trace != NULL)
        trace_exact(p, trace);
    return place < p->B * p->T ? singular_status(p, place) : status;
}

struct status iterates_finish(const struct problem *p, const struct settings *settings, const struct outputs *outputs,
                              struct trace *trace, struct status status, int64_t l, int64_t converged)
{
    if (trace != NULL) {
        trace->l_run = l;
        trace->applications = (double)l;
    }
    struct status last = outputs_finish(p, outputs);
    if (status.code == STATUS_OK)
        status = last;
    if (status.code == STATUS_OK && settings->tolerance > 0 && converged < residual_wanted(p, settings))
        return status_not_converged(p, converged, l);
    return status;
}
