/* See operators.h. With n = v / |v| of a row: w = g n, and dg = n . dw, dv = g (dw - n dg) / |v|. */
#include "train/math/operators.h"

#include "impls/math/vector.h"

/* 1 / |v|; 0 of a row that has no direction: it counts for nothing, and stays. */
static real reciprocal_length(const real *v, int64_t columns)
{
    real length = real_sqrt(dot(v, v, columns));
    return length > 0 ? 1 / length : 0;
}

void weight_norm_forward(int threads, int64_t rows, int64_t columns, int64_t parts, const real *v, const real *g, real *w)
{
    int64_t width = columns / parts;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < rows; i++) {
        real scale = g[i] * reciprocal_length(v + i * columns, columns);
        for (int64_t k = 0; k < parts; k++)
            set_scaled(scale, v + i * columns + k * width, w + (k * rows + i) * width, width);
    }
}

void weight_norm_backward(int threads, int64_t rows, int64_t columns, int64_t parts, const real *v, const real *g, const real *dw,
                          real *dv, real *dg)
{
    int64_t width = columns / parts;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < rows; i++) {
        const real *from = v + i * columns;
        real *to = dv + i * columns, reciprocal = reciprocal_length(from, columns), along = 0;
        for (int64_t k = 0; k < parts; k++)
            along += dot(from + k * width, dw + (k * rows + i) * width, width);
        dg[i] = along * reciprocal;
        set_scaled(-g[i] * dg[i] * reciprocal * reciprocal, from, to, columns);
        for (int64_t k = 0; k < parts; k++)
            add_scaled(g[i] * reciprocal, dw + (k * rows + i) * width, to + k * width, width);
    }
}
