/* The equation of a token (equation.h) in r numbers, for low-rank mixers I - Q = U E U^T. With g = E U^T (x - y), p = base + response . x
 * and V = diag(response) U, and pc, Vc less their means over the channels,
 *
 *     y = LayerNorm(p - V g),   g <- E ( U^T x - U^T bias - ( U^T(gain . pc) - U^T(gain . Vc) g ) / sd(g) )
 *     sd(g)^2 = var(p) - 2 cov(V, p) g + g^T cov(V) g + 1e-5
 *
 * which, begun from E U^T x, is the iteration of y from 0 itself, at O(r^2) each. Its limit is found sooner where that is certain to be
 * the same: by Newton's method from an iterate on the way, close enough to where it leads. Without a LayerNorm the equation is linear.
 *
 * The r numbers are kept in double precision in either dtype. */
#ifndef IMPLS_SELECTIVE_RANK_H
#define IMPLS_SELECTIVE_RANK_H

#include "impls/selective/equation.h"

#define rank_numbers VARIANT(rank_numbers)
#define rank_scratch VARIANT(rank_scratch)
#define rank_map_make VARIANT(rank_map_make)
#define rank_map_apply VARIANT(rank_map_apply)
#define rank_map_settle VARIANT(rank_map_settle)
#define rank_map_land VARIANT(rank_map_land)
#define rank_solve VARIANT(rank_solve)
#define rank_adjoint VARIANT(rank_adjoint)

/* g <- shift - (centre - slope g) / sd(g),  sd(g)^2 = variance - 2 along . g + g . spread g */
struct rank_map {
    int64_t r;
    double *start;           /* (r) E U^T x: the g of y = 0 */
    double *shift, *centre;  /* (r) E U^T (x - bias), E U^T (gain . pc) */
    double *slope;           /* (r,r) E U^T (gain . Vc) */
    double *along, *spread;  /* (r) cov(V, p), (r,r) cov(V) */
    double *strength, *gram; /* (r) S and (r,r) U^T U of E = F^{-1} S; gram NULL: E = S */
    double variance;         /* var(p) + 1e-5 */
    double *rest;            /* scratch of the functions below */
};

int64_t rank_numbers(const struct problem *problem); /* doubles of scratch of all of them */
int64_t rank_scratch(const struct problem *problem); /* reals */

/* The map of a token whose output is normalised. In scratch pc (d) and Vc (r,d) are left behind. */
struct rank_map rank_map_make(const struct problem *problem, const struct equation *equation, real *scratch, double *numbers);

/* next (r) from g (r). */
void rank_map_apply(const struct rank_map *map, const double *g, double *next);

/* g (r) = the limit of the iteration: by nothing but iterating; and as rank_solve() has it. False: it comes to no rest. NaN where the
 * map is not finite. */
bool rank_map_settle(const struct rank_map *map, double *g);
bool rank_map_land(const struct rank_map *map, double *g);

/* As equation_solve and equation_adjoint have it. */
enum answer rank_solve(const struct problem *problem, const struct equation *equation, real *y, real *xt, real *scratch,
                       double *numbers);
enum answer rank_adjoint(const struct problem *problem, const struct equation *equation, const real *w, struct row_norm norm,
                         const real *pull, const real *ybar, real *lambda, real *scratch, double *numbers);

#endif
