/* See rows.h. */
#include "impls/selective_heads/rows.h"

#include "impls/math/activation.h"
#include "impls/math/adjoint.h"
#include "impls/math/finite.h"
#include "impls/math/sums.h"
#include "impls/math/unit.h"

#define NORM_EPSILON ((real)1e-5) /* of the mean of the squares */

const real *heads_vectors(const struct problem *p, const real *raw, int64_t i, int64_t n, real *room)
{
    const int64_t N = p->N;
    if (!heads_unit(p))
        return raw + i * N;
    for (int64_t t = 0; t < n; t++)
        unit(raw + (i + t) * N, room + t * N, N);
    return room;
}

void heads_vectors_adjoint(const struct problem *p, const real *raw, int64_t i, const real *adjoint, real *gradient)
{
    const int64_t N = p->N;
    real *to = gradient != NULL ? gradient + i * N : NULL;
    if (to != NULL && heads_unit(p)) {
        const real inverse = unit(raw + i * N, to, N);
        unit_adjoint(to, inverse, adjoint, to, N);
    } else
        adjoint_put(to, adjoint, N, false);
}

void heads_decays(const struct problem *p, const struct inputs *inputs, int64_t i, int64_t n, int64_t from, int64_t to,
                  int64_t stride, real *a)
{
    const real *A = inputs->A, *dt = (const real *)inputs->dt + i * p->heads;
    for (int64_t h = from; h < to; h++) {
        real *row = a + (h - from) * stride;
        for (int64_t t = 0; t < n; t++)
            row[t] = -dt[t * p->heads + h] * A[h];
#pragma omp simd
        for (int64_t t = 0; t < n; t++)
            row[t] = exponential(row[t]);
    }
}

void heads_driven(const struct problem *p, const struct inputs *inputs, int64_t i, int64_t n, int64_t from, int64_t to, real *u)
{
    const int64_t channels = p->d / p->heads;
    const real *dt = (const real *)inputs->dt + i * p->heads, *x = (const real *)inputs->x + i * p->d + from * channels;
    for (int64_t t = 0; t < n; t++, dt += p->heads, x += p->d)
        for (int64_t h = from; h < to; h++, u += channels)
            set_scaled(dt[h], x + (h - from) * channels, u, channels);
}

/* 1 / sqrt(mean w^2 + epsilon): neither infinity nor NaN may end as a finite output. */
static real inverse_of(const real *w, int64_t d)
{
    const real squares = row_dot(w, w, d);
    return squares <= REAL_MAX ? 1 / real_sqrt(squares / (real)d + NORM_EPSILON) : (real)NAN;
}

/* w (d) = h + skip . x of token i. */
static void pass_by(const struct problem *p, const struct inputs *inputs, int64_t i, const real *h, real *w)
{
    const int64_t channels = p->d / p->heads;
    const real *x = (const real *)inputs->x + i * p->d, *skip = inputs->skip;
    for (int64_t head = 0; head < p->heads; head++)
#pragma omp simd
        for (int64_t c = head * channels; c < (head + 1) * channels; c++)
            w[c] = h[c] + skip[head] * x[c];
}

bool heads_finish(const struct problem *p, const struct inputs *inputs, int64_t i, int64_t n, real *y)
{
    const int64_t d = p->d;
    const real *gain = inputs->gain;
    bool finite = true;
    for (int64_t token = i; token < i + n; token++) {
        real *w = y + token * d;
        pass_by(p, inputs, token, w, w);
        if (p->gate == GATE_INSIDE) {
            const real *z = (const real *)inputs->z + token * d;
#pragma omp simd
            for (int64_t c = 0; c < d; c++)
                w[c] *= silu(z[c]);
        }
        if (heads_norm(p)) {
            const real inverse = inverse_of(w, d);
#pragma omp simd
            for (int64_t c = 0; c < d; c++)
                w[c] *= inverse * gain[c];
        }
        finite = row_finite(w, d) && finite;
    }
    return finite;
}

void heads_finish_count(const struct problem *p, struct work *work)
{
    const double tokens = (double)p->B * (double)p->T, d = (double)p->d;
    work->operations += tokens * 2 * d;
    if (heads_norm(p))
        work->operations += tokens * 4 * d;
    if (heads_unit(p))
        work->operations += tokens * 6 * (double)p->N;
    if (p->gate == GATE_INSIDE) {
        work->operations += tokens * 3 * d;
        work->exponentials += tokens * d;
    }
}

/* What the norm lets through of a change: out (d) = inverse (v - yh mean(yh . v)), v = gain . y_adjoint and yh = inverse w;
 * gain_adjoint += y_adjoint . yh. Of one channel only what epsilon leaves, which no difference of larger numbers finds. */
static void norm_back(const real *w, real inverse, const real *gain, const real *y_adjoint, real *gain_adjoint, real *out,
                      int64_t d)
{
    real along = 0;
#pragma omp simd reduction(+ : along)
    for (int64_t c = 0; c < d; c++) {
        along += gain[c] * y_adjoint[c] * (inverse * w[c]);
        gain_adjoint[c] += y_adjoint[c] * (inverse * w[c]);
    }
    along /= (real)d;
    if (d == 1) {
        out[0] = inverse * gain[0] * y_adjoint[0] * (NORM_EPSILON * inverse * inverse);
        return;
    }
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        out[c] = inverse * (gain[c] * y_adjoint[c] - inverse * w[c] * along);
}

void heads_finish_adjoint(const struct problem *p, const struct inputs *inputs, int64_t i, const real *y_adjoint, real *h, real *z,
                          real *gain, real *skip, real *room)
{
    const int64_t d = p->d, channels = d / p->heads;
    const real *x = (const real *)inputs->x + i * d, *raw = p->gate == GATE_INSIDE ? (const real *)inputs->z + i * d : NULL;
    real *gate = room, *w = room + d;
    if (y_adjoint == NULL) {
        fill(h, 0, d);
        if (z != NULL)
            fill(z, 0, d);
        return;
    }
    pass_by(p, inputs, i, h, h);
    if (raw != NULL) {
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            gate[c] = silu(raw[c]);
    } else
        fill(gate, 1, d);
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        w[c] = gate[c] * h[c];
    if (heads_norm(p))
        norm_back(w, inverse_of(w, d), inputs->gain, y_adjoint, gain, w, d);
    else
        memcpy(w, y_adjoint, (size_t)d * sizeof(real));
    if (z != NULL && raw != NULL) {
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            z[c] = w[c] * h[c] * silu_slope(raw[c], 1 / (1 + exponential(-raw[c])));
    }
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        h[c] = gate[c] * w[c];
    for (int64_t head = 0; head < p->heads; head++)
        skip[head] += dot(h + head * channels, x + head * channels, channels);
}
