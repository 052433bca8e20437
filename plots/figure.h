/* One figure: the records that a request selects, grouped into panels and curves, and their data. */
#ifndef PLOTS_FIGURE_H
#define PLOTS_FIGURE_H

#include "bench/report/groups.h"
#include "bench/sweep/sweep.h"
#include "plots/drawing.h"
#include "plots/kinds.h"
#include "plots/machine_limits.h"

/* What is drawn in one panel: of the series that have a curve there, ascending. */
struct panel {
    bool drawn; /* figure_draw() was here */
    int n, *series;
    struct drawing *drawing;
};

struct figure {
    const struct plot_kind *kind;
    const char *sweep_name;
    char name[SWEEP_NAME_MAX + 32]; /* of its files: the request's, or that of the kind and x */
    int x;                          /* field on the x axis, or -1 where that is no choice */
    int along;                      /* field that varies along a curve where x is no choice, or -1 */
    bool x_varies;                  /* false: whatever the x axis shows of the points is a single value */
    struct record **record;         /* those that are drawn, in order */
    size_t n;
    struct grouping panels, series;
    int *series_of;                      /* of each record; -1: none */
    struct panel *panel;                 /* as many as there are panels */
    const struct machine_limits *limits; /* of the machine; NULL: not known */
    char left_out[512];                  /* in words: panels without a second x while others have one; empty where there are none */
};

/* False when out of memory, or when the request names what the kind does not have. A figure may come out with no record. */
bool figure_make(const struct sweep *sweep, const struct plot_request *request, const struct records *records,
                 struct figure *figure, struct error *error);
void figure_free(struct figure *figure);

/* Draws the curves of a panel, once: nobody looks at all panels of a sweep over everything. False when out of memory. */
bool figure_draw(struct figure *figure, int panel);

/* What is drawn of a curve in a panel that was drawn; without a row or a mark where there is no curve. */
const struct drawing *figure_drawing(const struct figure *figure, int panel, int series);

#endif
