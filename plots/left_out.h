/* Panels that would show a single x, beside others that show several: left out, and named in words. Three lines through one point,
 * as sweeps often are, leave many of them. */
#ifndef PLOTS_LEFT_OUT_H
#define PLOTS_LEFT_OUT_H

#include "plots/figure.h"

/* Drops the records of such panels from a grouped figure and fills its left_out. False when out of memory. */
bool leave_out_single_x(struct figure *figure);

#endif
