/* The section paper: of a sweep file: what the paper reports, and where to find it in this run. */
#ifndef BENCH_SWEEP_CLAIMS_H
#define BENCH_SWEEP_CLAIMS_H

#include "bench/sweep/choice.h"
#include "bench/sweep/sweep.h"

bool claims_read(const struct source *source, const struct node *node, struct sweep *sweep);

#endif
