/* comparison.md: what the paper reports, what this run measured, and what differs; from the merged records alone. */
#ifndef BENCH_REPORT_COMPARISON_H
#define BENCH_REPORT_COMPARISON_H

#include "bench/journal/records.h"
#include "bench/sweep/sweep.h"

#include <stdio.h>

/* One table row in Markdown per claim of the sweep. Points that differ in more than their seeds are named. Several seeds: median
 * and range; one seed: its own spread; failures by their results; "not measured" without a record. False when out of memory. */
bool comparison_print(FILE *out, const struct sweep *sweep, const struct records *records);

/* Writes it, or removes an old one if the sweep has no claims. */
bool comparison_write(const struct sweep *sweep, const struct records *records, const char *path, struct error *error);

#endif
