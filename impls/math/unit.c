/* See unit.h. */
#include "impls/math/unit.h"

#include "impls/math/mixer.h"
#include "impls/math/sums.h"
#include "impls/math/vector.h"

real unit(const real *x, real *y, int64_t n)
{
    real inverse = norm_inverse(row_dot(x, x, n));
    set_scaled(inverse, x, y, n);
    return inverse;
}

void unit_adjoint(const real *y, real inverse, const real *y_adjoint, real *x_adjoint, int64_t n)
{
    /* where the length counted as 1e-5 it is a constant */
    real along = inverse < 1 / NORM_LEAST ? row_dot(y, y_adjoint, n) : 0;
#pragma omp simd
    for (int64_t c = 0; c < n; c++)
        x_adjoint[c] = inverse * (y_adjoint[c] - along * y[c]);
}
