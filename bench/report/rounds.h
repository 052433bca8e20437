/* The values of a point from those of its rounds. */
#ifndef BENCH_REPORT_ROUNDS_H
#define BENCH_REPORT_ROUNDS_H

#include "bench/journal/records.h"

struct rounds {
    const struct record *const *record; /* ascending */
    size_t n;
    double *value;   /* room for a figure of each; of outliers too */
    double clock[2]; /* the least and the most of their additions */
};

/* Replaces the figures of the round that stands for all by those of the rounds together, as the schema says of each column
 * (bench/journal/schema.h). agree: all have the same result; without that there is no speed. Lists that are set lie in rounds. */
void rounds_take_figures(struct rounds *rounds, bool agree, const struct record *base, struct unpacked *merged);

#endif
