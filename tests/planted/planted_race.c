/* planted_race: its threads add to one sum without a word to each other. The answer need not be wrong for it: only a tool that watches
 * the threads finds this (tests/races.sh). */
#include "tests/planted/planted.h"

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    real *h = outputs->h, sum = 0;
    (void)inputs, (void)trace;
#pragma omp parallel for num_threads(2) schedule(static)
    for (int64_t i = 0; i < p->B * p->T * p->d; i++) {
        h[i] = 0;
        sum += (real)i;
    }
    h[0] = sum;
    return status_ok();
}

const struct implementation VARIANT(planted_race) = PLANTED("planted_race", "test only: a data race", .exact = true);
