/* A small training that tests start from, change and run; and its tensors as bytes. Anything that fails here ends the test. */
#ifndef TESTS_SUPPORT_TRIAL_H
#define TESTS_SUPPORT_TRIAL_H

#include "train/training.h"

/* A layer, and how its recurrence is carried out. */
struct way {
    const char *layer, *implementation;
    enum gradient gradient;
    double tolerance;
};

struct trial {
    struct model_spec model;
    struct recipe recipe;
    struct recurrence recurrence;
    struct environment environment;
    const char *task_name;
    struct task *task;
    struct training *training;
};

/* One block of width 16 with a Householder mixer that reads k(h), 40 steps of batch 8 at length 6; of layers with a matrix state 4
 * states, and as the paper's model with everything that reads the output before. */
struct trial trial_of(struct way way, const char *task);

/* Opens task and training; with trial_open() nothing may be refused. */
struct status trial_try(struct trial *trial);
void trial_open(struct trial *trial);
void trial_close(struct trial *trial);

/* So many steps; the last one. */
struct step trial_steps(struct trial *trial, int64_t n);

size_t tensor_bytes(const struct named_tensor *tensor);

/* Copies of all tensors, one after the other, to be freed; and back into a training. */
char *tensors_copy(const struct training *training, size_t *bytes);
void tensors_set(struct training *training, const char *from);

/* Bit for bit. */
void tensors_check_equal(const struct training *one, const struct training *other);

#endif
