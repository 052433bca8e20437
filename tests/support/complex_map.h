/* The map, its iterates and the exact answer in complex numbers: a derivative is what a step of 1e-30 along the imaginary axis
 * leaves there, without a difference being taken, and so without its cancellation (Squire and Trapp, SIAM Review 40, 1998). Written
 * from docs/mathematics.md; shares nothing with impls/ or the textbook. Everything is for one sequence. */
#ifndef TESTS_SUPPORT_COMPLEX_MAP_H
#define TESTS_SUPPORT_COMPLEX_MAP_H

#include "impls/impl.h"

#include <complex.h>

/* As struct inputs; W NULL unless state-dependent, theta NULL where m is 0, h0 never NULL. */
struct complex_inputs {
    double complex *v, *lambda, *theta, *W, *h0;
};

/* y (d) = (I - Q) x (d) of one token, from raw parameters theta (m). */
void complex_mixed(const struct problem *problem, const double complex *theta, const double complex *x, double complex *y);

/* x (d) <- M^{-1} x, M (d,d) destroyed. */
void complex_solve(int64_t d, double complex *M, double complex *x);

/* next (T,d) = f(h (T,d)); next is not h. */
void complex_apply(const struct problem *problem, const struct complex_inputs *inputs, const double complex *h,
                   double complex *next);

/* h (T,d) = the exact answer, token by token, each step solved by elimination. */
void complex_exact(const struct problem *problem, const struct complex_inputs *inputs, double complex *h);

#endif
