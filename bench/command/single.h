/* One point of an earlier run by itself: to inspect it, or to run it under a debugger or profiler. */
#ifndef BENCH_COMMAND_SINGLE_H
#define BENCH_COMMAND_SINGLE_H

#include "bench/base/error.h"

#include <stdio.h>

/* Finds the point whose key begins with these digits in the journals below results, measures one round of it within its earlier
 * limits, and prints the record on out. Nothing is written. *failed: the result is one that ends a run with status 1.
 *
 * wrapper (NULL-terminated words, or NULL): replaces this process by that program, with the command line of the worker after its
 * own; returns only if it cannot be started. */
bool single_run(const char *results, const char *key, const char *program, char *const wrapper[], FILE *out, bool *failed,
                struct error *error);

#endif
