/* See solve.h. */
#include "impls/delta/solve.h"

#include "impls/math/blas.h"

#define INLINE static inline __attribute__((always_inline))

enum { ROWS = 16, BLOCK = 4 /* vectors of a row that are worked on together */ };

/* `vectors` of the rows begin ... end - 1 from within themselves; by = -1: each from those before it, by = 1: from those after it.
 * a(i,j) is the coefficient of row j in row i. */
INLINE void rows_of(const int vectors, const int by, int64_t n, int64_t width, int64_t begin, int64_t end, const real *A,
                    const real *beta, real *x, real *scaled)
{
    for (int64_t k = 0; k < end - begin; k++) {
        const int64_t i = by < 0 ? begin + k : end - 1 - k, from = by < 0 ? begin : i + 1, to = by < 0 ? i : end;
        lanes sum[BLOCK];
#pragma GCC unroll 4
        for (int c = 0; c < vectors; c++)
            sum[c] = lanes_load(x + i * width + c * LANES);
        for (int64_t j = from; j < to; j++) {
            const real a = by < 0 ? -A[i * n + j] : A[j * n + i];
#pragma GCC unroll 4
            for (int c = 0; c < vectors; c++)
                sum[c] += a * lanes_load(scaled + j * width + c * LANES);
        }
        const real b = by < 0 ? beta[i] : -beta[i];
#pragma GCC unroll 4
        for (int c = 0; c < vectors; c++) {
            lanes_store(x + i * width + c * LANES, sum[c]);
            lanes_store(scaled + i * width + c * LANES, b * sum[c]);
        }
    }
}

INLINE void block(const int by, int64_t n, int64_t width, int64_t begin, int64_t end, const real *A, const real *beta, real *x,
                  real *scaled)
{
    int64_t c = 0;
    for (; c + BLOCK * LANES <= width; c += BLOCK * LANES)
        rows_of(BLOCK, by, n, width, begin, end, A, beta, x + c, scaled + c);
    for (; c < width; c += LANES)
        rows_of(1, by, n, width, begin, end, A, beta, x + c, scaled + c);
}

void delta_solve(int64_t n, int64_t width, const real *A, const real *beta, real *e, real *X)
{
    for (int64_t begin = 0; begin < n; begin += ROWS) {
        const int64_t end = begin + ROWS < n ? begin + ROWS : n;
        if (begin > 0)
            blas_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)(end - begin), (int)width, (int)begin, -1, A + begin * n,
                      (int)n, X, (int)width, 1, e + begin * width, (int)width);
        block(-1, n, width, begin, end, A, beta, e, X);
    }
}

void delta_solve_back(int64_t n, int64_t width, const real *A, const real *beta, real *s, real *m)
{
    for (int64_t begin = (n - 1) / ROWS * ROWS; begin >= 0; begin -= ROWS) {
        const int64_t end = begin + ROWS < n ? begin + ROWS : n;
        if (end < n)
            blas_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)(end - begin), (int)width, (int)(n - end), 1,
                      A + end * n + begin, (int)n, m + end * width, (int)width, 1, s + begin * width, (int)width);
        block(1, n, width, begin, end, A, beta, s, m);
    }
}
