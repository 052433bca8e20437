/* planted_off: right, but for a factor of 1.001. */
#include "tests/planted/planted.h"

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    struct status status = answer(plan, inputs, outputs, trace);
    for (int64_t i = 0; i < p->B * p->T * p->d; i++)
        ((real *)outputs->h)[i] *= (real)1.001;
    return status;
}

const struct implementation VARIANT(planted_off) = PLANTED("planted_off", "test only: off by a thousandth", .exact = true);
