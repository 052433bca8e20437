/* See states.h. */
#include "impls/selective/states.h"

#include "impls/math/power.h"
#include "impls/math/vector.h"

#define LN2 ((real)0.6931471805599453)
#define INLINE static inline __attribute__((always_inline))

/* Vector j of a row of d channels, zeros beyond. */
INLINE lanes take_row(const real *row, int64_t j, int64_t d)
{
    const int64_t left = d - j * LANES;
    return left >= LANES ? lanes_load(row + j * LANES) : lanes_load_part(row + j * LANES, left);
}

INLINE void put_row(real *row, int64_t j, int64_t d, lanes a)
{
    const int64_t left = d - j * LANES;
    memcpy(row + j * LANES, &a, (size_t)(left < LANES ? left : LANES) * sizeof(real));
}

void states_take(const struct states *s, const real *from, int64_t stride, lanes *state)
{
    for (int64_t j = 0; j < states_vectors(s->d); j++)
        for (int64_t n = 0; n < s->N; n++) {
            lanes a = {0};
            for (int64_t i = 0; i < LANES && from != NULL && j * LANES + i < s->d; i++)
                a[i] = from[(j * LANES + i) * s->N + n];
            state[j * stride + n] = a;
        }
}

void states_rates(int64_t d, int64_t N, const real *A, lanes *rates)
{
    const struct states states = {d, N, NULL};
    states_take(&states, A, N, rates);
    for (int64_t n = 0; n < states_vectors(d) * N; n++)
        rates[n] *= LOG2_E;
}

void states_put(const struct states *s, const lanes *state, int64_t stride, bool add, real *to)
{
    for (int64_t i = 0; i < s->d; i++)
        for (int64_t n = 0; n < s->N; n++) {
            const real a = state[i / LANES * stride + n][i % LANES];
            to[i * s->N + n] = add ? to[i * s->N + n] + a : a;
        }
}

/* decay (N) = exp(-dt A) of one row of channels. */
INLINE void decays(int64_t N, const lanes *rates, lanes dt, lanes *decay)
{
    for (int64_t n = 0; n < N; n++)
        decay[n] = lanes_power(-dt * rates[n]);
}

/* One iterate of one row of channels; the sum over N comes back. */
INLINE lanes advance(int64_t N, const lanes *decay, lanes drive, const real *b, const real *c, lanes *H)
{
    lanes sum[2] = {{0}, {0}};
    int64_t n = 0;
    for (; n + 2 <= N; n += 2)
#pragma GCC unroll 2
        for (int k = 0; k < 2; k++) {
            lanes h = decay[n + k] * (H[n + k] + drive * b[n + k]);
            H[n + k] = h;
            sum[k] += h * c[n + k];
        }
    if (n < N) {
        H[n] = decay[n] * (H[n] + drive * b[n]);
        sum[0] += H[n] * c[n];
    }
    return sum[0] + sum[1];
}

/* N 0: any. */
INLINE void iterates(const int64_t N, const struct states *s, int64_t L, const real *const *dt, bool shared, const real *drive,
                     const real *b, const real *c, lanes *H, real *base, lanes *decay)
{
    const int64_t all = states_vectors(s->d), width = all * LANES, states = N > 0 ? N : s->N;
    for (int64_t j = 0; j < all; j++)
        for (int64_t l = 0; l < L; l++, H += states) {
            if (l == 0 || !shared)
                decays(states, s->rates + j * states, take_row(dt[l], j, s->d), decay);
            const int64_t place = l * width + j * LANES;
            lanes sum = advance(states, decay, lanes_load(drive + place), b + l * states, c + l * states, H);
            lanes_store(base + place, sum);
        }
}

void states_iterates(const struct states *s, int64_t L, const real *const *dt, bool shared, const real *drive, const real *b,
                     const real *c, lanes *H, real *base, lanes *decay)
{
    if (s->N == 16)
        iterates(16, s, L, dt, shared, drive, b, c, H, base, decay);
    else
        iterates(0, s, L, dt, shared, drive, b, c, H, base, decay);
}

void states_finish(const struct states *s, int64_t L, const lanes *H, const real *drive, const real *b, real *to)
{
    for (int64_t i = 0; i < s->d; i++)
        for (int64_t n = 0; n < s->N; n++)
            to[i * s->N + n] = H[i / LANES * L * s->N + n][i % LANES] + drive[i] * b[n];
}

void states_step(const struct states *s, const real *dt, const real *drive, const real *b, const real *c, const lanes *before,
                 lanes *after, bool keep, lanes *decay, real *out)
{
    const int64_t N = s->N;
    for (int64_t j = 0; j < states_vectors(s->d); j++, before += N, after += N, decay += keep ? N : 0) {
        const lanes w = take_row(drive, j, s->d);
        lanes sum = {0};
        decays(N, s->rates + j * N, take_row(dt, j, s->d), decay);
        for (int64_t n = 0; n < N; n++) {
            lanes h = decay[n] * before[n] + w * b[n];
            after[n] = h;
            sum += h * c[n];
        }
        put_row(out, j, s->d, sum);
    }
}

void states_product(const struct states *s, const lanes *state, const real *b, real *out)
{
    for (int64_t j = 0; j < states_vectors(s->d); j++, state += s->N) {
        lanes sum = {0};
        for (int64_t n = 0; n < s->N; n++)
            sum += state[n] * b[n];
        put_row(out, j, s->d, sum);
    }
}

/* to (N) = the sums over the lanes of sums (N) */
static void add_up(int64_t N, const lanes *sums, real *to)
{
    for (int64_t from = 0; from < N; from += LANES) {
        const int64_t count = N - from < LANES ? N - from : LANES;
        lanes some[LANES];
        for (int64_t i = 0; i < LANES; i++)
            some[i] = i < count ? sums[from + i] : (lanes){0};
        lanes total = lanes_sums(some);
        memcpy(to + from, &total, (size_t)count * sizeof(real));
    }
}

void states_adjoint(const struct states *s, const struct states_adjoint *at)
{
    const int64_t N = s->N, d = s->d;
    lanes *b_sums = at->sums, *c_sums = at->sums + N;
    for (int64_t n = 0; n < 2 * N; n++)
        at->sums[n] = (lanes){0};
    for (int64_t j = 0; j < states_vectors(d); j++) {
        const lanes dt = take_row(at->dt, j, d), drive = take_row(at->drive, j, d), out = take_row(at->out_adjoint, j, d);
        const lanes *rates = s->rates + j * N, *before = at->before + j * N, *decay = at->decay + j * N;
        lanes *H = at->H_adjoint + j * N, *rates_adjoint = at->rates_adjoint + j * N, driven = {0}, slope = {0};
        for (int64_t n = 0; n < N; n++) {
            const lanes a = decay[n], kept = a * before[n], adjoint = H[n] + out * at->c[n], through = adjoint * kept;
            b_sums[n] += drive * adjoint;
            c_sums[n] += out * (kept + drive * at->b[n]);
            driven += adjoint * at->b[n];
            slope += rates[n] * through;
            rates_adjoint[n] -= dt * through;
            H[n] = a * adjoint;
        }
        put_row(at->drive_adjoint, j, d, driven);
        put_row(at->slope, j, d, slope * LN2);
    }
    add_up(N, b_sums, at->b_adjoint);
    add_up(N, c_sums, at->c_adjoint);
}
