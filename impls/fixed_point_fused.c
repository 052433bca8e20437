/* fixed_point_fused: the iterates of fixed_point, many of them in one pass over the tokens, for h^l_t needs only h^l_{t-1} and h^{l-1}_t.
 *
 * What a token needs from memory is read once, activated once, and serves all iterates. With a tolerance passes are short
 * (fused/passes.h). The gradients are those of fixed_point, for low-rank mixers that do not read the state in one pass backwards
 * (fused/gradient.h), for others as fixed_point computes them (iterated_gradient.h). Option store=keep|stream: whether low-rank results
 * are written into the caches or past them; left alone, past them when they would not be found there. */
#include "impls/contract/support.h"
#include "impls/fused/gradient.h"
#include "impls/fused/low_rank.h"
#include "impls/fused/passes.h"
#include "impls/fused/tokens.h"
#include "impls/math/iterated_gradient.h"
#include "impls/math/mixer.h"

#include <stdlib.h>
#include <string.h>

struct plan {
    struct problem problem;
    struct settings settings;
    int threads;
    bool meets_in_r; /* a low-rank mixer that does not read the state */
    struct fused_low_rank low_rank;
    struct fused_tokens tokens; /* all other mixers */
    struct fused_passes passes;
    struct fused_gradient low_rank_gradient; /* nothing, unless settings ask for one, as is what follows */
    struct map map;
    struct iterated_gradient gradient;
};

#define OPTIONS "store=keep|stream"

static bool meets_in_r(const struct problem *p)
{
    return p->feedback == FEEDBACK_NONE && problem_low_rank(p) && p->r > 0;
}

static int64_t longest_pass(const struct problem *p, const struct settings *settings)
{
    return fused_passes_longest(settings, meets_in_r(p) ? fused_low_rank_longest(p) : fused_tokens_longest(p));
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
                       reals * sizeof(real) + fused_passes_bytes(p, settings, threads, longest, !meets_in_r(p)));
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
        fused_passes_close(&plan->passes);
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
    *plan = (struct plan){.problem = *p, .settings = *settings, .threads = environment->threads, .meets_in_r = meets_in_r(p)};
    int64_t longest = longest_pass(p, settings);
    bool opened = plan->meets_in_r ? fused_low_rank_open(p, longest, plan->threads, &plan->low_rank)
                                   : fused_tokens_open(p, longest, plan->threads, &plan->tokens);
    /* what meets in r-vectors needs no iterate to go on from, and its residuals can do with the outputs */
    bool needs_before = !plan->meets_in_r;
    if (!fused_passes_open(p, settings, plan->threads, longest, needs_before, &plan->passes) || !opened || !open_gradient(plan)) {
        destroy(plan);
        return status_no_memory();
    }
    plan->low_rank.stream = streams(p, settings, environment, 1);
    plan->low_rank_gradient.stream = streams(p, settings, environment, 2); /* as many gradients again */
    team_start(environment->threads);
    *out = plan;
    return status_ok();
}

static void run(void *engine, const struct fused_pass *pass)
{
    const struct plan *plan = engine;
    if (plan->meets_in_r)
        fused_low_rank_run(&plan->low_rank, pass);
    else
        fused_tokens_run(&plan->tokens, pass);
}

static void accept(void *engine)
{
    struct plan *plan = engine;
    if (plan->meets_in_r)
        fused_low_rank_accept(&plan->low_rank);
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    static const struct fused_passes_engine engine = {run, accept};
    return fused_passes_run(&plan->passes, &engine, plan, inputs, outputs, trace);
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
