/* See passes.h. */
#include "impls/fused/passes.h"

#include "impls/contract/support.h"
#include "impls/math/finite.h"
#include "impls/math/residual.h"

#include <stdlib.h>
#include <string.h>

enum { TRIED = 16 }; /* iterates of a pass when there is a tolerance: those beyond the answer are wasted */

int64_t fused_passes_longest(const struct settings *settings, int64_t most)
{
    most = settings->tolerance > 0 && most > TRIED ? TRIED : most;
    return most < settings->l_max ? most : settings->l_max;
}

/* Elements of other. */
static int64_t other_size(const struct problem *p, const struct settings *settings, int64_t longest, bool needs_before)
{
    return !needs_before || longest == settings->l_max ? 0 : p->B * p->T * p->d;
}

double fused_passes_bytes(const struct problem *p, const struct settings *settings, int threads, int64_t longest, bool needs_before)
{
    return (double)other_size(p, settings, longest, needs_before) * sizeof(real) +
           (((double)longest + 1) * (double)p->B + threads) * sizeof(double);
}

bool fused_passes_open(const struct problem *p, const struct settings *settings, int threads, int64_t longest, bool needs_before,
                       struct fused_passes *passes)
{
    *passes = (struct fused_passes){
        .problem = *p, .settings = *settings, .threads = threads, .longest = longest, .needs_before = needs_before};
    passes->broken = memory_allocate(p->B + threads, sizeof *passes->broken);
    passes->residual = memory_allocate(longest * p->B, sizeof *passes->residual);
    passes->other = memory_allocate(other_size(p, settings, longest, needs_before), sizeof(real));
    if (passes->broken != NULL && passes->residual != NULL && passes->other != NULL)
        return true;
    fused_passes_close(passes);
    return false;
}

void fused_passes_close(struct fused_passes *passes)
{
    free(passes->other);
    free(passes->broken);
    free(passes->residual);
    *passes = (struct fused_passes){0};
}

/* What was seen of the iterates so far. */
struct progress {
    int64_t l;         /* of the last that counts */
    int64_t converged; /* sequences whose residual is below the tolerance there */
    bool broken;       /* it is not finite */
};

/* How far a pass counts: up to the first iterate that is not finite, or at which enough sequences have converged. */
static void judge(const struct fused_passes *passes, const struct fused_pass *pass, int64_t wanted, struct trace *trace,
                  struct progress *progress)
{
    int64_t B = passes->problem.B, broken = INT64_MAX;
    for (int64_t i = 0; i < B + passes->threads; i++)
        broken = pass->broken[i] < broken ? pass->broken[i] : broken;
    while (progress->l < pass->to && !progress->broken && progress->converged < wanted) {
        double *residual = pass->residual != NULL ? pass->residual + (progress->l - pass->from) * B : NULL;
        progress->broken = ++progress->l == broken;
        if (residual == NULL)
            continue;
        for (int64_t b = 0; b < B && progress->broken; b++)
            residual[b] = INFINITY;
        if (!progress->broken)
            progress->converged = residual_count(&passes->problem, passes->settings.tolerance, residual, progress->l,
                                                 trace != NULL ? trace->l : NULL);
    }
}

/* A pass, with nothing said of its iterates yet. */
static void make(const struct fused_passes *passes, const struct fused_passes_engine *how, void *engine,
                 const struct fused_pass *pass)
{
    for (int64_t i = 0; i < passes->problem.B + passes->threads; i++)
        pass->broken[i] = INT64_MAX;
    how->run(engine, pass);
}

struct status fused_passes_run(const struct fused_passes *passes, const struct fused_passes_engine *how, void *engine,
                               const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &passes->problem;
    struct status given = forward_check(p, inputs, outputs);
    if (given.code != STATUS_OK)
        return given;
    const struct settings *settings = &passes->settings;
    int64_t B = p->B, wanted = residual_wanted(p, settings);
    struct progress progress = {0};
    double *rows = trace != NULL ? trace->residual : NULL;
    bool residuals = rows != NULL || settings->tolerance > 0;
    trace_begin(p, trace);
    bool two = other_size(p, settings, passes->longest, passes->needs_before) > 0;
    real *h = outputs->h, *other = two ? passes->other : outputs->h;
    while (progress.l < settings->l_max && progress.converged < wanted && !progress.broken) {
        int64_t from = progress.l, left = settings->l_max - from;
        real *swap = h;
        h = other;
        other = swap;
        struct fused_pass pass = {.inputs = inputs,
                                  .from = from,
                                  .to = from + (left < passes->longest ? left : passes->longest),
                                  .before = from > 0 ? other : NULL,
                                  .h = h,
                                  .final = outputs->final,
                                  .residual = !residuals     ? NULL
                                              : rows != NULL ? rows + from * B
                                                             : passes->residual,
                                  .broken = passes->broken,
                                  .trace = trace != NULL && trace->n_keep > 0 ? trace : NULL};
        make(passes, how, engine, &pass);
        judge(passes, &pass, wanted, trace, &progress);
        if (progress.l < pass.to) {
            pass.to = progress.l;
            pass.residual = NULL;
            pass.trace = NULL;
            make(passes, how, engine, &pass);
        }
        if (how->accept != NULL)
            how->accept(engine);
    }
    if (h != outputs->h)
        memcpy(outputs->h, h, (size_t)(B * p->T * p->d) * sizeof(real));
    while (trace != NULL && trace->n_kept < trace->n_keep && trace->keep[trace->n_kept] <= progress.l)
        trace->n_kept++;
    return iterates_finish(p, settings, outputs, trace, status_ok(), progress.l, progress.converged);
}
