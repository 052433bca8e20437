/* The comparisons of a run with its baseline: which rounds are pairs, and the verdicts that follow. A ratio is one of two processes that
 * ran in succession, never of medians that belong to different hours. */
#ifndef BENCH_REPORT_PAIRED_H
#define BENCH_REPORT_PAIRED_H

#include "bench/journal/records.h"
#include "bench/report/verdict.h"

#include <stdio.h>

/* Which half of a pair a record is; both records have the number of the pair, and each the key of the other. */
enum side { SIDE_NEW, SIDE_BASELINE, SIDES };
enum { PAIR_NUMBER_MOST = 1000000000 };
extern const char *const side_names[SIDES];

struct comparison {
    char key[KEY_SIZE]; /* of the point that is compared */
    char baseline_key[KEY_SIZE];
    const char *baseline;      /* the implementation it is compared with; it belongs to the records */
    size_t line;               /* of the journal, of its last half */
    enum result result[SIDES]; /* of all rounds of the two points that count: the first other than ok, if there is one */
    struct contest contest;
    const double *medians;   /* as contest.x, of the median of each process */
    double ratio_of_medians; /* estimated like contest.estimate; shown, and decides nothing */
};

struct comparisons {
    struct comparison *comparison; /* by the keys of their points */
    size_t n;
    double *x, *medians; /* what the contests stand on */
};

/* Of records that are a round each (not merged), those of points that are not in the run any more left out; of a round that stands there
 * twice the later line counts, as everywhere. baseline: the run's, and only what is compared with it counts; NULL: that of its last pair.
 * A comparison of which one half is missing throughout is none: its baseline was built anew since. False when out of memory. */
bool comparisons_of(const struct records *records, const char *baseline, double margin, struct comparisons *comparisons,
                    struct error *error);
void comparisons_free(struct comparisons *comparisons);

/* That of the point of a record; NULL where it is not compared. */
const struct comparison *comparison_of(const struct comparisons *comparisons, const struct record *record);

/* Sets the columns of the verdicts in the merged records (summary.h). False when out of memory. */
bool comparisons_add(const struct comparisons *comparisons, struct records *merged, struct error *error);

/* Prints them as a table, and the geometric mean over the points of an implementation; nothing where there is none. False when out of
 * memory. */
bool comparisons_print(FILE *out, const struct comparisons *comparisons, const struct records *merged, struct error *error);

#endif
