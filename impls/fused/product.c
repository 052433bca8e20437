/* See product.h. The sums of a few rows and one panel stay in registers. */
#include "impls/fused/product.h"

#include "impls/math/vector.h"

#define INLINE static inline __attribute__((always_inline))

/* Vectors of a panel and rows that the registers have room for: more vectors than rows need fewer loads of k for a multiply-add. FEW rows
 * still keep the multiply-adds busy; AHEAD: a panel is fetched into the first cache so many channels before it is used. */
enum { PANEL = LANE_BYTES == 64 ? 4 : 2, ROWS = 6, FEW = 4, FEWER = 2, AHEAD = 8 };

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
        int64_t width = (all - panel < PANEL ? all - panel : PANEL) * LANES, first = panel * LANES;
        for (int64_t c = 0; c < d; c++)
            for (int64_t i = 0; i < width; i++)
                *to++ = first + i < m ? W[(first + i) * d + c] : 0;
    }
}

/* theta (rows, vectors) += k (rows,d) times a panel (d,vectors); rows of theta are `stride` apart. */
INLINE void multiply(const int rows, const int vectors, int64_t stride, int64_t d, const real *k, const lanes *panel, real *theta)
{
    lanes sum[ROWS][PANEL];
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++)
            sum[i][j] = (lanes){0};
    for (int64_t c = 0; c < d; c++, panel += vectors) {
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++)
            __builtin_prefetch(panel + AHEAD * vectors + j);
#pragma GCC unroll 6
        for (int i = 0; i < rows; i++) {
            const real one = k[i * d + c];
#pragma GCC unroll 4
            for (int j = 0; j < vectors; j++)
                sum[i][j] += panel[j] * one;
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) {
            real *to = theta + i * stride + (int64_t)j * LANES;
            lanes_store(to, lanes_load(to) + sum[i][j]);
        }
}

INLINE void run_panel(const int vectors, int64_t rows, int64_t stride, int64_t d, const real *k, const lanes *panel, real *theta)
{
    int64_t i = 0;
    for (; i + ROWS <= rows; i += ROWS)
        multiply(ROWS, vectors, stride, d, k + i * d, panel, theta + i * stride);
    for (; i + FEW <= rows; i += FEW)
        multiply(FEW, vectors, stride, d, k + i * d, panel, theta + i * stride);
    for (; i + FEWER <= rows; i += FEWER)
        multiply(FEWER, vectors, stride, d, k + i * d, panel, theta + i * stride);
    for (; i < rows; i++)
        multiply(1, vectors, stride, d, k + i * d, panel, theta + i * stride);
}

typedef void panel_run(int64_t rows, int64_t stride, int64_t d, const real *k, const lanes *panel, real *theta);
#define PANEL_OF(n)                                                                                                                \
    static void run_##n(int64_t rows, int64_t stride, int64_t d, const real *k, const lanes *panel, real *theta)                   \
    {                                                                                                                              \
        run_panel(n, rows, stride, d, k, panel, theta);                                                                            \
    }

PANEL_OF(1)
PANEL_OF(2)
#if LANE_BYTES == 64
PANEL_OF(3)
PANEL_OF(4)
static panel_run *const run_of[PANEL] = {run_1, run_2, run_3, run_4};
#else
static panel_run *const run_of[PANEL] = {run_1, run_2};
#endif

/* A panel that theta ends within, after `width` numbers. */
static void run_last(panel_run *run, int64_t rows, int64_t width, int64_t m, int64_t d, const real *k, const lanes *panel,
                     real *theta)
{
    enum { STRIDE = PANEL * LANES };
    for (int64_t from = 0; from < rows; from += ROWS) {
        real whole[ROWS * STRIDE] = {0};
        int64_t n = rows - from < ROWS ? rows - from : ROWS;
        run(n, STRIDE, d, k + from * d, panel, whole);
        for (int64_t i = 0; i < n; i++)
            add_scaled(1, whole + i * STRIDE, theta + (from + i) * m, width);
    }
}

void fused_product_run(int64_t rows, int64_t m, int64_t d, const real *k, const lanes *packed, real *theta)
{
    int64_t all = row_vectors(m);
    for (int64_t panel = 0; panel < all; panel += PANEL) {
        int64_t first = panel * LANES, vectors = all - panel < PANEL ? all - panel : PANEL;
        if (m - first >= vectors * LANES)
            run_of[vectors - 1](rows, m, d, k, packed + panel * d, theta + first);
        else
            run_last(run_of[vectors - 1], rows, m - first, m, d, k, packed + panel * d, theta + first);
    }
}
