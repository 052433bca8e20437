/* See transition.h. */
#include "impls/math/transition.h"

#include "impls/math/blas.h"
#include "impls/math/mixer.h"
#include "impls/math/vector.h"

#include <string.h>

int64_t transition_scratch(const struct problem *p)
{
    return mixer_size(p) + p->d * p->d + 4 * p->d + mixer_scratch(p);
}

/* The largest column sum of |M|; NaN or Inf when M is not finite. */
static real norm_1(const real *M, int64_t d)
{
    real most = 0;
    for (int64_t j = 0; j < d; j++) {
        real sum = 0;
        for (int64_t i = 0; i < d; i++)
            sum += real_abs(M[j * d + i]);
        if (!(sum <= most))
            most = sum;
        if (sum != sum)
            break;
    }
    return most;
}

enum decomposition matrix_decompose(int64_t d, real *M, real *estimate, int *pivots)
{
    int n = (int)d, info;
    real norm = norm_1(M, d), condition = 0;
    if (!(norm <= REAL_MAX))
        return NOT_FINITE;
    lapack_getrf(&n, &n, M, &n, pivots, &info);
    if (info != 0)
        return SINGULAR;
    lapack_gecon("1", &n, M, &n, &norm, &condition, estimate, pivots + d, &info, 1);
    return condition <= REAL_EPSILON * (real)(16 + d) ? SINGULAR : DECOMPOSED;
}

enum decomposition transition_decompose(const struct problem *p, const real *q, const real *lambda, real *M, int *pivots)
{
    int64_t d = p->d;
    real *estimate = M + d * d, *rest = estimate + 4 * d;
    mixer_matrix(p, q, M, rest);
    for (int64_t j = 0; j < d; j++)
        for (int64_t i = 0; i < d; i++) {
            real g = p->form == FORM_NORMALISED ? 1 - lambda[i] : 1;
            M[j * d + i] = (real)(i == j) - g * M[j * d + i];
        }
    return matrix_decompose(d, M, estimate, pivots);
}

bool transition_make(const struct problem *p, const real *theta, const real *lambda, real *A, real *scratch, int *pivots)
{
    int64_t d = p->d;
    real *q = scratch, *M = q + mixer_size(p);
    int n = (int)d, info;
    mixer_activate(p, theta, q, M + d * d + 4 * d);
    enum decomposition decomposition = transition_decompose(p, q, lambda, M, pivots);
    fill(A, decomposition == NOT_FINITE ? (real)NAN : 0, d * d);
    for (int64_t j = 0; j < d && decomposition == DECOMPOSED; j++)
        A[j * d + j] = lambda[j];
    if (decomposition == DECOMPOSED)
        lapack_getrs("N", &n, &n, M, &n, pivots, A, &n, &info, 1);
    return decomposition != SINGULAR;
}

void transition_apply(const struct problem *p, const real *A, const real *v, const real *before, real *h, real *difference)
{
    int64_t d = p->d;
    const real *x = before;
    if (p->form == FORM_NORMALISED) {
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            difference[c] = before[c] - v[c];
        x = difference;
    }
    memcpy(h, v, (size_t)d * sizeof(real));
    blas_gemv(CblasColMajor, CblasNoTrans, (int)d, (int)d, 1, A, (int)d, x, 1, 1, h, 1);
}
