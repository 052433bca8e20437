/* The gradient of the exact dense RNN, backwards in time. With a_t the adjoint of h_t, from the loss and from what comes after,
 *
 *     s_t = M_t^{-T} a_t                         M = I - G (I - Q)   (plain: M = Q)
 *     a_{t-1} = loss_{t-1} + Lambda_t s_t + k'(h_{t-1})^T W^T theta_adjoint_t,
 *
 * and the gradient of token t is that of one application of the map whose adjoint is s_t (token_gradient.h). Only the transposed
 * solve differs among implementations. Sequences are divided among the threads; those of a state-dependent problem go back through
 * time in groups, so that W is multiplied with matrices. */
#ifndef IMPLS_MATH_EXACT_GRADIENT_H
#define IMPLS_MATH_EXACT_GRADIENT_H

#include "impls/impl.h"
#include "impls/math/real.h"

#define exact_gradient_reals VARIANT(exact_gradient_reals)
#define exact_gradient_open VARIANT(exact_gradient_open)
#define exact_gradient_close VARIANT(exact_gradient_close)
#define exact_gradient_run VARIANT(exact_gradient_run)

/* s (d) = M^{-T} a (d) for a token's activated parameters q and lambda (d), on a thread of the plan. False: M is singular. */
typedef bool transposed_solve(struct plan *plan, int thread, const real *q, const real *lambda, const real *a, real *s);

struct exact_gradient {
    struct problem problem;
    int threads;
    int64_t scratch; /* reals a thread */
    real *memory;    /* scratch of all threads */
    real *theta;     /* (B,T,m) adjoints, when state-dependent and the caller has no room for them */
    real *sums;      /* (threads,m,d) of W's adjoint */
    real *states;    /* (threads,block,d) for them */
};

/* Reals that exact_gradient_open() allocates. */
double exact_gradient_reals(const struct problem *problem, int threads);

/* False: no memory; nothing is left then. */
bool exact_gradient_open(const struct problem *problem, int threads, struct exact_gradient *gradient);
void exact_gradient_close(struct exact_gradient *gradient);

/* What backward() does. singular: with the first place that has no answer; in the gradients of its sequence NaN from there down. */
struct status exact_gradient_run(struct exact_gradient *gradient, struct plan *plan, transposed_solve *solve,
                                 const struct inputs *inputs, const struct outputs *outputs, const struct outputs *grad_outputs,
                                 const struct gradients *gradients);

#endif
