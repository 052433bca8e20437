/* OpenBLAS under one name for both dtypes. Its own threads stay off: implementations divide the work themselves.
 *
 * LAPACK is called through its Fortran interface, which libopenblas exports everywhere (the C one comes from another package):
 * everything by address, and the length of each character argument at the end, as gfortran passes it. */
#ifndef IMPLS_MATH_BLAS_H
#define IMPLS_MATH_BLAS_H

#include "impls/math/real.h"

#include <cblas.h>
#include <stddef.h>

#if REAL_BITS == 32
#define blas_gemm cblas_sgemm
#define blas_gemv cblas_sgemv
#define lapack_getrf sgetrf_
#define lapack_getrs sgetrs_
#define lapack_gecon sgecon_
#else
#define blas_gemm cblas_dgemm
#define blas_gemv cblas_dgemv
#define lapack_getrf dgetrf_
#define lapack_getrs dgetrs_
#define lapack_gecon dgecon_
#endif

/* LU of a (m,n), column by column, with row pivots. */
void lapack_getrf(const int *m, const int *n, real *a, const int *lda, int *pivots, int *info);

/* b (n,columns) <- a^{-1} b with the LU above. */
void lapack_getrs(const char *transposed, const int *n, const int *columns, const real *a, const int *lda, const int *pivots,
                  real *b, const int *ldb, int *info, size_t transposed_length);

/* Estimate of 1 / condition of a from its LU and norm; work (4 n), integers (n). */
void lapack_gecon(const char *norm_kind, const int *n, const real *a, const int *lda, const real *norm, real *reciprocal,
                  real *work, int *integers, int *info, size_t norm_kind_length);

#endif
