/* See kronecker.h. */
#include "impls/fused/kronecker.h"

#include "impls/math/vector.h"

enum { ROWS = 4 }; /* of a product that are summed up together: enough sums to hide what a multiply-add takes */

static int64_t row_vectors(int64_t n2)
{
    return (n2 + LANES - 1) / LANES;
}

/* B^T (n2,n2), then x B^T (n1,n2), then the rows of a product (ROWS,n2), in whole vectors. */
int64_t fused_kronecker_vectors(int64_t n1, int64_t n2)
{
    return (n2 + n1 + ROWS) * row_vectors(n2);
}

void fused_kronecker_begin(int64_t n1, int64_t n2, const real *B, lanes *scratch)
{
    int64_t stride = row_vectors(n2) * LANES;
    real *transposed = (real *)scratch;
    (void)n1;
    fill(transposed, 0, n2 * stride);
    for (int64_t i = 0; i < n2; i++)
        for (int64_t j = 0; j < n2; j++)
            transposed[j * stride + i] = B[i * n2 + j];
}

/* y (rows,width) = x (rows,n), rows of it `apart`, times matrix (n,width); width in vectors. */
static inline __attribute__((always_inline)) void product(const int rows, int64_t n, int64_t width, const real *x, int64_t apart,
                                                          const lanes *matrix, lanes *y)
{
    for (int64_t c = 0; c < width; c++) {
        lanes sum[ROWS];
        for (int i = 0; i < ROWS; i++)
            sum[i] = (lanes){0};
        for (int64_t k = 0; k < n; k++) {
            const lanes one = matrix[k * width + c];
#pragma GCC unroll 4
            for (int i = 0; i < rows; i++)
                sum[i] += one * x[i * apart + k];
        }
#pragma GCC unroll 4
        for (int i = 0; i < rows; i++)
            y[i * width + c] = sum[i];
    }
}

static void products(int64_t rows, int64_t n, int64_t width, const real *x, int64_t apart, const lanes *matrix, lanes *y)
{
    if (rows == ROWS)
        product(ROWS, n, width, x, apart, matrix, y);
    else
        for (int64_t i = 0; i < rows; i++)
            product(1, n, width, x + i * apart, apart, matrix, y + i * width);
}

void fused_kronecker_apply(int64_t n1, int64_t n2, const real *A, const real *x, real *y, lanes *scratch)
{
    int64_t width = row_vectors(n2);
    lanes *between = scratch + n2 * width, *rows = between + n1 * width;
    for (int64_t i = 0; i < n1; i += ROWS)
        products(n1 - i < ROWS ? n1 - i : ROWS, n2, width, x + i * n2, n2, scratch, between + i * width);
    for (int64_t i = 0; i < n1; i += ROWS) {
        int64_t count = n1 - i < ROWS ? n1 - i : ROWS;
        products(count, n1, width, A + i * n1, n1, between, rows);
        for (int64_t k = 0; k < count; k++)
            memcpy(y + (i + k) * n2, rows + k * width, (size_t)n2 * sizeof(real));
    }
}
