/* One point of an earlier run once more, by itself: to look at what it does, or to see it fail under a debugger or a profiler. */
#ifndef BENCH_COMMAND_SINGLE_H
#define BENCH_COMMAND_SINGLE_H

#include "bench/base/error.h"

#include <stdio.h>

/* Finds the point whose key begins with these digits in the journals below results, and measures one round of it, within the limits it
 * had; prints what it found, in full, on out. Nothing is written. *failed: the result is one that ends a run with status 1.
 *
 * wrapper (NULL-terminated words, or NULL): becomes that program instead, with the worker's command line after its own, and returns
 * only if it cannot be started. */
bool single_run(const char *results, const char *key, const char *program, char *const wrapper[], FILE *out, bool *failed,
                struct error *error);

#endif
