/* See product.h. The sums of a few rows and one panel stay in registers. */
#include "impls/fused/product.h"

#include "impls/math/vector.h"

#define INLINE static inline __attribute__((always_inline))

enum { PANEL = 2, ROWS = LANE_BYTES == 64 ? 12 : 6, FEW = 3 }; /* vectors of a panel; rows that its registers have room for */

static int64_t row_vectors(int64_t m)
{
    return (m + LANES - 1) / LANES;
}

int64_t fused_product_vectors(int64_t m, int64_t d)
{
    return row_vectors(m) * d;
}

void fused_product_pack(int64_t m, int64_t d, const real *W, lanes *packed)
{
    int64_t all = row_vectors(m);
    real *to = (real *)packed;
    for (int64_t panel = 0; panel < all; panel += PANEL) {
        int64_t width = (all - panel < PANEL ? 1 : PANEL) * LANES, first = panel * LANES;
        for (int64_t c = 0; c < d; c++)
            for (int64_t i = 0; i < width; i++)
                *to++ = first + i < m ? W[(first + i) * d + c] : 0;
    }
}

/* theta (rows, width) += k (rows,d) times a panel (d,vectors); rows of theta are m apart. */
INLINE void multiply(const int rows, const int vectors, int64_t width, int64_t m, int64_t d, const real *k, const lanes *panel,
                     real *theta)
{
    lanes sum[ROWS][PANEL];
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            sum[i][j] = (lanes){0};
    for (int64_t c = 0; c < d; c++, panel += vectors) {
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++) {
            const real one = k[i * d + c];
#pragma GCC unroll 2
            for (int j = 0; j < vectors; j++)
                sum[i][j] += panel[j] * one;
        }
    }
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++) {
            real *to = theta + i * m + (int64_t)j * LANES;
            int64_t left = width - (int64_t)j * LANES;
            if (left >= LANES) {
                lanes_store(to, lanes_load(to) + sum[i][j]);
            } else {
                lanes part = lanes_load_part(to, left) + sum[i][j];
                memcpy(to, &part, (size_t)left * sizeof(real));
            }
        }
}

INLINE void run_panel(const int vectors, int64_t rows, int64_t width, int64_t m, int64_t d, const real *k, const lanes *panel,
                      real *theta)
{
    int64_t i = 0;
    for (; i + ROWS <= rows; i += ROWS)
        multiply(ROWS, vectors, width, m, d, k + i * d, panel, theta + i * m);
    for (; i + FEW <= rows; i += FEW)
        multiply(FEW, vectors, width, m, d, k + i * d, panel, theta + i * m);
    for (; i < rows; i++)
        multiply(1, vectors, width, m, d, k + i * d, panel, theta + i * m);
}

void fused_product_run(int64_t rows, int64_t m, int64_t d, const real *k, const lanes *packed, real *theta)
{
    int64_t all = row_vectors(m);
    for (int64_t panel = 0; panel < all; panel += PANEL) {
        int64_t first = panel * LANES;
        if (all - panel >= PANEL)
            run_panel(PANEL, rows, m - first, m, d, k, packed + panel * d, theta + first);
        else
            run_panel(1, rows, m - first, m, d, k, packed + panel * d, theta + first);
    }
}
