/* The equation of one token of the selective cell in r numbers (docs/explanation/fixed-points.md). For a low-rank mixer,
 * I - Q = U E U^T, and a map with a LayerNorm, what is known of token t before its own output y says
 *     y = LayerNorm(p - V g),   g = E U^T (x - y),   p = base + sigma . x,   V = diag(sigma) U,
 *     base = z' . (exp(-dt A) . H) c,   sigma = z' . (dt (b . c) + skip),
 * z' the gate inside the map or 1, so that the token's own iteration is one of r numbers:
 *     g <- F(g) = e1 - (e2 - A g) / sd(g),   e1 = E (U^T x - U^T bias),   e2 = E U^T (gain . pc),   A = E U^T (gain . Vc),
 *     sd(g)^2 = mean of (pc - Vc g)^2 + epsilon,   pc, Vc: without their means over the channels.
 * In double precision, from the equations, without a routine of impls/. */
#ifndef BENCH_PROBLEMS_TOKEN_EQUATION_H
#define BENCH_PROBLEMS_TOKEN_EQUATION_H

#include "bench/problems/textbook_selective.h"

/* Vectors of U and V are rows. */
struct token_equation {
    int64_t d, r;
    const double *x, *gain, *bias; /* (d) */
    const double *U;               /* (r,d) */
    double *V, *p;                 /* (r,d), (d): Vc and pc */
    double *E, *A;                 /* (r,r) */
    double *e1, *e2;               /* (r) */
    double *w, *next;              /* (d), (r): room */
};

/* Whether the tokens of a problem have such an equation. */
bool token_equation_possible(const struct problem *problem);

/* Doubles of its arrays. */
int64_t token_equation_scratch(const struct problem *problem);

/* The equation of token t, with what textbook_selective_begin() knows of it and the state H (d,N) before it. */
struct token_equation token_equation_make(const struct problem *problem, const struct inputs *inputs, int64_t t,
                                          const struct selective_token *token, const double *H, double *scratch);

/* g (r) = E U^T (x - y); y (d), NULL: 0, from which the paper's iteration starts. */
void token_equation_of(const struct token_equation *equation, const double *y, double *g);

/* y (d) = LayerNorm(p - V g); returns sd(g). */
double token_equation_output(const struct token_equation *equation, const double *g, double *y);

/* next (r) = F(g); returns sd(g). */
double token_equation_step(const struct token_equation *equation, const double *g, double *next);

/* slope (r,r) = dF/dg, a row for each of F's numbers: E K, with yh = (pc - Vc g) / sd,
 *     K = (U^T(gain . Vc) - U^T(gain . yh) (V^T yh / d)^T) / sd.
 * Its eigenvalues are those of the Jacobian of the token's map in d numbers that are not 0. */
void token_equation_slope(const struct token_equation *equation, const double *g, double *slope);

/* The token's own iteration from y = 0: g (r), until a step changes no number of g by more than 1e-12 of the largest. Returns how many
 * steps that took, 0 where `most` of them did not suffice. */
int64_t token_equation_iterate(const struct token_equation *equation, int64_t most, double *g);

#endif
