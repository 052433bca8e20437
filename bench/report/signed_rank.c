/* See signed_rank.h. */
#include "bench/report/signed_rank.h"

#include "bench/base/statistics.h"

#include <math.h>
#include <stdlib.h>

static size_t pairs_of(size_t n)
{
    return n * (n + 1) / 2;
}

/* The Walsh averages, ascending; the caller's. */
static double *walsh_averages(const double *values, size_t n)
{
    if (n == 0 || n > SIGNED_RANK_MOST)
        return NULL;
    double *average = malloc(pairs_of(n) * sizeof *average);
    size_t k = 0;
    for (size_t i = 0; average != NULL && i < n; i++)
        for (size_t j = i; j < n; j++)
            average[k++] = values[i] / 2 + values[j] / 2;
    if (average != NULL)
        statistics_sort(average, k);
    return average;
}

/* P(W = w) for w = 0 ... n(n+1)/2: each of the numbers 1 ... n is in the sum or not. The caller's. */
static double *distribution(size_t n)
{
    const size_t most = pairs_of(n);
    double *share = calloc(most + 1, sizeof *share);
    if (share == NULL)
        return NULL;
    share[0] = 1;
    for (size_t rank = 1, reached = 0; rank <= n; rank++) {
        reached += rank;
        for (size_t w = reached + 1; w-- > 0;)
            share[w] = (share[w] + (w >= rank ? share[w - rank] : 0)) / 2;
    }
    return share;
}

double signed_rank_estimate(const double *values, size_t n)
{
    double *average = walsh_averages(values, n);
    double middle = average != NULL ? statistics_median(average, pairs_of(n)) : NAN;
    free(average);
    return middle;
}

bool signed_rank_interval(const double *values, size_t n, double level, double *low, double *high)
{
    double *average = walsh_averages(values, n), *share = average != NULL ? distribution(n) : NULL;
    const size_t pairs = pairs_of(n);
    size_t k = 0;
    double below = 0;
    while (share != NULL && k < (pairs + 1) / 2 && below + share[k] <= level / 2)
        below += share[k++];
    if (k > 0) {
        *low = average[k - 1];
        *high = average[pairs - k];
    }
    free(share);
    free(average);
    return k > 0;
}

double *signed_rank_tails(size_t n)
{
    double *tail = n <= SIGNED_RANK_MOST ? distribution(n) : NULL;
    for (size_t w = pairs_of(n); tail != NULL && w-- > 0;) /* from the small ones on */
        tail[w] += tail[w + 1];
    return tail;
}

size_t signed_rank_count(const double *values, size_t n, double bound)
{
    size_t w = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            w += values[i] / 2 + values[j] / 2 > bound;
    return w;
}

double signed_rank_above(const double *values, size_t n, double bound)
{
    double *tail = n > 0 ? signed_rank_tails(n) : NULL;
    double above = tail != NULL ? fmin(tail[signed_rank_count(values, n, bound)], 1) : 1;
    free(tail);
    return above;
}
