/* The machine limits on a page: a slanted line for each cache and for memory, a horizontal one for multiply-adds. */
#ifndef PLOTS_PAGE_ROOFS_H
#define PLOTS_PAGE_ROOFS_H

#include "plots/pages.h"

#include <stdio.h>

/* The lines of each panel of a page (to be freed), none where the machine was not measured; *notes gets what must be said of them.
 * NULL when out of memory. */
struct roof_lines *page_roofs_make(const struct page *page, unsigned *notes);

/* The right end of the lines of a panel: where even the slowest memory reaches the ceiling. NaN without lines. */
double roof_lines_reach(const struct roof_lines *lines);

/* The lowest line at x, in GFLOP/s. NaN without lines. */
double roof_lines_lowest(const struct roof_lines *lines, double x);

/* Writes the rows of block 1 that name the lines of a panel. */
void page_roofs_texts(FILE *out, const struct roof_lines *lines, int panel, double x_high);

/* Writes the block of a panel's lines, from x_low to x_high; one row of NaN where there are none. */
void page_roofs_block(FILE *out, const struct roof_lines *lines, double x_low, double x_high);

#endif
