/* The gradient of one token of the recurrence
 *
 *     f_t = Lambda f_{t-1} + G w,   w = v + (I - Q)(h - v)       (plain: without G)
 *
 * from the adjoint s of f_t: what every backward() does for each token, however it came by s. */
#ifndef IMPLS_MATH_TOKEN_GRADIENT_H
#define IMPLS_MATH_TOKEN_GRADIENT_H

#include "impls/impl.h"
#include "impls/math/real.h"

#define token_gradient_scratch VARIANT(token_gradient_scratch)
#define token_gradient VARIANT(token_gradient)

/* What one token is computed from, and where its gradient goes. All are rows (d), but for the parameters. */
struct token {
    const real *v, *lambda, *h, *w, *before; /* before: f_{t-1} */
    const real *theta, *q;                   /* (m) raw with what the state adds to them, (mixer_size) activated */
    const real *s;
    real *v_adjoint, *lambda_adjoint; /* NULL: not computed */
    real *theta_adjoint;              /* (m) */
    real *h_adjoint;                  /* (I - Q)^T G s: overwritten */
    bool add;                         /* to v_adjoint and lambda_adjoint, rather than overwrite them */
};

/* Reals of scratch that one thread needs. */
int64_t token_gradient_scratch(const struct problem *problem);

void token_gradient(const struct problem *problem, const struct token *token, real *scratch);

#endif
