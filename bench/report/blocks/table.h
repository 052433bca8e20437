/* A block with a table of values or of counts. */
#ifndef BENCH_REPORT_BLOCKS_TABLE_H
#define BENCH_REPORT_BLOCKS_TABLE_H

#include "bench/report/blocks/block.h"

#include <stdio.h>

bool block_print_table(FILE *out, const struct block *block, const struct block_data *data, const char *home, struct error *error);

#endif
