/* The vector-Jacobian product of one application of the map (map.h) at a point y: rows back through LayerNorm and gate, the scan backwards
 * in time (matrix_scan_gradient.h), each token through its mixing, and then what it read into the output before it, as one product. */
#ifndef IMPLS_SELECTIVE_MAP_GRADIENT_H
#define IMPLS_SELECTIVE_MAP_GRADIENT_H

#include "impls/selective/map.h"
#include "impls/selective/matrix_scan_gradient.h"

#define selective_gradient_reals VARIANT(selective_gradient_reals)
#define selective_gradient_open VARIANT(selective_gradient_open)
#define selective_gradient_close VARIANT(selective_gradient_close)
#define selective_gradient_at VARIANT(selective_gradient_at)
#define selective_gradient_run VARIANT(selective_gradient_run)
#define selective_gradient_mapping VARIANT(selective_gradient_mapping)

struct selective_gradient {
    struct selective_map *map;
    struct selective_point point;
    struct matrix_gradient scan;
    int64_t scratch; /* reals a thread */
    real *memory;    /* scratch of all threads */
    real *dt;        /* (B,T,d) adjoints */
    real *b, *c;     /* (B,T,N) */
    real *rows;      /* (B,T,width) */
    real *sums;      /* (threads,width,d), of the weights */
    real *norms;     /* (threads,2,d), of gain and bias */
};

/* Reals that selective_gradient_open() allocates. */
double selective_gradient_reals(const struct problem *problem, const char *split, int threads);

/* False: no memory; nothing is left then. The map must outlive the gradient. */
bool selective_gradient_open(struct selective_map *map, const char *split, struct selective_gradient *gradient);
void selective_gradient_close(struct selective_gradient *gradient);

/* Takes y (B,T,d) as the point, and leaves next (B,T,d) = f(y). After selective_map_begin(). */
struct status selective_gradient_at(const struct selective_gradient *gradient, const struct inputs *inputs, const real *y,
                                    bool zero, real *next);

/* Of the point y, from the adjoint (B,T,d) of f(y) and that of the last states, final (B,d,N; NULL: zero): the gradients, overwritten or
 * added to, and y_adjoint (B,T,d; NULL: not computed). s (B,T,d) is scratch, and may be the adjoint. */
void selective_gradient_run(const struct selective_gradient *gradient, const struct inputs *inputs, const real *y,
                            const real *adjoint, const real *final, real *s, const struct gradients *gradients, bool add,
                            real *y_adjoint);

/* The linearisation for what iterates on its adjoints (mapping.h), which it must outlive; map is that which it is, or will be, open with. */
struct linear_mapping selective_gradient_mapping(const struct selective_map *map, struct selective_gradient *gradient);

#endif
