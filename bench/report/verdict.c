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

/* P(W >= w) of the pairs at each look. */
struct tails {
    double *of[VERDICT_LOOKS];
};

static void tails_free(struct tails *tails)
{
    for (int i = 0; i < VERDICT_LOOKS; i++)
        free(tails->of[i]);
}

static bool tails_make(struct tails *tails)
{
    bool good = true;
    for (int i = 0; i < VERDICT_LOOKS; i++) {
        tails->of[i] = signed_rank_tails((size_t)verdict_looks[i]);
        good = good && tails->of[i] != NULL;
    }
    return good;
}

/* How surely the first n pairs say each verdict: the probability of as much by chance, on one side. */
static void probabilities(const struct contest *contest, size_t n, const double *tail, double probability[VERDICT_COUNT])
{
    double minus[VERDICT_MOST];
    const double margin = log1p(contest->margin);
    for (size_t i = 0; i < n; i++)
        minus[i] = -contest->x[i];
    probability[VERDICT_UNDECIDED] = 1;
    probability[VERDICT_FASTER] = tail[signed_rank_count(minus, n, margin)];
    probability[VERDICT_SLOWER] = tail[signed_rank_count(contest->x, n, margin)];
    /* between: above the one and below the other */
    probability[VERDICT_SAME] = fmax(tail[signed_rank_count(contest->x, n, -margin)], tail[signed_rank_count(minus, n, -margin)]);
}

/* The figures of the first pairs. */
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
static void look(struct contest *contest, const struct tails *tails)
{
    contest->verdict = contest->surest = VERDICT_UNDECIDED;
    contest->probability = 1;
    contest->pairs = contest->n < VERDICT_LEAST ? contest->n : 0;
    for (int i = 0; i < VERDICT_LOOKS && contest->n >= (size_t)verdict_looks[i]; i++) {
        double probability[VERDICT_COUNT];
        probabilities(contest, (size_t)verdict_looks[i], tails->of[i], probability);
        for (int verdict = VERDICT_FASTER; verdict < VERDICT_COUNT; verdict++) {
            const double all = fmin(1, 2 * VERDICT_LOOKS * probability[verdict]);
            if (all < contest->probability) {
                contest->probability = all;
                contest->surest = (enum verdict)verdict;
                contest->pairs = (size_t)verdict_looks[i];
            }
        }
    }
}

/* The last look, where none decided. */
static size_t last_look(size_t n)
{
    size_t pairs = n;
    for (int i = 0; i < VERDICT_LOOKS && n >= (size_t)verdict_looks[i]; i++)
        pairs = (size_t)verdict_looks[i];
    return pairs;
}

/* How many times as many pairs the distance from the estimate to one end of the interval has to shrink for, until it ends before the
 * bound. */
static double times_as_many(double reach, double room)
{
    return reach <= 0 ? 0 : room <= 0 ? INFINITY : (reach / room) * (reach / room);
}

size_t verdict_pairs_wanted(const struct contest *contest)
{
    const double margin = log1p(contest->margin), middle = log(contest->estimate);
    const double below = middle - log(contest->low), above = log(contest->high) - middle;
    const double times = middle > margin    ? times_as_many(below, middle - margin)
                         : middle < -margin ? times_as_many(above, -margin - middle)
                                            : fmax(times_as_many(below, middle + margin), times_as_many(above, margin - middle));
    const double wanted = (double)contest->pairs * times;
    return wanted <= VERDICT_PAIRS_NAMED ? (size_t)ceil(wanted) : 0;
}

/* ---- Many at once -------------------------------------------------------------------------------------------------------------- */

static int by_probability(const void *left, const void *right)
{
    const struct contest *a = *(struct contest *const *)left, *b = *(struct contest *const *)right;
    return (a->probability > b->probability) - (a->probability < b->probability);
}

bool verdicts_find(struct contest *contest, size_t n)
{
    struct contest **order = calloc(n + 1, sizeof(struct contest *));
    struct tails tails;
    size_t counted = 0;
    const bool good = tails_make(&tails) && order != NULL;
    for (size_t i = 0; good && i < n; i++) {
        look(&contest[i], &tails);
        if (contest[i].n >= VERDICT_LEAST)
            order[counted++] = &contest[i];
    }
    if (counted > 1)
        qsort(order, counted, sizeof *order, by_probability);
    for (size_t i = 0; i < counted && order[i]->probability <= VERDICT_LEVEL / (double)(counted - i); i++)
        order[i]->verdict = order[i]->surest;
    for (size_t i = 0; good && i < n; i++)
        show(&contest[i], contest[i].verdict != VERDICT_UNDECIDED ? contest[i].pairs : last_look(contest[i].n));
    free(order);
    tails_free(&tails);
    return good;
}

/* ---- Over points ---------------------------------------------------------------------------------------------------------------- */

/* How often pairs are drawn again: so that the work does not grow with ever more comparisons, and their mean is known the better. */
enum { REPEATS = 2000, REPEATS_LEAST = 100, DRAWN_COMPARISONS = 200000 };

static size_t repeats_of(size_t n)
{
    const size_t repeats = DRAWN_COMPARISONS / n;
    return repeats > REPEATS ? REPEATS : repeats < REPEATS_LEAST ? REPEATS_LEAST : repeats;
}

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
        const size_t repeats = repeats_of(n);
        for (size_t i = 0; i < repeats; i++) {
            struct draws draws = draws_begin(seed, STREAM_BOOTSTRAP, (uint64_t)i);
            repeat[i] = mean_of_medians(contest, n, &draws, scratch);
        }
        statistics_sort(repeat, repeats);
        *mean = (struct geometric_mean){.ratio = exp(mean_of_medians(contest, n, NULL, scratch)),
                                        .low = exp(statistics_quantile(repeat, repeats, 0.025)),
                                        .high = exp(statistics_quantile(repeat, repeats, 0.975))};
    }
    free(repeat);
    free(scratch);
    return good;
}
