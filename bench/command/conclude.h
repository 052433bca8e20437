/* What a run ends with: table, summary, comparison and plots, made from its folder alone. */
#ifndef BENCH_COMMAND_CONCLUDE_H
#define BENCH_COMMAND_CONCLUDE_H

#include "bench/sweep/sweep.h"

#include <stdio.h>

/* Prints the short table and the results, writes table.csv, comparison.md and plots/ into the folder, and says where everything is. What was measured
 * is said before anything that can still fail. */
bool conclude(const struct sweep *sweep, const char *folder, FILE *out, struct error *error);

/* The same once more for a folder that a run left behind; nothing is measured. */
bool conclude_again(const char *folder, FILE *out, struct error *error);

#endif
