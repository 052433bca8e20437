/* See exponent.h. */
#include "bench/base/exponent.h"

#include <math.h>

/* Student's distribution: 97.5 % of it lies below, by degrees of freedom from 1 on. */
static const double student[] = {12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
                                 2.2010,  2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860,
                                 2.0796,  2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423};

/* Beyond the table by the first terms of its expansion about the normal distribution, to four digits. */
static double student_quantile(size_t freedom)
{
    const double z = 1.959963984540054;
    if (freedom < 1)
        return INFINITY; /* two points: any exponent */
    if (freedom <= sizeof student / sizeof student[0])
        return student[freedom - 1];
    double n = (double)freedom, cube = z * z * z;
    return z + (cube + z) / (4 * n) + (5 * cube * z * z + 16 * cube + 3 * z) / (96 * n * n);
}

struct exponent exponent_fit(const double *x, const double *y, size_t n)
{
    struct exponent fit = {NAN, NAN, NAN};
    double x_mean = 0, y_mean = 0, xx = 0, xy = 0, left = 0;
    for (size_t i = 0; i < n; i++) {
        x_mean += log(x[i]) / (double)n;
        y_mean += log(y[i]) / (double)n;
    }
    size_t others = 0; /* values of x beside the first: 0, 1, or more */
    double second = NAN;
    for (size_t i = 0; i < n; i++) {
        xx += (log(x[i]) - x_mean) * (log(x[i]) - x_mean);
        xy += (log(x[i]) - x_mean) * (log(y[i]) - y_mean);
        if (x[i] != x[0] && x[i] != second) {
            second = others == 0 ? x[i] : second;
            others++;
        }
    }
    if (others == 0)
        return fit;
    fit.p = xy / xx;
    if (others < 2)
        return fit;
    for (size_t i = 0; i < n; i++) {
        double off = log(y[i]) - y_mean - fit.p * (log(x[i]) - x_mean);
        left += off * off;
    }
    double reach = student_quantile(n - 2) * sqrt(left / (double)(n - 2) / xx);
    fit.low = fit.p - reach;
    fit.high = fit.p + reach;
    return fit;
}
