/* The command data: prints examples of a task. */
#ifndef BENCH_COMMAND_DATA_H
#define BENCH_COMMAND_DATA_H

#include "bench/base/error.h"

#include <stdio.h>

/* As the command line has them; NULL where nothing was said. */
struct data_request {
    const char *task, *length, *samples, *seed, *format;
};

/* Writes examples 0, 1, ... of a seed, one per line, in constant memory.
 * tokens: "2 0 1<TAB>2 . 0", tokens and targets, '.' at unscored positions.
 * csv: "seed,input,target", then "1,2 0 1,2 2 0", the columns of common word-problem files; only for tasks with a target at
 * every position.
 * A reader that closes its end, such as head, is not an error. */
bool data_print(FILE *out, const struct data_request *request, struct error *error);

#endif
