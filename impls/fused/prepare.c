/* See prepare.h. */
#include "impls/fused/prepare.h"

#include "impls/fused/update.h"
#include "impls/math/activation.h"

int64_t fused_products_size(const struct problem *p)
{
    return p->r * (p->r + 3);
}

void fused_prepare_begin(struct fused_sums *sums, real *products)
{
    sums->count = 0;
    sums->to = products;
}

void fused_prepare_end(struct fused_sums *sums)
{
    int count = sums->count;
    for (int i = count; i < LANES; i++)
        sums->some[i] = (lanes){0};
    lanes total = lanes_sums(sums->some);
    memcpy(sums->to, &total, (size_t)count * sizeof(real));
    sums->to += count;
    sums->count = 0;
}

static inline void put(struct fused_sums *sums, lanes sum)
{
    sums->some[sums->count++] = sum;
    if (sums->count == LANES)
        fused_prepare_end(sums);
}

/* x . v, x . G v, x . G x, x . x */
static void own(real gating, const real *v, const real *lambda, const real *x, int64_t n, struct fused_sums *sums)
{
    lanes with_v = {0}, with_drive = {0}, with_gate = {0}, with_itself = {0};
    for (int64_t j = 0; j < n * LANES; j += LANES) {
        lanes one = lanes_load(x + j), input = lanes_load(v + j), gated = one - gating * lanes_load(lambda + j) * one;
        with_v += one * input;
        with_drive += gated * input;
        with_gate += gated * one;
        with_itself += one * one;
    }
    put(sums, with_v);
    put(sums, with_drive);
    put(sums, with_gate);
    put(sums, with_itself);
}

/* x . G y, x . y */
static void cross(real gating, const real *lambda, const real *x, const real *y, int64_t n, struct fused_sums *sums)
{
    lanes with_gate = {0}, without = {0};
    for (int64_t j = 0; j < n * LANES; j += LANES) {
        lanes product = lanes_load(x + j) * lanes_load(y + j);
        with_gate += product - gating * lanes_load(lambda + j) * product;
        without += product;
    }
    put(sums, with_gate);
    put(sums, without);
}

void fused_prepare_token(const struct problem *p, const real *v, const real *lambda, const real *theta, int64_t n, real *x,
                         struct fused_sums *sums)
{
    int64_t d = p->d, r = p->r;
    const real gating = p->form == FORM_NORMALISED;
    for (int64_t i = 0; i < r; i++, x += n * LANES) {
        const real *raw = theta + i * d;
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            x[c] = silu(raw[c]);
        fill(x + d, 0, n * LANES - d);
        own(gating, v, lambda, x, n, sums);
        for (int64_t j = 0; j < i; j++)
            cross(gating, lambda, x, x - (i - j) * n * LANES, n, sums);
    }
    fill(x, 0, (fused_rank(r) - r) * n * LANES);
}
