/* dense_sequential_cuda: the dense RNN on the GPU as a textbook has it, any mixer. For every token I - G (I - Q) (plain: Q) is written out
 * as a d x d matrix, decomposed with partial pivoting and inverted column by column:
 *
 *     normalised:  A_t = M_t^{-1} Lambda_t,  M_t = I - G_t (I - Q_t),   h_t = v_t + A_t (h_{t-1} - v_t)
 *     plain:       A_t = Q_t^{-1} Lambda_t,                             h_t = v_t + A_t h_{t-1}
 *
 * The naive baseline. The A_t of all tokens do not depend on each other or on the states, so they are made first, a block a token, and all
 * kept; then a block a sequence multiplies its way through them. A state-dependent mixer allows neither: its block makes one A_t after the
 * other. M_t lies in shared memory where that is large enough, else in the device's. */
#include "impls/cuda/registry.h"
#include "impls/cuda/singular.h"
#include "impls/cuda/token.h"
#include "impls/contract/support.h"

struct plan {
    struct session session;
    struct mixing mix;
    int threads;
    int64_t workers;            /* blocks that share the tokens */
    size_t shared, shared_walk; /* bytes a block */
    float *A;                   /* (B,T,d,d); (B,d,d) when state-dependent */
    float *M;                   /* (workers,d,d), or nothing: in shared memory */
    int *singular;              /* (B,T), when A is made ahead */
};

static constexpr int64_t WORKERS = 8; /* a multiprocessor */

/* Floats of a block beside M: h, x, y, rows (d), the raw parameters that were computed, q, scratch. A dense mixer has these two in M. */
static double own_floats(const struct problem *p)
{
    double m = state_dependent(p) ? (double)problem_m(p) : 0;
    return 4 * (double)p->d + (p->mixer != MIXER_DENSE ? m + mixing_of(p).size : 0) + (double)mixer_activate_scratch(p);
}

static double matrix_floats(const struct problem *p)
{
    return (double)p->d * (double)p->d;
}

static bool is_shared(const struct problem *p)
{
    return (own_floats(p) + matrix_floats(p)) * sizeof(float) <= (double)device_get()->shared - 1024;
}

static int64_t workers_of(const struct problem *p)
{
    int64_t tokens = p->B * p->T, most = WORKERS * device_get()->multiprocessors;
    return state_dependent(p) ? p->B : tokens < most ? tokens : most;
}

/* Matrices A, and M outside of shared memory. */
static double matrices(const struct problem *p)
{
    double A = state_dependent(p) ? (double)p->B : (double)p->B * (double)p->T;
    return A + (is_shared(p) ? 0 : (double)workers_of(p));
}

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!device_support_begin(support, p, settings, environment, &dense_sequential_cuda))
        return;
    double flags = state_dependent(p) ? 0 : (double)p->B * (double)p->T * sizeof(int);
    if (shared_fits(support, own_floats(p) * sizeof(float)))
        device_support_memory(support, p, settings, environment, (double)p->B * sizeof(int64_t),
                              session_bytes(p, settings) + matrices(p) * matrix_floats(p) * sizeof(float) + flags);
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, r = (double)p->r, m = (double)problem_m(p);
    double column[MIXER_COUNT] = {0, 2 * r * d, 4 * r * d, d, 0}; /* of I - Q */
    bool dependent = state_dependent(p);
    (void)settings, (void)environment, (void)l;
    /* A is written once and read once; what elimination moves is a cache's or shared memory's. LU is 2/3 d^3, the inverse 2 d^3 */
    work->bytes = (tokens * (3 * d + m + 2 * d * d) + (dependent ? tokens * m * d : 0)) * sizeof(float);
    work->operations = tokens * ((dependent ? 2 * m * d + 2 * d : 0) + mixer_activate_operations(p) + d * column[p->mixer] +
                                 8 * d * d * d / 3 + 8 * d * d);
    work->set = work->bytes;
    work->library = false;
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        session_close(&plan->session);
        device_free(plan->A);
        device_free(plan->M);
        device_free(plan->singular);
    }
    free(plan);
}

/* ---- A of one token ------------------------------------------------------------------------------------------------------ */

/* What a block has in its memory; own_floats(). */
struct block_memory {
    float *h, *x, *y; /* (d) */
    int *rows;        /* (d) which row of M each of LU is */
    float *q, *raw, *scratch;
    float *M; /* (d,d) row by row */
};

static __device__ inline struct block_memory memory_of(const struct mixing &mix, float *shared, float *M)
{
    struct block_memory own;
    int raw = mix.feedback != FEEDBACK_NONE ? mix.m : 0, n = mix.n1 > mix.n2 ? mix.n1 : mix.n2;
    bool dense = mix.mixer == MIXER_DENSE;
    own.h = shared;
    own.x = own.h + mix.d;
    own.y = own.x + mix.d;
    own.rows = (int *)(own.y + mix.d);
    own.q = own.y + 2 * mix.d;
    own.raw = own.q + (dense ? 0 : mix.size);
    own.scratch = own.raw + (dense ? 0 : raw);
    own.M = M != NULL ? M + (int64_t)blockIdx.x * mix.d * mix.d
                      : own.scratch + (mix.mixer == MIXER_KRONECKER ? kronecker_scratch(n) : 0);
    if (dense)
        own.q = own.raw = own.M;
    return own;
}

/* Column j of I - Q into M, from q; of a dense mixer it is there. */
static __device__ inline void mixer_column(const struct mixing &mix, const float *q, int j, float *M)
{
    int d = mix.d, r = mix.r, n1 = mix.n1, n2 = mix.n2;
    bool householder = mix.mixer == MIXER_HOUSEHOLDER;
    switch (mix.mixer) {
    case MIXER_DENSE:
        break;
    case MIXER_KRONECKER:
        for (int i = 0; i < d; i++)
            M[i * d + j] = q[i / n2 * n1 + j / n2] * q[n1 * n1 + i % n2 * n2 + j % n2];
        break;
    default: /* what earlier reflections have taken from the unit vector is there */
        for (int i = 0; i < d; i++)
            M[i * d + j] = 0;
        for (int i = 0; i < r; i++) {
            const float *u = q + i * d;
            float sum = u[j];
            for (int c = 0; c < d && householder; c++)
                sum = fmaf(-u[c], M[c * d + j], sum);
            sum *= q[r * d + i];
            for (int c = 0; c < d; c++)
                M[c * d + j] = fmaf(sum, u[c], M[c * d + j]);
        }
        break;
    }
}

/* LU of M with partial pivoting, in its place, L with a diagonal of 1; row i of it is row rows[i] of M. False: a pivot is 0. */
static __device__ inline bool decompose(const struct mixing &mix, float *M, int *rows)
{
    SHARED(int, pivot, 1);
    SHARED(float, height, 1);
    int d = mix.d, lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
    for (int i = threadIdx.x; i < d; i += blockDim.x)
        rows[i] = i;
    for (int k = 0; k < d; k++) {
        __syncthreads();
        if (warp == 0) { /* the first of the largest in column k */
            float most = -1;
            int where = k;
            for (int i = k + lane; i < d; i += WARP)
                if (fabsf(M[i * d + k]) > most) {
                    most = fabsf(M[i * d + k]);
                    where = i;
                }
            for (int lanes = WARP / 2; lanes > 0; lanes /= 2) {
                float other = __shfl_xor_sync(0xffffffffu, most, lanes);
                int there = __shfl_xor_sync(0xffffffffu, where, lanes);
                if (other > most || (other == most && there < where)) {
                    most = other;
                    where = there;
                }
            }
            if (lane == 0) {
                pivot[0] = where;
                height[0] = most;
            }
        }
        __syncthreads();
        int p = pivot[0];
        if (height[0] == 0)
            return false;
        for (int j = threadIdx.x; j < d && p != k; j += blockDim.x) {
            float swap = M[k * d + j];
            M[k * d + j] = M[p * d + j];
            M[p * d + j] = swap;
        }
        if (threadIdx.x == 0) {
            int swap = rows[k];
            rows[k] = rows[p];
            rows[p] = swap;
        }
        __syncthreads();
        for (int i = k + 1 + warp; i < d; i += warps) {
            float times = M[i * d + k] / M[k * d + k];
            for (int j = k + 1 + lane; j < d; j += WARP)
                M[i * d + j] = fmaf(-times, M[k * d + j], M[i * d + j]);
        }
    }
    __syncthreads();
    for (int j = threadIdx.x; j < d; j += blockDim.x)
        for (int i = j + 1; i < d; i++)
            M[i * d + j] /= M[j * d + j];
    __syncthreads();
    return true;
}

/* Column j of M^{-1} into A, from LU; returns the sum of what is in it, without signs. */
static __device__ inline float inverse_column(const struct mixing &mix, const float *M, const int *rows, int j, float *A)
{
    int d = mix.d;
    float size = 0;
    for (int i = 0; i < d; i++) {
        float sum = rows[i] == j;
        for (int k = 0; k < i; k++)
            sum = fmaf(-M[i * d + k], A[k * d + j], sum);
        A[i * d + j] = sum;
    }
    for (int i = d - 1; i >= 0; i--) {
        float sum = A[i * d + j];
        for (int k = i + 1; k < d; k++)
            sum = fmaf(-M[i * d + k], A[k * d + j], sum);
        A[i * d + j] = sum / M[i * d + i];
        size += fabsf(A[i * d + j]);
    }
    return size;
}

/* A (d,d), row by row in global memory, from q and lambda; a thread a column. Singular (false, and A is NaN) is a condition, in the norm
 * of column sums, beyond what float32 resolves, as LAPACK's estimate is held to it by the processor's dense_sequential. What is not finite
 * is not singular: it makes A NaN. */
static __device__ inline bool make_transition(const struct mixing &mix, const struct block_memory &own, const float *lambda,
                                              float *A, float *room)
{
    int d = mix.d;
    float norm = 0, inverse = 0, *M = own.M;
    for (int j = threadIdx.x; j < d; j += blockDim.x) {
        float sum = 0;
        mixer_column(mix, own.q, j, M);
        for (int i = 0; i < d; i++) {
            M[i * d + j] = (float)(i == j) - (mix.gated ? 1 - lambda[i] : 1) * M[i * d + j];
            sum += fabsf(M[i * d + j]);
        }
        norm = larger(norm, sum);
    }
    norm = block_max(norm, room);
    bool finite = norm <= LARGEST, regular = finite && decompose(mix, M, own.rows);
    for (int j = threadIdx.x; j < d && regular; j += blockDim.x)
        inverse = larger(inverse, inverse_column(mix, M, own.rows, j, A));
    inverse = block_max(inverse, room);
    regular = regular && 1 / inverse / norm > 1.1920929e-7f * (float)(16 + d);
    for (int j = threadIdx.x; j < d; j += blockDim.x)
        for (int i = 0; i < d; i++)
            A[i * d + j] = regular ? A[i * d + j] * lambda[j] : NAN;
    __syncthreads();
    return regular || !finite;
}

/* A (tokens,d,d) of all tokens, and which are singular, by as many blocks as there are. */
static __global__ void make_transitions(struct mixing mix, const float *theta, const float *lambda, int64_t tokens, float *M,
                                        float *A, int *singular)
{
    SHARED_DYNAMIC(float, shared);
    SHARED(float, room, ROOM);
    struct block_memory own = memory_of(mix, shared, M);
    for (int64_t token = blockIdx.x; token < tokens; token += gridDim.x) {
        mixer_activate(mix, theta + token * mix.m, own.q, own.scratch, room);
        bool regular = make_transition(mix, own, lambda + token * mix.d, A + token * mix.d * mix.d, room);
        if (threadIdx.x == 0)
            singular[token] = !regular;
    }
}

/* ---- The steps ----------------------------------------------------------------------------------------------------------- */

struct sequences {
    const float *v, *lambda, *theta, *W, *initial;
    int64_t T;
};

/* A block a sequence. singular (B,T): which of the A (B,T,d,d) are; NULL: A (B,d,d) is to be made for each step. place (B): the first token
 * without an answer, or T; after it a sequence is NaN. */
static __global__ void walk_transitions(struct mixing mix, struct sequences in, float *M, float *A, const int *singular, float *out,
                                        int64_t *place)
{
    SHARED_DYNAMIC(float, shared);
    SHARED(float, room, ROOM);
    struct block_memory own = memory_of(mix, shared, singular == NULL ? M : NULL);
    float *h = own.h, *x = own.x, *y = own.y;
    int64_t b = blockIdx.x, found = in.T, matrix = (int64_t)mix.d * mix.d;
    for (int c = threadIdx.x; c < mix.d; c += blockDim.x)
        h[c] = in.initial != NULL ? in.initial[b * mix.d + c] : 0;
    __syncthreads();
    for (int64_t t = 0; t < in.T; t++) {
        int64_t token = b * in.T + t;
        const float *v = in.v + token * mix.d;
        float *here = A + (singular != NULL ? token : b) * matrix;
        bool regular = true;
        if (singular == NULL) {
            activate_token(mix, in.theta + token * mix.m, in.W, h, own.raw, own.q, own.scratch, room);
            regular = make_transition(mix, own, in.lambda + token * mix.d, here, room);
        } else {
            regular = singular[token] == 0;
        }
        found = regular || found < in.T ? found : t;
        for (int c = threadIdx.x; c < mix.d; c += blockDim.x)
            x[c] = mix.gated ? h[c] - v[c] : h[c];
        __syncthreads();
        block_product(here, x, mix.d, mix.d, y);
        for (int c = threadIdx.x; c < mix.d; c += blockDim.x) {
            h[c] = v[c] + y[c];
            out[token * mix.d + c] = h[c];
        }
        __syncthreads();
    }
    if (threadIdx.x == 0)
        place[b] = found;
}

/* ---- Host side ----------------------------------------------------------------------------------------------------------- */

static struct status open(struct plan *plan, const struct problem *p, const struct settings *settings)
{
    size_t tokens = (size_t)(p->B * p->T), matrix = (size_t)(p->d * p->d) * sizeof(float);
    TRY(session_open(p, settings, &plan->session));
    plan->mix = mixing_of(p);
    plan->threads = block_threads(p->d);
    plan->workers = workers_of(p);
    plan->shared = (size_t)((own_floats(p) + (is_shared(p) ? matrix_floats(p) : 0)) * sizeof(float));
    TRY(device_allocate(&plan->A, (state_dependent(p) ? (size_t)p->B : tokens) * matrix));
    TRY(device_allocate(&plan->M, is_shared(p) ? 0 : (size_t)plan->workers * matrix));
    TRY(device_allocate(&plan->singular, state_dependent(p) ? 0 : tokens * sizeof(int)));
    plan->shared_walk = state_dependent(p) ? plan->shared : (size_t)(4 * p->d) * sizeof(float);
    TRY(device_shared_allow(make_transitions, plan->shared));
    return device_shared_allow(walk_transitions, plan->shared_walk);
}

static struct status forward(struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    struct session *s = &plan->session;
    const struct problem *p = &s->problem;
    const struct sequences in = {s->input[0], s->input[1], s->input[2], s->input[3], session_initial(s), p->T};
    (void)inputs, (void)outputs;
    session_trace_exact(p, trace);
    TRY(device_timer_begin(s->timer));
    if (!state_dependent(p))
        TRY(LAUNCH(make_transitions, plan->workers, plan->threads, plan->shared, plan->mix, in.theta, in.lambda, p->B * p->T,
                   plan->M, plan->A, plan->singular));
    TRY(LAUNCH(walk_transitions, p->B, plan->threads, plan->shared_walk, plan->mix, in, plan->M, plan->A, plan->singular, s->h,
               s->place));
    TRY(device_timer_end(s->timer));
    TRY(singular_status(s));
    return session_finite(s, s->h, false);
}

CUDA_IMPLEMENTATION_FORWARD(dense_sequential_cuda)
