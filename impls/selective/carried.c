/* See carried.h. */
#include "impls/selective/carried.h"

#include "impls/contract/support.h"
#include "impls/fused/product.h"
#include "impls/fused/team.h"
#include "impls/math/mixer.h"
#include "impls/math/sums.h"
#include "impls/math/vector.h"
#include "impls/selective/state.h"
#include "impls/selective/states.h"
#include "impls/selective/token.h"

#include <stdlib.h>

/* Rows of the product; what the states of a pass, and of the sequences that go through it together, take of a core's cache; tokens
 * between which stages wait. */
enum { ROWS = 96, LONGEST_BYTES = 512 << 10, GROUP_BYTES = 1 << 20, LEAST = 8, BLOCK = 16 };

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Reals of one iterate of one sequence. */
static int64_t iterate_reals(const struct problem *p)
{
    return state_row(p) * (p->N + 2) + p->N + token_layout(p).width;
}

int64_t carried_longest(const struct problem *p)
{
    return larger(LONGEST_BYTES / (int64_t)sizeof(real) / iterate_reals(p), LEAST);
}

/* What a thread works on. */
struct desk {
    real *H;                     /* (group; states.h) states, without what the token before drives */
    real *y;                     /* (longest + 1, count, d) y^from ... y^to, at the token before and then at this one */
    real *drive;                 /* (group, longest, width) dt . xt of the token before, then of this one */
    real *b;                     /* (group, longest, N) likewise b~ */
    real *c;                     /* (longest, N) */
    real *base;                  /* (longest, width) */
    real *rows;                  /* (longest, group, layout.width) */
    real *room;                  /* (longest, token_room()) */
    real *gate, *apart, *xt, *w; /* (d) */
    real *worst;                 /* (group, longest) residuals */
    real *sound;                 /* (group, longest) 0; NaN once an output is not finite */
    real *scratch;
    real *decay;                 /* (N, LANES) */
    real *state;                 /* one state (state.h) */
    struct token_values *values; /* (longest) */
    const real **dt;             /* (longest) */
};

static int64_t whole_lines(int64_t reals)
{
    enum { LINE = 64 / sizeof(real) };
    return (reals + LINE - 1) / LINE * LINE;
}

/* Reals of a desk; `at` is where it begins, or NULL. */
static int64_t desk_lay(const struct carried *f, real *at, struct desk *desk)
{
    const struct problem *p = &f->problem;
    const int64_t d = p->d, N = p->N, width = state_row(p), L = f->longest, rows = f->group * L;
    const int64_t reading = token_layout(p).width, values = (int64_t)sizeof(struct token_values), pointer = sizeof(real *);
    const struct {
        void *place;
        int64_t reals;
    } parts[] = {
        {&desk->H, rows * width * N},
        {&desk->y, (rows + f->group) * d},
        {&desk->drive, rows * width},
        {&desk->b, rows * N},
        {&desk->c, L * N},
        {&desk->base, L * width},
        {&desk->rows, rows * reading},
        {&desk->room, (reading > 0 ? L : 1) * token_room(p)},
        {&desk->gate, d},
        {&desk->apart, d},
        {&desk->xt, d},
        {&desk->w, d},
        {&desk->worst, rows},
        {&desk->sound, rows},
        {&desk->scratch, mixer_scratch(p)},
        {&desk->decay, N * LANES},
        {&desk->state, width * N},
        {&desk->values, L * values / (int64_t)sizeof(real)},
        {&desk->dt, L * pointer / (int64_t)sizeof(real)},
    };
    int64_t sum = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        real *place = at != NULL ? at + sum : NULL;
        memcpy(parts[i].place, &place, sizeof place);
        sum += whole_lines(parts[i].reals);
    }
    return sum;
}

/* All but the memory. */
static struct carried sized(const struct problem *p, int64_t longest, int threads)
{
    struct carried f = {.problem = *p, .damping = 1, .longest = longest, .threads = threads, .group = 1};
    struct desk desk;
    f.stages = fused_team_stages(p->B, threads, longest, 1);
    if (token_layout(p).width > 0) {
        const int64_t fit = GROUP_BYTES / (int64_t)sizeof(real) / (longest * iterate_reals(p));
        f.group = larger(smaller(smaller(ROWS / longest, fit), (p->B + threads - 1) / threads), 1);
    }
    f.scratch = desk_lay(&f, NULL, &desk);
    return f;
}

static int64_t packed_vectors(const struct problem *p)
{
    const int64_t width = token_layout(p).width;
    return width > 0 ? fused_product_vectors(width, p->d) : 0;
}

double carried_reals(const struct problem *p, int64_t longest, int threads)
{
    const int64_t shared = packed_vectors(p) * LANES + token_layout(p).width * p->d + state_reals(p);
    return (double)sized(p, longest, threads).scratch * threads + (double)shared;
}

bool carried_open(const struct problem *p, double damping, int64_t longest, int threads, struct carried *f)
{
    *f = sized(p, longest, threads);
    f->damping = (real)damping;
    f->memory = memory_allocate(f->scratch * threads, sizeof(real));
    f->stack = memory_allocate(token_layout(p).width * p->d, sizeof(real));
    f->packed = memory_allocate(packed_vectors(p), sizeof(lanes));
    f->rates = memory_allocate(state_reals(p), sizeof(real));
    if (f->memory != NULL && f->stack != NULL && f->packed != NULL && f->rates != NULL)
        return true;
    carried_close(f);
    return false;
}

void carried_close(struct carried *f)
{
    free(f->memory);
    free(f->stack);
    free(f->packed);
    free(f->rates);
    *f = (struct carried){0};
}

/* What a thread carries through time, and where. */
struct share {
    const struct carried *f;
    const struct fused_pass *pass;
    struct desk desk;
    const real *before; /* (B,T,d) iterate `from`; NULL: zero */
    int64_t b, count, from, to, stage, width, reading;
};

static struct share share_of(const struct fused_share *share)
{
    const struct carried *f = share->engine;
    struct share s = {.f = f,
                      .pass = share->pass,
                      .before = share->stage > 0 ? share->pass->h : share->pass->before,
                      .b = share->b,
                      .count = share->count,
                      .from = share->from,
                      .to = share->to,
                      .stage = share->stage,
                      .width = state_row(&f->problem),
                      .reading = token_layout(&f->problem).width};
    desk_lay(s.f, share->desk, &s.desk);
    return s;
}

/* Of sequence i: y^{from + l}, at the token before until this one's is computed. */
static real *output(const struct share *s, int64_t i, int64_t l)
{
    return s->desk.y + (l * s->count + i) * s->f->problem.d;
}

static real *drive_of(const struct share *s, int64_t i)
{
    return s->desk.drive + i * s->f->longest * s->width;
}

static real *b_of(const struct share *s, int64_t i)
{
    return s->desk.b + i * s->f->longest * s->f->problem.N;
}

static real *states_of(const struct share *s, int64_t i)
{
    return s->desk.H + i * s->f->longest * state_reals(&s->f->problem);
}

static void begin(const struct fused_share *share)
{
    const struct share of = share_of(share), *s = &of;
    const struct problem *p = &s->f->problem;
    const int64_t d = p->d, N = p->N, L = s->to - s->from, most = s->f->longest;
    const real *y0 = s->pass->inputs->y0, *H0 = s->pass->inputs->H0;
    for (int64_t i = 0; i < s->count; i++) {
        for (int64_t l = 0; l <= L; l++)
            if (y0 != NULL)
                memcpy(output(s, i, l), y0 + (s->b + i) * d, (size_t)d * sizeof(real));
            else
                fill(output(s, i, l), 0, d);
        state_load(p, H0 != NULL ? H0 + (s->b + i) * d * N : NULL, s->desk.state);
        states_place(s->width / LANES, N, L, s->desk.state, states_of(s, i));
        fill(drive_of(s, i), 0, L * s->width);
        fill(b_of(s, i), 0, L * N);
        fill(s->desk.worst + i * most, 0, L);
        fill(s->desk.sound + i * most, 0, L);
    }
}

/* rows (iterates, count, reading) of all sequences, in the order of the outputs that they read. Where y^{l-1} is known to be zero nothing is
 * added. The first token's are the same for all iterates: (1, count, reading). */
static void read_before(const struct share *s, int64_t t)
{
    const struct problem *p = &s->f->problem;
    const int64_t n = t > 0 ? s->to - s->from : 1, zero = t > 0 && s->from == 0, each = s->count * s->reading;
    for (int64_t i = 0; i < s->count; i++)
        token_raw(p, s->pass->inputs, (s->b + i) * p->T + t, s->desk.rows + i * s->reading);
    for (int64_t l = 1; l < n; l++)
        memcpy(s->desk.rows + l * each, s->desk.rows, (size_t)each * sizeof(real));
    fused_product_run((n - zero) * s->count, s->reading, p->d, output(s, 0, zero), s->f->packed, s->desk.rows + zero * each);
}

/* worst <- the larger of it and max|y - before| / max|y|, 0/0 = 0 */
static void residual(const real *before, const real *y, int64_t d, real *worst)
{
    real change = 0, size = max_abs(y, d);
#pragma omp simd reduction(max : change)
    for (int64_t c = 0; c < d; c++) {
        real x = real_abs(y[c] - before[c]);
        change = x > change ? x : change;
    }
    real ratio = change == 0 ? 0 : change / size;
    *worst = ratio > *worst ? ratio : *worst;
}

/* 0 for finite channels, NaN for any other. */
static real soundness(const real *y, int64_t d)
{
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t c = 0; c < d; c++)
        sum += y[c] - y[c];
    return sum;
}

/* Copies what the trace wants of sequence b at token t. */
static void keep(const struct share *s, int64_t i, int64_t t)
{
    const struct trace *trace = s->pass->trace;
    int64_t d = s->f->problem.d, T = s->f->problem.T;
    for (int64_t k = 0; k < trace->n_keep; k++)
        for (int64_t j = 0; j < trace->n_sequences && trace->keep[k] > s->from && trace->keep[k] <= s->to; j++)
            if (trace->sequences[j] == s->b + i)
                memcpy((real *)trace->iterates + ((k * trace->n_sequences + j) * T + t) * d, output(s, i, trace->keep[k] - s->from),
                       (size_t)d * sizeof(real));
}

/* The values of all iterates, of one that stands for all where `anew` is not set; c, and dt of each. */
static void evaluate(const struct share *s, int64_t i, int64_t t, bool anew)
{
    const struct problem *p = &s->f->problem;
    const int64_t token = (s->b + i) * p->T + t, L = s->to - s->from, N = p->N;
    for (int64_t l = 0; l < L; l++) {
        struct token_values *values = &s->desk.values[l];
        if (l == 0 || anew)
            token_values(p, s->pass->inputs, token, s->reading > 0 ? s->desk.rows + (l * s->count + i) * s->reading : NULL, NULL,
                         s->desk.room + l * token_room(p), values);
        else
            *values = s->desk.values[0];
        memcpy(s->desk.c + l * N, values->c, (size_t)N * sizeof(real));
        s->desk.dt[l] = values->dt;
    }
}

/* One iterate of one token: to (d) = f(from), and the drive that it leaves. */
static void apply(const struct share *s, const struct token_values *values, const real *x, const real *base, const real *from,
                  real *drive, real *to)
{
    const struct problem *p = &s->f->problem;
    const struct inputs *inputs = s->pass->inputs;
    const real *skip = inputs->skip, *dt = values->dt, *xt = s->desk.xt, *gate = s->desk.gate;
    const real along = row_dot(values->b, values->c, p->N);
    real *w = token_norm(p) ? s->desk.w : to;
    token_mix(p, values->q, x, from, s->desk.apart, s->desk.xt, s->desk.scratch);
#pragma omp simd
    for (int64_t c = 0; c < p->d; c++) {
        w[c] = gate[c] * (base[c] + (dt[c] * along + skip[c]) * xt[c]);
        drive[c] = dt[c] * xt[c];
    }
    if (token_norm(p))
        norm_row(w, inputs->gain, inputs->bias, to, p->d);
}

/* All iterates of one token. */
static void step(const struct share *s, int64_t i, int64_t t)
{
    const struct problem *p = &s->f->problem;
    const int64_t d = p->d, N = p->N, token = (s->b + i) * p->T + t, L = s->to - s->from, most = s->f->longest;
    const real *x = (const real *)s->pass->inputs->x + token * d, delta = s->f->damping;
    real *b = b_of(s, i), *drive = drive_of(s, i);
    evaluate(s, i, t, s->reading > 0 && t > 0);
    states_decay(d, N, L, s->f->rates, s->desk.dt, token_layout(p).dt < 0 || t == 0, drive, b, s->desk.c, states_of(s, i),
                 s->desk.base, s->desk.decay);
    token_gate(p, s->pass->inputs, token, s->desk.gate);
    if (s->before != NULL)
        memcpy(output(s, i, 0), s->before + token * d, (size_t)d * sizeof(real));
    else
        fill(output(s, i, 0), 0, d);
    for (int64_t l = 0; l < L; l++) {
        const real *before = output(s, i, l);
        real *y = output(s, i, l + 1);
        apply(s, &s->desk.values[l], x, s->desk.base + l * s->width, before, drive + l * s->width, y);
        memcpy(b + l * N, s->desk.values[l].b, (size_t)N * sizeof(real));
        s->desk.sound[i * most + l] += soundness(y, d);
        if (s->pass->residual != NULL)
            residual(before, y, d, s->desk.worst + i * most + l);
        for (int64_t c = 0; c < d && delta < 1; c++)
            y[c] = delta * y[c] + (1 - delta) * before[c];
    }
    memcpy(s->pass->h + token * d, output(s, i, L), (size_t)d * sizeof(real));
    if (s->pass->trace != NULL)
        keep(s, i, t);
}

static void block(const struct fused_share *share, int64_t t0, int64_t t1)
{
    const struct share of = share_of(share), *s = &of;
    for (int64_t t = t0; t < t1; t++) {
        if (s->reading > 0)
            read_before(s, t);
        for (int64_t i = 0; i < s->count; i++)
            step(s, i, t);
    }
}

static void finish(const struct fused_share *share)
{
    const struct share of = share_of(share), *s = &of;
    const struct problem *p = &s->f->problem;
    const int64_t B = p->B, L = s->to - s->from, most = s->f->longest;
    real *final = s->to == s->pass->to ? s->pass->final : NULL;
    for (int64_t i = 0; i < s->count; i++) {
        int64_t *broken = &s->pass->broken[s->stage * B + s->b + i];
        *broken = INT64_MAX;
        for (int64_t l = L; l > 0; l--)
            *broken = s->desk.sound[i * most + l - 1] == 0 ? *broken : s->from + l;
        for (int64_t l = s->from; l < s->to && s->pass->residual != NULL; l++)
            s->pass->residual[(l - s->pass->from) * B + s->b + i] = s->desk.worst[i * most + l - s->from];
        if (final != NULL) {
            states_take(s->width / LANES, p->N, L, L - 1, states_of(s, i), s->desk.state);
            state_add(p, drive_of(s, i) + (L - 1) * s->width, b_of(s, i) + (L - 1) * p->N, s->desk.state);
            state_store(p, s->desk.state, final + (s->b + i) * p->d * p->N);
        }
    }
}

void carried_run(const struct carried *f, const struct fused_pass *pass)
{
    static const struct fused_engine engine = {begin, block, finish};
    const struct problem *p = &f->problem;
    const struct fused_team team = {.problem = p,
                                    .threads = f->threads,
                                    .group = f->group,
                                    .block = BLOCK,
                                    .stages = f->stages,
                                    .desk = f->scratch,
                                    .memory = f->memory};
    state_rates(p, pass->inputs->A, f->rates);
    if (token_layout(p).width > 0) {
        token_stack(p, pass->inputs, f->stack);
        fused_product_pack(token_layout(p).width, p->d, f->stack, f->packed);
    }
    fused_team_run(&team, &engine, f, pass);
}
