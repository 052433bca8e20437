/* diagonal_scan_cuda: the diagonal linear RNN (Q = I) on the GPU, one scan (scan.h) over v and lambda, each read once.
 *
 *     normalised:  h_t = Lambda_t h_{t-1} + (1 - Lambda_t) v_t
 *     plain:       h_t = Lambda_t h_{t-1} + v_t
 *
 * Its gradient, exact and n-step alike, is one scan backwards in time: s_t = loss_t + Lambda_{t+1} s_{t+1}. Option split=channels|time
 * forces what the threads divide. */
#include "impls/cuda/registry.h"
#include "impls/cuda/scan.h"
#include "impls/cuda/session.h"
#include "impls/contract/support.h"

struct plan {
    struct session session;
    struct scan_tiles tiles;
    float *s; /* (B,T,d) adjoints; nothing, unless settings ask for a gradient */
};

static size_t adjoint_bytes(const struct problem *p, const struct settings *settings)
{
    return settings->gradient != GRADIENT_NONE ? (size_t)(p->B * p->T * p->d) * sizeof(float) : 0;
}

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!device_support_begin(support, p, settings, environment, &diagonal_scan_cuda))
        return;
    device_support_memory(support, p, settings, environment, (double)p->B * sizeof(int64_t),
                          session_bytes(p, settings) + (double)scan_bytes(p, settings) + (double)adjoint_bytes(p, settings));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, gated = p->form == FORM_NORMALISED ? 2 : 0;
    bool tiles = scan_bytes(p, settings) > 0;
    (void)environment, (void)l;
    work->bytes = tokens * 3 * d * sizeof(float) + 2 * (double)scan_bytes(p, settings);
    work->operations = tokens * d * (gated + (tiles ? 5 : 2)); /* tiles: twice a multiply-add, and a product */
    work->set = work->bytes;
    work->library = false;
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        session_close(&plan->session);
        device_free(plan->tiles.words);
        device_free(plan->s);
    }
    free(plan);
}

static struct status open(struct plan *plan, const struct problem *p, const struct settings *settings)
{
    TRY(session_open(p, settings, &plan->session));
    TRY(scan_open(p, settings, &plan->tiles));
    return device_allocate(&plan->s, adjoint_bytes(p, settings));
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    struct session *s = &plan->session;
    const struct problem *p = &s->problem;
    const struct scan_task task = {.B = p->B,
                                   .T = p->T,
                                   .d = p->d,
                                   .lambda = s->input[1],
                                   .x = s->input[0],
                                   .initial = session_initial(s),
                                   .out = s->h,
                                   .gated = p->form == FORM_NORMALISED,
                                   .reversed = false};
    (void)inputs, (void)outputs;
    session_trace_exact(p, trace);
    TRY(device_timer_begin(s->timer));
    TRY(scan_run(&task, &plan->tiles));
    TRY(device_timer_end(s->timer));
    return session_finite(s, s->h, false);
}

/* An element of (B,T,d): the gradients from the adjoint s of its state. */
static __global__ void element_gradients(const float *s, const float *lambda, const float *v, const float *h, const float *initial,
                                         int64_t B, int64_t T, int64_t d, bool gated, float *v_adjoint, float *lambda_adjoint,
                                         float *h0_adjoint)
{
    int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, t = i / d % T, first = i / (T * d) * d + i % d;
    if (i >= B * T * d)
        return;
    float before = t > 0 ? h[i - d] : initial != NULL ? initial[first] : 0;
    v_adjoint[i] = gated ? s[i] - lambda[i] * s[i] : s[i];
    lambda_adjoint[i] = s[i] * (gated ? before - v[i] : before);
    if (t == 0)
        h0_adjoint[first] = lambda[i] * s[i];
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    struct session *s = &plan->session;
    const struct problem *p = &s->problem;
    const struct scan_task task = {.B = p->B,
                                   .T = p->T,
                                   .d = p->d,
                                   .lambda = s->input[1],
                                   .x = plan->s,
                                   .initial = NULL,
                                   .out = plan->s,
                                   .gated = false,
                                   .reversed = true};
    (void)inputs, (void)outputs;
    TRY(session_upload_loss(s, grad_outputs));
    TRY(device_timer_begin(s->timer));
    TRY(session_seed(s, plan->s));
    TRY(scan_run(&task, &plan->tiles));
    TRY(LAUNCH(element_gradients, blocks_for(p->B * p->T * p->d), THREADS, 0, plan->s, s->input[1], s->input[0], s->h,
               session_initial(s), p->B, p->T, p->d, p->form == FORM_NORMALISED, s->gradient[0], s->gradient[1], s->gradient[4]));
    TRY(device_timer_end(s->timer));
    return session_download_gradients(s, gradients);
}

CUDA_IMPLEMENTATION(diagonal_scan_cuda)
