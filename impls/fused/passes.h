/* What drives the passes of a fused iteration (fixed_point_fused.c): how many iterates a pass has, up to which of them it counts, and what is
 * told of them. Without a tolerance a pass has as many as it may. With one, passes are short: a pass tells the residuals of all its
 * iterates, and when it turns out that an earlier one of them is the answer, it is made once more up to that one. What is not finite is
 * found the same way. How a pass is made is the engine's. */
#ifndef IMPLS_FUSED_PASSES_H
#define IMPLS_FUSED_PASSES_H

#include "impls/fused/fused.h"

#define fused_passes_longest VARIANT(fused_passes_longest)
#define fused_passes_bytes VARIANT(fused_passes_bytes)
#define fused_passes_open VARIANT(fused_passes_open)
#define fused_passes_close VARIANT(fused_passes_close)
#define fused_passes_run VARIANT(fused_passes_run)

/* An engine: run makes a pass, accept (NULL: nothing to do) is told that it will not be made again. */
struct fused_passes_engine {
    void (*run)(void *engine, const struct fused_pass *pass);
    void (*accept)(void *engine);
};

struct fused_passes {
    struct problem problem;
    struct settings settings;
    int threads;
    int64_t longest;   /* iterates of a pass, at the most */
    bool needs_before; /* a pass needs the iterate that it begins with, not only where the engine left off */
    real *other;       /* (B,T,d) that iterate, when there are several passes */
    int64_t *broken;   /* (B + threads) */
    double *residual;  /* (longest,B), when no trace has room for them */
};

/* Iterates of a pass, of which an engine takes `most` at the most. */
int64_t fused_passes_longest(const struct settings *settings, int64_t most);

/* Bytes that fused_passes_open() allocates. */
double fused_passes_bytes(const struct problem *problem, const struct settings *settings, int threads, int64_t longest,
                          bool needs_before);

/* False: no memory; nothing is left then. */
bool fused_passes_open(const struct problem *problem, const struct settings *settings, int threads, int64_t longest,
                       bool needs_before, struct fused_passes *passes);
void fused_passes_close(struct fused_passes *passes);

/* What forward() does. */
struct status fused_passes_run(const struct fused_passes *passes, const struct fused_passes_engine *how, void *engine,
                               const struct inputs *inputs, const struct outputs *outputs, struct trace *trace);

#endif
