/* Letters at the edges of a page, for points without a value: one per curve in its colour while there are few at a place, else
 * counted, "12 U". */
#ifndef PLOTS_LETTERS_H
#define PLOTS_LETTERS_H

#include "plots/pages.h"

enum { LETTERS_STACK_MAX = 4 };

struct letters {
    int panel, series; /* of the page; series -1: of several curves */
    double x;          /* NaN where it has no place along the axis */
    int slot;          /* from the edge, below LETTERS_STACK_MAX */
    char text[64];
};

/* The letters of a page, n of them (to be freed), and how many slots are in use. NULL when out of memory. */
struct letters *letters_make(const struct page *page, size_t *n, int *n_slots);

#endif
