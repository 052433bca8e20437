/* See chunk.h. */
#include "impls/selective_heads/chunk.h"

#include "impls/math/blas.h"
#include "impls/math/vector.h"

#define SMALLEST                                                                                                                   \
    (REAL_BITS == 32 ? (real)FLT_MIN : (real)DBL_MIN) /* products of decays below that are 0: what comes after is slow */

enum { PARTS = 8 }; /* sequences and groups there should be to share */

int64_t heads_groups_of(const struct problem *p)
{
    const int64_t groups = (PARTS + p->B - 1) / p->B;
    return groups < p->heads ? groups : p->heads;
}

struct heads_group heads_group(const struct problem *p, int64_t group)
{
    const int64_t groups = heads_groups_of(p), channels = p->d / p->heads;
    struct heads_group part = {.from = p->heads * group / groups, .to = p->heads * (group + 1) / groups};
    part.first = part.from * channels;
    part.channels = (part.to - part.from) * channels;
    return part;
}

void heads_state_load(const struct problem *p, const struct heads_group *group, int64_t b, const real *from, real *H)
{
    const int64_t N = p->N, channels = group->channels, at = (b * p->d + group->first) * N;
    for (int64_t n = 0; n < N; n++)
        for (int64_t c = 0; c < channels; c++)
            H[n * channels + c] = from != NULL ? from[at + c * N + n] : 0;
}

void heads_state_store(const struct problem *p, const struct heads_group *group, int64_t b, const real *H, real *to)
{
    const int64_t N = p->N, channels = group->channels, at = (b * p->d + group->first) * N;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t n = 0; n < N; n++)
            to[at + c * N + n] = H[n * channels + c];
}

static real *take(real **memory, int64_t n)
{
    real *at = *memory;
    *memory += (n + 15) / 16 * 16;
    return at;
}

/* The most heads of a group. */
static int64_t heads_most(const struct problem *p)
{
    const int64_t groups = heads_groups_of(p);
    return (p->heads + groups - 1) / groups;
}

int64_t heads_chunk_reals(const struct problem *p, int64_t most)
{
    const int64_t heads = heads_most(p), made = heads_unit(p) ? 2 * most * p->N : 0;
    return heads * most + most * heads * (p->d / p->heads) + 3 * most * most + 2 * most + made + 8 * 16;
}

void heads_chunk_open(const struct problem *p, int64_t group, int64_t most, real *memory, struct heads_chunk *chunk)
{
    const int64_t heads = heads_most(p);
    *chunk = (struct heads_chunk){.problem = p, .group = heads_group(p, group), .most = most};
    chunk->decays = take(&memory, heads * most);
    chunk->u = take(&memory, most * heads * (p->d / p->heads));
    chunk->S = take(&memory, most * most);
    chunk->M = take(&memory, most * most);
    chunk->P = take(&memory, most * most);
    chunk->e = take(&memory, most);
    chunk->f = take(&memory, most);
    chunk->made = heads_unit(p) ? memory : NULL;
}

void heads_chunk_begin(struct heads_chunk *chunk, const struct inputs *inputs, int64_t i, int64_t n, bool product)
{
    const struct problem *p = chunk->problem;
    const int N = (int)p->N, rows = (int)n;
    chunk->i = i;
    chunk->n = n;
    chunk->b = heads_vectors(p, inputs->b, i, n, chunk->made);
    chunk->c = heads_vectors(p, inputs->c, i, n, heads_unit(p) ? chunk->made + chunk->most * p->N : NULL);
    heads_decays(p, inputs, i, n, chunk->group.from, chunk->group.to, chunk->most, chunk->decays);
    heads_driven(p, inputs, i, n, chunk->group.from, chunk->group.to, chunk->u);
    if (product)
        blas_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, rows, N, 1, chunk->c, N, chunk->b, N, 0, chunk->S, rows);
}

void heads_chunk_between(struct heads_chunk *chunk, int64_t head, bool product)
{
    const int64_t n = chunk->n;
    const real *a = chunk->decays + head * chunk->most;
    real all = 1;
    for (int64_t i = 0; i < n; i++) {
        real *row = chunk->M + i * n, *both = chunk->P + i * n;
        const real *before = row - n, *S = chunk->S + i * n;
#pragma omp simd
        for (int64_t j = 0; j < i; j++) {
            const real kept = a[i] * before[j];
            row[j] = kept < SMALLEST ? 0 : kept; /* NaN stays NaN */
        }
        row[i] = 1;
        fill(row + i + 1, 0, n - i - 1);
        all *= a[i];
        all = all < SMALLEST ? 0 : all;
        chunk->e[i] = all;
        if (!product)
            continue;
#pragma omp simd
        for (int64_t j = 0; j < n; j++)
            both[j] = row[j] * S[j];
    }
    memcpy(chunk->f, chunk->M + (n - 1) * n, (size_t)n * sizeof(real));
}

void heads_chunk_run(struct heads_chunk *chunk, real *out, real *H)
{
    const struct problem *p = chunk->problem;
    const int64_t n = chunk->n, wide = chunk->group.channels, each = p->d / p->heads;
    const int rows = (int)n, N = (int)p->N, channels = (int)wide, d = (int)p->d, of_head = (int)each;
    real *to = out != NULL ? out + chunk->i * p->d + chunk->group.first : NULL;
    if (to != NULL)
        blas_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, channels, N, 1, chunk->c, N, H, channels, 0, to, d);
    for (int64_t head = 0; head < chunk->group.to - chunk->group.from; head++) {
        real *u = chunk->u + head * each;
        heads_chunk_between(chunk, head, to != NULL);
        for (int64_t t = 0; to != NULL && t < n; t++)
            set_scaled(chunk->e[t], to + t * p->d + head * each, to + t * p->d + head * each, each);
        if (to != NULL)
            blas_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, of_head, rows, 1, chunk->P, rows, u, channels, 1,
                      to + head * each, d);
        for (int64_t t = 0; t < n; t++)
            set_scaled(chunk->f[t], u + t * wide, u + t * wide, each);
        for (int64_t k = 0; k < p->N; k++)
            set_scaled(chunk->e[n - 1], H + k * wide + head * each, H + k * wide + head * each, each);
    }
    blas_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, N, channels, rows, 1, chunk->b, N, chunk->u, channels, 1, H, channels);
}
