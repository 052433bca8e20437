/* Wilcoxon's signed-rank statistics of n values, such as the logarithms of n ratios: where the middle of a symmetric distribution lies,
 * how far that is known, and how sure it is that it lies on one side of a number. Exact for every n up to SIGNED_RANK_MOST, without a
 * table or an approximation (Hollander, Wolfe, Chicken, Nonparametric Statistical Methods, ch. 3).
 *
 * All of it follows from the n(n+1)/2 Walsh averages (x_i + x_j) / 2, i <= j, and from the distribution of W, the number of them above the
 * middle: of 2^n equally likely sets of {1 ... n}, how many have the sum w. */
#ifndef BENCH_REPORT_SIGNED_RANK_H
#define BENCH_REPORT_SIGNED_RANK_H

#include <stdbool.h>
#include <stddef.h>

enum { SIGNED_RANK_MOST = 1000 }; /* values */

/* Hodges and Lehmann's estimate of the middle: the median of the Walsh averages. NaN for n = 0, for more than SIGNED_RANK_MOST values, and
 * without memory. */
double signed_rank_estimate(const double *values, size_t n);

/* The interval that holds the middle with a probability of at least 1 - level: from the k-th Walsh average to the k-th from the end, k the
 * largest with P(W < k) <= level / 2. False, there is none, for so few values (6 at level .05, 7 at .05 / 3), for more than
 * SIGNED_RANK_MOST and without memory. */
bool signed_rank_interval(const double *values, size_t n, double level, double *low, double *high);

/* P(W >= w) of n values for w = 0 ... n(n+1)/2, for those who ask about many samples of a size; the caller's. NULL for more than
 * SIGNED_RANK_MOST and without memory. And W itself: how many Walsh averages lie above the bound. */
double *signed_rank_tails(size_t n);
size_t signed_rank_count(const double *values, size_t n, double bound);

/* How likely W is at least as large as it is, were the middle at most `bound`: small where the middle lies above it. Walsh averages that
 * equal the bound count as not above it, so that ties never make it smaller. The same for the other side: of -values and -bound. 1 for
 * n = 0, for more than SIGNED_RANK_MOST and without memory. */
double signed_rank_above(const double *values, size_t n, double bound);

#endif
