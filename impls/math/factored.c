/* See factored.h. */
#include "impls/math/factored.h"

#include "impls/math/vector.h"

int64_t factored_size(const struct problem *p)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    return n1 * n1 + n2 * n2;
}

void factored_apply(const struct problem *p, const real *q, const real *x, real *y, real *scratch)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    const real *A = q, *B = q + n1 * n1;
    fill(scratch, 0, p->d);
    for (int64_t i = 0; i < n1; i++)
        for (int64_t a = 0; a < n1; a++)
            add_scaled(A[i * n1 + a], x + a * n2, scratch + i * n2, n2);
    for (int64_t i = 0; i < n1; i++)
        for (int64_t j = 0; j < n2; j++)
            y[i * n2 + j] = dot(B + j * n2, scratch + i * n2, n2);
}

void factored_apply_gradient(const struct problem *p, const real *q, const real *x, const real *adjoint, real *x_adjoint,
                             real *q_adjoint, real *scratch)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    const real *A = q, *B = q + n1 * n1;
    real *PB = scratch, *AX = scratch + p->d; /* P the adjoint of Y */
    fill(scratch, 0, 2 * p->d);
    fill(x_adjoint, 0, p->d);
    for (int64_t i = 0; i < n1; i++)
        for (int64_t j = 0; j < n2; j++)
            add_scaled(adjoint[i * n2 + j], B + j * n2, PB + i * n2, n2);
    for (int64_t i = 0; i < n1; i++)
        for (int64_t a = 0; a < n1; a++)
            add_scaled(A[i * n1 + a], PB + i * n2, x_adjoint + a * n2, n2);
    if (q_adjoint == NULL)
        return;
    real *A_adjoint = q_adjoint, *B_adjoint = q_adjoint + n1 * n1;
    for (int64_t i = 0; i < n1; i++)
        for (int64_t a = 0; a < n1; a++) {
            add_scaled(A[i * n1 + a], x + a * n2, AX + i * n2, n2);
            A_adjoint[i * n1 + a] = dot(PB + i * n2, x + a * n2, n2);
        }
    fill(B_adjoint, 0, n2 * n2);
    for (int64_t i = 0; i < n1; i++)
        for (int64_t j = 0; j < n2; j++)
            add_scaled(adjoint[i * n2 + j], AX + i * n2, B_adjoint + j * n2, n2);
}

double factored_apply_operations(const struct problem *p)
{
    int64_t n1, n2;
    kronecker_sizes(p->d, &n1, &n2);
    return 2 * (double)p->d * (double)(n1 + n2);
}
