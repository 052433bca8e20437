/* Conditions on points, as in skip: and where: {FIELD: value or list, ...}. */
#ifndef BENCH_SWEEP_FILTER_H
#define BENCH_SWEEP_FILTER_H

#include "bench/sweep/choice.h"
#include "bench/sweep/sweep.h"

/* what: "an entry of skip" or "where", for messages. */
bool filter_read(const struct source *source, const struct node *node, const char *what, struct filter *filter);

#endif
