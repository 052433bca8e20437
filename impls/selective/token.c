/* See token.h. */
#include "impls/selective/token.h"

#include "impls/math/activation.h"
#include "impls/math/adjoint.h"
#include "impls/math/blas.h"
#include "impls/math/mixer.h"
#include "impls/math/sums.h"

#include <string.h>

#define NORM_EPSILON ((real)1e-5) /* of the LayerNorm's variance */

static bool steps_read(const struct problem *p)
{
    return p->reads == READS_DT || p->reads == READS_DT_BC;
}

static bool vectors_read(const struct problem *p)
{
    return p->reads == READS_BC || p->reads == READS_DT_BC;
}

bool token_unit(const struct problem *p)
{
    return p->norm == NORM_BC || p->norm == NORM_BOTH;
}

bool token_norm(const struct problem *p)
{
    return p->norm == NORM_OUTPUT || p->norm == NORM_BOTH;
}

/* The parts of a row: what of the inputs reads, how wide it is, with which weights. */
enum { PARTS = 4 };
static const struct part {
    enum tensor_id own, weights;
} parts[PARTS] = {{TENSOR_THETA, TENSOR_W}, {TENSOR_B, TENSOR_W_B}, {TENSOR_C, TENSOR_W_C}, {TENSOR_DT, TENSOR_W_DT}};

static int64_t part_width(const struct problem *p, int part)
{
    if (part == 0)
        return p->feedback != FEEDBACK_NONE ? problem_m(p) : 0;
    return part < PARTS - 1 ? (vectors_read(p) ? p->N : 0) : steps_read(p) ? p->d : 0;
}

/* Called for each iterate of each token. */
struct token_layout token_layout(const struct problem *p)
{
    struct token_layout layout = {0};
    int64_t *const offset[PARTS] = {&layout.theta, &layout.b, &layout.c, &layout.dt};
#pragma GCC unroll 4
    for (int part = 0; part < PARTS; part++) {
        const int64_t width = part_width(p, part);
        *offset[part] = width > 0 ? layout.width : -1;
        layout.width += width;
    }
    return layout;
}

void token_stack(const struct problem *p, const struct inputs *inputs, real *stack)
{
    for (int part = 0; part < PARTS; part++) {
        int64_t size = part_width(p, part) * p->d;
        if (size > 0)
            memcpy(stack, inputs->tensor[parts[part].weights], (size_t)size * sizeof(real));
        stack += size;
    }
}

void token_unstack(const struct problem *p, const real *stack_adjoint, const struct gradients *gradients, bool add)
{
    for (int part = 0; part < PARTS; part++) {
        int64_t size = part_width(p, part) * p->d;
        if (size > 0)
            adjoint_put(gradients->tensor[parts[part].weights], stack_adjoint, size, add);
        stack_adjoint += size;
    }
}

void token_raw(const struct problem *p, const struct inputs *inputs, int64_t i, real *row)
{
    for (int part = 0; part < PARTS; part++) {
        int64_t width = part_width(p, part);
        if (width > 0)
            memcpy(row, (const real *)inputs->tensor[parts[part].own] + i * width, (size_t)width * sizeof(real));
        row += width;
    }
}

void token_read(const struct problem *p, const real *stack, const real *before, int64_t n, real *rows)
{
    int width = (int)token_layout(p).width, d = (int)p->d;
    blas_gemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, width, d, 1, before, d, stack, d, 1, rows, width);
}

void token_read_adjoint(const struct problem *p, const real *stack, const real *rows_adjoint, int64_t n, real *before_adjoint)
{
    int width = (int)token_layout(p).width, d = (int)p->d;
    blas_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, d, width, 1, rows_adjoint, width, stack, d, 0, before_adjoint, d);
}

const real *token_before(const struct problem *p, const struct inputs *inputs, const real *y, int64_t i)
{
    if (i % p->T > 0)
        return y + (i - 1) * p->d;
    return inputs->y0 != NULL ? (const real *)inputs->y0 + i / p->T * p->d : NULL;
}

int64_t token_room(const struct problem *p)
{
    return mixer_size(p) + 2 * p->N + p->d + mixer_scratch(p);
}

int64_t token_adjoint_scratch(const struct problem *p)
{
    int64_t widest = problem_m(p) + 2 * p->N + p->d;
    return widest + mixer_gradient_scratch(p);
}

/* What a part is made of: of the row where it reads, else of the inputs. */
static const real *part_raw(const struct problem *p, const struct inputs *inputs, int64_t i, const real *row, int part,
                            int64_t offset)
{
    if (offset >= 0)
        return row + offset;
    const real *own = inputs->tensor[parts[part].own];
    const int64_t width = part == 0 ? problem_m(p) : part < PARTS - 1 ? p->N : p->d;
    return own != NULL ? own + i * width : NULL;
}

void token_values(const struct problem *p, const struct inputs *inputs, int64_t i, const real *row, const real *q, real *room,
                  struct token_values *values)
{
    struct token_layout layout = token_layout(p);
    real *made_q = room, *made_b = made_q + mixer_size(p), *made_c = made_b + p->N, *made_dt = made_c + p->N;
    *values = (struct token_values){.q = q,
                                    .b = part_raw(p, inputs, i, row, 1, layout.b),
                                    .c = part_raw(p, inputs, i, row, 2, layout.c),
                                    .dt = part_raw(p, inputs, i, row, 3, layout.dt)};
    if (q == NULL && mixer_size(p) > 0) {
        mixer_activate(p, part_raw(p, inputs, i, row, 0, layout.theta), made_q, made_dt + p->d);
        values->q = made_q;
    }
    if (token_unit(p)) {
        unit(values->b, made_b, p->N);
        unit(values->c, made_c, p->N);
        values->b = made_b;
        values->c = made_c;
    }
    if (layout.dt >= 0) {
        softplus_row(values->dt, made_dt, p->d);
        values->dt = made_dt;
    }
}

/* Where an adjoint goes: into the gradients of token i, and into the row where the part reads. */
static void put_part(const real *adjoint, int64_t width, real *gradient, int64_t i, bool add, real *row_adjoint, int64_t offset)
{
    adjoint_put(gradient != NULL ? gradient + i * width : NULL, adjoint, width, add);
    if (row_adjoint != NULL && offset >= 0)
        memcpy(row_adjoint + offset, adjoint, (size_t)width * sizeof(real));
}

void token_values_adjoint(const struct problem *p, const struct inputs *inputs, int64_t i, const real *row,
                          const struct token_values *values, const struct token_adjoints *adjoints,
                          const struct gradients *gradients, bool add, real *row_adjoint, real *scratch)
{
    struct token_layout layout = token_layout(p);
    int64_t N = p->N, d = p->d, m = problem_m(p);
    real *adjoint = scratch, *rest = scratch + m + 2 * N + d;
    if (m > 0 && adjoints->q != NULL && (gradients->theta != NULL || (row_adjoint != NULL && layout.theta >= 0))) {
        mixer_activate_gradient(p, part_raw(p, inputs, i, row, 0, layout.theta), values->q, adjoints->q, adjoint, rest);
        put_part(adjoint, m, gradients->theta, i, add, row_adjoint, layout.theta);
    }
    const real *const of_vector[2] = {adjoints->b, adjoints->c}, *const made[2] = {values->b, values->c};
    void *const gradient[2] = {gradients->b, gradients->c};
    const int64_t offset[2] = {layout.b, layout.c};
    for (int k = 0; k < 2; k++) {
        const real *raw = part_raw(p, inputs, i, row, 1 + k, offset[k]), *from = of_vector[k];
        if (from == NULL)
            continue;
        if (token_unit(p)) {
            unit_adjoint(made[k], norm_inverse(row_dot(raw, raw, N)), from, adjoint, N);
            from = adjoint;
        }
        put_part(from, N, gradient[k], i, add, row_adjoint, offset[k]);
    }
    const real *from = adjoints->dt;
    if (from == NULL)
        return;
    if (layout.dt >= 0) {
        const real *raw = row + layout.dt;
        for (int64_t c = 0; c < d; c++)
            adjoint[c] = from[c] * sigmoid(raw[c]);
        from = adjoint;
    }
    put_part(from, d, gradients->dt, i, add, row_adjoint, layout.dt);
}

void token_mix(const struct problem *p, const real *q, const real *x, const real *y, real *apart, real *xt, real *scratch)
{
    int64_t d = p->d;
    if (p->mixer == MIXER_NONE) {
        memcpy(xt, x, (size_t)d * sizeof(real));
        return;
    }
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        apart[c] = x[c] - y[c];
    mixer_apply(p, q, apart, xt, scratch);
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        xt[c] = x[c] - xt[c];
}

void token_gate(const struct problem *p, const struct inputs *inputs, int64_t i, real *gate)
{
    const real *z = (const real *)inputs->z + i * p->d;
    if (p->gate == GATE_OUTSIDE) {
        fill(gate, 1, p->d);
        return;
    }
#pragma omp simd
    for (int64_t c = 0; c < p->d; c++)
        gate[c] = silu(z[c]);
}

/* log(1 + e) = 2 atanh(u), u = e / (2 + e), for e in [0, 1]: u is at most 1/3, and u^2 at most 1/9 what the series goes by. */
static inline real log_above_one(real e)
{
    real u = e / (2 + e), v = u * u;
#if REAL_BITS == 32
    real sum = (real)1 / 15;
#else
    real sum = (real)1 / 33;
    sum = sum * v + (real)1 / 31;
    sum = sum * v + (real)1 / 29;
    sum = sum * v + (real)1 / 27;
    sum = sum * v + (real)1 / 25;
    sum = sum * v + (real)1 / 23;
    sum = sum * v + (real)1 / 21;
    sum = sum * v + (real)1 / 19;
    sum = sum * v + (real)1 / 17;
    sum = sum * v + (real)1 / 15;
#endif
    sum = sum * v + (real)1 / 13;
    sum = sum * v + (real)1 / 11;
    sum = sum * v + (real)1 / 9;
    sum = sum * v + (real)1 / 7;
    sum = sum * v + (real)1 / 5;
    sum = sum * v + (real)1 / 3;
    return 2 * (u + u * v * sum);
}

void softplus_row(const real *x, real *y, int64_t n)
{
#pragma omp simd
    for (int64_t c = 0; c < n; c++)
        y[c] = choose(x[c] < 0, 0, x[c]) + log_above_one(exponential_within(-real_abs(x[c])));
}

struct row_norm norm_of_row(const real *w, int64_t d)
{
    struct row_norm norm = {.mean = row_sum(w, d) / (real)d};
    const real squares = row_squares(w, norm.mean, d);
    /* neither infinity nor NaN may end as a finite output */
    norm.inverse = squares <= REAL_MAX ? 1 / real_sqrt(squares / (real)d + NORM_EPSILON) : (real)NAN;
    return norm;
}

struct row_norm norm_row(const real *w, const real *gain, const real *bias, real *y, int64_t d)
{
    struct row_norm norm = norm_of_row(w, d);
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        y[c] = gain[c] * ((w[c] - norm.mean) * norm.inverse) + bias[c];
    return norm;
}

/* Of one channel nothing is left of v, of two NORM_EPSILON over their variance: no difference of larger numbers finds that. */
static void through_few(const real *v, real inverse, real *out, int64_t d)
{
    real left = d == 2 ? (v[0] - v[1]) / 2 * (NORM_EPSILON * inverse * inverse) : v[0] - v[0]; /* not finite: it stays so */
    out[0] = left * inverse;
    if (d == 2)
        out[1] = -out[0];
}

void norm_row_through(const real *w, struct row_norm norm, const real *v, real *out, int64_t d)
{
    real mean = 0, along = 0;
    if (d <= 2) {
        through_few(v, norm.inverse, out, d);
        return;
    }
#pragma omp simd reduction(+ : mean, along)
    for (int64_t c = 0; c < d; c++) {
        mean += v[c];
        along += v[c] * ((w[c] - norm.mean) * norm.inverse);
    }
    mean /= (real)d;
    along /= (real)d;
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        out[c] = (v[c] - mean - (w[c] - norm.mean) * norm.inverse * along) * norm.inverse;
}

void norm_row_adjoint(const real *w, struct row_norm norm, const real *gain, const real *y_adjoint, real *gain_adjoint,
                      real *bias_adjoint, real *w_adjoint, int64_t d)
{
    for (int64_t c = 0; bias_adjoint != NULL && c < d; c++)
        bias_adjoint[c] += y_adjoint[c];
    for (int64_t c = 0; gain_adjoint != NULL && c < d; c++)
        gain_adjoint[c] += y_adjoint[c] * ((w[c] - norm.mean) * norm.inverse);
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        w_adjoint[c] = gain[c] * y_adjoint[c];
    norm_row_through(w, norm, w_adjoint, w_adjoint, d);
}
