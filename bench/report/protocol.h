/* How what a sweep measures differs from its own scales, those that are not in force: such as the paper's settings. */
#ifndef BENCH_REPORT_PROTOCOL_H
#define BENCH_REPORT_PROTOCOL_H

#include "bench/sweep/sweep.h"

#include <stdio.h>

/* Of each of these scales a table in Markdown: the fields that it would change, with the values that the points of the sweep have, and
 * with its own. Nothing where there is no difference. False when out of memory. */
bool protocol_print(FILE *out, const struct sweep *sweep);

#endif
