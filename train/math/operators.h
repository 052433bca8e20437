/* What layers are made of: each operator has a forward and a backward by hand. N tokens are rows; every matrix is row-major.
 * Work is divided among `threads` in a fixed way and every sum is taken in a fixed order. In backward functions the gradients of
 * weights are overwritten, and so is that of the input unless `add` is set; dx may be NULL where it is not wanted. */
#ifndef TRAIN_MATH_OPERATORS_H
#define TRAIN_MATH_OPERATORS_H

#include "impls/math/real.h"

#include <stdbool.h>
#include <stdint.h>

#define linear_forward VARIANT(linear_forward)
#define linear_backward VARIANT(linear_backward)
#define embedding_forward VARIANT(embedding_forward)
#define embedding_backward VARIANT(embedding_backward)
#define norm_forward VARIANT(norm_forward)
#define norm_backward VARIANT(norm_backward)
#define cross_entropy VARIANT(cross_entropy)
#define columns_sum VARIANT(columns_sum)
#define convolution_forward VARIANT(convolution_forward)
#define convolution_backward VARIANT(convolution_backward)
#define weight_norm_forward VARIANT(weight_norm_forward)
#define weight_norm_backward VARIANT(weight_norm_backward)
#define shift_forward VARIANT(shift_forward)
#define shift_backward VARIANT(shift_backward)

/* y (N,out) = x (N,in) w^T + bias, w (out,in), bias (out) or NULL; with add, y += instead. */
void linear_forward(int threads, int64_t N, int64_t in, int64_t out, const real *x, const real *w, const real *bias, bool add,
                    real *y);

/* dx (N,in) = dy (N,out) w; dw (out,in) = dy^T x; dbias (out) = sums of the columns of dy, unless NULL. */
void linear_backward(int threads, int64_t N, int64_t in, int64_t out, const real *x, const real *w, const real *dy, bool add,
                     real *dx, real *dw, real *dbias);

/* sum (columns) of the rows of x (N, columns at distance ld) */
void columns_sum(int threads, int64_t N, int64_t columns, int64_t ld, const real *x, real *sum);

/* y (N,d) = rows of table (vocabulary,d). With add, dtable += instead. */
void embedding_forward(int threads, int64_t N, int64_t d, const int32_t *token, const real *table, real *y);
void embedding_backward(int threads, int64_t N, int64_t d, int64_t vocabulary, const int32_t *token, const real *dy, bool add,
                        real *dtable);

/* The short convolution, causal and of each channel by itself: y_t = bias + sum_k w_k x_{t-k} with x = 0 before the first token.
 * x, y (B,T,d), w (CONVOLUTION_WIDTH,d), bias (d) or NULL, and dbias then. */
enum { CONVOLUTION_WIDTH = 4 };
void convolution_forward(int threads, int64_t B, int64_t T, int64_t d, const real *x, const real *w, const real *bias, real *y);
void convolution_backward(int threads, int64_t B, int64_t T, int64_t d, const real *x, const real *w, const real *dy, real *dx,
                          real *dw, real *dbias);

/* Weight normalisation: row i of w = g_i v_i / |v_i|, v (rows,columns), g (rows). w is (parts, rows, columns / parts): the columns in
 * so many equal parts, each a matrix by itself. */
void weight_norm_forward(int threads, int64_t rows, int64_t columns, int64_t parts, const real *v, const real *g, real *w);
void weight_norm_backward(int threads, int64_t rows, int64_t columns, int64_t parts, const real *v, const real *g, const real *dw,
                          real *dv, real *dg);

/* before (B,T,d) = y of the token before, 0 at the first; and dy += what the token after gives back. */
void shift_forward(int threads, int64_t B, int64_t T, int64_t d, const real *y, real *before);
void shift_backward(int threads, int64_t B, int64_t T, int64_t d, const real *d_before, real *dy);

/* RMSNorm: y = gain x / sqrt(mean x^2 + 1e-6). With a bias, LayerNorm: x less its mean first, and y + bias.
 * kept (N,2): mean and 1 / sqrt(...) of each row, which the backward needs. */
void norm_forward(int threads, int64_t N, int64_t d, const real *x, const real *gain, const real *bias, real *kept, real *y);

/* dy (N,d) is used up: it holds the terms of dgain afterwards. dbias is NULL for RMSNorm. */
void norm_backward(int threads, int64_t N, int64_t d, const real *x, const real *gain, const real *kept, real *dy, bool add,
                   real *dx, real *dgain, real *dbias);

/* Mean over the scored rows (target >= 0) of -log softmax(logits (N,classes))[target], and answer (N), the first largest class.
 * logits become the gradient of that mean; 0 in rows that are not scored. terms (N) is scratch. No row scored: 0. */
double cross_entropy(int threads, int64_t N, int64_t classes, real *logits, const int32_t *target, int32_t *answer, double *terms);

#endif
