/* The values of a point from those of its rounds. */
#ifndef BENCH_REPORT_ROUNDS_H
#define BENCH_REPORT_ROUNDS_H

#include "bench/journal/records.h"

struct rounds {
    const struct record *record; /* ascending */
    size_t n;
    double *value; /* room for a figure of each */
};

/* Sets a figure of a record whose object is there; where there is none, there is nothing to say. The value belongs to the record
 * then. False when out of memory. */
bool rounds_set(json_t *record, const char *path, json_t *value);

/* Replaces the figures of the round that stands for all by those of the rounds together, as the schema says of each column
 * (bench/journal/schema.h). agree: all have the same result; without that there is no speed. False when out of memory. */
bool rounds_take_figures(const struct rounds *rounds, bool agree, const struct record *base, json_t *merged);

#endif
