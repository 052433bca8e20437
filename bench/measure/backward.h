/* The backward pass of a subject: the derivative of a loss, the gradients, and whether they are right, before they are timed.
 * The loss is a random linear function of h. docs/explanation/measuring.md: how gradients are validated. */
#ifndef BENCH_MEASURE_BACKWARD_H
#define BENCH_MEASURE_BACKWARD_H

#include "bench/measure/validate.h"

struct backward {
    enum dtype dtype;
    double *drawn;                 /* (B,T,d) the derivative of the loss with respect to h; float32 holds every value */
    struct outputs adjoints;       /* the same in the problem's dtype */
    struct gradients gradients;    /* NULL where there is no such input */
    int64_t n[TENSORS_MAX];        /* elements of each gradient, by enum tensor_id; 0: none */
    int64_t sequence[TENSORS_MAX]; /* how many of them belong to a sequence; of W and its like all, to every one */
    bool shared;                   /* there are some of that kind */
    double tolerance[TENSORS_MAX]; /* what rounding explains of each, as backward_validate() found */
    bool sensitive;                /* rounding alone moves one of them too far, as backward_validate() found */
    bool iterated;                 /* the exact gradient is an iterate of the adjoint, as backward_validate() found */
};

/* Draws the loss with the seed of the point, and allocates the gradients of all inputs. */
bool backward_open(const struct subject *subject, struct backward *backward, struct error *error);
void backward_close(struct backward *backward);

/* Fills the gradients with NaN: other values found there later were computed. */
void backward_forget(struct backward *backward);

/* Whether all gradients are there; else the finding becomes wrong, with the first place that is missing or not finite. */
bool backward_there(const struct problem *problem, const struct backward *backward, struct finding *finding);

/* Compares the gradients that backward() left at subject->h with a reference in double precision at the same h: of sequence b,
 * but those to which all sequences add, such as that of W, as a whole. checks becomes that of the gradient nearest to its tolerance. again:
 * after the timed calls, with the tolerances found before. finding->result becomes wrong, or unsupported where nothing can
 * validate the gradient or rounding alone moves it too far, with the reason; else it stays. False: out of memory. */
bool backward_validate(const struct subject *subject, int64_t b, bool again, struct backward *backward, struct checks *checks,
                       struct finding *finding, struct error *error);

#endif
