/* What a training owns; shared by training.c, step.c and evaluate.c alone. */
#ifndef TRAIN_SESSION_H
#define TRAIN_SESSION_H

#include "train/math/pass.h"
#include "train/schedule.h"

struct training {
    struct model_spec model;
    struct recipe recipe;
    struct recurrence recurrence;
    struct environment environment;
    const struct task *task;
    struct task_facts facts;
    double (*clock)(void);
    const struct arithmetic *arithmetic;
    struct parameters parameters;
    struct training_state state;
    int n_lengths;
    int64_t lengths[STAGES_MAX];
    struct pass *pass;
    int32_t *token, *target, *answer; /* (batch, T) of the longest stage; one piece of memory */
    struct named_tensor *tensors;
    struct pass *probe; /* what training_recurrence_inputs() left */
};

/* Plans a pass over this model's weights. unsupported: with the reason. */
struct status session_plan(struct training *training, const struct recurrence *recurrence, int64_t B, int64_t T, bool gradient,
                           struct pass **pass);

/* Examples first .. first + B - 1 of a seed, of this length, into token and target (B,T). */
void session_fill(const struct training *training, uint64_t seed, uint64_t first, int64_t length, int64_t B, int64_t T,
                  bool as_trained, int32_t *token, int32_t *target);

#endif
