/* One page of a figure, written as the data file that its script reads: blocks of tab-separated rows, two empty lines
 * between blocks. Block 0 is the page (title, labels, ranges, names of panels and curves), block 1 the texts among the curves, and
 * block 2 + panel * (number of curves) + curve the rows of a curve; a kind with the limits of the machine has a block of their lines
 * for each panel after these. */
#ifndef PLOTS_PAGE_H
#define PLOTS_PAGE_H

#include "plots/pages.h"

/* Writes the data file's text (to be freed). */
bool page_text(const struct page *page, char **text, size_t *length, struct error *error);

#endif
