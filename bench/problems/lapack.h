/* What this room needs of LAPACK, in its Fortran interface (see impls/math/blas.h), for row-major matrices. */
#ifndef BENCH_PROBLEMS_LAPACK_H
#define BENCH_PROBLEMS_LAPACK_H

#include <stdbool.h>
#include <stdint.h>

/* Eigenvalues re + i im (n) of a (n,n), which is overwritten, balanced before. right, left (n,n), or NULL: a row for each eigenvalue, of
 * length 1; of a pair of conjugates two rows hold the real and the imaginary part. left: u^H a = lambda u^H. False: something is not
 * finite, LAPACK's iteration failed, or there is no memory. */
bool lapack_eigen(int64_t n, double *a, double *re, double *im, double *right, double *left);

/* Largest |eigenvalue| of a (n,n), which is overwritten; NaN where there is none to be had. */
double lapack_radius(int64_t n, double *a);

/* x (n) of a x = b, a (n,n) and b overwritten: b becomes x. False: a is singular, not finite, or there is no memory. */
bool lapack_solve(int64_t n, double *a, double *b);

#endif
