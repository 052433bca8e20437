/* See step.h. */
#include "impls/math/step.h"

#include "impls/contract/support.h"
#include "impls/math/low_rank.h"
#include "impls/math/mixer.h"
#include "impls/math/transition.h"
#include "impls/math/vector.h"

#include <string.h>

int64_t step_size(const struct problem *p)
{
    return problem_low_rank(p) ? mixer_size(p) + p->r * p->r : p->d * p->d;
}

int64_t step_scratch(const struct problem *p)
{
    int64_t low_rank = 2 * p->d + 2 * p->r + mixer_scratch(p) + low_rank_scratch(p), full = transition_scratch(p) + p->d;
    return problem_low_rank(p) ? low_rank : full;
}

/* diagonal = lambda (1 + g sum_ij u_i C_ij u_j), channel by channel. */
static void low_rank_diagonal(const struct problem *p, const real *q, const real *C, const real *lambda, const real *gate,
                              real *diagonal, real *sum)
{
    int64_t r = p->r, d = p->d;
    fill(diagonal, 1, d);
    for (int64_t i = 0; i < r; i++) {
        fill(sum, 0, d);
        for (int64_t j = 0; j < r; j++)
            add_scaled(C[i * r + j], q + j * d, sum, d);
        const real *u = q + i * d;
#pragma omp simd
        for (int64_t c = 0; c < d; c++)
            diagonal[c] += gate[c] * u[c] * sum[c];
    }
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        diagonal[c] *= lambda[c];
}

bool step_prepare(const struct problem *p, const real *theta, const real *lambda, real *step, real *diagonal, real *scratch,
                  int *pivots)
{
    int64_t r = p->r, d = p->d;
    bool regular = true;
    if (problem_low_rank(p)) {
        real *C = step + mixer_size(p), *gate = scratch, *sum = gate + d, *rest = sum + d;
        mixer_activate(p, theta, step, rest);
        for (int64_t c = 0; c < d; c++)
            gate[c] = p->form == FORM_NORMALISED ? 1 - lambda[c] : 1;
        regular = r == 0 || low_rank_inverse(p, step, p->form == FORM_NORMALISED ? gate : NULL, C, rest);
        low_rank_diagonal(p, step, C, lambda, gate, diagonal, sum);
    } else {
        regular = transition_make(p, theta, lambda, step, scratch, pivots);
        for (int64_t c = 0; c < d; c++)
            diagonal[c] = step[c * d + c];
    }
    if (!regular) {
        fill(step, (real)NAN, step_size(p));
        fill(diagonal, (real)NAN, d);
    }
    return regular;
}

/* h = Lambda h_{t-1} + G (v + U C U^T Lambda (h_{t-1} - v))      plain: without G, and without the inner v */
static void take_low_rank(const struct problem *p, const real *step, const real *v, const real *lambda, const real *before, real *h,
                          real *scratch)
{
    int64_t r = p->r, d = p->d;
    const real *q = step, *C = q + mixer_size(p);
    real *y = scratch, *b = y + r, *sum = b + r;
    bool normalised = p->form == FORM_NORMALISED;
#pragma omp simd
    for (int64_t c = 0; c < d; c++) {
        h[c] = lambda[c] * (normalised ? before[c] - v[c] : before[c]);
        sum[c] = 0;
    }
    for (int64_t i = 0; i < r; i++)
        y[i] = dot(q + i * d, h, d);
    for (int64_t i = 0; i < r; i++) {
        b[i] = 0;
        for (int64_t j = 0; j < r; j++)
            b[i] += C[i * r + j] * y[j];
        add_scaled(b[i], q + i * d, sum, d);
    }
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        h[c] += v[c] + (normalised ? (1 - lambda[c]) * sum[c] : sum[c]);
}

void step_take(const struct problem *p, const real *step, const real *v, const real *lambda, const real *before, real *h,
               real *scratch)
{
    if (problem_low_rank(p))
        take_low_rank(p, step, v, lambda, before, h, scratch);
    else
        transition_apply(p, step, v, before, h, scratch);
}

double step_prepare_operations(const struct problem *p)
{
    double r = (double)p->r, d = (double)p->d;
    double low_rank = grams_operations(p) + 8 * r * r * r / 3 + 2 * r * r * d + 3 * r * d + 2 * d;
    double full = d * mixer_apply_operations(p) + 2 * d * d + 8 * d * d * d / 3;
    return mixer_activate_operations(p) + (problem_low_rank(p) ? low_rank : full);
}

double step_take_operations(const struct problem *p)
{
    double r = (double)p->r, d = (double)p->d;
    return problem_low_rank(p) ? 4 * r * d + 2 * r * r + 6 * d : 2 * d * d + 2 * d;
}
