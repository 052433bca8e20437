/* Which of two programs is faster, from pairs of fresh processes: x = log(t / t of the baseline), one of each pair. Symmetric in the two,
 * exact for few pairs, and looked at no more often than its errors allow for.
 *
 * With M = log(1 + margin): faster where the middle of x lies below -M, slower where it lies above M, same where it lies between -M and M,
 * undecided where the pairs do not tell. Looked at after 10, 20 and 40 pairs only, each time at level .05 / 3: who looks after every pair
 * finds a difference between equals in one case of four. Of many comparisons at once, Holm's procedure keeps the probability that
 * any of the verdicts is false below .05. */
#ifndef BENCH_REPORT_VERDICT_H
#define BENCH_REPORT_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verdict { VERDICT_UNDECIDED, VERDICT_FASTER, VERDICT_SLOWER, VERDICT_SAME, VERDICT_COUNT };
extern const char *const verdict_names[VERDICT_COUNT];

/* When pairs are looked at. */
enum { VERDICT_LOOKS = 3, VERDICT_LEAST = 10, VERDICT_MOST = 40 };
extern const int verdict_looks[VERDICT_LOOKS];

#define VERDICT_LEVEL 0.05 /* probability of any false verdict among those of a run */

/* One comparison. x belongs to the caller; what stands below it is found by verdicts_find(). */
struct contest {
    const double *x; /* of n pairs, in the order in which they were measured */
    size_t n;
    double margin;

    enum verdict verdict;
    size_t pairs;        /* at the look of these figures; n before the first look */
    double estimate;     /* of exp(x) at it: Hodges and Lehmann's; NaN without pairs */
    double low, high;    /* 1 - VERDICT_LEVEL / VERDICT_LOOKS interval of it; NaN where so few pairs have none */
    double probability;  /* of a verdict as sure as the surest by chance, at the looks together; 1 before the first */
    enum verdict surest; /* to which it belongs */
};

/* Finds the verdicts of n comparisons together. Those with less than VERDICT_LEAST pairs are undecided and do not count. False when out
 * of memory. */
bool verdicts_find(struct contest *contest, size_t n);

/* About how many pairs would decide an undecided comparison by itself if it goes on as it began; 0: it lies so near the margin that it
 * would take more than VERDICT_PAIRS_NAMED. */
enum { VERDICT_PAIRS_NAMED = 1000 };
size_t verdict_pairs_wanted(const struct contest *contest);

/* The geometric mean of the ratios of n comparisons, each by the median of its pairs, and a 95 % interval of it: by drawing pairs
 * of each again (bootstrap of whole pairs, 2000 times, of many comparisons fewer, from this seed). False without pairs in each of them, or without memory. */
struct geometric_mean {
    double ratio, low, high;
};
bool geometric_mean_find(const struct contest *contest, size_t n, uint64_t seed, struct geometric_mean *mean);

#endif
