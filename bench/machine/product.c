/* See product.h: the checking and measuring, in this process. */
#include "bench/machine/product.h"

#include "bench/base/clock.h"
#include "impls/contract/support.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 256 };         /* of the matrices whose product is timed: three of them fill half of a second cache */
#define ENOUGH_SECONDS 10e-3 /* of samples */
enum { SAMPLES_LEAST = 3 };  /* and so many of them: the first touches the memory, a disturbance can only slow the others */

/* The three products of a layer: of its pass, of its backward pass, of its weights. */
enum { WAYS = 3 };
static const struct {
    const char *name;
    enum CBLAS_TRANSPOSE a, b;
} ways[WAYS] = {{"A B^T", CblasNoTrans, CblasTrans}, {"A B", CblasNoTrans, CblasNoTrans}, {"A^T B", CblasTrans, CblasNoTrans}};

/* Rows, columns and summands: the edges of kernels, long sums, several blocks. */
static const int shapes[][3] = {{1, 1, 1}, {37, 29, 400}, {130, 70, 33}, {150, 141, 301}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

/* Matrices A, B and C of either dtype, as the library gets them, and the first two as doubles. */
struct matrices {
    void *given[3];
    double *exact[2];
};

static void matrices_free(struct matrices *m)
{
    for (int i = 0; i < 3; i++)
        free(m->given[i]);
    for (int i = 0; i < 2; i++)
        free(m->exact[i]);
}

/* Numbers in [-1,1) that float32 holds, by a small generator: nobody else's random numbers depend on them. */
static double next_number(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(float)((double)(*state >> 40) * 0x1p-23 - 1);
}

static bool matrices_make(enum dtype dtype, const size_t size[3], struct matrices *m)
{
    uint64_t state = 1;
    *m = (struct matrices){.given = {NULL}};
    for (int i = 0; i < 3; i++)
        m->given[i] = calloc(size[i], dtype_size(dtype));
    for (int i = 0; i < 2; i++)
        m->exact[i] = malloc(size[i] * sizeof(double));
    if (m->given[0] == NULL || m->given[1] == NULL || m->given[2] == NULL || m->exact[0] == NULL || m->exact[1] == NULL) {
        matrices_free(m);
        return false;
    }
    for (int i = 0; i < 2; i++)
        for (size_t k = 0; k < size[i]; k++) {
            m->exact[i][k] = next_number(&state);
            if (dtype == DTYPE_FLOAT32)
                ((float *)m->given[i])[k] = (float)m->exact[i][k];
            else
                ((double *)m->given[i])[k] = m->exact[i][k];
        }
    return true;
}

/* C (m,n) = A B with k summands, row by row. */
static void multiply(enum dtype dtype, int way, int m, int n, int k, const struct matrices *x)
{
    int lda = ways[way].a == CblasTrans ? m : k, ldb = ways[way].b == CblasTrans ? k : n;
    if (dtype == DTYPE_FLOAT32)
        cblas_sgemm(CblasRowMajor, ways[way].a, ways[way].b, m, n, k, 1, x->given[0], lda, x->given[1], ldb, 0, x->given[2], n);
    else
        cblas_dgemm(CblasRowMajor, ways[way].a, ways[way].b, m, n, k, 1, x->given[0], lda, x->given[1], ldb, 0, x->given[2], n);
}

/* Every element within what rounding explains of a sum in any order, ours included: k units of the sum of the magnitudes each. */
static bool check_one(enum dtype dtype, int way, const int shape[3], const char *core, struct error *error)
{
    int m = shape[0], n = shape[1], k = shape[2];
    const size_t size[3] = {(size_t)(m * k), (size_t)(k * n), (size_t)(m * n)};
    double unit = dtype == DTYPE_FLOAT32 ? FLT_EPSILON : DBL_EPSILON;
    struct matrices x;
    bool good = matrices_make(dtype, size, &x) || fail_memory(error);
    if (!good)
        return false;
    multiply(dtype, way, m, n, k, &x);
    for (int i = 0; i < m && good; i++)
        for (int j = 0; j < n && good; j++) {
            double sum = 0, magnitude = 0;
            for (int s = 0; s < k; s++) {
                double one = x.exact[0][ways[way].a == CblasTrans ? s * m + i : i * k + s] *
                             x.exact[1][ways[way].b == CblasTrans ? j * k + s : s * n + j];
                sum += one;
                magnitude += fabs(one);
            }
            double found = dtype == DTYPE_FLOAT32 ? (double)((float *)x.given[2])[i * n + j] : ((double *)x.given[2])[i * n + j];
            if (!(fabs(found - sum) <= (k + 1) * unit * magnitude)) /* NaN is wrong */
                good = fail(error,
                            "OpenBLAS (%.60s) multiplies wrongly: row %d, column %d of %s in %s, (%d,%d) of %d summands, is %.9g; "
                            "expected %.9g. Nothing that it computes can be timed or trusted",
                            core, i, j, ways[way].name, dtype_names[dtype], m, n, k, found, sum);
        }
    matrices_free(&x);
    return good;
}

static bool measure_one(enum dtype dtype, double *rate, struct error *error)
{
    const size_t size[3] = {SIDE * SIDE, SIDE * SIDE, SIDE * SIDE};
    struct matrices x;
    if (!matrices_make(dtype, size, &x))
        return fail_memory(error);
    double best = INFINITY, spent = 0;
    for (int n = 0; n < SAMPLES_LEAST || spent < ENOUGH_SECONDS; n++) {
        double began = clock_seconds();
        multiply(dtype, 1, SIDE, SIDE, SIDE, &x);
        double seconds = clock_seconds() - began;
        best = fmin(best, seconds);
        spent += fmax(seconds, 1e-6); /* whatever the clock does, there is an end */
    }
    matrices_free(&x);
    *rate = best > 0 ? 2.0 * SIDE * SIDE * SIDE / best : 0;
    return true;
}

bool product_measure(struct product_rates *rates, struct error *error)
{
    *rates = (struct product_rates){.core = ""};
    const char *core = openblas_get_corename();
    snprintf(rates->core, sizeof rates->core, "%s", core != NULL ? core : "");
    team_start(1);
    bool good = true;
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++) {
        for (int i = 0; i < SHAPES * WAYS && good; i++)
            good = check_one(dtype, i % WAYS, shapes[i / WAYS], rates->core, error);
        good = good && measure_one(dtype, &rates->rate[dtype], error);
    }
    return good;
}
