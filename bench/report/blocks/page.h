/* A markdown page with blocks (block.h): read, and written with their current content. */
#ifndef BENCH_REPORT_BLOCKS_PAGE_H
#define BENCH_REPORT_BLOCKS_PAGE_H

#include "bench/report/blocks/block.h"

#include <stdio.h>

/* What writes a block; context is the caller's own. */
typedef bool block_writer(FILE *out, const struct block *block, void *context, struct error *error);

/* Copies a page to out; between the request of each block and its end stands what write() gives. file: its name, for messages.
 * *stale: the line of the first block whose text was another, or 0; *n: how many blocks there are. Fences of code are left alone. */
bool block_page(const char *file, const char *text, const struct vocabulary *vocabulary, block_writer *write, void *context,
                FILE *out, int *stale, int *n, struct error *error);

#endif
