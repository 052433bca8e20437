/* Expands products of choices into points: every combination, made canonical, unless it is skipped or a duplicate. */
#ifndef BENCH_SWEEP_EXPAND_H
#define BENCH_SWEEP_EXPAND_H

#include "bench/sweep/choice.h"
#include "bench/sweep/sweep.h"

struct product {
    struct choice choice[FIELD_COUNT]; /* every one with at least one value */
    const struct filter *skip;
    int n_skip;
    struct location mark;                   /* where a combination that means nothing is reported ... */
    struct location section[SECTION_COUNT]; /* ... or at its section, where the file has that (line 0: it does not) */
};

/* Fills the points and counts of the sweep. The combinations are counted before anything is allocated. */
bool sweep_expand(const struct product *product, int n, bool many, struct sweep *sweep, struct error *error);

#endif
