/* See bounds.h. */
#include "bench/problems/bounds.h"

#include "bench/problems/textbook.h"

#include <math.h>
#include <stdlib.h>

bool bounds_begin(struct bounds *bounds, const double *h, int64_t T, int64_t d, double norm_inf, double kappa, double lambda_max)
{
    *bounds = (struct bounds){.T = T, .norm_inf = norm_inf, .kappa = kappa, .lambda_max = lambda_max};
    bounds->y = malloc((size_t)T * sizeof *bounds->y);
    if (bounds->y == NULL)
        return false;
    bounds->size = bounds->max_norm = norm_max(h, T * d);
    for (int64_t t = 0; t < T; t++) {
        double sum = 0;
        for (int64_t c = 0; c < d; c++)
            sum += h[t * d + c] * h[t * d + c];
        bounds->y[t] = sqrt(sum);
        bounds->token_size = fmax(bounds->token_size, bounds->y[t]);
    }
    return true;
}

void bounds_next(struct bounds *bounds)
{
    double before = 0, most = 0;
    for (int64_t t = 0; t < bounds->T; t++) {
        before = bounds->y[t] = bounds->lambda_max * before + bounds->kappa * bounds->y[t];
        most = fmax(most, before);
    }
    bounds->token_size = most;
    bounds->max_norm *= bounds->norm_inf;
}

void bounds_end(struct bounds *bounds)
{
    free(bounds->y);
}
