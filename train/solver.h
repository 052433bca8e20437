/* The recurrence inside a layer, carried out by an implementation of impls/: planned for the length and l_max at hand, timed,
 * traced. */
#ifndef TRAIN_SOLVER_H
#define TRAIN_SOLVER_H

#include "train/sequence.h"

struct solver {
    const struct implementation *implementation;
    struct settings settings; /* l_max as it is at hand */
    int64_t l_max;            /* of the recipe's settings */
    struct environment environment;
    struct problem problem; /* T as it is at hand */
    struct plan *plan;      /* NULL before the first solver_resize() */
    struct trace trace;
    double (*clock)(void);
    double seconds; /* of the last forward() */
    void *start;    /* (B,T,d) where the gradient begins, with settings.further; NULL: at the answer */
};

/* False, with the reason, when no such recurrence can be carried out, or not be differentiated when that is wanted. */
bool solver_check(const struct problem *problem, const struct sequence_setup *setup, size_t capacity, char reason[]);

struct status solver_open(const struct problem *problem, const struct sequence_setup *setup, struct solver *solver);
void solver_close(struct solver *solver); /* one that is all 0 is allowed */

/* Plans anew when T or l_max (0: that of the settings) is another than before. */
struct status solver_resize(struct solver *solver, int64_t T, int64_t l_max);

/* What has not converged within l_max is nothing wrong: the last iterate is used. With settings.further (docs/reference/layers.md, hands_on)
 * h is f^n(y), and the gradient that of these n applications, at y. */
struct status solver_forward(struct solver *solver, const struct inputs *inputs, void *h);
struct status solver_backward(struct solver *solver, const struct inputs *inputs, void *h, void *dh,
                              const struct gradients *gradients);

void solver_look(const struct solver *solver, const struct inputs *inputs, struct recurrence_view *view);

#endif
