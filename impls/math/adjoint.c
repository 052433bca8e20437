/* See adjoint.h. */
#include "impls/math/adjoint.h"

#include "impls/contract/support.h"
#include "impls/math/vector.h"

#include <string.h>

void adjoint_add_token(const struct problem *p, const struct outputs *grad_outputs, int64_t b, int64_t t, real *out)
{
    if (grad_outputs->h != NULL)
        add_scaled(1, (const real *)grad_outputs->h + (b * p->T + t) * p->d, out, p->d);
    if (grad_outputs->final != NULL && t == p->T - 1 && final_is_output(p))
        add_scaled(1, (const real *)grad_outputs->final + b * p->d, out, p->d);
}

void adjoint_add(const struct problem *p, const struct outputs *grad_outputs, int threads, real *out)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t token = 0; token < p->B * p->T; token++)
        adjoint_add_token(p, grad_outputs, token / p->T, token % p->T, out + token * p->d);
}

void adjoint_set(const struct problem *p, const struct outputs *grad_outputs, int threads, real *out)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t token = 0; token < p->B * p->T; token++) {
        fill(out + token * p->d, 0, p->d);
        adjoint_add_token(p, grad_outputs, token / p->T, token % p->T, out + token * p->d);
    }
}

void adjoint_put(real *to, const real *from, int64_t n, bool add)
{
    if (to != NULL && add)
        add_scaled(1, from, to, n);
    else if (to != NULL)
        memcpy(to, from, (size_t)n * sizeof(real));
}
