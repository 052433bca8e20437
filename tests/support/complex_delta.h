/* The recurrence of the cell delta in complex numbers, for derivatives as in complex_map.h. Written from the equations
 * (docs/explanation/cells.md) in an order of its own: a head's steps as matrices that the state is multiplied with. Shares nothing with
 * impls/ or the textbook. Everything is for one sequence. */
#ifndef TESTS_SUPPORT_COMPLEX_DELTA_H
#define TESTS_SUPPORT_COMPLEX_DELTA_H

#include "impls/impl.h"

#include <complex.h>

/* Mistakes that a test makes on purpose. */
enum delta_mistake {
    MISTAKE_NONE,
    MISTAKE_ERASES,  /* the sign of what is taken from the state */
    MISTAKE_WRITES,  /* ... of what is added to it */
    MISTAKE_FORGETS, /* ... of g */
    MISTAKE_GATE,    /* the gate in every step, not in a token's first alone */
    MISTAKE_ORDER,   /* a token's steps the other way round */
    MISTAKE_HEAD,    /* every head has the keys of the first */
    MISTAKE_SCALE,   /* no 1 / sqrt(N) */
    MISTAKE_COUNT
};

/* As struct inputs: NULL where the problem has no such tensor, but never H0. */
struct complex_delta {
    double complex *tensor[TENSORS_MAX];
};

/* y (T,d), and H (d,N) after the last token. */
void complex_delta_run(const struct problem *problem, const struct complex_delta *inputs, enum delta_mistake mistake,
                       double complex *y, double complex *H);

#endif
