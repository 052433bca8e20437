/* planted_untraced: right whenever somebody looks, that is with a trace; without one off by a thousandth. */
#include "tests/planted/planted.h"

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    struct status status = answer(plan, inputs, outputs, trace);
    for (int64_t i = 0; trace == NULL && i < p->B * p->T * p->d; i++)
        ((real *)outputs->h)[i] *= (real)1.001;
    return status;
}

const struct implementation VARIANT(planted_untraced) = PLANTED("planted_untraced", "test only: right where it is looked at",
                                                                .exact = true);
