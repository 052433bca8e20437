/* The arithmetic of a whole model, once per dtype and instruction level: a pass is everything that one batch needs, planned once.
 *
 *     x_0 = embedding(token);  x_{k+1} = x_k + mixer_k(LayerNorm(x_k)) for every block;  logits = W LayerNorm(x_blocks) + b
 *
 * or with RMSNorm, and W the embedding: the layer's surroundings (train/sequence.h); with a feed-forward part, x_{k+1} goes through that
 * (feed_forward.h).
 * The loss is the mean cross-entropy of the scored positions. */
#ifndef TRAIN_MATH_PASS_H
#define TRAIN_MATH_PASS_H

#include "train/sequence.h"

/* Parameters around those of the sequence mixers, as model_declare() declares them: the embedding, then those of each block (its norm,
 * then its mixer's, then its feed-forward part's), then the final norm and the map to classes. What the layer's surroundings do without is
 * NULL. */
struct block_parameters {
    const struct parameter *gain, *bias, *mixer, *feed_forward;
};
enum { FEED_FORWARD_WIDTH = 4 }; /* times d_model */
struct feed_forward_parameters {
    const struct parameter *gain, *bias, *W_up, *b_up, *W_down,
        *b_down; /* swiglu: W_up is W_gate, and W_up below it, without biases */
};
struct final_parameters {
    const struct parameter *gain, *bias;
    const struct parameter *W, *b; /* W: the embedding where it is tied */
};
struct block_parameters model_block(const struct model_spec *model, const struct parameters *parameters, int64_t block);
/* Of one block, from where it begins. */
struct feed_forward_parameters model_feed_forward(const struct model_spec *model, const struct parameter *first, bool rms);
struct final_parameters model_final(const struct model_spec *model, const struct parameters *parameters);

struct pass_setup {
    const struct model_spec *model;
    const struct parameters *parameters; /* of this model, allocated */
    const struct recurrence *recurrence;
    const struct environment *environment;
    int64_t vocabulary, classes;
    int64_t B, T; /* T: the largest */
    bool gradient;
    double (*clock)(void);
};

struct pass;

struct adamw {
    double rate, decay;
    double scale;                  /* of the gradient: below 1 where it is clipped */
    double beta[2], correction[2]; /* 1 / (1 - beta^step) */
    double epsilon;
};

struct arithmetic {
    struct status (*plan)(const struct pass_setup *, struct pass **);
    /* As sequence_layer.resize: T positions from now on, and l_max iterations of the recurrence (0: as its settings say). */
    struct status (*resize)(struct pass *, int64_t T, int64_t l_max);
    /* token, target and answer are (B,T). After target NULL nothing is scored: only the recurrences' inputs are of interest. */
    struct status (*forward)(struct pass *, const int32_t *token, const int32_t *target, int32_t *answer, double *loss);
    struct status (*backward)(struct pass *, const int32_t *token);
    /* False where block has no recurrence. */
    bool (*look)(struct pass *, int64_t block, struct recurrence_view *);
    void (*destroy)(struct pass *);
    double (*norm)(const struct parameters *); /* of the whole gradient */
    void (*update)(const struct parameters *, const struct adamw *, int threads);
};

/* Declares the parameters of a model. */
void model_declare(const struct model_spec *model, int64_t vocabulary, int64_t classes, struct parameters *parameters);

/* False, with the reason, when the model, its recurrence and this size make no sense together. */
bool model_check(const struct sequence_setup *setup, size_t capacity, char reason[]);

/* For this machine's best instruction level. */
const struct arithmetic *arithmetic_get(enum dtype dtype);

#endif
