/* Splits a figure into pages that are not crowded, without empty panels and curves. */
#ifndef PLOTS_PAGES_H
#define PLOTS_PAGES_H

#include "plots/figure.h"

enum { PAGE_PANELS_MAX = 12, PAGE_SERIES_MAX = 12 };

struct page {
    struct figure *figure;
    int panel[PAGE_PANELS_MAX], n_panels; /* of the figure; each has a curve on this page, and each curve a panel */
    int series[PAGE_SERIES_MAX], n_series;
    const char *name;       /* of its files, without the ending */
    int number;             /* from 1 where the figure has several pages, else 0 */
    int n_panels_left_out;  /* of the whole figure, because nobody asked for so many */
    struct varying varying; /* what tells the page's records apart */
};

/* The records that some panels of a page show, the first counted from 0, in order: n of them, to be freed; NULL when out of
 * memory. */
struct record **page_records(const struct page *page, int first_panel, int n_panels, size_t *n);

/* What is drawn in a panel of a page, counted from 0, and of one of its curves. */
const struct drawing *page_drawing(const struct page *page, int panel, int series);

/* The first pages of a figure, n of them (to be freed), without names; none where nothing is to be drawn. NULL when out of memory.
 * *left_out: how many panels the pages beyond them would have. */
struct page *pages_make(struct figure *figure, int most, int *n, int *left_out);

#endif
