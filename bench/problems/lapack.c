/* See lapack.h. */
#include "bench/problems/lapack.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

void dgeev_(const char *left, const char *right, const int *n, double *a, const int *lda, double *re, double *im, double *vl,
            const int *ldvl, double *vr, const int *ldvr, double *work, const int *lwork, int *info, size_t, size_t);
void dgesv_(const int *n, const int *nrhs, double *a, const int *lda, int *pivot, double *b, const int *ldb, int *info);

/* LAPACK may run on and on with a NaN in it. */
static bool all_finite(int64_t n, const double *a)
{
    bool finite = true;
    for (int64_t i = 0; i < n; i++)
        finite = finite && isfinite(a[i]);
    return finite;
}

/* a <- its transpose: LAPACK's columns are rows here. */
static void transpose(int64_t n, double *a)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) {
            double other = a[i * n + j];
            a[i * n + j] = a[j * n + i];
            a[j * n + i] = other;
        }
}

bool lapack_eigen(int64_t size, double *a, double *re, double *im, double *right, double *left)
{
    int n = (int)size, lwork = 8 * n, info;
    double *work = all_finite(size * size, a) ? malloc((size_t)lwork * sizeof *work) : NULL;
    if (work == NULL)
        return false;
    if (right != NULL || left != NULL)
        transpose(size, a); /* which has the same eigenvalues */
    dgeev_(left != NULL ? "V" : "N", right != NULL ? "V" : "N", &n, a, &n, re, im, left, &n, right, &n, work, &lwork, &info, 1, 1);
    free(work);
    return info == 0;
}

double lapack_radius(int64_t n, double *a)
{
    double most = 0, *re = malloc((size_t)(2 * n) * sizeof *re);
    bool good = re != NULL && lapack_eigen(n, a, re, re + n, NULL, NULL);
    for (int64_t i = 0; i < n && good; i++)
        most = fmax(most, hypot(re[i], re[n + i]));
    free(re);
    return good ? most : NAN;
}

bool lapack_solve(int64_t size, double *a, double *b)
{
    int n = (int)size, one = 1, info;
    int *pivot = all_finite(size * size, a) && all_finite(size, b) ? malloc((size_t)n * sizeof *pivot) : NULL;
    if (pivot == NULL)
        return false;
    transpose(size, a);
    dgesv_(&n, &one, a, &n, pivot, b, &n, &info);
    free(pivot);
    return info == 0;
}
