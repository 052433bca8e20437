/* See operators.h. OpenBLAS multiplies on one thread; rows of the result are divided among ours. */
#include "train/math/operators.h"

#include "impls/math/blas.h"

#include <string.h>

/* Part i of n rows divided among `parts`. */
static int64_t part(int64_t n, int64_t parts, int64_t i)
{
    return n * i / parts;
}

void linear_forward(int threads, int64_t N, int64_t in, int64_t out, const real *x, const real *w, const real *bias, bool add,
                    real *y)
{
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int i = 0; i < threads; i++) {
        int64_t from = part(N, threads, i), rows = part(N, threads, i + 1) - from;
        for (int64_t n = from; bias != NULL && n < from + rows; n++) {
            if (!add) {
                memcpy(y + n * out, bias, (size_t)out * sizeof(real));
                continue;
            }
#pragma omp simd
            for (int64_t c = 0; c < out; c++)
                y[n * out + c] += bias[c];
        }
        if (rows > 0)
            blas_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)out, (int)in, 1, x + from * in, (int)in, w, (int)in,
                      add || bias != NULL ? 1 : 0, y + from * out, (int)out);
    }
}

void columns_sum(int threads, int64_t N, int64_t columns, int64_t ld, const real *x, real *sum)
{
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int i = 0; i < threads; i++) {
        int64_t from = part(columns, threads, i), to = part(columns, threads, i + 1);
        memset(sum + from, 0, (size_t)(to - from) * sizeof(real));
        for (int64_t n = 0; n < N; n++) {
#pragma omp simd
            for (int64_t c = from; c < to; c++)
                sum[c] += x[n * ld + c];
        }
    }
}

void linear_backward(int threads, int64_t N, int64_t in, int64_t out, const real *x, const real *w, const real *dy, bool add,
                     real *dx, real *dw, real *dbias)
{
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int i = 0; i < threads; i++) {
        int64_t from = part(N, threads, i), rows = part(N, threads, i + 1) - from;
        if (dx != NULL && rows > 0)
            blas_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)in, (int)out, 1, dy + from * out, (int)out, w,
                      (int)in, add ? 1 : 0, dx + from * in, (int)in);
        from = part(out, threads, i), rows = part(out, threads, i + 1) - from;
        if (rows > 0)
            blas_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)rows, (int)in, (int)N, 1, dy + from, (int)out, x, (int)in, 0,
                      dw + from * in, (int)in);
    }
    if (dbias != NULL)
        columns_sum(threads, N, out, out, dy, dbias);
}
