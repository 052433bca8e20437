/* The paragraph below a block's table. */
#ifndef BENCH_REPORT_BLOCKS_CAPTION_H
#define BENCH_REPORT_BLOCKS_CAPTION_H

#include "bench/report/blocks/cells.h"

#include <stdio.h>

/* Source folder, dates, what all points share, what brackets mean, warnings. False: out of memory. */
bool block_caption(FILE *out, const struct block *block, struct record *const *record, size_t n, const struct block_notes *notes,
                   const char *home);

#endif
