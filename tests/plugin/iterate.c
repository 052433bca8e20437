/* A plug-in of the other kinds of work: one that iterates, and has gradients. It computes the iteration of the vector cell
 * without a mixer, whose map is the diagonal recurrence itself: the first iterate is the answer, and stays it. Option
 * fault=trace|gradient makes it wrong without a trace, or in its gradient. */
#include "bench/plugin/fprnn.h"

#include <stdlib.h>

struct fprnn_plan {
    int64_t B, T, d, l_max;
    int bad_trace, bad_gradient, tolerant;
};

static void plan(const struct fprnn_problem *problem, const struct fprnn_settings *settings,
                 const struct fprnn_environment *environment, struct fprnn_plan **out, struct fprnn_status *status)
{
    struct fprnn_plan *plan = (struct fprnn_plan *)calloc(1, sizeof *plan);
    const char *fault = fprnn_option_value(settings, "fault");
    (void)environment;
    if (plan == NULL) {
        fprnn_fail(status, FPRNN_OUT_OF_MEMORY, "out of memory for the plan");
        return;
    }
    plan->B = problem->B, plan->T = problem->T, plan->d = problem->d, plan->l_max = settings->l_max;
    plan->tolerant = settings->tolerance > 0;
    plan->bad_trace = fault != NULL && strcmp(fault, "trace") == 0;
    plan->bad_gradient = fault != NULL && strcmp(fault, "gradient") == 0;
    *out = plan;
}

static void forward(struct fprnn_plan *plan, const struct fprnn_tensors *inputs, const struct fprnn_tensors *outputs,
                    struct fprnn_trace *trace, struct fprnn_status *status)
{
    const double *lambda = (const double *)fprnn_data(inputs, "lambda"), *v = (const double *)fprnn_data(inputs, "v");
    const double *h0 = (const double *)fprnn_data(inputs, "h0");
    double *h = (double *)fprnn_data(outputs, "h");
    const int64_t T = plan->T, d = plan->d, n = plan->B * T * d, l = plan->tolerant && plan->l_max > 2 ? 2 : plan->l_max;
    (void)status;
    for (int64_t i = 0; i < n; i++) {
        int64_t t = i / d % T, b = i / d / T;
        double before = t > 0 ? h[i - d] : h0 != NULL ? h0[b * d + i % d] : 0;
        h[i] = lambda[i] * before + (1 - lambda[i]) * v[i];
    }
    if (trace == NULL) {
        for (int64_t b = 0; b < plan->B; b++)
            h[b * T * d] += plan->bad_trace;
        return;
    }
    trace->l_run = l;
    trace->applications = (double)l;
    for (int64_t b = 0; b < plan->B; b++) {
        if (trace->l != NULL)
            trace->l[b] = plan->tolerant ? 2 : 0;
        for (int64_t k = 0; k < l && trace->residual != NULL; k++)
            trace->residual[k * plan->B + b] = k == 0;
    }
    for (; trace->n_kept < trace->n_keep && trace->keep[trace->n_kept] <= l; trace->n_kept++)
        for (int64_t s = 0; s < trace->n_sequences; s++)
            memcpy((double *)trace->iterates + (trace->n_kept * trace->n_sequences + s) * T * d, h + trace->sequences[s] * T * d,
                   (size_t)(T * d) * sizeof *h);
}

static void backward(struct fprnn_plan *plan, const struct fprnn_tensors *inputs, const struct fprnn_tensors *outputs,
                     const struct fprnn_tensors *grad_outputs, const struct fprnn_tensors *gradients, struct fprnn_status *status)
{
    const double *lambda = (const double *)fprnn_data(inputs, "lambda"), *v = (const double *)fprnn_data(inputs, "v");
    const double *h0 = (const double *)fprnn_data(inputs, "h0"), *h = (const double *)fprnn_data(outputs, "h");
    const double *loss = (const double *)fprnn_data(grad_outputs, "h");
    double *to_v = (double *)fprnn_data(gradients, "v"), *to_lambda = (double *)fprnn_data(gradients, "lambda"),
           *to_h0 = (double *)fprnn_data(gradients, "h0");
    const int64_t T = plan->T, d = plan->d;
    (void)status;
    for (int64_t b = 0; b < plan->B; b++)
        for (int64_t c = 0; c < d; c++) {
            double s = 0;
            for (int64_t t = T; t-- > 0;) {
                int64_t i = (b * T + t) * d + c;
                double before = t > 0 ? h[i - d] : h0 != NULL ? h0[b * d + c] : 0;
                s += loss != NULL ? loss[i] : 0;
                if (to_v != NULL)
                    to_v[i] = (1 - lambda[i]) * s + plan->bad_gradient;
                if (to_lambda != NULL)
                    to_lambda[i] = (before - v[i]) * s;
                s *= lambda[i];
            }
            if (to_h0 != NULL)
                to_h0[b * d + c] = s;
        }
}

static void destroy(struct fprnn_plan *plan)
{
    free(plan);
}

static const char *const cells[] = {"vector", NULL}, *const mixers[] = {"none", NULL}, *const dtypes[] = {"float64", NULL},
                         *const tensors[] = {"v", "lambda", "h0", NULL}, *const gradients[] = {"exact", NULL};

FPRNN_EXPORT const struct fprnn_plugin *fprnn_plugin(uint32_t host)
{
    static const struct fprnn_plugin plugin = {FPRNN_MAGIC,
                                               FPRNN_MAJOR,
                                               FPRNN_MINOR,
                                               sizeof plugin,
                                               "iterate",
                                               "iterates without a mixer, with a gradient",
                                               "iterative",
                                               cells,
                                               mixers,
                                               dtypes,
                                               gradients,
                                               tensors,
                                               "fault=trace|gradient",
                                               NULL,
                                               NULL,
                                               plan,
                                               forward,
                                               backward,
                                               destroy};
    (void)host;
    return &plugin;
}
