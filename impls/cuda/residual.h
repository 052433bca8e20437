/* How far an iterate is from the one before: of a token max|next - h| / max|next| with 0/0 = 0, of a sequence the largest. */
#ifndef IMPLS_CUDA_RESIDUAL_H
#define IMPLS_CUDA_RESIDUAL_H

#include "impls/cuda/block.h"
#include "impls/cuda/session.h"

/* token (B,T). A block a token. */
static __global__ void token_residuals(const float *h, const float *next, int64_t d, float *token)
{
    SHARED(float, room, ROOM);
    int64_t at = (int64_t)blockIdx.x * d;
    float change = 0, size = 0;
    for (int64_t c = threadIdx.x; c < d; c += blockDim.x) {
        change = larger(change, fabsf(next[at + c] - h[at + c]));
        size = larger(size, fabsf(next[at + c]));
    }
    change = block_max(change, room);
    size = block_max(size, room);
    if (threadIdx.x == 0)
        token[blockIdx.x] = change == 0 ? 0 : change / size;
}

/* row (B) = the largest of token (B,T). A block a sequence. */
static __global__ void largest_residuals(const float *token, int64_t T, float *row)
{
    SHARED(float, room, ROOM);
    float most = 0;
    for (int64_t t = threadIdx.x; t < T; t += blockDim.x)
        most = larger(most, token[(int64_t)blockIdx.x * T + t]);
    most = block_max(most, room);
    if (threadIdx.x == 0)
        row[blockIdx.x] = most;
}

struct residuals {
    float *token;    /* (B,T) on the device */
    float *row;      /* (B) on the device */
    float *row_host; /* (B) */
};

static inline double residuals_bytes(const struct problem *p)
{
    return (double)p->B * (double)(p->T + 1) * sizeof(float);
}

static inline void residuals_close(struct residuals *r)
{
    device_free(r->token);
    device_free(r->row);
    free(r->row_host);
}

static inline struct status residuals_open(const struct problem *p, struct residuals *r)
{
    TRY(device_allocate(&r->token, (size_t)(p->B * p->T) * sizeof(float)));
    TRY(device_allocate(&r->row, (size_t)p->B * sizeof(float)));
    r->row_host = (float *)malloc((size_t)p->B * sizeof(float));
    return r->row_host != NULL ? status_ok() : status_no_memory();
}

/* Into row_host; waits for the device. *finite: false where one is not. */
static inline struct status residuals_measure(const struct problem *p, struct residuals *r, const float *h, const float *next,
                                              bool *finite)
{
    TRY(LAUNCH(token_residuals, p->B * p->T, block_threads(p->d), 0, h, next, p->d, r->token));
    TRY(LAUNCH(largest_residuals, p->B, block_threads(p->T), 0, r->token, p->T, r->row));
    TRY(device_download(r->row_host, r->row, (size_t)p->B * sizeof(float)));
    *finite = true;
    for (int64_t b = 0; b < p->B; b++)
        *finite = *finite && isfinite(r->row_host[b]);
    return status_ok();
}

/* Of row_host: how many sequences are below the tolerance, noted in l_star (B; NULL) at iteration l, and copied (B; NULL). */
static inline int64_t residuals_count(const struct problem *p, const struct residuals *r, double tolerance, int64_t l,
                                      int64_t *l_star, double *copy)
{
    int64_t count = 0;
    for (int64_t b = 0; b < p->B; b++) {
        bool below = r->row_host[b] < tolerance;
        count += below;
        if (below && l_star != NULL && l_star[b] == 0)
            l_star[b] = l;
        if (copy != NULL)
            copy[b] = r->row_host[b];
    }
    return count;
}

/* Sequences that must have converged before all stop: ceil(quantile B); without a tolerance never enough. */
static inline int64_t residuals_wanted(const struct problem *p, const struct settings *settings)
{
    if (settings->tolerance <= 0)
        return p->B + 1;
    return (int64_t)ceil(settings->quantile * (double)p->B * (1 - 4 * 2.220446049250313e-16));
}

/* trace_keep() of an iterate on the device. */
static inline struct status keep_iterate(const struct problem *p, struct trace *trace, int64_t l, const float *h)
{
    if (trace == NULL || trace->n_kept == trace->n_keep || trace->keep[trace->n_kept] != l)
        return status_ok();
    size_t size = (size_t)(p->T * p->d);
    for (int64_t i = 0; i < trace->n_sequences; i++)
        TRY(device_download((float *)trace->iterates + (size_t)(trace->n_kept * trace->n_sequences + i) * size,
                            h + (size_t)trace->sequences[i] * size, size * sizeof(float)));
    trace->n_kept++;
    return status_ok();
}

#endif
