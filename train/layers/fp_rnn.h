/* fp_rnn: a layer around the recurrence of impls/, carried out by any implementation of it. diagonal: the same without channel
 * mixer.
 *
 *     x, z = W_in e              v = SiLU(W_b x) x        lambda = sigmoid(W_l x + b_l)        theta = W_theta x + b_theta
 *     h = recurrence(v, lambda, theta, W)                 c = W_c x  (readout state: + W_ch h_{t-1})
 *     out = W_out RMSNorm(SiLU(z) SiLU(c) h)
 *
 * What reads x is linear in e as well: W x = (W W_x) e, W_x the rows of W_in that give x. Where d_model < d the products W W_x are
 * taken once a step, and the tokens go through them: d_model columns instead of d, in both directions.
 *
 * b_theta is 0 but for the strengths (alpha; D1 and D2), which are the last of theta: directions come from data alone. The
 * gradient of the recurrence is the implementation's, as settings.gradient says; everything else is differentiated here. */
#ifndef TRAIN_LAYERS_FP_RNN_H
#define TRAIN_LAYERS_FP_RNN_H

#include "train/solver.h"

#include "impls/math/real.h"

#define fp_rnn_check VARIANT(fp_rnn_check)
#define fp_rnn_declare VARIANT(fp_rnn_declare)
#define fp_rnn_plan VARIANT(fp_rnn_plan)
#define fp_rnn_destroy VARIANT(fp_rnn_destroy)
#define fp_rnn_compose VARIANT(fp_rnn_compose)
#define fp_rnn_decompose VARIANT(fp_rnn_decompose)

/* Parameters, in the order in which they are declared: the last four may be absent. */
enum { W_IN, W_B, W_L, B_L, W_C, GAIN, W_OUT, W_THETA, B_THETA, W_STATE, W_CH, PARAMETERS };

/* (tokens, d) arrays that a plan keeps; those from FIRST_GRADIENT on only for backward(). */
enum {
    X,
    Z,
    PRE_B,
    V,
    LAMBDA,
    C,
    H,
    GATED,
    NORMED,
    BEFORE,
    D_GATED,
    D_Z,
    D_C,
    D_H,
    D_V,
    D_LAMBDA,
    D_X,
    ARRAYS,
    FIRST_GRADIENT = D_GATED
};

struct sequence_plan {
    int64_t B, D, d, m, strengths; /* D: d_model */
    int threads;
    struct solver solver;
    struct inputs inputs;
    const struct parameter *p[PARAMETERS]; /* NULL where absent */
    real *array[ARRAYS];
    real *theta, *d_theta; /* (tokens,m) */
    real *kept;            /* (tokens,2) of the norm */

    /* W W_x (rows of W, d_model) of each W that reads x, and its gradient; NULL of all others, and where d_model >= d. */
    real *through[PARAMETERS], *d_through[PARAMETERS];
    real *composed; /* the memory of all of them */
};

/* The slots of a sequence layer (fp_rnn_plan.c), with the model's mixer, or without any. */
bool fp_rnn_check(const struct sequence_setup *setup, bool mixing, size_t capacity, char reason[]);
void fp_rnn_declare(const struct model_spec *model, bool mixing, struct parameters *parameters);
struct status fp_rnn_plan(const struct sequence_setup *setup, bool mixing, struct sequence_plan **out);
void fp_rnn_destroy(struct sequence_plan *plan);

/* through[] from the weights. */
void fp_rnn_compose(const struct sequence_plan *plan);

/* From d_through[] the gradients of the weights that it belongs to: overwritten; and what they add to that of W_in. */
void fp_rnn_decompose(const struct sequence_plan *plan);

#endif
