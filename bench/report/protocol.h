/* How a sweep differs from its scales that are not in force, such as the setting of the paper. */
#ifndef BENCH_REPORT_PROTOCOL_H
#define BENCH_REPORT_PROTOCOL_H

#include "bench/sweep/sweep.h"

#include <stdio.h>

/* For each of these scales a table in Markdown: the fields that it would change, with the values of the sweep and of the scale.
 * Nothing where they agree. False when out of memory. */
bool protocol_print(FILE *out, const struct sweep *sweep);

#endif
