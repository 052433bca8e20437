/* What layers and models compute, forward, in both dtypes at every instruction level: against the equations of docs/reference/layers.md in
 * double precision, written anew here; and that no output depends on a later token or on another sequence, bit for bit. */
#include "bench/base/random.h"
#include "bench/problems/textbook.h"
#include "bench/problems/textbook_selective.h"
#include "train/math/pass.h"
#include "tests/support/numbers.h"
#include "tests/support/room.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_forward(void);

/* ---- The equations ------------------------------------------------------------------------------------------------------------ */

static double sigmoid_of(double x)
{
    return 1 / (1 + exp(-x));
}

static double silu_of(double x)
{
    return x * sigmoid_of(x);
}

/* A model's weights as the dtype has them, in double precision, by the end of their names. */
struct weights {
    const struct parameters *parameters;
    int from, to; /* the parameters that are looked through */
    double *value[64];
};

static struct weights weights_of(const struct parameters *parameters)
{
    struct weights weights = {.parameters = parameters, .to = parameters->n};
    ck_assert_int_le(parameters->n, 64);
    for (int i = 0; i < parameters->n; i++) {
        const struct parameter *p = &parameters->item[i];
        weights.value[i] = doubles(p->size);
        for (int64_t k = 0; k < p->size; k++)
            weights.value[i][k] = get(p->value, parameters->dtype, k);
    }
    return weights;
}

static void weights_free(struct weights *weights)
{
    for (int i = 0; i < weights->parameters->n; i++)
        free(weights->value[i]);
}

/* NULL: there is no such weight. */
static const double *weight(const struct weights *weights, const char *name)
{
    for (int i = weights->from; i < weights->to; i++) {
        const char *dot = strrchr(weights->parameters->item[i].name, '.');
        const char *last = dot != NULL && strchr(name, '.') == NULL ? dot + 1 : weights->parameters->item[i].name;
        if (strcmp(last, name) == 0)
            return weights->value[i];
    }
    return NULL;
}

/* y (out) = w (out,in) x */
static void product(int64_t in, int64_t out, const double *w, const double *x, double *y)
{
    for (int64_t i = 0; i < out; i++) {
        y[i] = 0;
        for (int64_t k = 0; k < in; k++)
            y[i] += w[i * in + k] * x[k];
    }
}

static void rms_norm(int64_t d, const double *gain, const double *x, double *y)
{
    double squares = 0;
    for (int64_t c = 0; c < d; c++)
        squares += x[c] * x[c];
    for (int64_t c = 0; c < d; c++)
        y[c] = gain[c] * x[c] / sqrt(squares / (double)d + 1e-6);
}

static void layer_norm(int64_t d, const double *gain, const double *bias, const double *x, double *y)
{
    double mean = 0, centred[64];
    ck_assert_int_le(d, 64);
    for (int64_t c = 0; c < d; c++)
        mean += x[c] / (double)d;
    for (int64_t c = 0; c < d; c++)
        centred[c] = x[c] - mean;
    rms_norm(d, gain, centred, y);
    for (int64_t c = 0; c < d; c++)
        y[c] += bias[c];
}

/* One sequence of T positions: y (T,D) = layer(e (T,D)). */
typedef void equations(const struct model_spec *, const struct recurrence *, const struct weights *, int64_t T, const double *e,
                       double *y);

static void equations_lstm(const struct model_spec *model, const struct recurrence *recurrence, const struct weights *weights,
                           int64_t T, const double *e, double *y)
{
    int64_t d = model->d, D = model->d_model;
    double *x = doubles(4 * d), *s = doubles(4 * d), *h = doubles(d), *c = doubles(d);
    (void)recurrence;
    for (int64_t t = 0; t < T; t++) {
        product(D, 4 * d, weight(weights, "W_x"), e + t * D, x);
        product(d, 4 * d, weight(weights, "W_h"), h, s);
        for (int64_t k = 0; k < 4 * d; k++) /* rows in the order i f g o */
            s[k] += x[k] + weight(weights, "b")[k];
        for (int64_t k = 0; k < d; k++) {
            c[k] = sigmoid_of(s[d + k]) * c[k] + sigmoid_of(s[k]) * tanh(s[2 * d + k]);
            h[k] = sigmoid_of(s[3 * d + k]) * tanh(c[k]);
        }
        product(d, D, weight(weights, "W_out"), h, y + t * D);
    }
    free(x), free(s), free(h), free(c);
}

/* Pairs of channels of a head as complex numbers: the score of t and s is that of q and k turned by the distance of the two. */
static double score(int64_t width, const double *q, const double *k, int64_t distance)
{
    double sum = 0;
    for (int64_t j = 0; j < width / 2; j++) {
        double angle = (double)distance / pow(10000, 2 * (double)j / (double)width), a = q[2 * j], b = q[2 * j + 1];
        sum += (a * cos(angle) - b * sin(angle)) * k[2 * j] + (a * sin(angle) + b * cos(angle)) * k[2 * j + 1];
    }
    return sum / sqrt((double)width);
}

static void equations_attention(const struct model_spec *model, const struct recurrence *recurrence, const struct weights *weights,
                                int64_t T, const double *e, double *y)
{
    int64_t d = model->d, D = model->d_model, width = d / model->heads;
    double *qkv = doubles(T * 3 * d), *o = doubles(d), *p = doubles(T);
    (void)recurrence;
    for (int64_t t = 0; t < T; t++)
        product(D, 3 * d, weight(weights, "W_qkv"), e + t * D, qkv + t * 3 * d);
    for (int64_t t = 0; t < T; t++) {
        for (int64_t head = 0; head < d; head += width) {
            double sum = 0;
            for (int64_t s = 0; s <= t; s++)
                sum += p[s] = exp(score(width, qkv + t * 3 * d + head, qkv + s * 3 * d + d + head, t - s));
            for (int64_t c = head; c < head + width; c++) {
                o[c] = 0;
                for (int64_t s = 0; s <= t; s++)
                    o[c] += p[s] / sum * qkv[s * 3 * d + 2 * d + c];
            }
        }
        product(d, D, weight(weights, "W_out"), o, y + t * D);
    }
    free(qkv), free(o), free(p);
}

enum { CONVERGED = 3000 };

/* h (T,d) by the textbook: so many iterates, or, of an exact implementation, until nothing changes. */
static void recur(const struct problem *problem, const struct inputs *inputs, const struct recurrence *recurrence, double *h)
{
    bool exact = registry_get(recurrence->implementation, DTYPE_FLOAT64, LEVEL_BASELINE)->exact;
    double residual = 0;
    ck_assert(textbook_iterate(problem, inputs, 1, exact ? CONVERGED : recurrence->settings.l_max, h, &residual));
    ck_assert_msg(!exact || residual < 1e-13, "the iteration that the exact answer is taken from has a residual of %g", residual);
}

static void equations_fp_rnn(const struct model_spec *model, const struct recurrence *recurrence, const struct weights *weights,
                             int64_t T, const double *e, double *y)
{
    struct problem problem = {
        .B = 1, .T = T, .d = model->d, .mixer = model->mixer, .r = model->r, .s = model->s, .form = model->form};
    problem.feedback = model->feedback, problem.dtype = DTYPE_FLOAT64;
    if (weight(weights, "W_theta") == NULL)
        problem.mixer = MIXER_NONE, problem.r = 0, problem.s = 0, problem.feedback = FEEDBACK_NONE;
    int64_t d = model->d, D = model->d_model, m = problem_m(&problem), strengths = problem_strengths(&problem);
    double *xz = doubles(T * 2 * d), *v = doubles(T * d), *lambda = doubles(T * d), *c = doubles(T * d), *theta = doubles(T * m),
           *h = doubles(T * d);
    double *before = doubles(d), *inside = doubles(d), *zero = doubles(d);
    for (int64_t t = 0; t < T; t++) {
        const double *x = xz + t * 2 * d;
        product(D, 2 * d, weight(weights, "W_in"), e + t * D, xz + t * 2 * d);
        product(d, d, weight(weights, "W_b"), x, v + t * d);
        product(d, d, weight(weights, "W_l"), x, lambda + t * d);
        product(d, d, weight(weights, "W_c"), x, c + t * d);
        for (int64_t k = 0; k < d; k++) {
            v[t * d + k] = silu_of(v[t * d + k]) * x[k];
            lambda[t * d + k] = sigmoid_of(lambda[t * d + k] + weight(weights, "b_l")[k]);
        }
        if (m > 0)
            product(d, m, weight(weights, "W_theta"), x, theta + t * m);
        for (int64_t k = 0; k < strengths; k++)
            theta[t * m + m - strengths + k] += weight(weights, "b_theta")[k];
    }
    const struct inputs inputs = {.v = v, .lambda = lambda, .theta = m > 0 ? theta : NULL, .W = weight(weights, "W")};
    recur(&problem, &inputs, recurrence, h);
    for (int64_t t = 0; t < T; t++) {
        const double *z = xz + t * 2 * d + d;
        if (model->readout == READOUT_STATE)
            product(d, d, weight(weights, "W_ch"), t > 0 ? h + (t - 1) * d : zero, before);
        for (int64_t k = 0; k < d; k++)
            inside[k] = silu_of(z[k]) * silu_of(c[t * d + k] + before[k]) * h[t * d + k];
        rms_norm(d, weight(weights, "gain"), inside, before);
        product(d, D, weight(weights, "W_out"), before, y + t * D);
        memset(before, 0, (size_t)d * sizeof *before);
    }
    free(xz), free(v), free(lambda), free(c), free(theta), free(h), free(before), free(inside), free(zero);
}

/* y (T,d) one token after another, each iterated from 0 until nothing changes: what exact implementations of the selective cell mean. */
static void recur_by_token(const struct problem *problem, const struct inputs *inputs, double *y)
{
    int64_t d = problem->d;
    double *scratch = doubles(textbook_selective_scratch(problem)), *H = doubles(d * problem->N), *before = doubles(d),
           *next = doubles(d);
    struct selective_token token = textbook_selective_token(problem, scratch);
    for (int64_t t = 0; t < problem->T; t++) {
        double *now = y + t * d, moved = 1;
        textbook_selective_begin(problem, inputs, t, before, &token);
        for (int l = 0; l < CONVERGED && moved > 1e-14; l++) {
            textbook_selective_apply(problem, inputs, NULL, t, &token, H, now, next, NULL);
            moved = distance_max(now, next, d);
            memcpy(now, next, (size_t)d * sizeof *now);
        }
        ck_assert_msg(moved < 1e-13, "token %lld has no fixed point here: it still moves by %g", (long long)t, moved);
        textbook_selective_apply(problem, inputs, NULL, t, &token, H, now, next, H);
        memcpy(before, now, (size_t)d * sizeof *before);
    }
    free(scratch), free(H), free(before), free(next);
}

/* The rows of W = g v / |v|, columns from..to of them, as a matrix of its own; NULL where there is no such matrix. */
static double *normalised(const struct weights *weights, const char *v, const char *g, int64_t rows, int64_t columns, int64_t from,
                          int64_t to)
{
    const double *direction = weight(weights, v), *length = weight(weights, g);
    double *w = direction != NULL ? doubles(rows * (to - from)) : NULL;
    for (int64_t i = 0; w != NULL && i < rows; i++) {
        double squares = 0;
        for (int64_t k = 0; k < columns; k++)
            squares += direction[i * columns + k] * direction[i * columns + k];
        for (int64_t k = from; k < to; k++)
            w[i * (to - from) + k - from] = length[i] * direction[i * columns + k] / sqrt(squares);
    }
    return w;
}

static struct problem problem_of_mamba(const struct model_spec *model, bool mamba, int64_t T)
{
    struct problem p = {.cell = CELL_SELECTIVE, .B = 1, .T = T, .d = model->d, .N = model->N, .dtype = DTYPE_FLOAT64};
    if (!mamba) {
        p.mixer = model->mixer, p.r = model->r, p.s = model->s, p.feedback = model->feedback;
        p.reads = model->reads, p.norm = model->norm, p.gate = model->gate;
    }
    return p;
}

/* x (T,d) of xz (T,2 d). */
static void convolve(const struct weights *weights, int64_t T, int64_t d, const double *xz, double *x)
{
    const double *w = weight(weights, "w_conv");
    for (int64_t t = 0; t < T; t++)
        for (int64_t i = 0; i < d; i++) {
            double sum = w != NULL ? weight(weights, "b_conv")[i] : xz[t * 2 * d + i];
            for (int64_t k = 0; w != NULL && k < 4 && k <= t; k++)
                sum += w[k * d + i] * xz[(t - k) * 2 * d + i];
            x[t * d + i] = w != NULL ? silu_of(sum) : sum;
        }
}

static void equations_fp_mamba(const struct model_spec *model, const struct recurrence *recurrence, const struct weights *weights,
                               int64_t T, const double *u, double *out)
{
    bool mamba = strcmp(sequence_layer_get(model->layer, DTYPE_FLOAT64, LEVEL_BASELINE)->name, "mamba") == 0;
    struct problem p = problem_of_mamba(model, mamba, T);
    int64_t d = model->d, D = model->d_model, N = model->N, m = problem_m(&p), strengths = problem_strengths(&p);
    int64_t R = (D + 15) / 16, width = R + 2 * N;
    bool both = p.feedback != FEEDBACK_NONE, inside = p.gate == GATE_INSIDE;
    int64_t columns = both && model->mixing == MIXING_APART ? 2 * d : d;
    double *xz = doubles(T * 2 * d), *x = doubles(T * d), *all = doubles(width), *b = doubles(T * N), *c = doubles(T * N),
           *dt = doubles(T * d);
    double *theta = doubles(T * m), *z = doubles(T * d), *A = doubles(d * N), *y = doubles(T * d), *gate = doubles(d),
           *zero = doubles(d);
    double *of_x = m > 0 ? normalised(weights, "V_theta", "g_theta", m, columns, 0, d) : NULL;
    double *of_y = both ? normalised(weights, "V_theta", "g_theta", m, columns, columns - d, columns) : NULL;
    double *W_b = normalised(weights, "V_b", "g_b", N, d, 0, d), *W_c = normalised(weights, "V_c", "g_c", N, d, 0, d);
    double *W_dt = normalised(weights, "V_dt", "g_dt", d, d, 0, d), *W_z = normalised(weights, "V_z", "g_z", d, d, 0, d);
    ck_assert((W_z != NULL) == (!mamba && !inside && model->readout == READOUT_STATE));
    ck_assert((weight(weights, "w_conv") != NULL) == (mamba || model->convolution == CONVOLUTION_SHORT));
    for (int64_t i = 0; i < d * N; i++)
        A[i] = exp(weight(weights, "A_log")[i]);
    for (int64_t t = 0; t < T; t++)
        product(D, 2 * d, weight(weights, "W_in"), u + t * D, xz + t * 2 * d);
    convolve(weights, T, d, xz, x);
    for (int64_t t = 0; t < T; t++) {
        memcpy(z + t * d, xz + t * 2 * d + d, (size_t)d * sizeof *z);
        product(d, width, weight(weights, "W_x"), x + t * d, all);
        memcpy(b + t * N, all + R, (size_t)N * sizeof *b);
        memcpy(c + t * N, all + R + N, (size_t)N * sizeof *c);
        product(R, d, weight(weights, "W_step"), all, dt + t * d);
        for (int64_t i = 0; i < d; i++) {
            dt[t * d + i] += weight(weights, "b_step")[i];
            dt[t * d + i] = W_dt == NULL ? log(1 + exp(dt[t * d + i])) : dt[t * d + i];
        }
        if (m > 0)
            product(d, m, of_x, x + t * d, theta + t * m);
        for (int64_t k = 0; k < strengths; k++)
            theta[t * m + m - strengths + k] += weight(weights, "b_theta")[k];
    }
    const struct inputs inputs = {.x = x,
                                  .dt = dt,
                                  .A = A,
                                  .b = b,
                                  .c = c,
                                  .skip = weight(weights, "skip"),
                                  .gain = weight(weights, "gain"),
                                  .bias = weight(weights, "bias"),
                                  .theta = m > 0 ? theta : NULL,
                                  .W = of_y,
                                  .W_b = W_b,
                                  .W_c = W_c,
                                  .W_dt = W_dt,
                                  .z = inside ? z : NULL};
    if (registry_get_for(recurrence->implementation, CELL_SELECTIVE, DTYPE_FLOAT64, LEVEL_BASELINE)->exact)
        recur_by_token(&p, &inputs, y);
    else
        recur(&p, &inputs, recurrence, y);
    for (int64_t t = 0; t < T; t++) {
        memset(gate, 0, (size_t)d * sizeof *gate);
        if (W_z != NULL)
            product(d, d, W_z, t > 0 ? y + (t - 1) * d : zero, gate);
        for (int64_t i = 0; i < d; i++)
            gate[i] = (inside ? 1 : silu_of(z[t * d + i] + gate[i])) * y[t * d + i];
        product(d, D, weight(weights, "W_out"), gate, out + t * D);
    }
    double *const memory[] = {xz, x, all, b, c, dt, theta, z, A, y, gate, zero, of_x, of_y, W_b, W_c, W_dt, W_z};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
        free(memory[i]);
}

/* x over its length, as released: a head at a time. */
static void unit_of(int64_t n, const double *x, double *y)
{
    double squares = 1e-6;
    for (int64_t i = 0; i < n; i++)
        squares += x[i] * x[i];
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] / sqrt(squares);
}

/* The r steps of one token on the state S (width,N) of a head, and what it answers: y (width). */
static void delta_token(int64_t width, int64_t N, int64_t r, double keep, const double *q, const double *k, const double *v,
                        const double *beta, double *S, double *y)
{
    for (int64_t i = 0; i < width * N; i++)
        S[i] *= keep;
    for (int64_t j = 0; j < r; j++)
        for (int64_t c = 0; c < width; c++) {
            double held = 0;
            for (int64_t n = 0; n < N; n++)
                held += S[c * N + n] * k[j * N + n];
            for (int64_t n = 0; n < N; n++)
                S[c * N + n] += beta[j] * (v[j * width + c] - held) * k[j * N + n];
        }
    product(N, width, S, q, y);
    for (int64_t c = 0; c < width; c++)
        y[c] /= sqrt((double)N);
}

/* Column `at` of the SiLU of W_qkv e, with the short convolution where there is one. */
static double entering(const struct weights *weights, int64_t columns, const double *qkv, int64_t t, int64_t at)
{
    const double *w = weight(weights, "w_conv");
    double sum = w != NULL ? 0 : qkv[t * columns + at];
    for (int64_t k = 0; w != NULL && k < 4 && k <= t; k++)
        sum += w[k * columns + at] * qkv[(t - k) * columns + at];
    return silu_of(sum);
}

/* One head after the other, and in it one token after the other. */
static void equations_delta(const struct model_spec *model, const struct recurrence *recurrence, const struct weights *weights,
                            int64_t T, const double *e, double *out)
{
    int64_t d = model->d, D = model->d_model, N = model->N, heads = model->heads, r = model->r, width = d / heads;
    int64_t columns = (1 + r) * heads * N + r * d;
    double *qkv = doubles(T * columns), *y = doubles(T * d), *q = doubles(N), *k = doubles(r * N), *v = doubles(r * width);
    double *beta = doubles(r), *S = doubles(width * N), *row = doubles(r * heads), *step = doubles(heads), *gate = doubles(d);
    (void)recurrence;
    ck_assert((weight(weights, "w_conv") != NULL) == (model->convolution == CONVOLUTION_SHORT));
    ck_assert((weight(weights, "W_a") != NULL) == (model->forget == FORGET_HEAD));
    ck_assert((weight(weights, "W_g") != NULL) == (model->output_gate == OUTPUT_GATE_SILU));
    for (int64_t t = 0; t < T; t++)
        product(D, columns, weight(weights, "W_qkv"), e + t * D, qkv + t * columns);
    for (int64_t h = 0; h < heads; h++) {
        memset(S, 0, (size_t)(width * N) * sizeof *S);
        for (int64_t t = 0; t < T; t++) {
            double keep = 1, raw[64];
            for (int64_t n = 0; n < N; n++)
                raw[n] = entering(weights, columns, qkv, t, h * N + n);
            unit_of(N, raw, q);
            product(D, r * heads, weight(weights, "W_beta"), e + t * D, row);
            for (int64_t j = 0; j < r; j++) {
                for (int64_t n = 0; n < N; n++)
                    raw[n] = entering(weights, columns, qkv, t, ((1 + j) * heads + h) * N + n);
                unit_of(N, raw, k + j * N);
                for (int64_t c = 0; c < width; c++)
                    v[j * width + c] = entering(weights, columns, qkv, t, (1 + r) * heads * N + j * d + h * width + c);
                beta[j] = (model->eigenvalues == EIGENVALUES_BOTH ? 2 : 1) * sigmoid_of(row[j * heads + h]);
            }
            if (weight(weights, "W_a") != NULL) {
                product(D, heads, weight(weights, "W_a"), e + t * D, step);
                keep = exp(-exp(weight(weights, "A_log")[h]) * log(1 + exp(step[h] + weight(weights, "b_step")[h])));
            }
            delta_token(width, N, r, keep, q, k, v, beta, S, y + t * d + h * width);
        }
    }
    for (int64_t t = 0; t < T; t++) {
        double *now = y + t * d;
        for (int64_t h = 0; h < heads; h++)
            rms_norm(width, weight(weights, "gain"), now + h * width, now + h * width);
        if (weight(weights, "W_g") != NULL)
            product(D, d, weight(weights, "W_g"), e + t * D, gate);
        for (int64_t c = 0; c < d && weight(weights, "W_g") != NULL; c++)
            now[c] *= silu_of(gate[c]);
        product(d, D, weight(weights, "W_out"), now, out + t * D);
    }
    double *const memory[] = {qkv, y, q, k, v, beta, S, row, step, gate};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
        free(memory[i]);
}

/* One head after the other; the gate and the norm are the recurrence's own. */
static void equations_mamba2(const struct model_spec *model, const struct recurrence *recurrence, const struct weights *weights,
                             int64_t T, const double *e, double *out)
{
    int64_t d = model->d, D = model->d_model, N = model->N, heads = model->heads, width = d / heads, enters = d + 2 * N;
    int64_t all = d + enters + heads;
    double *in = doubles(T * all), *xbc = doubles(enters), *H = doubles(d * N), *y = doubles(d);
    (void)recurrence;
    for (int64_t t = 0; t < T; t++)
        product(D, all, weight(weights, "W_in"), e + t * D, in + t * all);
    for (int64_t t = 0; t < T; t++) {
        double squares = 0;
        for (int64_t i = 0; i < enters; i++) {
            double sum = weight(weights, "b_conv")[i];
            for (int64_t k = 0; k < 4 && k <= t; k++)
                sum += weight(weights, "w_conv")[k * enters + i] * in[(t - k) * all + d + i];
            xbc[i] = silu_of(sum);
        }
        for (int64_t i = 0; i < d; i++) {
            int64_t h = i / width;
            double dt = log(1 + exp(in[t * all + d + enters + h] + weight(weights, "b_step")[h]));
            double keep = exp(-dt * exp(weight(weights, "A_log")[h]));
            y[i] = weight(weights, "skip")[h] * xbc[i];
            for (int64_t n = 0; n < N; n++) {
                H[i * N + n] = keep * H[i * N + n] + dt * xbc[i] * xbc[d + n];
                y[i] += H[i * N + n] * xbc[d + N + n];
            }
            y[i] *= silu_of(in[t * all + i]);
            squares += y[i] * y[i];
        }
        for (int64_t i = 0; i < d; i++)
            y[i] *= weight(weights, "gain")[i] / sqrt(squares / (double)d + 1e-5);
        product(d, D, weight(weights, "W_out"), y, out + t * D);
    }
    free(in), free(xbc), free(H), free(y);
}

static equations *equations_of(const char *layer)
{
    static const struct {
        const char *layer;
        equations *equations;
    } all[] = {{"fp_rnn", equations_fp_rnn},       {"diagonal", equations_fp_rnn}, {"fp_mamba", equations_fp_mamba},
               {"mamba", equations_fp_mamba},      {"delta", equations_delta},     {"lstm", equations_lstm},
               {"attention", equations_attention}, {"mamba2", equations_mamba2}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].layer, layer) == 0)
            return all[i].equations;
    ck_abort_msg("the layer %s has no equations here", layer);
}

/* ---- Layers ------------------------------------------------------------------------------------------------------------------- */

static const struct layer_case {
    const char *layer;
    int64_t d_model, d, heads, T;
    enum mixer mixer;
    int64_t r;
    double s;
    enum form form;
    enum feedback feedback;
    enum readout readout;
    int64_t N;
    enum reads reads;
    enum norm norm;
    enum gate gate;
    enum convolution convolution;
    enum mixing mixing;
    enum forget forget;
    enum eigenvalues eigenvalues;
    enum output_gate output_gate;
    enum feed_forward_kind feed_forward;
} cases[] = {
    {"lstm", 6, 8, .T = 7},
    {"lstm", 9, 5, .T = 1},
    {"attention", 6, 8, 2, .T = 9},
    {"attention", 5, 12, 1, .T = 70},
    {"attention", 7, 6, 3, .T = 5},
    {"attention", 6, 8, 2, .T = 9, .feed_forward = FEED_FORWARD_GELU},
    {"attention", 5, 4, 1, .T = 6, .feed_forward = FEED_FORWARD_SWIGLU},
    {"delta", 6, 8, 2, .T = 9, .r = 1, .N = 4, .convolution = CONVOLUTION_SHORT},
    {"delta", 9, 6, 3, .T = 7, .r = 1, .N = 3, .convolution = CONVOLUTION_SHORT, .forget = FORGET_HEAD,
     .eigenvalues = EIGENVALUES_BOTH, .output_gate = OUTPUT_GATE_SILU, .feed_forward = FEED_FORWARD_SWIGLU},
    {"delta", 6, 8, 2, .T = 8, .r = 2, .N = 3, .eigenvalues = EIGENVALUES_BOTH, .output_gate = OUTPUT_GATE_SILU},
    {"delta", 5, 12, 1, .T = 7, .r = 4, .N = 5, .eigenvalues = EIGENVALUES_BOTH, .feed_forward = FEED_FORWARD_GELU},
    {"delta", 6, 8, 4, .T = 5, .r = 3, .N = 2, .forget = FORGET_HEAD, .output_gate = OUTPUT_GATE_SILU},
    {"diagonal", 6, 8, .T = 9, .readout = READOUT_STATE},
    {"diagonal", 9, 5, .T = 7, .form = FORM_PLAIN},
    {"fp_rnn", 6, 8, .T = 9, .mixer = MIXER_HOUSEHOLDER, .r = 1, .s = 1},
    {"fp_rnn", 9, 6, .T = 7, .mixer = MIXER_HOUSEHOLDER, .r = 2, .s = 0.7, .feedback = FEEDBACK_RMS, .readout = READOUT_STATE},
    {"fp_rnn", 5, 7, .T = 7, .mixer = MIXER_DPLR, .r = 2, .s = 0.4, .form = FORM_PLAIN, .feedback = FEEDBACK_RAW},
    {"fp_rnn", 8, 8, .T = 7, .mixer = MIXER_DPLR, .r = 1, .s = 1, .readout = READOUT_STATE},
    {"fp_rnn", 4, 6, .T = 7, .mixer = MIXER_KRONECKER, .s = 0.8, .feedback = FEEDBACK_RMS},
    {"fp_rnn", 7, 6, .T = 6, .mixer = MIXER_KRONECKER_ROWS, .s = 0.3, .feedback = FEEDBACK_RAW, .readout = READOUT_STATE},
    {"fp_rnn", 4, 6, .T = 7, .mixer = MIXER_NONE, .readout = READOUT_STATE},
    {"mamba", 6, 8, .T = 9, .N = 4, .norm = NORM_BOTH, .readout = READOUT_STATE}, /* it has no such choices */
    {"mamba", 33, 5, .T = 7, .N = 3, .reads = READS_BC},
    {"mamba2", 6, 8, 2, .T = 9, .N = 4},
    {"mamba2", 9, 6, 3, .T = 7, .N = 3, .norm = NORM_NONE, .readout = READOUT_STATE}, /* it has no such choices */
    {"fp_mamba", 6, 8, .T = 9, .mixer = MIXER_HOUSEHOLDER, .r = 1, .s = 0.5, .feedback = FEEDBACK_RAW, .readout = READOUT_STATE,
     .N = 4, .reads = READS_BC, .norm = NORM_BOTH},
    {"fp_mamba", 6, 8, .T = 7, .mixer = MIXER_HOUSEHOLDER, .r = 2, .s = 0.4, .feedback = FEEDBACK_RAW, .readout = READOUT_STATE,
     .N = 3, .reads = READS_BC, .norm = NORM_BOTH, .convolution = CONVOLUTION_SHORT, .mixing = MIXING_SYMMETRIC},
    {"fp_mamba", 17, 6, .T = 7, .mixer = MIXER_DPLR, .r = 2, .s = 0.1, .feedback = FEEDBACK_RAW, .N = 2, .reads = READS_DT_BC,
     .norm = NORM_OUTPUT, .gate = GATE_INSIDE, .convolution = CONVOLUTION_SHORT},
    {"fp_mamba", 6, 8, .T = 6, .mixer = MIXER_HOUSEHOLDER, .r = 1, .s = 1, .N = 3, .norm = NORM_BC},
    {"fp_mamba", 4, 6, .T = 7, .mixer = MIXER_KRONECKER, .s = 0.5, .feedback = FEEDBACK_RAW, .N = 2, .reads = READS_DT,
     .norm = NORM_BOTH},
    {"fp_mamba", 4, 6, .T = 5, .mixer = MIXER_KRONECKER_ROWS, .s = 0.3, .feedback = FEEDBACK_RAW, .readout = READOUT_STATE, .N = 2,
     .reads = READS_BC, .norm = NORM_BOTH},
    {"fp_mamba", 4, 6, .T = 7, .mixer = MIXER_NONE, .readout = READOUT_STATE, .N = 3, .reads = READS_BC, .norm = NORM_BOTH},
};
enum { CASES = sizeof cases / sizeof cases[0], B = 3 };

static struct model_spec spec_of(const struct layer_case *one, enum dtype dtype)
{
    struct model_spec spec = {
        .layer = sequence_layer_find(one->layer), .blocks = 1, .d_model = one->d_model, .d = one->d, .dtype = dtype};
    spec.mixer = one->mixer, spec.r = one->r, spec.s = one->s, spec.form = one->form, spec.feedback = one->feedback;
    spec.readout = one->readout, spec.heads = one->heads;
    spec.N = one->N, spec.reads = one->reads, spec.norm = one->norm, spec.gate = one->gate;
    spec.convolution = one->convolution, spec.mixing = one->mixing;
    spec.forget = one->forget, spec.eigenvalues = one->eigenvalues, spec.output_gate = one->output_gate;
    spec.feed_forward = one->feed_forward;
    ck_assert_int_ge(spec.layer, 0);
    return spec;
}

/* Weights of another size than they start with: each term of an equation counts, and none drowns the others. */
static void draw_weights(struct parameters *parameters, uint64_t seed)
{
    for (int i = 0; i < parameters->n; i++) {
        struct parameter *p = &parameters->item[i];
        double size = p->rank == 2 ? 1.2 / sqrt((double)p->shape[1]) : 0.8;
        for (int64_t k = 0; k < p->size; k++)
            put(p->value, parameters->dtype, k, size * random_normal(seed, (uint32_t)i, (uint64_t)k));
    }
}

/* How a recurrence is carried out: exactly, or a few iterations of it. Those of the registry whose answer at t depends on no later token:
 * not the solvers that take the tokens of a sequence together (docs/reference/layers.md). */
static bool recurrence_of(int i, struct recurrence *recurrence)
{
    const struct implementation *one = registry_get(i, DTYPE_FLOAT64, LEVEL_BASELINE);
    *recurrence = (struct recurrence){.implementation = i, .settings = {.l_max = 3, .quantile = 1, .damping = 1}};
    return one->device == DEVICE_CPU && strcmp(one->name, "anderson") != 0 && strcmp(one->name, "gmres") != 0;
}

/* One layer, planned for more positions than the sequences have. */
struct laid {
    const struct sequence_layer *layer;
    struct model_spec model;
    struct recurrence recurrence;
    struct environment environment;
    struct parameters parameters;
    struct sequence_plan *plan;
    int64_t T;
    void *x, *y; /* (B,T,D) of the dtype */
};

/* False: this layer cannot be computed so. */
static bool lay(const struct layer_case *one, enum dtype dtype, enum level level, const struct recurrence *recurrence, int threads,
                struct laid *laid)
{
    char reason[160];
    *laid =
        (struct laid){.model = spec_of(one, dtype), .recurrence = *recurrence, .environment = {.threads = threads}, .T = one->T};
    laid->layer = sequence_layer_get(laid->model.layer, dtype, level);
    struct sequence_setup setup = {
        .model = &laid->model, .recurrence = &laid->recurrence, .environment = &laid->environment, .B = B, .T = one->T + 2};
    if (!laid->layer->check(&setup, sizeof reason, reason))
        return false;
    laid->layer->declare(&laid->model, &laid->parameters);
    ck_assert_int_eq(parameters_allocate(&laid->parameters, dtype, 5).code, STATUS_OK);
    draw_weights(&laid->parameters, 21);
    setup.parameter = laid->parameters.item;
    ck_assert_int_eq(laid->layer->plan(&setup, &laid->plan).code, STATUS_OK);
    ck_assert_int_eq(laid->layer->resize(laid->plan, one->T, 0).code, STATUS_OK);
    int64_t n = B * one->T * one->d_model;
    laid->x = doubles(n);
    laid->y = doubles(n);
    for (int64_t i = 0; i < n; i++)
        put(laid->x, dtype, i, random_normal(22, 0, (uint64_t)i));
    return true;
}

static void lift(struct laid *laid)
{
    laid->layer->destroy(laid->plan);
    parameters_free(&laid->parameters);
    free(laid->x);
    free(laid->y);
}

static const double tolerance[DTYPE_COUNT] = {1e-4, 1e-10};

static void assert_near(const char *what, int64_t n, const double *found, const double *expected, double most)
{
    double off = 0, size = 0;
    for (int64_t i = 0; i < n; i++) {
        off = isfinite(found[i]) ? fmax(off, fabs(found[i] - expected[i])) : INFINITY;
        size = fmax(size, fabs(expected[i]));
    }
    ck_assert_msg(off <= most * size && size > 0, "%s: off by %g of %g", what, off, size);
}

/* Whether it was computed. */
static bool compare_layer(const struct layer_case *one, enum dtype dtype, enum level level, int implementation, int threads)
{
    struct laid laid;
    struct recurrence recurrence;
    char what[200];
    if (!recurrence_of(implementation, &recurrence) || !lay(one, dtype, level, &recurrence, threads, &laid))
        return false;
    int64_t size = one->T * one->d_model;
    double *e = doubles(size), *y = doubles(size), *found = doubles(size);
    struct weights weights = weights_of(&laid.parameters);
    const struct implementation *by = registry_get_for(implementation, laid.layer->cell, dtype, level);
    ck_assert_int_eq(laid.layer->forward(laid.plan, laid.x, laid.y).code, STATUS_OK);
    for (int64_t b = 0; b < B; b++) {
        for (int64_t i = 0; i < size; i++) {
            e[i] = get(laid.x, dtype, b * size + i);
            found[i] = get(laid.y, dtype, b * size + i);
        }
        if (!by->exact && by->solver)
            continue; /* a few iterates of a solver are its own (SUITE=solvers) */
        equations_of(one->layer)(&laid.model, &laid.recurrence, &weights, one->T, e, y);
        snprintf(what, sizeof what, "%s, %s, %s %s, %d threads: sequence %lld", one->layer, mixer_names[one->mixer],
                 laid.layer->recurrent ? by->name : "no recurrence", dtype_names[dtype], threads, (long long)b);
        assert_near(what, size, found, y, tolerance[dtype]);
    }
    weights_free(&weights);
    free(e), free(y), free(found);
    lift(&laid);
    return true;
}

START_TEST(layers)
{
    const struct layer_case *one = &cases[_i];
    bool recurrent = sequence_layer_get(sequence_layer_find(one->layer), DTYPE_FLOAT64, LEVEL_BASELINE)->recurrent;
    int computed = 0;
    for (int i = 0; i < (recurrent ? registry_count() : 1); i++)
        for (enum level level = 0; level <= level_best(); level++)
            for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++)
                computed += compare_layer(one, dtype, level, i, 1 + (i + (int)dtype) % 3);
    ck_assert_msg(computed >= DTYPE_COUNT, "nothing computes this");
}
END_TEST

/* Keys and queries whose squares overflow are none of length 0, with which the answer would be finite: it comes to light. */
START_TEST(lengths_overflow)
{
    const struct layer_case *one = &cases[_i];
    struct laid laid;
    struct recurrence recurrence;
    if (strcmp(one->layer, "delta") != 0)
        return;
    ck_assert(recurrence_of(registry_find("delta_sequential"), &recurrence));
    ck_assert(lay(one, DTYPE_FLOAT32, LEVEL_BASELINE, &recurrence, 2, &laid));
    for (int64_t i = 0; i < B * one->T * one->d_model; i++)
        ((float *)laid.x)[i] *= 1e21F;
    ck_assert_int_eq(laid.layer->forward(laid.plan, laid.x, laid.y).code, STATUS_DIVERGED);
    lift(&laid);
}
END_TEST

/* ---- What comes later, and the others of the batch ------------------------------------------------------------------------------ */

/* Tokens from `at` on of sequence b are other ones: everything before stays as it was, bit for bit, and what follows does not. */
static void disturb(const struct laid *laid, int64_t b, int64_t at)
{
    enum dtype dtype = laid->model.dtype;
    int64_t D = laid->model.d_model, T = laid->T, n = B * T * D;
    size_t width = dtype_size(dtype);
    char *first = malloc((size_t)n * width), *x = laid->x, *y = laid->y;
    ck_assert_ptr_nonnull(first);
    ck_assert_int_eq(laid->layer->forward(laid->plan, x, y).code, STATUS_OK);
    memcpy(first, y, (size_t)n * width);
    for (int64_t i = (b * T + at) * D; i < (b + 1) * T * D; i++)
        put(x, dtype, i, get(x, dtype, i) + random_normal(23, 0, (uint64_t)i));
    ck_assert_int_eq(laid->layer->forward(laid->plan, x, y).code, STATUS_OK);
    for (int64_t n_token = 0; n_token < B * T; n_token++) {
        bool later = n_token >= b * T + at && n_token < (b + 1) * T;
        bool same = memcmp(first + (size_t)(n_token * D) * width, y + (size_t)(n_token * D) * width, (size_t)D * width) == 0;
        ck_assert_msg(same != later, "%s: tokens from %lld of sequence %lld are others, and token %lld of %lld is %s",
                      laid->layer->name, (long long)at, (long long)b, (long long)(n_token % T), (long long)(n_token / T),
                      same ? "not" : "another, too");
    }
    free(first);
}

START_TEST(causality)
{
    const struct layer_case *one = &cases[_i];
    bool recurrent = sequence_layer_get(sequence_layer_find(one->layer), DTYPE_FLOAT64, LEVEL_BASELINE)->recurrent;
    for (int i = 0; i < (recurrent ? registry_count() : 1); i++)
        for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++)
            for (int64_t at = 0; at<one->T; at += one->T> 10 ? 23 : 1) {
                struct laid laid;
                struct recurrence recurrence;
                if (!recurrence_of(i, &recurrence) || !lay(one, dtype, level_best(), &recurrence, 1 + (int)at % 3, &laid))
                    continue;
                disturb(&laid, at % B, at);
                lift(&laid);
            }
}
END_TEST

/* ---- Whole models ---------------------------------------------------------------------------------------------------------------- */

enum { VOCABULARY = 5, CLASSES = 4, BLOCKS = 2 };

struct modelled {
    struct model_spec model;
    struct recurrence recurrence;
    struct environment environment;
    struct parameters parameters;
    const struct arithmetic *arithmetic;
    struct pass *pass;
    int64_t T;
    int32_t *token, *target, *answer;
};

static int32_t *integers(int64_t n)
{
    int32_t *x = calloc((size_t)n, sizeof *x);
    ck_assert_ptr_nonnull(x);
    return x;
}

static struct modelled make_model(const struct layer_case *one, enum dtype dtype)
{
    struct modelled m = {
        .model = spec_of(one, dtype), .environment = {.threads = 2}, .arithmetic = arithmetic_get(dtype), .T = one->T};
    m.model.blocks = BLOCKS;
    static const char *const by[CELL_COUNT] = {[CELL_VECTOR] = "fixed_point",
                                               [CELL_SELECTIVE] = "fixed_point",
                                               [CELL_SELECTIVE_HEADS] = "diagonal_scan",
                                               [CELL_DELTA] = "delta_sequential"};
    recurrence_of(registry_find(by[sequence_layer_get(m.model.layer, dtype, LEVEL_BASELINE)->cell]), &m.recurrence);
    model_declare(&m.model, VOCABULARY, CLASSES, &m.parameters);
    ck_assert_int_eq(parameters_allocate(&m.parameters, dtype, 5).code, STATUS_OK);
    draw_weights(&m.parameters, 24);
    struct pass_setup setup = {&m.model, &m.parameters, &m.recurrence, &m.environment, VOCABULARY, CLASSES, B, m.T, false, NULL};
    ck_assert_int_eq(m.arithmetic->plan(&setup, &m.pass).code, STATUS_OK);
    m.token = integers(B * m.T), m.target = integers(B * m.T), m.answer = integers(B * m.T);
    for (int64_t i = 0; i < B * m.T; i++)
        m.token[i] = (int32_t)(VOCABULARY * random_uniform(25, 0, (uint64_t)i));
    return m;
}

static void model_free(struct modelled *m)
{
    m->arithmetic->destroy(m->pass);
    parameters_free(&m->parameters);
    free(m->token), free(m->target), free(m->answer);
}

/* The loss where position `at` alone is scored. */
static double loss_at(struct modelled *m, int64_t at, int32_t class)
{
    double loss = NAN;
    for (int64_t i = 0; i < B * m->T; i++)
        m->target[i] = i == at ? class : -1;
    ck_assert_int_eq(m->arithmetic->forward(m->pass, m->token, m->target, m->answer, &loss).code, STATUS_OK);
    return loss;
}

/* With its gain, and where it is a LayerNorm the bias that comes next. */
static void norm_of(bool rms, int64_t D, double *const weights[], const double *x, double *y)
{
    if (rms)
        rms_norm(D, weights[0], x, y);
    else
        layer_norm(D, weights[0], weights[1], x, y);
}

/* x (D) += what the feed-forward part says, whose parameters begin with number `first`. */
static void feed_forward_equations(const struct model_spec *model, bool rms, const struct weights *weights, int first, double *x)
{
    int64_t D = model->d_model, width = 4 * D;
    bool gelu = model->feed_forward == FEED_FORWARD_GELU;
    double *const *p = &weights->value[first + (rms ? 1 : 2)]; /* W_up, b_up, W_down, b_down; or W_up, W_down */
    double *e = doubles(D), *up = doubles(2 * width), *down = doubles(D);
    norm_of(rms, D, &weights->value[first], x, e);
    product(D, gelu ? width : 2 * width, p[0], e, up);
    for (int64_t c = 0; c < width; c++) {
        double a = gelu ? up[c] + p[1][c] : up[c];
        up[c] = gelu ? a * (1 + tanh(sqrt(2 / acos(-1)) * (a + 0.044715 * pow(a, 3)))) / 2 : silu_of(a) * up[width + c];
    }
    product(width, D, p[gelu ? 2 : 1], up, down);
    for (int64_t c = 0; c < D; c++)
        x[c] += down[c] + (gelu ? p[3][c] : 0);
    free(e), free(up), free(down);
}

/* logits (T,CLASSES) of sequence b */
static void model_equations(const struct modelled *m, struct weights *weights, int64_t b, double *logits)
{
    int64_t D = m->model.d_model, T = m->T;
    double *x = doubles(T * D), *e = doubles(T * D), *y = doubles(T * D);
    const struct sequence_layer *layer = sequence_layer_get(m->model.layer, DTYPE_FLOAT64, LEVEL_BASELINE);
    bool tied = strstr(layer->name, "mamba") != NULL, rms = tied || strcmp(layer->name, "delta") == 0;
    int norm = rms ? 1 : 2, end = norm + (tied ? 0 : 2); /* tied: classes are mapped to by the embedding; or by W and b */
    int forward = m->model.feed_forward == FEED_FORWARD_NONE ? 0 : m->model.feed_forward == FEED_FORWARD_GELU ? norm + 4 : norm + 2;
    int each = (m->parameters.n - 1 - end) / BLOCKS;
    weights->from = 0, weights->to = m->parameters.n;
    for (int64_t t = 0; t < T; t++)
        memcpy(x + t * D, weight(weights, "embedding") + m->token[b * T + t] * D, (size_t)D * sizeof *x);
    for (int k = 0; k < BLOCKS; k++) {
        weights->from = 1 + k * each, weights->to = 1 + (k + 1) * each;
        for (int64_t t = 0; t < T; t++)
            norm_of(rms, D, &weights->value[weights->from], x + t * D, e + t * D);
        weights->from += norm;
        weights->to -= forward;
        equations_of(layer->name)(&m->model, &m->recurrence, weights, T, e, y);
        for (int64_t i = 0; i < T * D; i++)
            x[i] += y[i];
        for (int64_t t = 0; t < T && forward > 0; t++)
            feed_forward_equations(&m->model, rms, weights, weights->to, x + t * D);
    }
    for (int64_t t = 0; t < T; t++) {
        int last = m->parameters.n - end;
        norm_of(rms, D, &weights->value[last], x + t * D, e);
        product(D, CLASSES, weights->value[tied ? 0 : last + norm], e, logits + t * CLASSES);
        for (int k = 0; k < CLASSES && !tied; k++)
            logits[t * CLASSES + k] += weights->value[last + norm + 1][k];
    }
    free(x), free(e), free(y);
}

/* The loss of each position and class, and the answers. */
START_TEST(models)
{
    const struct layer_case *one = &cases[_i / DTYPE_COUNT];
    enum dtype dtype = (enum dtype)(_i % DTYPE_COUNT);
    if (one->T > 10)
        return;
    struct modelled m = make_model(one, dtype);
    struct weights weights = weights_of(&m.parameters);
    double *logits = doubles(m.T * CLASSES), found[CLASSES], expected[CLASSES];
    for (int64_t b = 0; b < B; b++) {
        model_equations(&m, &weights, b, logits);
        for (int64_t t = 0; t < m.T; t++) {
            double *row = logits + t * CLASSES, sum = 0;
            int best = 0;
            for (int k = 0; k < CLASSES; k++) {
                sum += exp(row[k]);
                best = row[k] > row[best] ? k : best;
            }
            for (int k = 0; k < CLASSES; k++) {
                found[k] = loss_at(&m, b * m.T + t, k);
                expected[k] = log(sum) - row[k];
            }
            assert_near(one->layer, CLASSES, found, expected, 10 * tolerance[dtype]);
            ck_assert_int_eq(m.answer[b * m.T + t], best);
        }
    }
    weights_free(&weights);
    free(logits);
    model_free(&m);
}
END_TEST

/* A later token, or another sequence, does not change the loss of a position, bit for bit; an earlier one does. */
START_TEST(models_are_causal)
{
    const struct layer_case *one = &cases[_i];
    if (one->T > 10 || one->T < 3)
        return;
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++) {
        struct modelled m = make_model(one, dtype);
        for (int64_t at = 0; at < m.T; at++) {
            int64_t place = m.T + at; /* of the second sequence */
            double before = loss_at(&m, place, 1);
            for (int64_t i = 0; i < B * m.T; i++) {
                int32_t kept = m.token[i];
                m.token[i] = (kept + 1) % VOCABULARY;
                double after = loss_at(&m, place, 1);
                m.token[i] = kept;
                bool later = i > place || i < m.T;
                ck_assert_msg((after == before) == later,
                              "%s: token %lld of sequence %lld changes the loss of token %lld from %.17g to %.17g", one->layer,
                              (long long)(i % m.T), (long long)(i / m.T), (long long)at, before, after);
            }
        }
        model_free(&m);
    }
}
END_TEST

Suite *suite_forward(void)
{
    Suite *suite = suite_create("forward");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, layers, 0, CASES);
    tcase_add_loop_test(all, lengths_overflow, 0, CASES);
    tcase_add_loop_test(all, causality, 0, CASES);
    tcase_add_loop_test(all, models, 0, CASES * DTYPE_COUNT);
    tcase_add_loop_test(all, models_are_causal, 0, CASES);
    suite_add_tcase(suite, all);
    return suite;
}
