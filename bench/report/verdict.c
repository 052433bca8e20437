/* See verdict.h. */
#include "bench/report/verdict.h"

#include "bench/base/random.h"
#include "bench/base/statistics.h"
#include "bench/report/signed_rank.h"

#include <math.h>
#include <stdlib.h>

const char *const verdict_names[VERDICT_COUNT] = {"undecided", "faster", "slower", "same"};
const int verdict_looks[VERDICT_LOOKS] = {VERDICT_LEAST, 20, VERDICT_MOST};

/* ---- One comparison ---------------------------------------------------------------------------------------------------------- */

/* How surely the first n pairs say each verdict: the probability of as much by chance, on one side. */
static void probabilities(const struct contest *contest, size_t n, double probability[VERDICT_COUNT])
{
    double minus[VERDICT_MOST];
    const double margin = log1p(contest->margin);
    for (size_t i = 0; i < n; i++)
        minus[i] = -contest->x[i];
    probability[VERDICT_UNDECIDED] = 1;
    probability[VERDICT_FASTER] = signed_rank_above(minus, n, margin);
    probability[VERDICT_SLOWER] = signed_rank_above(contest->x, n, margin);
    /* between: above the one and below the other */
    probability[VERDICT_SAME] = fmax(signed_rank_above(contest->x, n, -margin), signed_rank_above(minus, n, -margin));
}

static void show(struct contest *contest, size_t pairs)
{
    contest->pairs = pairs;
    contest->estimate = exp(signed_rank_estimate(contest->x, pairs));
    contest->low = contest->high = NAN;
    if (signed_rank_interval(contest->x, pairs, VERDICT_LEVEL / VERDICT_LOOKS, &contest->low, &contest->high)) {
        contest->low = exp(contest->low);
        contest->high = exp(contest->high);
    }
}

/* The surest of all verdicts at all looks so far, and how sure: both sides, and as many looks as there may be. */
static void look(struct contest *contest)
{
    size_t surest_pairs = 0, last = 0;
    contest->verdict = contest->surest = VERDICT_UNDECIDED;
    contest->probability = 1;
    for (int i = 0; i < VERDICT_LOOKS && contest->n >= (size_t)verdict_looks[i]; i++) {
        double probability[VERDICT_COUNT];
        last = (size_t)verdict_looks[i];
        probabilities(contest, last, probability);
        for (int verdict = VERDICT_FASTER; verdict < VERDICT_COUNT; verdict++) {
            const double all = fmin(1, 2 * VERDICT_LOOKS * probability[verdict]);
            if (all < contest->probability) {
                contest->probability = all;
                contest->surest = (enum verdict)verdict;
                surest_pairs = last;
            }
        }
    }
    show(contest, contest->probability <= VERDICT_LEVEL ? surest_pairs : last > 0 ? last : contest->n);
}

size_t verdict_pairs_wanted(const struct contest *contest)
{
    const double margin = log1p(contest->margin), middle = log(contest->estimate);
    const double gap = fabs(fabs(middle) - margin), reach = (log(contest->high) - log(contest->low)) / 2;
    const double wanted = (double)contest->pairs * (reach / gap) * (reach / gap);
    return isfinite(wanted) && wanted < 1000 ? (size_t)ceil(wanted) : 0;
}

/* ---- Many at once -------------------------------------------------------------------------------------------------------------- */

static int by_probability(const void *left, const void *right)
{
    const struct contest *a = *(struct contest *const *)left, *b = *(struct contest *const *)right;
    return (a->probability > b->probability) - (a->probability < b->probability);
}

void verdicts_find(struct contest *contest, size_t n)
{
    struct contest **order = calloc(n + 1, sizeof(struct contest *));
    size_t counted = 0;
    for (size_t i = 0; i < n; i++) {
        look(&contest[i]);
        if (order != NULL && contest[i].n >= VERDICT_LEAST)
            order[counted++] = &contest[i];
    }
    if (counted > 1)
        qsort(order, counted, sizeof *order, by_probability);
    for (size_t i = 0; i < counted && order[i]->probability <= VERDICT_LEVEL / (double)(counted - i); i++)
        order[i]->verdict = order[i]->surest;
    free(order);
}

/* ---- Over points ---------------------------------------------------------------------------------------------------------------- */

enum { REPEATS = 2000 };

/* The mean of the medians of n comparisons, each of its own pairs or (draws) of as many drawn from them. */
static double mean_of_medians(const struct contest *contest, size_t n, struct draws *draws, double *scratch)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t pairs = contest[i].n;
        for (size_t k = 0; k < pairs; k++)
            scratch[k] = contest[i].x[draws != NULL ? draws_below(draws, (uint32_t)pairs) : k];
        statistics_sort(scratch, pairs);
        sum += statistics_median(scratch, pairs);
    }
    return sum / (double)n;
}

bool geometric_mean_find(const struct contest *contest, size_t n, uint64_t seed, struct geometric_mean *mean)
{
    size_t most = 0, least = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        most = contest[i].n > most ? contest[i].n : most;
        least = contest[i].n < least ? contest[i].n : least;
    }
    double *scratch = n > 0 && least > 0 ? malloc(most * sizeof *scratch) : NULL, *repeat = malloc(REPEATS * sizeof *repeat);
    const bool good = scratch != NULL && repeat != NULL;
    if (good) {
        for (int i = 0; i < REPEATS; i++) {
            struct draws draws = draws_begin(seed, STREAM_BOOTSTRAP, (uint64_t)i);
            repeat[i] = mean_of_medians(contest, n, &draws, scratch);
        }
        statistics_sort(repeat, REPEATS);
        *mean = (struct geometric_mean){.ratio = exp(mean_of_medians(contest, n, NULL, scratch)),
                                        .low = exp(statistics_quantile(repeat, REPEATS, 0.025)),
                                        .high = exp(statistics_quantile(repeat, REPEATS, 0.975))};
    }
    free(repeat);
    free(scratch);
    return good;
}
