/* See update.h. One loop for all, made for each rank 1, 2, 4 and length of a tile by constants; ranks above are gone through in
 * fours, so that their sums fit, too. */
#include "impls/fused/update.h"

#include <stddef.h>

#define INLINE static inline __attribute__((always_inline))

enum { FEW = 4 }; /* ranks whose sums are taken in one go */

int64_t fused_rank(int64_t r)
{
    return r <= 2 ? r : (r + FEW - 1) / FEW * FEW;
}

int64_t fused_tile(int64_t R, int64_t left)
{
    int64_t L = FUSED_TILE / (R < FEW ? R : FEW);
    while (L > left)
        L /= 2;
    return L;
}

/* y[i] = the sum over the lanes of sum[i], for n of them. */
INLINE void add_up(const int n, const lanes *sum, real *y)
{
#pragma GCC unroll 16
    for (int from = 0; from < n; from += LANES) {
        lanes some[LANES];
        const int count = n - from < LANES ? n - from : LANES;
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++)
            some[i] = i < count ? sum[from + i] : (lanes){0};
        lanes total = lanes_sums(some);
        memcpy(y + from, &total, (size_t)count * sizeof(real));
    }
}

/* Vector j of the row that leaves, if it does. */
INLINE void put(real *out, bool stream, int64_t j, lanes h)
{
    if (out != NULL && stream)
        lanes_stream(out + j * LANES, h);
    else if (out != NULL)
        lanes_store(out + j * LANES, h);
}

INLINE void update_few(const int R, const int L, int64_t n, bool gated, const struct fused_token *token,
                       const struct fused_token *next, lanes *restrict states, const real *restrict g, real *restrict out,
                       bool stream, real *restrict y)
{
    const real *v = token->v, *lambda = token->lambda, *u = token->u, *lambda_next = next->lambda, *u_next = next->u;
    const real gating = gated;
    lanes sum[FUSED_TILE];
#pragma GCC unroll 16
    for (int i = 0; i < FUSED_TILE; i++)
        sum[i] = (lanes){0};
    for (int64_t j = 0; j < n; j++, states += L) {
        const lanes decay = lanes_load(lambda + j * LANES), gate = 1 - gating * decay, input = lanes_load(v + j * LANES),
                    drive = input - gating * decay * input; /* gate * input would be multiplied anew for each iterate */
        lanes h = {0}, mix[FEW], factor[FEW];
#pragma GCC unroll 4
        for (int i = 0; i < R; i++) {
            mix[i] = gate * lanes_load(u + (i * n + j) * LANES);
            factor[i] = lanes_load(lambda_next + j * LANES) * lanes_load(u_next + (i * n + j) * LANES);
        }
#pragma GCC unroll 16
        for (int l = 0; l < L; l++) {
            h = decay * states[l] + drive;
#pragma GCC unroll 4
            for (int i = 0; i < R; i++)
                h -= mix[i] * g[l * R + i];
            states[l] = h;
#pragma GCC unroll 4
            for (int i = 0; i < R; i++)
                sum[l * R + i] += factor[i] * h;
        }
        put(out, stream, j, h);
    }
    add_up(L * R, sum, y);
}

/* y (L,R) of R rows u. */
INLINE void dots_few(const int R, const int L, int64_t n, const real *lambda, const real *u, const lanes *states, real *y)
{
    lanes sum[FUSED_TILE];
#pragma GCC unroll 16
    for (int i = 0; i < FUSED_TILE; i++)
        sum[i] = (lanes){0};
    for (int64_t j = 0; j < n; j++, states += L) {
        lanes factor[FEW];
#pragma GCC unroll 4
        for (int i = 0; i < R; i++)
            factor[i] = lanes_load(lambda + j * LANES) * lanes_load(u + (i * n + j) * LANES);
#pragma GCC unroll 16
        for (int l = 0; l < L; l++) {
#pragma GCC unroll 4
            for (int i = 0; i < R; i++)
                sum[l * R + i] += factor[i] * states[l];
        }
    }
    add_up(L * R, sum, y);
}

/* R above FEW: the update, then the sums, FEW at a time. */
INLINE void update_many(int64_t R, const int L, int64_t n, bool gated, const struct fused_token *token, lanes *restrict states,
                        const real *restrict g, real *restrict out, bool stream)
{
    const real gating = gated;
    for (int64_t j = 0; j < n; j++, states += L) {
        const lanes decay = lanes_load(token->lambda + j * LANES), gate = 1 - gating * decay,
                    input = lanes_load(token->v + j * LANES), drive = input - gating * decay * input;
        lanes h[FUSED_TILE / FEW];
#pragma GCC unroll 4
        for (int l = 0; l < L; l++)
            h[l] = decay * states[l] + drive;
        for (int64_t i = 0; i < R; i++) {
            lanes mix = gate * lanes_load(token->u + (i * n + j) * LANES);
#pragma GCC unroll 4
            for (int l = 0; l < L; l++)
                h[l] -= mix * g[l * R + i];
        }
#pragma GCC unroll 4
        for (int l = 0; l < L; l++)
            states[l] = h[l];
        put(out, stream, j, h[L - 1]);
    }
}

INLINE void dots_many(int64_t R, const int L, int64_t n, const struct fused_token *next, const lanes *states, real *y)
{
    for (int64_t i = 0; i < R; i += FEW) {
        real few[FUSED_TILE];
        dots_few(FEW, L, n, next->lambda, next->u + i * n * LANES, states, few);
        for (int l = 0; l < L; l++)
            memcpy(y + l * R + i, few + (ptrdiff_t)l * FEW, FEW * sizeof(real));
    }
}

#define ARGUMENTS                                                                                                                  \
    int64_t R, int64_t n, bool gated, const struct fused_token *token, const struct fused_token *next, lanes *states,              \
        const real *g, real *out, bool stream, real *y
#define UPDATE_FEW(rank, length)                                                                                                   \
    static void update_##rank##_##length(ARGUMENTS)                                                                                \
    {                                                                                                                              \
        (void)R;                                                                                                                   \
        update_few(rank, length, n, gated, token, next, states, g, out, stream, y);                                                \
    }
#define UPDATE_MANY(length)                                                                                                        \
    static void update_many_##length(ARGUMENTS)                                                                                    \
    {                                                                                                                              \
        update_many(R, length, n, gated, token, states, g, out, stream);                                                           \
        dots_many(R, length, n, next, states, y);                                                                                  \
    }
#define DOTS_ARGUMENTS int64_t R, int64_t n, const struct fused_token *next, const lanes *states, real *y
#define DOTS_FEW(rank, length)                                                                                                     \
    static void dots_##rank##_##length(DOTS_ARGUMENTS)                                                                             \
    {                                                                                                                              \
        (void)R;                                                                                                                   \
        dots_few(rank, length, n, next->lambda, next->u, states, y);                                                               \
    }
#define DOTS_MANY(length)                                                                                                          \
    static void dots_many_##length(DOTS_ARGUMENTS)                                                                                 \
    {                                                                                                                              \
        dots_many(R, length, n, next, states, y);                                                                                  \
    }

/* Pairs of rank and length that fused_tile() gives. */
#define SHORT_TILES(X) X(1, 1) X(1, 2) X(1, 4) X(1, 8) X(2, 1) X(2, 2) X(2, 4) X(4, 1) X(4, 2)
#if LANE_BYTES == 64
#define TILES(X) SHORT_TILES(X) X(1, 16) X(2, 8) X(4, 4)
#define LENGTHS(X) X(1) X(2) X(4)
#else
#define TILES(X) SHORT_TILES(X)
#define LENGTHS(X) X(1) X(2)
#endif
TILES(UPDATE_FEW)
TILES(DOTS_FEW)
LENGTHS(UPDATE_MANY)
LENGTHS(DOTS_MANY)

#define UPDATE_ROW(rank, length) [rank][length] = update_##rank##_##length,
#define DOTS_ROW(rank, length) [rank][length] = dots_##rank##_##length,
#define UPDATE_MANY_ROW(length) [0][length] = update_many_##length,
#define DOTS_MANY_ROW(length) [0][length] = dots_many_##length,
static void (*const updates[FEW + 1][FUSED_TILE + 1])(ARGUMENTS) = {TILES(UPDATE_ROW) LENGTHS(UPDATE_MANY_ROW)};
static void (*const dots[FEW + 1][FUSED_TILE + 1])(DOTS_ARGUMENTS) = {TILES(DOTS_ROW) LENGTHS(DOTS_MANY_ROW)};

void fused_update(int64_t R, int64_t L, int64_t n, bool gated, const struct fused_token *token, const struct fused_token *next,
                  lanes *states, const real *g, real *out, bool stream, real *y)
{
    updates[R > FEW ? 0 : R][L](R, n, gated, token, next, states, g, out, stream, y);
}

void fused_dots(int64_t R, int64_t L, int64_t n, const struct fused_token *next, const lanes *states, real *y)
{
    dots[R > FEW ? 0 : R][L](R, n, next, states, y);
}
