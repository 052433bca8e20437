/* fp_mamba: a layer around the recurrence of the selective cell, carried out by any implementation of it, as the released code of the
 * paper builds its block. mamba: the same without channel mixer, without what reads the output before, and without norms.
 *
 *     x, z = W_in u              with the short convolution: x = SiLU(b_conv + sum_k w_conv[k] . x_{t-k}), k = 0 .. 3
 *     dtr, b, c = W_x x          dt = softplus(W_step dtr + b_step)         A = exp(A_log)
 *     theta = W_theta x + b_theta
 *     y = recurrence(x, dt, A, b, c, skip, gain, bias, theta, W, W_b, W_c, W_dt, z)
 *     out = W_out (SiLU(z + W_z y_{t-1}) . y)            gate inside the loop: out = W_out y
 *
 * What the recurrence reads of y_{t-1} follows from the model's feedback (W) and reads (W_b and W_c, W_dt); W_z is there with the readout
 * `state`. Where the step reads y_{t-1}, dt is handed over before its softplus, which the recurrence takes then.
 *
 * Mixing apart: [W_theta W] is one matrix that is applied to [x; y_{t-1}]. Symmetric: W = W_theta, applied to x + y_{t-1}.
 *
 * [W_theta W], W_b, W_c, W_dt and W_z carry weight normalisation: each row is g v / |v|, and the parameters are V and g. b_theta is of
 * the strengths alone, as in fp_rnn. The gradient of the recurrence is the implementation's; everything else is differentiated here. */
#ifndef TRAIN_LAYERS_FP_MAMBA_H
#define TRAIN_LAYERS_FP_MAMBA_H

#include "train/solver.h"

#include "impls/math/real.h"

#define mamba_check VARIANT(mamba_check)
#define mamba_declare VARIANT(mamba_declare)
#define mamba_plan VARIANT(mamba_plan)
#define mamba_destroy VARIANT(mamba_destroy)

/* Parameters, in the order in which they are declared; some may be absent. The g of a matrix follows its V. */
enum {
    W_IN,
    W_CONV,
    B_CONV,
    W_X,
    W_STEP,
    B_STEP,
    A_LOG,
    SKIP,
    GAIN,
    BIAS,
    V_THETA,
    G_THETA,
    B_THETA,
    V_B,
    G_B,
    V_C,
    G_C,
    V_DT,
    G_DT,
    V_Z,
    G_Z,
    W_OUT,
    PARAMETERS
};

/* Matrices with weight normalisation. */
enum { OF_THETA, OF_B, OF_C, OF_DT, OF_Z, NORMALISED };

struct normalised {
    const struct parameter *v, *g; /* NULL where absent */
    int64_t rows, parts;           /* parts, beside each other in a row of v, below each other in w: W_theta and W, where apart */
    real *w, *dw;                  /* (parts,rows,d) */
};

/* (tokens,d) arrays that a plan keeps; those from FIRST_GRADIENT on only for backward(). */
enum {
    ENTERS,      /* x of W_in */
    CONVOLVED,   /* before its SiLU */
    X,           /* what enters the recurrence: ENTERS itself without a convolution */
    Z,           /* z; after forward() what the gate's SiLU is taken of */
    BEFORE_STEP, /* before the softplus */
    DT,          /* BEFORE_STEP itself where the recurrence takes the softplus */
    Y,
    BEFORE, /* y_{t-1} */
    GATED,  /* Y itself with the gate inside */
    D_GATED,
    D_Z,
    D_Y,
    D_X,
    D_DT,
    ARRAYS,
    FIRST_GRADIENT = D_GATED
};

struct sequence_plan {
    int64_t B, D, d, N, m, rank, strengths; /* D: d_model; rank: of what the step is made of */
    bool outside;                           /* the gate */
    int threads;
    struct solver solver;
    struct inputs inputs;
    const struct parameter *p[PARAMETERS]; /* NULL where absent */
    struct normalised normalised[NORMALISED];
    bool symmetric;
    real *array[ARRAYS];
    bool borrowed[ARRAYS];                               /* is another one */
    real *all, *dtr, *b, *c, *d_all, *d_dtr, *d_b, *d_c; /* (tokens, rank + 2 N): W_x x; (tokens,rank), (tokens,N) its parts */
    real *theta, *d_theta;                               /* (tokens,m) */
    real *rates;                                         /* (d,N) */
    real *b_theta;                                       /* (m) 0, and of the strengths its numbers */
};

/* The slots of a sequence layer (fp_mamba_plan.c), with the model's mixer, feedback and norms, or as mamba. */
bool mamba_check(const struct sequence_setup *setup, bool mixing, size_t capacity, char reason[]);
void mamba_declare(const struct model_spec *model, bool mixing, struct parameters *parameters);
struct status mamba_plan(const struct sequence_setup *setup, bool mixing, struct sequence_plan **out);
void mamba_destroy(struct sequence_plan *plan);

#endif
