/* From the records of one curve to the rows of its data file: one function per way of drawing. Records that share an x (seeds)
 * become one row, the median and the range, but for the dots of a roofline. */
#ifndef PLOTS_ROWS_H
#define PLOTS_ROWS_H

#include "bench/journal/records.h"
#include "plots/drawing.h"

struct plot_kind;

/* The records of one curve, in any order; x is the field on the x axis or -1, the kind says which column is shown. False when out of
 * memory. */

/* A column against a field, with its own spread where it has one. */
bool rows_against(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing);
/* A column against kappa: what is null where the measure was made counts as infinitely much. */
bool rows_against_kappa(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing);
/* A column of a training's curve against the step; over: what stands beside it is the x. */
bool rows_curve(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing);
bool rows_curve_over(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing);
/* What one kind alone shows. */
bool rows_error_against_iteration(struct record *const *record, size_t n, int x, const struct plot_kind *kind,
                                  struct drawing *drawing);
bool rows_throughput(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing);
bool rows_error_against_time(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing);
bool rows_roofline(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing);
bool rows_step_share(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing);
bool rows_step_time(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing);

#endif
