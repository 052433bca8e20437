/* One head of one sequence of the cell delta on its way through the tokens, one after the other. Of token t, with a = e^g (1
 * without a gate) and for its steps j = 1 ... r one after the other, each with its own k, v and beta,
 *
 *     error = v - a S^T k      S <- a S + beta k error^T      (a: of the first step; 1 of the others)
 *     y = S^T q / sqrt(N)
 *
 * Two steps go over the state together, also those of two tokens: the second finds by one product of their keys what the first
 * left. What the next two read of the state is summed while these write it. */
#ifndef IMPLS_DELTA_HEAD_H
#define IMPLS_DELTA_HEAD_H

#include "impls/delta/state.h"

#define delta_head VARIANT(delta_head)
#define delta_kept VARIANT(delta_kept)
#define delta_scratch VARIANT(delta_scratch)
#define delta_walk VARIANT(delta_walk)

/* Where its part of the inputs lies; a row of the next token, or step, is further by the number that stands beside it. */
struct delta_head {
    const struct problem *problem;
    int64_t b, head, channels;
    const real *q, *k, *v, *beta, *g;
    int64_t of_k, of_v, of_heads; /* reals from one token, or step, to the next: of q and k; of v and y; of beta and g */
};

struct delta_head delta_head(const struct problem *problem, const struct inputs *inputs, int64_t b, int64_t head);

/* a of a token. */
real delta_kept(const struct delta_head *head, int64_t t);

/* Reals that a walk takes beside its state. */
int64_t delta_scratch(const struct problem *problem);

/* What a walk leaves. */
struct delta_kept_states {
    real *states; /* (tokens, r, N, width) after each step; NULL: S itself goes on */
    real *errors; /* (tokens, r, width) */
};

/* Through the tokens begin ... end - 1, from the state S before them; y (B,T,d) may be NULL. */
void delta_walk(const struct delta_head *head, int64_t begin, int64_t end, real *S, real *y, const struct delta_kept_states *keep,
                real *scratch);

#endif
