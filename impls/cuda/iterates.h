/* What is seen of whole iterates, where one is made after the other. */
#ifndef IMPLS_CUDA_ITERATES_H
#define IMPLS_CUDA_ITERATES_H

#include "impls/cuda/residual.h"

struct progress {
    int64_t l, converged; /* iterates made; sequences of the last that have converged */
    struct status status; /* of the last iterate; all ends where it is not ok */
};

static inline bool progress_goes_on(const struct session *s, const struct progress *progress)
{
    return progress->l < s->settings.l_max && progress->converged < residuals_wanted(&s->problem, &s->settings) &&
           progress->status.code == STATUS_OK;
}

/* The residuals of next, iterate number progress->l, of h before it: into r->row_host, infinite where there is none; into the trace
 * (NULL), and counted. Waits for the device. */
static inline struct status progress_judge(struct session *s, struct residuals *r, const float *h, const float *next,
                                           struct trace *trace, struct progress *progress)
{
    const struct problem *p = &s->problem;
    double *copy = trace != NULL && trace->residual != NULL ? trace->residual + (progress->l - 1) * p->B : NULL;
    bool finite;
    TRY(residuals_measure(p, r, h, next, &finite));
    if (!finite && progress->status.code == STATUS_OK)
        progress->status = session_finite(s, next, false);
    for (int64_t b = 0; b < p->B && progress->status.code != STATUS_OK; b++)
        r->row_host[b] = INFINITY;
    progress->converged = residuals_count(p, r, s->settings.tolerance, progress->l, trace != NULL ? trace->l : NULL, copy);
    return status_ok();
}

#endif
