/* The two gradients of an iteration of a map, by vector-Jacobian products of it (mapping.h), both at the returned h, which is held fixed
 * itself:
 *
 *     n-step    that of f^n at h: f(h), ..., f^n(h) are computed anew, and the last n applications gone through backwards
 *     exact     the implicit one: the adjoint a = loss + J^T a, J the Jacobian of f at h, is iterated from a = loss, up to l_max times
 *               or until its residual is below the tolerance, as the states are (without damping); then one application backwards */
#ifndef IMPLS_MATH_ITERATED_GRADIENT_H
#define IMPLS_MATH_ITERATED_GRADIENT_H

#include "impls/math/map_gradient.h"

#define iterated_gradient_reals VARIANT(iterated_gradient_reals)
#define iterated_gradient_open VARIANT(iterated_gradient_open)
#define iterated_gradient_own_reals VARIANT(iterated_gradient_own_reals)
#define iterated_gradient_open_for VARIANT(iterated_gradient_open_for)
#define iterated_gradient_close VARIANT(iterated_gradient_close)
#define iterated_gradient_run VARIANT(iterated_gradient_run)

struct iterated_gradient {
    struct settings settings;
    struct linear_mapping linear;
    struct map_gradient map; /* what that is of, where iterated_gradient_open() made it */
    real *iterates;          /* (n,B,T,d) f(h) ... f^n(h); exact: the next adjoint */
    real *s;                 /* (B,T,d) */
    real *adjoint;           /* (B,T,d); nothing for a single step */
    real *token;             /* (B,T) residuals; exact only */
    double *row;             /* (B) */
};

/* Reals that iterated_gradient_open() allocates. */
double iterated_gradient_reals(const struct problem *problem, const struct settings *settings, int threads);

/* False: no memory; nothing is left then. The map must outlive the gradient. */
bool iterated_gradient_open(const struct map *map, const struct settings *settings, struct iterated_gradient *gradient);

/* The same of any map, which must outlive it, and what is allocated beside that. */
double iterated_gradient_own_reals(const struct problem *problem, const struct settings *settings);
bool iterated_gradient_open_for(const struct linear_mapping *linear, const struct settings *settings,
                                struct iterated_gradient *gradient);
void iterated_gradient_close(struct iterated_gradient *gradient);

/* What backward() does. not_converged: a tolerance was asked for and l_max came first; the gradients are those of the last adjoint.
 * diverged: the adjoint of sequence b is not finite. */
struct status iterated_gradient_run(const struct iterated_gradient *gradient, const struct inputs *inputs,
                                    const struct outputs *outputs, const struct outputs *grad_outputs,
                                    const struct gradients *gradients);

#endif
