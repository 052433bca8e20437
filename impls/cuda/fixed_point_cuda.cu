/* fixed_point_cuda: the paper's iteration on the GPU as it is written there, h^l = f(h^{l-1}): one application of the map (map.h)
 * after the other, all tokens at once. The readable baseline: it fuses nothing. Stopping, damping and traces are those of fixed_point;
 * without a tolerance, damping by patience or a trace nothing is waited for until the end. Gradients: gradient.h. */
#include "impls/cuda/gradient.h"
#include "impls/cuda/iterates.h"
#include "impls/cuda/registry.h"

struct plan {
    struct session session;
    struct device_map map;
    struct gradient_pass gradient;
    struct residuals residuals;
    float *other;      /* (B,T,d) the buffer that the iterate is not in */
    float *delta;      /* (B) damping */
    float *delta_host; /* (B) */
    double *best;      /* (B) best residual since the last reduction */
    int64_t *waited;   /* (B) iterations since then */
};

static bool is_damped(const struct settings *settings)
{
    return settings->damping < 1 || settings->patience > 0;
}

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!device_support_begin(support, p, settings, environment, &fixed_point_cuda))
        return;
    double states = (double)p->B * (double)p->T * (double)p->d * sizeof(float), sequences = (double)p->B * 28;
    bool gradient = settings->gradient != GRADIENT_NONE;
    if (shared_fits(support, map_shared(p)) && (!gradient || shared_fits(support, gradient_shared(p))))
        device_support_memory(support, p, settings, environment, sequences,
                              session_bytes(p, settings) + map_bytes(p, settings) + gradient_bytes(p, settings) +
                                  residuals_bytes(p) + states);
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    struct work once, each;
    double states = (double)p->B * (double)p->T * (double)p->d, n = (double)l;
    double extra = (settings->tolerance > 0 || settings->patience > 0 ? 2 : 0) + (is_damped(settings) ? 3 : 0);
    (void)environment;
    map_count(p, settings, &once, &each);
    /* beside the map: clear h, and copy it home when the last iterate lies in the other buffer */
    work->bytes = once.bytes + n * (each.bytes + extra * states * sizeof(float)) +
                  states * (1 + (!is_damped(settings) && l % 2 == 1 ? 2 : 0)) * sizeof(float);
    work->operations = once.operations + n * (each.operations + 2 * extra * states);
    work->set = each.set;
    work->library = false;
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        session_close(&plan->session);
        map_close(&plan->map);
        gradient_close(&plan->gradient);
        residuals_close(&plan->residuals);
        device_free(plan->other);
        device_free(plan->delta);
        free(plan->delta_host);
        free(plan->best);
        free(plan->waited);
    }
    free(plan);
}

static struct status open(struct plan *plan, const struct problem *p, const struct settings *settings)
{
    size_t B = (size_t)p->B;
    TRY(session_open(p, settings, &plan->session));
    TRY(map_open(&plan->session, &plan->map));
    TRY(gradient_open(&plan->map, &plan->gradient));
    TRY(residuals_open(p, &plan->residuals));
    TRY(device_allocate(&plan->other, B * (size_t)(p->T * p->d) * sizeof(float)));
    TRY(device_allocate(&plan->delta, B * sizeof(float)));
    plan->delta_host = (float *)malloc(B * sizeof(float));
    plan->best = (double *)malloc(B * sizeof(double));
    plan->waited = (int64_t *)malloc(B * sizeof(int64_t));
    bool memory = plan->delta_host != NULL && plan->best != NULL && plan->waited != NULL;
    return memory ? status_ok() : status_no_memory();
}

/* h <- delta f(h) + (1 - delta) h, delta (B) of the sequence. */
static __global__ void damp(const float *next, const float *delta, int64_t n, int64_t sequence, float *h)
{
    int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        h[i] = delta[i / sequence] * next[i] + (1 - delta[i / sequence]) * h[i];
}

/* The patience of each sequence, after an iteration with residuals in row_host. */
static void wait_patiently(struct plan *plan)
{
    const struct settings *settings = &plan->session.settings;
    for (int64_t b = 0; b < plan->session.problem.B && settings->patience > 0; b++) {
        if (plan->residuals.row_host[b] < plan->best[b]) {
            plan->best[b] = plan->residuals.row_host[b];
            plan->waited[b] = 0;
        } else if (++plan->waited[b] >= settings->patience) {
            plan->delta_host[b] *= (float)settings->damping_factor;
            plan->best[b] = INFINITY;
            plan->waited[b] = 0;
        }
    }
}

static struct status iterate(struct plan *plan, struct trace *trace, struct progress *progress)
{
    struct session *s = &plan->session;
    const struct problem *p = &s->problem;
    const struct settings *settings = &s->settings;
    int64_t size = p->B * p->T * p->d;
    bool residuals = (trace != NULL && trace->residual != NULL) || settings->tolerance > 0 || settings->patience > 0;
    float *h = s->h, *next = plan->other;
    TRY(device_fill(h, 0, (size_t)size * sizeof(float)));
    TRY(map_begin(&plan->map));
    while (progress_goes_on(s, progress)) {
        progress->l++;
        TRY(map_apply(&plan->map, h, next));
        if (residuals)
            TRY(progress_judge(s, &plan->residuals, h, next, trace, progress));
        if (is_damped(settings)) {
            TRY(device_upload(plan->delta, plan->delta_host, (size_t)p->B * sizeof(float)));
            TRY(LAUNCH(damp, blocks_for(size), THREADS, 0, next, plan->delta, size, p->T * p->d, h));
            wait_patiently(plan);
        } else {
            float *swap = h;
            h = next;
            next = swap;
        }
        TRY(keep_iterate(p, trace, progress->l, h));
    }
    return h != s->h ? device_copy(s->h, h, (size_t)size * sizeof(float)) : status_ok();
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    struct session *s = &plan->session;
    const struct problem *p = &s->problem;
    const struct settings *settings = &s->settings;
    struct progress progress = {0, 0, status_ok()};
    (void)inputs, (void)outputs;
    trace_begin(p, trace);
    for (int64_t b = 0; b < p->B; b++) {
        plan->delta_host[b] = (float)settings->damping;
        plan->best[b] = INFINITY;
        plan->waited[b] = 0;
    }
    TRY(device_timer_begin(s->timer));
    TRY(iterate(plan, trace, &progress));
    TRY(device_timer_end(s->timer));
    if (trace != NULL) {
        trace->l_run = progress.l;
        trace->applications = (double)progress.l;
    }
    TRY(progress.status);
    TRY(session_finite(s, s->h, false));
    if (settings->tolerance > 0 && progress.converged < residuals_wanted(p, settings))
        return status_not_converged(p, progress.converged, progress.l);
    return status_ok();
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    (void)inputs, (void)outputs;
    return gradient_run(&plan->gradient, grad_outputs, gradients);
}

CUDA_IMPLEMENTATION(fixed_point_cuda)
