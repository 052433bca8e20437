/* The values of several records at one x, and their median and range. */
#ifndef PLOTS_SAMPLES_H
#define PLOTS_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>

/* What one record says at one x. */
struct sample {
    double x;
    double y, low, high; /* low, high: of this record alone */
    double z;
    unsigned note; /* what low and high are */
};

/* Ascending in x, those without an x last. */
void samples_sort(struct sample *sample, size_t n);

/* How many samples from the first on share its x; n is at least 1. */
size_t samples_same_x(const struct sample *sample, size_t n);

struct summary {
    double median, low, high;
};

/* Of the doubles at an offset in each sample: NaN is left out, an infinite one counts as the largest and is no part of low..high.
 * False when out of memory. */
bool samples_summarise(const struct sample *sample, size_t n, size_t offset, struct summary *summary);

#endif
