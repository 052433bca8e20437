/* The gradient of one head of the cell delta, token after token back in time. G is what the loss has of the state after a step,
 * first of a token's last step, y' of its output:
 *
 *     q' = S y' / sqrt(N)      G += q y'^T / sqrt(N)
 *     then for j = r ... 1, S the state before the step, a = e^g of the first step and 1 of the others:
 *     s = G^T k      k' = beta (G error - a S s)      v' = beta s      beta' = s . error      G <- G - beta k s^T
 *     g' = a sum(G . S)      G <- a G
 *
 * States are computed again, a stretch of about sqrt(T) tokens at a time, from those at its beginning. */
#ifndef IMPLS_DELTA_GRADIENT_H
#define IMPLS_DELTA_GRADIENT_H

#include "impls/delta/head.h"

#define delta_gradient_scratch VARIANT(delta_gradient_scratch)
#define delta_gradient_run VARIANT(delta_gradient_run)

/* Reals that it takes, per thread. */
int64_t delta_gradient_scratch(const struct problem *problem);

/* y_adjoint (B,T,d) and final_adjoint (B,d,N) may be NULL. Returns the token, b T + t, at which what goes back is no longer finite,
 * or B T. */
int64_t delta_gradient_run(const struct problem *problem, const struct inputs *inputs, const real *y_adjoint,
                           const real *final_adjoint, int64_t b, int64_t head, const struct gradients *gradients, real *scratch);

#endif
