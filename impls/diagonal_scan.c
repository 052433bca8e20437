/* diagonal_scan: the diagonal linear RNN (Q = I), what one iteration costs at the least.
 *
 *     normalised:  h_t = Lambda_t h_{t-1} + (1 - Lambda_t) v_t
 *     plain:       h_t = Lambda_t h_{t-1} + v_t
 *
 * Option split=batch|channels|time forces what the threads divide. */
#include "impls/finite.h"
#include "impls/scan.h"
#include "impls/support.h"

#include <stdlib.h>

struct plan {
    struct problem problem;
    struct scan scan;
};

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, settings, SCAN_OPTIONS))
        return;
    if (p->mixer != MIXER_NONE)
        support_no(support, "does not mix channels: only mixer none is its recurrence");
    else
        support_memory(support, p, environment, (double)scan_carry(p, environment->threads) * sizeof(real));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    (void)l;
    scan_count(p, environment->threads, scan_split(p, environment->threads, settings_option(settings, "split")), work);
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    *out = NULL;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->problem = *p;
    plan->scan =
        (struct scan){.B = p->B, .T = p->T, .d = p->d, .gated = p->form == FORM_NORMALISED, .threads = environment->threads};
    plan->scan.split = scan_split(p, environment->threads, settings_option(settings, "split"));
    plan->scan.carry = memory_allocate(scan_carry(p, environment->threads), sizeof(real));
    if (plan->scan.carry == NULL) {
        free(plan);
        return status_no_memory();
    }
    team_start(environment->threads);
    *out = plan;
    return status_ok();
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    scan_run(&plan->scan, inputs->lambda, inputs->v, inputs->h0, outputs->h);
    const struct problem *p = &plan->problem;
    return exact_finish(p, outputs, trace, p->B * p->T);
}

static void destroy(struct plan *plan)
{
    if (plan != NULL)
        free(plan->scan.carry);
    free(plan);
}

const struct implementation VARIANT(diagonal_scan) = {
    .name = "diagonal_scan",
    .summary = "diagonal linear RNN (Q = I), one parallel scan",
    .options = SCAN_OPTIONS,
    .device = DEVICE_CPU,
    .exact = true,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .destroy = destroy,
};
