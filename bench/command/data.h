/* What the command data prints: examples of a task. */
#ifndef BENCH_COMMAND_DATA_H
#define BENCH_COMMAND_DATA_H

#include "bench/base/error.h"

#include <stdio.h>

/* As the command line has them; NULL where nothing was said. */
struct data_request {
    const char *task, *length, *samples, *seed, *format;
};

/* Writes examples 0, 1, ... of a seed, one a line, as they are drawn: however many there are, they take no memory.
 * tokens: "2 0 1<TAB>2 . 0", tokens and targets, '.' where nothing is asked.
 * csv: "seed,input,target" and then "1,2 0 1,2 2 0", the columns of the word-problem files that others use; only of tasks that ask at
 * every position.
 * A reader that goes away, such as head, is no error. */
bool data_print(FILE *out, const struct data_request *request, struct error *error);

#endif
