/* The machine limits of a run: measured once per folder of a run, for each number of threads of its timed points, and the rate of
 * matrix products beside them; and what follows for a record: its bound, and a warning where the environment chose how OpenBLAS
 * computes. */
#ifndef BENCH_COMMAND_CALIBRATE_H
#define BENCH_COMMAND_CALIBRATE_H

#include "bench/machine/product.h"
#include "bench/machine/roofs.h"
#include "bench/sweep/sweep.h"

struct calibration {
    json_t *json;        /* as machine.json holds them under "roofs"; NULL: nothing is timed */
    struct roofs *roofs; /* the same */
    json_t *product;     /* as machine.json holds it under "product"; NULL: not measured */
    double loss;         /* product_loss() */
};

/* Reads the limits from machine.json in the folder, if an earlier execution on this machine measured them; else measures them. Matrix
 * products are measured in each execution with timed points, and in any whose environment says how they are computed, whatever the
 * sweep says of calibration: they take a tenth of a second. False also where they are wrong: exact answers come from them. */
bool calibrate(const struct sweep *sweep, const char *program, const char *folder, struct calibration *calibration,
               struct error *error);
void calibration_free(struct calibration *calibration);

/* Sets throughput.bound of a record that has a speed; leaves any other as it is. False when out of memory. */
bool calibration_bound(const struct calibration *calibration, const struct point *point, json_t *record);

/* Adds the warning blas_forced to a record with a time that OpenBLAS has a share in. False when out of memory. */
bool calibration_warn(const struct calibration *calibration, const struct point *point, json_t *record);

#endif
