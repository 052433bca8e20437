/* One pass over the tokens that carries iterates `from` + 1 ... `to` along (fixed_point_fused.c): what the two ways to do that share.
 * Low-rank mixers that do not read the state need r-vectors only from one iterate to the next (low_rank.h), all others the
 * whole state (tokens.h). */
#ifndef IMPLS_FUSED_FUSED_H
#define IMPLS_FUSED_FUSED_H

#include "impls/impl.h"
#include "impls/math/real.h"

struct fused_pass {
    const struct inputs *inputs;
    int64_t from, to;
    const real *before;        /* (B,T,d) iterate `from`; NULL: zero, from == 0. fused_low_rank reads it for residuals only */
    real *h;                   /* (B,T,d) iterate `to`; not before */
    real *final;               /* selective: (B,d,N) the states after the last token, of iterate `to`; or NULL */
    double *residual;          /* (to - from, B) or NULL */
    int64_t *broken;           /* (stages,B) the first iterate of a stage (team.h) that is not finite; left alone where all are */
    const struct trace *trace; /* iterates to keep: those of trace->keep that are among these; or NULL */
};

#endif
