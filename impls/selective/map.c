/* See map.h. */
#include "impls/selective/map.h"

#include "impls/contract/support.h"
#include "impls/math/activation.h"
#include "impls/math/finite.h"
#include "impls/math/mixer.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Whether b and c are made at all, and in every application. */
static bool vectors_read(const struct problem *p)
{
    return token_layout(p).b >= 0;
}

static bool vectors_made(const struct problem *p)
{
    return vectors_read(p) || token_unit(p);
}

static bool mixes(const struct problem *p)
{
    return p->mixer != MIXER_NONE;
}

static int64_t kept_parameters(const struct problem *p)
{
    return token_layout(p).theta >= 0 ? 0 : mixer_size(p);
}

int64_t selective_block(const struct problem *p)
{
    int64_t tokens = p->B * p->T, block = (tokens / 64 + 7) / 8 * 8;
    return block < 16 ? 16 : block > SELECTIVE_BLOCK ? SELECTIVE_BLOCK : block;
}

/* Of one thread: of a block the outputs before (SELECTIVE_BLOCK,d) and rows (SELECTIVE_BLOCK,width); a token's room; x - y (d). */
static int64_t scratch_size(const struct problem *p)
{
    int64_t width = token_layout(p).width, block = width > 0 ? SELECTIVE_BLOCK * (p->d + width) : 0;
    return block + token_room(p) + p->d + mixer_scratch(p) + 64;
}

/* Reals of stack, q, b, c, dt. */
enum { ARRAYS = 5 };
static void sizes(const struct problem *p, int64_t size[ARRAYS])
{
    struct token_layout layout = token_layout(p);
    int64_t tokens = p->B * p->T;
    size[0] = layout.width * p->d;
    size[1] = tokens * kept_parameters(p);
    size[2] = vectors_made(p) ? tokens * p->N : 0;
    size[3] = size[2];
    size[4] = layout.dt >= 0 ? tokens * p->d : 0;
}

double selective_map_reals(const struct problem *p, const char *split, int threads)
{
    int64_t size[ARRAYS];
    double sum = (double)scratch_size(p) * threads + matrix_scan_reals(p, split, threads);
    sizes(p, size);
    for (int i = 0; i < ARRAYS; i++)
        sum += (double)size[i];
    return sum;
}

bool selective_map_open(const struct problem *p, const char *split, int threads, struct selective_map *map)
{
    int64_t size[ARRAYS];
    *map = (struct selective_map){.problem = *p, .layout = token_layout(p), .scratch = scratch_size(p)};
    sizes(p, size);
    real **const arrays[ARRAYS] = {&map->stack, &map->q, &map->b, &map->c, &map->dt};
    map->memory = memory_allocate(map->scratch * threads, sizeof(real));
    bool memory = matrix_scan_open(p, split, threads, &map->scan) && map->memory != NULL;
    for (int i = 0; i < ARRAYS; i++) {
        *arrays[i] = memory_allocate(size[i], sizeof(real));
        memory = memory && *arrays[i] != NULL;
    }
    if (!memory)
        selective_map_close(map);
    return memory;
}

void selective_map_close(struct selective_map *map)
{
    matrix_scan_close(&map->scan);
    free(map->memory);
    free(map->stack);
    free(map->q);
    free(map->b);
    free(map->c);
    free(map->dt);
    *map = (struct selective_map){0};
}

void selective_map_begin(struct selective_map *map, const struct inputs *inputs, real *final)
{
    const struct problem *p = &map->problem;
    int64_t N = p->N, m = problem_m(p), size = kept_parameters(p), tokens = p->B * p->T;
    bool vectors = vectors_made(p) && !vectors_read(p);
    map->final = final;
    matrix_scan_begin(&map->scan, inputs->A);
    token_stack(p, inputs, map->stack);
    if (size == 0 && !vectors)
        return;
#pragma omp parallel for num_threads(map->scan.threads) schedule(static)
    for (int64_t i = 0; i < tokens; i++) {
        if (size > 0)
            mixer_activate(p, (const real *)inputs->theta + i * m, map->q + i * size,
                           map->memory + omp_get_thread_num() * map->scratch);
        if (vectors) {
            unit((const real *)inputs->b + i * N, map->b + i * N, N);
            unit((const real *)inputs->c + i * N, map->c + i * N, N);
        }
    }
}

/* What the threads of one application share. */
struct run {
    const struct selective_map *map;
    const struct inputs *inputs;
    const real *y;
    bool zero;
    const struct selective_point *point;
    real *xt; /* (B,T,d) */
};

/* rows (to-from,width) = what the tokens make of the outputs before them: one product. */
static void read_block(const struct run *run, int64_t from, int64_t to, real *before, real *rows)
{
    const struct problem *p = &run->map->problem;
    int64_t d = p->d, width = run->map->layout.width;
    for (int64_t i = from; i < to; i++) {
        token_raw(p, run->inputs, i, rows + (i - from) * width);
        const real *y = token_before(p, run->inputs, run->y, i);
        if (y != NULL && !(run->zero && i % p->T > 0))
            memcpy(before + (i - from) * d, y, (size_t)d * sizeof(real));
        else
            memset(before + (i - from) * d, 0, (size_t)d * sizeof(real));
    }
    if (!run->zero || run->inputs->y0 != NULL)
        token_read(p, run->map->stack, before, to - from, rows);
}

/* The tokens from ... to - 1 up to their scan. */
static void prepare_block(const struct run *run, int64_t from, int64_t to, real *scratch)
{
    const struct selective_map *map = run->map;
    const struct problem *p = &map->problem;
    int64_t d = p->d, N = p->N, width = map->layout.width, size = mixer_size(p), block = width > 0 ? SELECTIVE_BLOCK : 0;
    real *before = scratch, *rows = before + block * d, *room = rows + block * width, *apart = room + token_room(p),
         *rest = apart + d;
    if (run->point != NULL && width > 0)
        rows = run->point->rows + from * width;
    if (width > 0)
        read_block(run, from, to, before, rows);
    for (int64_t i = from; i < to; i++) {
        struct token_values values;
        const real *q = map->layout.theta < 0 ? map->q + i * size : NULL;
        if (width > 0) {
            token_values(p, run->inputs, i, rows + (i - from) * width, q, room, &values);
            q = values.q;
        }
        if (vectors_read(p)) {
            memcpy(map->b + i * N, values.b, (size_t)N * sizeof(real));
            memcpy(map->c + i * N, values.c, (size_t)N * sizeof(real));
        }
        if (map->layout.dt >= 0)
            memcpy(map->dt + i * d, values.dt, (size_t)d * sizeof(real));
        if (run->point != NULL && map->layout.theta >= 0)
            memcpy(run->point->q + i * size, q, (size_t)size * sizeof(real));
        if (mixes(p))
            token_mix(p, q, (const real *)run->inputs->x + i * d, run->y + i * d, apart, run->xt + i * d, rest);
    }
}

static void prepare(const struct run *run)
{
    const struct selective_map *map = run->map;
    const struct problem *p = &map->problem;
    if (map->layout.width == 0 && !mixes(p))
        return;
    int64_t tokens = p->B * p->T, block = selective_block(p);
#pragma omp parallel for num_threads(map->scan.threads) schedule(static)
    for (int64_t from = 0; from < tokens; from += block)
        prepare_block(run, from, from + block < tokens ? from + block : tokens, map->memory + omp_get_thread_num() * map->scratch);
}

struct finish {
    const struct problem *problem;
    const struct inputs *inputs;
    real *w, *next; /* w: NULL, where nobody asks for what was there before */
};

/* Gate and LayerNorm of the rows from ... to - 1. */
static bool finish_rows(const void *context, int64_t from, int64_t to)
{
    const struct finish *f = context;
    const struct problem *p = f->problem;
    int64_t d = p->d;
    real odd = 0;
    for (int64_t i = from; i < to; i++) {
        real *row = f->next + i * d;
        const real *z = f->inputs->z != NULL ? (const real *)f->inputs->z + i * d : NULL;
        if (f->w != NULL)
            memcpy(f->w + i * d, row, (size_t)d * sizeof(real));
        if (z != NULL) {
#pragma omp simd
            for (int64_t c = 0; c < d; c++)
                row[c] *= silu(z[c]);
        }
        if (token_norm(p))
            norm_row(row, f->inputs->gain, f->inputs->bias, row, d);
#pragma omp simd reduction(+ : odd)
        for (int64_t c = 0; c < d; c++)
            odd += row[c] - row[c];
    }
    return odd == 0;
}

struct matrix_rows selective_map_rows(const struct selective_map *map, const struct inputs *inputs, const real *xt)
{
    const struct problem *p = &map->problem;
    bool made = vectors_made(p);
    return (struct matrix_rows){.dt = map->layout.dt >= 0 ? map->dt : inputs->dt,
                                .x = mixes(p) ? xt : inputs->x,
                                .b = made ? map->b : inputs->b,
                                .c = made ? map->c : inputs->c,
                                .skip = inputs->skip,
                                .H0 = inputs->H0};
}

struct status selective_map_apply(const struct selective_map *map, const struct inputs *inputs, const real *y, bool zero,
                                  const struct selective_point *point, real *next)
{
    const struct problem *p = &map->problem;
    const struct run run = {
        .map = map, .inputs = inputs, .y = y, .zero = zero, .point = point, .xt = point != NULL && mixes(p) ? point->x : next};
    const struct finish finish = {.problem = p, .inputs = inputs, .w = point != NULL ? point->w : NULL, .next = next};
    prepare(&run);
    struct matrix_rows rows = selective_map_rows(map, inputs, run.xt);
    rows.out = next;
    rows.final = map->final;
    rows.kept = point != NULL ? point->kept : NULL;
    if (token_norm(p) || p->gate == GATE_INSIDE) {
        rows.finish = finish_rows;
        rows.context = &finish;
    }
    return matrix_scan_run(&map->scan, &rows) ? status_ok() : finite_status(p, next);
}

static struct status apply(const void *map, const struct inputs *inputs, const real *y, bool zero, real *next)
{
    return selective_map_apply(map, inputs, y, zero, NULL, next);
}

struct mapping selective_map_mapping(const struct selective_map *map)
{
    return (struct mapping){.problem = &map->problem, .threads = map->scan.threads, .map = map, .apply = apply};
}

void selective_map_count(const struct problem *p, int threads, const char *split, int64_t l, struct work *work)
{
    double tokens = (double)p->B * (double)p->T, d = (double)p->d, N = (double)p->N, m = (double)problem_m(p), n = (double)l;
    double width = (double)token_layout(p).width, q = (double)kept_parameters(p), steps = token_layout(p).dt >= 0 ? d : 0;
    bool once = vectors_made(p) && !vectors_read(p), gated = p->gate == GATE_INSIDE;
    matrix_scan_count(p, threads, split, work);
    work->bytes *= n;
    work->operations *= n;
    work->exponentials *= n;
    /* once: mixer parameters, b and c are read and kept as they are used */
    double reals = tokens * ((q > 0 ? m + q : 0) + (once ? 4 * N : 0));
    double operations = tokens * ((q > 0 ? mixer_activate_operations(p) : 0) + (once ? 6 * N : 0));
    /* each application: what reads the output before, and what is made of that */
    reals += n * tokens * (width + (vectors_read(p) ? 2 * N : 0) + steps) + (n - 1) * (width * d + (width > 0 ? tokens * d : 0));
    operations += (n - 1) * 2 * tokens * width * d; /* y^0 = 0 needs no product, but for an initial output */
    operations += n * tokens *
                  ((token_layout(p).theta >= 0 ? mixer_activate_operations(p) : 0) + 8 * steps +
                   (vectors_read(p) && token_unit(p) ? 6 * N : 0));
    if (mixes(p)) {
        reals += n * tokens * (3 * d + q);
        operations += n * tokens * (mixer_apply_operations(p) + 2 * d);
    }
    /* gate and LayerNorm: rows in and out, z */
    reals += n * tokens * ((gated || token_norm(p) ? 2 * d : 0) + (gated ? d : 0));
    operations += n * tokens * ((gated ? 4 * d : 0) + (token_norm(p) ? 8 * d : 0));
    work->bytes += reals * sizeof(real);
    work->operations += operations;
    work->library = width > 0;
    work->set += (tokens * ((mixes(p) ? 2 * d + q : 0) + width + steps) + width * d) * sizeof(real);
}
