/* See low_rank.h. */
#include "impls/fused/low_rank.h"

#include "impls/contract/support.h"
#include "impls/fused/core.h"
#include "impls/fused/prepare.h"
#include "impls/fused/residual.h"
#include "impls/fused/team.h"
#include "impls/fused/update.h"

#include <stdlib.h>

/* Of the first two caches: states that take turns while a block passes, and what a block of tokens brings. */
enum { STATES_BYTES = 20 << 10, TOKENS_BYTES = 192 << 10, LONGEST_BYTES = 384 << 10, BLOCK_MOST = 64, BLOCK_LEAST = 4 };

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t row_vectors(const struct problem *p)
{
    return (p->d + LANES - 1) / LANES;
}

int64_t fused_low_rank_longest(const struct problem *p)
{
    int64_t tile = fused_tile(fused_rank(p->r), FUSED_TILE);
    return larger(LONGEST_BYTES / LANE_BYTES / row_vectors(p) / tile * tile, tile);
}

/* What a thread works on. */
struct desk {
    lanes *states;  /* (group, longest, n) in tiles */
    lanes *u;       /* (group, block, R, n) */
    lanes *rows;    /* (group, block, 2, n) v and lambda of tokens whose rows are no whole vectors */
    lanes *edge;    /* (group, block, n) the iterate before a tile, when residuals are asked for */
    lanes *row;     /* (n) a row to be copied to where vectors do not fit */
    real *cores;    /* (group, block, core) */
    real *y;        /* (group, longest, R) */
    real *g;        /* (tile, R) */
    real *worst;    /* (group, longest) */
    real *products; /* (block, products) of tokens that are being prepared */
    real *scratch;
};

static int64_t vectors_of(int64_t reals)
{
    return (reals + LANES - 1) / LANES;
}

/* Vectors of a desk; `at` is where it begins, or NULL. */
static int64_t desk_lay(const struct fused_low_rank *f, lanes *at, struct desk *desk)
{
    int64_t n = f->vectors, rows = f->group * f->block, iterates = f->group * f->longest;
    const int64_t sizes[] = {iterates * n,
                             rows * f->R * n,
                             f->problem.d % LANES == 0 ? 0 : rows * 2 * n,
                             rows * n,
                             n,
                             vectors_of(rows * fused_core_size(f->R)),
                             vectors_of(iterates * f->R),
                             vectors_of(FUSED_TILE * f->R),
                             vectors_of(iterates),
                             vectors_of(f->block * fused_products_size(&f->problem)),
                             vectors_of(2 * f->R * (f->R + 1))};
    lanes *place[sizeof sizes / sizeof sizes[0]];
    int64_t sum = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        place[i] = at != NULL ? at + sum : NULL;
        sum += sizes[i];
    }
    *desk =
        (struct desk){place[0],         place[1],         place[2],         place[3],         place[4],         (real *)place[5],
                      (real *)place[6], (real *)place[7], (real *)place[8], (real *)place[9], (real *)place[10]};
    return sum;
}

/* All but the memory. */
static struct fused_low_rank sized(const struct problem *p, int64_t longest, int threads)
{
    struct fused_low_rank f = {.problem = *p, .longest = longest, .threads = threads, .R = fused_rank(p->r)};
    struct desk desk;
    f.vectors = row_vectors(p);
    f.stages = fused_team_stages(p->B, threads, longest, fused_tile(f.R, FUSED_TILE) / 2);
    int64_t each = larger(p->B / threads, 1); /* sequences of a thread */
    f.group = each >= 2 && longest <= fused_tile(f.R, FUSED_TILE) ? 2 : 1;
    int64_t token = f.group * f.vectors * (2 + f.R) * LANE_BYTES;
    f.block = smaller(smaller(larger(TOKENS_BYTES / token, BLOCK_LEAST), BLOCK_MOST), p->T);
    f.scratch = desk_lay(&f, NULL, &desk);
    return f;
}

double fused_low_rank_reals(const struct problem *p, int64_t longest, int threads)
{
    struct fused_low_rank f = sized(p, longest, threads);
    const int64_t desk_reals = f.scratch * LANES;
    return (double)desk_reals * threads + 2 * (double)p->B * (double)p->T * (double)f.R;
}

bool fused_low_rank_open(const struct problem *p, int64_t longest, int threads, struct fused_low_rank *f)
{
    *f = sized(p, longest, threads);
    f->memory = memory_allocate(f->scratch * threads, sizeof(lanes));
    for (int i = 0; i < 2; i++)
        f->carried[i] = memory_allocate(p->B * p->T * f->R, sizeof(real));
    if (f->memory != NULL && f->carried[0] != NULL && f->carried[1] != NULL)
        return true;
    fused_low_rank_close(f);
    return false;
}

void fused_low_rank_close(struct fused_low_rank *f)
{
    free(f->memory);
    free(f->carried[0]);
    free(f->carried[1]);
    *f = (struct fused_low_rank){0};
}

void fused_low_rank_accept(struct fused_low_rank *f)
{
    real *swap = f->carried[0];
    f->carried[0] = f->carried[1];
    f->carried[1] = swap;
}

/* What a thread carries through time, and where. */
struct share {
    const struct fused_low_rank *f;
    const struct fused_pass *pass;
    struct desk desk;
    int64_t b, count, from, to, stage;
};

static struct share share_of(const struct fused_share *share)
{
    struct share s = {.f = share->engine,
                      .pass = share->pass,
                      .b = share->b,
                      .count = share->count,
                      .from = share->from,
                      .to = share->to,
                      .stage = share->stage};
    desk_lay(s.f, (lanes *)share->desk, &s.desk);
    return s;
}

/* Tile after tile of a share: iterates start + 1 ... start + L. */
struct tile {
    int64_t start, L;
};

static bool next_tile(const struct share *s, struct tile *tile)
{
    tile->start += tile->L;
    tile->L = fused_tile(s->f->R, s->to - tile->start);
    return tile->start < s->to;
}

static lanes *tile_states(const struct share *s, int64_t i, const struct tile *tile)
{
    return s->desk.states + (i * s->f->longest + tile->start - s->from) * s->f->vectors;
}

static real *tile_y(const struct share *s, int64_t i, const struct tile *tile)
{
    return s->desk.y + (i * s->f->longest + tile->start - s->from) * s->f->R;
}

/* A row of d channels, as n vectors. */
static void spread(const real *from, int64_t d, lanes *to)
{
    int64_t n = (d + LANES - 1) / LANES;
    to[n - 1] = (lanes){0};
    memcpy(to, from, (size_t)d * sizeof(real));
}

/* The state before the first token. */
static void begin(const struct fused_share *share)
{
    const struct share of = share_of(share), *s = &of;
    const struct problem *p = &s->f->problem;
    int64_t n = s->f->vectors;
    for (int64_t i = 0; i < s->count; i++) {
        const real *h0 = s->pass->inputs->h0;
        lanes *row = s->desk.row;
        for (int64_t j = 0; j < n; j++)
            row[j] = (lanes){0};
        if (h0 != NULL)
            spread(h0 + (s->b + i) * p->d, p->d, row);
        for (struct tile tile = {.start = s->from}; next_tile(s, &tile);) {
            lanes *states = tile_states(s, i, &tile);
            for (int64_t j = 0; j < n; j++)
                for (int64_t l = 0; l < tile.L; l++)
                    states[j * tile.L + l] = row[j];
        }
        for (int64_t l = 0; l < s->to - s->from; l++)
            s->desk.worst[i * s->f->longest + l] = 0;
    }
}

/* Where token k of the block lies, which is token b T + t of all. */
static struct fused_token token_at(const struct share *s, int64_t i, int64_t k, int64_t t)
{
    const struct fused_low_rank *f = s->f;
    int64_t d = f->problem.d, place = i * f->block + k, token = (s->b + i) * f->problem.T + t;
    struct fused_token at = {.v = (const real *)s->pass->inputs->v + token * d,
                             .lambda = (const real *)s->pass->inputs->lambda + token * d,
                             .u = (const real *)(s->desk.u + place * f->R * f->vectors)};
    if (d % LANES != 0) {
        at.v = (const real *)(s->desk.rows + 2 * place * f->vectors);
        at.lambda = at.v + f->vectors * LANES;
    }
    return at;
}

/* What residuals begin with: the iterate before the first, at the tokens t0 ... t1 - 1. */
static void prepare_edge(const struct share *s, int64_t t0, int64_t t1)
{
    const struct fused_low_rank *f = s->f;
    const real *before = s->stage > 0 ? s->pass->h : s->pass->before;
    int64_t n = f->vectors, d = f->problem.d;
    for (int64_t i = 0; i < s->count; i++)
        for (int64_t t = t0; t < t1; t++) {
            lanes *edge = s->desk.edge + (i * f->block + t - t0) * n;
            for (int64_t j = 0; j < n && before == NULL; j++)
                edge[j] = (lanes){0};
            if (before != NULL)
                spread(before + ((s->b + i) * f->problem.T + t) * d, d, edge);
        }
}

/* The tokens t0 ... t1 - 1 of sequence i: activated vectors, cores, and the g to begin with. */
static void prepare(const struct share *s, int64_t i, int64_t t0, int64_t t1)
{
    const struct fused_low_rank *f = s->f;
    const struct problem *p = &f->problem;
    const struct inputs *inputs = s->pass->inputs;
    int64_t d = p->d, m = problem_m(p), n = f->vectors, R = f->R, core_size = fused_core_size(R), size = fused_products_size(p);
    int64_t first = (s->b + i) * p->T + t0;
    const real *theta = (const real *)inputs->theta + first * m;
    real *carried = f->carried[1] + first * R, *core = s->desk.cores + i * f->block * core_size;
    struct fused_sums sums;
    fused_prepare_begin(&sums, s->desk.products);
    for (int64_t t = t0, k = i * f->block; t < t1; t++, k++) {
        if (d % LANES != 0) {
            spread((const real *)inputs->v + (first + t - t0) * d, d, s->desk.rows + 2 * k * n);
            spread((const real *)inputs->lambda + (first + t - t0) * d, d, s->desk.rows + (2 * k + 1) * n);
        }
        const struct fused_token token = token_at(s, i, t - t0, t);
        fused_prepare_token(p, token.v, token.lambda, theta + (t - t0) * m, n, (real *)(s->desk.u + k * R * n), &sums);
    }
    fused_prepare_end(&sums);
    for (int64_t t = t0; t < t1; t++, core += core_size, carried += R) {
        fused_core_make(p, R, s->desk.products + (t - t0) * size, theta + (t - t0) * m + p->r * d, core, s->desk.scratch);
        if (s->stage == 0)
            memcpy(carried, s->from == 0 ? fused_core_first(R, core) : f->carried[0] + (first + t - t0) * R,
                   (size_t)R * sizeof(real));
    }
}

/* Copies what the trace wants of a tile at one token. */
static void keep(const struct share *s, int64_t b, int64_t t, const struct tile *tile, const lanes *states)
{
    const struct trace *trace = s->pass->trace;
    int64_t d = s->f->problem.d, T = s->f->problem.T;
    for (int64_t k = 0; k < trace->n_keep; k++) {
        int64_t l = trace->keep[k] - tile->start - 1;
        if (l < 0 || l >= tile->L)
            continue;
        for (int64_t i = 0; i < trace->n_sequences; i++) {
            real *to = (real *)trace->iterates + ((k * trace->n_sequences + i) * T + t) * d;
            for (int64_t c = 0; c < d && trace->sequences[i] == b; c++)
                to[c] = states[c / LANES * tile->L + l][c % LANES];
        }
    }
}

/* One tile of one sequence from token t - 1 to t, which lies at k in the block. */
static void step(const struct share *s, int64_t i, int64_t t, int64_t k, const struct fused_token *now,
                 const struct fused_token *next, const struct tile *tile)
{
    const struct fused_low_rank *f = s->f;
    const struct fused_pass *pass = s->pass;
    int64_t d = f->problem.d, n = f->vectors, R = f->R, b = s->b + i, token = b * f->problem.T + t;
    lanes *states = tile_states(s, i, tile);
    real *y = tile_y(s, i, tile);
    bool last = tile->start + tile->L == s->to && (s->to == pass->to || pass->residual != NULL), fits = d % LANES == 0;
    real *row = pass->h + token * d, *out = !last ? NULL : fits ? row : (real *)s->desk.row;
    fused_core_run(R, tile->L, s->desk.cores + (i * f->block + k) * fused_core_size(R), y, f->carried[1] + token * R, s->desk.g);
    fused_update(R, tile->L, n, f->problem.form == FORM_NORMALISED, now, next, states, s->desk.g, out,
                 f->stream && fits && (uintptr_t)out % LANE_BYTES == 0, y);
    if (last && !fits)
        memcpy(row, out, (size_t)d * sizeof(real));
    if (pass->residual != NULL)
        fused_residual(tile->L, n, states, s->desk.edge + (i * f->block + k) * n,
                       s->desk.worst + i * f->longest + tile->start - s->from);
    if (pass->trace != NULL)
        keep(s, b, t, tile, states);
}

/* The tokens t0 ... t1 - 1, which are no more than a block. */
static void block(const struct fused_share *share, int64_t t0, int64_t t1)
{
    const struct share of = share_of(share), *s = &of;
    const struct fused_low_rank *f = s->f;
    int64_t n = f->vectors, R = f->R;
    for (int64_t i = 0; i < s->count; i++)
        prepare(s, i, t0, t1);
    if (s->pass->residual != NULL)
        prepare_edge(s, t0, t1);
    struct tile first = {.start = s->from};
    next_tile(s, &first);
    while (first.start < s->to) { /* as many tiles as the cache holds go through the block together */
        struct tile end = first, tile;
        int64_t bytes = 0;
        do
            bytes += s->count * end.L * n * LANE_BYTES;
        while (next_tile(s, &end) && bytes + s->count * end.L * n * LANE_BYTES <= STATES_BYTES);
        for (int64_t i = 0; i < s->count; i++) {
            const struct fused_token token = token_at(s, i, 0, t0);
            for (tile = first; tile.start < end.start; next_tile(s, &tile))
                fused_dots(R, tile.L, n, &token, tile_states(s, i, &tile), tile_y(s, i, &tile));
        }
        for (int64_t t = t0; t < t1; t++)
            for (int64_t i = 0; i < s->count; i++) {
                int64_t after = smaller(t + 1, t1 - 1); /* the last of the block has nothing to sum for */
                const struct fused_token token = token_at(s, i, t - t0, t), next = token_at(s, i, after - t0, after);
                for (tile = first; tile.start < end.start; next_tile(s, &tile))
                    step(s, i, t, t - t0, &token, &next, &tile);
            }
        first = end;
    }
    lanes_streamed();
}

/* Residuals and broken iterates of a share, after the last token. */
static void finish(const struct fused_share *share)
{
    const struct share of = share_of(share), *s = &of;
    const struct fused_low_rank *f = s->f;
    int64_t B = f->problem.B;
    for (int64_t i = 0; i < s->count; i++) {
        int64_t b = s->b + i, broken = INT64_MAX;
        for (struct tile tile = {.start = s->from}; broken == INT64_MAX && next_tile(s, &tile);) {
            const lanes *states = tile_states(s, i, &tile);
            for (int64_t l = tile.L - 1; l >= 0; l--) {
                lanes sum = {0}; /* 0 for finite channels, NaN for any other */
                for (int64_t j = 0; j < f->vectors; j++)
                    sum += 0 * states[j * tile.L + l];
                for (int c = 0; c < LANES; c++)
                    if (sum[c] != 0)
                        broken = tile.start + l + 1;
            }
        }
        s->pass->broken[s->stage * B + b] = broken;
        for (int64_t l = s->from; l < s->to && s->pass->residual != NULL; l++)
            s->pass->residual[(l - s->pass->from) * B + b] = s->desk.worst[i * f->longest + l - s->from];
    }
}

void fused_low_rank_run(const struct fused_low_rank *f, const struct fused_pass *pass)
{
    static const struct fused_engine engine = {begin, block, finish};
    const struct fused_team team = {.problem = &f->problem,
                                    .threads = f->threads,
                                    .group = f->group,
                                    .block = f->block,
                                    .stages = f->stages,
                                    .desk = f->scratch * LANES,
                                    .memory = (real *)f->memory};
    fused_team_run(&team, &engine, f, pass);
}
