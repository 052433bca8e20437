/* Translates a point for the rooms that measure: the problem, the regime of its inputs and the settings. Beside recipe.h this is
 * all of a sweep that decides a number (bench/build/build_identity.sh). */
#ifndef BENCH_SWEEP_TRANSLATE_H
#define BENCH_SWEEP_TRANSLATE_H

#include "bench/problems/regime.h"
#include "bench/sweep/field.h"
#include "bench/sweep/options.h"

/* Whether something is learnt: a training, or what is measured of what it left. */
bool point_is_trained(const struct point *point);

/* A number of a field; otherwise where the point does not use it. */
int64_t point_integer(const struct point *point, int field, int64_t otherwise);
double point_real(const struct point *point, int field, double otherwise);

/* Reads apart a text that names an implementation; false where there is none that is known. */
bool point_options(const struct point *point, int field, struct options *options);

/* As the contract wants it; what a point does not use is what the contract says for "none". */
struct problem point_problem(const struct point *point);
/* How its inputs come about; a file's name belongs to the point. */
struct regime point_regime(const struct point *point);
struct settings point_settings(const struct point *point);
/* How gradients are taken, as the fields gradient and gradient_steps say. */
void point_gradient(const struct point *point, struct settings *settings);
int point_threads(const struct point *point);
enum level point_level(const struct point *point);
const struct implementation *point_implementation(const struct point *point);
/* Whether a point's recurrence is computed on the CUDA device; false where no implementation is known. */
bool point_on_device(const struct point *point);

#endif
