/* The feed-forward part of a block, after its sequence mixer: its own norm, two layers of width 4 d_model with a bend between, and
 * the path around them; a token at a time. n = norm(x), LayerNorm or RMSNorm as the model's others:
 *
 *     gelu      y = x + W_down gelu(W_up n + b_up) + b_down            gelu(a) = a sigmoid(sqrt(8 / pi) (a + 0.044715 a^3))
 *     swiglu    y = x + W_down (SiLU(W_gate n) . W_up n)
 *
 * gelu is a Phi(a) with Phi by its usual approximation through tanh, which is within 5e-4 of it. */
#ifndef TRAIN_MATH_FEED_FORWARD_H
#define TRAIN_MATH_FEED_FORWARD_H

#include "train/sequence.h"

#include "impls/math/real.h"

#define feed_forward_open VARIANT(feed_forward_open)
#define feed_forward_close VARIANT(feed_forward_close)
#define feed_forward_forward VARIANT(feed_forward_forward)
#define feed_forward_backward VARIANT(feed_forward_backward)

struct feed_forward; /* of one block */

/* For up to N tokens; parameter: of the block's feed-forward part, the first of those that model_feed_forward() names (pass.h).
 * gradient: feed_forward_backward() will be called. */
struct status feed_forward_open(const struct model_spec *model, const struct parameter *parameter, bool rms, int threads, int64_t N,
                                bool gradient, struct feed_forward **out);
void feed_forward_close(struct feed_forward *plan); /* NULL is allowed */

/* y (N,d_model) of x (N,d_model). */
void feed_forward_forward(struct feed_forward *plan, int64_t N, const real *x, real *y);

/* d (N,d_model) is the gradient of y, and becomes that of x, which is given again; the gradients of the parameters. */
void feed_forward_backward(struct feed_forward *plan, int64_t N, const real *x, real *d);

#endif
