/* diagonal_scan: the diagonal linear RNN (Q = I), what one iteration costs at the least.
 *
 *     normalised:  h_t = Lambda_t h_{t-1} + (1 - Lambda_t) v_t
 *     plain:       h_t = Lambda_t h_{t-1} + v_t
 *
 * Its gradient, exact and n-step alike, is one scan backwards in time. Option split=batch|channels|time forces what the threads
 * divide, store=keep|stream whether h is written into the caches or past them; left alone, it is written past them when v, lambda and
 * h together exceed the largest. */
#include "impls/contract/support.h"
#include "impls/math/adjoint.h"
#include "impls/math/finite.h"
#include "impls/math/scan.h"

#include <stdlib.h>

struct plan {
    struct problem problem;
    struct scan scan;
    bool gradient; /* settings ask for one */
    real *s;       /* (B,T,d) adjoints; nothing, unless they do */
};

#define OPTIONS SCAN_OPTIONS " store=keep|stream"

static int64_t adjoints(const struct problem *p, const struct settings *settings)
{
    return settings->gradient != GRADIENT_NONE ? p->B * p->T * p->d : 0;
}

extern const struct implementation VARIANT(diagonal_scan); /* at the end of this file */

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, p, settings, environment, &VARIANT(diagonal_scan)))
        return;
    support_memory(support, p, settings, environment,
                   ((double)scan_carry(p, environment->threads) + (double)adjoints(p, settings)) * sizeof(real));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    (void)l;
    scan_count(p, environment->threads, scan_split(p, environment->threads, settings_option(settings, "split")), work);
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        free(plan->scan.carry);
        free(plan->s);
    }
    free(plan);
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    struct status status = plan_begin(&VARIANT(diagonal_scan), p, settings, environment, out);
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->problem = *p;
    plan->gradient = settings->gradient != GRADIENT_NONE;
    plan->scan =
        (struct scan){.B = p->B, .T = p->T, .d = p->d, .gated = p->form == FORM_NORMALISED, .threads = environment->threads};
    plan->scan.split = scan_split(p, environment->threads, settings_option(settings, "split"));
    plan->scan.stream = scan_stream(p, environment, settings_option(settings, "store"));
    plan->scan.carry = memory_allocate(scan_carry(p, environment->threads), sizeof(real));
    plan->s = memory_allocate(adjoints(p, settings), sizeof(real));
    if (plan->scan.carry == NULL || plan->s == NULL) {
        destroy(plan);
        return status_no_memory();
    }
    team_start(environment->threads);
    *out = plan;
    return status_ok();
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &plan->problem;
    struct status given = forward_check(p, inputs, outputs);
    if (given.code != STATUS_OK)
        return given;
    scan_run(&plan->scan, inputs->lambda, inputs->v, inputs->h0, outputs->h);
    return exact_finish(p, outputs, trace, p->B * p->T);
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    const struct problem *p = &plan->problem;
    struct status given = backward_check(p, plan->gradient, inputs, outputs, grad_outputs, gradients);
    if (given.code != STATUS_OK)
        return given;
    int64_t T = p->T, d = p->d;
    bool gated = p->form == FORM_NORMALISED;
    real *v_adjoint = gradients->v, *lambda_adjoint = gradients->lambda, *h0_adjoint = gradients->h0;
    adjoint_set(p, grad_outputs, plan->scan.threads, plan->s);
    scan_run_reversed(&plan->scan, inputs->lambda, plan->s, plan->s);
#pragma omp parallel for num_threads(plan->scan.threads) schedule(static)
    for (int64_t i = 0; i < p->B * T; i++) {
        const real *s = plan->s + i * d, *lambda = (const real *)inputs->lambda + i * d, *v = (const real *)inputs->v + i * d;
        const real *initial = inputs->h0 != NULL ? (const real *)inputs->h0 + i / T * d : plan->scan.carry; /* zero */
        const real *before = i % T > 0 ? (const real *)outputs->h + (i - 1) * d : initial;
        for (int64_t c = 0; v_adjoint != NULL && c < d; c++)
            v_adjoint[i * d + c] = gated ? s[c] - lambda[c] * s[c] : s[c];
        for (int64_t c = 0; lambda_adjoint != NULL && c < d; c++)
            lambda_adjoint[i * d + c] = s[c] * (gated ? before[c] - v[c] : before[c]);
        for (int64_t c = 0; h0_adjoint != NULL && i % T == 0 && c < d; c++)
            h0_adjoint[i / T * d + c] = lambda[c] * s[c];
    }
    return status_ok();
}

const struct implementation VARIANT(diagonal_scan) = {
    .name = "diagonal_scan",
    .summary = "diagonal linear RNN (Q = I), one parallel scan",
    .options = OPTIONS,
    .device = DEVICE_CPU,
    .exact = true,
    .cells = CELLS_VECTOR,
    .mixers = MIXERS_NONE,
    .gradients = GRADIENTS_EXACT | GRADIENTS_STEPS,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
