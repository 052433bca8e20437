/* The statistics of repeated measurements: pure functions of finite values. Those that say "sorted" want them in ascending order,
 * as statistics_sort() leaves them. */
#ifndef BENCH_BASE_STATISTICS_H
#define BENCH_BASE_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fewer values have no interval of their median, and no fences. */
enum { STATISTICS_INTERVAL_LEAST = 6, STATISTICS_FENCES_LEAST = 5 };

void statistics_sort(double *values, size_t n); /* in place */

/* Linear interpolation between order statistics (type 7 of Hyndman and Fan, R's default); share in [0,1]; NaN for n = 0.
 * The median may be taken of values that end in infinities, and is then infinite or NaN only when one of them is in its middle. */
double statistics_quantile(const double *sorted, size_t n, double share);
double statistics_median(const double *sorted, size_t n);

/* An interval that holds the median of the distribution with at least 95 % probability whatever the distribution is: from the k-th
 * value to the k-th from the end, k the largest with P(Binomial(n, 1/2) < k) <= 2.5 %. False, there is none, when
 * n < STATISTICS_INTERVAL_LEAST. */
bool statistics_median_interval(const double *sorted, size_t n, double *low, double *high);

/* Wilson's 95 % interval of a probability of which `right` of n independent trials are seen: the shares p from which right / n is at
 * most 1.96 of p's own standard deviations away. False when n is 0. */
bool statistics_share_interval(int64_t right, int64_t n, double *low, double *high);

/* Tukey's fences, 1.5 interquartile ranges outside the quartiles: a value beyond them lies apart from the others. False when
 * n < STATISTICS_FENCES_LEAST: so few cannot tell. */
bool statistics_fences(const double *sorted, size_t n, double *low, double *high);

/* Coefficient of variation: standard deviation (n - 1) over mean; NaN for n < 2 or mean 0. */
double statistics_variation(const double *values, size_t n);

/* Least-squares slope of y over x; NaN where there is none (n < 2, or all x equal). */
double statistics_slope(const double *x, const double *y, size_t n);

#endif
