/* See map_gradient.h. */
#include "impls/selective/map_gradient.h"

#include "impls/contract/support.h"
#include "impls/math/activation.h"
#include "impls/math/adjoint.h"
#include "impls/math/blas.h"
#include "impls/math/mixer.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

static bool mixes(const struct problem *p)
{
    return p->mixer != MIXER_NONE;
}

/* Of one thread: x - y, (I - Q)^T xi (d each); q's adjoint; a token's room; a block of outputs before (SELECTIVE_BLOCK,d); the rest. */
static int64_t scratch_size(const struct problem *p)
{
    int64_t block = token_layout(p).width > 0 ? SELECTIVE_BLOCK * p->d : 0;
    return 3 * p->d + mixer_size(p) + token_room(p) + block + token_adjoint_scratch(p) + mixer_gradient_scratch(p) + 64;
}

/* Reals of rows, q, x, w, kept of the point; scratch; dt, b, c, rows, sums, norms. */
enum { ARRAYS = 12 };
static void sizes(const struct problem *p, int threads, int64_t size[ARRAYS])
{
    struct token_layout layout = token_layout(p);
    int64_t tokens = p->B * p->T, n = tokens * p->d;
    bool finished = token_norm(p) || p->gate == GATE_INSIDE;
    const int64_t all[ARRAYS] = {tokens * layout.width,
                                 layout.theta >= 0 ? tokens * mixer_size(p) : 0,
                                 mixes(p) ? n : 0,
                                 finished ? n : 0,
                                 matrix_scan_kept(p),
                                 threads * scratch_size(p),
                                 n,
                                 tokens * p->N,
                                 tokens * p->N,
                                 tokens * layout.width,
                                 threads * layout.width * p->d,
                                 token_norm(p) ? threads * 2 * p->d : 0};
    memcpy(size, all, sizeof all);
}

double selective_gradient_reals(const struct problem *p, const char *split, int threads)
{
    int64_t size[ARRAYS];
    double sum = matrix_gradient_reals(p, split, threads);
    sizes(p, threads, size);
    for (int i = 0; i < ARRAYS; i++)
        sum += (double)size[i];
    return sum;
}

bool selective_gradient_open(struct selective_map *map, const char *split, struct selective_gradient *g)
{
    const struct problem *p = &map->problem;
    int64_t size[ARRAYS];
    *g = (struct selective_gradient){.map = map, .scratch = scratch_size(p)};
    sizes(p, map->scan.threads, size);
    real **const arrays[ARRAYS] = {&g->point.rows, &g->point.q, &g->point.x, &g->point.w, &g->point.kept, &g->memory,
                                   &g->dt,         &g->b,       &g->c,       &g->rows,    &g->sums,       &g->norms};
    bool memory = matrix_gradient_open(p, split, &map->scan, &g->scan);
    for (int i = 0; i < ARRAYS; i++) {
        *arrays[i] = memory_allocate(size[i], sizeof(real));
        memory = memory && *arrays[i] != NULL;
    }
    if (!memory)
        selective_gradient_close(g);
    return memory;
}

void selective_gradient_close(struct selective_gradient *g)
{
    matrix_gradient_close(&g->scan);
    free(g->point.rows);
    free(g->point.q);
    free(g->point.x);
    free(g->point.w);
    free(g->point.kept);
    free(g->memory);
    free(g->dt);
    free(g->b);
    free(g->c);
    free(g->rows);
    free(g->sums);
    free(g->norms);
    *g = (struct selective_gradient){0};
}

struct status selective_gradient_at(const struct selective_gradient *g, const struct inputs *inputs, const real *y, bool zero,
                                    real *next)
{
    struct selective_point point = g->point;
    if (!token_norm(&g->map->problem) && g->map->problem.gate == GATE_OUTSIDE)
        point.w = NULL;
    return selective_map_apply(g->map, inputs, y, zero, &point, next);
}

/* What the threads of one run share. */
struct run {
    const struct selective_gradient *g;
    const struct problem *p;
    const struct inputs *inputs;
    const real *y, *adjoint, *final;
    real *s;
    const struct gradients *gradients;
    bool add;
    bool reads, vectors, steps; /* whose adjoints are wanted: of rows, of b and c, of dt */
    real *y_adjoint;
};

/* Row i of width n, or NULL of nothing. */
static real *row(void *array, int64_t i, int64_t n)
{
    return array != NULL ? (real *)array + i * n : NULL;
}

/* s = the adjoint of w, of one token, back through LayerNorm and gate; sums (2,d) of gain and bias. gated is scratch (d). */
static void finish_token(const struct run *run, int64_t i, real *sums, real *gated)
{
    const struct problem *p = run->p;
    int64_t d = p->d;
    const real *adjoint = run->adjoint + i * d, *w = run->g->point.w + i * d;
    real *s = run->s + i * d;
    const real *z = run->inputs->z != NULL ? (const real *)run->inputs->z + i * d : NULL;
    if (token_norm(p)) {
        for (int64_t c = 0; z != NULL && c < d; c++)
            gated[c] = w[c] * silu(z[c]);
        const real *of = z != NULL ? gated : w;
        norm_row_adjoint(of, norm_of_row(of, d), run->inputs->gain, adjoint, run->gradients->gain != NULL ? sums : NULL,
                         run->gradients->bias != NULL ? sums + d : NULL, s, d);
    } else if (s != adjoint) {
        memcpy(s, adjoint, (size_t)d * sizeof(real));
    }
    if (z == NULL)
        return;
    if (run->gradients->z != NULL) {
        for (int64_t c = 0; c < d; c++) {
            real sigma = 1 / (1 + exponential_within(-z[c]));
            gated[c] = s[c] * w[c] * silu_slope(z[c], sigma);
        }
        adjoint_put(row(run->gradients->z, i, d), gated, d, run->add);
    }
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        s[c] *= silu(z[c]);
}

/* After the scan: s is the adjoint of xt. */
static void mix_token(const struct run *run, int64_t i, real *scratch)
{
    const struct problem *p = run->p;
    const struct selective_map *map = run->g->map;
    int64_t d = p->d, size = mixer_size(p), width = map->layout.width;
    real *apart = scratch, *turned = apart + d, *minus = turned + d, *of_q = minus + d, *rest = of_q + size;
    const real *s = run->s + i * d, *x = (const real *)run->inputs->x + i * d, *y = run->y + i * d;
    const real *q = (map->layout.theta >= 0 ? run->g->point.q : map->q) + i * size;
    real *y_adjoint = row(run->y_adjoint, i, d);
    bool theta = size > 0 && (run->gradients->theta != NULL || (run->reads && map->layout.theta >= 0));
    if (mixes(p)) { /* xt = x - (I - Q)(x - y) */
        for (int64_t c = 0; c < d; c++) {
            apart[c] = x[c] - y[c];
            minus[c] = -s[c];
        }
        mixer_apply_gradient(p, q, apart, minus, turned, theta ? of_q : NULL, rest);
        for (int64_t c = 0; y_adjoint != NULL && c < d; c++)
            y_adjoint[c] = -turned[c];
        for (int64_t c = 0; c < d; c++)
            turned[c] += s[c];
        adjoint_put(row(run->gradients->x, i, d), turned, d, run->add);
    } else {
        adjoint_put(row(run->gradients->x, i, d), s, d, run->add);
        if (y_adjoint != NULL)
            memset(y_adjoint, 0, (size_t)d * sizeof(real));
    }
    struct matrix_rows rows = selective_map_rows(map, run->inputs, NULL);
    const struct token_values values = {.q = q, .b = rows.b + i * p->N, .c = rows.c + i * p->N, .dt = rows.dt + i * d};
    const struct token_adjoints adjoints = {.q = theta ? of_q : NULL,
                                            .b = run->vectors ? run->g->b + i * p->N : NULL,
                                            .c = run->vectors ? run->g->c + i * p->N : NULL,
                                            .dt = run->steps ? run->g->dt + i * d : NULL};
    token_values_adjoint(p, run->inputs, i, run->g->point.rows + i * width, &values, &adjoints, run->gradients, run->add,
                         run->reads ? run->g->rows + i * width : NULL, rest);
}

/* y_adjoint of the tokens from ... to - 1 += what the tokens after them read; block (SELECTIVE_BLOCK,d) is scratch. */
static void read_block(const struct run *run, int64_t from, int64_t to, real *block)
{
    const struct problem *p = run->p;
    int64_t d = p->d, width = run->g->map->layout.width, tokens = p->B * p->T, last = to < tokens ? to : tokens - 1;
    if (last > from) /* rows of a sequence's first token are not used */
        token_read_adjoint(p, run->g->map->stack, run->g->rows + (from + 1) * width, last - from, block);
    for (int64_t i = from; i < to; i++)
        if (i % p->T < p->T - 1)
            adjoint_put(run->y_adjoint + i * d, block + (i - from) * d, d, true);
}

/* sum (width,d) = over the tokens begin ... end - 1, rows_adjoint^T y_{t-1}. */
static void weigh(const struct run *run, int64_t begin, int64_t end, real *block, real *sum)
{
    const struct problem *p = run->p;
    int64_t d = p->d, width = run->g->map->layout.width;
    memset(sum, 0, (size_t)(width * d) * sizeof(real));
    for (int64_t from = begin; from < end; from += SELECTIVE_BLOCK) {
        int64_t to = from + SELECTIVE_BLOCK < end ? from + SELECTIVE_BLOCK : end;
        for (int64_t i = from; i < to; i++) {
            const real *before = token_before(p, run->inputs, run->y, i);
            if (before != NULL)
                memcpy(block + (i - from) * d, before, (size_t)d * sizeof(real));
            else
                memset(block + (i - from) * d, 0, (size_t)d * sizeof(real));
        }
        blas_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)width, (int)d, (int)(to - from), 1, run->g->rows + from * width,
                  (int)width, block, (int)d, 1, sum, (int)d);
    }
}

/* to[k] = the sum over n threads of sums[thread,k], in their order, for k from ... to - 1. */
static void gather(real *sums, int64_t size, int n, int64_t from, int64_t to)
{
    for (int64_t k = from; k < to; k++)
        for (int thread = 1; thread < n; thread++)
            sums[k] += sums[thread * size + k];
}

void selective_gradient_run(const struct selective_gradient *g, const struct inputs *inputs, const real *y, const real *adjoint,
                            const real *final, real *s, const struct gradients *gradients, bool add, real *y_adjoint)
{
    const struct selective_map *map = g->map;
    const struct problem *p = &map->problem;
    struct run run = {.g = g,
                      .p = p,
                      .inputs = inputs,
                      .y = y,
                      .adjoint = adjoint,
                      .final = final,
                      .s = s,
                      .gradients = gradients,
                      .add = add,
                      .y_adjoint = y_adjoint};
    int64_t tokens = p->B * p->T, d = p->d, width = map->layout.width, block = selective_block(p);
    int threads = map->scan.threads, team = 1;
    bool weights = gradients->W != NULL || gradients->W_b != NULL || gradients->W_c != NULL || gradients->W_dt != NULL;
    run.reads = width > 0 && (y_adjoint != NULL || gradients->y0 != NULL || weights);
    bool norms = token_norm(p) && (gradients->gain != NULL || gradients->bias != NULL);
#pragma omp parallel num_threads(threads)
    {
        int thread = omp_get_thread_num(), n = omp_get_num_threads();
        real *sums = g->norms + thread * 2 * d;
        if (norms)
            memset(sums, 0, (size_t)(2 * d) * sizeof(real));
        for (int64_t i = tokens * thread / n; i < tokens * (thread + 1) / n; i++)
            finish_token(&run, i, sums, g->memory + thread * g->scratch);
#pragma omp single
        team = n;
    }
    if (norms) {
        gather(g->norms, 2 * d, team, 0, 2 * d);
        adjoint_put(gradients->gain, g->norms, d, add);
        adjoint_put(gradients->bias, g->norms + d, d, add);
    }

    struct matrix_rows rows = selective_map_rows(map, inputs, g->point.x);
    rows.kept = g->point.kept;
    run.vectors = gradients->b != NULL || gradients->c != NULL || (run.reads && map->layout.b >= 0);
    run.steps = gradients->dt != NULL || gradients->A != NULL || gradients->skip != NULL || (run.reads && map->layout.dt >= 0);
    const struct matrix_adjoints adjoints = {.out = s,
                                             .final = final,
                                             .x = s,
                                             .dt = run.steps ? g->dt : NULL,
                                             .b = run.vectors ? g->b : NULL,
                                             .c = run.vectors ? g->c : NULL,
                                             .A = gradients->A,
                                             .skip = gradients->skip,
                                             .H0 = gradients->H0,
                                             .add = add};
    matrix_gradient_run(&g->scan, &rows, &adjoints);

#pragma omp parallel num_threads(threads)
    {
        int64_t thread = omp_get_thread_num(), n = omp_get_num_threads(), begin = tokens * thread / n,
                end = tokens * (thread + 1) / n;
        real *scratch = g->memory + thread * g->scratch;
        for (int64_t i = begin; i < end; i++)
            mix_token(&run, i, scratch);
#pragma omp barrier /* what follows reads the rows' adjoints of the next token */
        if (run.reads && y_adjoint != NULL) {
#pragma omp for schedule(static)
            for (int64_t from = 0; from < tokens; from += block)
                read_block(&run, from, from + block < tokens ? from + block : tokens, scratch);
        }
        for (int64_t b = p->B * thread / n; gradients->y0 != NULL && b < p->B * (thread + 1) / n; b++) {
            memset(scratch, 0, (size_t)d * sizeof(real));
            if (run.reads)
                token_read_adjoint(p, map->stack, g->rows + b * p->T * width, 1, scratch);
            adjoint_put(row(gradients->y0, b, d), scratch, d, add);
        }
        if (width > 0 && weights) {
            weigh(&run, begin, end, scratch, g->sums + thread * width * d);
#pragma omp barrier
            gather(g->sums, width * d, (int)n, width * d * thread / n, width * d * (thread + 1) / n);
        }
    }
    if (width > 0 && weights)
        token_unstack(p, g->sums, gradients, add);
}

static void begin(void *of, const struct inputs *inputs)
{
    selective_map_begin(((struct selective_gradient *)of)->map, inputs, NULL);
}

static void at(void *of, const struct inputs *inputs, const real *y, real *next)
{
    const struct selective_gradient *g = of;
    selective_gradient_at(g, inputs, y, false, next != NULL ? next : g->dt);
}

static void transpose(void *of, const struct inputs *inputs, const real *y, const real *f, const real *adjoint, const real *final,
                      real *s, const struct gradients *gradients, bool add, real *y_adjoint)
{
    (void)f;
    selective_gradient_run(of, inputs, y, adjoint, final, s, gradients, add, y_adjoint);
}

struct linear_mapping selective_gradient_mapping(const struct selective_map *map, struct selective_gradient *g)
{
    return (struct linear_mapping){
        .problem = &map->problem, .threads = map->scan.threads, .map = g, .begin = begin, .at = at, .transpose = transpose};
}
