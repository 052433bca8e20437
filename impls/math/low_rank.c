/* See low_rank.h. */
#include "impls/math/low_rank.h"

#include "impls/math/vector.h"

int64_t low_rank_scratch(const struct problem *p)
{
    return p->r * p->r;
}

/* Solves A x = y (A (r,r) row-major, y r rows of `columns`, both overwritten) by elimination with partial pivoting. False when a
 * pivot is no larger than low_rank_tiny(). What is not finite is not singular: it goes through, and shows in y. */
static bool solve(const struct problem *p, int64_t columns, real *A, real *y)
{
    int64_t n = p->r;
    real scale = max_abs(A, n * n);
    if (scale > REAL_MAX) {
        fill(y, (real)NAN, n * columns);
        return true;
    }
    real tiny = low_rank_tiny(p, scale);
    for (int64_t k = 0; k < n; k++) {
        int64_t pivot = k;
        for (int64_t i = k + 1; i < n; i++)
            if (real_abs(A[i * n + k]) > real_abs(A[pivot * n + k]))
                pivot = i;
        if (real_abs(A[pivot * n + k]) <= tiny)
            return false;
        for (int64_t j = k; j < n && pivot != k; j++) {
            real swap = A[k * n + j];
            A[k * n + j] = A[pivot * n + j];
            A[pivot * n + j] = swap;
        }
        for (int64_t j = 0; j < columns && pivot != k; j++) {
            real swap = y[k * columns + j];
            y[k * columns + j] = y[pivot * columns + j];
            y[pivot * columns + j] = swap;
        }
        for (int64_t i = k + 1; i < n; i++) {
            real factor = A[i * n + k] / A[k * n + k];
            for (int64_t j = k + 1; j < n; j++)
                A[i * n + j] -= factor * A[k * n + j];
            for (int64_t j = 0; j < columns; j++)
                y[i * columns + j] -= factor * y[k * columns + j];
        }
    }
    for (int64_t k = n - 1; k >= 0; k--)
        for (int64_t i = 0; i < columns; i++) {
            for (int64_t j = k + 1; j < n; j++)
                y[k * columns + i] -= A[k * n + j] * y[j * columns + i];
            y[k * columns + i] /= A[k * n + k];
        }
    return true;
}

/* The entries (i,j) and (j,i), j <= i, of A = F - S W, from those of W and U^T U. */
static void put(const struct problem *p, const real *strength, int64_t i, int64_t j, real weighted, real gram, real *A)
{
    int64_t r = p->r;
    A[i * r + j] = (real)(i == j) - strength[i] * weighted;
    if (i == j)
        return;
    A[j * r + i] = -strength[j] * weighted;
    if (mixer_facts[p->mixer].product)
        A[i * r + j] += strength[i] * gram;
}

/* A (r,r) = F - S W */
static void core(const struct problem *p, const real *q, const real *g, real *A)
{
    int64_t r = p->r, d = p->d;
    for (int64_t i = 0; i < r; i++)
        for (int64_t j = 0; j <= i; j++) {
            const real *ui = q + i * d, *uj = q + j * d;
            real weighted = g != NULL ? dot_weighted(g, ui, uj, d) : dot(ui, uj, d);
            bool other = g != NULL && i != j && mixer_facts[p->mixer].product;
            put(p, q + r * d, i, j, weighted, other ? dot(ui, uj, d) : weighted, A);
        }
}

bool low_rank_solve(const struct problem *p, const real *q, const real *g, real *y, real *scratch)
{
    int64_t r = p->r, d = p->d;
    core(p, q, g, scratch);
    for (int64_t i = 0; i < r; i++)
        y[i] *= q[r * d + i];
    return solve(p, 1, scratch, y);
}

bool low_rank_inverse(const struct problem *p, const real *q, const real *g, real *C, real *scratch)
{
    int64_t r = p->r, d = p->d;
    core(p, q, g, scratch);
    fill(C, 0, r * r);
    for (int64_t i = 0; i < r; i++)
        C[i * r + i] = q[r * d + i];
    return solve(p, r, scratch, C);
}

bool low_rank_inverse_of(const struct problem *p, const real *S, const real *W, const real *N, real *C, real *scratch)
{
    int64_t r = p->r;
    fill(C, 0, r * r);
    for (int64_t i = 0; i < r; i++) {
        C[i * r + i] = S[i];
        for (int64_t j = 0; j <= i; j++)
            put(p, S, i, j, W[i * r + j], N[i * r + j], scratch);
    }
    return solve(p, r, scratch, C);
}

bool low_rank_solve_transposed(const struct problem *p, const real *q, const real *g, real *y, real *scratch)
{
    int64_t r = p->r, d = p->d;
    core(p, q, g, scratch);
    for (int64_t i = 0; i < r; i++)
        for (int64_t j = 0; j < i; j++) {
            real swap = scratch[i * r + j];
            scratch[i * r + j] = scratch[j * r + i];
            scratch[j * r + i] = swap;
        }
    bool regular = solve(p, 1, scratch, y);
    for (int64_t i = 0; i < r; i++)
        y[i] *= q[r * d + i];
    return regular;
}
