/* The command machine --predict: GPU times from counted bytes and operations over data-sheet peaks, beside measured times where
 * there is a device. */
#ifndef BENCH_COMMAND_PREDICT_H
#define BENCH_COMMAND_PREDICT_H

#include "bench/base/error.h"

#include <stdio.h>

/* One row per point of a sweep that runs on a device: forward passes of a fixed number of iterations or of an exact
 * implementation. program measures the points that are supported here, each as one round. */
bool predict_print(FILE *out, const char *program, const char *cards_path, const char *sweep_path, struct error *error);

#endif
