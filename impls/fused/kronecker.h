/* A Kronecker mixer applied to many iterates of one token (fixed_point_fused.c): the two small products with their sums in registers. */
#ifndef IMPLS_FUSED_KRONECKER_H
#define IMPLS_FUSED_KRONECKER_H

#include "impls/math/lanes.h"

#define fused_kronecker_vectors VARIANT(fused_kronecker_vectors)
#define fused_kronecker_begin VARIANT(fused_kronecker_begin)
#define fused_kronecker_apply VARIANT(fused_kronecker_apply)

/* Vectors of scratch. */
int64_t fused_kronecker_vectors(int64_t n1, int64_t n2);

/* Takes the second factor B (n2,n2) of a token. */
void fused_kronecker_begin(int64_t n1, int64_t n2, const real *B, lanes *scratch);

/* y (n1,n2) = A x B^T with A (n1,n1) and the B that was taken. */
void fused_kronecker_apply(int64_t n1, int64_t n2, const real *A, const real *x, real *y, lanes *scratch);

#endif
