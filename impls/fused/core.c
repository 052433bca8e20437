/* See core.h. */
#include "impls/fused/core.h"

#include "impls/math/activation.h"
#include "impls/math/mixer.h"

int64_t fused_core_size(int64_t R)
{
    return 2 * R * R + 3 * R;
}

/* Products in units of u, of which j <= i is there. */
struct products {
    real *v, *driven;   /* (r) U^T v, U^T G v */
    real *gated, *gram; /* (r,r) U^T G U, U^T U */
};

static void scale(int64_t r, const real *products, real *inverse, const struct products *to)
{
    for (int64_t i = 0; i < r; i++) {
        inverse[i] = norm_inverse(products[3]);
        to->v[i] = products[0] * inverse[i];
        to->driven[i] = products[1] * inverse[i];
        to->gated[i * r + i] = products[2] * inverse[i] * inverse[i];
        products += 4;
        for (int64_t j = 0; j < i; j++, products += 2) {
            to->gated[i * r + j] = products[0] * inverse[i] * inverse[j];
            to->gram[i * r + j] = products[1] * inverse[i] * inverse[j];
        }
    }
}

/* One rank, where E and M are numbers. */
static void make_one(real strength, const real *products, real *core)
{
    real inverse = norm_inverse(products[3]), v = products[0] * inverse, driven = products[1] * inverse;
    core[0] = strength * inverse;
    core[1] = strength * (products[2] * inverse * inverse);
    core[2] = strength * v;
    core[3] = strength * (v - driven);
    core[4] = inverse;
}

void fused_core_make(const struct problem *p, int64_t R, const real *products, const real *raw, real *core, real *scratch)
{
    int64_t r = p->r;
    if (r == 1) {
        make_one((real)p->s * sigmoid(raw[0]), products, core);
        return;
    }
    const struct products of = {scratch, scratch + r, scratch + 2 * r, scratch + 2 * r + r * r};
    real *E = core, *M = E + R * R, *first = M + R * R, *rest = first + R, *inverse = rest + R;
    for (int64_t i = 0; i < fused_core_size(R); i++)
        core[i] = 0;
    scale(r, products, inverse, &of);
    for (int64_t i = 0; i < r; i++) { /* F E = S, F unit lower triangular */
        real strength = (real)p->s * sigmoid(raw[i]);
        E[i * R + i] = strength;
        for (int64_t j = 0; j < i && mixer_facts[p->mixer].product; j++)
            for (int64_t k = 0; k <= j; k++)
                E[i * R + k] -= strength * of.gram[i * r + j] * E[j * R + k];
    }
    for (int64_t i = 0; i < r; i++)
        for (int64_t k = 0; k <= i; k++) {
            real e = E[i * R + k];
            for (int64_t j = 0; j < r; j++)
                M[i * R + j] += e * (j <= k ? of.gated[k * r + j] : of.gated[j * r + k]);
            first[i] += e * of.v[k];
            rest[i] += e * (of.v[k] - of.driven[k]);
        }
    for (int64_t i = 0; i < r; i++) /* what it is applied to, y, is in units of x */
        for (int64_t k = 0; k <= i; k++)
            E[i * R + k] *= inverse[k];
}

const real *fused_core_first(int64_t R, const real *core)
{
    return core + 2 * R * R;
}

enum { LONGEST = 16 }; /* of a tile */

/* One rank: R numbers are one, and only one product of each iterate waits for that of the one before. */
static void run_one(int64_t L, const real *core, const real *y, real *carried, real *g)
{
    real E = core[0], M = core[1], rest = core[3], inverse = core[4], now = *carried, drive[LONGEST];
    for (int64_t l = 0; l < L; l++)
        drive[l] = rest - E * y[l];
    for (int64_t l = 0; l < L; l++) {
        real next = drive[l] + M * now;
        g[l] = now * inverse;
        now = next;
    }
    *carried = now;
}

static inline __attribute__((always_inline)) void run_some(const int64_t R, int64_t L, const real *core, const real *y,
                                                           real *carried, real *g)
{
    const real *E = core, *M = E + R * R, *rest = M + R * R + R, *inverse = rest + R;
    real now[64];
    for (int64_t l = 0; l < L; l++, y += R, g += R) {
        for (int64_t i = 0; i < R; i++) {
            now[i] = carried[i];
            g[i] = now[i] * inverse[i];
        }
        for (int64_t i = 0; i < R; i++) {
            real sum = rest[i];
            for (int64_t j = 0; j < R; j++)
                sum += M[i * R + j] * now[j] - E[i * R + j] * y[j];
            carried[i] = sum;
        }
    }
}

void fused_core_run(int64_t R, int64_t L, const real *core, const real *y, real *carried, real *g)
{
    if (R == 1)
        run_one(L, core, y, carried, g);
    else if (R == 2)
        run_some(2, L, core, y, carried, g);
    else if (R == 4)
        run_some(4, L, core, y, carried, g);
    else
        run_some(R, L, core, y, carried, g);
}
