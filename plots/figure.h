/* What one request draws: the records it selects, told apart into panels and curves. */
#ifndef PLOTS_FIGURE_H
#define PLOTS_FIGURE_H

#include "bench/sweep.h"
#include "plots/groups.h"
#include "plots/kinds.h"

struct figure {
    const struct plot_kind *kind;
    const char *sweep_name;
    char name[SWEEP_NAME_MAX + 32]; /* of its files: the request's, or that of the kind and x */
    bool named;                     /* the request chose a name of its own */
    int x;                          /* field on the x axis, or -1 where that is no choice */
    struct record **record;         /* those selected, in order */
    size_t n;
    struct grouping panels, series;
    int n_left_out; /* panels without a second x while others have one */
};

/* False when out of memory, or when the request names what the kind does not have. A figure may come out with no record. */
bool figure_make(const struct sweep *sweep, const struct plot_request *request, const struct records *records,
                 struct figure *figure, struct error *error);
void figure_free(struct figure *figure);

#endif
