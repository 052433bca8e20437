/* structured_chunked: the exact dense RNN of low-rank mixers, as structured_sequential computes it, but parallel in time: tokens are
 * taken in chunks of chunk=N, and of a chunk everything but the state that it begins with is worked out before that is known.
 *
 * With D(i,k) = Lambda_i ... Lambda_{k+1}, the state after token i of a chunk that begins with h, and the coefficients of its step
 * (low_rank.h; b_i = C_i y_i), are
 *
 *     h_i = D(i,-1) h + p_i + sum_{k <= i} D(i,k) G_k U_k b_k        p: the diagonal scan of G v (plain: v) from zero
 *     y_i = U_i^T D(i,-1) h + U_i^T Lambda_i (p_{i-1} - v_i) + sum_{k < i} U_i^T D(i,k) G_k U_k b_k       (plain: without - v)
 *
 * a triangular system, solved once for b_i = P_i h + c_i. So the passes over the chunks are
 *     prepare   P, c, and the end's D, p and Z_k = D(end,k) G_k U_k: all chunks at once
 *     advance   b = P h + c, and h <- D h + p + Z^T b: chunk after chunk, two products with matrices of N r rows
 *     finish    h_i <- Lambda_i h_{i-1} + G_i (v_i + U_i b_i): all chunks at once
 *
 * Nothing is divided by a product of lambdas, which may be 0: each D(i,k) is multiplied up from k. The triangle costs N r^2 d a token
 * where the steps themselves cost r d, so chunks are short. Threads divide sequences, or where there are too few of them take stretches
 * of a sequence in turn; the bits are the same. */
#include "impls/contract/support.h"
#include "impls/math/finite.h"
#include "impls/math/lanes.h"
#include "impls/math/low_rank.h"
#include "impls/math/mixer.h"
#include "impls/math/vector.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

struct plan {
    struct problem problem;
    int threads;
    bool divides_time;
    int64_t N, slots; /* tokens of a chunk, the last may be shorter; chunks that a thread holds at once */
    int64_t scratch;  /* reals a thread */
    real *memory;     /* scratch of all threads */
    real *chunks;     /* (threads, slots, chunk_size) */
    real *states;     /* (threads,d) */
};

enum { CHUNK = 2, STRETCH = 64 /* tokens that a thread takes at once, or fewer, where threads divide time */ };

#define CHUNKED_OPTIONS "split=batch|time chunk="

static int64_t chunk_of(const struct problem *p, const struct settings *settings)
{
    int64_t N = option_count(settings, "chunk", p->T < CHUNK ? p->T : CHUNK);
    return N <= p->T ? N : 0;
}

/* A chunk, in one stretch of memory. */
struct chunk {
    real *q;     /* (N,mixer_size) activated parameters */
    real *P, *Z; /* (N r,d) */
    real *c, *b; /* (N r) */
    real *D, *p; /* (d) */
    real *begin; /* (d) the state before it */
};

static int64_t chunk_size(const struct problem *p, int64_t N)
{
    return N * (mixer_size(p) + 2 * p->r * p->d + 2 * p->r) + 3 * p->d + 64;
}

static struct chunk chunk_at(const struct plan *plan, int64_t slot)
{
    const struct problem *p = &plan->problem;
    int64_t N = plan->N, d = p->d, rows = N * p->r;
    real *at = plan->chunks + slot * chunk_size(p, N);
    return (struct chunk){.q = at,
                          .P = at + N * mixer_size(p),
                          .Z = at + N * mixer_size(p) + rows * d,
                          .c = at + N * mixer_size(p) + 2 * rows * d,
                          .b = at + N * mixer_size(p) + 2 * rows * d + rows,
                          .D = at + N * mixer_size(p) + 2 * rows * (d + 1),
                          .p = at + N * mixer_size(p) + 2 * rows * (d + 1) + d,
                          .begin = at + N * mixer_size(p) + 2 * rows * (d + 1) + 2 * d};
}

/* Of one thread: gate, a vector (d), C (r,r), e (r), M and C M (r,N r), then what the mixer and the core need. */
static int64_t scratch_size(const struct problem *p, int64_t N)
{
    int64_t r = p->r;
    return 2 * p->d + r * r + r + 2 * r * N * r + mixer_scratch(p) + low_rank_scratch(p) + 64;
}

static bool divides_time(const struct problem *p, const struct settings *settings, int threads)
{
    const char *word = settings_option(settings, "split");
    if (word != NULL)
        return strcmp(word, "time") == 0;
    return threads > 1 && p->B % threads != 0 && p->B < 4 * threads;
}

/* Each thread has its turn a few times, also where a sequence is short. */
static int64_t slots_of(const struct problem *p, const struct settings *settings, int threads)
{
    int64_t N = chunk_of(p, settings), share = p->T / (4 * (int64_t)threads), stretch = share < STRETCH ? share : STRETCH;
    return divides_time(p, settings, threads) && N > 0 && stretch > N ? stretch / N : 1; /* N = 0: supports() has said no */
}

static double plan_reals(const struct problem *p, const struct settings *settings, int threads)
{
    int64_t N = chunk_of(p, settings);
    return (double)threads * (double)slots_of(p, settings, threads) * (double)chunk_size(p, N) +
           (double)threads * (double)scratch_size(p, N) + (double)threads * (double)p->d;
}

extern const struct implementation VARIANT(structured_chunked); /* at the end of this file */

static void supports(const struct problem *p, const struct settings *settings, const struct environment *environment,
                     struct support *support)
{
    if (!support_begin(support, p, settings, environment, &VARIANT(structured_chunked)))
        return;
    if (p->feedback != FEEDBACK_NONE)
        support_no(support, "state-dependent mixers are not supported (their parameters are known one token at a time)");
    else if (chunk_of(p, settings) == 0)
        support_no(support, "chunk=%s: must be between 1 and T = %lld", settings_option(settings, "chunk"), (long long)p->T);
    else
        support_memory(support, p, settings, environment, plan_reals(p, settings, environment->threads) * sizeof(real));
}

static void count(const struct problem *p, const struct settings *settings, const struct environment *environment, int64_t l,
                  struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, r = (double)p->r, m = (double)problem_m(p);
    double before = ((double)chunk_of(p, settings) - 1) / 2; /* tokens of the chunk before one, on average */
    (void)environment, (void)l;
    work->bytes = tokens * (5 * d + m) * sizeof(real); /* v and lambda twice, theta in, h out */
    work->operations = tokens * (mixer_activate_operations(p) + grams_operations(p) + 8 * r * r * r / 3 + 7 * d + 2 * r * d +
                                 3 * r * d + 2 * r * r * d + before * (4 * r * r * d + r * d) + /* P and Z */
                                 4 * r * d + 2 * r * d + 6 * d);                                /* advance, finish */
    work->set = tokens * (3 * d + m) * sizeof(real);
    work->library = false;
}

static void destroy(struct plan *plan)
{
    if (plan != NULL) {
        free(plan->memory);
        free(plan->chunks);
        free(plan->states);
    }
    free(plan);
}

static struct status plan(const struct problem *p, const struct settings *settings, const struct environment *environment,
                          struct plan **out)
{
    struct status status = plan_begin(&VARIANT(structured_chunked), p, settings, environment, out);
    if (status.code != STATUS_OK)
        return status;
    struct plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    int threads = environment->threads;
    *plan = (struct plan){.problem = *p, .threads = threads, .divides_time = divides_time(p, settings, threads)};
    plan->N = chunk_of(p, settings);
    plan->slots = slots_of(p, settings, threads);
    plan->scratch = scratch_size(p, plan->N);
    plan->memory = memory_allocate(plan->scratch * threads, sizeof(real));
    plan->chunks = memory_allocate(threads * plan->slots * chunk_size(p, plan->N), sizeof(real));
    plan->states = memory_allocate(threads * p->d, sizeof(real));
    if (plan->memory == NULL || plan->chunks == NULL || plan->states == NULL) {
        destroy(plan);
        return status_no_memory();
    }
    team_start(threads);
    *out = plan;
    return status_ok();
}

/* ---- Products with the rows of a matrix (rows,d) ----------------------------------------------------------------------------- */

/* y (rows) = A x: as many rows at once as a register has lanes, so that their sums are formed together. */
static void products(int64_t rows, int64_t d, const real *A, const real *x, real *y)
{
    int64_t whole = d / LANES * LANES, i = 0;
    for (; i + LANES <= rows; i += LANES) {
        lanes sums[LANES];
#pragma GCC unroll 16
        for (int k = 0; k < LANES; k++)
            sums[k] = (lanes){0};
        for (int64_t c = 0; c < whole; c += LANES) {
            lanes at = lanes_load(x + c);
#pragma GCC unroll 16
            for (int k = 0; k < LANES; k++)
                sums[k] += lanes_load(A + (i + k) * d + c) * at;
        }
        lanes sum = lanes_sums(sums);
        for (int64_t c = whole; c < d; c++)
            for (int k = 0; k < LANES; k++)
                sum[k] += A[(i + k) * d + c] * x[c];
        lanes_store(y + i, sum);
    }
    for (; i < rows; i++)
        y[i] = dot(A + i * d, x, d);
}

/* y (d) += A^T a, with a (rows). */
static void combine(int64_t rows, int64_t d, const real *A, const real *a, real *y)
{
    int64_t whole = d / LANES * LANES;
    for (int64_t c = 0; c < whole; c += LANES) {
        lanes sum = lanes_load(y + c);
        for (int64_t i = 0; i < rows; i++)
            sum += a[i] * lanes_load(A + i * d + c);
        lanes_store(y + c, sum);
    }
    for (int64_t c = whole; c < d; c++)
        for (int64_t i = 0; i < rows; i++)
            y[c] += a[i] * A[i * d + c];
}

/* ---- The three passes -------------------------------------------------------------------------------------------------------- */

static void gate_of(const struct problem *p, const real *lambda, real *gate)
{
    real normalised = p->form == FORM_NORMALISED;
#pragma omp simd
    for (int64_t c = 0; c < p->d; c++)
        gate[c] = 1 - normalised * lambda[c];
}

/* The chunk of n tokens from token i = b T + t on. Returns the first that is singular, or B T; what hangs on it is NaN. */
static int64_t prepare(const struct plan *plan, const struct inputs *inputs, int64_t i, int64_t n, const struct chunk *chunk,
                       real *scratch)
{
    const struct problem *p = &plan->problem;
    int64_t d = p->d, r = p->r, m = problem_m(p), width = plan->N * r, place = p->B * p->T;
    real *gate = scratch, *x = gate + d, *C = x + d, *e = C + r * r, *M = e + r, *CM = M + r * width, *rest = CM + r * width;
    real normalised = p->form == FORM_NORMALISED;
    fill(chunk->D, 1, d);
    fill(chunk->p, 0, d);
    for (int64_t k = 0; k < n; k++, i++) {
        const real *v = (const real *)inputs->v + i * d, *lambda = (const real *)inputs->lambda + i * d;
        const real *theta = m > 0 ? (const real *)inputs->theta + i * m : NULL;
        real *q = chunk->q + k * mixer_size(p);
        int64_t rows = k * r;
        gate_of(p, lambda, gate);
        mixer_activate(p, theta, q, rest);
        if (r > 0 && !low_rank_inverse(p, q, normalised > 0 ? gate : NULL, C, rest)) {
            fill(C, (real)NAN, r * r);
            place = i < place ? i : place;
        }
#pragma omp simd
        for (int64_t c = 0; c < d; c++) {
            x[c] = lambda[c] * (chunk->p[c] - normalised * v[c]);
            chunk->D[c] *= lambda[c];
            chunk->p[c] = lambda[c] * chunk->p[c] + gate[c] * v[c];
        }
        for (int64_t j = 0; j < rows; j++)
#pragma omp simd
            for (int64_t c = 0; c < d; c++)
                chunk->Z[j * d + c] *= lambda[c];
        for (int64_t j = 0; j < r; j++) {
            const real *u = q + j * d;
            products(rows, d, chunk->Z, u, M + j * width);
            e[j] = dot(u, x, d);
            for (int64_t o = 0; o < rows; o++)
                e[j] += M[j * width + o] * chunk->c[o];
        }
        for (int64_t j = 0; j < r; j++) {
            real *P = chunk->P + (rows + j) * d, *Z = chunk->Z + (rows + j) * d, sum = 0;
            const real *u = q + j * d;
            for (int64_t o = 0; o < r; o++)
                sum += C[j * r + o] * e[o];
            chunk->c[rows + j] = sum;
            fill(CM + j * width, 0, rows);
            for (int64_t o = 0; o < r; o++)
                add_scaled(C[j * r + o], M + o * width, CM + j * width, rows);
            fill(P, 0, d);
            combine(r, d, q, C + j * r, P);
#pragma omp simd
            for (int64_t c = 0; c < d; c++) {
                P[c] *= chunk->D[c];
                Z[c] = gate[c] * u[c];
            }
            combine(rows, d, chunk->P, CM + j * width, P);
        }
    }
    return place;
}

/* b of a chunk of n tokens, and state (d) from the one before it to its last. */
static void advance(const struct problem *p, int64_t n, const struct chunk *chunk, real *state)
{
    int64_t d = p->d, rows = n * p->r;
    memcpy(chunk->begin, state, (size_t)d * sizeof(real));
    products(rows, d, chunk->P, state, chunk->b);
    add_scaled(1, chunk->c, chunk->b, rows);
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        state[c] = chunk->D[c] * state[c] + chunk->p[c];
    combine(rows, d, chunk->Z, chunk->b, state);
}

static void finish(const struct problem *p, const struct inputs *inputs, int64_t i, int64_t n, const struct chunk *chunk, real *h)
{
    int64_t d = p->d, r = p->r;
    real normalised = p->form == FORM_NORMALISED;
    const real *before = chunk->begin;
    for (int64_t k = 0; k < n; k++, i++) {
        const real *v = (const real *)inputs->v + i * d, *lambda = (const real *)inputs->lambda + i * d;
        real *to = h + i * d;
        memcpy(to, v, (size_t)d * sizeof(real));
        combine(r, d, chunk->q + k * mixer_size(p), chunk->b + k * r, to);
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            to[c] = lambda[c] * before[c] + (1 - normalised * lambda[c]) * to[c];
        before = to;
    }
}

static void begin_state(const struct problem *p, const struct inputs *inputs, int64_t b, real *state)
{
    const real *h0 = inputs->h0;
    for (int64_t c = 0; c < p->d; c++)
        state[c] = h0 != NULL ? h0[b * p->d + c] : 0;
}

/* Tokens of chunk number k of a sequence. */
static int64_t tokens_of(const struct plan *plan, int64_t k)
{
    int64_t left = plan->problem.T - k * plan->N;
    return left < plan->N ? left : plan->N;
}

/* A sequence on one thread, chunk by chunk. */
static int64_t run_sequence(const struct plan *plan, const struct inputs *inputs, int64_t b, int64_t thread, real *h)
{
    const struct problem *p = &plan->problem;
    struct chunk chunk = chunk_at(plan, thread);
    real *state = plan->states + thread * p->d;
    int64_t place = p->B * p->T;
    begin_state(p, inputs, b, state);
    for (int64_t from = 0; from < p->T; from += plan->N) {
        int64_t n = tokens_of(plan, from / plan->N), i = b * p->T + from;
        int64_t found = prepare(plan, inputs, i, n, &chunk, plan->memory + thread * plan->scratch);
        place = found < place ? found : place;
        advance(p, n, &chunk, state);
        finish(p, inputs, i, n, &chunk, h);
    }
    return place;
}

/* A sequence on all threads, which take stretches of chunks in turn: what a thread has prepared stays in its caches, and only the state
 * goes from one to the next. While one advances, the others prepare or finish. */
static int64_t run_together(const struct plan *plan, const struct inputs *inputs, int64_t b, real *h)
{
    const struct problem *p = &plan->problem;
    int64_t N = plan->N, chunks = (p->T + N - 1) / N, place = p->B * p->T;
    begin_state(p, inputs, b, plan->states);
#pragma omp parallel for ordered num_threads(plan->threads) schedule(static, 1) reduction(min : place)
    for (int64_t from = 0; from < chunks; from += plan->slots) {
        int64_t to = from + plan->slots < chunks ? from + plan->slots : chunks, thread = omp_get_thread_num();
        int64_t slot = thread * plan->slots - from;
        for (int64_t k = from; k < to; k++) {
            struct chunk chunk = chunk_at(plan, slot + k);
            int64_t found =
                prepare(plan, inputs, b * p->T + k * N, tokens_of(plan, k), &chunk, plan->memory + thread * plan->scratch);
            place = found < place ? found : place;
        }
#pragma omp ordered
        for (int64_t k = from; k < to; k++) {
            struct chunk chunk = chunk_at(plan, slot + k);
            advance(p, tokens_of(plan, k), &chunk, plan->states);
        }
        for (int64_t k = from; k < to; k++) {
            struct chunk chunk = chunk_at(plan, slot + k);
            finish(p, inputs, b * p->T + k * N, tokens_of(plan, k), &chunk, h);
        }
    }
    return place;
}

/* Whether a lambda is above 1: products of such may overflow where no state does, since a state of 0 stays 0. */
static bool grows(const struct plan *plan, const real *lambda)
{
    const struct problem *p = &plan->problem;
    int64_t n = p->B * p->T * p->d;
    int above = 0;
#pragma omp parallel for simd num_threads(plan->threads) schedule(static) reduction(| : above)
    for (int64_t i = 0; i < n; i++)
        above |= !(lambda[i] * lambda[i] <= 1);
    return above != 0;
}

static struct status forward(struct plan *given, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace)
{
    struct plan steps = *given;
    const struct plan *plan = given;
    const struct problem *p = &plan->problem;
    struct status checked = forward_check(p, inputs, outputs);
    if (checked.code != STATUS_OK)
        return checked;
    int64_t place = p->B * p->T;
    if (plan->N > 1 && grows(plan, inputs->lambda)) { /* a token a chunk: nothing is multiplied with a product */
        steps.N = 1;
        plan = &steps;
    }
    if (plan->divides_time) {
        for (int64_t b = 0; b < p->B; b++) {
            int64_t found = run_together(plan, inputs, b, outputs->h);
            place = found < place ? found : place;
        }
    } else {
#pragma omp parallel for num_threads(plan->threads) schedule(static) reduction(min : place)
        for (int64_t b = 0; b < p->B; b++) {
            int64_t found = run_sequence(plan, inputs, b, omp_get_thread_num(), outputs->h);
            place = found < place ? found : place;
        }
    }
    return exact_finish(p, outputs, trace, place);
}

const struct implementation VARIANT(structured_chunked) = {
    .name = "structured_chunked",
    .summary = "exact dense RNN, parallel in time: low-rank steps of chunk=N tokens (2) solved together, then a scan over chunks",
    .options = CHUNKED_OPTIONS,
    .device = DEVICE_CPU,
    .exact = true,
    .cells = CELLS_VECTOR,
    .mixers = MIXERS_LOW_RANK,
    .supports = supports,
    .count = count,
    .plan = plan,
    .forward = forward,
    .destroy = destroy,
};
