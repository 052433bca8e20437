/* See tokens.h. */
#include "impls/fused/tokens.h"

#include "impls/contract/support.h"
#include "impls/fused/kronecker.h"
#include "impls/fused/product.h"
#include "impls/fused/team.h"
#include "impls/math/feedback.h"
#include "impls/math/mixer.h"
#include "impls/math/vector.h"

#include <stdlib.h>

/* Rows of the product with W; what the iterates of a pass take of a core's cache; tokens between which stages wait. */
enum { ROWS = 128, LONGEST_BYTES = 512 << 10, BLOCK = 16 };

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Reals of one iterate of one sequence: its state, and when it has parameters of its own, k of the state before it and theta. */
static int64_t iterate_reals(const struct problem *p)
{
    return p->d + (p->feedback != FEEDBACK_NONE ? p->d + problem_m(p) : 0);
}

int64_t fused_tokens_longest(const struct problem *p)
{
    return larger(LONGEST_BYTES / (int64_t)sizeof(real) / iterate_reals(p), 8);
}

/* What a thread works on. */
struct desk {
    real *states; /* (group, longest + 1, d) h^from ... h^to, at the token before and then at this one */
    real *k;      /* (longest, group, d) what parameters read */
    real *theta;  /* (longest, group, m) */
    real *q;      /* of one token */
    real *x, *w;  /* (d) */
    real *worst;  /* (group, longest) */
    real *scratch;
    lanes *kronecker;
};

static int64_t whole_lines(int64_t reals)
{
    enum { LINE = 64 / sizeof(real) };
    return (reals + LINE - 1) / LINE * LINE;
}

/* Reals of a desk; `at` is where it begins, or NULL. */
static int64_t desk_lay(const struct fused_tokens *f, real *at, struct desk *desk)
{
    const struct problem *p = &f->problem;
    int64_t d = p->d, rows = f->group * f->longest, dependent = p->feedback != FEEDBACK_NONE, sum = 0;
    const int64_t kronecker = mixer_facts[p->mixer].factored ? fused_kronecker_vectors(f->n1, f->n2) * LANES : 0;
    const int64_t sizes[] = {(rows + f->group) * d,
                             dependent * rows * d,
                             dependent * rows * problem_m(p),
                             mixer_size(p),
                             d,
                             d,
                             rows,
                             mixer_scratch(p),
                             kronecker};
    real *place[sizeof sizes / sizeof sizes[0]];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        place[i] = at != NULL ? at + sum : NULL;
        sum += whole_lines(sizes[i]);
    }
    *desk = (struct desk){place[0], place[1], place[2], place[3], place[4], place[5], place[6], place[7], (lanes *)place[8]};
    return sum;
}

/* All but the memory. */
static struct fused_tokens sized(const struct problem *p, int64_t longest, int threads)
{
    struct fused_tokens f = {.problem = *p, .longest = longest, .threads = threads, .group = 1};
    struct desk desk;
    kronecker_sizes(p->d, &f.n1, &f.n2);
    f.stages = fused_team_stages(p->B, threads, longest, 1);
    if (p->feedback != FEEDBACK_NONE)
        f.group = smaller(larger(ROWS / longest, 1), (p->B + threads - 1) / threads);
    f.scratch = desk_lay(&f, NULL, &desk);
    return f;
}

static int64_t packed_vectors(const struct problem *p)
{
    return p->feedback != FEEDBACK_NONE ? fused_product_vectors(problem_m(p), p->d) : 0;
}

double fused_tokens_reals(const struct problem *p, int64_t longest, int threads)
{
    const int64_t packed_reals = packed_vectors(p) * LANES;
    return (double)sized(p, longest, threads).scratch * threads + (double)packed_reals;
}

bool fused_tokens_open(const struct problem *p, int64_t longest, int threads, struct fused_tokens *f)
{
    *f = sized(p, longest, threads);
    f->memory = memory_allocate(f->scratch * threads, sizeof(real));
    f->W = memory_allocate(packed_vectors(p), sizeof(lanes));
    if (f->memory != NULL && f->W != NULL)
        return true;
    fused_tokens_close(f);
    return false;
}

void fused_tokens_close(struct fused_tokens *f)
{
    free(f->memory);
    free(f->W);
    *f = (struct fused_tokens){0};
}

/* What a thread carries through time, and where. */
struct share {
    const struct fused_tokens *f;
    const struct fused_pass *pass;
    struct desk desk;
    const real *before; /* (B,T,d) iterate `from`; NULL: zero */
    int64_t b, count, from, to, stage;
};

static struct share share_of(const struct fused_share *share)
{
    struct share s = {.f = share->engine,
                      .pass = share->pass,
                      .before = share->stage > 0 ? share->pass->h : share->pass->before,
                      .b = share->b,
                      .count = share->count,
                      .from = share->from,
                      .to = share->to,
                      .stage = share->stage};
    desk_lay(s.f, share->desk, &s.desk);
    return s;
}

/* Of sequence i: h^{from + l}, at the token before until this one's is computed. */
static real *state(const struct share *s, int64_t i, int64_t l)
{
    return s->desk.states + (i * (s->f->longest + 1) + l) * s->f->problem.d;
}

static void begin(const struct fused_share *share)
{
    const struct share of = share_of(share), *s = &of;
    int64_t d = s->f->problem.d;
    const real *h0 = s->pass->inputs->h0;
    for (int64_t i = 0; i < s->count; i++) {
        for (int64_t l = 0; l <= s->to - s->from; l++)
            if (h0 != NULL)
                memcpy(state(s, i, l), h0 + (s->b + i) * d, (size_t)d * sizeof(real));
            else
                fill(state(s, i, l), 0, d);
        fill(s->desk.worst + i * s->f->longest, 0, s->f->longest);
    }
}

/* theta (iterates, count, m) of all sequences: theta_t + W k(h^{l-1}_{t-1}). Where h^{l-1} is known to be zero nothing is added. The first
 * token's are the same for all iterates: (1, count, m). */
static void parameters(const struct share *s, int64_t t)
{
    const struct problem *p = &s->f->problem;
    int64_t d = p->d, m = problem_m(p), n = t > 0 ? s->to - s->from : 1, zero = t > 0 ? s->from == 0 : s->pass->inputs->h0 == NULL;
    const real *theta = s->pass->inputs->theta;
    for (int64_t l = 0; l < n; l++)
        for (int64_t i = 0; i < s->count; i++) {
            int64_t row = l * s->count + i;
            if (l >= zero)
                feedback_state(p, state(s, i, l), s->desk.k + row * d);
            memcpy(s->desk.theta + row * m, theta + ((s->b + i) * p->T + t) * m, (size_t)m * sizeof(real));
        }
    int64_t rows = (n - zero) * s->count, first = zero * s->count;
    fused_product_run(rows, m, d, s->desk.k + first * d, s->f->W, s->desk.theta + first * m);
}

static void activate(const struct share *s, const real *theta)
{
    const struct problem *p = &s->f->problem;
    mixer_activate(p, theta, s->desk.q, s->desk.scratch);
    if (mixer_facts[p->mixer].factored)
        fused_kronecker_begin(s->f->n1, s->f->n2, s->desk.q + s->f->n1 * s->f->n1, s->desk.kronecker);
}

/* w = (I - Q) x */
static void apply(const struct share *s, const real *x, real *w)
{
    const struct problem *p = &s->f->problem;
    if (mixer_facts[p->mixer].factored)
        fused_kronecker_apply(s->f->n1, s->f->n2, s->desk.q, x, w, s->desk.kronecker);
    else
        mixer_apply(p, s->desk.q, x, w, s->desk.scratch);
}

/* h <- Lambda h + G (v + w), before - v is what w came from */
static void advance(bool gated, const real *lambda, const real *v, const real *w, real *h, int64_t d)
{
    const real gating = gated;
#pragma omp simd
    for (int64_t c = 0; c < d; c++) {
        real drive = v[c] + w[c];
        h[c] = lambda[c] * (h[c] - gating * drive) + drive;
    }
}

/* worst <- the larger of it and max|h - before| / max|h|, 0/0 = 0 */
static void residual(const real *before, const real *h, int64_t d, real *worst)
{
    real change = 0, size = max_abs(h, d);
#pragma omp simd reduction(max : change)
    for (int64_t c = 0; c < d; c++) {
        real x = real_abs(h[c] - before[c]);
        change = x > change ? x : change;
    }
    real ratio = change == 0 ? 0 : change / size;
    *worst = ratio > *worst ? ratio : *worst;
}

/* Copies what the trace wants of sequence b at token t. */
static void keep(const struct share *s, int64_t i, int64_t t)
{
    const struct trace *trace = s->pass->trace;
    int64_t d = s->f->problem.d, T = s->f->problem.T;
    for (int64_t k = 0; k < trace->n_keep; k++)
        for (int64_t j = 0; j < trace->n_sequences && trace->keep[k] > s->from && trace->keep[k] <= s->to; j++)
            if (trace->sequences[j] == s->b + i)
                memcpy((real *)trace->iterates + ((k * trace->n_sequences + j) * T + t) * d, state(s, i, trace->keep[k] - s->from),
                       (size_t)d * sizeof(real));
}

/* All iterates of one token. */
static void step(const struct share *s, int64_t i, int64_t t)
{
    const struct problem *p = &s->f->problem;
    int64_t d = p->d, m = problem_m(p), token = (s->b + i) * p->T + t, n = s->to - s->from;
    bool gated = p->form == FORM_NORMALISED, dependent = p->feedback != FEEDBACK_NONE;
    const real *v = (const real *)s->pass->inputs->v + token * d, *lambda = (const real *)s->pass->inputs->lambda + token * d;
    if (s->before != NULL)
        memcpy(state(s, i, 0), s->before + token * d, (size_t)d * sizeof(real));
    else
        fill(state(s, i, 0), 0, d);
    bool anew = dependent && t > 0; /* for each iterate */
    if (!anew)
        activate(s, m == 0 ? NULL : dependent ? s->desk.theta + i * m : (const real *)s->pass->inputs->theta + token * m);
    for (int64_t l = 1; l <= n; l++) {
        const real *before = state(s, i, l - 1);
        real *h = state(s, i, l);
        if (anew)
            activate(s, s->desk.theta + ((l - 1) * s->count + i) * m);
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            s->desk.x[c] = before[c] - v[c];
        apply(s, s->desk.x, s->desk.w);
        advance(gated, lambda, v, s->desk.w, h, d);
        if (s->pass->residual != NULL)
            residual(before, h, d, s->desk.worst + i * s->f->longest + l - 1);
    }
    memcpy(s->pass->h + token * d, state(s, i, n), (size_t)d * sizeof(real));
    if (s->pass->trace != NULL)
        keep(s, i, t);
}

static void block(const struct fused_share *share, int64_t t0, int64_t t1)
{
    const struct share of = share_of(share), *s = &of;
    for (int64_t t = t0; t < t1; t++) {
        if (s->f->problem.feedback != FEEDBACK_NONE)
            parameters(s, t);
        for (int64_t i = 0; i < s->count; i++)
            step(s, i, t);
    }
}

static void finish(const struct fused_share *share)
{
    const struct share of = share_of(share), *s = &of;
    int64_t d = s->f->problem.d, B = s->f->problem.B;
    for (int64_t i = 0; i < s->count; i++) {
        int64_t *broken = &s->pass->broken[s->stage * B + s->b + i];
        *broken = INT64_MAX;
        for (int64_t l = s->to; l > s->from; l--) {
            const real *h = state(s, i, l - s->from);
            real sum = 0; /* 0 for finite channels, NaN for any other */
            for (int64_t c = 0; c < d; c++)
                sum += h[c] - h[c];
            *broken = sum == 0 ? *broken : l;
        }
        for (int64_t l = s->from; l < s->to && s->pass->residual != NULL; l++)
            s->pass->residual[(l - s->pass->from) * B + s->b + i] = s->desk.worst[i * s->f->longest + l - s->from];
    }
}

void fused_tokens_run(const struct fused_tokens *f, const struct fused_pass *pass)
{
    static const struct fused_engine engine = {begin, block, finish};
    const struct fused_team team = {.problem = &f->problem,
                                    .threads = f->threads,
                                    .group = f->group,
                                    .block = BLOCK,
                                    .stages = f->stages,
                                    .desk = f->scratch,
                                    .memory = f->memory};
    if (f->problem.feedback != FEEDBACK_NONE)
        fused_product_pack(problem_m(&f->problem), f->problem.d, pass->inputs->W, f->W);
    fused_team_run(&team, &engine, f, pass);
}
