/* delta: a layer around the recurrence of the cell delta, carried out by any implementation of it, as released for DeltaNet, Gated DeltaNet
 * and DeltaProduct (flash-linear-attention). Its r rank-1 steps a token have keys, values and strengths of their own.
 *
 *     q, k, v = SiLU(W_qkv e)            with the short convolution: SiLU(sum_j w_conv[j] . (W_qkv e)_{t-j}), j = 0 .. 3, without a bias
 *     q, k = unit(q), unit(k)            of each head: unit(x) = x / sqrt(sum x^2 + 1e-6)
 *     beta = sigmoid(W_beta e)           eigenvalues both: twice that
 *     g = -exp(A_log) softplus(W_a e + b_step)                                  forget head
 *     y = recurrence(q, k, v, beta, g)
 *     out = W_out (RMSNorm(y) . SiLU(W_g e))                                    output_gate none: W_out RMSNorm(y)
 *
 * A row of W_qkv e is q (heads,N), k (r,heads,N), v (r,d); beta is (r,heads), g (heads). The norm is of each head, all of one gain. */
#ifndef TRAIN_LAYERS_DELTA_H
#define TRAIN_LAYERS_DELTA_H

#include "train/solver.h"

#include "impls/math/real.h"

#define delta_layer_check VARIANT(delta_layer_check)
#define delta_layer_declare VARIANT(delta_layer_declare)
#define delta_layer_plan VARIANT(delta_layer_plan)
#define delta_layer_destroy VARIANT(delta_layer_destroy)

/* Parameters, in the order in which they are declared; some may be absent. */
enum { W_QKV, W_CONV, W_BETA, W_A, B_STEP, A_LOG, W_G, GAIN, W_OUT, PARAMETERS };

/* Arrays that a plan keeps, a row for each token; those from FIRST_GRADIENT on only for backward(). */
enum {
    ENTERS,      /* W_qkv e */
    CONVOLVED,   /* before its SiLU: ENTERS itself without a convolution */
    QUERY,       /* q, k, v as the recurrence takes them */
    KEY,         /* ... */
    VALUE,       /* ... */
    INVERSE,     /* (1 + r, heads) what unit() multiplied q and k with */
    BEFORE_BETA, /* before the sigmoid */
    BETA,
    BEFORE_STEP, /* before the softplus */
    FORGET,      /* g */
    Y,
    KEPT,   /* (heads, 2) of the norm */
    NORMED, /* RMSNorm(y) */
    GATE,   /* before its SiLU */
    GATED,  /* NORMED itself without a gate */
    D_QUERY,
    D_KEY,
    D_VALUE,
    D_BETA,
    D_FORGET,
    D_CONVOLVED,
    D_ENTERS, /* D_CONVOLVED itself without a convolution */
    D_GATED,
    D_GATE,
    D_Y,
    ARRAYS,
    FIRST_GRADIENT = D_QUERY
};

struct sequence_plan {
    int64_t B, D, d, N, heads, r; /* D: d_model */
    int64_t enters;               /* columns of W_qkv e */
    real most;                    /* what beta stays below */
    int threads;
    struct solver solver;
    struct inputs inputs;
    const struct parameter *p[PARAMETERS]; /* NULL where absent */
    real *array[ARRAYS];                   /* NULL where absent */
    bool borrowed[ARRAYS];                 /* is another one */
};

/* Slots of a sequence layer (delta_plan.c). */
bool delta_layer_check(const struct sequence_setup *setup, size_t capacity, char reason[]);
void delta_layer_declare(const struct model_spec *model, struct parameters *parameters);
struct status delta_layer_plan(const struct sequence_setup *setup, struct sequence_plan **out);
void delta_layer_destroy(struct sequence_plan *plan);

#endif
