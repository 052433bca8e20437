/* The vector-Jacobian product of one application of the map (map.h) at a point h:
 *
 *     s_t = adjoint_t + Lambda_{t+1} s_{t+1}     a scan backwards in time
 *
 * then each token by itself (token_gradient.h), then what state dependence adds: into the state before each token, and into W. */
#ifndef IMPLS_MATH_MAP_GRADIENT_H
#define IMPLS_MATH_MAP_GRADIENT_H

#include "impls/math/map.h"

#define map_gradient_reals VARIANT(map_gradient_reals)
#define map_gradient_open VARIANT(map_gradient_open)
#define map_gradient_close VARIANT(map_gradient_close)
#define map_gradient_at VARIANT(map_gradient_at)
#define map_gradient_run VARIANT(map_gradient_run)
#define map_gradient_mapping VARIANT(map_gradient_mapping)

struct map_gradient {
    const struct map *map;
    int64_t scratch;                  /* reals a thread */
    real *memory;                     /* scratch of all threads */
    struct map_parameters parameters; /* of the point, when state-dependent */
    real *w;                          /* (B,T,d) of the point */
    real *theta;                      /* (B,T,m) adjoints, when state-dependent */
    real *sums;                       /* (threads,m,d) of W's adjoint */
    real *states;                     /* (threads,MAP_BLOCK,d) */
};

/* Reals that map_gradient_open() allocates. */
double map_gradient_reals(const struct problem *problem, int threads);

/* False: no memory; nothing is left then. The map must outlive the gradient. */
bool map_gradient_open(const struct map *map, struct map_gradient *gradient);
void map_gradient_close(struct map_gradient *gradient);

/* Takes h (B,T,d) as the point: its parameters and w, which also leads to f(h) by a scan. After map_begin(). */
void map_gradient_at(const struct map_gradient *gradient, const struct inputs *inputs, const real *h);

/* Of the point h, f (B,T,d) = f(h), and s (B,T,d): the gradients, overwritten or added to, and h_adjoint (B,T,d; NULL: not
 * computed), the adjoint of h. */
void map_gradient_run(const struct map_gradient *gradient, const struct inputs *inputs, const real *h, const real *f, const real *s,
                      const struct gradients *gradients, bool add, real *h_adjoint);

/* The linearisation for what iterates on its adjoints; map and gradient, which need not be open yet, must outlive that. */
struct linear_mapping map_gradient_mapping(const struct map *map, struct map_gradient *gradient);

#endif
