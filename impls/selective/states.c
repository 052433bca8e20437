/* See states.h. */
#include "impls/selective/states.h"

#include "impls/math/power.h"

#define INLINE static inline __attribute__((always_inline))

void states_place(int64_t blocks, int64_t N, int64_t L, const real *state, real *H)
{
    const int64_t size = N * LANES;
    for (int64_t block = 0; block < blocks; block++)
        for (int64_t l = 0; l < L; l++)
            memcpy(H + (block * L + l) * size, state + block * size, (size_t)size * sizeof(real));
}

void states_take(int64_t blocks, int64_t N, int64_t L, int64_t l, const real *H, real *state)
{
    const int64_t size = N * LANES;
    for (int64_t block = 0; block < blocks; block++)
        memcpy(state + block * size, H + (block * L + l) * size, (size_t)size * sizeof(real));
}

/* One block of one iterate; the sum over N comes back. */
INLINE lanes advance(int64_t N, const real *decay, lanes drive, const real *b, const real *c, real *H)
{
    lanes sum[2] = {{0}, {0}};
    int64_t n = 0;
    for (; n + 2 <= N; n += 2)
#pragma GCC unroll 2
        for (int k = 0; k < 2; k++) {
            real *at = H + (n + k) * LANES;
            lanes h = lanes_load(decay + (n + k) * LANES) * (lanes_load(at) + drive * b[n + k]);
            lanes_store(at, h);
            sum[k] += h * c[n + k];
        }
    if (n < N) {
        lanes h = lanes_load(decay + n * LANES) * (lanes_load(H + n * LANES) + drive * b[n]);
        lanes_store(H + n * LANES, h);
        sum[0] += h * c[n];
    }
    return sum[0] + sum[1];
}

/* Vector j of a row of d channels, zeros beyond. */
INLINE lanes load_row(const real *row, int64_t block, int64_t d)
{
    const int64_t left = d - block * LANES;
    return left >= LANES ? lanes_load(row + block * LANES) : lanes_load_part(row + block * LANES, left);
}

INLINE void run(const int64_t N, int64_t d, int64_t L, const real *rates, const real *const *dt, bool shared, const real *drive,
                const real *b, const real *c, real *H, real *base, real *decay)
{
    const int64_t blocks = (d + LANES - 1) / LANES, width = blocks * LANES;
    for (int64_t block = 0; block < blocks; block++, rates += N * LANES)
        for (int64_t l = 0; l < L; l++, H += N * LANES) {
            if (l == 0 || !shared) {
                const lanes step = load_row(dt[l], block, d);
                for (int64_t n = 0; n < N; n++)
                    lanes_store(decay + n * LANES, lanes_power(step * lanes_load(rates + n * LANES)));
            }
            const int64_t place = l * width + block * LANES;
            lanes_store(base + place, advance(N, decay, lanes_load(drive + place), b + l * N, c + l * N, H));
        }
}

void states_decay(int64_t d, int64_t N, int64_t L, const real *rates, const real *const *dt, bool shared, const real *drive,
                  const real *b, const real *c, real *H, real *base, real *decay)
{
    if (N == 16) /* the usual number: its loops are unrolled */
        run(16, d, L, rates, dt, shared, drive, b, c, H, base, decay);
    else
        run(N, d, L, rates, dt, shared, drive, b, c, H, base, decay);
}
