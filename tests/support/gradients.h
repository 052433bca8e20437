/* Gradients of test problems: as an implementation computes them, and as derivatives of what they are defined as the derivative of. */
#ifndef TESTS_SUPPORT_GRADIENTS_H
#define TESTS_SUPPORT_GRADIENTS_H

#include "tests/support/reference.h"

/* The loss is a weighted sum of the outputs. */
struct loss {
    double *h, *final; /* weights (B,T,d), and of the final state in its shape */
};

struct loss loss_draw(const struct problem *problem, uint64_t seed);
void loss_free(struct loss *loss);

/* By enum tensor_id, in float64; NULL where there is no such tensor. Initial states are there even when they are not given. */
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

/* By complex steps (complex_map.h, complex_selective.h), which are exact but for rounding: of the exact answer, or of f^n at h (B,T,d),
 * held fixed. Tensors in float64. The test ends where a token of the selective cell has no exact answer. */
void gradient_expect_exact(const struct tensors *tensors, const struct loss *loss, struct gradient_values *values);
void gradient_expect_steps(const struct tensors *tensors, const struct loss *loss, int64_t n, const double *h,
                           struct gradient_values *values);

/* Whether there is an exact answer: in the selective cell a token may have none. */
bool gradient_settles(const struct tensors *tensors);

/* h (B,T,d) as they see it: the exact answer (n = 0), or f^n at `from` (B,T,d). */
void gradient_states(const struct tensors *tensors, int64_t n, const double *from, double *h);

/* The largest distance of a tensor, relative to the largest element of what is expected of it (where that is nothing but rounding,
 * to 1e-8 of the largest of all); *which is its index. Infinity when something is not finite. */
double gradient_distance(const struct problem *problem, const struct gradient_values *values,
                         const struct gradient_values *expected, int *which);

/* Likewise, but of a tensor that is less than a thousandth of the largest of all, relative to that: what an iteration to 1e-13 leaves of a
 * gradient that is truly nothing (of theta in the plain form, where the answer is v) would else be measured by itself. */
double gradient_error(const struct problem *problem, const struct gradient_values *values, const struct gradient_values *expected,
                      int *which);

#endif
