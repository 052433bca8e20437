/* Whether a point makes sense, before anything is computed. */
#ifndef BENCH_SWEEP_CHECK_H
#define BENCH_SWEEP_CHECK_H

#include "bench/sweep/point.h"

/* False, with the reason, when the combination is nonsense (problem_check and the like); *section: which part of a sweep file it is
 * about. */
bool point_check(const struct point *point, enum section *section, struct error *error);

#endif
