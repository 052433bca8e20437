/* The dense transition A_t of one token, materialised by an LU solve, for any mixer:
 *
 *     normalised:  A_t = M_t^{-1} Lambda_t,  M_t = I - G_t (I - Q_t),   h_t = v_t + A_t (h_{t-1} - v_t)
 *     plain:       A_t = Q_t^{-1} Lambda_t,                             h_t = v_t + A_t h_{t-1} */
#ifndef IMPLS_MATH_TRANSITION_H
#define IMPLS_MATH_TRANSITION_H

#include "impls/impl.h"
#include "impls/math/real.h"

#define transition_scratch VARIANT(transition_scratch)
#define matrix_decompose VARIANT(matrix_decompose)
#define transition_decompose VARIANT(transition_decompose)
#define transition_make VARIANT(transition_make)
#define transition_apply VARIANT(transition_apply)

enum decomposition { DECOMPOSED, NOT_FINITE, SINGULAR };

/* Reals of scratch of transition_make(). */
int64_t transition_scratch(const struct problem *problem);

/* LU of M (d,d), column by column, in its place; estimate (4 d) is scratch, pivots (2 d). Singular is what LAPACK's estimate of the
 * condition calls so to working precision. */
enum decomposition matrix_decompose(int64_t d, real *M, real *estimate, int *pivots);

/* LU of M_t (plain: Q_t) in M (d,d), column by column, from activated parameters; scratch for 4 d reals and the mixer's follows it.
 * pivots (2 d). */
enum decomposition transition_decompose(const struct problem *problem, const real *q, const real *lambda, real *M, int *pivots);

/* A (d,d), column by column, from raw parameters (m). False: singular. Parameters that are not finite give a matrix of NaN. */
bool transition_make(const struct problem *problem, const real *theta, const real *lambda, real *A, real *scratch, int *pivots);

/* h (d) = v + A (before - v), or v + A before; difference (d) is scratch. */
void transition_apply(const struct problem *problem, const real *A, const real *v, const real *before, real *h, real *difference);

#endif
