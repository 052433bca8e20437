/* comparison.md: what the paper reports, what was found here, and what differs in how; from the merged records alone. */
#ifndef BENCH_REPORT_COMPARISON_H
#define BENCH_REPORT_COMPARISON_H

#include "bench/journal/records.h"
#include "bench/sweep/sweep.h"

#include <stdio.h>

/* One row of a table in Markdown for every claim of the sweep. Where conditions keep points that differ in more than their seeds, each of
 * them is named. Over several seeds: median and range; of one: its own spread; failures by their results; "not measured" where
 * there is no record. False when out of memory. */
bool comparison_print(FILE *out, const struct sweep *sweep, const struct records *records);

/* Writes it, or removes an old one where the sweep has nothing to compare with. */
bool comparison_write(const struct sweep *sweep, const struct records *records, const char *path, struct error *error);

#endif
