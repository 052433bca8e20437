/* Gradients of test problems: as an implementation computes them, and as differences of what they are defined as the derivative
 * of. */
#ifndef TESTS_SUPPORT_GRADIENTS_H
#define TESTS_SUPPORT_GRADIENTS_H

#include "tests/support/reference.h"

/* The loss is a weighted sum of the outputs. */
struct loss {
    double *h, *final; /* weights (B,T,d) and (B,d) */
};

struct loss loss_draw(const struct problem *problem, uint64_t seed);
void loss_free(struct loss *loss);

/* v, lambda, theta, W, h0 in float64; NULL where there is no such tensor. h0 is there even when the initial state is not given. */
struct gradient_values {
    double *of[TENSORS_MAX];
    double *h; /* (B,T,d) what forward() left */
};

void gradient_values_free(struct gradient_values *values);

/* plan, forward, backward, destroy of one variant on tensors of its dtype. Every buffer holds NaN before; weights that are NULL
 * are not given, and gradients that `wanted` (bits, by index) lacks are not asked for. forward's status, if it is not ok, comes
 * first; not_converged goes on. An allocation in backward() ends the test. */
enum { GRADIENTS_ALL = (1 << TENSORS_MAX) - 1 };
struct status gradient_run_some(const struct implementation *one, const struct tensors *tensors, const struct settings *settings,
                                int threads, const struct loss *loss, unsigned wanted, struct gradient_values *values);
struct status gradients_from(const struct implementation *one, const struct tensors *tensors, const struct settings *settings,
                             int threads, const struct loss *loss, struct gradient_values *values);

/* By central differences of fourth order: of the exact answer, or of f^n at h (B,T,d), held fixed. Tensors in float64. */
void gradient_expect_exact(const struct tensors *tensors, const struct loss *loss, struct gradient_values *values);
void gradient_expect_steps(const struct tensors *tensors, const struct loss *loss, int64_t n, const double *h,
                           struct gradient_values *values);

/* The largest distance of a tensor, relative to the largest element of what is expected of it (where that is nothing but rounding,
 * to 1e-8 of the largest of all); *which is its index. Infinity when something is not finite. */
double gradient_distance(const struct problem *problem, const struct gradient_values *values,
                         const struct gradient_values *expected, int *which);

#endif
