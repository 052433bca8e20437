/* Prints the content of a block (block.h). */
#ifndef BENCH_REPORT_BLOCKS_PRINT_H
#define BENCH_REPORT_BLOCKS_PRINT_H

#include "bench/report/blocks/block.h"

#include <stdio.h>

/* data: of each of its folders. home: from the folder of the page to that which folders are relative to: "" or "../../". */
bool block_print(FILE *out, const struct block *block, struct block_data *const data[], const char *home, struct error *error);

#endif
