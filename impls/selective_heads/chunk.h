/* A chunk of tokens of the cell selective_heads as products of matrices (state-space duality), of a group of heads of one sequence.
 * With M_ij = a_{j+1} ... a_i for j <= i and else 0, M_i0 a_0 = e_i and M_{n-1,j} = f_j, C and B the rows c~ and b~ and U those of
 * dt . x, of one head
 *
 *     out = (C B^T . M) U + e . (C H)        H <- e_{n-1} H + B^T (f . U)
 *
 * Here the state lies with the channels along its rows, H (N,channels): products that read it are fastest so. C B^T is the same of
 * all heads, and the products with H are those of all heads of the group at once. M, e and f are made of decays multiplied one
 * after the other: that takes one exponential a token and head, no difference of large sums, and nothing overflows while decays are
 * at most 1. */
#ifndef IMPLS_SELECTIVE_HEADS_CHUNK_H
#define IMPLS_SELECTIVE_HEADS_CHUNK_H

#include "impls/selective_heads/rows.h"

#include <stdbool.h>

#define heads_chunk VARIANT(heads_chunk)
#define heads_chunk_reals VARIANT(heads_chunk_reals)
#define heads_chunk_open VARIANT(heads_chunk_open)
#define heads_chunk_begin VARIANT(heads_chunk_begin)
#define heads_chunk_between VARIANT(heads_chunk_between)
#define heads_chunk_run VARIANT(heads_chunk_run)
#define heads_groups_of VARIANT(heads_groups_of)
#define heads_group VARIANT(heads_group)
#define heads_state_load VARIANT(heads_state_load)
#define heads_state_store VARIANT(heads_state_store)

/* Into so many groups the heads are divided: not by how many threads there are, so that sums and products are the same whoever
 * works. More of them would compute C B^T more often, whether there are threads for them or not. */
int64_t heads_groups_of(const struct problem *problem);

/* Heads from ... to - 1, which have so many channels from the first on. */
struct heads_group {
    int64_t from, to, first, channels;
};
struct heads_group heads_group(const struct problem *problem, int64_t group);

/* H (N,channels) of the group from that of sequence b in `from` (B,d,N; NULL: zero), and back. */
void heads_state_load(const struct problem *problem, const struct heads_group *group, int64_t b, const real *from, real *H);
void heads_state_store(const struct problem *problem, const struct heads_group *group, int64_t b, const real *H, real *to);

struct heads_chunk {
    const struct problem *problem;
    struct heads_group group;
    int64_t most;      /* tokens of a chunk */
    int64_t i, n;      /* its first token, and how many it has */
    const real *b, *c; /* (n,N) */
    real *decays;      /* (heads of the group, most) a */
    real *u;           /* (n, channels) */
    real *S;           /* (n,n) C B^T */
    real *M, *P;       /* (n,n) of the head at hand: M, and C B^T . M */
    real *e, *f;       /* (most) likewise */
    real *made;        /* (2,most,N) b and c, where they are normalised */
};

/* Reals that a chunk of at most so many tokens works in; and such a chunk, in that memory. */
int64_t heads_chunk_reals(const struct problem *problem, int64_t most);
void heads_chunk_open(const struct problem *problem, int64_t group, int64_t most, real *memory, struct heads_chunk *chunk);

/* n tokens from i on: their b, c, decays, u, and, if so, C B^T. */
void heads_chunk_begin(struct heads_chunk *chunk, const struct inputs *inputs, int64_t i, int64_t n, bool product);

/* M, P, e and f of a head, counted in the group; P only where C B^T is there. */
void heads_chunk_between(struct heads_chunk *chunk, int64_t head, bool product);

/* out (B,T,d; NULL: not wanted) of the tokens and heads; H (N,channels) becomes the state after them. u is overwritten. */
void heads_chunk_run(struct heads_chunk *chunk, real *out, real *H);

#endif
