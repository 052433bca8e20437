/* my_kernel: a kernel of your own for the benchmark of Fixed-Point RNNs. This one works: it computes the diagonal recurrence
 *
 *     normalised:  h_t = lambda_t h_{t-1} + (1 - lambda_t) v_t
 *     plain:       h_t = lambda_t h_{t-1} + v_t
 *
 * of B sequences of T tokens and d channels. Change what it takes, at the end of this file, and forward(). fprnn.h has the rules. */
#include <fprnn.h>

#include <stdlib.h>

/* What plan() chooses and allocates for one problem. */
struct fprnn_plan {
    int64_t B, T, d;
    int plain, threads;
};

/* Optional: refuse problems that the lists at the end cannot rule out. */
static void supports(const struct fprnn_problem *problem, const struct fprnn_settings *settings,
                     const struct fprnn_environment *environment, struct fprnn_support *support)
{
    (void)settings, (void)environment;
    if (problem->d > INT32_MAX)
        fprnn_refuse(support, "d is above 2147483647");
    support->host_bytes = sizeof(struct fprnn_plan); /* what plan() takes beside the tensors */
}

/* Optional: the least traffic and arithmetic of one forward(), for the column "of bound". */
static void count(const struct fprnn_problem *problem, const struct fprnn_settings *settings,
                  const struct fprnn_environment *environment, int64_t l, struct fprnn_work *work)
{
    double elements = (double)problem->B * (double)problem->T * (double)problem->d;
    (void)settings, (void)environment, (void)l;
    work->bytes = 3 * elements * sizeof(float); /* lambda, v and h */
    work->operations = (strcmp(problem->form, "plain") == 0 ? 2 : 4) * elements;
    work->set = work->bytes;
}

/* Everything that allocates or chooses, once for each problem. */
static void plan(const struct fprnn_problem *problem, const struct fprnn_settings *settings,
                 const struct fprnn_environment *environment, struct fprnn_plan **out, struct fprnn_status *status)
{
    struct fprnn_plan *plan = (struct fprnn_plan *)malloc(sizeof *plan);
    (void)settings; /* iterations, tolerances, and your own options: fprnn_option_value(settings, "chunk") */
    if (plan == NULL) {
        fprnn_fail(status, FPRNN_OUT_OF_MEMORY, "out of memory for the plan");
        return;
    }
    plan->B = problem->B;
    plan->T = problem->T;
    plan->d = problem->d;
    plan->plain = fprnn_is(problem->form, "plain");
    plan->threads = environment->threads;
    *out = plan;
}

/* What is timed: arithmetic only. */
static void forward(struct fprnn_plan *plan, const struct fprnn_tensors *inputs, const struct fprnn_tensors *outputs,
                    struct fprnn_trace *trace, struct fprnn_status *status)
{
    const int64_t T = plan->T, d = plan->d;
    const float *lambda = (const float *)fprnn_data(inputs, "lambda"), *v = (const float *)fprnn_data(inputs, "v");
    const float *h0 = (const float *)fprnn_data(inputs, "h0"); /* (B,d), or NULL: zero */
    float *h = (float *)fprnn_data(outputs, "h");
    (void)trace, (void)status;
#pragma omp parallel for num_threads(plan->threads)
    for (int64_t b = 0; b < plan->B; b++)
        for (int64_t t = 0; t < T; t++) {
            const int64_t at = (b * T + t) * d;
            const float *before = t > 0 ? h + at - d : h0 != NULL ? h0 + b * d : NULL;
            for (int64_t c = 0; c < d; c++) {
                float gain = plan->plain ? 1 : 1 - lambda[at + c];
                h[at + c] = (before != NULL ? lambda[at + c] * before[c] : 0) + gain * v[at + c];
            }
        }
}

static void destroy(struct fprnn_plan *plan)
{
    free(plan);
}

/* What it takes. Whatever is not listed here it is never asked for: such points are unsupported. */
static const char *const cells[] = {"vector", NULL};
static const char *const mixers[] = {"none", NULL};
static const char *const dtypes[] = {"float32", NULL};
static const char *const tensors[] = {"v", "lambda", "h0", NULL};

const struct fprnn_plugin *fprnn_plugin(uint32_t host)
{
    static const struct fprnn_plugin plugin = {
        .magic = FPRNN_MAGIC,
        .major = FPRNN_MAJOR,
        .minor = FPRNN_MINOR,
        .size = sizeof plugin,
        .name = "my_kernel",
        .summary = "one sentence about it",
        .kind = "exact", /* or "iterative", "solver": see fprnn.h */
        .cells = cells,
        .mixers = mixers,
        .dtypes = dtypes,
        .gradients = NULL, /* with any, there is a .backward */
        .tensors = tensors,
        .options = NULL, /* such as "chunk= split=time|batch" */
        .supports = supports,
        .count = count,
        .plan = plan,
        .forward = forward,
        .destroy = destroy,
    };
    (void)host;
    return &plugin;
}
