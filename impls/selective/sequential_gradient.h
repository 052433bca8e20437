/* The gradients of the selective cell, token after token back in time: the exact one, and that of n applications of the map.
 *
 * The exact one: with ybar what a token's output gives to the loss, through what follows it too, H' the adjoint of H_t from the tokens
 * that follow, and L the derivative of the LayerNorm,
 *
 *     lambda = ybar + (I - Q)^T xi,   xi = dt . (H' b) + response . L^T lambda        (equation.h: solved by the implementation)
 *     o = gate . L^T lambda,   G = H' + o c^T     x' = xi - (I - Q)^T xi     skip' = o . xt     H_{t-1}' = exp(-dt A) . G
 *     dt' = xt . (G b) - sum_n A . G . D     A' -= dt . G . D     b' = G^T u     c' = H_t^T o
 *
 * then through lengths, softplus and activations to what reads the output before, and the weights. States are computed again, a stretch of
 * about sqrt(T) tokens at a time, from those at its beginning: memory is of 3 sqrt(T) states a sequence that is at work.
 *
 * The gradient of n applications at y, F^0 = y and F^k = f(F^{k-1}), goes through all of them in the same way back, with each its own H' and
 * ybar: lambda^k = ybar^k, which is what the tokens after give to F^k and, but for k = n, (I - Q)^T xi of application k + 1. */
#ifndef IMPLS_SELECTIVE_SEQUENTIAL_GRADIENT_H
#define IMPLS_SELECTIVE_SEQUENTIAL_GRADIENT_H

#include "impls/selective/equation.h"

#define sequential_gradient_reals VARIANT(sequential_gradient_reals)
#define sequential_gradient_open VARIANT(sequential_gradient_open)
#define sequential_gradient_close VARIANT(sequential_gradient_close)
#define sequential_gradient_run VARIANT(sequential_gradient_run)

struct sequential_gradient {
    struct problem problem;
    int threads;
    int64_t n;           /* applications; 0: exact */
    int64_t at_most;     /* of the exact one: 0, or a limit of the forward pass (sequential.h), set once it is open */
    int64_t scratch;     /* reals a thread */
    real *memory;        /* scratch of all threads */
    real *stack, *rates; /* what all of them read: the weights side by side (token.h), and A as states have it (state.h) */
};

/* Reals that sequential_gradient_open() allocates. */
double sequential_gradient_reals(const struct problem *problem, int64_t n, int threads);

/* False: no memory; nothing is left then. */
bool sequential_gradient_open(const struct problem *problem, int64_t n, int threads, struct sequential_gradient *gradient);
void sequential_gradient_close(struct sequential_gradient *gradient);

/* What backward() does; solve and its plan: of the exact one only. singular: with the first place where two fixed points merge; in the
 * gradients of its sequence NaN from there down. Under a limit such a token has the gradient of its last application, lambda = ybar:
 * what it takes as its answer is no fixed point, as a rule, and the others are not to be lost with it. */
struct status sequential_gradient_run(struct sequential_gradient *gradient, struct plan *plan, equation_adjoint *solve,
                                      const struct inputs *inputs, const struct outputs *outputs,
                                      const struct outputs *grad_outputs, const struct gradients *gradients);

#endif
