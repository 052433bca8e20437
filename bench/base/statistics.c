/* See statistics.h. */
#include "bench/base/statistics.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void statistics_sort(double *values, size_t n)
{
    if (n > 1)
        qsort(values, n, sizeof *values, ascending);
}

double statistics_quantile(const double *sorted, size_t n, double share)
{
    if (n == 0)
        return NAN;
    double position = share * (double)(n - 1);
    size_t below = (size_t)position;
    double part = position - (double)below;
    if (part == 0) /* no neighbour has a say, and it may be infinite */
        return sorted[below];
    return sorted[below] + part * (sorted[below + 1] - sorted[below]);
}

double statistics_median(const double *sorted, size_t n)
{
    return statistics_quantile(sorted, n, 0.5);
}

bool statistics_median_interval(const double *sorted, size_t n, double *low, double *high)
{
    /* Logarithms, since 2^-n underflows from n = 1075. */
    double log_p = -(double)n * log(2.0), below = 0;
    size_t k = 0;
    while (k < n / 2 && below + exp(log_p) <= 0.025) {
        below += exp(log_p);
        k++;
        log_p += log((double)(n - k + 1) / (double)k);
    }
    if (k == 0)
        return false;
    *low = sorted[k - 1];
    *high = sorted[n - k];
    return true;
}

bool statistics_share_interval(int64_t right, int64_t n, double *low, double *high)
{
    const double z = 1.959963984540054; /* 97.5 % of the standard normal distribution lies below */
    if (n <= 0)
        return false;
    double size = (double)n, share = (double)right / size, weight = 1 + z * z / size;
    double middle = share + z * z / (2 * size), reach = z * sqrt(share * (1 - share) / size + z * z / (4 * size * size));
    *low = right == 0 ? 0 : (middle - reach) / weight; /* rounding must not leave [0,1] */
    *high = right == n ? 1 : (middle + reach) / weight;
    return true;
}

bool statistics_fences(const double *sorted, size_t n, double *low, double *high)
{
    const double reach = 1.5; /* interquartile ranges */
    if (n < STATISTICS_FENCES_LEAST)
        return false;
    double q1 = statistics_quantile(sorted, n, 0.25), q3 = statistics_quantile(sorted, n, 0.75);
    *low = q1 - reach * (q3 - q1);
    *high = q3 + reach * (q3 - q1);
    return true;
}

static double mean_of(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum / (double)n;
}

double statistics_variation(const double *values, size_t n)
{
    if (n < 2)
        return NAN;
    double mean = mean_of(values, n), squares = 0;
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return mean != 0 ? sqrt(squares / (double)(n - 1)) / mean : NAN;
}

double statistics_slope(const double *x, const double *y, size_t n)
{
    if (n < 2)
        return NAN;
    double x_mean = mean_of(x, n), y_mean = mean_of(y, n), xx = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        xx += (x[i] - x_mean) * (x[i] - x_mean);
        xy += (x[i] - x_mean) * (y[i] - y_mean);
    }
    return xx > 0 ? xy / xx : NAN;
}
