/* The machine limits of a run: measured once per folder of a run, for each number of threads of its timed points, and the rate of
 * matrix products beside them; and what follows for a record: its bound, and a warning where the environment chose how OpenBLAS
 * computes. */
#ifndef BENCH_COMMAND_CALIBRATE_H
#define BENCH_COMMAND_CALIBRATE_H

#include "bench/journal/records.h"
#include "bench/machine/machine_file.h"
#include "bench/machine/product.h"
#include "bench/machine/roofs.h"
#include "bench/sweep/sweep.h"

struct calibration {
    json_t *json;               /* as machine.json holds them under "roofs"; NULL: nothing is timed */
    struct roofs *roofs;        /* the same */
    char name[SEAL_DIGITS + 1]; /* of the limits, in records */
    json_t *product;            /* as machine.json holds it under "product"; NULL: not measured */
    double loss;                /* product_loss() */
};

/* The names of the limits under which the rounds of a journal were measured. */
enum { LIMITS_NAMES_MAX = 64 };
struct limits_names {
    char name[LIMITS_NAMES_MAX][SEAL_DIGITS + 1];
    int n;
};
void limits_names_add(struct limits_names *names, const json_t *record);

/* Reads the limits from machine.json in the folder, if an earlier execution on this machine measured them; else measures them. Those
 * of a file that changed, or under which none of the rounds was measured, are measured anew, which out is told. Matrix
 * products are measured in each execution with timed points, and in any whose environment says how they are computed, whatever the
 * sweep says of calibration: they take a tenth of a second. False also where they are wrong: exact answers come from them. */
bool calibrate(const struct sweep *sweep, const char *program, const char *folder, const struct limits_names *names, FILE *out,
               struct calibration *calibration, struct error *error);
void calibration_free(struct calibration *calibration);

/* Sets throughput.bound of a record that has a speed; leaves any other as it is. False when out of memory. */
bool calibration_bound(const struct calibration *calibration, const struct point *point, json_t *record);

/* Adds the warning blas_forced to a record with a time that OpenBLAS has a share in. False when out of memory. */
bool calibration_warn(const struct calibration *calibration, const struct point *point, json_t *record);

#endif
