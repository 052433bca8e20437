/* How the threads of a fused pass divide it (fixed_point_fused.c). Each has sequences of its own; where there are fewer sequences than
 * threads, those of a sequence divide the iterates into stages, and a stage goes through a block of tokens once the stage before is
 * through with it. */
#ifndef IMPLS_FUSED_TEAM_H
#define IMPLS_FUSED_TEAM_H

#include "impls/fused/fused.h"

/* What one thread carries through time: the iterates from + 1 ... to of the sequences b ... b + count - 1. */
struct fused_share {
    const void *engine;
    const struct fused_pass *pass;
    real *desk; /* the thread's own memory */
    int64_t b, count, from, to, stage;
};

/* What fused_team_run() calls, for the same share: begin, the blocks of tokens t0 ... t1 - 1 in their order, finish. */
struct fused_engine {
    void (*begin)(const struct fused_share *);
    void (*block)(const struct fused_share *, int64_t t0, int64_t t1);
    void (*finish)(const struct fused_share *);
};

struct fused_team {
    const struct problem *problem;
    int threads;
    int64_t group, block; /* sequences of a share and tokens of a block, at the most */
    int64_t stages;       /* fused_team_stages() */
    int64_t desk;         /* reals of a thread's memory */
    real *memory;         /* (threads, desk) */
};

#define fused_team_stages VARIANT(fused_team_stages)
#define fused_team_run VARIANT(fused_team_run)

/* Stages of a pass of so many iterates, of which one stage has `least` at the least. */
int64_t fused_team_stages(int64_t B, int threads, int64_t length, int64_t least);

void fused_team_run(const struct fused_team *team, const struct fused_engine *engine, const void *of,
                    const struct fused_pass *pass);

#endif
