/* The end of a run: table, summary, comparison and plots, made from its folder alone. */
#ifndef BENCH_COMMAND_CONCLUDE_H
#define BENCH_COMMAND_CONCLUDE_H

#include "bench/sweep/sweep.h"

#include <stdio.h>

/* Prints the short table and the results, writes table.csv, table.txt, comparison.md and plots/ into the folder, and prints
 * where everything is. Results are printed before anything that can still fail. */
bool conclude(const struct sweep *sweep, const char *folder, FILE *out, struct error *error);

/* The same for a folder of an earlier run; nothing is measured. */
bool conclude_again(const char *folder, FILE *out, struct error *error);

#endif
