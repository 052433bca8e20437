/* The paper's definitions in double precision, written to be read: the reference that every implementation is validated against.
 * It shares no arithmetic with impls/. Everything is for ONE sequence: problem->B is 1 and problem->dtype float64. */
#ifndef BENCH_PROBLEMS_TEXTBOOK_H
#define BENCH_PROBLEMS_TEXTBOOK_H

#include "impls/impl.h"

/* next (T,d) = f(h (T,d)), one application of the fixed-point map (Eq. 6, 7); next must not be h. False: out of memory. */
bool textbook_apply(const struct problem *problem, const struct inputs *inputs, const double *h, double *next);

/* h (T,d) = the l-th iterate from h^0 = 0 with a constant damping h <- damping f(h) + (1 - damping) h. *residual, which may be
 * NULL, is that of the last of these iterations. False: out of memory. */
bool textbook_iterate(const struct problem *problem, const struct inputs *inputs, double damping, int64_t l, double *h,
                      double *residual);

/* The same, computed less exactly. mixing (T,d), NULL: each channel of what a mixer takes away, (I - Q) x, is multiplied with its
 * number. tiny: as of textbook_residual_above(). */
struct textbook_rounding {
    const double *mixing;
    double tiny;
};
bool textbook_apply_rounded(const struct problem *problem, const struct inputs *inputs, const struct textbook_rounding *rounding,
                            const double *h, double *next);
bool textbook_iterate_rounded(const struct problem *problem, const struct inputs *inputs, const struct textbook_rounding *rounding,
                              double damping, int64_t l, double *h, double *residual);

/* max over tokens of max|next - h| / max|next|, 0/0 = 0, with next = f(h): the residual of h (T,d) (paper, Sec. 3.4). */
double textbook_residual(const struct problem *problem, const double *h, const double *next);
/* The same, where a token's max|next| below tiny counts as tiny: what a dtype does not hold well is nothing to be relative to. */
double textbook_residual_above(const struct problem *problem, const double *h, const double *next, double tiny);

/* max |a - b| / max |b| over n elements, 0/0 = 0; NaN or Inf in either gives infinity. */
double distance_max(const double *a, const double *b, int64_t n);
/* ||a - b||_2 / ||b||_2 likewise. */
double distance_l2(const double *a, const double *b, int64_t n);
/* What distances are relative to: the norm of b, or `scale` where that is not above `tiny`. Nothing is relative to a b that is 0
 * everywhere, or that a dtype does not hold well. */
struct yardstick {
    double tiny, scale;
};
double distance_max_to(const double *a, const double *b, int64_t n, const struct yardstick *yardstick);
double distance_l2_to(const double *a, const double *b, int64_t n, const struct yardstick *yardstick);
/* max |a|; infinity when anything is not finite. */
double norm_max(const double *a, int64_t n);

#endif
