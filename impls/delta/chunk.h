/* One head of one sequence of the cell delta, a chunk of tokens at once, in matrix products. Rows are the chunk's steps i, r to a
 * token, t(i) the token of one; K, V and beta hold theirs, Q / sqrt(N) a row a token; S is the state before the chunk. With
 *
 *     M_tj = a_t a_{t-1} ... a_{t(j)+1}, the gates after step j up to token t (1 within a token), D_t = a_t ... a_first
 *     A_ij = M_t(i)j (k_i . k_j) for j < i, else 0           P_tj = M_tj (q_t . k_j) / sqrt(N) for t(j) <= t, else 0
 *
 * the errors of all steps are the solution of a triangular system, and outputs and the state after the chunk products with it:
 *
 *     e = V - D K S - A X       X = beta e                  row after row: row i needs the rows before it
 *     y = D Q S + P X           S <- D_last S + (M_last K)^T X
 *
 * These are the published N_c = T_c (V - D K S), T_c = (I + tril(beta K K^T . M, -1))^{-1} beta, with X for N_c; the errors are
 * what the gradient needs. M is multiplied up from 1, never e^(G_t - G_j) of sums G of g: it overflows only where a state may, a
 * masked entry is never formed, and a long sum's rounding is in no exponent. What is below the normal numbers is 0. */
#ifndef IMPLS_DELTA_CHUNK_H
#define IMPLS_DELTA_CHUNK_H

#include "impls/delta/head.h"

#define delta_chunk VARIANT(delta_chunk)
#define delta_chunk_size VARIANT(delta_chunk_size)
#define delta_chunk_errors VARIANT(delta_chunk_errors)
#define delta_chunk_state VARIANT(delta_chunk_state)
#define delta_chunk_run VARIANT(delta_chunk_run)

/* Rows of K come first, then those of Q, wherever both are in one matrix. */
struct delta_chunk {
    const struct delta_head *head;
    int64_t begin, tokens, steps; /* which tokens; steps = r tokens */
    real *keys;                   /* (steps + tokens, N): K, Q / sqrt(N) */
    real *pairs;                  /* (steps + tokens, steps): A, P */
    real *M;                      /* (tokens, steps), with a gate */
    real *D;                      /* (tokens) */
    real *beta;                   /* (steps) */
    real *read;                   /* (steps + tokens, width): K S, Q S */
    real *errors, *X;             /* (steps, width) */
    real *kept;                   /* (steps, width): M_last X, with a gate; X without */
};

/* Part of `memory`, of n reals; with memory NULL only their number is added to *taken. */
static inline real *delta_take(real *memory, int64_t *taken, int64_t n)
{
    real *at = memory == NULL ? NULL : memory + *taken;
    *taken += (n + 15) / 16 * 16;
    return at;
}

/* Room for up to so many tokens, and the reals that it takes. */
struct delta_chunk delta_chunk(const struct problem *problem, int64_t tokens, real *memory);
int64_t delta_chunk_size(const struct problem *problem, int64_t tokens);

/* Everything of the tokens begin ... begin + tokens - 1 but what follows, from the state S (N, width) before them. False where X is
 * not finite: then everything may be NaN, of every token, since masked entries are multiplied, too. While X is finite, each answer
 * is not finite for reasons of its own token. */
bool delta_chunk_errors(struct delta_chunk *chunk, const struct delta_head *head, int64_t begin, int64_t tokens, const real *S);

/* And S becomes the state after them. */
void delta_chunk_state(const struct delta_chunk *chunk, real *S);

/* Through these tokens with S, outputs into y (B,T,d) unless NULL: one by one, where all at once are not finite, so that this
 * begins with the token with which it does. */
void delta_chunk_run(struct delta_chunk *chunk, const struct delta_head *head, int64_t begin, int64_t tokens, real *S, real *y);

#endif
