/* See team.h. */
#include "impls/fused/team.h"

#include <omp.h>

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t fused_team_stages(int64_t B, int threads, int64_t length, int64_t least)
{
    int64_t stages = smaller(threads / B, length / least);
    return stages > 1 ? stages : 1;
}

/* Sequences from ... to - 1, one group after the other. */
static void run_sequences(const struct fused_team *team, const struct fused_engine *engine, struct fused_share *share, int64_t from,
                          int64_t to)
{
    int64_t T = team->problem->T;
    for (share->b = from; share->b < to; share->b += share->count) {
        share->count = smaller(team->group, to - share->b);
        engine->begin(share);
        for (int64_t t = 0; t < T; t += team->block)
            engine->block(share, t, smaller(t + team->block, T));
        engine->finish(share);
    }
}

static void run_stage(const struct fused_team *team, const struct fused_engine *engine, const struct fused_share *share,
                      int64_t stages)
{
    int64_t T = team->problem->T, blocks = (T + team->block - 1) / team->block;
    if (share->count > 0)
        engine->begin(share);
    for (int64_t i = 0; i < blocks + stages - 1; i++) {
        int64_t t = (i - share->stage) * team->block;
        if (share->count > 0 && t >= 0 && t < T)
            engine->block(share, t, smaller(t + team->block, T));
#pragma omp barrier
    }
    if (share->count > 0)
        engine->finish(share);
}

void fused_team_run(const struct fused_team *team, const struct fused_engine *engine, const void *of, const struct fused_pass *pass)
{
    int64_t B = team->problem->B, length = pass->to - pass->from;
#pragma omp parallel num_threads(team->threads)
    {
        int64_t thread = omp_get_thread_num(), threads = omp_get_num_threads();
        int64_t stages = fused_team_stages(B, (int)threads, smaller(team->stages, length), 1);
        struct fused_share share = {
            .engine = of, .pass = pass, .desk = team->memory + thread * team->desk, .from = pass->from, .to = pass->to};
        if (stages == 1) {
            run_sequences(team, engine, &share, B * thread / threads, B * (thread + 1) / threads);
        } else {
            int64_t stage = thread / B;
            share.b = thread % B;
            share.count = stage < stages;
            share.stage = stage;
            share.from = pass->from + length * stage / stages;
            share.to = pass->from + length * (stage + 1) / stages;
            run_stage(team, engine, &share, stages);
        }
    }
}
