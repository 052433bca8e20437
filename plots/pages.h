/* As many pages as it takes for none to be crowded, without panels and curves that have nothing to show. */
#ifndef PLOTS_PAGES_H
#define PLOTS_PAGES_H

#include "plots/page.h"

/* The pages of a figure, n of them (to be freed), without names; none where nothing is to be drawn. NULL when out of memory. */
struct page *pages_make(const struct figure *figure, int *n);

#endif
