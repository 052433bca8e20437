/* The triangular systems of a chunk (chunk.h), blocks of rows at once: what a block takes of the others is a matrix product. */
#ifndef IMPLS_DELTA_SOLVE_H
#define IMPLS_DELTA_SOLVE_H

#include "impls/math/lanes.h"

#define delta_solve VARIANT(delta_solve)
#define delta_solve_back VARIANT(delta_solve_back)

/* With A (n,n), of which the part below the diagonal counts, and rows of `width`, whole vectors of them:
 * e <- e - A X, X = beta e: the first row first. */
void delta_solve(int64_t n, int64_t width, const real *A, const real *beta, real *e, real *X);

/* s <- s + A^T m, m = -beta s: the last row first. */
void delta_solve_back(int64_t n, int64_t width, const real *A, const real *beta, real *s, real *m);

#endif
