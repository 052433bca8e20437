/* See feedback.h. */
#include "impls/math/feedback.h"

#include "impls/math/blas.h"
#include "impls/math/vector.h"

#include <omp.h>
#include <string.h>

/* The same of a state whose squares overflow, beside which 1e-6 is nothing. */
static real scale_of_large(const real *h, int64_t d)
{
    real largest = max_abs(h, d), sum = 0;
    for (int64_t c = 0; c < d; c++)
        sum += h[c] / largest * (h[c] / largest);
    return 1 / real_sqrt(sum / (real)d) / largest;
}

real feedback_scale(const struct problem *p, const real *h)
{
    if (p->feedback != FEEDBACK_RMS)
        return 1;
    real squares = dot(h, h, p->d);
    return isinf(squares) ? scale_of_large(h, p->d) : 1 / real_sqrt(squares / (real)p->d + (real)1e-6);
}

void feedback_parameters(const struct problem *p, const real *theta, const real *W, const real *before, real *out)
{
    int m = (int)problem_m(p), d = (int)p->d;
    memcpy(out, theta, (size_t)m * sizeof(real));
    blas_gemv(CblasRowMajor, CblasNoTrans, m, d, feedback_scale(p, before), W, d, before, 1, 1, out, 1);
}

void feedback_state(const struct problem *p, const real *h, real *k)
{
    if (h == NULL)
        fill(k, 0, p->d);
    else
        set_scaled(feedback_scale(p, h), h, k, p->d);
}

void feedback_states(const struct problem *p, const struct inputs *inputs, const real *h, int64_t from, int64_t to, real *k)
{
    int64_t T = p->T, d = p->d;
    for (int64_t token = from; token < to; token++, k += d) {
        const real *initial = inputs->h0 != NULL ? (const real *)inputs->h0 + token / T * d : NULL;
        feedback_state(p, token % T > 0 ? h + (token - 1) * d : initial, k);
    }
}

void feedback_rows(const struct problem *p, const real *W, const real *k, const real *theta, int64_t stride, int64_t rows,
                   real *raw)
{
    int m = (int)problem_m(p), d = (int)p->d;
    for (int64_t i = 0; i < rows; i++)
        memcpy(raw + i * m, theta + i * stride, (size_t)m * sizeof(real));
    blas_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, m, d, 1, k, d, W, d, 1, raw, m);
}

void feedback_rows_gradient(const struct problem *p, const real *W, const real *theta_adjoint, int64_t rows, real *k_adjoint)
{
    int m = (int)problem_m(p), d = (int)p->d;
    blas_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, d, m, 1, theta_adjoint, m, W, d, 0, k_adjoint, d);
}

/* k = c h, c = (mean h^2 + 1e-6)^{-1/2}:  c k_adjoint - c^3 / d (h . k_adjoint) h */
void feedback_state_gradient(const struct problem *p, const real *h, const real *k_adjoint, real *h_adjoint)
{
    real scale = feedback_scale(p, h), along = 0;
    if (p->feedback == FEEDBACK_RMS)
        along = scale * scale * scale / (real)p->d * dot(h, k_adjoint, p->d);
#pragma omp simd
    for (int64_t c = 0; c < p->d; c++)
        h_adjoint[c] += scale * k_adjoint[c] - along * h[c];
}

void feedback_block_state_gradient(const struct problem *p, const struct inputs *inputs, const real *h, const real *theta_adjoint,
                                   int64_t from, int64_t to, real *h_adjoint, real *k_adjoint)
{
    int64_t T = p->T, d = p->d, m = problem_m(p), tokens = p->B * T, last = to < tokens ? to : tokens - 1;
    if (last > from) /* of the tokens that follow; rows of a sequence's first token are not used */
        feedback_rows_gradient(p, inputs->W, theta_adjoint + (from + 1) * m, last - from, k_adjoint);
    for (int64_t token = from; token < to; token++)
        if (token % T < T - 1)
            feedback_state_gradient(p, h + token * d, k_adjoint + (token - from) * d, h_adjoint + token * d);
}

void feedback_token_gradient(const struct problem *p, const real *W, const real *h, const real *theta_adjoint, real *h_adjoint,
                             real *k_adjoint)
{
    int m = (int)problem_m(p), d = (int)p->d;
    blas_gemv(CblasRowMajor, CblasTrans, m, d, 1, W, d, theta_adjoint, 1, 0, k_adjoint, 1);
    feedback_state_gradient(p, h, k_adjoint, h_adjoint);
}

void feedback_weight_gradient(const struct problem *p, const struct inputs *inputs, const real *h, const real *theta_adjoint,
                              int threads, int64_t block, bool add, real *W_adjoint, real *sums, real *k)
{
    int64_t tokens = p->B * p->T, size = problem_m(p) * p->d;
    int m = (int)problem_m(p), d = (int)p->d;
#pragma omp parallel num_threads(threads)
    {
        int thread = omp_get_thread_num(), n = omp_get_num_threads();
        real *sum = sums + thread * size, *states = k + thread * block * d;
        int64_t end = tokens * (thread + 1) / n;
        fill(sum, 0, size);
        for (int64_t from = tokens * thread / n; from < end; from += block) {
            int64_t to = from + block < end ? from + block : end;
            feedback_states(p, inputs, h, from, to, states);
            blas_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, d, (int)(to - from), 1, theta_adjoint + from * m, m, states, d, 1,
                      sum, d);
        }
#pragma omp barrier
        for (int64_t i = size * thread / n; i < size * (thread + 1) / n; i++) {
            real total = add ? W_adjoint[i] : 0;
            for (int other = 0; other < n; other++)
                total += sums[other * size + i];
            W_adjoint[i] = total;
        }
    }
}
