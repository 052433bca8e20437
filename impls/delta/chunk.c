/* See chunk.h. */
#include "impls/delta/chunk.h"

#include "impls/delta/solve.h"
#include "impls/math/blas.h"
#include "impls/math/finite.h"
#include "impls/math/vector.h"

#define LEAST (4 / REAL_MAX) /* normal numbers begin here */

struct delta_chunk delta_chunk(const struct problem *p, int64_t tokens, real *memory)
{
    const int64_t steps = tokens * p->r, width = delta_width(p);
    const bool forgets = p->forget != FORGET_NONE;
    struct delta_chunk chunk = {0};
    int64_t taken = 0;
    chunk.keys = delta_take(memory, &taken, (steps + tokens) * p->N);
    chunk.pairs = delta_take(memory, &taken, (steps + tokens) * steps);
    chunk.M = delta_take(memory, &taken, forgets ? tokens * steps : 0);
    chunk.D = delta_take(memory, &taken, tokens);
    chunk.beta = delta_take(memory, &taken, steps);
    chunk.read = delta_take(memory, &taken, (steps + tokens) * width);
    chunk.errors = delta_take(memory, &taken, steps * width);
    chunk.X = delta_take(memory, &taken, steps * width);
    chunk.kept = forgets ? delta_take(memory, &taken, steps * width) : chunk.X;
    chunk.tokens = taken; /* until there are some */
    return chunk;
}

int64_t delta_chunk_size(const struct problem *p, int64_t tokens)
{
    return delta_chunk(p, tokens, NULL).tokens;
}

/* Asks for n reals that the next chunk reads: rows of a head lie too far apart for the processor to see it coming. */
static void ahead(const real *row, int64_t n)
{
    for (int64_t i = 0; i < n; i += 64 / (int64_t)sizeof(real))
        __builtin_prefetch(row + i);
}

/* Keys, queries and strengths, each in one stretch of memory. */
static void load(const struct delta_chunk *chunk)
{
    const struct delta_head *head = chunk->head;
    const struct problem *p = head->problem;
    const int64_t N = p->N, first = chunk->begin * p->r;
    const real scale = 1 / real_sqrt((real)N);
    for (int64_t i = 0; i < chunk->steps; i++) {
        if (first + i + chunk->steps < p->T * p->r) {
            ahead(head->k + (first + i + chunk->steps) * head->of_k, N);
            ahead(head->v + (first + i + chunk->steps) * head->of_v, head->channels);
        }
        memcpy(chunk->keys + i * N, head->k + (first + i) * head->of_k, (size_t)N * sizeof(real));
        chunk->beta[i] = head->beta[(first + i) * head->of_heads];
    }
    for (int64_t t = 0; t < chunk->tokens; t++) {
        if (chunk->begin + t + chunk->tokens < p->T)
            ahead(head->q + (chunk->begin + t + chunk->tokens) * head->of_k, N);
        set_scaled(scale, head->q + (chunk->begin + t) * head->of_k, chunk->keys + (chunk->steps + t) * N, N);
    }
}

/* M and D. */
static void gates(const struct delta_chunk *chunk)
{
    const struct delta_head *head = chunk->head;
    const int64_t r = head->problem->r, steps = chunk->steps;
    real all = 1;
    if (head->g == NULL) {
        fill(chunk->D, 1, chunk->tokens);
        return;
    }
    for (int64_t t = 0; t < chunk->tokens; t++) {
        const real a = delta_kept(head, chunk->begin + t), *before = chunk->M + (t > 0 ? t - 1 : 0) * steps;
        real *row = chunk->M + t * steps;
#pragma omp simd
        for (int64_t j = 0; j < t * r; j++) {
            const real decay = a * before[j];
            row[j] = choose(decay < LEAST, 0, decay);
        }
        fill(row + t * r, 1, r);
        all = choose(a * all < LEAST, 0, a * all);
        chunk->D[t] = all;
    }
}

/* Row of `pairs`: times M of its token, zeros from `end` on. */
static void mask(const struct delta_chunk *chunk, int64_t row, int64_t t, int64_t end)
{
    real *pair = chunk->pairs + row * chunk->steps;
    const real *M = chunk->M + t * chunk->steps;
#pragma omp simd
    for (int64_t j = 0; j < end; j++)
        pair[j] *= M[j];
}

static void pairs(const struct delta_chunk *chunk)
{
    const int64_t N = chunk->head->problem->N, r = chunk->head->problem->r, steps = chunk->steps, rows = steps + chunk->tokens;
    blas_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)steps, (int)N, 1, chunk->keys, (int)N, chunk->keys, (int)N,
              0, chunk->pairs, (int)steps);
    for (int64_t row = 0; row < rows; row++) {
        const int64_t t = row < steps ? row / r : row - steps, end = row < steps ? row : (t + 1) * r;
        if (chunk->head->g != NULL)
            mask(chunk, row, t, end);
        fill(chunk->pairs + row * steps + end, 0, steps - end);
    }
}

bool delta_chunk_errors(struct delta_chunk *chunk, const struct delta_head *head, int64_t begin, int64_t tokens, const real *S)
{
    const struct problem *p = head->problem;
    const int64_t N = p->N, r = p->r, width = delta_width(p), channels = head->channels, steps = tokens * r;
    chunk->head = head;
    chunk->begin = begin;
    chunk->tokens = tokens;
    chunk->steps = steps;
    load(chunk);
    gates(chunk);
    pairs(chunk);
    blas_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)(steps + tokens), (int)width, (int)N, 1, chunk->keys, (int)N, S,
              (int)width, 0, chunk->read, (int)width);
    for (int64_t i = 0; i < steps; i++) {
        const real *v = head->v + (begin * r + i) * head->of_v, D = chunk->D[i / r], *read = chunk->read + i * width;
        real *error = chunk->errors + i * width;
#pragma omp simd
        for (int64_t c = 0; c < channels; c++)
            error[c] = v[c] - D * read[c];
        for (int64_t c = channels; c < width; c++)
            error[c] = 0;
    }
    delta_solve(steps, width, chunk->pairs, chunk->beta, chunk->errors, chunk->X);
    for (int64_t i = 0; i < steps && head->g != NULL; i++)
        set_scaled(chunk->M[(tokens - 1) * steps + i], chunk->X + i * width, chunk->kept + i * width, width);
    return row_finite(chunk->X, steps * width);
}

void delta_chunk_state(const struct delta_chunk *chunk, real *S)
{
    const int64_t N = chunk->head->problem->N, width = delta_width(chunk->head->problem);
    if (chunk->head->g != NULL)
        set_scaled(chunk->D[chunk->tokens - 1], S, S, N * width);
    blas_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)N, (int)width, (int)chunk->steps, 1, chunk->keys, (int)N, chunk->kept,
              (int)width, 1, S, (int)width);
}

static void outputs(const struct delta_chunk *chunk, real *y)
{
    const struct delta_head *head = chunk->head;
    const struct problem *p = head->problem;
    const int64_t width = delta_width(p), channels = head->channels, steps = chunk->steps, d = p->d;
    real *first = y + (head->b * p->T + chunk->begin) * d + head->head * channels;
    for (int64_t t = 0; t < chunk->tokens; t++)
        set_scaled(chunk->D[t], chunk->read + (steps + t) * width, first + t * d, channels);
    blas_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)chunk->tokens, (int)channels, (int)steps, 1,
              chunk->pairs + steps * steps, (int)steps, chunk->X, (int)width, 1, first, (int)d);
}

void delta_chunk_run(struct delta_chunk *chunk, const struct delta_head *head, int64_t begin, int64_t tokens, real *S, real *y)
{
    const bool finite = delta_chunk_errors(chunk, head, begin, tokens, S);
    if (!finite && tokens > 1) {
        for (int64_t t = begin; t < begin + tokens; t++)
            delta_chunk_run(chunk, head, t, 1, S, y);
        return;
    }
    if (y != NULL)
        outputs(chunk, y);
    delta_chunk_state(chunk, S);
}
