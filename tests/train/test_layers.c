/* Every operator, sequence mixer and whole model: gradients by hand against central finite differences, in float64, on random
 * shapes. A tensor's gradient is compared as a whole, |numeric - analytic|_2 below 1e-6 |analytic|_2, over at most SAMPLED of
 * its numbers. */
#include "bench/base/random.h"
#include "train/math/feed_forward.h"
#include "train/math/operators.h"
#include "train/math/pass.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_layers(void);

enum { SAMPLED = 24, ROUNDS = 3 };
static const double DISTURBANCE = 1e-5, TOLERANCE = 1e-6;

static double *drawn(int64_t n, uint32_t stream)
{
    double *x = malloc((size_t)n * sizeof *x);
    ck_assert_ptr_nonnull(x);
    for (int64_t i = 0; i < n; i++)
        x[i] = random_normal(99, stream, (uint64_t)i);
    return x;
}

static int64_t between(int64_t low, int64_t high, int round, uint32_t stream)
{
    return low + (int64_t)((double)(high - low + 1) * random_uniform(7, stream, (uint64_t)round));
}

static double weighted(const double *weight, const double *y, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += weight[i] * y[i];
    return sum;
}

/* The derivative of loss(context) by x, which is as it was afterwards; off by the fourth power of the disturbance. */
static double difference(double (*loss)(void *), void *context, double *x)
{
    static const double at[] = {1, -1, 2, -2}, weight[] = {8, -8, -1, 1};
    double kept = *x, sum = 0;
    for (int i = 0; i < 4; i++) {
        *x = kept + at[i] * DISTURBANCE;
        sum += weight[i] * loss(context);
    }
    *x = kept;
    return sum / (12 * DISTURBANCE);
}

/* Compares analytic (n) with differences of loss(context) as x (n) is disturbed. */
static void compare(const char *name, double (*loss)(void *), void *context, double *x, const double *analytic, int64_t n)
{
    double off = 0, size = 0;
    int64_t step = n > SAMPLED ? n / SAMPLED : 1;
    for (int64_t i = 0; i < n; i += step) {
        double numeric = difference(loss, context, &x[i]);
        off += (numeric - analytic[i]) * (numeric - analytic[i]);
        size += analytic[i] * analytic[i];
    }
    ck_assert_msg(sqrt(off) < TOLERANCE * sqrt(size), "%s: differs by %g of %g", name, sqrt(off), sqrt(size));
}

/* ---- Operators -------------------------------------------------------------------------------------------------------------- */

struct operands {
    int64_t N, in, out;
    double *x, *w, *b, *y, *weight, *kept, *terms;
    int32_t *token, *answer;
    bool centred;
};

static struct operands operands_make(int round)
{
    struct operands o = {.N = between(1, 40, round, 1), .in = between(1, 30, round, 2), .out = between(1, 30, round, 3)};
    o.x = drawn(o.N * o.in, 1);
    o.w = drawn(o.out * o.in, 2);
    o.b = drawn(o.in + o.out, 3);
    o.y = drawn(o.N * (o.in + o.out), 4);
    o.weight = drawn(o.N * (o.in + o.out), 5);
    o.kept = drawn(2 * o.N, 6);
    o.terms = drawn(o.N, 7);
    o.token = malloc((size_t)o.N * sizeof *o.token);
    o.answer = malloc((size_t)o.N * sizeof *o.answer);
    ck_assert(o.token != NULL && o.answer != NULL);
    for (int64_t n = 0; n < o.N; n++)
        o.token[n] = (int32_t)between(0, o.out - 1, (int)n, 4);
    return o;
}

static void operands_free(struct operands *o)
{
    double *const all[] = {o->x, o->w, o->b, o->y, o->weight, o->kept, o->terms};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(o->token);
    free(o->answer);
}

static double linear_loss(void *context)
{
    struct operands *o = context;
    linear_forward(2, o->N, o->in, o->out, o->x, o->w, o->b, false, o->y);
    return weighted(o->weight, o->y, o->N * o->out);
}

START_TEST(linear)
{
    struct operands o = operands_make(_i);
    double *dx = drawn(o.N * o.in, 8), *dw = drawn(o.out * o.in, 9), *db = drawn(o.out, 10), *twice = drawn(o.N * o.in, 8);
    linear_backward(2, o.N, o.in, o.out, o.x, o.w, o.weight, false, dx, dw, db);
    compare("x", linear_loss, &o, o.x, dx, o.N * o.in);
    compare("w", linear_loss, &o, o.w, dw, o.in * o.out);
    compare("bias", linear_loss, &o, o.b, db, o.out);
    memcpy(twice, dx, (size_t)(o.N * o.in) * sizeof *dx);
    linear_backward(2, o.N, o.in, o.out, o.x, o.w, o.weight, true, twice, dw, NULL);
    for (int64_t i = 0; i < o.N * o.in; i++)
        ck_assert_double_eq_tol(twice[i], 2 * dx[i], 1e-12 * (1 + fabs(dx[i])));
    free(dx), free(dw), free(db), free(twice);
    operands_free(&o);
}
END_TEST

static double norm_loss(void *context)
{
    struct operands *o = context;
    norm_forward(2, o->N, o->in, o->x, o->w, o->centred ? o->b : NULL, o->kept, o->y);
    return weighted(o->weight, o->y, o->N * o->in);
}

START_TEST(norm)
{
    struct operands o = operands_make(_i / 2);
    o.centred = _i % 2 == 1 && o.in > 2; /* two numbers less their mean are +-1 whatever they were */
    double *dx = drawn(o.N * o.in, 8), *dgain = drawn(o.in, 9), *db = drawn(o.in, 10), *dy = drawn(o.N * (o.in + o.out), 5);
    norm_loss(&o);
    norm_backward(2, o.N, o.in, o.x, o.w, o.kept, dy, false, dx, dgain, o.centred ? db : NULL);
    if (o.in > 1) /* one number over its own size is its sign */
        compare("x", norm_loss, &o, o.x, dx, o.N * o.in);
    compare("gain", norm_loss, &o, o.w, dgain, o.in);
    if (o.centred)
        compare("bias", norm_loss, &o, o.b, db, o.in);
    free(dx), free(dgain), free(db), free(dy);
    operands_free(&o);
}
END_TEST

static double embedding_loss(void *context)
{
    struct operands *o = context;
    embedding_forward(2, o->N, o->in, o->token, o->w, o->y);
    return weighted(o->weight, o->y, o->N * o->in);
}

START_TEST(embedding)
{
    struct operands o = operands_make(_i);
    double *dw = drawn(o.out * o.in, 9);
    embedding_backward(2, o.N, o.in, o.out, o.token, o.weight, false, dw);
    compare("table", embedding_loss, &o, o.w, dw, o.out * o.in);
    free(dw);
    operands_free(&o);
}
END_TEST

/* Rows as sequences: the longest whole number of them that is divided so. */
enum { LENGTH = 7 };

static int64_t sequences_of(const struct operands *o)
{
    return (o->N + LENGTH - 1) / LENGTH;
}

static double *tokens_of(const struct operands *o, uint32_t stream)
{
    return drawn(sequences_of(o) * LENGTH * o->in, stream);
}

struct convolved {
    int64_t B, d;
    double *x, *w, *bias, *y, *weight;
};

static double convolution_loss(void *context)
{
    struct convolved *o = context;
    convolution_forward(2, o->B, LENGTH, o->d, o->x, o->w, o->bias, o->y);
    return weighted(o->weight, o->y, o->B * LENGTH * o->d);
}

/* zero (d): the same as with a bias of zeros, forward and backward. */
static void convolution_without_bias(const struct convolved *c, double *zero)
{
    int64_t size = c->B * LENGTH * c->d, taps = CONVOLUTION_WIDTH * c->d;
    double *y = drawn(size, 9), *none = drawn(size, 9), *dx = drawn(size, 9), *dw = drawn(taps, 10), *other = drawn(taps, 11);
    memset(zero, 0, (size_t)c->d * sizeof *zero);
    convolution_forward(2, c->B, LENGTH, c->d, c->x, c->w, zero, y);
    convolution_forward(2, c->B, LENGTH, c->d, c->x, c->w, NULL, none);
    ck_assert_int_eq(memcmp(y, none, (size_t)size * sizeof *y), 0);
    convolution_backward(2, c->B, LENGTH, c->d, c->x, c->w, c->weight, y, dw, zero);
    convolution_backward(2, c->B, LENGTH, c->d, c->x, c->w, c->weight, dx, other, NULL);
    ck_assert_int_eq(memcmp(y, dx, (size_t)size * sizeof *y), 0);
    ck_assert_int_eq(memcmp(dw, other, (size_t)taps * sizeof *dw), 0);
    free(y), free(none), free(dx), free(dw), free(other);
}

START_TEST(convolution)
{
    struct operands o = operands_make(_i);
    struct convolved c = {.B = sequences_of(&o), .d = o.in};
    int64_t size = c.B * LENGTH * c.d;
    c.x = tokens_of(&o, 1), c.y = tokens_of(&o, 2), c.weight = tokens_of(&o, 3);
    c.w = drawn(CONVOLUTION_WIDTH * c.d, 4), c.bias = drawn(c.d, 5);
    convolution_loss(&c);
    for (int64_t b = 0; b < c.B; b++)
        for (int64_t t = 0; t < LENGTH; t++)
            for (int64_t i = 0; i < c.d; i++) {
                double sum = c.bias[i];
                for (int64_t k = 0; k < CONVOLUTION_WIDTH && k <= t; k++)
                    sum += c.w[k * c.d + i] * c.x[(b * LENGTH + t - k) * c.d + i];
                ck_assert_double_eq_tol(c.y[(b * LENGTH + t) * c.d + i], sum, 1e-12 * (1 + fabs(sum)));
            }
    double *dx = tokens_of(&o, 6), *dw = drawn(CONVOLUTION_WIDTH * c.d, 7), *db = drawn(c.d, 8);
    convolution_backward(2, c.B, LENGTH, c.d, c.x, c.w, c.weight, dx, dw, db);
    compare("x", convolution_loss, &c, c.x, dx, size);
    compare("w", convolution_loss, &c, c.w, dw, CONVOLUTION_WIDTH * c.d);
    compare("bias", convolution_loss, &c, c.bias, db, c.d);
    convolution_without_bias(&c, db);
    double *const all[] = {c.x, c.y, c.weight, c.w, c.bias, dx, dw, db};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    operands_free(&o);
}
END_TEST

struct normalised_weight {
    int64_t rows, columns, parts;
    double *v, *g, *w, *weight;
};

static double weight_norm_loss(void *context)
{
    struct normalised_weight *o = context;
    weight_norm_forward(2, o->rows, o->columns, o->parts, o->v, o->g, o->w);
    return weighted(o->weight, o->w, o->rows * o->columns);
}

START_TEST(weight_norm)
{
    struct operands o = operands_make(_i / 2);
    struct normalised_weight c = {.rows = o.out, .parts = 1 + _i % 2};
    c.columns = o.in * c.parts;
    int64_t size = c.rows * c.columns, width = o.in;
    c.v = drawn(size, 1), c.g = drawn(c.rows, 2), c.w = drawn(size, 3), c.weight = drawn(size, 4);
    double *dv = drawn(size, 5), *dg = drawn(c.rows, 6);
    weight_norm_loss(&c);
    for (int64_t i = 0; i < c.rows; i++) {
        double squares = 0;
        for (int64_t k = 0; k < c.columns; k++)
            squares += c.v[i * c.columns + k] * c.v[i * c.columns + k];
        for (int64_t k = 0; k < c.columns; k++)
            ck_assert_double_eq_tol(c.w[(k / width * c.rows + i) * width + k % width],
                                    c.g[i] * c.v[i * c.columns + k] / sqrt(squares), 1e-12 * (1 + fabs(c.g[i])));
    }
    weight_norm_backward(2, c.rows, c.columns, c.parts, c.v, c.g, c.weight, dv, dg);
    if (c.columns > 1) /* one number over its own size is its sign */
        compare("v", weight_norm_loss, &c, c.v, dv, size);
    compare("g", weight_norm_loss, &c, c.g, dg, c.rows);
    memset(c.v, 0, (size_t)c.columns * sizeof *c.v); /* a row without a direction counts for nothing */
    weight_norm_loss(&c);
    weight_norm_backward(2, c.rows, c.columns, c.parts, c.v, c.g, c.weight, dv, dg);
    for (int64_t k = 0; k < c.columns; k++)
        ck_assert(c.w[k / width * c.rows * width + k % width] == 0 && dv[k] == 0 && dg[0] == 0);
    free(c.v), free(c.g), free(c.w), free(c.weight), free(dv), free(dg);
    operands_free(&o);
}
END_TEST

START_TEST(shift)
{
    struct operands o = operands_make(_i);
    int64_t B = sequences_of(&o), d = o.in, size = B * LENGTH * d;
    double *y = tokens_of(&o, 1), *before = tokens_of(&o, 2), *weight = tokens_of(&o, 3), *dy = tokens_of(&o, 4);
    double *kept = tokens_of(&o, 4);
    shift_forward(2, B, LENGTH, d, y, before);
    shift_backward(2, B, LENGTH, d, weight, dy);
    for (int64_t i = 0; i < size; i++) {
        int64_t t = i / d % LENGTH;
        ck_assert(before[i] == (t > 0 ? y[i - d] : 0));
        ck_assert(dy[i] == kept[i] + (t + 1 < LENGTH ? weight[i + d] : 0));
    }
    free(y), free(before), free(weight), free(dy), free(kept);
    operands_free(&o);
}
END_TEST

static double entropy_loss(void *context)
{
    struct operands *o = context;
    memcpy(o->y, o->x, (size_t)(o->N * o->in) * sizeof *o->y);
    return cross_entropy(2, o->N, o->in, o->y, o->token, o->answer, o->terms);
}

START_TEST(entropy)
{
    struct operands o = operands_make(_i);
    double *d_logits = drawn(o.N * o.in, 8), plain = 0;
    int64_t scored = 0;
    for (int64_t n = 0; n < o.N; n++) {
        o.token[n] = n % 3 == 1 ? -1 : (int32_t)(n % o.in);
        scored += o.token[n] >= 0;
    }
    double loss = entropy_loss(&o);
    memcpy(d_logits, o.y, (size_t)(o.N * o.in) * sizeof *d_logits);
    for (int64_t n = 0; n < o.N; n++) {
        double sum = 0, *row = o.x + n * o.in;
        int best = 0;
        for (int c = 0; c < o.in; c++) {
            sum += exp(row[c]);
            best = row[c] > row[best] ? c : best;
        }
        ck_assert_int_eq(o.answer[n], best);
        bool asked = n % 3 != 1;
        plain += asked ? log(sum) - row[n % o.in] : 0;
        for (int c = 0; !asked && c < o.in; c++)
            ck_assert_double_eq(d_logits[n * o.in + c], 0);
    }
    ck_assert_double_eq_tol(loss, plain / (double)scored, 1e-12 * (1 + loss));
    if (o.in > 1)
        compare("logits", entropy_loss, &o, o.x, d_logits, o.N * o.in);
    free(d_logits);
    operands_free(&o);
}
END_TEST

/* ---- Whole models, and through them every sequence mixer -------------------------------------------------------------------- */

/* A recurrence of each kind of gradient that is the one of finite differences. */
struct way {
    const char *implementation;
    enum gradient gradient;
};

static const struct model_case {
    const char *name, *layer;
    int64_t blocks, d_model, d, r, heads;
    struct way way;
    enum mixer mixer;
    enum form form;
    enum feedback feedback;
    enum readout readout;
    int64_t N;
    double s; /* 0: 1 where there is a mixer */
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
    {"lstm", "lstm", 1, 7, 5, .way = {0}},
    {"lstm, two blocks", "lstm", 2, 4, 9, .way = {0}},
    {"attention", "attention", 1, 6, 8, .heads = 2},
    {"attention, two blocks", "attention", 2, 5, 12, .heads = 3},
    {"transformer", "attention", 1, 6, 8, .heads = 2, .feed_forward = FEED_FORWARD_GELU},
    {"transformer, two blocks", "attention", 2, 3, 4, .heads = 1, .feed_forward = FEED_FORWARD_SWIGLU},
    {"deltanet", "delta", 1, 5, 6, 1, .heads = 2, .way = {"delta_sequential", GRADIENT_EXACT}, .N = 3,
     .convolution = CONVOLUTION_SHORT},
    {"gated deltanet", "delta", 1, 5, 6, 1, .heads = 3, .way = {"delta_sequential", GRADIENT_EXACT}, .N = 3,
     .convolution = CONVOLUTION_SHORT, .forget = FORGET_HEAD, .eigenvalues = EIGENVALUES_BOTH, .output_gate = OUTPUT_GATE_SILU,
     .feed_forward = FEED_FORWARD_SWIGLU},
    {"deltaproduct", "delta", 2, 4, 6, 2, .heads = 2, .way = {"delta_sequential", GRADIENT_EXACT}, .N = 2,
     .eigenvalues = EIGENVALUES_BOTH, .output_gate = OUTPUT_GATE_SILU},
    {"gated deltaproduct", "delta", 1, 4, 8, 3, .heads = 2, .way = {"delta_sequential", GRADIENT_EXACT}, .N = 3,
     .forget = FORGET_HEAD, .feed_forward = FEED_FORWARD_GELU},
    {"diagonal", "diagonal", 1, 6, 7, .way = {"diagonal_scan", GRADIENT_EXACT}, .readout = READOUT_STATE},
    {"diagonal, plain", "diagonal", 2, 3, 4, .way = {"structured_sequential", GRADIENT_EXACT}, .form = FORM_PLAIN},
    {"householder", "fp_rnn", 1, 6, 7, 1, .way = {"structured_sequential", GRADIENT_EXACT}, .mixer = MIXER_HOUSEHOLDER},
    {"householder raw", "fp_rnn", 2, 4, 5, 2, .way = {"structured_sequential", GRADIENT_EXACT}, .mixer = MIXER_HOUSEHOLDER,
     .feedback = FEEDBACK_RAW, .readout = READOUT_STATE},
    {"dplr rms, d_model > d", "fp_rnn", 1, 7, 5, 2, .way = {"structured_sequential", GRADIENT_EXACT}, .mixer = MIXER_DPLR,
     .feedback = FEEDBACK_RMS, .readout = READOUT_STATE},
    {"dplr rms", "fp_rnn", 1, 5, 6, 2, .way = {"structured_sequential", GRADIENT_EXACT}, .mixer = MIXER_DPLR,
     .feedback = FEEDBACK_RMS},
    {"kronecker rms", "fp_rnn", 1, 4, 6, .way = {"dense_sequential", GRADIENT_EXACT}, .mixer = MIXER_KRONECKER,
     .feedback = FEEDBACK_RMS},
    {"kronecker_rows rms", "fp_rnn", 1, 4, 6, .way = {"dense_sequential", GRADIENT_EXACT}, .mixer = MIXER_KRONECKER_ROWS,
     .feedback = FEEDBACK_RMS},
    {"householder rms, implicit", "fp_rnn", 1, 4, 6, 1, .way = {"fixed_point", GRADIENT_EXACT}, .mixer = MIXER_HOUSEHOLDER,
     .feedback = FEEDBACK_RMS},
    {"householder, many steps", "fp_rnn", 1, 4, 6, 2, .way = {"fixed_point", GRADIENT_STEPS}, .mixer = MIXER_HOUSEHOLDER},
    {"mamba", "mamba", 1, 5, 6, .way = {"diagonal_scan", GRADIENT_EXACT}, .N = 3},
    {"mamba, two blocks", "mamba", 2, 4, 5, .way = {"diagonal_scan", GRADIENT_EXACT}, .N = 2},
    {"mamba2", "mamba2", 1, 5, 6, .heads = 2, .way = {"diagonal_scan", GRADIENT_EXACT}, .N = 3},
    {"mamba2 in chunks, two blocks", "mamba2", 2, 4, 6, .heads = 3, .way = {"chunked_scan", GRADIENT_EXACT}, .N = 2},
    {"fp_mamba without a mixer", "fp_mamba", 1, 5, 6, .way = {"diagonal_scan", GRADIENT_EXACT}, .N = 3, .norm = NORM_BOTH,
     .gate = GATE_INSIDE},
    {"fp_mamba", "fp_mamba", 1, 5, 7, 1, .way = {"structured_sequential", GRADIENT_EXACT}, .mixer = MIXER_HOUSEHOLDER,
     .feedback = FEEDBACK_RAW, .readout = READOUT_STATE, .N = 3, .reads = READS_BC, .norm = NORM_BOTH},
    {"fp_mamba r 2, as for copying", "fp_mamba", 2, 4, 6, 2, .way = {"structured_sequential", GRADIENT_EXACT},
     .mixer = MIXER_HOUSEHOLDER, .feedback = FEEDBACK_RAW, .readout = READOUT_STATE, .N = 3, .reads = READS_BC, .norm = NORM_BOTH,
     .convolution = CONVOLUTION_SHORT, .mixing = MIXING_SYMMETRIC},
    {"fp_mamba dplr, gate inside, all reads", "fp_mamba", 1, 17, 6, 2, .way = {"structured_sequential", GRADIENT_EXACT},
     .mixer = MIXER_DPLR, .feedback = FEEDBACK_RAW, .N = 2, .reads = READS_DT_BC, .norm = NORM_OUTPUT, .gate = GATE_INSIDE,
     .convolution = CONVOLUTION_SHORT},
    {"fp_mamba without feedback", "fp_mamba", 1, 4, 6, 1, .way = {"structured_sequential", GRADIENT_EXACT},
     .mixer = MIXER_HOUSEHOLDER, .N = 2, .norm = NORM_BC, .mixing = MIXING_SYMMETRIC},
    {"fp_mamba kronecker", "fp_mamba", 1, 4, 6, .way = {"dense_sequential", GRADIENT_EXACT}, .mixer = MIXER_KRONECKER,
     .feedback = FEEDBACK_RAW, .readout = READOUT_STATE, .N = 2, .s = 0.5, .reads = READS_BC, .norm = NORM_BOTH},
    {"fp_mamba kronecker_rows", "fp_mamba", 1, 4, 6, .way = {"dense_sequential", GRADIENT_EXACT}, .mixer = MIXER_KRONECKER_ROWS,
     .feedback = FEEDBACK_RAW, .N = 2, .s = 0.5, .reads = READS_DT, .norm = NORM_BOTH},
    {"fp_mamba, implicit", "fp_mamba", 1, 4, 6, 1, .way = {"fixed_point", GRADIENT_EXACT}, .mixer = MIXER_HOUSEHOLDER,
     .feedback = FEEDBACK_RAW, .readout = READOUT_STATE, .N = 3, .s = 0.5, .reads = READS_BC, .norm = NORM_BOTH},
    {"fp_mamba, many steps", "fp_mamba", 1, 4, 6, 1, .way = {"fixed_point", GRADIENT_STEPS}, .mixer = MIXER_HOUSEHOLDER,
     .feedback = FEEDBACK_RAW, .readout = READOUT_STATE, .N = 3, .s = 0.5, .reads = READS_BC, .norm = NORM_BOTH},
    {"fp_mamba, fused", "fp_mamba", 1, 4, 6, 1, .way = {"fixed_point_fused", GRADIENT_STEPS}, .mixer = MIXER_HOUSEHOLDER,
     .feedback = FEEDBACK_RAW, .readout = READOUT_STATE, .N = 3, .s = 0.5, .reads = READS_BC, .norm = NORM_BOTH},
};
enum { CASES = sizeof cases / sizeof cases[0] };

struct model_run {
    const struct arithmetic *arithmetic;
    struct pass *pass;
    int32_t *token, *target, *answer;
};

static double model_loss(void *context)
{
    struct model_run *run = context;
    double loss = NAN;
    struct status status = run->arithmetic->forward(run->pass, run->token, run->target, run->answer, &loss);
    ck_assert_msg(status.code == STATUS_OK, "%s", status.message);
    return loss;
}

static struct model_spec spec_of(const struct model_case *one)
{
    struct model_spec spec = {
        .layer = sequence_layer_find(one->layer), .blocks = one->blocks, .d_model = one->d_model, .d = one->d};
    spec.dtype = DTYPE_FLOAT64;
    spec.mixer = one->mixer, spec.r = one->r, spec.s = one->mixer == MIXER_NONE ? 0 : one->s > 0 ? one->s : 1;
    spec.N = one->N, spec.reads = one->reads, spec.norm = one->norm, spec.gate = one->gate;
    spec.convolution = one->convolution, spec.mixing = one->mixing;
    spec.form = one->form, spec.feedback = one->feedback, spec.readout = one->readout, spec.heads = one->heads;
    spec.forget = one->forget, spec.eigenvalues = one->eigenvalues, spec.output_gate = one->output_gate;
    spec.feed_forward = one->feed_forward;
    ck_assert_int_ge(spec.layer, 0);
    return spec;
}

START_TEST(model)
{
    const struct model_case *one = &cases[_i / ROUNDS];
    int round = _i % ROUNDS;
    enum { VOCABULARY = 5, CLASSES = 4 };
    struct model_spec spec = spec_of(one);
    struct recurrence recurrence = {
        .implementation = one->way.implementation != NULL ? registry_find(one->way.implementation) : 0,
        .settings = {.l_max = 100, .quantile = 1, .damping = 1, .gradient = one->way.gradient, .gradient_steps = 100}};
    struct environment environment = {.threads = 1 + round % 2};
    struct parameters parameters = {0};
    int64_t B = between(1, 4, round, 11), T = between(2, 7, round, 12), N = B * T;
    char reason[160] = "";
    struct sequence_setup wanted = {
        .model = &spec, .recurrence = &recurrence, .environment = &environment, .B = B, .T = T, .gradient = true};
    ck_assert_msg(model_check(&wanted, sizeof reason, reason), "%s: %s", one->name, reason);
    model_declare(&spec, VOCABULARY, CLASSES, &parameters);
    ck_assert_int_eq(parameters_allocate(&parameters, DTYPE_FLOAT64, 5).code, STATUS_OK);
    for (int i = 0; i < parameters.n; i++) /* of one order, whatever they start from: differences are accurate then */
        for (int64_t k = 0; k < parameters.item[i].size; k++)
            ((double *)parameters.item[i].value)[k] = random_normal(6, (uint32_t)i, (uint64_t)k) * 0.6;

    struct model_run run = {.arithmetic = arithmetic_get(DTYPE_FLOAT64)};
    run.token = malloc((size_t)N * sizeof *run.token);
    run.target = malloc((size_t)N * sizeof *run.target);
    run.answer = malloc((size_t)N * sizeof *run.answer);
    ck_assert(run.token != NULL && run.target != NULL && run.answer != NULL);
    for (int64_t n = 0; n < N; n++) {
        run.token[n] = (int32_t)between(0, VOCABULARY - 1, (int)n, 13);
        run.target[n] = (int32_t)between(-1, CLASSES - 1, (int)n, 14);
    }
    run.target[N - 1] = 1;
    struct pass_setup setup = {&spec, &parameters, &recurrence, &environment, VOCABULARY, CLASSES, B, T + 2, true, NULL};
    ck_assert_int_eq(run.arithmetic->plan(&setup, &run.pass).code, STATUS_OK);
    ck_assert_int_eq(run.arithmetic->resize(run.pass, T, 0).code, STATUS_OK); /* shorter than planned */
    model_loss(&run);
    struct status status = run.arithmetic->backward(run.pass, run.token);
    ck_assert_msg(status.code == STATUS_OK, "%s", status.message);
    for (int i = 0; i < parameters.n; i++) {
        const struct parameter *parameter = &parameters.item[i];
        char label[200];
        snprintf(label, sizeof label, "%s, B %lld, T %lld: %s", one->name, (long long)B, (long long)T, parameter->name);
        compare(label, model_loss, &run, parameter->value, parameter->gradient, parameter->size);
    }
    run.arithmetic->destroy(run.pass);
    parameters_free(&parameters);
    free(run.token), free(run.target), free(run.answer);
}
END_TEST

/* Where the cube in gelu overflows it is max(a, 0), and its slope 0 or 1. */
START_TEST(gelu_far_out)
{
    enum { N = 3, D = 4, WIDTH = FEED_FORWARD_WIDTH * D };
    const struct model_spec spec = {.layer = sequence_layer_find("attention"),
                                    .blocks = 1,
                                    .d_model = D,
                                    .d = D,
                                    .heads = 1,
                                    .dtype = DTYPE_FLOAT64,
                                    .feed_forward = FEED_FORWARD_GELU};
    struct parameters parameters = {0};
    struct feed_forward *plan;
    model_declare(&spec, 5, 4, &parameters);
    ck_assert_int_eq(parameters_allocate(&parameters, DTYPE_FLOAT64, 5).code, STATUS_OK);
    const struct parameter *first = model_block(&spec, &parameters, 0).feed_forward;
    const struct feed_forward_parameters p = model_feed_forward(&spec, first, false);
    double *up = p.W_up->value, *b_up = p.b_up->value, *down = p.W_down->value, *b_down = p.b_down->value;
    double *x = drawn(N * D, 21), *y = drawn(N * D, 22), *d = drawn(N * D, 23), *dy = drawn(N * D, 23), *normed = drawn(N * D, 24);
    double kept[2 * N], before[N * WIDTH], off = 0, size = 0;
    for (int64_t i = 0; i < WIDTH * D; i++)
        up[i] *= 1e150, down[i] *= 1e-150;
    ck_assert_int_eq(feed_forward_open(&spec, first, false, 2, N, true, &plan).code, STATUS_OK);
    feed_forward_forward(plan, N, x, y);
    feed_forward_backward(plan, N, x, d);
    norm_forward(1, N, D, x, p.gain->value, p.bias->value, kept, normed);
    linear_forward(1, N, D, WIDTH, normed, up, b_up, false, before);
    for (int64_t i = 0; i < N * D; i++) {
        double expected = x[i] + b_down[i % D];
        for (int64_t c = 0; c < WIDTH; c++)
            expected += down[i % D * WIDTH + c] * fmax(before[i / D * WIDTH + c], 0);
        ck_assert_double_eq_tol(y[i], expected, 1e-12 * (1 + fabs(expected)));
        ck_assert(isfinite(d[i]));
    }
    for (int64_t c = 0; c < WIDTH; c++) {
        double expected = 0;
        for (int64_t i = 0; i < N * D; i++)
            expected += before[i / D * WIDTH + c] > 0 ? down[i % D * WIDTH + c] * dy[i] : 0;
        const double found = ((double *)p.b_up->gradient)[c];
        off = isfinite(found) ? fmax(off, fabs(found - expected)) : INFINITY;
        size = fmax(size, fabs(expected));
    }
    ck_assert(off <= 1e-12 * size && size > 0);
    feed_forward_close(plan);
    parameters_free(&parameters);
    free(x), free(y), free(d), free(dy), free(normed);
}
END_TEST

Suite *suite_layers(void)
{
    Suite *suite = suite_create("layers");
    TCase *operators = tcase_create("operators");
    tcase_add_loop_test(operators, linear, 0, ROUNDS);
    tcase_add_loop_test(operators, norm, 0, 2 * ROUNDS);
    tcase_add_loop_test(operators, embedding, 0, ROUNDS);
    tcase_add_loop_test(operators, entropy, 0, ROUNDS);
    tcase_add_loop_test(operators, convolution, 0, ROUNDS);
    tcase_add_loop_test(operators, weight_norm, 0, 2 * ROUNDS);
    tcase_add_loop_test(operators, shift, 0, ROUNDS);
    tcase_add_test(operators, gelu_far_out);
    suite_add_tcase(suite, operators);
    TCase *models = tcase_create("models");
    tcase_add_loop_test(models, model, 0, CASES * ROUNDS);
    suite_add_tcase(suite, models);
    return suite;
}
