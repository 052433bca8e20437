/* planted_off: right, but for a factor of 1.001. */
#include "tests/planted/planted.h"

extern const struct implementation VARIANT(structured_sequential);

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    const struct environment environment = {.threads = 1};
    const struct settings settings = {.l_max = 1};
    struct plan *inner;
    struct status status = VARIANT(structured_sequential).plan(p, &settings, &environment, &inner);
    if (status.code == STATUS_OK)
        status = VARIANT(structured_sequential).forward(inner, inputs, outputs, trace);
    VARIANT(structured_sequential).destroy(inner);
    for (int64_t i = 0; i < p->B * p->T * p->d; i++)
        ((real *)outputs->h)[i] *= (real)1.001;
    return status;
}

const struct implementation VARIANT(planted_off) = PLANTED("planted_off", "test only: off by a thousandth", .exact = true);
