/* What implementations are compared with: the dense LU answer in float64, textbook iterates, and how far rounding may take an
 * implementation from them. */
#ifndef TESTS_SUPPORT_REFERENCE_H
#define TESTS_SUPPORT_REFERENCE_H

#include "tests/support/cases.h"

/* Settings of l undamped iterations without a tolerance. */
struct settings fixed_l(int64_t l);

/* Sets the options of an implementation that list their values ("split=batch|channels"): each to one of these or to none, a way
 * for each value of `which`. Returns how many ways there are, after which they come round again. */
int choose_options(const struct implementation *one, int which, struct settings *settings);

/* plan, forward, destroy of one variant. h (B,T,d) and final (B,d) are of the dtype of the tensors; trace and final may be NULL. */
struct status run_variant(const struct implementation *implementation, const struct tensors *tensors,
                          const struct settings *settings, int threads, void *h, void *final, struct trace *trace);

/* h (B,T,d) in float64 by dense_sequential (LU); h (B,T,d) after l textbook iterations. tensors of either dtype. */
struct status reference_exact(const struct tensors *tensors, double *h);
void reference_iterate(const struct tensors *tensors, int64_t l, double *h);

/* max |a - b| over max(|b|, |v|): an answer that cancels to almost nothing is measured by what it was made from. */
double distance_scaled(const struct tensors *tensors, const double *a, const double *b);

/* Such a distance that rounding explains: so many units of rounding of the dtype, times how strongly the answer moves when every
 * input, and I - Q as a whole, moves by that much. The second is measured, by solving again with everything disturbed a little. */
double tolerance_exact(const struct tensors *tensors, const double *h, enum dtype dtype);
double tolerance_iterate(const struct tensors *tensors, int64_t l, const double *h, enum dtype dtype);

#endif
