/* GPUs and their data-sheet peaks, bench/machine/cards.yaml: for predictions. */
#ifndef BENCH_MACHINE_CARDS_H
#define BENCH_MACHINE_CARDS_H

#include "bench/base/error.h"
#include "bench/base/pool.h"

enum { CARDS_MAX = 8 };

struct card {
    const char *name, *source; /* of the figures; texts of the pool */
    double bandwidth, rate;    /* bytes, and float32 operations, a second */
};

struct cards {
    struct card card[CARDS_MAX];
    int n;
    struct pool *memory;
};

/* Every failure is a sentence "FILE:LINE:COLUMN: what was wrong, what was expected". */
bool cards_read(const char *path, struct cards *cards, struct error *error);
void cards_free(struct cards *cards);

#endif
