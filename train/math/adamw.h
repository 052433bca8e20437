/* AdamW: decay apart from the gradient (Loshchilov and Hutter). With g the clipped gradient of a weight w:
 *     m <- beta_1 m + (1 - beta_1) g;  v <- beta_2 v + (1 - beta_2) g^2
 *     w <- w - rate (decay w + m c_1 / (sqrt(v c_2) + epsilon)),  c_i = 1 / (1 - beta_i^step) */
#ifndef TRAIN_MATH_ADAMW_H
#define TRAIN_MATH_ADAMW_H

#include "train/math/pass.h"

#include "impls/math/real.h"

#define gradient_norm VARIANT(gradient_norm)
#define adamw_update VARIANT(adamw_update)

/* Norm of the whole gradient, added in the order of the parameters. */
double gradient_norm(const struct parameters *parameters);

/* One step of every weight. */
void adamw_update(const struct parameters *parameters, const struct adamw *adamw, int threads);

#endif
