/* The comparisons of a sweep with its baseline (bench/sweep/baseline.h), and which pairs of them are measured: two fresh processes in
 * succession, AB, BA, AB, ... All comparisons have the same number of pairs when they are looked at (bench/report/verdict.h), and those
 * that are decided then get no more. */
#ifndef BENCH_COMMAND_PAIRINGS_H
#define BENCH_COMMAND_PAIRINGS_H

#include "bench/journal/record.h"
#include "bench/report/paired.h"
#include "bench/sweep/sweep.h"

struct pair {
    double seconds[SIDES]; /* the least sample of the process; 0: not there */
    int number;            /* from 0, ascending; one that was interrupted leaves a gap */
};

struct pairing {
    size_t point[SIDES]; /* of the sweep */
    struct pair *pair;
    size_t n, room;
    bool ended;   /* a process was ok and has no time: there is nothing to compare */
    bool decided; /* at a look */
};

struct pairings {
    struct pairing *pairing;
    size_t n;
    bool *ended;      /* of each point of the sweep: its comparisons are over, for it had another result than ok */
    size_t *of_point; /* of each point of the sweep: the pairing in which it is the new one, or SWEEP_ALONE */
    size_t target;    /* complete pairs that the comparisons under way are to have: that of a look */
    double margin;
};

/* One for every point that has a partner; none without a baseline. False when out of memory. */
bool pairings_make(const struct sweep *sweep, struct pairings *pairings, struct error *error);
void pairings_free(struct pairings *pairings);

/* Takes one half of a pair. seconds: 0 where the process has none. False when out of memory. */
bool pairings_take(struct pairing *pairing, enum side side, int number, double seconds, enum result result);

/* Ends the comparisons of a point, or takes that back. */
void pairings_end(struct pairings *pairings, size_t point, bool ended);

/* The number of the next pair, which no pair had before. */
int pairings_next(const struct pairing *pairing);

size_t pairings_complete(const struct pairing *pairing);

/* Whether a pair of it is to be measured now. */
bool pairings_want(const struct pairings *pairings, size_t i);

/* Where all comparisons under way have as many pairs as a look needs: looks, and settles which of them go on to the next one. False when
 * out of memory. */
bool pairings_look(struct pairings *pairings);

/* Pairs that will be measured as far as is known now. */
size_t pairings_planned(const struct pairings *pairings);

#endif
