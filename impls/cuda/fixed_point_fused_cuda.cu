/* fixed_point_fused_cuda: the iterates of fixed_point_cuda, many of them in one pass over the tokens, for h^l_t needs only h^l_{t-1} and
 * h^{l-1}_t. A block a sequence; what a token needs is read and activated once and serves all iterates.
 *
 * Low-rank mixers that do not read the state (docs/mathematics.md): the iterates are in registers, a thread has its channels of all of
 * them, and they meet in r-vectors alone. With I - Q = U E U^T and z_0 = U^T h^0_t
 *     g_l = E (U^T v - z_{l-1}),   z_l = U^T Lambda h^l_{t-1} + U^T G v - (U^T G U) g_l,   h^l_t = Lambda h^l_{t-1} + G v - G U g_l
 * (plain: G = I). All sums that a token needs are made at once, of w = SiLU(raw) instead of u = w / ||w||.
 * All others: the iterates are in shared memory and go through the mixer one after the other; W too is kept there where it fits.
 *
 * With a tolerance, a pass tells the residuals of all its iterates; when an earlier one of them is the answer, or is not finite, the
 * pass is made once more up to that one. Gradients: gradient.h. */
#include "impls/cuda/gradient.h"
#include "impls/cuda/registry.h"

static constexpr int LONGEST = 16;      /* iterates of a pass */
static constexpr int RANK_MOST = 4;     /* of what is carried in registers */
static constexpr int CHANNELS_MOST = 4; /* of a thread there */

struct plan {
    struct session session;
    struct device_map map; /* for the gradient; nothing, unless settings ask for one */
    struct gradient_pass gradient;
    struct mixing mix;
    bool meets_in_r, keeps_W;
    int64_t longest;
    int threads;
    size_t shared;
    float *other;    /* (B,T,d) what the next pass begins with */
    float *residual; /* (LONGEST,B) */
    float *residual_host;
};

/* One pass: iterates from + 1 ... from + n. */
struct pass {
    const float *v, *lambda, *theta, *W, *initial;
    const float *before; /* (B,T,d) iterate `from`; NULL: that is 0 */
    float *out;          /* (B,T,d) the last iterate */
    float *residual;     /* (n,B) the largest of all tokens; NULL: not wanted */
    int64_t T;
    int n;
    bool keeps_W;
};

/* ---- In r-vectors ---------------------------------------------------------------------------------------------------------- */

/* Where the sums of a token are, of R vectors: w_i G w_j and w_i w_j (j <= i), w_i v, w_i G v, w_i h^from_t, then w_i Lambda h^l_{t-1}
 * of each iterate. */
template <int R> struct sums {
    static constexpr int pairs = R * (R + 1) / 2, weighted = 0, plain = pairs, v = 2 * pairs, gated = v + R, start = gated + R,
                         states = start + R, all = states + R * LONGEST;
};

/* g_l of all iterates, times 1 / ||w||, in place of the sums w_i Lambda h^l_{t-1}; one thread. */
template <int R> static __device__ inline void solve_iterates(const struct mixing &mix, const float *theta, int n, float *sum)
{
    using at = sums<R>;
    float inverse[R], strength[R], z[R], g[R];
#pragma unroll
    for (int i = 0; i < R; i++) {
        bool real = i < mix.r;
        inverse[i] = real ? norm_inverse(sum[at::plain + i * (i + 1) / 2 + i]) : 0;
        strength[i] = real ? mix.s * sigmoid(theta[mix.r * mix.d + i]) : 0;
        z[i] = inverse[i] * sum[at::start + i];
    }
    for (int l = 0; l < n; l++) {
        float *row = sum + at::states + l * R;
#pragma unroll
        for (int i = 0; i < R; i++) {
            float left = inverse[i] * sum[at::v + i] - z[i];
#pragma unroll
            for (int j = 0; j < i; j++)
                if (mix.mixer == MIXER_HOUSEHOLDER)
                    left -= inverse[i] * inverse[j] * sum[at::plain + i * (i + 1) / 2 + j] * g[j];
            g[i] = strength[i] * left;
        }
#pragma unroll
        for (int i = 0; i < R; i++) {
            float next = inverse[i] * (row[i] + sum[at::gated + i]);
#pragma unroll
            for (int j = 0; j < R; j++)
                next -= inverse[i] * inverse[j] * sum[at::weighted + (i > j ? i * (i + 1) / 2 + j : j * (j + 1) / 2 + i)] * g[j];
            z[i] = next;
        }
#pragma unroll
        for (int i = 0; i < R; i++)
            row[i] = g[i] * inverse[i];
    }
}

/* One sum of a warp, to where the block finds it. */
static __device__ inline void leave(float value, float *part)
{
    value = warp_sum(value);
    if (threadIdx.x % WARP == 0)
        *part = value;
}

/* Two blocks a processor where their registers suffice for that: 16 products of a thread take more than half of them. */
template <int R, int CHANNELS>
static __global__ void __launch_bounds__(BLOCK_MOST, R *CHANNELS < 16 ? 2 : 1) pass_in_r(struct mixing mix, struct pass pass)
{
    using at = sums<R>;
    SHARED(float, part, BLOCK_MOST / WARP * sums<R>::all);
    SHARED(float, sum, sums<R>::all);
    SHARED(float, worst, LONGEST);
    SHARED(float, room, ROOM);
    float h[LONGEST][CHANNELS], v[CHANNELS], lambda[CHANNELS], gate[CHANNELS], start[CHANNELS], w[R][CHANNELS];
    int64_t b = blockIdx.x;
    int warp = threadIdx.x / WARP, warps = blockDim.x / WARP, d = mix.d;
#pragma unroll
    for (int k = 0; k < CHANNELS; k++) {
        int c = threadIdx.x + k * blockDim.x;
        float initial = c < d && pass.initial != NULL ? pass.initial[b * d + c] : 0;
#pragma unroll
        for (int l = 0; l < LONGEST; l++)
            h[l][k] = initial;
    }
    if (threadIdx.x < LONGEST)
        worst[threadIdx.x] = 0;
    for (int64_t t = 0; t < pass.T; t++) {
        int64_t token = b * pass.T + t;
        const float *theta = pass.theta + token * mix.m;
#pragma unroll
        for (int k = 0; k < CHANNELS; k++) {
            int c = threadIdx.x + k * blockDim.x;
            bool inside = c < d;
            v[k] = inside ? pass.v[token * d + c] : 0;
            lambda[k] = inside ? pass.lambda[token * d + c] : 0;
            gate[k] = mix.gated ? 1 - lambda[k] : 1;
            start[k] = inside && pass.before != NULL ? pass.before[token * d + c] : 0;
#pragma unroll
            for (int i = 0; i < R; i++)
                w[i][k] = inside && i < mix.r ? silu(theta[i * d + c]) : 0;
        }
        float *mine = part + warp * at::all;
#pragma unroll
        for (int i = 0; i < R; i++) {
            float wv = 0, wgv = 0, ws = 0;
#pragma unroll
            for (int k = 0; k < CHANNELS; k++) {
                wv = fmaf(w[i][k], v[k], wv);
                wgv = fmaf(w[i][k] * gate[k], v[k], wgv);
                ws = fmaf(w[i][k], start[k], ws);
            }
            leave(wv, mine + at::v + i);
            leave(wgv, mine + at::gated + i);
            leave(ws, mine + at::start + i);
#pragma unroll
            for (int j = 0; j <= i; j++) {
                float weighted = 0, plain = 0;
#pragma unroll
                for (int k = 0; k < CHANNELS; k++) {
                    float ww = w[i][k] * w[j][k];
                    plain += ww;
                    weighted = fmaf(gate[k], ww, weighted);
                }
                leave(weighted, mine + at::weighted + i * (i + 1) / 2 + j);
                leave(plain, mine + at::plain + i * (i + 1) / 2 + j);
            }
#pragma unroll
            for (int l = 0; l < LONGEST; l++) {
                if (l >= pass.n)
                    break;
                float y = 0;
#pragma unroll
                for (int k = 0; k < CHANNELS; k++)
                    y = fmaf(w[i][k] * lambda[k], h[l][k], y);
                leave(y, mine + at::states + l * R + i);
            }
        }
        __syncthreads();
        for (int k = threadIdx.x; k < at::states + R * pass.n; k += blockDim.x) {
            float total = 0;
            for (int i = 0; i < warps; i++)
                total += part[i * at::all + k];
            sum[k] = total;
        }
        __syncthreads();
        if (threadIdx.x == 0)
            solve_iterates<R>(mix, theta, pass.n, sum);
        __syncthreads();
        float last[CHANNELS] = {};
#pragma unroll
        for (int l = 0; l < LONGEST; l++) {
            if (l >= pass.n)
                break;
            float change = 0, size = 0;
#pragma unroll
            for (int k = 0; k < CHANNELS; k++) {
                float from = v[k], before = l > 0 ? h[l > 0 ? l - 1 : 0][k] : start[k];
#pragma unroll
                for (int i = 0; i < R; i++)
                    from = fmaf(-sum[at::states + l * R + i], w[i][k], from);
                h[l][k] = fmaf(lambda[k], h[l][k], gate[k] * from);
                change = larger(change, fabsf(h[l][k] - before));
                size = larger(size, fabsf(h[l][k]));
                last[k] = h[l][k];
            }
            if (pass.residual == NULL)
                continue;
            change = block_max(change, room);
            size = block_max(size, room);
            if (threadIdx.x == 0)
                worst[l] = larger(worst[l], change == 0 ? 0 : change / size);
        }
#pragma unroll
        for (int k = 0; k < CHANNELS; k++) {
            int c = threadIdx.x + k * blockDim.x;
            if (c < d)
                pass.out[token * d + c] = last[k];
        }
    }
    __syncthreads();
    if (pass.residual != NULL && (int)threadIdx.x < pass.n)
        pass.residual[threadIdx.x * gridDim.x + b] = worst[threadIdx.x];
}

/* ---- In shared memory ------------------------------------------------------------------------------------------------------ */

/* Floats of a block beside its iterates: x, y, and the state h^{l-1}_{t-1} (d), q, raw when state-dependent, scratch. */
static double other_floats(const struct problem *p)
{
    struct mixing mix = mixing_of(p);
    double activate = (double)mixer_activate_scratch(p), apply = (double)mixer_apply_scratch(p);
    return 3 * (double)p->d + mix.size + (state_dependent(p) ? mix.m : 0) + (activate > apply ? activate : apply);
}

static __global__ void pass_in_shared(struct mixing mix, struct pass pass)
{
    SHARED_DYNAMIC(float, x);
    SHARED(float, room, ROOM);
    SHARED(float, worst, LONGEST);
    int d = mix.d;
    bool dependent = mix.feedback != FEEDBACK_NONE;
    float *y = x + d, *old = y + d, *states = old + d, *q = states + pass.n * d, *raw = q + mix.size;
    float *kept = raw + (dependent ? mix.m : 0), *scratch = kept + (pass.keeps_W ? (int64_t)mix.m * d : 0);
    const float *W = pass.keeps_W ? kept : pass.W;
    int64_t b = blockIdx.x;
    for (int64_t k = threadIdx.x; pass.keeps_W && k < (int64_t)mix.m * d; k += blockDim.x)
        kept[k] = pass.W[k];
    for (int c = threadIdx.x; c < d; c += blockDim.x)
        for (int l = 0; l < pass.n; l++)
            states[l * d + c] = pass.initial != NULL ? pass.initial[b * d + c] : 0;
    if (threadIdx.x < LONGEST)
        worst[threadIdx.x] = 0;
    __syncthreads();
    for (int64_t t = 0; t < pass.T; t++) {
        int64_t token = b * pass.T + t;
        const float *v = pass.v + token * d, *lambda = pass.lambda + token * d, *theta = pass.theta + token * mix.m;
        if (!dependent)
            mixer_activate(mix, theta, q, scratch, room);
        for (int c = threadIdx.x; c < d && dependent; c += blockDim.x) /* h^from_{t-1} */
            old[c] = t == 0 ? states[c] : pass.before != NULL ? pass.before[(token - 1) * d + c] : 0;
        for (int l = 0; l < pass.n; l++) {
            if (dependent) {
                float scale = 1;
                __syncthreads();
                if (mix.feedback == FEEDBACK_RMS)
                    scale = 1 / sqrtf(block_dot(old, old, d, room) / (float)d + 1e-6f);
                block_product(W, old, mix.m, d, raw);
                for (int k = threadIdx.x; k < mix.m; k += blockDim.x)
                    raw[k] = fmaf(scale, raw[k], theta[k]);
                __syncthreads();
                mixer_activate(mix, raw, q, scratch, room);
            }
            for (int c = threadIdx.x; c < d; c += blockDim.x) {
                float before = l > 0 ? states[(l - 1) * d + c] : pass.before != NULL ? pass.before[token * d + c] : 0;
                x[c] = before - v[c];
            }
            __syncthreads();
            mixer_apply(mix, q, x, y, scratch, room);
            float change = 0, size = 0;
            for (int c = threadIdx.x; c < d; c += blockDim.x) {
                float before = l > 0 ? states[(l - 1) * d + c] : pass.before != NULL ? pass.before[token * d + c] : 0;
                float gate = mix.gated ? 1 - lambda[c] : 1, next = fmaf(lambda[c], states[l * d + c], gate * (v[c] + y[c]));
                old[c] = states[l * d + c];
                states[l * d + c] = next;
                change = larger(change, fabsf(next - before));
                size = larger(size, fabsf(next));
            }
            if (pass.residual == NULL)
                continue;
            change = block_max(change, room);
            size = block_max(size, room);
            if (threadIdx.x == 0)
                worst[l] = larger(worst[l], change == 0 ? 0 : change / size);
        }
        for (int c = threadIdx.x; c < d; c += blockDim.x)
            pass.out[token * d + c] = states[(pass.n - 1) * d + c];
        __syncthreads();
    }
    if (pass.residual != NULL && (int)threadIdx.x < pass.n)
        pass.residual[threadIdx.x * gridDim.x + b] = worst[threadIdx.x];
}

/* ---- Host side ------------------------------------------------------------------------------------------------------------- */

static bool meets_in_r(const struct problem *p)
{
    return !state_dependent(p) && problem_low_rank(p) && p->r > 0 && p->r <= RANK_MOST && p->d <= BLOCK_MOST * CHANNELS_MOST;
}

static double weight_floats(const struct problem *p)
{
    return state_dependent(p) ? (double)problem_m(p) * (double)p->d : 0;
}

/* Iterates that fit into shared memory, at most LONGEST. */
static int64_t fitting(const struct problem *p)
{
    double room = ((double)device_get()->shared - 1024) / sizeof(float) - other_floats(p), n = floor(room / (double)p->d);
    return n > LONGEST ? LONGEST : n < 0 ? 0 : (int64_t)n;
}

static int64_t longest_pass(const struct problem *p, const struct settings *settings)
{
    int64_t most = meets_in_r(p) ? LONGEST : fitting(p);
    return most < settings->l_max ? most : settings->l_max;
}

static bool keeps_weights(const struct problem *p, int64_t n)
{
    double floats = other_floats(p) + (double)n * (double)p->d + weight_floats(p);
    return state_dependent(p) && floats * sizeof(float) <= (double)device_get()->shared - 1024;
}

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!device_support_begin(support, p, settings, environment, &fixed_point_fused_cuda))
        return;
    double states = (double)p->B * (double)p->T * (double)p->d * sizeof(float), sequences = (double)p->B * sizeof(float);
    bool gradient = settings->gradient != GRADIENT_NONE;
    if (settings->damping < 1 || settings->patience > 0)
        support_no(support, "damping is not supported (needs whole iterates); use fixed_point_cuda");
    else if (meets_in_r(p) || shared_fits(support, (other_floats(p) + (double)p->d) * sizeof(float))) {
        if (!gradient || (shared_fits(support, map_shared(p)) && shared_fits(support, gradient_shared(p))))
            device_support_memory(support, p, settings, environment, LONGEST * sequences + (double)p->B * sizeof(int64_t),
                                  session_bytes(p, settings) + states + LONGEST * sequences +
                                      (gradient ? map_bytes(p, settings) + gradient_bytes(p, settings) : 0));
    }
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, m = (double)problem_m(p), r = (double)p->r, n = (double)l;
    int64_t longest = longest_pass(p, settings);
    double passes = longest > 0 ? ceil(n / (double)longest) : 0;
    struct work once, each;
    (void)environment;
    map_count(p, settings, &once, &each);
    /* a pass reads v, lambda, theta and all but the first the iterate before; it writes one */
    double weights = weight_floats(p) * (keeps_weights(p, longest) ? passes * (double)p->B : n * tokens);
    work->bytes = (tokens * (passes * (4 * d + m) - d) + weights) * sizeof(float);
    work->operations = meets_in_r(p) ? tokens * (passes * (7 * r + 6 * r + r * (2 * r + 1) + 3) * d + n * (2 + 4 * r) * d)
                                     : passes * once.operations + n * each.operations;
    work->set = work->bytes;
    work->library = false;
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        session_close(&plan->session);
        map_close(&plan->map);
        gradient_close(&plan->gradient);
        device_free(plan->other);
        device_free(plan->residual);
        free(plan->residual_host);
    }
    free(plan);
}

static struct status open(struct plan *plan, const struct problem *p, const struct settings *settings)
{
    size_t states = (size_t)(p->B * p->T * p->d) * sizeof(float), sequences = (size_t)p->B * sizeof(float);
    TRY(session_open(p, settings, &plan->session));
    plan->mix = mixing_of(p);
    plan->meets_in_r = meets_in_r(p);
    plan->longest = longest_pass(p, settings);
    plan->threads = block_threads(p->d);
    if (!plan->meets_in_r) {
        plan->keeps_W = keeps_weights(p, plan->longest);
        double floats = other_floats(p) + (double)plan->longest * (double)p->d + (plan->keeps_W ? weight_floats(p) : 0);
        plan->shared = (size_t)floats * sizeof(float);
        TRY(device_shared_allow(pass_in_shared, plan->shared));
    }
    if (settings->gradient != GRADIENT_NONE) {
        TRY(map_open(&plan->session, &plan->map));
        TRY(gradient_open(&plan->map, &plan->gradient));
    }
    TRY(device_allocate(&plan->other, states));
    TRY(device_allocate(&plan->residual, LONGEST * sequences));
    plan->residual_host = (float *)malloc(LONGEST * sequences);
    return plan->residual_host != NULL ? status_ok() : status_no_memory();
}

template <int R> static struct status run_in_r(const struct plan *plan, const struct pass *pass)
{
    int64_t B = plan->session.problem.B;
    if (plan->mix.d <= BLOCK_MOST)
        return LAUNCH((pass_in_r<R, 1>), B, plan->threads, 0, plan->mix, *pass);
    return LAUNCH((pass_in_r<R, CHANNELS_MOST>), B, BLOCK_MOST, 0, plan->mix, *pass);
}

static struct status run(const struct plan *plan, const struct pass *pass)
{
    if (!plan->meets_in_r)
        return LAUNCH(pass_in_shared, plan->session.problem.B, plan->threads, plan->shared, plan->mix, *pass);
    return plan->mix.r == 1   ? run_in_r<1>(plan, pass)
           : plan->mix.r == 2 ? run_in_r<2>(plan, pass)
                              : run_in_r<RANK_MOST>(plan, pass);
}

/* What was seen of the iterates so far. */
struct progress {
    int64_t l, converged;
    bool broken; /* the l-th is not finite */
};

/* How far a pass of n iterates counts: up to the first that is not finite, or at which enough sequences have converged. */
static struct status judge(struct plan *plan, int64_t n, int64_t wanted, struct trace *trace, struct progress *progress)
{
    const struct session *s = &plan->session;
    int64_t B = s->problem.B;
    double *copy = trace != NULL ? trace->residual : NULL;
    TRY(device_download(plan->residual_host, plan->residual, (size_t)(n * B) * sizeof(float)));
    for (int64_t k = 0; k < n && progress->converged < wanted && !progress->broken; k++) {
        const float *row = plan->residual_host + k * B;
        progress->l++;
        progress->converged = 0;
        for (int64_t b = 0; b < B; b++)
            progress->broken = progress->broken || isnan(row[b]);
        for (int64_t b = 0; b < B; b++) {
            bool below = !progress->broken && row[b] < s->settings.tolerance;
            progress->converged += below;
            if (below && trace != NULL && trace->l != NULL && trace->l[b] == 0)
                trace->l[b] = progress->l;
            if (copy != NULL)
                copy[(progress->l - 1) * B + b] = progress->broken ? INFINITY : row[b];
        }
    }
    return status_ok();
}

static struct status iterate(struct plan *plan, struct trace *trace, struct progress *progress)
{
    struct session *s = &plan->session;
    const struct problem *p = &s->problem;
    const struct settings *settings = &s->settings;
    int64_t wanted = residuals_wanted(p, settings);
    bool residuals = settings->tolerance > 0 || (trace != NULL && trace->residual != NULL);
    float *h = plan->other, *next = s->h;
    while (progress->l < settings->l_max && progress->converged < wanted && !progress->broken) {
        int64_t from = progress->l, left = settings->l_max - from, n = left < plan->longest ? left : plan->longest;
        if (trace != NULL && trace->n_kept < trace->n_keep && trace->keep[trace->n_kept] - from < n)
            n = trace->keep[trace->n_kept] - from; /* a pass leaves its last iterate alone */
        struct pass pass = {s->input[0],
                            s->input[1],
                            s->input[2],
                            s->input[3],
                            session_initial(s),
                            from > 0 ? h : NULL,
                            next,
                            residuals ? plan->residual : NULL,
                            p->T,
                            (int)n,
                            plan->keeps_W};
        TRY(run(plan, &pass));
        progress->l += residuals ? 0 : n;
        if (residuals)
            TRY(judge(plan, n, wanted, trace, progress));
        if (progress->l < from + n) { /* an earlier one counts */
            pass.n = (int)(progress->l - from);
            pass.residual = NULL;
            TRY(run(plan, &pass));
        }
        float *swap = h;
        h = next;
        next = swap;
        TRY(keep_iterate(p, trace, progress->l, h));
    }
    return h != s->h ? device_copy(s->h, h, (size_t)(p->B * p->T * p->d) * sizeof(float)) : status_ok();
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    struct session *s = &plan->session;
    const struct problem *p = &s->problem;
    struct progress progress = {0, 0, false};
    (void)inputs, (void)outputs;
    trace_begin(p, trace);
    TRY(device_timer_begin(s->timer));
    TRY(iterate(plan, trace, &progress));
    TRY(device_timer_end(s->timer));
    if (trace != NULL) {
        trace->l_run = progress.l;
        trace->applications = (double)progress.l;
    }
    TRY(session_finite(s, s->h, false));
    if (s->settings.tolerance > 0 && progress.converged < residuals_wanted(p, &s->settings))
        return status_not_converged(p, progress.converged, progress.l);
    return status_ok();
}

static struct status backward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,
                              const struct outputs *grad_outputs, const struct gradients *gradients)
{
    (void)inputs, (void)outputs;
    return gradient_run(&plan->gradient, grad_outputs, gradients);
}

CUDA_IMPLEMENTATION(fixed_point_fused_cuda)
