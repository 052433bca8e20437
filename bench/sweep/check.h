/* Checks a point before anything is computed. */
#ifndef BENCH_SWEEP_CHECK_H
#define BENCH_SWEEP_CHECK_H

#include "bench/sweep/point.h"

/* False, with the reason, when the combination is invalid (problem_check and the like); *section: the part of the sweep file
 * that it concerns. */
bool point_check(const struct point *point, enum section *section, struct error *error);

#endif
