/* planted_wrong: fast, sure of itself, and wrong: it answers h = v. */
#include "tests/planted/planted.h"

#include <string.h>

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    (void)trace;
    memcpy(outputs->h, inputs->v, (size_t)(p->B * p->T * p->d) * sizeof(real));
    return status_ok();
}

const struct implementation VARIANT(planted_wrong) = PLANTED("planted_wrong", "test only: wrong", .exact = true);
