/* fixed_point_fused of the selective cell: the iterates of fixed_point, many of them in one pass over the tokens, for iterate l of token t
 * needs only y^{l-1}_{t-1}, y^{l-1}_t and its own H^l_{t-1} (carried.h); where nothing reads the output and the mixer is of low rank, only
 * r numbers and H^l_{t-1} (meeting.h).
 *
 * What a token needs from memory is read once, and its exponentials are computed once for all iterates, which fixed_point pays anew in
 * each. With a tolerance passes are short (fused/passes.h). A constant damping is carried along; one that depends on residuals needs whole
 * iterates. Gradients go back through the tokens once (sequential_gradient.h): that of n applications with all of them carried along, the
 * exact one by the r numbers of a low-rank mixer (rank.h). */
#include "impls/contract/support.h"
#include "impls/fused/passes.h"
#include "impls/math/mixer.h"
#include "impls/selective/carried.h"
#include "impls/selective/meeting.h"
#include "impls/selective/rank.h"
#include "impls/selective/sequential_gradient.h"

#include <stdlib.h>

struct plan {
    struct problem problem;
    struct settings settings;
    struct fused_passes passes;
    bool meets;             /* in r numbers */
    struct meeting meeting; /* then, or else: */
    struct carried carried;
    struct sequential_gradient gradient; /* nothing, unless settings ask for one */
    int64_t reals, doubles;              /* of the exact one, a thread */
    real *scratch;
    double *numbers;
};

extern const struct implementation VARIANT(selective_fixed_point_fused); /* at the end of this file */

static int64_t longest_pass(const struct problem *p, const struct settings *settings)
{
    return fused_passes_longest(settings, meeting_takes(p) ? meeting_longest(p) : carried_longest(p));
}

/* Applications of the map whose gradient is asked for; 0: the exact one. */
static int64_t steps(const struct settings *settings)
{
    return settings->gradient == GRADIENT_STEPS ? settings->gradient_steps : 0;
}

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, p, settings, environment, &VARIANT(selective_fixed_point_fused)))
        return;
    const int threads = environment->threads;
    int64_t longest = longest_pass(p, settings);
    double reals = meeting_takes(p) ? meeting_reals(p, longest, threads) : carried_reals(p, longest, threads);
    double bytes = reals * sizeof(real) + fused_passes_bytes(p, settings, threads, longest, true);
    if (settings->gradient != GRADIENT_NONE)
        bytes += sequential_gradient_reals(p, steps(settings), threads) * sizeof(real);
    if (settings->gradient == GRADIENT_EXACT)
        bytes += (double)threads * ((double)rank_scratch(p) * sizeof(real) + (double)rank_numbers(p) * sizeof(double));
    if (settings->patience > 0)
        support_no(support, "damping with patience is not supported (needs whole iterates); use fixed_point");
    else if (settings->gradient == GRADIENT_EXACT && !problem_low_rank(p))
        support_no(support, "the exact gradient is computed for mixers of low rank only; use fixed_point, or steps");
    else
        support_memory(support, p, settings, environment, bytes);
}

/* Of a token, where iterates meet in r numbers: the sums that r numbers come from, and what each iterate takes. */
static void count_meeting(const struct problem *p, double *once, double *each)
{
    const double d = (double)p->d, N = (double)p->N, r = (double)p->r;
    *once += mixer_activate_operations(p) + grams_operations(p) + 6 * r * d;
    *each += (5 * N + 9 + 4 * r) * d;
}

/* Elsewhere, but for the product: what reads is made anew for each iterate. */
static void count_carried(const struct problem *p, double *once, double *each)
{
    const struct token_layout layout = token_layout(p);
    const double d = (double)p->d, N = (double)p->N;
    *(layout.theta >= 0 ? each : once) += mixer_activate_operations(p);
    *each += mixer_apply_operations(p) + (5 * N + 8) * d + 2 * N + (layout.dt >= 0 ? (8 + N) * d : 0);
    *each += token_norm(p) ? 8 * d : 0;
}

/* Every pass makes anew what its iterates share. y^0 = 0 needs no product. */
static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    const double tokens = (double)p->B * (double)p->T, d = (double)p->d, N = (double)p->N, m = (double)problem_m(p), n = (double)l;
    const double width = (double)token_layout(p).width, passes = ceil(n / (double)longest_pass(p, settings));
    const bool gated = p->gate == GATE_INSIDE, steps = token_layout(p).dt >= 0;
    double once = gated ? 4 * d : 0, each = 0, units = token_unit(p) ? 6 * N : 0;
    (void)environment;
    if (meeting_takes(p))
        count_meeting(p, &once, &each);
    else
        count_carried(p, &once, &each);
    *(token_layout(p).b >= 0 ? &each : &once) += units;
    once += steps ? 0 : N * d;
    each += gated ? d : 0;
    work->bytes =
        (passes * (tokens * (3 * d + m + 2 * N + (gated ? d : 0)) + d * N + width * d) + (passes - 1) * tokens * d) * sizeof(real);
    work->operations = tokens * (passes * once + n * each + (n - 1) * 2 * width * d);
    work->exponentials = tokens * d * N * (steps ? n : passes);
    work->set = work->bytes / passes;
    work->library = false;
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        sequential_gradient_close(&plan->gradient);
        free(plan->scratch);
        free(plan->numbers);
        meeting_close(&plan->meeting);
        carried_close(&plan->carried);
        fused_passes_close(&plan->passes);
    }
    free(plan);
}

static bool open_gradient(struct plan *plan, int threads)
{
    const struct problem *p = &plan->problem;
    if (plan->settings.gradient == GRADIENT_NONE)
        return true;
    if (plan->settings.gradient == GRADIENT_EXACT) {
        plan->reals = rank_scratch(p);
        plan->doubles = rank_numbers(p);
        plan->scratch = memory_allocate(plan->reals * threads, sizeof(real));
        plan->numbers = memory_allocate(plan->doubles * threads, sizeof(double));
        if (plan->scratch == NULL || plan->numbers == NULL)
            return false;
    }
    return sequential_gradient_open(p, steps(&plan->settings), threads, &plan->gradient);
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    struct status status = plan_begin(&VARIANT(selective_fixed_point_fused), p, settings, environment, out);
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    const int threads = environment->threads;
    int64_t longest = longest_pass(p, settings);
    *plan = (struct plan){.problem = *p, .settings = *settings, .meets = meeting_takes(p)};
    bool opened = plan->meets ? meeting_open(p, settings->damping, longest, threads, &plan->meeting)
                              : carried_open(p, settings->damping, longest, threads, &plan->carried);
    if (!opened || !fused_passes_open(p, settings, threads, longest, true, &plan->passes) || !open_gradient(plan, threads)) {
        destroy(plan);
        return status_no_memory();
    }
    team_start(threads);
    *out = plan;
    return status_ok();
}

static void run(void *engine, const struct fused_pass *pass)
{
    const struct plan *plan = engine;
    if (plan->meets)
        meeting_run(&plan->meeting, pass);
    else
        carried_run(&plan->carried, pass);
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    static const struct fused_passes_engine engine = {run, NULL};
    return fused_passes_run(&plan->passes, &engine, plan, inputs, outputs, trace);
}

static enum answer adjoint(struct plan *plan, int thread, const struct equation *equation, const real *w, struct row_norm norm,
                           const real *pull, const real *ybar, real *lambda)
{
    return rank_adjoint(&plan->problem, equation, w, norm, pull, ybar, lambda, plan->scratch + thread * plan->reals,
                        plan->numbers + thread * plan->doubles);
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    return sequential_gradient_run(&plan->gradient, plan, adjoint, inputs, outputs, grad_outputs, gradients);
}

const struct implementation VARIANT(selective_fixed_point_fused) = {
    .name = "fixed_point_fused",
    .summary = "the same iterates, many in one pass over the tokens",
    .device = DEVICE_CPU,
    .exact = false,
    .cells = CELLS_SELECTIVE,
    .mixers = MIXERS_ANY,
    .gradients = GRADIENTS_EXACT | GRADIENTS_STEPS,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
