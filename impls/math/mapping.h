/* A fixed-point map as what iterates on it sees it, whatever the cell: functions that are called with a map of their own. What is iterated
 * on is h (B,T,d): the state of the vector cell, the output of the selective one. */
#ifndef IMPLS_MATH_MAPPING_H
#define IMPLS_MATH_MAPPING_H

#include "impls/impl.h"
#include "impls/math/real.h"

struct mapping {
    const struct problem *problem;
    int threads;
    const void *map;
    /* next = f(h); next is not h. zero: h is known to be zero. Diverged where next is not finite. */
    struct status (*apply)(const void *map, const struct inputs *inputs, const real *h, bool zero, real *next);
};

/* Its linearisation. */
struct linear_mapping {
    const struct problem *problem;
    int threads;
    void *map;
    /* Before the first point of new inputs. */
    void (*begin)(void *map, const struct inputs *inputs);
    /* Takes h as the point, and leaves next = f(h), unless that is NULL. */
    void (*at)(void *map, const struct inputs *inputs, const real *h, real *next);
    /* Of the point h, f = f(h), the adjoint (B,T,d) of f(h), and that of a final state beside it (NULL: zero): the gradients, overwritten
     * or added to, and h_adjoint (B,T,d; NULL: not computed). s (B,T,d) is scratch, and may be the adjoint. */
    void (*transpose)(void *map, const struct inputs *inputs, const real *h, const real *f, const real *adjoint, const real *final,
                      real *s, const struct gradients *gradients, bool add, real *h_adjoint);
};

#endif
