/* The command blocks: updates the blocks of markdown pages (bench/report/blocks/block.h), or checks that they are up to date. */
#ifndef BENCH_COMMAND_BLOCKS_H
#define BENCH_COMMAND_BLOCKS_H

#include "bench/base/error.h"

#include <stdbool.h>
#include <stdio.h>

/* pages: file names, NULL-terminated; folders in blocks are relative to root. check: writes nothing; *stale says whether a block
 * is stale. */
bool blocks_run(FILE *out, const char *root, char *const pages[], bool check, bool *stale, struct error *error);

#endif
