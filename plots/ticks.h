/* Where the x axis of a page has ticks: at the values that were measured while they are few, never so close that texts overlap. */
#ifndef PLOTS_TICKS_H
#define PLOTS_TICKS_H

#include "plots/pages.h"

enum { TICKS_MAX = 64 };

struct tick {
    double at;
    char text[24];
};

/* The ticks of a page's x axis from low to high, with the place for an x of 0, or NaN; how many. 0 where the axis counts for
 * itself. */
int ticks_make(const struct page *page, struct record *const *record, size_t n, double low, double high, double edge,
               struct tick tick[TICKS_MAX]);

#endif
