/* Leaves out panels that would show a single x beside others that show several, and names them. Sweeps of several lines through
 * one point produce many of them. */
#ifndef PLOTS_LEFT_OUT_H
#define PLOTS_LEFT_OUT_H

#include "plots/figure.h"

/* Drops the records of such panels from a grouped figure and fills its left_out. False when out of memory. */
bool leave_out_single_x(struct figure *figure);

#endif
