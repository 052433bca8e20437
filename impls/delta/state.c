/* See state.h. */
#include "impls/delta/state.h"

#define INLINE static inline __attribute__((always_inline))

/* Vectors of a row that are worked on together: as many as leave room in registers for drives and sums, of two steps for more of
 * them. */
enum { BLOCK = 4, PAIR_BLOCK = LANE_BYTES == 64 ? 4 : 2 };

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

/* Of `writes` and `readings` the first so many. */
INLINE void pass_block(const int vectors, const int writes, const int readings, const bool forgets, int64_t N, int64_t width,
                       const struct delta_pass *pass, int64_t c)
{
    const real *from = pass->from + c;
    real *to = pass->to + c;
    lanes drive[DELTA_WRITES][BLOCK], sum[DELTA_READINGS][BLOCK] = {{{0}}};
#pragma GCC unroll 2
    for (int k = 0; k < writes; k++)
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++)
            drive[k][i] = lanes_load(pass->u[k] + c + i * LANES);
    for (int64_t n = 0; n < N; n++) {
        lanes state[BLOCK];
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++)
            state[i] = forgets ? pass->kept * lanes_load(from + n * width + i * LANES) : lanes_load(from + n * width + i * LANES);
#pragma GCC unroll 2
        for (int k = 0; k < writes; k++) {
            const real key = pass->k[k][n];
#pragma GCC unroll 4
            for (int i = 0; i < vectors; i++)
                state[i] += key * drive[k][i];
        }
#pragma GCC unroll 4
        for (int k = 0; k < readings;
             k++) { /* before the state is stored: the compiler cannot know that this changes none of them */
            const real by = pass->by[k][n];
#pragma GCC unroll 4
            for (int i = 0; i < vectors; i++)
                sum[k][i] += by * state[i];
        }
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++)
            lanes_store(to + n * width + i * LANES, state[i]);
    }
#pragma GCC unroll 4
    for (int k = 0; k < readings; k++)
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++)
            lanes_store(pass->out[k] + c + i * LANES, sum[k][i]);
}

INLINE void pass_columns(const int writes, const int readings, int64_t N, int64_t width, const struct delta_pass *pass)
{
    const int block = writes == 1 ? BLOCK : PAIR_BLOCK;
    const bool forgets = pass->kept != 1;
    int64_t c = 0;
    for (; c + block * LANES <= width; c += block * LANES)
        if (forgets)
            pass_block(block, writes, readings, true, N, width, pass, c);
        else
            pass_block(block, writes, readings, false, N, width, pass, c);
    for (; c < width; c += LANES)
        pass_block(1, writes, readings, true, N, width, pass, c);
}

void delta_run_pass(int64_t N, int64_t width, const struct delta_pass *pass)
{
    const struct delta_pass local = *pass; /* nothing that is stored can change it */
    switch (local.writes * (DELTA_READINGS + 1) + local.readings) {
#define WAY(writes, readings)                                                                                                      \
    case (writes) * (DELTA_READINGS + 1) + (readings):                                                                             \
        pass_columns(writes, readings, N, width, &local);                                                                          \
        break;
        WAY(1, 0)
        WAY(1, 1)
        WAY(1, 2)
        WAY(1, 3)
        WAY(1, 4)
        WAY(2, 0)
        WAY(2, 1)
        WAY(2, 2)
        WAY(2, 3)
        WAY(2, 4)
#undef WAY
    default: /* no pass writes or reads more */
        __builtin_unreachable();
    }
}
