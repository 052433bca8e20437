/* Activates the tokens of a block of a low-rank mixer for the fused iteration (fixed_point_fused.c): x = SiLU(raw) is left as it is, its
 * norm is part of the core (core.h). The products that a core is made of are sums over channels; those of several tokens are
 * added up together. */
#ifndef IMPLS_FUSED_PREPARE_H
#define IMPLS_FUSED_PREPARE_H

#include "impls/impl.h"
#include "impls/math/lanes.h"

#define fused_products_size VARIANT(fused_products_size)
#define fused_prepare_begin VARIANT(fused_prepare_begin)
#define fused_prepare_token VARIANT(fused_prepare_token)
#define fused_prepare_end VARIANT(fused_prepare_end)

/* Sums that wait to be added up over their lanes, and where they go. */
struct fused_sums {
    lanes some[LANES];
    int count;
    real *to;
};

/* Reals that the products of one token take; core.h says which they are. */
int64_t fused_products_size(const struct problem *problem);

/* Between begin and end tokens follow each other, and so do their products in `products`. */
void fused_prepare_begin(struct fused_sums *sums, real *products);

/* x (R,n) of a token from v, lambda (n LANES, filled up with zeros) and theta (m). */
void fused_prepare_token(const struct problem *problem, const real *v, const real *lambda, const real *theta, int64_t n, real *x,
                         struct fused_sums *sums);
void fused_prepare_end(struct fused_sums *sums);

#endif
