/* What is left of a token of the selective cell once the state and the output before it are known:
 *
 *     y = LayerNorm(w),  w = base + response . xt,  xt = x - (I - Q)(x - y)         (or y = w, where the output is not normalised)
 *     base = gate . (D c),  response = gate . (dt (b . c) + skip),  D = exp(-dt A) . H_{t-1}
 *
 * An equation in d numbers: N does not enter. sequential.h leads over the tokens; how one of them is solved is the implementation's. */
#ifndef IMPLS_SELECTIVE_EQUATION_H
#define IMPLS_SELECTIVE_EQUATION_H

#include "impls/selective/token.h"

struct equation {
    const real *q;               /* mixer_size() */
    const real *x;               /* (d), all below too */
    const real *base, *response; /* with the gate in them */
    const real *gain, *bias;     /* NULL: the output is not normalised */
    int64_t at_most;             /* 0, or the iterate of this number is taken where none before it was at rest */
};

enum answer {
    ANSWER_NOT_FINITE,
    ANSWER_SINGULAR, /* the equation is linear, or its derivative is asked for, and its matrix is singular */
    ANSWER_NONE,     /* the iteration of this token from y = 0 comes to no rest */
    ANSWER_FOUND,
    ANSWER_ITERATE /* no answer, but the last iterate that at_most allows, and its xt */
};

/* The iteration of a token is given up after so many. One that contracts at all, if by no more than 1 - 1e-3 each, is at rest long before. */
enum { EQUATION_ITERATIONS = 100000 };

/* y (d) and xt (d), on a thread of the plan. Without an answer they are NaN. */
typedef enum answer equation_solve(struct plan *plan, int thread, const struct equation *equation, real *y, real *xt);

/* lambda (d), the adjoint of LayerNorm(w), from ybar (d), what follows the token gives y, and pull (d), what it gives xt:
 *     lambda = ybar + (I - Q)^T (pull + response . L^T lambda),  L the derivative of LayerNorm at w (d), whose numbers are norm
 * singular where (I - L diag(response) (I - Q)) is: two fixed points merge there. */
typedef enum answer equation_adjoint(struct plan *plan, int thread, const struct equation *equation, const real *w,
                                     struct row_norm norm, const real *pull, const real *ybar, real *lambda);

#endif
