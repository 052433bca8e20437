/* planted_solver: stops at once and claims to have converged. */
#include "tests/planted/planted.h"

#include <string.h>

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    memcpy(outputs->h, inputs->v, (size_t)(p->B * p->T * p->d) * sizeof(real));
    if (trace != NULL) {
        trace->l_run = 1;
        trace->n_kept = 0;
        for (int64_t b = 0; trace->l != NULL && b < p->B; b++)
            trace->l[b] = 1;
    }
    return status_ok();
}

const struct implementation VARIANT(planted_solver) = PLANTED("planted_solver", "test only: a solver that does not solve",
                                                              .solver = true);
