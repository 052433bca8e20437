/* See gradient.h. */
#include "impls/selective_heads/gradient.h"

#include "impls/contract/support.h"
#include "impls/math/blas.h"
#include "impls/math/finite.h"
#include "impls/math/sums.h"
#include "impls/math/vector.h"

#include <omp.h>
#include <stdlib.h>

enum { PART = 256 }; /* tokens whose sums are taken together */

static int64_t chunks_of(const struct problem *p, int64_t most)
{
    return (p->T + most - 1) / most;
}

static int64_t parts_of(const struct problem *p)
{
    return (p->B * p->T + PART - 1) / PART;
}

/* What one thread works in, for one group of one sequence. */
struct room {
    real *G;             /* (N,channels) */
    real *u_adjoint, *o; /* (n,channels): U', and e . O */
    real *Q, *S_adjoint; /* (n,n) */
    real *b, *c;         /* (n,N) adjoints of b~ and c~ */
    real *of_head;       /* (n,N) */
    real *s;             /* (n) */
    real *last;          /* (heads) e_{n-1} */
    real *row;           /* (2 d) */
    real *chunk;
    int64_t size;
};

static real *take(struct room *room, real *memory, int64_t n)
{
    real *at = memory == NULL ? NULL : memory + room->size;
    room->size += (n + 15) / 16 * 16;
    return at;
}

static struct room room_of(const struct problem *p, int64_t most, real *memory)
{
    struct room room = {0};
    room.G = take(&room, memory, p->d * p->N);
    room.u_adjoint = take(&room, memory, most * p->d);
    room.o = take(&room, memory, most * p->d);
    room.Q = take(&room, memory, most * most);
    room.S_adjoint = take(&room, memory, most * most);
    room.b = take(&room, memory, most * p->N);
    room.c = take(&room, memory, most * p->N);
    room.of_head = take(&room, memory, most * p->N);
    room.s = take(&room, memory, most);
    room.last = take(&room, memory, p->heads);
    room.row = take(&room, memory, 2 * p->d);
    room.chunk = take(&room, memory, heads_chunk_reals(p, most));
    return room;
}

/* Reals of out, kept, sums and vectors. */
enum { ARRAYS = 4 };
static void sizes(const struct problem *p, int64_t most, int64_t size[ARRAYS])
{
    const int64_t groups = heads_groups_of(p), tokens = p->B * p->T;
    size[0] = tokens * p->d;
    size[1] = p->B * chunks_of(p, most) * p->d * p->N;
    size[2] = parts_of(p) * (p->d + p->heads) + p->B * p->heads;
    size[3] = groups > 1 ? groups * tokens * 2 * p->N : 0;
}

double heads_gradient_reals(const struct problem *p, int64_t most, int threads)
{
    int64_t size[ARRAYS];
    double sum = (double)room_of(p, most, NULL).size * threads;
    sizes(p, most, size);
    for (int i = 0; i < ARRAYS; i++)
        sum += (double)size[i];
    return sum;
}

bool heads_gradient_open(const struct problem *p, int64_t most, int threads, struct heads_gradient *g)
{
    int64_t size[ARRAYS];
    bool memory = true;
    *g = (struct heads_gradient){.problem = *p, .most = most, .threads = threads, .each = room_of(p, most, NULL).size};
    real **const arrays[ARRAYS] = {&g->out, &g->kept, &g->sums, &g->vectors};
    sizes(p, most, size);
    for (int i = 0; i < ARRAYS; i++)
        memory = (*arrays[i] = memory_allocate(size[i], sizeof(real))) != NULL && memory;
    memory = (g->scratch = memory_allocate(g->each * threads, sizeof(real))) != NULL && memory;
    if (!memory)
        heads_gradient_close(g);
    return memory;
}

void heads_gradient_close(struct heads_gradient *g)
{
    free(g->scratch), free(g->out), free(g->kept), free(g->sums), free(g->vectors);
    *g = (struct heads_gradient){.threads = 0};
}

static real *kept_at(const struct heads_gradient *g, int64_t b, int64_t chunk, const struct heads_group *group)
{
    const struct problem *p = &g->problem;
    return g->kept + ((b * chunks_of(p, g->most) + chunk) * p->d + group->first) * p->N;
}

/* Forwards: states before all chunks, and H c~. */
static void run_forward(const struct heads_gradient *g, const struct inputs *inputs, int64_t b, int64_t part, real *scratch)
{
    const struct problem *p = &g->problem;
    const struct room room = room_of(p, g->most, scratch);
    struct heads_chunk chunk;
    heads_chunk_open(p, part, g->most, room.chunk, &chunk);
    const int64_t size = chunk.group.channels * p->N;
    heads_state_load(p, &chunk.group, b, inputs->H0, room.G);
    for (int64_t k = 0; k < chunks_of(p, g->most); k++) {
        const int64_t begin = k * g->most, n = p->T - begin < g->most ? p->T - begin : g->most;
        memcpy(kept_at(g, b, k, &chunk.group), room.G, (size_t)size * sizeof(real));
        heads_chunk_begin(&chunk, inputs, b * p->T + begin, n, true);
        heads_chunk_run(&chunk, g->out, room.G);
    }
}

/* Of the tokens of a part: H c~ becomes its adjoint. */
static void run_rows(const struct heads_gradient *g, const struct inputs *inputs, const real *y_adjoint,
                     const struct gradients *gradients, int64_t part, real *row)
{
    const struct problem *p = &g->problem;
    const int64_t d = p->d, end = (part + 1) * PART < p->B * p->T ? (part + 1) * PART : p->B * p->T;
    real *gain = g->sums + part * (d + p->heads), *z = gradients->z;
    fill(gain, 0, d + p->heads);
    for (int64_t i = part * PART; i < end; i++)
        heads_finish_adjoint(p, inputs, i, y_adjoint != NULL ? y_adjoint + i * d : NULL, g->out + i * d,
                             z != NULL ? z + i * d : NULL, gain, gain + d, row);
}

/* s (n) += of each t the sum of P . Q over all rows from t on and all columns before t. */
static void add_decays(int64_t n, const real *P, const real *Q, real *s)
{
    for (int64_t i = 1; i < n; i++) {
        real sum = 0;
        for (int64_t t = 1; t <= i; t++) {
            sum += P[i * n + t - 1] * Q[i * n + t - 1];
            s[t] += sum;
        }
    }
}

/* One way back through a chunk, head by head. */
static void head_back(const struct heads_gradient *g, const struct room *room, struct heads_chunk *chunk, int64_t head,
                      const real *H)
{
    const struct problem *p = &g->problem;
    const int64_t n = chunk->n, each = p->d / p->heads, wide = chunk->group.channels, first = head * each, N = p->N;
    const int rows = (int)n, states = (int)N, of_head = (int)each, channels = (int)wide, d = (int)p->d;
    const real *O = g->out + chunk->i * p->d + chunk->group.first + first;
    real *u = chunk->u + first, *u_adjoint = room->u_adjoint + first, *o = room->o + first;
    real kept = 0, before = 0, after = 0;
    heads_chunk_between(chunk, head, true);
    for (int64_t k = 0; k < N; k++)
        kept += row_dot(room->G + k * wide + first, H + k * wide + first, each);
    room->last[head] = chunk->e[n - 1];
    kept *= chunk->e[n - 1];
    fill(room->s, kept, n);
    blas_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, rows, of_head, 1, O, d, u, channels, 0, room->Q, rows);
    add_decays(n, chunk->P, room->Q, room->s);
    for (int64_t k = 0; k < n * n; k++)
        room->S_adjoint[k] += chunk->M[k] * room->Q[k];
    /* f . (B G^T), which u_adjoint holds before f; then what was driven within the chunk */
    for (int64_t t = 0; t < n; t++) {
        real *row = u_adjoint + t * wide;
        set_scaled(chunk->f[t], row, row, each);
        room->s[t] += before;
        before += row_dot(u + t * wide, row, each);
        set_scaled(chunk->f[t], u + t * wide, u + t * wide, each);
        set_scaled(chunk->e[t], O + t * p->d, o + t * wide, each);
    }
    blas_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, rows, of_head, rows, 1, chunk->P, rows, O, d, 1, u_adjoint, channels);
    blas_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, states, of_head, 1, o, channels, H + first, channels, 0, room->of_head,
              states);
    for (int64_t t = n - 1; t >= 0; t--) {
        after += row_dot(chunk->c + t * N, room->of_head + t * N, N);
        room->s[t] += after;
    }
    add_scaled(1, room->of_head, room->c, n * N);
}

/* x, dt and A of a head's tokens, from U' and s. */
static void head_put(const struct heads_gradient *g, const struct room *room, const struct heads_chunk *chunk,
                     const struct inputs *inputs, const struct gradients *gradients, int64_t head, real *A)
{
    const struct problem *p = &g->problem;
    const int64_t each = p->d / p->heads, h = chunk->group.from + head;
    const real rate = ((const real *)inputs->A)[h], skip = ((const real *)inputs->skip)[h];
    for (int64_t t = chunk->n - 1; t >= 0; t--) {
        const int64_t i = chunk->i + t, at = i * p->d + h * each;
        const real *x = (const real *)inputs->x + at, *u = room->u_adjoint + t * chunk->group.channels + head * each;
        const real dt = ((const real *)inputs->dt)[i * p->heads + h];
        if (gradients->dt != NULL)
            ((real *)gradients->dt)[i * p->heads + h] = row_dot(x, u, each) - rate * room->s[t];
        A[h] -= dt * room->s[t];
        real *to = gradients->x != NULL ? (real *)gradients->x + at : NULL;
        for (int64_t c = 0; to != NULL && c < each; c++)
            to[c] = dt * u[c] + skip * g->out[at + c];
    }
}

/* Where b' and c' of the token go, or wait for those of other groups. */
static void put_vectors(const struct heads_gradient *g, const struct room *room, const struct heads_chunk *chunk,
                        const struct inputs *inputs, const struct gradients *gradients, int64_t part)
{
    const struct problem *p = &g->problem;
    for (int64_t t = 0; t < chunk->n; t++) {
        const int64_t i = chunk->i + t, N = p->N;
        if (heads_groups_of(p) > 1) {
            real *to = g->vectors + (part * p->B * p->T + i) * 2 * N;
            memcpy(to, room->b + t * N, (size_t)N * sizeof(real));
            memcpy(to + N, room->c + t * N, (size_t)N * sizeof(real));
        } else {
            heads_vectors_adjoint(p, inputs->b, i, room->b + t * N, gradients->b);
            heads_vectors_adjoint(p, inputs->c, i, room->c + t * N, gradients->c);
        }
    }
}

/* The same of token i, whose groups are all there. */
static void add_vectors(const struct heads_gradient *g, const struct inputs *inputs, const struct gradients *gradients, int64_t i)
{
    const struct problem *p = &g->problem;
    real *all = g->vectors + i * 2 * p->N;
    for (int64_t part = 1; part < heads_groups_of(p); part++)
        add_scaled(1, all + part * p->B * p->T * 2 * p->N, all, 2 * p->N);
    heads_vectors_adjoint(p, inputs->b, i, all, gradients->b);
    heads_vectors_adjoint(p, inputs->c, i, all + p->N, gradients->c);
}

/* A group of a sequence back through all chunks. Returns the last token whose adjoint is not finite, or -1. */
static int64_t run_back(const struct heads_gradient *g, const struct inputs *inputs, const struct outputs *grad_outputs,
                        const struct gradients *gradients, int64_t b, int64_t part, real *scratch)
{
    const struct problem *p = &g->problem;
    const struct room room = room_of(p, g->most, scratch);
    const int states = (int)p->N;
    int64_t failed = -1;
    struct heads_chunk chunk;
    heads_chunk_open(p, part, g->most, room.chunk, &chunk);
    const struct heads_group *group = &chunk.group;
    const int64_t each = p->d / p->heads;
    const int channels = (int)group->channels;
    real *A = g->sums + parts_of(p) * (p->d + p->heads) + b * p->heads;
    fill(A + group->from, 0, group->to - group->from);
    heads_state_load(p, group, b, grad_outputs->final, room.G);
    for (int64_t k = chunks_of(p, g->most) - 1; k >= 0; k--) {
        const int64_t begin = k * g->most, n = p->T - begin < g->most ? p->T - begin : g->most;
        const int rows = (int)n;
        const real *H = kept_at(g, b, k, group);
        heads_chunk_begin(&chunk, inputs, b * p->T + begin, n, true);
        fill(room.S_adjoint, 0, n * n);
        fill(room.c, 0, n * p->N);
        blas_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, channels, states, 1, chunk.b, states, room.G, channels, 0,
                  room.u_adjoint, channels);
        for (int64_t head = 0; head < group->to - group->from; head++) {
            head_back(g, &room, &chunk, head, H);
            head_put(g, &room, &chunk, inputs, gradients, head, A);
        }
        blas_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, states, channels, 1, chunk.u, channels, room.G, channels, 0,
                  room.b, states);
        for (int64_t row = 0; row < p->N; row++)
            for (int64_t head = 0; head < group->to - group->from; head++) {
                real *part_of = room.G + row * group->channels + head * each;
                set_scaled(room.last[head], part_of, part_of, each);
            }
        blas_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, states, rows, 1, room.S_adjoint, rows, chunk.b, states, 1,
                  room.c, states);
        blas_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, rows, states, rows, 1, room.S_adjoint, rows, chunk.c, states, 1, room.b,
                  states);
        blas_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, states, channels, rows, 1, chunk.c, states, room.o, channels, 1, room.G,
                  channels);
        put_vectors(g, &room, &chunk, inputs, gradients, part);
        for (int64_t t = n - 1; t >= 0 && failed < 0; t--)
            if (!row_finite(room.u_adjoint + t * group->channels, group->channels))
                failed = b * p->T + begin + t;
    }
    if (gradients->H0 != NULL)
        heads_state_store(p, group, b, room.G, gradients->H0);
    return failed;
}

/* The last token of a sequence whose adjoint of H c~ is not finite, or -1: products of a chunk spread it over all of its tokens. */
static int64_t odd_row(const struct heads_gradient *g, int64_t b)
{
    const struct problem *p = &g->problem;
    for (int64_t i = (b + 1) * p->T - 1; i >= b * p->T; i--)
        if (!row_finite(g->out + i * p->d, p->d))
            return i;
    return -1;
}

/* to (n; NULL: not wanted) = the sum of rows, which lie so far from each other. */
static void add_rows(real *to, const real *from, int64_t rows, int64_t stride, int64_t n)
{
    if (to == NULL)
        return;
    fill(to, 0, n);
    for (int64_t k = 0; k < rows; k++)
        add_scaled(1, from + k * stride, to, n);
}

struct status heads_gradient_run(const struct heads_gradient *g, const struct inputs *inputs, const struct outputs *grad_outputs,
                                 const struct gradients *gradients)
{
    const struct problem *p = &g->problem;
    const int64_t groups = heads_groups_of(p), parts = parts_of(p), sums = p->d + p->heads, none = p->B * p->T;
    int64_t first = none;
#pragma omp parallel for num_threads(g->threads) schedule(static)
    for (int64_t k = 0; k < p->B * groups; k++)
        run_forward(g, inputs, k / groups, k % groups, g->scratch + omp_get_thread_num() * g->each);
#pragma omp parallel for num_threads(g->threads) schedule(static)
    for (int64_t part = 0; part < parts; part++)
        run_rows(g, inputs, grad_outputs->y, gradients, part, room_of(p, g->most, g->scratch + omp_get_thread_num() * g->each).row);
#pragma omp parallel for num_threads(g->threads) schedule(static) reduction(min : first)
    for (int64_t k = 0; k < p->B * groups; k++) {
        int64_t failed =
            run_back(g, inputs, grad_outputs, gradients, k / groups, k % groups, g->scratch + omp_get_thread_num() * g->each);
        if (failed >= 0) {
            const int64_t row = odd_row(g, k / groups);
            failed = row >= 0 ? row : failed;
            first = failed < first ? failed : first;
        }
    }
#pragma omp parallel for num_threads(g->threads) schedule(static)
    for (int64_t i = 0; i < (groups > 1 ? p->B * p->T : 0); i++)
        add_vectors(g, inputs, gradients, i);
    add_rows(heads_norm(p) ? gradients->gain : NULL, g->sums, parts, sums, p->d);
    add_rows(gradients->skip, g->sums + p->d, parts, sums, p->heads);
    add_rows(gradients->A, g->sums + parts * sums, p->B, p->heads, p->heads);
    return first < none ? status_at(STATUS_DIVERGED, first / p->T, first % p->T, "the adjoint is not finite") : status_ok();
}
