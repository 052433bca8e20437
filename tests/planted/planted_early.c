/* planted_early: the paper's iteration, which stops a hundred times too early: at a hundred times the tolerance. lies=yes: and reports
 * the iterations that the tolerance takes. */
#include "tests/planted/planted.h"

extern const struct implementation VARIANT(fixed_point);

/* The iterate at which a residual is first below the tolerance. */
static struct status iterate(const struct plan *plan, double tolerance, const struct inputs *inputs, const struct outputs *outputs,
                             struct trace *trace)
{
    const struct environment environment = {.threads = 1};
    struct settings settings = plan->settings;
    struct plan *inner;
    settings.tolerance = tolerance;
    settings.n_options = 0;
    struct status status = VARIANT(fixed_point).plan(&plan->problem, &settings, &environment, &inner);
    if (status.code == STATUS_OK)
        status = VARIANT(fixed_point).forward(inner, inputs, outputs, trace);
    VARIANT(fixed_point).destroy(inner);
    return status;
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    struct trace right = {0};
    struct status status = status_ok();
    if (settings_option(&plan->settings, "lies") != NULL)
        status = iterate(plan, plan->settings.tolerance, inputs, outputs, &right);
    if (status.code == STATUS_OK)
        status = iterate(plan, 100 * plan->settings.tolerance, inputs, outputs, trace);
    if (trace != NULL && right.l_run > 0)
        trace->l_run = right.l_run;
    return status;
}

const struct implementation VARIANT(planted_early) = PLANTED("planted_early", "test only: stops a hundred times too early",
                                                             .options = "lies=yes");
