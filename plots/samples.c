/* See samples.h. */
#include "plots/samples.h"

#include "bench/base/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int sample_order(const void *left, const void *right)
{
    const struct sample *a = left, *b = right;
    if (isnan(a->x) || isnan(b->x))
        return isnan(b->x) - isnan(a->x);
    return (a->x > b->x) - (a->x < b->x);
}

void samples_sort(struct sample *sample, size_t n)
{
    qsort(sample, n, sizeof *sample, sample_order);
}

size_t samples_same_x(const struct sample *sample, size_t n)
{
    size_t same = 1;
    while (same < n && !sample_order(&sample[0], &sample[same]))
        same++;
    return same;
}

bool samples_summarise(const struct sample *sample, size_t n, size_t offset, struct summary *summary)
{
    double *value = malloc(n * sizeof *value);
    if (!value)
        return false;
    size_t known = 0, finite;
    for (size_t i = 0; i < n; i++) {
        memcpy(&value[known], (const char *)&sample[i] + offset, sizeof value[known]);
        known += !isnan(value[known]);
    }
    statistics_sort(value, known);
    for (finite = known; finite && isinf(value[finite - 1]);)
        finite--;
    summary->median = known / 2 < finite ? statistics_median(value, known) : NAN;
    summary->low = finite ? value[0] : NAN;
    summary->high = finite ? value[finite - 1] : NAN;
    free(value);
    return true;
}
