/* See meeting.h. */
#include "impls/selective/meeting.h"

#include "impls/contract/support.h"
#include "impls/fused/team.h"
#include "impls/math/power.h"
#include "impls/selective/state.h"
#include "impls/selective/token.h"

#include <stdlib.h>

#define INLINE static inline __attribute__((always_inline))
#define NORM_EPSILON ((real)1e-5) /* of the LayerNorm's variance */

/* What the states of a pass and the decays of a block may take of a core's cache; tokens of a block; vectors of a state that stay in
 * registers. */
enum { LONGEST_BYTES = 512 << 10, DECAY_BYTES = 256 << 10, LEAST = 8, FEWEST = 4, MOST = 16, HELD = LANE_BYTES == 64 ? 16 : 8 };

/* Of LANES channels of a token, in this order: x, dt, the r vectors u, and SiLU(z) where that is in the map. Of LANES channels of every token:
 * skip, gain, and 1 where there is a mean to take off. */
enum { X, STEP, U, SKIP = 0, GAIN, LIVE, SHARED };

bool meeting_takes(const struct problem *p)
{
    return problem_low_rank(p) && p->r > 0 && token_layout(p).width == 0;
}

int64_t meeting_longest(const struct problem *p)
{
    const int64_t most = LONGEST_BYTES / (int64_t)sizeof(real) / state_reals(p);
    return most > LEAST ? most : LEAST;
}

/* What a thread works on. */
struct desk {
    real *H;          /* (longest, state_reals()) */
    real *decays;     /* (blocks, tokens, N, LANES) */
    real *rows;       /* (blocks, tokens, kinds(), LANES) */
    real *shared;     /* (blocks, SHARED, LANES) */
    real *b, *c;      /* (tokens, N) */
    real *E;          /* (tokens, r, r) */
    real *Ux, *Ubias; /* (tokens, r) U^T x, U^T bias */
    real *Uy;         /* (tokens, r) U^T y of the last iterate */
    real *weights;    /* (tokens, r) sums of gain . u */
    real *g;          /* (tokens, r) of the next iterate */
    real *sums;       /* (tokens, 2 + r, LANES), and added up, (tokens, 2 + r) */
    real *added;
    real *pivot;   /* (tokens) what sums of the output are taken about: the last mean, near enough that nothing cancels */
    real *partial; /* (tokens, LANES) of H c, before the rest of N */
    real *w, *y;   /* (tokens, width) of the iterate that is kept, and the output before it */
    real *line;    /* (width) */
    real *room, *worst, *sound;
};

static int64_t kinds(const struct problem *p)
{
    return U + p->r + (p->gate == GATE_INSIDE);
}

static int64_t whole_lines(int64_t reals)
{
    enum { LINE = 64 / sizeof(real) };
    return (reals + LINE - 1) / LINE * LINE;
}

/* Reals of a desk; `at` is where it begins, or NULL. */
static int64_t desk_lay(const struct meeting *f, real *at, struct desk *desk)
{
    const struct problem *p = &f->problem;
    const int64_t width = state_row(p), tokens = f->block, r = p->r;
    const struct {
        real **place;
        int64_t reals;
    } parts[] = {
        {&desk->H, f->longest * state_reals(p)},
        {&desk->decays, tokens * state_reals(p)},
        {&desk->rows, tokens * kinds(p) * width},
        {&desk->shared, SHARED * width},
        {&desk->b, tokens * p->N},
        {&desk->c, tokens * p->N},
        {&desk->E, tokens * r * r},
        {&desk->Ux, tokens * r},
        {&desk->Ubias, tokens * r},
        {&desk->Uy, tokens * r},
        {&desk->weights, tokens * r},
        {&desk->g, tokens * r},
        {&desk->sums, tokens * (2 + r) * LANES},
        {&desk->added, tokens * (2 + r)},
        {&desk->pivot, tokens},
        {&desk->partial, tokens * LANES},
        {&desk->w, tokens * width},
        {&desk->y, tokens * width},
        {&desk->line, width},
        {&desk->room, token_room(p)},
        {&desk->worst, f->longest},
        {&desk->sound, f->longest},
    };
    int64_t sum = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        *parts[i].place = at != NULL ? at + sum : NULL;
        sum += whole_lines(parts[i].reals);
    }
    return sum;
}

/* All but the memory. */
static struct meeting sized(const struct problem *p, int64_t longest, int threads)
{
    struct meeting f = {.problem = *p, .damping = 1, .longest = longest, .threads = threads};
    struct desk desk;
    const int64_t fit = DECAY_BYTES / (int64_t)sizeof(real) / state_reals(p);
    f.block = fit < FEWEST ? FEWEST : fit > MOST ? MOST : fit;
    f.stages = fused_team_stages(p->B, threads, longest, 1);
    f.scratch = desk_lay(&f, NULL, &desk);
    return f;
}

double meeting_reals(const struct problem *p, int64_t longest, int threads)
{
    return (double)sized(p, longest, threads).scratch * threads + (double)state_reals(p);
}

bool meeting_open(const struct problem *p, double damping, int64_t longest, int threads, struct meeting *f)
{
    *f = sized(p, longest, threads);
    f->damping = (real)damping;
    f->memory = memory_allocate(f->scratch * threads, sizeof(real));
    f->rates = memory_allocate(state_reals(p), sizeof(real));
    if (f->memory != NULL && f->rates != NULL)
        return true;
    meeting_close(f);
    return false;
}

void meeting_close(struct meeting *f)
{
    free(f->memory);
    free(f->rates);
    *f = (struct meeting){0};
}

/* What a thread carries through time, and where. */
struct share {
    const struct meeting *f;
    const struct fused_pass *pass;
    struct desk desk;
    const real *before; /* (B,T,d) iterate `from`; NULL: zero */
    int64_t b, from, to, stage, width;
};

static struct share share_of(const struct fused_share *share)
{
    struct share s = {.f = share->engine,
                      .pass = share->pass,
                      .before = share->stage > 0 ? share->pass->h : share->pass->before,
                      .b = share->b,
                      .from = share->from,
                      .to = share->to,
                      .stage = share->stage};
    s.width = state_row(&s.f->problem);
    desk_lay(s.f, share->desk, &s.desk);
    return s;
}

/* ---- What all iterates share ---------------------------------------------------------------------------------------------------- */

/* A row (d), padded with zeros, block by block from `to` on, with so many reals from one to the next. */
static void put_row(const struct share *s, const real *row, int64_t stride, real *to)
{
    const int64_t d = s->f->problem.d;
    for (int64_t c = 0; c < d; c += LANES, to += stride)
        lanes_store(to, d - c >= LANES ? lanes_load(row + c) : lanes_load_part(row + c, d - c));
}

static void begin(const struct fused_share *share)
{
    const struct share of = share_of(share), *s = &of;
    const struct problem *p = &s->f->problem;
    const real *H0 = s->pass->inputs->H0;
    for (int64_t l = 0; l < s->to - s->from; l++)
        state_load(p, H0 != NULL ? H0 + s->b * p->d * p->N : NULL, s->desk.H + l * state_reals(p));
    fill(s->desk.worst, 0, s->f->longest);
    fill(s->desk.sound, 0, s->f->longest);
    fill(s->desk.pivot, 0, s->f->block);
    real *line = s->desk.line, *shared = s->desk.shared;
    put_row(s, s->pass->inputs->skip, SHARED * LANES, shared + SKIP * LANES);
    fill(line, 1, p->d);
    put_row(s, token_norm(p) ? s->pass->inputs->gain : line, SHARED * LANES, shared + GAIN * LANES);
    fill(line, token_norm(p), p->d);
    put_row(s, line, SHARED * LANES, shared + LIVE * LANES);
}

/* E (r,r) of I - Q = U E U^T from the strengths S and U: S, or of a product (I + S tril(U^T U, strict))^{-1} S. */
static void put_core(const struct problem *p, const real *u, const real *strengths, real *E)
{
    const int64_t r = p->r;
    fill(E, 0, r * r);
    for (int64_t i = 0; i < r; i++) {
        E[i * r + i] = strengths[i];
        for (int64_t j = 0; j < i && mixer_facts[p->mixer].product; j++)
            add_scaled(-strengths[i] * dot(u + i * p->d, u + j * p->d, p->d), E + j * r, E + i * r, j + 1);
    }
}

/* g (r) of the next iterate, from U^T y of the last. */
static void meet(const struct share *s, int64_t t)
{
    const int64_t r = s->f->problem.r;
    const real *E = s->desk.E + t * r * r, *Ux = s->desk.Ux + t * r, *Uy = s->desk.Uy + t * r;
    real *g = s->desk.g + t * r;
    for (int64_t i = 0; i < r; i++) {
        g[i] = 0;
        for (int64_t k = 0; k <= i; k++)
            g[i] += E[i * r + k] * (Ux[k] - Uy[k]);
    }
}

/* Token t0 + t. */
static void prepare(const struct share *s, int64_t t0, int64_t t)
{
    const struct problem *p = &s->f->problem;
    const struct inputs *inputs = s->pass->inputs;
    const int64_t d = p->d, N = p->N, r = p->r, token = s->b * p->T + t0 + t, tokens = s->f->block;
    const real *x = (const real *)inputs->x + token * d, *before = s->before;
    const bool norm = token_norm(p);
    const int64_t all = kinds(p) * LANES, stride = tokens * all;
    real *line = s->desk.line, *y = s->desk.y + t * s->width, *rows = s->desk.rows + t * all;
    struct token_values values;
    token_values(p, inputs, token, NULL, NULL, s->desk.room, &values);
    memcpy(s->desk.b + t * N, values.b, (size_t)N * sizeof(real));
    memcpy(s->desk.c + t * N, values.c, (size_t)N * sizeof(real));
    put_row(s, x, stride, rows + X * LANES);
    put_row(s, values.dt, stride, rows + STEP * LANES);
    if (p->gate == GATE_INSIDE) {
        token_gate(p, inputs, token, line);
        put_row(s, line, stride, rows + (U + r) * LANES);
    }
    for (int64_t i = 0; i < r; i++) {
        const real *u = values.q + i * d;
        put_row(s, u, stride, rows + (U + i) * LANES);
        s->desk.weights[t * r + i] = norm ? dot(u, inputs->gain, d) : 0;
        s->desk.Ux[t * r + i] = dot(u, x, d);
        s->desk.Ubias[t * r + i] = norm ? dot(u, inputs->bias, d) : 0;
        s->desk.Uy[t * r + i] = before != NULL ? dot(u, before + token * d, d) : 0;
    }
    put_core(p, values.q, values.q + r * d, s->desk.E + t * r * r);
    meet(s, t);
    if (before != NULL)
        memcpy(y, before + token * d, (size_t)d * sizeof(real));
    else
        fill(y, 0, d);
    for (int64_t j = 0; j < s->width / LANES; j++) {
        const int64_t left = d - j * LANES;
        const lanes step = left >= LANES ? lanes_load(values.dt + j * LANES) : lanes_load_part(values.dt + j * LANES, left);
        for (int64_t n = 0; n < N; n++)
            lanes_store(s->desk.decays + ((j * tokens + t) * N + n) * LANES,
                        lanes_power(step * lanes_load(s->f->rates + (j * N + n) * LANES)));
    }
}

/* ---- One iterate through a block of tokens ---------------------------------------------------------------------------------------- */

/* LANES channels, `count` of their N numbers from the first on, through the tokens. H (N, LANES). w: where w is kept, or NULL. */
INLINE void hold(const int count, const int64_t r, const bool gated, int64_t first, const struct share *s, int64_t tokens,
                 int64_t j, real *H, real *w)
{
    const struct problem *p = &s->f->problem;
    const int64_t N = p->N, all = U + r + gated;
    const real *decay = s->desk.decays + (j * s->f->block * N + first) * LANES, *row = s->desk.rows + j * s->f->block * all * LANES;
    const real *shared = s->desk.shared + j * SHARED * LANES;
    const lanes skip = lanes_load(shared + SKIP * LANES), gain = lanes_load(shared + GAIN * LANES),
                live = lanes_load(shared + LIVE * LANES);
    const real *b = s->desk.b + first, *c = s->desk.c + first, *g = s->desk.g;
    lanes h[HELD];
    for (int i = 0; i < count; i++)
        h[i] = lanes_load(H + (first + i) * LANES);
    for (int64_t t = 0; t < tokens; t++, decay += N * LANES, row += all * LANES, b += N, c += N, g += r) {
        lanes xt = lanes_load(row + X * LANES), sum[2] = {{0}, {0}};
        for (int64_t i = 0; i < r; i++)
            xt -= lanes_load(row + (U + i) * LANES) * g[i];
        const lanes drive = lanes_load(row + STEP * LANES) * xt;
#pragma GCC unroll 16
        for (int i = 0; i < count; i++) {
            h[i] = lanes_load(decay + i * LANES) * h[i] + drive * b[i];
            sum[i % 2] += h[i] * c[i];
        }
        lanes Hc = sum[0] + sum[1];
        if (first > 0)
            Hc += lanes_load(s->desk.partial + t * LANES);
        if (first + count < N) {
            lanes_store(s->desk.partial + t * LANES, Hc);
            continue;
        }
        lanes out = Hc + skip * xt;
        if (gated)
            out *= lanes_load(row + (U + r) * LANES);
        if (w != NULL)
            lanes_store(w + t * s->width + j * LANES, out);
        real *sums = s->desk.sums + t * (2 + r) * LANES;
        out -= live * s->desk.pivot[t];
        lanes_store(sums, lanes_load(sums) + out);
        lanes_store(sums + LANES, lanes_load(sums + LANES) + out * out);
        out *= gain;
        for (int64_t i = 0; i < r; i++) {
            real *to = sums + (2 + i) * LANES;
            lanes_store(to, lanes_load(to) + lanes_load(row + (U + i) * LANES) * out);
        }
    }
    for (int i = 0; i < count; i++)
        lanes_store(H + (first + i) * LANES, h[i]);
}

INLINE void hold_all(const int64_t r, const bool gated, const struct share *s, int64_t tokens, int64_t j, real *H, real *w)
{
    const int64_t N = s->f->problem.N;
    int64_t first = 0;
    for (; first + HELD <= N; first += HELD)
        hold(HELD, r, gated, first, s, tokens, j, H, w);
    if (first < N)
        hold((int)(N - first), r, gated, first, s, tokens, j, H, w);
}

/* The kernels of the usual ranks, each without and with the gate; 0: any rank. */
#define HOLD_ARGUMENTS const struct share *s, int64_t tokens, int64_t j, real *H, real *w
#define HOLD(name, r, gated)                                                                                                       \
    static void hold_##name(HOLD_ARGUMENTS)                                                                                        \
    {                                                                                                                              \
        hold_all(r, gated, s, tokens, j, H, w);                                                                                    \
    }
#define HOLDS(X)                                                                                                                   \
    X(any, s->f->problem.r, false)                                                                                                 \
    X(any_gated, s->f->problem.r, true)                                                                                            \
    X(1, 1, false) X(1_gated, 1, true) X(2, 2, false) X(2_gated, 2, true) X(4, 4, false) X(4_gated, 4, true)
HOLDS(HOLD)
enum { KERNELS = 5 };
static void (*const kernels[KERNELS][GATE_COUNT])(HOLD_ARGUMENTS) = {
    {hold_any, hold_any_gated}, {hold_1, hold_1_gated}, {hold_2, hold_2_gated}, {hold_any, hold_any_gated}, {hold_4, hold_4_gated}};

/* added (n) = the sums over the lanes of sums (n, LANES) */
static void add_up(int64_t n, const real *sums, real *added)
{
    for (int64_t from = 0; from < n; from += LANES) {
        const int64_t count = n - from < LANES ? n - from : LANES;
        lanes some[LANES];
        for (int64_t i = 0; i < LANES; i++)
            some[i] = i < count ? lanes_load(sums + (from + i) * LANES) : (lanes){0};
        lanes total = lanes_sums(some);
        memcpy(added + from, &total, (size_t)count * sizeof(real));
    }
}

/* The LayerNorm of w at token t, or what leaves it alone; U^T y of it, damped, and g of the next iterate. */
static struct row_norm settle(const struct share *s, int64_t t)
{
    const struct problem *p = &s->f->problem;
    const int64_t r = p->r;
    const real *added = s->desk.added + t * (2 + r), delta = s->f->damping, d = (real)p->d;
    struct row_norm norm = {.inverse = 1};
    real mean = 0;
    if (token_norm(p)) {
        mean = added[0] / d;
        real variance = added[1] / d - mean * mean;
        variance = variance < 0 ? 0 : variance;
        norm.mean = s->desk.pivot[t] + mean;
        s->desk.pivot[t] = norm.mean - norm.mean == 0 ? norm.mean : 0;
        norm.inverse = variance <= REAL_MAX ? 1 / real_sqrt(variance + NORM_EPSILON) : (real)NAN;
    }
    for (int64_t i = 0; i < r; i++) {
        real *Uy = &s->desk.Uy[t * r + i], now;
        now = norm.inverse * (added[2 + i] - mean * s->desk.weights[t * r + i]) + s->desk.Ubias[t * r + i];
        *Uy = delta < 1 ? delta * now + (1 - delta) * *Uy : now;
    }
    meet(s, t);
    return norm;
}

/* y (d) = f of the iterate before from w; its residual; then damped. */
static void put_output(const struct share *s, int64_t t, int64_t l, struct row_norm norm)
{
    const struct problem *p = &s->f->problem;
    const int64_t d = p->d;
    const real *w = s->desk.w + t * s->width, *gain = s->pass->inputs->gain, *bias = s->pass->inputs->bias, delta = s->f->damping;
    real *y = s->desk.y + t * s->width, *next = s->desk.line, change = 0, size = 0;
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        next[c] = w[c];
    if (gain != NULL) {
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            next[c] = gain[c] * ((w[c] - norm.mean) * norm.inverse) + bias[c];
    }
    if (s->pass->residual != NULL) {
#pragma omp simd reduction(max : change, size)
        for (int64_t c = 0; c < d; c++) {
            real x = real_abs(next[c] - y[c]), all = real_abs(next[c]);
            change = x > change ? x : change;
            size = all > size ? all : size;
        }
        real ratio = change == 0 ? 0 : change / size;
        s->desk.worst[l] = ratio > s->desk.worst[l] ? ratio : s->desk.worst[l];
    }
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        y[c] = delta < 1 ? delta * next[c] + (1 - delta) * y[c] : next[c];
}

/* Copies iterate l of this sequence, of which the trace wants it, at the tokens of a block. */
static void keep(const struct share *s, int64_t l, int64_t t0, int64_t tokens)
{
    const struct trace *trace = s->pass->trace;
    const int64_t d = s->f->problem.d, T = s->f->problem.T;
    for (int64_t k = 0; k < trace->n_keep; k++)
        for (int64_t j = 0; j < trace->n_sequences && trace->keep[k] == l; j++)
            for (int64_t t = 0; t < tokens && trace->sequences[j] == s->b; t++)
                memcpy((real *)trace->iterates + ((k * trace->n_sequences + j) * T + t0 + t) * d, s->desk.y + t * s->width,
                       (size_t)d * sizeof(real));
}

static void block(const struct fused_share *share, int64_t t0, int64_t t1)
{
    const struct share of = share_of(share), *s = &of;
    const struct problem *p = &s->f->problem;
    const int64_t r = p->r, d = p->d, L = s->to - s->from, tokens = t1 - t0;
    const bool all = s->pass->residual != NULL || s->pass->trace != NULL || s->f->damping < 1;
    for (int64_t t = 0; t < tokens; t++)
        prepare(s, t0, t);
    for (int64_t l = 0; l < L; l++) {
        const bool wanted = all || l == L - 1;
        real *H = s->desk.H + l * state_reals(p), *w = wanted ? s->desk.w : NULL;
        fill(s->desk.sums, 0, tokens * (2 + r) * LANES);
        for (int64_t j = 0; j < s->width / LANES; j++)
            kernels[r < KERNELS ? r : 0][p->gate](s, tokens, j, H + j * p->N * LANES, w);
        add_up(tokens * (2 + r), s->desk.sums, s->desk.added);
        for (int64_t t = 0; t < tokens; t++) {
            const struct row_norm norm = settle(s, t);
            const real sum = token_norm(p) ? norm.inverse : s->desk.added[t * (2 + r)];
            s->desk.sound[l] += sum - sum;
            if (wanted)
                put_output(s, t, l, norm);
        }
        if (s->pass->trace != NULL)
            keep(s, s->from + l + 1, t0, tokens);
    }
    for (int64_t t = 0; t < tokens; t++)
        memcpy(s->pass->h + (s->b * p->T + t0 + t) * d, s->desk.y + t * s->width, (size_t)d * sizeof(real));
}

static void finish(const struct fused_share *share)
{
    const struct share of = share_of(share), *s = &of;
    const struct problem *p = &s->f->problem;
    const int64_t B = p->B, L = s->to - s->from;
    int64_t *broken = &s->pass->broken[s->stage * B + s->b];
    *broken = INT64_MAX;
    for (int64_t l = L; l > 0; l--)
        *broken = s->desk.sound[l - 1] == 0 ? *broken : s->from + l;
    for (int64_t l = 0; l < L && s->pass->residual != NULL; l++)
        s->pass->residual[(s->from + l - s->pass->from) * B + s->b] = s->desk.worst[l];
    if (s->to == s->pass->to && s->pass->final != NULL)
        state_store(p, s->desk.H + (L - 1) * state_reals(p), s->pass->final + s->b * p->d * p->N);
}

void meeting_run(const struct meeting *f, const struct fused_pass *pass)
{
    static const struct fused_engine engine = {begin, block, finish};
    const struct fused_team team = {.problem = &f->problem,
                                    .threads = f->threads,
                                    .group = 1,
                                    .block = f->block,
                                    .stages = f->stages,
                                    .desk = f->scratch,
                                    .memory = f->memory};
    state_rates(&f->problem, pass->inputs->A, f->rates);
    fused_team_run(&team, &engine, f, pass);
}
