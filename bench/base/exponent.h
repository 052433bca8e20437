/* How one quantity grows with another: the exponent p of y = c x^p. Pure. */
#ifndef BENCH_BASE_EXPONENT_H
#define BENCH_BASE_EXPONENT_H

#include <stddef.h>

/* p and the 95 % interval of the fit, if the logarithms of y scatter independently and equally about a line. NaN for fewer than
 * 3 points or 3 values of x. */
struct exponent {
    double p, low, high;
};

/* Least squares of log y over log x; all x and y are above 0. p is NaN for fewer than 2 values of x. */
struct exponent exponent_fit(const double *x, const double *y, size_t n);

#endif
