/* The selective cell one token after the other, for implementations that differ only in how they solve the equation of a token
 * (equation.h). Sequences are divided among the threads; those whose tokens read the output before go through time in groups, so that
 * what they read is one product. */
#ifndef IMPLS_SELECTIVE_SEQUENTIAL_H
#define IMPLS_SELECTIVE_SEQUENTIAL_H

#include "impls/math/lanes.h"
#include "impls/selective/equation.h"

#define sequential_reals VARIANT(sequential_reals)
#define sequential_supports VARIANT(sequential_supports)
#define sequential_open VARIANT(sequential_open)
#define sequential_close VARIANT(sequential_close)
#define sequential_forward VARIANT(sequential_forward)
#define sequential_exponentials VARIANT(sequential_exponentials)
#define sequential_operations VARIANT(sequential_operations)
#define sequential_bytes VARIANT(sequential_bytes)
#define sequential_status VARIANT(sequential_status)
#define sequential_fail VARIANT(sequential_fail)

/* at_most=N: a token whose iteration is not at rest after N iterations has the N-th as its answer, and the status of the pass is
 * not_converged: the paper's sequential mode with a limit. Its gradient is taken there as if it were a fixed point; where that has none, as
 * sequential_gradient_run() says. */
#define SEQUENTIAL_OPTIONS "at_most="

/* False after a no to what the option says. */
bool sequential_supports(const struct settings *settings, struct support *support);

struct sequential {
    struct problem problem;
    int threads;
    int64_t at_most; /* 0: no limit of the caller's */
    int64_t scratch; /* reals a thread */
    real *memory;    /* scratch of all threads */
    real *stack;     /* the weights side by side (token.h), ... */
    lanes *packed;   /* ... which all threads read as the product takes them (product.h) */
    real *rates;     /* A as states have it (state.h) */
};

/* Reals that sequential_open() allocates. */
double sequential_reals(const struct problem *problem, int threads);

/* False: no memory; nothing is left then. */
bool sequential_open(const struct problem *problem, const struct settings *settings, int threads, struct sequential *sequential);
void sequential_close(struct sequential *sequential);

/* What forward() does. From the first token without an answer on a sequence is NaN; the status is that of the first of all. */
struct status sequential_forward(struct sequential *sequential, struct plan *plan, equation_solve *solve,
                                 const struct inputs *inputs, const struct outputs *outputs, struct trace *trace);

/* Operations and bytes of a pass but for the equations. */
double sequential_operations(const struct problem *problem);
double sequential_exponentials(const struct problem *problem); /* a decay a state and token */
double sequential_bytes(const struct problem *problem);

/* The first failure: token and kind in one number, of which the smallest counts. */
int64_t sequential_fail(int64_t token, enum answer answer);
struct status sequential_status(const struct problem *problem, int64_t failure);

#endif
