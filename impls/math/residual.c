/* See residual.h. */
#include "impls/math/residual.h"

#include "impls/math/vector.h"

void residual_measure(const struct problem *p, int threads, const real *h, const real *next, real *token, double *residual)
{
    int64_t d = p->d, T = p->T;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < p->B * T; i++) {
        const real *a = h + i * d, *b = next + i * d;
        real change = 0, size = max_abs(b, d);
#pragma omp simd reduction(max : change)
        for (int64_t c = 0; c < d; c++) {
            real x = real_abs(b[c] - a[c]);
            change = x > change ? x : change;
        }
        token[i] = change == 0 ? 0 : change / size; /* 0/0 = 0 */
    }
    for (int64_t b = 0; b < p->B; b++)
        residual[b] = max_abs(token + b * T, T);
}

int64_t residual_wanted(const struct problem *p, const struct settings *settings)
{
    if (settings->tolerance <= 0)
        return p->B + 1;
    /* ceil(quantile B), where 0.55 * 100 is 55 although the product is a little more */
    return (int64_t)ceil(settings->quantile * (double)p->B * (1 - 4 * DBL_EPSILON));
}

int64_t residual_count(const struct problem *p, double tolerance, const double *residual, int64_t l, int64_t *l_star)
{
    int64_t count = 0;
    for (int64_t b = 0; b < p->B; b++) {
        bool below = residual[b] < tolerance;
        count += below;
        if (below && l_star != NULL && l_star[b] == 0)
            l_star[b] = l;
    }
    return count;
}
