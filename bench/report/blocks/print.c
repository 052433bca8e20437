/* See print.h. */
#include "bench/report/blocks/print.h"

#include "bench/report/blocks/about.h"
#include "bench/report/blocks/table.h"

bool block_print(FILE *out, const struct block *block, struct block_data *const data[], const char *home, struct error *error)
{
    return block->kind == BLOCK_ABOUT ? block_print_about(out, block, data, home, error)
                                      : block_print_table(out, block, data[0], home, error);
}
