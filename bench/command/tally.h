/* Which rounds of the points of a sweep are done: counted from the journal when a run resumes, and updated while it measures. */
#ifndef BENCH_COMMAND_TALLY_H
#define BENCH_COMMAND_TALLY_H

#include "bench/command/pairings.h"
#include "bench/journal/record.h"
#include "bench/sweep/sweep.h"

#include <jansson.h>

struct failed_round {
    int round;
    enum result result;
    bool again; /* it does not count: it is measured again, under the same number */
};

/* Of one point. Of a round that was measured again, the later record counts. */
struct point_tally {
    char key[KEY_SIZE];
    unsigned char *result;        /* a round: 0 while it is not done, else 1 + enum result */
    double *median;               /* a round: seconds a call, 0 where there is none */
    struct point_tally *training; /* the one that this point depends on, or NULL */
    bool ended;                   /* a round had another result than ok: a further one would say the same, or fail the same way */
    bool paired;                  /* of a comparison: its rounds are those of pairs */
    int next;                     /* the number of its next round there, but for those that are measured again */
    bool measured;                /* some round counts */
    struct failed_round *failed;  /* of these rounds those that ended otherwise than ok, in the order of the journal */
    size_t n_failed;
};

struct tally {
    const struct sweep *sweep;
    struct point_tally *point; /* as many as the sweep has, in its order */
    size_t *by_key;            /* their indices, keys ascending */
    int rounds;                /* the most that a point can have */
    bool retry;                /* rounds that failed do not count as done */
    size_t kept;               /* records of the journal that count */
    size_t other_conditions;   /* records of these points under other conditions: another build, other samples or libraries */
    size_t other_points;       /* records of points that the sweep has no longer */
    struct pairings pairings;  /* of points that are compared with others */
    bool no_memory;            /* for a pair */
};

/* False when out of memory. */
bool tally_make(const struct sweep *sweep, const struct conditions *conditions, bool retry, struct tally *tally,
                struct error *error);
void tally_free(struct tally *tally);

/* Counts a record of the journal; an unreadable one counts as that of another point. */
void tally_record(struct tally *tally, const json_t *record);

/* After the journal was read: points that were not measured because their training had failed are measured if it has succeeded
 * or will be repeated. */
void tally_settle(struct tally *tally);

/* Marks round 0 of a point as not done: its output is lost. */
void tally_forget(struct tally *tally, struct point_tally *point);

/* Whether a point that is in no pair is still to be measured in a round (from 0): all points in round 0; points whose measure repeats in the number
 * of rounds of the sweep, and further until their interval is narrow enough. */
bool tally_wants(const struct tally *tally, size_t point, int round);

/* The number of the next round of a point that is compared. */
int tally_next(const struct tally *tally, size_t point);

/* The result of a point: that of its rounds, the first other than ok if there is one; RESULT_COUNT while none is done. */
enum result tally_result(const struct tally *tally, size_t point);

/* Rounds that will be measured as far as is known now. */
size_t tally_planned(const struct tally *tally);

#endif
