/* fixed_point_fused: the iterates of fixed_point, many of them in one pass over the tokens, for h^l_t needs only h^l_{t-1} and h^{l-1}_t.
 *
 * What a token needs from memory is read once, activated once, and serves all iterates. With a tolerance passes are short: a pass
 * tells the residuals of all its iterates, and when it turns out that an earlier one of them is the answer, the pass is made once more
 * up to that one. What is not finite is found the same way. The gradients are those of fixed_point, for low-rank mixers that do not read
 * the state in one pass backwards (fused/gradient.h), for others as fixed_point computes them (iterated_gradient.h). Option
 * store=keep|stream: whether low-rank results are written into the caches or past them; left alone, past them when they would not be
 * found there. */
#include "impls/contract/support.h"
#include "impls/fused/gradient.h"
#include "impls/fused/low_rank.h"
#include "impls/fused/tokens.h"
#include "impls/math/finite.h"
#include "impls/math/iterated_gradient.h"
#include "impls/math/mixer.h"
#include "impls/math/residual.h"

#include <stdlib.h>
#include <string.h>

struct plan {
    struct problem problem;
    struct settings settings;
    int threads;
    bool meets_in_r; /* a low-rank mixer that does not read the state */
    int64_t longest; /* iterates of a pass */
    struct fused_low_rank low_rank;
    struct fused_tokens tokens;              /* all other mixers */
    real *other;                             /* (B,T,d) what the next pass begins with, when there are several and they need it */
    int64_t *broken;                         /* (stages,B) */
    double *residual;                        /* (longest,B), when no trace has room for them */
    struct fused_gradient low_rank_gradient; /* nothing, unless settings ask for one, as is what follows */
    struct map map;
    struct iterated_gradient gradient;
};

#define OPTIONS "store=keep|stream"

enum { TRIED = 16 }; /* iterates of a pass when there is a tolerance: those beyond the answer are wasted */

static bool meets_in_r(const struct problem *p)
{
    return p->feedback == FEEDBACK_NONE && problem_low_rank(p) && p->r > 0;
}

static int64_t longest_pass(const struct problem *p, const struct settings *settings)
{
    int64_t most = meets_in_r(p) ? fused_low_rank_longest(p) : fused_tokens_longest(p);
    most = settings->tolerance > 0 && most > TRIED ? TRIED : most;
    return most < settings->l_max ? most : settings->l_max;
}

/* Elements of plan.other: what meets in r-vectors needs no iterate to go on from, and its residuals can do with the outputs. */
static int64_t other_size(const struct problem *p, const struct settings *settings)
{
    return meets_in_r(p) || longest_pass(p, settings) == settings->l_max ? 0 : p->B * p->T * p->d;
}

extern const struct implementation VARIANT(fixed_point_fused); /* at the end of this file */

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, p, settings, environment, &VARIANT(fixed_point_fused)))
        return;
    int64_t longest = longest_pass(p, settings);
    int threads = environment->threads;
    double reals = meets_in_r(p) ? fused_low_rank_reals(p, longest, threads) : fused_tokens_reals(p, longest, threads);
    if (settings->gradient != GRADIENT_NONE && meets_in_r(p))
        reals += fused_gradient_reals(p, settings, threads);
    else if (settings->gradient != GRADIENT_NONE)
        reals += map_reals(p, threads) + iterated_gradient_reals(p, settings, threads);
    if (settings->damping < 1 || settings->patience > 0)
        support_no(support, "damping is not supported (needs whole iterates); use fixed_point");
    else
        support_memory(support, p, settings, environment,
                       (reals + (double)other_size(p, settings)) * sizeof(real) +
                           (((double)longest + 1) * (double)p->B + threads) * sizeof(double));
}

/* A token of fused_low_rank: activation, drive and factors, products over channels, and 2 + 4 r a channel and iterate. */
static double low_rank_operations(const struct problem *p, double n)
{
    double d = (double)p->d, r = (double)p->r;
    return mixer_activate_operations(p) + (2 + 6 * r + r * (2 * r + 1)) * d + n * (2 + 4 * r) * d;
}

/* One of fused_tokens: as fixed_point counts it, h^0 = 0 needing no product with W. */
static double tokens_operations(const struct problem *p, double n)
{
    double d = (double)p->d, m = (double)problem_m(p), activation = mixer_activate_operations(p);
    double each = mixer_apply_operations(p) + (p->form == FORM_NORMALISED ? 5 : 4) * d;
    if (p->feedback == FEEDBACK_NONE)
        return activation + n * each;
    return n * (activation + each) + (n - 1) * 2 * m * d;
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, m = (double)problem_m(p), n = (double)l;
    (void)settings, (void)environment;
    work->bytes = (tokens * (3 * d + m) + (p->feedback != FEEDBACK_NONE ? m * d : 0)) * sizeof(real);
    work->operations = tokens * (meets_in_r(p) ? low_rank_operations(p, n) : tokens_operations(p, n));
    work->set = work->bytes;
    work->library = false;
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        iterated_gradient_close(&plan->gradient);
        map_close(&plan->map);
        fused_gradient_close(&plan->low_rank_gradient);
        fused_low_rank_close(&plan->low_rank);
        fused_tokens_close(&plan->tokens);
        free(plan->other);
        free(plan->broken);
        free(plan->residual);
    }
    free(plan);
}

/* Whether results are written past the caches: as the option says, or when so many times the problem's tensors exceed the largest. */
static bool streams(const struct problem *p, const struct settings *settings, const struct environment *environment, int times)
{
    const char *store = settings_option(settings, "store");
    if (store != NULL)
        return strcmp(store, "stream") == 0;
    return environment->cache_bytes > 0 && times * problem_bytes(p) > (double)environment->cache_bytes;
}

static bool open_gradient(struct plan *plan)
{
    const struct problem *p = &plan->problem;
    const struct settings *settings = &plan->settings;
    if (settings->gradient == GRADIENT_NONE)
        return true;
    if (plan->meets_in_r)
        return fused_gradient_open(p, settings, plan->threads, &plan->low_rank_gradient);
    return map_open(p, NULL, plan->threads, &plan->map) && iterated_gradient_open(&plan->map, settings, &plan->gradient);
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    struct status status = plan_begin(&VARIANT(fixed_point_fused), p, settings, environment, out);
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    *plan = (struct plan){.problem = *p,
                          .settings = *settings,
                          .threads = environment->threads,
                          .meets_in_r = meets_in_r(p),
                          .longest = longest_pass(p, settings)};
    plan->broken = memory_allocate(p->B + plan->threads, sizeof *plan->broken);
    plan->residual = memory_allocate(plan->longest * p->B, sizeof *plan->residual);
    plan->other = memory_allocate(other_size(p, settings), sizeof(real));
    bool opened = plan->meets_in_r ? fused_low_rank_open(p, plan->longest, plan->threads, &plan->low_rank)
                                   : fused_tokens_open(p, plan->longest, plan->threads, &plan->tokens);
    if (!plan->broken || !plan->residual || !plan->other || !opened || !open_gradient(plan)) {
        destroy(plan);
        return status_no_memory();
    }
    plan->low_rank.stream = streams(p, settings, environment, 1);
    plan->low_rank_gradient.stream = streams(p, settings, environment, 2); /* as many gradients again */
    team_start(environment->threads);
    *out = plan;
    return status_ok();
}

/* What was seen of the iterates so far. */
struct progress {
    int64_t l;         /* of the last that counts */
    int64_t converged; /* sequences whose residual is below the tolerance there */
    bool broken;       /* it is not finite */
};

static void run(const struct plan *plan, const struct fused_pass *pass)
{
    for (int64_t i = 0; i < plan->problem.B + plan->threads; i++)
        pass->broken[i] = INT64_MAX;
    if (plan->meets_in_r)
        fused_low_rank_run(&plan->low_rank, pass);
    else
        fused_tokens_run(&plan->tokens, pass);
}

/* How far a pass counts: up to the first iterate that is not finite, or at which enough sequences have converged. */
static void judge(const struct plan *plan, const struct fused_pass *pass, int64_t wanted, struct trace *trace,
                  struct progress *progress)
{
    int64_t B = plan->problem.B, broken = INT64_MAX;
    for (int64_t i = 0; i < B + plan->threads; i++)
        broken = pass->broken[i] < broken ? pass->broken[i] : broken;
    while (progress->l < pass->to && !progress->broken && progress->converged < wanted) {
        double *residual = pass->residual != NULL ? pass->residual + (progress->l - pass->from) * B : NULL;
        progress->broken = ++progress->l == broken;
        if (residual == NULL)
            continue;
        for (int64_t b = 0; b < B && progress->broken; b++)
            residual[b] = INFINITY;
        if (!progress->broken)
            progress->converged =
                residual_count(&plan->problem, plan->settings.tolerance, residual, progress->l, trace != NULL ? trace->l : NULL);
    }
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    struct status given = forward_check(p, inputs, outputs);
    if (given.code != STATUS_OK)
        return given;
    const struct settings *settings = &plan->settings;
    int64_t B = p->B, wanted = residual_wanted(p, settings);
    struct progress progress = {0};
    double *rows = trace != NULL ? trace->residual : NULL;
    bool residuals = rows != NULL || settings->tolerance > 0;
    trace_begin(p, trace);
    real *h = outputs->h, *other = other_size(p, settings) > 0 ? plan->other : outputs->h;
    while (progress.l < settings->l_max && progress.converged < wanted && !progress.broken) {
        int64_t from = progress.l, left = settings->l_max - from;
        real *swap = h;
        h = other;
        other = swap;
        struct fused_pass pass = {.inputs = inputs,
                                  .from = from,
                                  .to = from + (left < plan->longest ? left : plan->longest),
                                  .before = from > 0 ? other : NULL,
                                  .h = h,
                                  .residual = !residuals     ? NULL
                                              : rows != NULL ? rows + from * B
                                                             : plan->residual,
                                  .broken = plan->broken,
                                  .trace = trace != NULL && trace->n_keep > 0 ? trace : NULL};
        run(plan, &pass);
        judge(plan, &pass, wanted, trace, &progress);
        if (progress.l < pass.to) {
            pass.to = progress.l;
            pass.residual = NULL;
            pass.trace = NULL;
            run(plan, &pass);
        }
        if (plan->meets_in_r)
            fused_low_rank_accept(&plan->low_rank);
    }
    if (h != outputs->h)
        memcpy(outputs->h, h, (size_t)(B * p->T * p->d) * sizeof(real));
    while (trace != NULL && trace->n_kept < trace->n_keep && trace->keep[trace->n_kept] <= progress.l)
        trace->n_kept++;
    return iterates_finish(p, settings, outputs, trace, status_ok(), progress.l, progress.converged);
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    if (plan->meets_in_r)
        return fused_gradient_run(&plan->low_rank_gradient, inputs, outputs, grad_outputs, gradients);
    return iterated_gradient_run(&plan->gradient, inputs, outputs, grad_outputs, gradients);
}

const struct implementation VARIANT(fixed_point_fused) = {
    .name = "fixed_point_fused",
    .summary = "the same iterates, many in one pass over the tokens",
    .options = OPTIONS,
    .device = DEVICE_CPU,
    .exact = false,
    .cells = CELLS_VECTOR,
    .mixers = MIXERS_ANY,
    .gradients = GRADIENTS_EXACT | GRADIENTS_STEPS,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
