/* The two bounds on the error of the l-th iterate that do hold (docs/mathematics.md), for one sequence without state dependence:
 *     max-norm over everything:  |e^l| <= (max_t ||I - Q_t||_inf)^l |h*|                     normalised, 0 <= lambda <= 1
 *     per token:                 ||e^l_t|| <= y^l_t,  y^l_t = lambda_max y^l_{t-1} + kappa y^{l-1}_t,  y^0_t = ||h*_t||
 * the second being kappa^l sum_k C(l-1+k, k) lambda_max^k ||h*_{t-k}|| written as a recurrence. */
#ifndef BENCH_PROBLEMS_BOUNDS_H
#define BENCH_PROBLEMS_BOUNDS_H

#include <stdbool.h>
#include <stdint.h>

struct bounds {
    int64_t T;
    double norm_inf, kappa, lambda_max;
    double size;       /* max |h*| */
    double token_size; /* max_t of the token bound at l iterations */
    double max_norm;   /* the first bound at l iterations */
    double *y;         /* (T) */
};

/* h (T,d) is the exact answer; l = 0. False: out of memory. */
bool bounds_begin(struct bounds *bounds, const double *h, int64_t T, int64_t d, double norm_inf, double kappa, double lambda_max);
/* One iteration more. */
void bounds_next(struct bounds *bounds);
void bounds_end(struct bounds *bounds);

#endif
