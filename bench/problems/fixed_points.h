/* All fixed points of one token of the selective cell, and which of them attract (docs/explanation/fixed-points.md). With token_equation.h,
 * h = g - e1, f = A e1 - e2, C = Vc^T Vc / d, k = Vc^T (pc - Vc e1) / d and c0 the variance of pc - Vc e1 plus epsilon, they are
 *     (s I - A) h = f,   s^2 = c0 - 2 k.h + h^T C h,   s = sd(g) > 0.
 * Those whose s is no eigenvalue of A are at the positive roots of P(s) = det(s I - A)^2 (s^2 - c0 + 2 k.h(s) - h(s)^T C h(s)), of
 * degree 2 r + 2. P is the characteristic polynomial of
 *     Z = [ A 0 f 0 ; C A^T -2k 0 ; 0 0 0 1 ; 0 f^T c0 0 ],   of vectors (h, q, 1, s) with (s I - A^T) q = C h - 2 k,
 * so that the roots are found as eigenvalues, without the polynomial's numbers. Where s is an eigenvalue of A with (s I - A) h = f
 * solvable, h is a point of a line, and the second equation a quadratic one. What is found is polished by Newton's method on
 * g = F(g), and is a fixed point when the textbook's map of the token in d numbers says so, to 1e-9. */
#ifndef BENCH_PROBLEMS_FIXED_POINTS_H
#define BENCH_PROBLEMS_FIXED_POINTS_H

#include "bench/problems/token_equation.h"

struct fixed_point {
    double *g, *y;   /* (r), (d) */
    double sd;       /* of the LayerNorm */
    double residual; /* max |f(y) - y| / max |f(y)| by the textbook's map */
    double rho;      /* spectral radius of the map's Jacobian: below 1 it attracts */
    double most;     /* largest real part of its eigenvalues: below 1 it attracts an iteration that is damped enough */
};

struct fixed_points {
    struct fixed_point *point; /* by ascending sd */
    int n, n_stable;
    bool merged;     /* an even number of them, which says that two fell into one: generically it is odd */
    bool eigenvalue; /* sd of one of them is an eigenvalue of A, to 1e-9 */
    double *room;    /* what all this lies in */
};

/* Room for the fixed points of any token of a problem; fixed_points_free() in any case. False: out of memory. */
bool fixed_points_make(const struct problem *problem, struct fixed_points *found);
void fixed_points_free(struct fixed_points *found);

/* Those of token t, whose equation this is, with the state H (d,N) before it. False: out of memory, or a token that is not finite. */
bool fixed_points_find(const struct problem *problem, const struct inputs *inputs, int64_t t, const struct selective_token *token,
                       const double *H, const struct token_equation *equation, struct fixed_points *found);

/* The one at which y (d) is, up to `tolerance`, relative, max norm; -1 where there is none. *distance, NULL: to the nearest. */
int fixed_points_at(const struct problem *problem, const struct fixed_points *found, const double *y, double tolerance,
                    double *distance);

#endif
