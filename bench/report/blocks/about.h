/* A block that says when and on which machine folders were measured. */
#ifndef BENCH_REPORT_BLOCKS_ABOUT_H
#define BENCH_REPORT_BLOCKS_ABOUT_H

#include "bench/report/blocks/block.h"

#include <stdio.h>

bool block_print_about(FILE *out, const struct block *block, struct block_data *const data[], const char *home,
                       struct error *error);

#endif
