/* planted_zero: does nothing, and says so: its answer is the zeroth iterate, whatever was asked for. */
#include "tests/planted/planted.h"

#include <string.h>

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    (void)inputs;
    memset(outputs->h, 0, (size_t)(p->B * p->T * p->d) * sizeof(real));
    if (trace != NULL)
        trace->l_run = trace->n_kept = 0;
    return status_ok();
}

const struct implementation VARIANT(planted_zero) = PLANTED("planted_zero", "test only: does nothing", .exact = false);
