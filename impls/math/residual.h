/* How far an iteration still moves: the residual of a token is max|next - h| / max|next| over its channels, 0/0 = 0; that of a
 * sequence is its worst token's. */
#ifndef IMPLS_MATH_RESIDUAL_H
#define IMPLS_MATH_RESIDUAL_H

#include "impls/impl.h"
#include "impls/math/real.h"

#define residual_measure VARIANT(residual_measure)
#define residual_wanted VARIANT(residual_wanted)
#define residual_count VARIANT(residual_count)

/* residual (B) of h (B,T,d) against next (B,T,d); token (B,T) is scratch. */
void residual_measure(const struct problem *problem, int threads, const real *h, const real *next, real *token, double *residual);

/* How many sequences must have a residual below the tolerance before all stop: more than there are, without a tolerance. */
int64_t residual_wanted(const struct problem *problem, const struct settings *settings);

/* How many of the residuals (B) of iteration l are below the tolerance; l_star (B; NULL: not wanted) gets l where it was 0. */
int64_t residual_count(const struct problem *problem, double tolerance, const double *residual, int64_t l, int64_t *l_star);

#endif
