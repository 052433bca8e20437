/* What implementations on a CUDA device would take on paper: what they are counted to move and to compute, over the peaks of cards; and
 * beside it what they take, where there is a device. */
#ifndef BENCH_COMMAND_PREDICT_H
#define BENCH_COMMAND_PREDICT_H

#include "bench/base/error.h"

#include <stdio.h>

/* One row for each point of a sweep that a device computes: forward passes of a fixed number of iterations, or of an exact
 * implementation. program measures those that are supported here, each as a round of its own. */
bool predict_print(FILE *out, const char *program, const char *cards_path, const char *sweep_path, struct error *error);

#endif
