/* What the implementations of the selective cell share about one token: what it makes of the output before it, the channel mixing, and the
 * two normalisations, each with its vector-Jacobian product. docs/explanation/cells.md has the equations:
 *
 *     b~ = unit(b + W_b y_{t-1})    c~ = unit(c + W_c y_{t-1})    Q from theta + W y_{t-1}    dt~ = softplus(dt + W_dt y_{t-1})
 *     xt = Q (x - y) + y            H_t = exp(-dt~ A) . H_{t-1} + (dt~ . xt) b~^T
 *     f(y) = LayerNorm( SiLU(z) . (H_t c~ + skip . xt) )
 *
 * with what the problem's reads, norm and gate leave of them. All raw parameters of a token that read the output before lie side by side,
 * in one row, so that those of many rows are one product with one stacked matrix:
 *
 *     row (width) = [theta (m), b (N), c (N), dt (d)] + stack (width,d) y_{t-1}       each of the four only where it reads
 *
 * Tokens are those of the flattened batch, i = b T + t. Adjoints are derivatives of a scalar loss. */
#ifndef IMPLS_SELECTIVE_TOKEN_H
#define IMPLS_SELECTIVE_TOKEN_H

#include "impls/impl.h"
#include "impls/math/real.h"
#include "impls/math/unit.h"

#define token_layout VARIANT(token_layout)
#define token_stack VARIANT(token_stack)
#define token_unstack VARIANT(token_unstack)
#define token_raw VARIANT(token_raw)
#define token_read VARIANT(token_read)
#define token_read_adjoint VARIANT(token_read_adjoint)
#define token_before VARIANT(token_before)
#define token_unit VARIANT(token_unit)
#define token_norm VARIANT(token_norm)
#define token_room VARIANT(token_room)
#define token_adjoint_scratch VARIANT(token_adjoint_scratch)
#define token_values VARIANT(token_values)
#define token_values_adjoint VARIANT(token_values_adjoint)
#define token_mix VARIANT(token_mix)
#define token_gate VARIANT(token_gate)
#define softplus_row VARIANT(softplus_row)
#define norm_of_row VARIANT(norm_of_row)
#define norm_row VARIANT(norm_row)
#define norm_row_through VARIANT(norm_row_through)
#define norm_row_adjoint VARIANT(norm_row_adjoint)

/* Where in a row what lies that reads the output before; -1: it does not, and is the input itself. */
struct token_layout {
    int64_t theta, b, c, dt;
    int64_t width; /* of a row; 0: nothing reads */
};
struct token_layout token_layout(const struct problem *problem);

bool token_unit(const struct problem *problem); /* whether b and c are normalised */
bool token_norm(const struct problem *problem); /* whether the output is */

/* stack (width,d) from the weights; and into their gradients (NULL: not wanted) from the stack's, overwritten or added to. */
void token_stack(const struct problem *problem, const struct inputs *inputs, real *stack);
void token_unstack(const struct problem *problem, const real *stack_adjoint, const struct gradients *gradients, bool add);

/* row (width) = what token i has of its own. */
void token_raw(const struct problem *problem, const struct inputs *inputs, int64_t i, real *row);

/* rows (n,width) += before (n,d) stack^T, of a stack that has the problem's width: one product. */
void token_read(const struct problem *problem, const real *stack, const real *before, int64_t n, real *rows);

/* before_adjoint (n,d) = rows_adjoint (n,width) stack. */
void token_read_adjoint(const struct problem *problem, const real *stack, const real *rows_adjoint, int64_t n,
                        real *before_adjoint);

/* The output before token i, of y (B,T,d): (d), or NULL where it is zero. */
const real *token_before(const struct problem *problem, const struct inputs *inputs, const real *y, int64_t i);

/* What a token works with. Each lies in its room, or is the input itself. */
struct token_values {
    const real *q;     /* mixer_size() */
    const real *b, *c; /* (N) */
    const real *dt;    /* (d) */
};

/* Reals of room, in which a token's values may lie, and of scratch; and of scratch for their adjoint. */
int64_t token_room(const struct problem *problem);
int64_t token_adjoint_scratch(const struct problem *problem);

/* Of token i with its row (width; NULL where nothing reads). q: mixer parameters that are known, or NULL, and they are made here. */
void token_values(const struct problem *problem, const struct inputs *inputs, int64_t i, const real *row, const real *q, real *room,
                  struct token_values *values);

/* From the adjoints of its values (NULL: none is needed) to those of what they are made of: gradients theta, b, c, dt of token i (NULL: not
 * wanted), overwritten or added to, and row_adjoint (width; NULL: not wanted). scratch: token_adjoint_scratch(). */
struct token_adjoints {
    const real *q;     /* mixer_size() */
    const real *b, *c; /* (N) */
    const real *dt;    /* (d) */
};
void token_values_adjoint(const struct problem *problem, const struct inputs *inputs, int64_t i, const real *row,
                          const struct token_values *values, const struct token_adjoints *adjoints,
                          const struct gradients *gradients, bool add, real *row_adjoint, real *scratch);

/* xt (d) = x - (I - Q)(x - y), with apart (d) = x - y left behind; scratch: mixer_scratch(). Nothing may overlap. */
void token_mix(const struct problem *problem, const real *q, const real *x, const real *y, real *apart, real *xt, real *scratch);

/* gate (d) = SiLU(z) of token i where the gate is inside, else 1. */
void token_gate(const struct problem *problem, const struct inputs *inputs, int64_t i, real *gate);

/* y = log(1 + e^x), within a few units of rounding for any x; y may be x. Its derivative is sigmoid() of activation.h. */
void softplus_row(const real *x, real *y, int64_t n);

/* LayerNorm of a row w (d): y = gain . yh + bias, yh = (w - mean) inverse, inverse = (mean (w - mean)^2 + 1e-5)^{-1/2}; NaN where that is
 * not finite. y may be w. */
struct row_norm {
    real mean, inverse;
};
struct row_norm norm_of_row(const real *w, int64_t d);
struct row_norm norm_row(const real *w, const real *gain, const real *bias, real *y, int64_t d);

/* out (d) = (v - mean v - yh mean(yh . v)) inverse: a change v of w as it comes through, before the gain. Symmetric. out may be v. */
void norm_row_through(const real *w, struct row_norm norm, const real *v, real *out, int64_t d);

/* w_adjoint (d) = L^T y_adjoint, what comes through of gain . y_adjoint. Of gain and bias (d; NULL: not wanted)
 * theirs are added to what is there. w_adjoint may be y_adjoint, but not w. */
void norm_row_adjoint(const real *w, struct row_norm norm, const real *gain, const real *y_adjoint, real *gain_adjoint,
                      real *bias_adjoint, real *w_adjoint, int64_t d);

#endif
