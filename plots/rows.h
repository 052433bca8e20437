/* From the records of one curve to the rows of its data file: one function a kind of plot. Records that share an x (seeds) become one
 * row, the median and the range, but for the dots of a roofline. */
#ifndef PLOTS_ROWS_H
#define PLOTS_ROWS_H

#include "bench/journal/records.h"
#include "plots/drawing.h"

/* The records of one curve, in any order; x is the field on the x axis or -1. False when out of memory. */
bool rows_error_against_iteration(struct record *const *record, size_t n, int x, struct drawing *drawing);
bool rows_iterations_against_kappa(struct record *const *record, size_t n, int x, struct drawing *drawing);
bool rows_applications_against_kappa(struct record *const *record, size_t n, int x, struct drawing *drawing);
bool rows_share_converged(struct record *const *record, size_t n, int x, struct drawing *drawing);
bool rows_tracked(struct record *const *record, size_t n, int x, struct drawing *drawing);
bool rows_throughput(struct record *const *record, size_t n, int x, struct drawing *drawing);
bool rows_error_against_time(struct record *const *record, size_t n, int x, struct drawing *drawing);
bool rows_gradient_cosine(struct record *const *record, size_t n, int x, struct drawing *drawing);
bool rows_token_accuracy(struct record *const *record, size_t n, int x, struct drawing *drawing);
bool rows_sequence_accuracy(struct record *const *record, size_t n, int x, struct drawing *drawing);
bool rows_iterations(struct record *const *record, size_t n, int x, struct drawing *drawing);
bool rows_difference(struct record *const *record, size_t n, int x, struct drawing *drawing);
bool rows_step_share(struct record *const *record, size_t n, int x, struct drawing *drawing);
bool rows_step_time(struct record *const *record, size_t n, int x, struct drawing *drawing);
bool rows_loss(struct record *const *record, size_t n, int x, struct drawing *drawing);
bool rows_learning(struct record *const *record, size_t n, int x, struct drawing *drawing);
bool rows_learning_time(struct record *const *record, size_t n, int x, struct drawing *drawing);
bool rows_roofline(struct record *const *record, size_t n, int x, struct drawing *drawing);

#endif
