/* See state.h. */
#include "impls/delta/state.h"

#define INLINE static inline __attribute__((always_inline))

enum { BLOCK = 4 }; /* vectors of a row that are worked on together */

int64_t delta_width(const struct problem *p)
{
    return (p->d / p->heads + LANES - 1) / LANES * LANES;
}

void delta_load(const struct problem *p, int64_t head, const real *H, real *S)
{
    const int64_t channels = p->d / p->heads, width = delta_width(p), N = p->N;
    memset(S, 0, (size_t)(N * width) * sizeof(real));
    for (int64_t c = 0; c < channels && H != NULL; c++)
        for (int64_t n = 0; n < N; n++)
            S[n * width + c] = H[(head * channels + c) * N + n];
}

void delta_store(const struct problem *p, int64_t head, const real *S, real *H)
{
    const int64_t channels = p->d / p->heads, width = delta_width(p), N = p->N;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t n = 0; n < N; n++)
            H[(head * channels + c) * N + n] = S[n * width + c];
}

/* `vectors` of a row. */
INLINE void read_block(const int vectors, int64_t N, int64_t width, const real *S, const real *k, real *out)
{
    lanes sum[BLOCK] = {{0}};
    for (int64_t n = 0; n < N; n++)
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++)
            sum[i] += k[n] * lanes_load(S + n * width + i * LANES);
#pragma GCC unroll 4
    for (int i = 0; i < vectors; i++)
        lanes_store(out + i * LANES, sum[i]);
}

void delta_read(int64_t N, int64_t width, const real *S, const real *k, real *out)
{
    int64_t c = 0;
    for (; c + BLOCK * LANES <= width; c += BLOCK * LANES)
        read_block(BLOCK, N, width, S + c, k, out + c);
    for (; c < width; c += LANES)
        read_block(1, N, width, S + c, k, out + c);
}

/* Of `readings`, 0 to 2, the first so many. */
INLINE void step_block(const int vectors, const int readings, int64_t N, int64_t width, real kept, const real *from, const real *k,
                       const real *u, real *to, const real *const by[2], real *const out[2])
{
    lanes drive[BLOCK], sum[2][BLOCK] = {{{0}}};
#pragma GCC unroll 4
    for (int i = 0; i < vectors; i++)
        drive[i] = lanes_load(u + i * LANES);
    for (int64_t n = 0; n < N; n++)
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++) {
            const lanes state = kept * lanes_load(from + n * width + i * LANES) + k[n] * drive[i];
            lanes_store(to + n * width + i * LANES, state);
            if (readings > 0)
                sum[0][i] += by[0][n] * state;
            if (readings > 1)
                sum[1][i] += by[1][n] * state;
        }
#pragma GCC unroll 2
    for (int reading = 0; reading < readings; reading++)
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++)
            lanes_store(out[reading] + i * LANES, sum[reading][i]);
}

INLINE void step(const int readings, int64_t N, int64_t width, real kept, const real *from, const real *k, const real *u, real *to,
                 const struct delta_reading reading[2])
{
    const real *const by[2] = {reading[0].by, reading[1].by};
    int64_t c = 0;
    for (; c + BLOCK * LANES <= width; c += BLOCK * LANES) {
        real *const out[2] = {readings > 0 ? reading[0].out + c : NULL, readings > 1 ? reading[1].out + c : NULL};
        step_block(BLOCK, readings, N, width, kept, from + c, k, u + c, to + c, by, out);
    }
    for (; c < width; c += LANES) {
        real *const out[2] = {readings > 0 ? reading[0].out + c : NULL, readings > 1 ? reading[1].out + c : NULL};
        step_block(1, readings, N, width, kept, from + c, k, u + c, to + c, by, out);
    }
}

void delta_step(int64_t N, int64_t width, real kept, const real *from, const real *k, const real *u, real *to,
                struct delta_reading one, struct delta_reading other)
{
    const struct delta_reading reading[2] = {one.by != NULL ? one : other, other};
    if (one.by != NULL && other.by != NULL)
        step(2, N, width, kept, from, k, u, to, reading);
    else if (reading[0].by != NULL)
        step(1, N, width, kept, from, k, u, to, reading);
    else
        step(0, N, width, kept, from, k, u, to, reading);
}
