/* One page of a figure, written as the data file that its script reads: blocks of tab-separated rows, two empty lines between
 * blocks. Block 0 is the page (title, labels, ranges, names of panels and curves), block 1 the texts among the curves, and block
 * 2 + panel * (number of curves) + curve the rows of a curve. */
#ifndef PLOTS_PAGE_H
#define PLOTS_PAGE_H

#include "plots/figure.h"

enum { PAGE_PANELS_MAX = 12, PAGE_SERIES_MAX = 12 };

struct page {
    const struct figure *figure;
    int first_panel, n_panels, first_series, n_series;
    const char *name; /* of its files, without the ending */
    int number;       /* from 1 where the figure has several pages, else 0 */
};

/* Writes the data file's text (to be freed) and says whether the page has anything to show. */
bool page_text(const struct page *page, char **text, size_t *length, bool *empty, struct error *error);

#endif
