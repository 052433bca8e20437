/* The weights of a model in one piece of memory, beside their gradients and AdamW's moments: layers declare what they need, then
 * everything is allocated and drawn at once. Every parameter is used once in a pass, so that gradients are overwritten. */
#ifndef TRAIN_PARAMETERS_H
#define TRAIN_PARAMETERS_H

#include "train/training.h"

/* How a parameter starts. */
enum start_kind {
    START_CONSTANT,  /* a */
    START_NORMAL,    /* normal, mean a, standard deviation b */
    START_UNIFORM,   /* uniform in [a, b) */
    START_BLOCK,     /* 1 in the a-th (from 0) of b equal parts, 0 elsewhere */
    START_COUNTED,   /* log(1), log(2), ... along each row */
    START_LOGARITHM, /* the logarithm of a number uniform in (a, b] */
    START_STEP,      /* what a softplus makes exp(u) of, u uniform in [a, b) */
    START_LENGTHS    /* the lengths of the rows of the parameter declared before this one */
};

struct start {
    enum start_kind kind;
    double a, b;
};

/* As released for Mamba and its successors: steps start between these two, evenly in their logarithm, rates of heads up to the third.
 * bench/problems/fresh.c, which knows no layers, has them as well. */
#define STEP_LEAST 1e-3
#define STEP_MOST 1e-1
#define RATE_MOST 16

struct parameter {
    char name[TENSOR_NAME_MAX];
    int rank;
    int64_t shape[2];
    int64_t size; /* numbers */
    bool decayed;
    struct start start;
    void *value, *gradient, *first, *second; /* (size) each, of the model's dtype; the last two are AdamW's moments */
};

struct parameters {
    struct parameter *item;
    int n, capacity;
    bool failed;     /* no memory for the list */
    char prefix[48]; /* of the names that are declared next */
    int64_t total;   /* numbers */
    enum dtype dtype;
    void *memory;
};

/* Declares a vector (columns 0) or a matrix (rows,columns). A failure is remembered until parameters_allocate(). */
void parameters_add(struct parameters *parameters, const char *name, int64_t rows, int64_t columns, bool decayed,
                    struct start start);

/* Allocates what was declared, the moments 0, and draws the values: parameter i from the seed's stream STREAM_WEIGHTS + i. */
struct status parameters_allocate(struct parameters *parameters, enum dtype dtype, uint64_t seed);

void parameters_free(struct parameters *parameters);

#endif
