/* The two gradients of an iteration of the map (map.h), by vector-Jacobian products of it, both at the returned h, which is held fixed:
 *
 *     n-step    that of f^n at h: f(h), ..., f^n(h) are computed anew, and the last n applications gone through backwards
 *     exact     the implicit one: the adjoint a = loss + J^T a, J the Jacobian of f at h, is iterated from a = loss, up to l_max times or
 *               until its residual is below the tolerance; then one application backwards
 *
 * An application backwards: s = the adjoint scanned backwards in time, then of each token, a block each, from s alone
 *     w' = G s,   v' = w' - (I - Q)^T w',   h' = (I - Q)^T w',   lambda' = s (f_{t-1} - w)   (plain: w' = s, lambda' = s f_{t-1})
 * and theta' through the mixer and its activation; a state-dependent problem carries theta' on to W and to the state before. */
#ifndef IMPLS_CUDA_GRADIENT_H
#define IMPLS_CUDA_GRADIENT_H

#include "impls/cuda/map.h"
#include "impls/cuda/residual.h"

/* ---- One token --------------------------------------------------------------------------------------------------------------- */

/* The derivative of silu at x, and of sigmoid at a. */
static __device__ inline float silu_slope(float x)
{
    float s = 1 / (1 + expf(fminf(-x, 80.0f)));
    return s * (1 + x * (1 - s));
}

static __device__ inline float sigmoid_slope(float a)
{
    float e = expf(-fabsf(a));
    return e / ((1 + e) * (1 + e));
}

/* Of low-rank mixers. x_adjoint (d) = (I - Q)^T adjoint, and q_adjoint (size) as activated parameters lie. Vectors of x and adjoint
 * are shared memory; the z_i of a Householder product wait where the adjoint of u_i will be. */
static __device__ inline void low_rank_apply_gradient(const struct mixing &mix, const float *q, const float *x,
                                                      const float *adjoint, float *x_adjoint, float *q_adjoint, float *room)
{
    int d = mix.d, r = mix.r;
    bool householder = mix.mixer == MIXER_HOUSEHOLDER;
    for (int c = threadIdx.x; c < d; c += blockDim.x)
        x_adjoint[c] = 0;
    for (int i = 0; i < r && householder; i++) { /* z_0 = x, z_{i+1} = H_i z_i */
        const float *u = q + i * d;
        float *z = q_adjoint + i * d;
        for (int c = threadIdx.x; c < d && i == 0; c += blockDim.x)
            z[c] = x[c];
        if (i + 1 == r)
            break;
        float taken = block_dot(u, z, d, room) * q[r * d + i];
        for (int c = threadIdx.x; c < d; c += blockDim.x)
            z[d + c] = z[c] - taken * u[c];
    }
    for (int i = r - 1; i >= 0; i--) {
        const float *u = q + i * d;
        float *z = q_adjoint + i * d, forth = 0, back = 0, strength = q[r * d + i];
        for (int c = threadIdx.x; c < d; c += blockDim.x) {
            float left = householder ? adjoint[c] - x_adjoint[c] : adjoint[c];
            forth = fmaf(u[c], householder ? z[c] : x[c], forth);
            back = fmaf(u[c], left, back);
        }
        forth = block_sum(forth, room);
        back = block_sum(back, room);
        for (int c = threadIdx.x; c < d; c += blockDim.x) {
            float left = householder ? adjoint[c] - x_adjoint[c] : adjoint[c], at = householder ? z[c] : x[c];
            z[c] = strength * forth * left + strength * back * at;
            x_adjoint[c] = fmaf(strength * back, u[c], x_adjoint[c]);
        }
        if (threadIdx.x == 0)
            q_adjoint[r * d + i] = forth * back;
    }
    __syncthreads();
}

/* theta_adjoint (m) from q_adjoint, in its place. */
static __device__ inline void low_rank_activate_gradient(const struct mixing &mix, const float *raw, const float *q, float *adjoint,
                                                         float *room)
{
    int d = mix.d, r = mix.r;
    for (int i = 0; i < r; i++) {
        const float *w = raw + i * d, *u = q + i * d;
        float *out = adjoint + i * d, squares = 0, along = 0;
        for (int c = threadIdx.x; c < d; c += blockDim.x) {
            float x = silu(w[c]);
            squares = fmaf(x, x, squares);
            along = fmaf(u[c], out[c], along);
        }
        float norm = sqrtf(block_sum(squares, room)), inverse = 1 / (norm > NORM_LEAST ? norm : NORM_LEAST);
        along = block_sum(along, room);
        if (norm <= NORM_LEAST) /* only scaled: nothing is projected out */
            along = 0;
        for (int c = threadIdx.x; c < d; c += blockDim.x)
            out[c] = (out[c] - along * u[c]) * inverse * silu_slope(w[c]);
    }
    for (int i = threadIdx.x; i < r; i += blockDim.x)
        adjoint[r * d + i] *= mix.s * sigmoid_slope(raw[r * d + i]);
    __syncthreads();
}

/* y = A X B^T: x_adjoint = A^T P B, A' = P (X B^T)^T, B' = P^T A X, P the adjoint of y. scratch (2 d). */
static __device__ inline void kronecker_apply_gradient(const struct mixing &mix, const float *q, const float *x,
                                                       const float *adjoint, float *x_adjoint, float *q_adjoint, float *scratch)
{
    int n1 = mix.n1, n2 = mix.n2, d = mix.d;
    const float *A = q, *B = q + n1 * n1;
    float *PB = scratch, *AX = scratch + d, *A_adjoint = q_adjoint, *B_adjoint = q_adjoint + n1 * n1;
    for (int k = threadIdx.x; k < d; k += blockDim.x) {
        int i = k / n2, j = k % n2;
        float pb = 0, ax = 0;
        for (int b = 0; b < n2; b++)
            pb = fmaf(adjoint[i * n2 + b], B[b * n2 + j], pb);
        for (int a = 0; a < n1; a++)
            ax = fmaf(A[i * n1 + a], x[a * n2 + j], ax);
        PB[k] = pb;
        AX[k] = ax;
    }
    __syncthreads();
    for (int k = threadIdx.x; k < d; k += blockDim.x) {
        float sum = 0;
        for (int a = 0; a < n1; a++)
            sum = fmaf(A[a * n1 + k / n2], PB[a * n2 + k % n2], sum);
        x_adjoint[k] = sum;
    }
    for (int k = threadIdx.x; k < n1 * n1; k += blockDim.x) {
        float sum = 0;
        for (int j = 0; j < n2; j++)
            sum = fmaf(PB[k / n1 * n2 + j], x[k % n1 * n2 + j], sum);
        A_adjoint[k] = sum;
    }
    for (int k = threadIdx.x; k < n2 * n2; k += blockDim.x) {
        float sum = 0;
        for (int i = 0; i < n1; i++)
            sum = fmaf(adjoint[i * n2 + k / n2], AX[i * n2 + k % n2], sum);
        B_adjoint[k] = sum;
    }
    __syncthreads();
}

/* One factor of n: from the adjoint of the activated matrix (n,n) to those of its raw triangle and strengths, through the power
 * steps. scratch: kronecker_scratch(n) + n n + 2 n. */
static __device__ inline void kronecker_factor_gradient(int n, float scale, const float *raw, const float *strength,
                                                        const float *adjoint, float *raw_adjoint, float *strength_adjoint,
                                                        float *scratch, float *room)
{
    int steps;
    float inverse = kronecker_power(n, raw, scratch, room, &steps), sigma = 0;
    const float *L = scratch, *C = L + n * n, *w = C + n * n, *norm = w + (POWER_STEPS + 1) * n;
    float *C_adjoint = scratch + kronecker_scratch(n), *w_adjoint = C_adjoint + n * n, *before_adjoint = w_adjoint + n;
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        float along = 0, row = scale * sigmoid(strength[i]) * inverse;
        for (int j = 0; j < n; j++) {
            along = fmaf(adjoint[i * n + j], C[i * n + j], along);
            C_adjoint[i * n + j] = row * adjoint[i * n + j];
        }
        along *= scale * inverse;
        strength_adjoint[i] = along * sigmoid_slope(strength[i]);
        sigma -= along * sigmoid(strength[i]) * inverse;
    }
    sigma = block_sum(sigma, room);
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        float sum = 0;
        for (int j = 0; j < n; j++) {
            sum = fmaf(C[i * n + j], w[steps * n + j], sum);
            C_adjoint[i * n + j] += sigma * w[steps * n + i] * w[steps * n + j];
        }
        w_adjoint[i] = 2 * sigma * sum;
    }
    __syncthreads();
    for (int step = steps - 1; step >= 0; step--) { /* w_{k+1} = C w_k / ||C w_k|| */
        const float *before = w + step * n, *after = before + n;
        float along = block_dot(after, w_adjoint, n, room);
        for (int i = threadIdx.x; i < n; i += blockDim.x)
            before_adjoint[i] = (w_adjoint[i] - along * after[i]) / norm[step];
        __syncthreads();
        for (int i = threadIdx.x; i < n; i += blockDim.x) {
            float sum = 0;
            for (int j = 0; j < n; j++) {
                C_adjoint[i * n + j] = fmaf(before_adjoint[i], before[j], C_adjoint[i * n + j]);
                sum = fmaf(C[i * n + j], before_adjoint[j], sum);
            }
            w_adjoint[i] = sum;
        }
        __syncthreads();
    }
    for (int k = threadIdx.x; k < n * n; k += blockDim.x) {
        int i = k / n, j = k % n, at = i * (i + 1) / 2 + j;
        if (j > i)
            continue;
        float sum = 0; /* (C' + its transpose) L, below the diagonal */
        for (int a = j; a < n; a++)
            sum = fmaf(C_adjoint[i * n + a] + C_adjoint[a * n + i], L[a * n + j], sum);
        raw_adjoint[at] = sum * silu_slope(raw[at]);
    }
    __syncthreads();
}

/* Floats of shared memory of mixer_gradient(). */
static inline int64_t mixer_gradient_scratch(const struct problem *p)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    int64_t factor = mixer_activate_scratch(p) + n2 * n2 + 2 * n2;
    return p->mixer == MIXER_KRONECKER ? n1 * n1 + n2 * n2 + (factor > 2 * p->d ? factor : 2 * p->d) : 0;
}

/* x_adjoint (d) = (I - Q)^T adjoint, and theta_adjoint (m; in global memory), at x (d). */
static __device__ inline void mixer_gradient(const struct mixing &mix, const float *raw, const float *q, const float *x,
                                             const float *adjoint, float *x_adjoint, float *theta_adjoint, float *scratch,
                                             float *room)
{
    int d = mix.d, n1 = mix.n1, n2 = mix.n2;
    switch (mix.mixer) {
    case MIXER_DPLR:
    case MIXER_HOUSEHOLDER:
        low_rank_apply_gradient(mix, q, x, adjoint, x_adjoint, theta_adjoint, room);
        low_rank_activate_gradient(mix, raw, q, theta_adjoint, room);
        break;
    case MIXER_KRONECKER: {
        float *q_adjoint = scratch, *rest = q_adjoint + n1 * n1 + n2 * n2;
        int L2 = n1 * (n1 + 1) / 2, D1 = L2 + n2 * (n2 + 1) / 2, D2 = D1 + n1;
        kronecker_apply_gradient(mix, q, x, adjoint, x_adjoint, q_adjoint, rest);
        kronecker_factor_gradient(n1, mix.s, raw, raw + D1, q_adjoint, theta_adjoint, theta_adjoint + D1, rest, room);
        kronecker_factor_gradient(n2, 1, raw + L2, raw + D2, q_adjoint + n1 * n1, theta_adjoint + L2, theta_adjoint + D2, rest,
                                  room);
        break;
    }
    case MIXER_DENSE:
        for (int j = threadIdx.x; j < d; j += blockDim.x) {
            float sum = 0;
            for (int i = 0; i < d; i++) {
                sum = fmaf(q[(int64_t)i * d + j], adjoint[i], sum);
                theta_adjoint[(int64_t)i * d + j] = -adjoint[i] * x[j];
            }
            x_adjoint[j] = sum;
        }
        break;
    default:
        for (int c = threadIdx.x; c < d; c += blockDim.x)
            x_adjoint[c] = 0;
        break;
    }
    __syncthreads();
}

/* What the gradient of all tokens is computed from, and where it goes. */
struct tokens_back {
    const float *v, *lambda, *h, *w, *f, *initial; /* f: of the states before; initial: of the first one, or NULL */
    const float *raw, *q, *s;
    float *v_adjoint, *lambda_adjoint, *h0_adjoint; /* NULL: only h_adjoint is asked for */
    float *theta_adjoint;                           /* (B,T,m) */
    float *h_adjoint;                               /* (B,T,d) */
    int64_t T;
    bool add; /* to v, lambda and h0, rather than overwrite them */
};

/* A block a token. */
static __global__ void token_gradients(struct mixing mix, struct tokens_back to)
{
    SHARED_DYNAMIC(float, adjoint);
    SHARED(float, room, ROOM);
    float *x = adjoint + mix.d, *x_adjoint = x + mix.d;
    int64_t token = blockIdx.x, at = token * mix.d, t = token % to.T, first = token / to.T * mix.d;
    for (int c = threadIdx.x; c < mix.d; c += blockDim.x) {
        float s = to.s[at + c];
        adjoint[c] = mix.gated ? s - to.lambda[at + c] * s : s;
        x[c] = to.h[at + c] - to.v[at + c];
    }
    __syncthreads();
    mixer_gradient(mix, to.raw + token * mix.m, to.q + token * mix.size, x, adjoint, x_adjoint, to.theta_adjoint + token * mix.m,
                   x_adjoint + mix.d, room);
    for (int c = threadIdx.x; c < mix.d; c += blockDim.x) {
        float s = to.s[at + c], before = t > 0 ? to.f[at - mix.d + c] : to.initial != NULL ? to.initial[first + c] : 0;
        to.h_adjoint[at + c] = x_adjoint[c];
        if (to.v_adjoint == NULL)
            continue;
        to.v_adjoint[at + c] = (to.add ? to.v_adjoint[at + c] : 0) + adjoint[c] - x_adjoint[c];
        to.lambda_adjoint[at + c] = (to.add ? to.lambda_adjoint[at + c] : 0) + s * (mix.gated ? before - to.w[at + c] : before);
        if (t == 0)
            to.h0_adjoint[first + c] = (to.add ? to.h0_adjoint[first + c] : 0) + to.lambda[at + c] * s;
    }
}

/* h_adjoint of the state before each token (of the first ones: h0_adjoint, or nowhere) += that of k(h) = scale h. A block a token. */
static __global__ void state_gradients(struct states_before states, bool rms, const float *k_adjoint, float *h_adjoint,
                                       float *h0_adjoint)
{
    SHARED(float, room, ROOM);
    int64_t token = blockIdx.x, d = states.d, t = token % states.T;
    float scale = states.scale[token], along = 0;
    for (int64_t c = threadIdx.x; c < d && rms; c += blockDim.x)
        along = fmaf(states.state(token, c), k_adjoint[token * d + c], along);
    along = block_sum(along, room) * scale * scale * scale / (float)d;
    float *to = t > 0 ? h_adjoint + (token - 1) * d : h0_adjoint != NULL ? h0_adjoint + token / states.T * d : NULL;
    for (int64_t c = threadIdx.x; c < d && to != NULL; c += blockDim.x)
        to[c] += scale * k_adjoint[token * d + c] - (rms ? along * states.state(token, c) : 0);
}

/* to (n) = or += from. */
static __global__ void put(float *to, const float *from, int64_t n, bool add)
{
    int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        to[i] = add ? to[i] + from[i] : from[i];
}

/* ---- All of it ---------------------------------------------------------------------------------------------------------------- */

struct gradient_pass {
    struct device_map *map;
    float *iterates;  /* (n,B,T,d) f(h) ... f^n(h); exact: nothing */
    float *w;         /* (B,T,d) */
    float *s, *a;     /* (B,T,d) adjoints */
    float *next;      /* (B,T,d) exact only */
    float *theta;     /* (B,T,m) */
    float *k_adjoint; /* (B,T,d) state-dependent only */
    struct residuals residuals;
    size_t shared;
};

static inline double gradient_shared(const struct problem *p)
{
    return (3 * (double)p->d + (double)mixer_gradient_scratch(p)) * sizeof(float);
}

static inline double gradient_bytes(const struct problem *p, const struct settings *settings)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d;
    if (settings->gradient == GRADIENT_NONE)
        return 0;
    double states = settings->gradient == GRADIENT_EXACT ? 4 : 3 + (double)settings->gradient_steps;
    return tokens * (states * d + (double)problem_m(p) + (state_dependent(p) ? d : 0)) * sizeof(float) + residuals_bytes(p);
}

static inline void gradient_close(struct gradient_pass *g)
{
    float *const all[] = {g->iterates, g->w, g->s, g->a, g->next, g->theta, g->k_adjoint};
    for (float *one : all)
        device_free(one);
    residuals_close(&g->residuals);
}

static inline struct status gradient_open(struct device_map *map, struct gradient_pass *g)
{
    const struct settings *settings = &map->session->settings;
    const struct problem *p = &map->session->problem;
    size_t states = (size_t)(p->B * p->T * p->d) * sizeof(float);
    g->map = map;
    if (settings->gradient == GRADIENT_NONE)
        return status_ok();
    bool exact = settings->gradient == GRADIENT_EXACT;
    g->shared = (size_t)gradient_shared(p);
    TRY(device_allocate(&g->iterates, exact ? 0 : states * (size_t)settings->gradient_steps));
    TRY(device_allocate(&g->w, states));
    TRY(device_allocate(&g->s, states));
    TRY(device_allocate(&g->a, states));
    TRY(device_allocate(&g->next, exact ? states : 0));
    TRY(device_allocate(&g->theta, (size_t)(p->B * p->T * problem_m(p)) * sizeof(float)));
    TRY(device_allocate(&g->k_adjoint, state_dependent(p) ? states : 0));
    TRY(residuals_open(p, &g->residuals));
    return device_shared_allow(token_gradients, g->shared);
}

static inline struct status scan_back(const struct device_map *map, const float *x, float *out)
{
    const struct problem *p = &map->session->problem;
    const struct scan_task task = {.B = p->B,
                                   .T = p->T,
                                   .d = p->d,
                                   .lambda = map->session->input[1],
                                   .x = x,
                                   .initial = NULL,
                                   .out = out,
                                   .gated = false,
                                   .reversed = true};
    return scan_run(&task, &map->tiles);
}

/* One application backwards from s, at h with f = f(h), after map_mix() there into g->w: h_adjoint, and unless it is only that, the
 * gradients of the session. */
static inline struct status gradient_back(const struct gradient_pass *g, const float *h, const float *f, const float *s, bool add,
                                          bool only_states, float *h_adjoint)
{
    const struct device_map *map = g->map;
    struct session *session = map->session;
    const struct problem *p = &session->problem;
    int64_t tokens = p->B * p->T, m = problem_m(p);
    const struct tokens_back to = {.v = session->input[0],
                                   .lambda = session->input[1],
                                   .h = h,
                                   .w = g->w,
                                   .f = f,
                                   .initial = session_initial(session),
                                   .raw = state_dependent(p) ? map->raw : session->input[2],
                                   .q = map->q,
                                   .s = s,
                                   .v_adjoint = only_states ? NULL : session->gradient[0],
                                   .lambda_adjoint = session->gradient[1],
                                   .h0_adjoint = session->gradient[4],
                                   .theta_adjoint = g->theta,
                                   .h_adjoint = h_adjoint,
                                   .T = p->T,
                                   .add = add};
    TRY(LAUNCH(token_gradients, tokens, map->threads, g->shared, map->mix, to));
    if (state_dependent(p)) {
        const struct states_before states = {h, session_initial(session), map->scale, p->T, p->d};
        TRY(multiply_run({tokens, p->d, m, NULL, g->k_adjoint}, factor{g->theta, m, false},
                         factor{session->input[3], p->d, false}));
        TRY(LAUNCH(state_gradients, tokens, map->threads, 0, states, p->feedback == FEEDBACK_RMS, g->k_adjoint, h_adjoint,
                   only_states ? NULL : session->gradient[4]));
        if (!only_states)
            TRY(multiply_run({m, p->d, tokens, add ? session->gradient[3] : NULL, session->gradient[3]}, factor{g->theta, m, true},
                             states));
    }
    if (m > 0 && !only_states)
        TRY(LAUNCH(put, blocks_for(tokens * m), THREADS, 0, session->gradient[2], g->theta, tokens * m, add));
    return status_ok();
}

static inline struct status gradient_steps(const struct gradient_pass *g)
{
    const struct device_map *map = g->map;
    struct session *session = map->session;
    const struct problem *p = &session->problem;
    int64_t n = session->settings.gradient_steps, size = p->B * p->T * p->d;
    const float *h = session->h;
    for (int64_t k = 1; k <= n; k++, h = g->iterates + (k - 2) * size)
        TRY(map_apply(map, h, g->iterates + (k - 1) * size));
    TRY(session_seed(session, g->a));
    for (int64_t k = n; k >= 1; k--) {
        const float *f = g->iterates + (k - 1) * size;
        h = k > 1 ? f - size : session->h;
        TRY(map_mix(map, h, g->w));
        TRY(scan_back(map, g->a, g->s));
        TRY(gradient_back(g, h, f, g->s, k < n, false, g->a));
    }
    return status_ok();
}

static inline struct status gradient_exact(struct gradient_pass *g)
{
    const struct device_map *map = g->map;
    struct session *session = map->session;
    const struct problem *p = &session->problem;
    const struct settings *settings = &session->settings;
    int64_t wanted = residuals_wanted(p, settings), converged = 0, l = 0, size = p->B * p->T * p->d;
    struct status status = status_ok();
    TRY(map_mix(map, session->h, g->w));
    TRY(session_seed(session, g->a));
    for (; l < settings->l_max && converged < wanted && status.code == STATUS_OK; l++) {
        TRY(scan_back(map, g->a, g->s));
        TRY(session_seed(session, g->next)); /* loss + J^T a */
        TRY(gradient_back(g, session->h, session->h, g->s, false, true, g->s));
        TRY(LAUNCH(put, blocks_for(size), THREADS, 0, g->next, g->s, size, true));
        if (settings->tolerance > 0) {
            bool finite;
            TRY(residuals_measure(p, &g->residuals, g->a, g->next, &finite));
            converged = residuals_count(p, &g->residuals, settings->tolerance, l + 1, NULL, NULL);
            if (!finite)
                status = session_finite(session, g->next, true);
        }
        float *swap = g->a;
        g->a = g->next;
        g->next = swap;
    }
    TRY(scan_back(map, g->a, g->s));
    TRY(gradient_back(g, session->h, session->h, g->s, false, false, g->next));
    if (status.code == STATUS_OK)
        status = session_finite(session, g->a, true);
    if (status.code == STATUS_OK && settings->tolerance > 0 && converged < wanted)
        return status_at(STATUS_NOT_CONVERGED, -1, -1,
                         "the adjoints of %lld of %lld sequences below the tolerance after %lld iterations", (long long)converged,
                         (long long)p->B, (long long)l);
    return status;
}

/* backward() at the states that forward() left in the session. */
static inline struct status gradient_run(struct gradient_pass *g, const struct outputs *grad_outputs,
                                         const struct gradients *gradients)
{
    struct session *session = g->map->session;
    TRY(session_upload_loss(session, grad_outputs));
    TRY(device_timer_begin(session->timer));
    TRY(map_begin(g->map));
    struct status status = session->settings.gradient == GRADIENT_EXACT ? gradient_exact(g) : gradient_steps(g);
    if (status.code != STATUS_OK && status.code != STATUS_NOT_CONVERGED && status.code != STATUS_DIVERGED)
        return status;
    TRY(device_timer_end(session->timer));
    TRY(session_download_gradients(session, gradients));
    return status;
}

#endif
