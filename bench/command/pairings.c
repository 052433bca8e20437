/* See pairings.h. */
#include "bench/command/pairings.h"

#include <math.h>
#include <stdlib.h>

bool pairings_make(const struct sweep *sweep, struct pairings *pairings, struct error *error)
{
    *pairings = (struct pairings){.target = VERDICT_LEAST, .margin = sweep->run.margin};
    if (sweep->partner == NULL)
        return true;
    pairings->pairing = calloc(sweep->n_compared, sizeof *pairings->pairing);
    pairings->of_point = calloc(sweep->n_points, sizeof *pairings->of_point);
    pairings->ended = calloc(sweep->n_points, sizeof *pairings->ended);
    if (pairings->pairing == NULL || pairings->of_point == NULL || pairings->ended == NULL) {
        pairings_free(pairings);
        return fail_memory(error);
    }
    for (size_t i = 0; i < sweep->n_points; i++) {
        const size_t partner = sweep->partner[i];
        pairings->of_point[i] = partner != SWEEP_ALONE ? pairings->n : SWEEP_ALONE;
        if (partner != SWEEP_ALONE)
            pairings->pairing[pairings->n++] = (struct pairing){.point = {i, partner}};
    }
    return true;
}

void pairings_free(struct pairings *pairings)
{
    for (size_t i = 0; i < pairings->n; i++)
        free(pairings->pairing[i].pair);
    free(pairings->pairing);
    free(pairings->of_point);
    free(pairings->ended);
    *pairings = (struct pairings){.n = 0};
}

/* The pair of a number, at its place in their order; NULL when out of memory. */
static struct pair *pair_of(struct pairing *pairing, int number)
{
    size_t at = pairing->n;
    while (at > 0 && pairing->pair[at - 1].number >= number)
        at--;
    if (at < pairing->n && pairing->pair[at].number == number)
        return &pairing->pair[at];
    if (pairing->n == pairing->room) {
        const size_t room = pairing->room > 0 ? 2 * pairing->room : VERDICT_LEAST;
        struct pair *grown = realloc(pairing->pair, room * sizeof *grown);
        if (grown == NULL)
            return NULL;
        pairing->pair = grown;
        pairing->room = room;
    }
    for (size_t i = pairing->n++; i > at; i--)
        pairing->pair[i] = pairing->pair[i - 1];
    pairing->pair[at] = (struct pair){.number = number};
    return &pairing->pair[at];
}

bool pairings_take(struct pairing *pairing, enum side side, int number, double seconds, enum result result)
{
    struct pair *pair = pair_of(pairing, number);
    if (pair == NULL)
        return false;
    pair->seconds[side] = result == RESULT_OK && seconds > 0 ? seconds : 0;
    pairing->ended = pairing->ended || (result == RESULT_OK && !(seconds > 0));
    return true;
}

void pairings_end(struct pairings *pairings, size_t point, bool ended)
{
    if (pairings->ended != NULL) /* without a baseline nothing is compared */
        pairings->ended[point] = ended;
}

int pairings_next(const struct pairing *pairing)
{
    return pairing->n > 0 ? pairing->pair[pairing->n - 1].number + 1 : 0;
}

static bool is_complete(const struct pair *pair)
{
    return pair->seconds[SIDE_NEW] > 0 && pair->seconds[SIDE_BASELINE] > 0;
}

size_t pairings_complete(const struct pairing *pairing)
{
    size_t complete = 0;
    for (size_t i = 0; i < pairing->n; i++)
        complete += is_complete(&pairing->pair[i]);
    return complete;
}

static bool has_ended(const struct pairings *pairings, size_t i)
{
    const struct pairing *pairing = &pairings->pairing[i];
    return pairing->ended || pairings->ended[pairing->point[SIDE_NEW]] || pairings->ended[pairing->point[SIDE_BASELINE]];
}

static bool is_under_way(const struct pairings *pairings, size_t i)
{
    return !has_ended(pairings, i) && !pairings->pairing[i].decided;
}

bool pairings_want(const struct pairings *pairings, size_t i)
{
    return is_under_way(pairings, i) && pairings_complete(&pairings->pairing[i]) < pairings->target;
}

static size_t next_look(size_t target)
{
    for (int i = 0; i < VERDICT_LOOKS; i++)
        if ((size_t)verdict_looks[i] > target)
            return (size_t)verdict_looks[i];
    return 0;
}

/* With the first pairs that count at this look, however many there are: the same verdicts whether the run was interrupted or not. */
static void fill(const struct pairing *pairing, size_t target, double *x, struct contest *contest)
{
    contest->x = x;
    for (size_t i = 0; i < pairing->n && contest->n < target; i++)
        if (is_complete(&pairing->pair[i]))
            x[contest->n++] = log(pairing->pair[i].seconds[SIDE_NEW] / pairing->pair[i].seconds[SIDE_BASELINE]);
}

bool pairings_look(struct pairings *pairings)
{
    double(*x)[VERDICT_MOST] = calloc(pairings->n + 1, sizeof *x);
    struct contest *contest = calloc(pairings->n + 1, sizeof *contest);
    bool good = x != NULL && contest != NULL, more = good;
    while (more) {
        size_t left = 0;
        for (size_t i = 0; i < pairings->n && more; i++)
            more = !pairings_want(pairings, i);
        if (!more)
            break;
        for (size_t i = 0; i < pairings->n; i++) {
            contest[i] = (struct contest){.margin = pairings->margin};
            if (!has_ended(pairings, i))
                fill(&pairings->pairing[i], pairings->target, x[i], &contest[i]);
        }
        good = verdicts_find(contest, pairings->n);
        for (size_t i = 0; i < pairings->n; i++) {
            pairings->pairing[i].decided = pairings->pairing[i].decided || contest[i].verdict != VERDICT_UNDECIDED;
            left += is_under_way(pairings, i);
        }
        const size_t next = next_look(pairings->target);
        more = good && left > 0 && next > 0;
        if (more)
            pairings->target = next;
    }
    free(contest);
    free(x);
    return good;
}

size_t pairings_planned(const struct pairings *pairings)
{
    size_t planned = 0;
    for (size_t i = 0; i < pairings->n; i++)
        planned += pairings_want(pairings, i) ? pairings->target - pairings_complete(&pairings->pairing[i]) : 0;
    return planned;
}
