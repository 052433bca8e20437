/* structured_sequential_cuda: the exact dense RNN on the GPU, one step at a time, in O(r d + r^2 d) a step for low-rank mixers
 * (low_rank.h): the honest opponent of the iterations. A block a sequence: the state, the parameters of a token and, where it fits, W
 * lie in shared memory; v, lambda and theta are read once, h is written once.
 *
 *     normalised:  h_t = Lambda h_{t-1} + G (v + U b)
 *     plain:       h_t = Lambda h_{t-1} + v + U b
 *
 * The gradient is exact and costs as much a step: s = M^{-T} a with a = loss + what comes from the token after, then what every token's
 * gradient is (gradient.h). */
#include "impls/cuda/gradient.h"
#include "impls/cuda/low_rank.h"
#include "impls/cuda/registry.h"
#include "impls/cuda/singular.h"
#include "impls/cuda/token.h"

struct plan {
    struct session session;
    struct mixing mix;
    int threads;
    bool keeps_W; /* in shared memory */
    size_t shared, shared_back;
    float *theta; /* (B,T,m) adjoints, when there is a gradient */
    float *scale; /* (B,T) of k(h), when state-dependent and there is a gradient */
};

/* Floats of a block: h, x (d), raw (m) when state-dependent, q (size), the core. */
static double own_floats(const struct problem *p)
{
    double m = (double)problem_m(p);
    return 2 * (double)p->d + (state_dependent(p) ? m : 0) + m + (double)core_scratch(p);
}

/* Backwards: a, s, x, x' (d) instead. */
static double back_floats(const struct problem *p)
{
    return own_floats(p) + 3 * (double)p->d;
}

static double weight_floats(const struct problem *p)
{
    return state_dependent(p) ? (double)problem_m(p) * (double)p->d : 0;
}

static bool keeps_weights(const struct problem *p)
{
    return state_dependent(p) && (own_floats(p) + weight_floats(p)) * sizeof(float) <= (double)device_get()->shared - 1024;
}

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!device_support_begin(support, p, settings, environment, &structured_sequential_cuda))
        return;
    bool gradient = settings->gradient != GRADIENT_NONE;
    double tokens = (double)p->B * (double)p->T;
    if (shared_fits(support, (gradient ? back_floats(p) : own_floats(p)) * sizeof(float)))
        device_support_memory(support, p, settings, environment, (double)p->B * sizeof(int64_t),
                              session_bytes(p, settings) + (gradient ? tokens * ((double)problem_m(p) + 1) * sizeof(float) : 0));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, r = (double)p->r, m = (double)problem_m(p);
    double weights = weight_floats(p) * (keeps_weights(p) ? (double)p->B : tokens);
    (void)settings, (void)environment, (void)l;
    work->bytes = (tokens * (3 * d + m) + weights) * sizeof(float);
    work->operations = tokens * ((state_dependent(p) ? 2 * m * d + 2 * d : 0) + 7 * r * d + grams_operations(p) + 4 * r * d +
                                 7 * d + 2 * r * r * r / 3);
    work->set = work->bytes;
    work->library = false;
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        session_close(&plan->session);
        device_free(plan->theta);
        device_free(plan->scale);
    }
    free(plan);
}

/* What both directions read. */
struct sequences {
    const float *v, *lambda, *theta, *W, *initial;
    int64_t T;
    bool keeps_W;
};

/* Copies W into shared memory, if it is kept there; where it then is. */
static __device__ inline const float *weights_at(const struct mixing &mix, const struct sequences &in, float *room)
{
    for (int64_t k = threadIdx.x; in.keeps_W && k < (int64_t)mix.m * mix.d; k += blockDim.x)
        room[k] = in.W[k];
    __syncthreads();
    return in.keeps_W ? room : in.W;
}

/* A block a sequence. place (B): the first token without an answer, or T; after it a sequence is NaN. */
static __global__ void walk_forwards(struct mixing mix, struct sequences in, float *out, int64_t *place)
{
    SHARED_DYNAMIC(float, h);
    SHARED(float, room, ROOM);
    float *x = h + mix.d, *q = x + mix.d, *core = q + mix.m, *raw = core + mix.r * mix.r + mix.r;
    const float *W = weights_at(mix, in, raw + (mix.feedback != FEEDBACK_NONE ? mix.m : 0));
    int64_t b = blockIdx.x, found = in.T;
    for (int c = threadIdx.x; c < mix.d; c += blockDim.x)
        h[c] = in.initial != NULL ? in.initial[b * mix.d + c] : 0;
    __syncthreads();
    for (int64_t t = 0; t < in.T; t++) {
        int64_t token = b * in.T + t;
        const float *v = in.v + token * mix.d, *lambda = in.lambda + token * mix.d;
        activate_token(mix, in.theta + token * mix.m, W, h, raw, q, NULL, room);
        for (int c = threadIdx.x; c < mix.d; c += blockDim.x)
            x[c] = lambda[c] * (mix.gated ? h[c] - v[c] : h[c]);
        bool regular = mix.r == 0 || core_solve(mix, q, lambda, x, false, core, room);
        found = regular || found < in.T ? found : t;
        core_add(mix, q, lambda, mix.gated, core + mix.r * mix.r, x);
        for (int c = threadIdx.x; c < mix.d; c += blockDim.x) {
            h[c] = regular ? x[c] + v[c] : NAN;
            out[token * mix.d + c] = h[c];
        }
        __syncthreads();
    }
    if (threadIdx.x == 0)
        place[b] = found;
}

struct sequences_back {
    const float *h, *grad_h, *grad_final;
    float *v, *lambda, *theta, *h0; /* where gradients go; theta (B,T,m) */
};

static __global__ void walk_backwards(struct mixing mix, struct sequences in, struct sequences_back to, int64_t *place)
{
    SHARED_DYNAMIC(float, before);
    SHARED(float, room, ROOM);
    int d = mix.d;
    float *x = before + d, *a = x + d, *s = a + d, *x_adjoint = s + d, *q = x_adjoint + d, *core = q + mix.m;
    float *raw = core + mix.r * mix.r + mix.r;
    int64_t b = blockIdx.x, found = in.T;
    for (int c = threadIdx.x; c < d; c += blockDim.x)
        a[c] = 0;
    for (int64_t t = in.T - 1; t >= 0; t--) {
        int64_t token = b * in.T + t;
        const float *v = in.v + token * d, *lambda = in.lambda + token * d, *theta = in.theta + token * mix.m;
        float *theta_adjoint = to.theta + token * mix.m;
        for (int c = threadIdx.x; c < d; c += blockDim.x) {
            before[c] = t > 0 ? to.h[(token - 1) * d + c] : in.initial != NULL ? in.initial[b * d + c] : 0;
            a[c] += to.grad_h[token * d + c] + (t == in.T - 1 ? to.grad_final[b * d + c] : 0);
        }
        __syncthreads();
        float scale = activate_token(mix, theta, in.W, before, raw, q, NULL, room);
        bool regular = mix.r == 0 || core_solve(mix, q, lambda, a, true, core, room);
        found = regular ? found : t;
        for (int c = threadIdx.x; c < d; c += blockDim.x)
            s[c] = regular ? a[c] : NAN;
        core_add(mix, q, lambda, false, core + mix.r * mix.r, s);
        for (int c = threadIdx.x; c < d; c += blockDim.x)
            x[c] = to.h[token * d + c] - v[c];
        __syncthreads();
        mixer_apply(mix, q, x, x_adjoint, NULL, room); /* w - v */
        for (int c = threadIdx.x; c < d; c += blockDim.x) {
            to.lambda[token * d + c] = s[c] * (mix.gated ? before[c] - x_adjoint[c] - v[c] : before[c]);
            a[c] = mix.gated ? s[c] - lambda[c] * s[c] : s[c]; /* the adjoint of w */
        }
        __syncthreads();
        mixer_gradient(mix, mix.feedback != FEEDBACK_NONE ? raw : theta, q, x, a, x_adjoint, theta_adjoint, NULL, room);
        for (int c = threadIdx.x; c < d; c += blockDim.x) {
            to.v[token * d + c] = a[c] - x_adjoint[c];
            a[c] = lambda[c] * s[c];
        }
        if (mix.feedback == FEEDBACK_NONE)
            continue;
        float along = 0;
        for (int c = threadIdx.x; c < d; c += blockDim.x) { /* of k(h_{t-1}) */
            float sum = 0;
            for (int k = 0; k < mix.m; k++)
                sum = fmaf(in.W[(int64_t)k * d + c], theta_adjoint[k], sum);
            x[c] = sum;
            along = fmaf(before[c], sum, along);
        }
        along = mix.feedback == FEEDBACK_RMS ? block_sum(along, room) * scale * scale * scale / (float)d : 0;
        for (int c = threadIdx.x; c < d; c += blockDim.x)
            a[c] += scale * x[c] - along * before[c];
    }
    for (int c = threadIdx.x; c < d; c += blockDim.x)
        to.h0[b * d + c] = a[c];
    if (threadIdx.x == 0)
        place[b] = found;
}

static struct status open(struct plan *plan, const struct problem *p, const struct settings *settings)
{
    size_t tokens = (size_t)(p->B * p->T);
    bool gradient = settings->gradient != GRADIENT_NONE;
    TRY(session_open(p, settings, &plan->session));
    plan->mix = mixing_of(p);
    plan->threads = block_threads(p->d);
    plan->keeps_W = keeps_weights(p);
    plan->shared = (size_t)((own_floats(p) + (plan->keeps_W ? weight_floats(p) : 0)) * sizeof(float));
    plan->shared_back = (size_t)(back_floats(p) * sizeof(float));
    TRY(device_allocate(&plan->theta, gradient ? tokens * (size_t)plan->mix.m * sizeof(float) : 0));
    TRY(device_allocate(&plan->scale, gradient && state_dependent(p) ? tokens * sizeof(float) : 0));
    TRY(device_shared_allow(walk_forwards, plan->shared));
    return gradient ? device_shared_allow(walk_backwards, plan->shared_back) : status_ok();
}

static struct sequences sequences_of(const struct plan *plan)
{
    const struct session *s = &plan->session;
    return {s->input[0], s->input[1], s->input[2], s->input[3], session_initial(s), s->problem.T, plan->keeps_W};
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    struct session *s = &plan->session;
    (void)inputs, (void)outputs;
    session_trace_exact(&s->problem, trace);
    TRY(device_timer_begin(s->timer));
    TRY(LAUNCH(walk_forwards, s->problem.B, plan->threads, plan->shared, plan->mix, sequences_of(plan), s->h, s->place));
    TRY(device_timer_end(s->timer));
    TRY(singular_status(s));
    return session_finite(s, s->h, false);
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    struct session *s = &plan->session;
    const struct problem *p = &s->problem;
    int64_t tokens = p->B * p->T, m = plan->mix.m;
    const struct sequences_back to = {s->h, s->grad_h, s->grad_final, s->gradient[0], s->gradient[1], plan->theta, s->gradient[4]};
    (void)inputs, (void)outputs;
    TRY(session_upload_loss(s, grad_outputs));
    TRY(device_timer_begin(s->timer));
    TRY(LAUNCH(walk_backwards, p->B, plan->threads, plan->shared_back, plan->mix, sequences_of(plan), to, s->place));
    if (state_dependent(p)) {
        const struct states_before states = {s->h, session_initial(s), plan->scale, p->T, p->d};
        TRY(LAUNCH(scale_states, tokens, plan->threads, 0, states, p->feedback == FEEDBACK_RMS, plan->scale));
        TRY(multiply_run({m, p->d, tokens, NULL, s->gradient[3]}, factor{plan->theta, m, true}, states));
    }
    if (m > 0)
        TRY(LAUNCH(put, blocks_for(tokens * m), THREADS, 0, s->gradient[2], plan->theta, tokens * m, false));
    TRY(device_timer_end(s->timer));
    TRY(singular_status(s));
    return session_download_gradients(s, gradients);
}

CUDA_IMPLEMENTATION(structured_sequential_cuda)
