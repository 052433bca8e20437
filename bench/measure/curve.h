/* The learning curve of a training, thinned to at most CURVE_ROWS_MAX rows: one row per fixed number of steps, so that a resumed
 * training leaves the same rows. */
#ifndef BENCH_MEASURE_CURVE_H
#define BENCH_MEASURE_CURVE_H

#include "train/training.h"

#include <jansson.h>

enum { CURVE_ROWS_MAX = 300 };

/* A column of the record, by name in curve_columns[]: over the steps of a row the last, the mean or the largest. NaN: there is
 * none. */
enum curve_column {
    CURVE_STEP,
    CURVE_LENGTH,
    CURVE_LOSS,
    CURVE_ACCURACY,
    CURVE_NORM,
    CURVE_ITERATIONS,
    CURVE_CHECKED, /* accuracy of the latest check on fresh examples */
    CURVE_SECONDS, /* of the whole training until then */
    CURVE_COLUMNS
};
extern const char *const curve_columns[CURVE_COLUMNS];

struct curve {
    int64_t every; /* steps a row */
    int n;
    double row[CURVE_ROWS_MAX][CURVE_COLUMNS];
    double open[CURVE_COLUMNS]; /* of the row that is not full: sums, or as it will stand there */
    int64_t open_n;
};

void curve_begin(struct curve *curve, int64_t steps);

/* One more step; checked: accuracy of the check after it, or NaN; seconds: of the training so far. */
void curve_add(struct curve *curve, const struct step *step, double checked, double seconds);

/* {"every": 14, "step": [14, 28, ...], "loss": [...], ...}; last: with the row that is not full as if it were. NULL: out of
 * memory. */
json_t *curve_to_json(const struct curve *curve, bool last);

/* For going on: the same with the open row apart. False where it is no such object. */
json_t *curve_to_state(const struct curve *curve);
bool curve_from_state(const json_t *state, struct curve *curve);

#endif
