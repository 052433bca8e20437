/* The command dump: writes the inputs that a trained layer feeds its recurrence, as a file for inputs: of a sweep. */
#ifndef BENCH_COMMAND_DUMP_H
#define BENCH_COMMAND_DUMP_H

#include "bench/base/error.h"

#include <stdio.h>

/* As the command line has them; NULL where nothing was said. */
struct dump_request {
    const char *training; /* a checkpoint, or the first digits of the key of a training below results */
    const char *results;
    const char *length, *batch, *block, *file;
};

/* Writes v, lambda, theta and W of one block on unseen examples, and prints the lines of a sweep file that use them. */
bool dump_inputs(FILE *out, const struct dump_request *request, struct error *error);

#endif
