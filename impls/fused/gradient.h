/* The gradients of low-rank mixers that do not read the state, in one pass backwards over the tokens: of iterated_gradient.h the n-step
 * one, with all n applications carried along, and the exact one solved instead of iterated.
 *
 * With F^0 = h, F^k = f(F^{k-1}), x^k = F^{k-1} - v, and I - Q = U E U^T, at each token, k from n down to 1:
 *
 *     s^n = loss + Lambda' s^n'     s^{k-1} = Lambda' s^{k-1}' + U c^k      ' of the token after
 *     c^k = E^T U^T G s^k           b^k = E U^T x^k                        (plain: I for G)
 *
 * and application k adds G s^k - U c^k to v's adjoint, s^k (F^k_{t-1} - v - U b^k) to lambda's, b^k_i G s^k + c^k_i x^k to that of u_i, and
 * (U^T G s^k) (U^T x^k)^T to E's. F^1 ... F^n come from one pass forward before. The exact gradient is one application at F^1 = h,
 * whose adjoint a = loss + Lambda' s' becomes s = M^{-T} a = a + U C^T U^T G a. What needs memory is read once and written once in each
 * pass; all that a token needs twice is in the innermost cache. Threads divide the sequences. */
#ifndef IMPLS_FUSED_GRADIENT_H
#define IMPLS_FUSED_GRADIENT_H

#include "impls/impl.h"
#include "impls/math/lanes.h"

#define fused_gradient_reals VARIANT(fused_gradient_reals)
#define fused_gradient_open VARIANT(fused_gradient_open)
#define fused_gradient_close VARIANT(fused_gradient_close)
#define fused_gradient_run VARIANT(fused_gradient_run)

struct fused_gradient {
    struct problem problem;
    int threads;
    bool exact;
    bool stream; /* adjoints of v and lambda are written past the caches, where rows allow it: to be set for what no cache holds */
    int64_t n;   /* applications gone through backwards */
    int64_t scratch; /* vectors of a thread */
    lanes *memory;   /* scratch of all threads */
    real *iterates;  /* (B,T,n,d) F^1 ... F^n; nothing when exact */
};

/* Reals that fused_gradient_open() allocates. */
double fused_gradient_reals(const struct problem *problem, const struct settings *settings, int threads);

/* False: no memory; nothing is left then. */
bool fused_gradient_open(const struct problem *problem, const struct settings *settings, int threads,
                         struct fused_gradient *gradient);
void fused_gradient_close(struct fused_gradient *gradient);

/* What backward() does. singular: M has no inverse, with the first place; in the gradients of its sequence NaN from there down. */
struct status fused_gradient_run(const struct fused_gradient *gradient, const struct inputs *inputs, const struct outputs *outputs,
                                 const struct outputs *grad_outputs, const struct gradients *gradients);

#endif
