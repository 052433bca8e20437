/* See state.h. */
#include "impls/selective/state.h"

#include "impls/math/power.h"

static int64_t blocks(const struct problem *p)
{
    return (p->d + LANES - 1) / LANES;
}

int64_t state_row(const struct problem *p)
{
    return blocks(p) * LANES;
}

int64_t state_reals(const struct problem *p)
{
    return state_row(p) * p->N;
}

int64_t state_scratch(const struct problem *p)
{
    return 2 * p->N * LANES;
}

/* Where H[i,n] stands in a state. */
static int64_t place(const struct problem *p, int64_t i, int64_t n)
{
    return (i / LANES * p->N + n) * LANES + i % LANES;
}

void state_load(const struct problem *p, const real *H, real *state)
{
    fill(state, 0, state_reals(p));
    for (int64_t i = 0; H != NULL && i < p->d; i++)
        for (int64_t n = 0; n < p->N; n++)
            state[place(p, i, n)] = H[i * p->N + n];
}

void state_store(const struct problem *p, const real *state, real *H)
{
    for (int64_t i = 0; i < p->d; i++)
        for (int64_t n = 0; n < p->N; n++)
            H[i * p->N + n] = state[place(p, i, n)];
}

void state_rates(const struct problem *p, const real *A, real *rates)
{
    fill(rates, 0, state_reals(p));
    for (int64_t i = 0; i < p->d; i++)
        for (int64_t n = 0; n < p->N; n++)
            rates[place(p, i, n)] = -LOG2_E * A[i * p->N + n];
}

/* The channels of a block in a row (d), which the last of them may exceed. */
static inline lanes load_row(const real *row, int64_t block, int64_t d)
{
    int64_t left = d - block * LANES;
    return left >= LANES ? lanes_load(row + block * LANES) : lanes_load_part(row + block * LANES, left);
}

void state_decay(const struct problem *p, const real *rates, const real *dt, const real *u, const real *b, const real *c,
                 real *state, real *sums)
{
    int64_t N = p->N;
    for (int64_t block = 0; block < blocks(p); block++, rates += N * LANES, state += N * LANES) {
        lanes step = load_row(dt, block, p->d), in = lanes_load(u + block * LANES), sum = {0};
        for (int64_t n = 0; n < N; n++) {
            lanes h = (lanes_load(state + n * LANES) + in * b[n]) * lanes_power(step * lanes_load(rates + n * LANES));
            lanes_store(state + n * LANES, h);
            sum += h * c[n];
        }
        lanes_store(sums + block * LANES, sum);
    }
}

void state_keep(const struct problem *p, const real *rates, const real *dt, const real *u, const real *b, const real *state,
                real *decayed, real *decays)
{
    int64_t N = p->N;
    for (int64_t block = 0; block < blocks(p); block++) {
        lanes step = load_row(dt, block, p->d), in = lanes_load(u + block * LANES);
        for (int64_t n = 0, i = block * N * LANES; n < N; n++, i += LANES) {
            lanes decay = lanes_power(step * lanes_load(rates + i));
            lanes_store(decays + i, decay);
            lanes_store(decayed + i, (lanes_load(state + i) + in * b[n]) * decay);
        }
    }
}

void state_add(const struct problem *p, const real *u, const real *b, real *state)
{
    for (int64_t block = 0; block < blocks(p); block++)
        for (int64_t n = 0; n < p->N; n++, state += LANES)
            lanes_store(state, lanes_load(state) + lanes_load(u + block * LANES) * b[n]);
}

void state_read(const struct problem *p, const real *state, const real *v, real *out)
{
    for (int64_t block = 0; block < blocks(p); block++) {
        lanes sum = {0};
        for (int64_t n = 0; n < p->N; n++, state += LANES)
            sum += lanes_load(state) * v[n];
        lanes_store(out + block * LANES, sum);
    }
}

void state_adjoint(const struct problem *p, const real *rates, const real *dt, const real *u, const real *b, const real *c,
                   const real *o, const real *decayed, const real *decays, real *adjoint, real *A_adjoint, real *dt_adjoint,
                   real *b_adjoint, real *c_adjoint, real *scratch)
{
    int64_t N = p->N;
    real *b_sums = scratch, *c_sums = b_sums + N * LANES;
    fill(scratch, 0, 2 * N * LANES);
    for (int64_t block = 0; block < blocks(p); block++) {
        lanes step = load_row(dt, block, p->d), in = lanes_load(u + block * LANES), out = lanes_load(o + block * LANES), sum = {0};
        for (int64_t n = 0, i = block * N * LANES; n < N; n++, i += LANES) {
            lanes G = lanes_load(adjoint + i) + out * c[n], D = lanes_load(decayed + i), GD = G * D;
            sum += lanes_load(rates + i) * GD;
            lanes_store(A_adjoint + i, lanes_load(A_adjoint + i) - step * GD);
            lanes_store(b_sums + n * LANES, lanes_load(b_sums + n * LANES) + G * in);
            lanes_store(c_sums + n * LANES, lanes_load(c_sums + n * LANES) + (D + in * b[n]) * out);
            lanes_store(adjoint + i, lanes_load(decays + i) * G);
        }
        lanes_store(dt_adjoint + block * LANES, sum * (1 / LOG2_E)); /* rates are -log2(e) A */
    }
    for (int64_t n = 0; n < N; n++) {
        b_adjoint[n] = c_adjoint[n] = 0;
        for (int64_t i = 0; i < LANES; i++) {
            b_adjoint[n] += b_sums[n * LANES + i];
            c_adjoint[n] += c_sums[n * LANES + i];
        }
    }
}
