/* quasi_deer_cuda: Newton's method on the exact steps h_t = F_t(h_{t-1}) of a low-rank mixer, with the diagonal of the Jacobian alone, on
 * the GPU; impls/quasi_deer.c has the method, docs/explanation/solvers.md what is known of it:
 *
 *     h^l_t = F_t(h^{l-1}_{t-1}) + J_t (h^l_{t-1} - h^{l-1}_{t-1}),   J_t = diag(A_t) at h^{l-1}_{t-1}, cut to [-1, 1]
 *
 * A step is prepared by a block a token: activated parameters, the r x r core C = (F - S W)^{-1} S (low_rank.h) and the diagonal,
 *
 *     A_t = Lambda + G U C U^T Lambda    (plain: without G),
 *
 * once for a linear problem, before each sweep for a state-dependent one. A sweep takes the step of all tokens at once, a block a token in
 * O(r d), then one scan over time with J (scan.h): no d x d matrix anywhere. Token t is exact after t sweeps whatever J is. A step may be
 * singular at an iterate of a state-dependent problem that is far off: it is then taken without its mixer.
 *
 * The residual is how far a sweep moves: max|h^l - h^{l-1}| / max|h^l| of a token. */
#include "impls/cuda/iterates.h"
#include "impls/cuda/low_rank.h"
#include "impls/cuda/map.h"
#include "impls/cuda/registry.h"
#include "impls/cuda/singular.h"

struct plan {
    struct session session;
    struct mixing mix;
    int threads;
    size_t shared_prepare, shared_take; /* bytes a block */
    struct scan_tiles tiles;
    struct residuals residuals;
    float *q;      /* (B,T,m) activated parameters; what they are activated from, until then */
    float *C;      /* (B,T,r,r) */
    float *J;      /* (B,T,d) */
    float *other;  /* (B,T,d) the buffer that the iterate is not in */
    float *scale;  /* (B,T) of k(h_{t-1}), when state-dependent */
    int *singular; /* (B,T) */
};

static bool is_linear(const struct problem *p)
{
    return !state_dependent(p);
}

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!device_support_begin(support, p, settings, environment, &quasi_deer_cuda))
        return;
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, r = (double)p->r, m = (double)problem_m(p);
    double own = m + r * r + 2 * d + (is_linear(p) ? 0 : 1);
    if (settings->damping < 1 || settings->patience > 0)
        support_no(support, "damping is not supported; use fixed_point_cuda");
    else if (shared_fits(support, (double)core_inverse_scratch(p) * sizeof(float)))
        device_support_memory(support, p, settings, environment, (double)p->B * (sizeof(int64_t) + sizeof(float)),
                              session_bytes(p, settings) + tokens * (own * sizeof(float) + sizeof(int)) + residuals_bytes(p) +
                                  (double)scan_bytes(p, settings));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, r = (double)p->r, m = (double)problem_m(p), n = (double)l;
    double prepare = mixer_activate_operations(p) + grams_operations(p) + 8 * r * r * r / 3 + 2 * r * r * d + 3 * r * d + 5 * d;
    double moved = 2 * m + r * r + 2 * d; /* by preparing: parameters in, activated ones, C and J out, lambda in */
    bool dependent = state_dependent(p), residuals = settings->tolerance > 0;
    double tiles = 2 * (double)scan_bytes(p, settings);
    (void)environment;
    /* once: clear h, copy it home. A sweep reads h, v, lambda, J, q and C and writes x; the scan reads J and x and writes the iterate */
    double bytes = tokens * (d + (l % 2 == 1 ? 2 * d : 0) + (dependent ? 0 : moved));
    bytes += n * tokens * (5 * d + m + r * r + 3 * d + (residuals ? 2 * d : 0));
    /* and of a state-dependent problem: h twice for theta + W k(h), which is written, then prepared from */
    bytes += dependent ? n * (tokens * (2 * d + 2 * m + moved) + m * d) : 0;
    work->bytes = bytes * sizeof(float) + n * tiles;
    work->operations = n * tokens * (4 * r * d + 2 * r * r + 8 * d + 2 * d + (residuals ? 4 * d : 0)) +
                       tokens * (dependent ? n * (prepare + 2 * m * d + 2 * d) : prepare);
    work->set = work->bytes / (n > 0 ? n : 1);
    work->library = false;
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        session_close(&plan->session);
        residuals_close(&plan->residuals);
        device_free(plan->tiles.words);
        device_free(plan->q);
        device_free(plan->C);
        device_free(plan->J);
        device_free(plan->other);
        device_free(plan->scale);
        device_free(plan->singular);
    }
    free(plan);
}

/* ---- On the device ------------------------------------------------------------------------------------------------------- */

/* Prepared steps of all tokens. */
struct steps {
    float *q, *C, *J; /* (B,T,m), (B,T,r,r), (B,T,d) */
    int *singular;    /* (B,T) */
};

/* The step of a token from its raw parameters (B,T,m), which may be q, and lambda. A singular one is NaN; `tolerated`: without a mixer,
 * J = Lambda. A block a token. */
static __global__ void prepare_steps(struct mixing mix, const float *raw, const float *lambda, bool tolerated, struct steps to)
{
    SHARED_DYNAMIC(float, scratch);
    SHARED(float, room, ROOM);
    int d = mix.d, r = mix.r;
    int64_t token = blockIdx.x;
    float *q = to.q + token * mix.m, *C = scratch + r * r;
    lambda += token * d;
    mixer_activate(mix, raw + token * mix.m, q, NULL, room); /* a thread reads what it then writes over */
    bool regular = r == 0 || core_inverse(mix, q, lambda, scratch, room);
    for (int c = threadIdx.x; c < d; c += blockDim.x) {
        float sum = 0;
        for (int i = 0; i < r; i++) {
            float row = 0;
            for (int j = 0; j < r; j++)
                row = fmaf(C[i * r + j], q[j * d + c], row);
            sum = fmaf(q[i * d + c], row, sum);
        }
        float J = lambda[c] * (1 + (mix.gated ? 1 - lambda[c] : 1) * sum);
        J = J > 1 ? 1 : J < -1 ? -1 : J;
        to.J[token * d + c] = regular ? J : tolerated ? lambda[c] : NAN;
    }
    for (int k = threadIdx.x; k < r * r; k += blockDim.x)
        to.C[token * r * r + k] = regular ? C[k] : tolerated ? 0 : NAN;
    if (threadIdx.x == 0)
        to.singular[token] = !regular;
}

/* x (B,T,d) = F_t(h_{t-1}) - J_t h_{t-1}, what the scan then adds J_t (its own state before) to. A block a token. */
static __global__ void take_steps(struct mixing mix, struct steps steps, const float *v, const float *lambda, const float *h,
                                  const float *initial, int64_t T, float *x)
{
    SHARED_DYNAMIC(float, y);
    SHARED(float, room, ROOM);
    int d = mix.d, r = mix.r;
    int64_t token = blockIdx.x, at = token * d;
    const float *q = steps.q + token * mix.m, *C = steps.C + token * r * r;
    const float *before = token % T > 0 ? h + at - d : initial != NULL ? initial + token / T * d : NULL;
    float *b = y + r;
    v += at, lambda += at;
    for (int i = 0; i < r; i++) {
        float sum = 0;
        for (int c = threadIdx.x; c < d; c += blockDim.x) {
            float state = before != NULL ? before[c] : 0;
            sum = fmaf(q[i * d + c], lambda[c] * (mix.gated ? state - v[c] : state), sum);
        }
        sum = block_sum(sum, room);
        if (threadIdx.x == 0)
            y[i] = sum;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < r; i += blockDim.x) {
        b[i] = 0;
        for (int j = 0; j < r; j++)
            b[i] = fmaf(C[i * r + j], y[j], b[i]);
    }
    __syncthreads();
    for (int c = threadIdx.x; c < d; c += blockDim.x) {
        float state = before != NULL ? before[c] : 0, sum = 0;
        for (int i = 0; i < r; i++)
            sum = fmaf(b[i], q[i * d + c], sum);
        float step = v[c] + lambda[c] * (mix.gated ? state - v[c] : state) + (mix.gated ? (1 - lambda[c]) * sum : sum);
        x[at + c] = step - steps.J[at + c] * state;
    }
}

/* ---- Host side ----------------------------------------------------------------------------------------------------------- */

static struct status open(struct plan *plan, const struct problem *p, const struct settings *settings)
{
    size_t tokens = (size_t)(p->B * p->T), r = (size_t)p->r;
    TRY(session_open(p, settings, &plan->session));
    plan->mix = mixing_of(p);
    plan->threads = block_threads(p->d);
    plan->shared_prepare = (size_t)core_inverse_scratch(p) * sizeof(float);
    plan->shared_take = 2 * r * sizeof(float);
    TRY(scan_open(p, settings, &plan->tiles));
    TRY(residuals_open(p, &plan->residuals));
    TRY(device_allocate(&plan->q, tokens * (size_t)plan->mix.m * sizeof(float)));
    TRY(device_allocate(&plan->C, tokens * r * r * sizeof(float)));
    TRY(device_allocate(&plan->J, tokens * (size_t)p->d * sizeof(float)));
    TRY(device_allocate(&plan->other, tokens * (size_t)p->d * sizeof(float)));
    TRY(device_allocate(&plan->scale, state_dependent(p) ? tokens * sizeof(float) : 0));
    TRY(device_allocate(&plan->singular, tokens * sizeof(int)));
    TRY(device_shared_allow(prepare_steps, plan->shared_prepare));
    return device_shared_allow(take_steps, plan->shared_take);
}

static struct status prepare(const struct plan *plan, const float *raw)
{
    const struct session *s = &plan->session;
    const struct problem *p = &s->problem;
    return LAUNCH(prepare_steps, p->B * p->T, plan->threads, plan->shared_prepare, plan->mix, raw, s->input[1], state_dependent(p),
                  steps{plan->q, plan->C, plan->J, plan->singular});
}

/* next (B,T,d) from h (B,T,d) */
static struct status sweep(const struct plan *plan, const float *h, float *next)
{
    const struct session *s = &plan->session;
    const struct problem *p = &s->problem;
    int64_t tokens = p->B * p->T;
    const struct scan_task task = {.B = p->B,
                                   .T = p->T,
                                   .d = p->d,
                                   .lambda = plan->J,
                                   .x = next,
                                   .initial = session_initial(s),
                                   .out = next,
                                   .gated = false,
                                   .reversed = false};
    if (state_dependent(p)) {
        const struct states_before states = {h, session_initial(s), plan->scale, p->T, p->d};
        TRY(LAUNCH(scale_states, tokens, plan->threads, 0, states, p->feedback == FEEDBACK_RMS, plan->scale));
        TRY(multiply_run({tokens, plan->mix.m, p->d, s->input[2], plan->q}, states, factor{s->input[3], p->d, true}));
        TRY(prepare(plan, plan->q));
    }
    TRY(LAUNCH(take_steps, tokens, plan->threads, plan->shared_take, plan->mix, steps{plan->q, plan->C, plan->J, plan->singular},
               s->input[0], s->input[1], h, session_initial(s), p->T, next));
    return scan_run(&task, &plan->tiles);
}

static struct status iterate(struct plan *plan, struct trace *trace, struct progress *progress)
{
    struct session *s = &plan->session;
    const struct problem *p = &s->problem;
    const struct settings *settings = &s->settings;
    int64_t size = p->B * p->T * p->d;
    bool residuals = (trace != NULL && trace->residual != NULL) || settings->tolerance > 0;
    float *h = s->h, *next = plan->other;
    struct status steps = status_ok();
    TRY(device_fill(h, 0, (size_t)size * sizeof(float)));
    if (is_linear(p)) {
        TRY(prepare(plan, s->input[2]));
        steps = singular_among(s, plan->singular);
    }
    while (progress_goes_on(s, progress)) {
        progress->l++;
        TRY(sweep(plan, h, next)); /* where a step is singular it leaves NaN */
        progress->status = steps;
        if (residuals)
            TRY(progress_judge(s, &plan->residuals, h, next, trace, progress));
        float *swap = h;
        h = next;
        next = swap;
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
    TRY(device_timer_begin(s->timer));
    TRY(iterate(plan, trace, &progress));
    TRY(device_timer_end(s->timer));
    if (trace != NULL) {
        trace->l_run = progress.l;
        trace->applications = (double)progress.l;
    }
    TRY(progress.status);
    bool converged = progress.converged >= residuals_wanted(p, settings);
    if (state_dependent(p)) { /* of the last sweep: an answer has none, nor has a state that is exact by now */
        struct status regular = singular_among(s, plan->singular);
        if (regular.code != STATUS_SINGULAR || regular.t < progress.l || converged)
            TRY(regular);
    }
    TRY(session_finite(s, s->h, false));
    if (settings->tolerance > 0 && !converged)
        return status_not_converged(p, progress.converged, progress.l);
    return status_ok();
}

CUDA_IMPLEMENTATION_FORWARD(quasi_deer_cuda)
