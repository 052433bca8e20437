/* See fp_rnn.h: weights that read x = W_x e through W_x. */
#include "train/layers/fp_rnn.h"

#include "impls/math/blas.h"

/* Rows of part i of n rows divided among `parts`. */
struct rows {
    int64_t from, n;
};

static struct rows rows_of(int64_t n, int64_t parts, int64_t i)
{
    int64_t from = n * i / parts;
    return (struct rows){from, n * (i + 1) / parts - from};
}

void fp_rnn_compose(const struct sequence_plan *plan)
{
    int64_t D = plan->D, d = plan->d;
    const real *w_x = plan->p[W_IN]->value;
#pragma omp parallel for num_threads(plan->threads) schedule(static, 1)
    for (int part = 0; part < plan->threads; part++)
        for (int i = 0; i < PARAMETERS; i++) {
            if (plan->through[i] == NULL)
                continue;
            struct rows rows = rows_of(plan->p[i]->size / d, plan->threads, part);
            if (rows.n > 0)
                blas_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows.n, (int)D, (int)d, 1,
                          (const real *)plan->p[i]->value + rows.from * d, (int)d, w_x, (int)D, 0, plan->through[i] + rows.from * D,
                          (int)D);
        }
}

void fp_rnn_decompose(const struct sequence_plan *plan)
{
    int64_t D = plan->D, d = plan->d;
    const real *w_x = plan->p[W_IN]->value;
    real *dw_x = plan->p[W_IN]->gradient;
#pragma omp parallel for num_threads(plan->threads) schedule(static, 1)
    for (int part = 0; part < plan->threads; part++)
        for (int i = 0; i < PARAMETERS; i++) {
            const real *given = plan->d_through[i];
            if (given == NULL)
                continue;
            int64_t out = plan->p[i]->size / d;
            struct rows rows = rows_of(out, plan->threads, part);
            if (rows.n > 0)
                blas_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows.n, (int)d, (int)D, 1, given + rows.from * D, (int)D,
                          w_x, (int)D, 0, (real *)plan->p[i]->gradient + rows.from * d, (int)d);
            rows = rows_of(d, plan->threads, part);
            if (rows.n > 0)
                blas_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)rows.n, (int)D, (int)out, 1,
                          (const real *)plan->p[i]->value + rows.from, (int)d, given, (int)D, 1, dw_x + rows.from * D, (int)D);
        }
}
