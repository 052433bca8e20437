/* The map of the selective cell in double precision, from its equations alone: Mamba, and FP-Mamba (paper, Sec. 4 and App. C;
 * docs/explanation/cells.md). For ONE sequence: problem->B is 1 and problem->dtype float64. textbook.h is what others call. */
#ifndef BENCH_PROBLEMS_TEXTBOOK_SELECTIVE_H
#define BENCH_PROBLEMS_TEXTBOOK_SELECTIVE_H

#include "impls/impl.h"

/* What one token makes of the output before it, and the state that it comes with. All of it is known before the token's own output. */
struct selective_token {
    double *q;         /* activated mixer parameters */
    double *b, *c;     /* (N) as they are used: with what they read, and normalised */
    double *dt;        /* (d) */
    double *gate;      /* (d) SiLU(z) inside the map, else 1 */
    double *decay;     /* (d,N) exp(-dt A) */
    double *room;      /* (2 d + m) */
    bool decayed;      /* decay is known before the token begins, and left as it is */
    const double *raw; /* (m) likewise, the mixer's parameters before activation; NULL: to be read */
};

/* Doubles of a token and of its arrays. */
int64_t textbook_selective_scratch(const struct problem *problem);
struct selective_token textbook_selective_token(const struct problem *problem, double *scratch);

/* Whether exp(-dt A) depends on no output, and so is the same in all iterations. */
bool textbook_selective_decays_alike(const struct problem *problem);

/* decay (d,N) of a token from its step dt (d). */
void textbook_selective_decay(const struct problem *problem, const struct inputs *inputs, const double *dt, double *decay);

/* Token t after the output `before` (d). */
void textbook_selective_begin(const struct problem *problem, const struct inputs *inputs, int64_t t, const double *before,
                              struct selective_token *token);

/* xt (d) = Q (x - y) + y: what enters the recurrence beside an output y (d); xt is not y. mixing (d) or NULL: textbook.h, struct
 * textbook_rounding. */
void textbook_selective_input(const struct problem *problem, const struct inputs *inputs, const double *mixing, int64_t t,
                              const struct selective_token *token, const double *y, double *xt);

/* w (d) = H c + skip . xt becomes the output: gated, normalised. */
void textbook_selective_output(const struct problem *problem, const struct inputs *inputs, const struct selective_token *token,
                               double *w);

/* y (d) -> next (d) = f(y) of token t, with the state H (d,N) before it; after (d,N) gets the state after it, and may be H or NULL. */
void textbook_selective_apply(const struct problem *problem, const struct inputs *inputs, const double *mixing, int64_t t,
                              const struct selective_token *token, const double *H, const double *y, double *next, double *after);

#endif
