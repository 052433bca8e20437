/* State dependence (docs/mathematics.md): raw parameters theta_t + W k(h_{t-1}), with k(h) = h (raw) or h / sqrt(mean h^2 + 1e-6)
 * (rms), and the gradient through them. Tokens are those of the flattened batch, b T + t; the state before the first token of a
 * sequence is the initial one. Of many tokens at once everything is a matrix product. */
#ifndef IMPLS_MATH_FEEDBACK_H
#define IMPLS_MATH_FEEDBACK_H

#include "impls/impl.h"
#include "impls/math/real.h"

#define feedback_scale VARIANT(feedback_scale)
#define feedback_parameters VARIANT(feedback_parameters)
#define feedback_state VARIANT(feedback_state)
#define feedback_states VARIANT(feedback_states)
#define feedback_rows VARIANT(feedback_rows)
#define feedback_rows_gradient VARIANT(feedback_rows_gradient)
#define feedback_state_gradient VARIANT(feedback_state_gradient)
#define feedback_block_state_gradient VARIANT(feedback_block_state_gradient)
#define feedback_token_gradient VARIANT(feedback_token_gradient)
#define feedback_weight_gradient VARIANT(feedback_weight_gradient)

/* k(h) = feedback_scale(h) * h. */
real feedback_scale(const struct problem *problem, const real *h);

/* out (m) = theta (m) + W (m,d) k(before (d)): one token. */
void feedback_parameters(const struct problem *problem, const real *theta, const real *W, const real *before, real *out);

/* k (d) = k(h (d)); zero where h is NULL. */
void feedback_state(const struct problem *problem, const real *h, real *k);

/* k (to-from,d): rows k(h_{t-1}) of the tokens from ... to - 1, of h (B,T,d). */
void feedback_states(const struct problem *problem, const struct inputs *inputs, const real *h, int64_t from, int64_t to, real *k);

/* raw (rows,m) = theta + k W^T, with k (rows,d) and rows of theta (m) that are `stride` apart. */
void feedback_rows(const struct problem *problem, const real *W, const real *k, const real *theta, int64_t stride, int64_t rows,
                   real *raw);

/* k_adjoint (rows,d) = theta_adjoint (rows,m) W. */
void feedback_rows_gradient(const struct problem *problem, const real *W, const real *theta_adjoint, int64_t rows, real *k_adjoint);

/* h_adjoint (d) += the adjoint of h through k, from k_adjoint (d). */
void feedback_state_gradient(const struct problem *problem, const real *h, const real *k_adjoint, real *h_adjoint);

/* h_adjoint (B,T,d) += of the tokens from ... to - 1 the adjoint of their h through the parameters of the token that follows, whose
 * adjoints are in theta_adjoint (B,T,m). k_adjoint is scratch (to-from,d). */
void feedback_block_state_gradient(const struct problem *problem, const struct inputs *inputs, const real *h,
                                   const real *theta_adjoint, int64_t from, int64_t to, real *h_adjoint, real *k_adjoint);

/* h_adjoint (d) += the adjoint of a state h (d) through the parameters of the token that follows, from their adjoint (m): the same
 * of one token. k_adjoint is scratch (d). */
void feedback_token_gradient(const struct problem *problem, const real *W, const real *h, const real *theta_adjoint,
                             real *h_adjoint, real *k_adjoint);

/* W_adjoint (m,d) = sum over all tokens of theta_adjoint_t k(h_{t-1})^T, or added to what is there. Divided among threads, whose
 * sums are added in their order. sums (threads,m,d) and k (threads,block,d) are scratch. */
void feedback_weight_gradient(const struct problem *problem, const struct inputs *inputs, const real *h, const real *theta_adjoint,
                              int threads, int64_t block, bool add, real *W_adjoint, real *sums, real *k);

#endif
