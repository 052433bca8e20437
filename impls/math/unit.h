/* Vectors divided by their length: of the cells with a matrix state b and c. */
#ifndef IMPLS_MATH_UNIT_H
#define IMPLS_MATH_UNIT_H

#include "impls/math/real.h"

#include <stdint.h>

#define unit VARIANT(unit)
#define unit_adjoint VARIANT(unit_adjoint)

/* y (n) = x / max(||x||, 1e-5); y may be x. Returns what x is multiplied with; NaN where ||x||^2 is not finite. */
real unit(const real *x, real *y, int64_t n);

/* x_adjoint (n) from y = unit(x), what that returned, and y's adjoint; x_adjoint may be y_adjoint. */
void unit_adjoint(const real *y, real inverse, const real *y_adjoint, real *x_adjoint, int64_t n);

#endif
