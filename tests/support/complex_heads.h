/* The recurrence of the cell selective_heads in complex numbers, for derivatives as in complex_map.h. Written from the equations
 * (docs/explanation/cells.md) in an order of its own: without a state, each output as a sum over all tokens before it. Shares nothing with
 * impls/ or the textbook. Everything is for one sequence. */
#ifndef TESTS_SUPPORT_COMPLEX_HEADS_H
#define TESTS_SUPPORT_COMPLEX_HEADS_H

#include "impls/impl.h"

#include <complex.h>

/* Mistakes that a test makes on purpose. */
enum heads_mistake {
    HEADS_RIGHT,
    HEADS_DECAY,  /* the decay of the token itself is left out, that of the token that drives is not */
    HEADS_RATE,   /* every head has the rate of the first */
    HEADS_DRIVE,  /* what drives is not multiplied with the step */
    HEADS_SKIP,   /* nothing passes by the state */
    HEADS_LENGTH, /* b is not divided by its length */
    HEADS_GATE,   /* the gate comes after the norm */
    HEADS_NORM,   /* the norm of each head by itself */
    HEADS_MISTAKES
};

/* As struct inputs: NULL where the problem has no such tensor, but never H0. */
struct complex_heads {
    double complex *tensor[TENSORS_MAX];
};

/* y (T,d), and H (d,N) after the last token. */
void complex_heads_run(const struct problem *problem, const struct complex_heads *inputs, enum heads_mistake mistake,
                       double complex *y, double complex *H);

#endif
