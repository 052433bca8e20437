/* Training: a model, a task and a recipe, step by step. Pure arithmetic, like impls/: no files, clocks or printing. Whoever
 * drives it (bench/) keeps the time, the checkpoints and the progress. The same build, machine type, threads and seed give the
 * same bits, however often it is stopped and goes on from training_tensors() and training_state(). */
#ifndef TRAIN_TRAINING_H
#define TRAIN_TRAINING_H

#include "impls/impl.h"
#include "tasks/task.h"

/* What the readout gate reads: x_t, or x_t and h_{t-1} (fp_mamba: y_{t-1}). */
enum readout { READOUT_INPUT, READOUT_STATE, READOUT_COUNT };
extern const char *const readout_names[READOUT_COUNT];

/* Whether what enters the recurrence of an fp_mamba or delta layer goes through a short convolution. */
enum convolution { CONVOLUTION_NONE, CONVOLUTION_SHORT, CONVOLUTION_COUNT };
extern const char *const convolution_names[CONVOLUTION_COUNT];

/* What an fp_mamba layer's mixer reads of x_t and of y_{t-1}: each by weights of its own, or their sum by the same. */
enum mixing { MIXING_APART, MIXING_SYMMETRIC, MIXING_COUNT };
enum hands_on { HANDS_ON_ITERATE, HANDS_ON_APPLIED, HANDS_ON_COUNT }; /* of the recurrence: y, or f^n(y) */
extern const char *const mixing_names[MIXING_COUNT];
extern const char *const hands_on_names[HANDS_ON_COUNT];

/* How far a step of a delta layer may change the state along its key, where 1 - beta is the eigenvalue: in (0,1), or in (-1,1). */
enum eigenvalues { EIGENVALUES_POSITIVE, EIGENVALUES_BOTH, EIGENVALUES_COUNT };
extern const char *const eigenvalues_names[EIGENVALUES_COUNT];

/* What the output of a delta layer's recurrence is multiplied with. */
enum output_gate { OUTPUT_GATE_NONE, OUTPUT_GATE_SILU, OUTPUT_GATE_COUNT };
extern const char *const output_gate_names[OUTPUT_GATE_COUNT];

/* What follows the sequence mixer in each block (train/math/feed_forward.h). */
enum feed_forward_kind { FEED_FORWARD_NONE, FEED_FORWARD_GELU, FEED_FORWARD_SWIGLU, FEED_FORWARD_COUNT };
extern const char *const feed_forward_names[FEED_FORWARD_COUNT];

enum schedule { SCHEDULE_CONSTANT, SCHEDULE_COSINE, SCHEDULE_LINEAR, SCHEDULE_COUNT }; /* after the warm-up */
extern const char *const schedule_names[SCHEDULE_COUNT];

/* What is trained. */
struct model_spec {
    int layer;          /* the sequence mixer: a row of sequence_layers (train/sequence.h): fp_rnn, diagonal, fp_mamba, ... */
    int64_t blocks;     /* how often norm, sequence mixer, residual are repeated */
    int64_t d_model, d; /* width of the residual stream, and of the state */
    enum dtype dtype;   /* of weights and activations */
    enum mixer mixer;   /* of fp_rnn and fp_mamba; with r, s, form and feedback as in struct problem */
    int64_t r;
    double s;
    enum form form;
    enum feedback feedback;
    enum readout readout; /* of fp_rnn, diagonal and fp_mamba */
    int64_t N;            /* of fp_mamba, mamba, mamba2 and delta; reads, norm and gate of fp_mamba, as in struct problem */
    enum reads reads;
    enum norm norm;
    enum gate gate;
    enum convolution convolution; /* of fp_mamba and delta */
    enum mixing mixing;           /* of fp_mamba with feedback */
    int64_t heads;                /* of attention, mamba2 and delta */
    enum forget forget;           /* of delta, with r as in struct problem */
    enum eigenvalues eigenvalues;
    enum output_gate output_gate;
    enum feed_forward_kind feed_forward; /* of attention and delta */
};

/* How the recurrence of a model is carried out: by any implementation of the registry. Not used by lstm and attention. */
struct recurrence {
    int implementation; /* of the registry */
    struct settings settings;
};

struct recipe {
    int64_t steps, batch;
    int64_t length;             /* of training examples */
    double learning_rate;       /* of AdamW, after the warm-up */
    int64_t warmup;             /* steps from 0 to learning_rate */
    enum schedule schedule;     /* from there to 0 at the last step, or not */
    double weight_decay;        /* not of biases, norms and the like */
    double grad_clip;           /* largest global norm of the gradient; 0: any */
    bool curriculum;            /* lengths 2 3 4 6 8 12 16 24 ... up to `length`, going on when ... */
    double curriculum_accuracy; /* ... the mean training token accuracy has reached this, which is judged ... */
    int64_t curriculum_window;  /* ... once every so many steps of this length, over these steps */
    double gamma;               /* shape k of l_max = ceil(Gamma(k, 1)), drawn anew for each step; 0: the recurrence's l_max */
    double target;              /* token accuracy on fresh data of `length` that ends the training; 0: none */
    int64_t check_every;        /* steps between checks of the target */
    int64_t check_samples;      /* examples of such a check */
    uint64_t seed;
};

struct training;

/* Allocates everything that training_step() needs, and draws the initial weights. clock, if not NULL, tells seconds: then parts
 * of a step are timed. unsupported: the model, recipe or recurrence make no sense together, with the reason. */
struct status training_open(const struct model_spec *model, const struct recipe *recipe, const struct recurrence *recurrence,
                            const struct task *task, const struct environment *environment, double (*clock)(void),
                            struct training **training);
void training_close(struct training *training); /* NULL is allowed */

enum part { PART_DATA, PART_ITERATIONS, PART_FORWARD, PART_BACKWARD, PART_OPTIMISER, PART_COUNT }; /* forward: the rest of it */
extern const char *const part_names[PART_COUNT];

/* What one step saw. In the median of l*, a sequence that never converged counts as all iterations that were carried out. */
struct step {
    int64_t step;      /* counted from 1 */
    int64_t length;    /* of its examples */
    double loss;       /* mean cross-entropy of the scored positions, in nats */
    double accuracy;   /* of the scored positions, with the weights before the step */
    double norm;       /* of the gradient before clipping */
    double iterations; /* median l* of the batch over all blocks; NaN without a recurrence, 0 for an exact one */
    double l_max;      /* as drawn; NaN without a recurrence that iterates */
    double seconds[PART_COUNT];
};

/* One batch, one update. Allocates nothing, but that the recurrence is planned anew where its length or l_max is another than in
 * the step before. diverged: loss, states or gradient are NaN or Inf; singular: of an exact recurrence. Weights, moments and
 * training_state() are as before then. A recurrence that has not converged is nothing wrong: its last iterate is used.
 * unsupported: all steps are done. The target is the caller's to check, with training_evaluate(). */
struct status training_step(struct training *training, struct step *step);

/* Everything beside weights and moments that the next step depends on. */
struct training_state {
    int64_t step;      /* done */
    int64_t stage;     /* of the curriculum */
    double window_sum; /* of the accuracies that the curriculum judges by, in the order they came */
    int64_t window_n;
};
struct training_state training_state(const struct training *training);

/* A stage that the curriculum has not becomes its first or last. */
void training_restore(struct training *training, const struct training_state *state);

/* Tensors of a checkpoint: the weights as "block.0.fp_rnn.W_in", AdamW's moments as "adam.m.NAME" and "adam.v.NAME". data points
 * into the training and may be written to. */
enum { TENSOR_NAME_MAX = 96 };
struct named_tensor {
    char name[TENSOR_NAME_MAX];
    enum dtype dtype;
    int rank;
    int64_t shape[3];
    void *data;
    bool weight; /* rather than a moment */
};
size_t training_tensors(const struct training *training, const struct named_tensor **tensors);
int64_t training_parameters(const struct training *training); /* numbers in all weights */

/* ---- Using what was trained --------------------------------------------------------------------------------------------- */

/* Answers on fresh examples: the weights of a training, evaluated with another recurrence, length and batch. */
struct evaluation_request {
    struct recurrence recurrence;
    int64_t length, samples, batch;
    uint64_t seed; /* of the examples: not the training's */
};

struct evaluation {
    struct task_score score;
    double loss;
    int64_t n_l; /* sequences times blocks */
    int64_t *l;  /* (samples,blocks) l* of each, 0: never; the caller's; may be NULL */
    int32_t *
        answer; /* (samples,T) class of each answer, of largest logit; TASK_UNSCORED where none is scored; the caller's, may be NULL */
    double applications; /* mean over batches and blocks */
};

struct status training_evaluate(struct training *training, const struct evaluation_request *request, struct evaluation *evaluation);

/* The inputs of the recurrence of one block on task data, as a forward pass leaves them: v, lambda, theta, W of a problem of
 * this size. inputs points into the training, until its next call. */
struct status training_recurrence_inputs(struct training *training, int64_t block, int64_t length, int64_t batch, uint64_t seed,
                                         struct problem *problem, struct inputs *inputs);

#endif
