/* A plug-in as a user writes one: the diagonal recurrence of the vector cell, one channel at a time.
 *
 *     normalised:  h_t = lambda_t h_{t-1} + (1 - lambda_t) v_t
 *     plain:       h_t = lambda_t h_{t-1} + v_t
 */
#include "bench/plugin/fprnn.h"

#include <stdlib.h>

struct fprnn_plan {
    int64_t B, T, d;
    int plain, wide;
};

static void plan(const struct fprnn_problem *problem, const struct fprnn_settings *settings,
                 const struct fprnn_environment *environment, struct fprnn_plan **out, struct fprnn_status *status)
{
    struct fprnn_plan *plan = (struct fprnn_plan *)malloc(sizeof *plan);
    (void)settings, (void)environment;
    if (plan == NULL) {
        fprnn_fail(status, FPRNN_OUT_OF_MEMORY, "out of memory for the plan");
        return;
    }
    plan->B = problem->B, plan->T = problem->T, plan->d = problem->d;
    plan->plain = fprnn_is(problem->form, "plain");
    plan->wide = fprnn_is(problem->dtype, "float64");
    *out = plan;
}

#define SCAN(name, real)                                                                                                           \
    static void name(const struct fprnn_plan *plan, const real *lambda, const real *v, const real *before, real *h)                \
    {                                                                                                                              \
        for (int64_t b = 0; b < plan->B; b++)                                                                                      \
            for (int64_t t = 0; t < plan->T; t++)                                                                                  \
                for (int64_t c = 0; c < plan->d; c++) {                                                                            \
                    int64_t i = (b * plan->T + t) * plan->d + c;                                                                   \
                    real last = t > 0 ? h[i - plan->d] : before != NULL ? before[b * plan->d + c] : 0;                             \
                    h[i] = lambda[i] * last + (plan->plain ? v[i] : (1 - lambda[i]) * v[i]);                                       \
                }                                                                                                                  \
    }
SCAN(scan32, float)
SCAN(scan64, double)

static void forward(struct fprnn_plan *plan, const struct fprnn_tensors *inputs, const struct fprnn_tensors *outputs,
                    struct fprnn_trace *trace, struct fprnn_status *status)
{
    void *lambda = fprnn_data(inputs, "lambda"), *v = fprnn_data(inputs, "v"), *h0 = fprnn_data(inputs, "h0"),
         *h = fprnn_data(outputs, "h");
    (void)trace, (void)status;
    if (plan->wide)
        scan64(plan, (const double *)lambda, (const double *)v, (const double *)h0, (double *)h);
    else
        scan32(plan, (const float *)lambda, (const float *)v, (const float *)h0, (float *)h);
}

static void destroy(struct fprnn_plan *plan)
{
    free(plan);
}

static const char *const cells[] = {"vector", NULL}, *const mixers[] = {"none", NULL},
                         *const dtypes[] = {"float32", "float64", NULL}, *const tensors[] = {"v", "lambda", "h0", NULL};

const struct fprnn_plugin *fprnn_plugin(uint32_t host)
{
    static const struct fprnn_plugin plugin = {
        FPRNN_MAGIC, FPRNN_MAJOR, FPRNN_MINOR, sizeof plugin, "scan",  "diagonal recurrence, one channel at a time",
        "exact",     cells,       mixers,      dtypes,        NULL,    tensors,
        NULL,        NULL,        NULL,        plan,          forward, NULL,
        destroy};
    (void)host;
    return &plugin;
}
