/* See textbook_selective.h. */
#include "bench/problems/textbook_selective.h"

#include "bench/problems/textbook_mixer.h"

#include <math.h>
#include <string.h>

#define UNIT_LEAST 1e-5   /* of a vector's length that it is divided by */
#define NORM_EPSILON 1e-5 /* of the LayerNorm's variance */

static double softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

int64_t textbook_selective_scratch(const struct problem *p)
{
    return textbook_size(p) + 2 * p->N + 4 * p->d + p->d * p->N + problem_m(p);
}

struct selective_token textbook_selective_token(const struct problem *p, double *scratch)
{
    struct selective_token token = {.q = scratch};
    token.b = token.q + textbook_size(p);
    token.c = token.b + p->N;
    token.dt = token.c + p->N;
    token.gate = token.dt + p->d;
    token.decay = token.gate + p->d;
    token.room = token.decay + p->d * p->N;
    return token;
}

bool textbook_selective_decays_alike(const struct problem *p)
{
    return p->reads != READS_DT && p->reads != READS_DT_BC;
}

void textbook_selective_decay(const struct problem *p, const struct inputs *inputs, const double *dt, double *decay)
{
    const double *A = inputs->A;
    for (int64_t i = 0; i < p->d; i++)
        for (int64_t n = 0; n < p->N; n++)
            decay[i * p->N + n] = exp(-dt[i] * A[i * p->N + n]);
}

/* out (N) = raw (N), plus W before where it reads that, of length 1 where the problem says so. */
static void read_vector(const struct problem *p, const double *raw, const double *W, const double *before, double *out)
{
    for (int64_t n = 0; n < p->N; n++)
        out[n] = raw[n] + (W != NULL ? textbook_inner(W + n * p->d, before, p->d) : 0);
    if (p->norm != NORM_BC && p->norm != NORM_BOTH)
        return;
    double length = sqrt(textbook_inner(out, out, p->N));
    for (int64_t n = 0; n < p->N; n++)
        out[n] /= fmax(length, UNIT_LEAST);
}

void textbook_selective_begin(const struct problem *p, const struct inputs *inputs, int64_t t, const double *before,
                              struct selective_token *token)
{
    int64_t d = p->d;
    const double *dt = (const double *)inputs->dt + t * d, *W_dt = inputs->W_dt;
    if (token->raw == NULL)
        textbook_parameters(p, inputs, t, before, token->room);
    textbook_activate(p, token->raw != NULL ? token->raw : token->room, token->q);
    read_vector(p, (const double *)inputs->b + t * p->N, inputs->W_b, before, token->b);
    read_vector(p, (const double *)inputs->c + t * p->N, inputs->W_c, before, token->c);
    for (int64_t i = 0; i < d; i++) {
        token->dt[i] = W_dt != NULL ? softplus(dt[i] + textbook_inner(W_dt + i * d, before, d)) : dt[i];
        token->gate[i] = 1;
        if (p->gate == GATE_INSIDE) {
            double z = ((const double *)inputs->z)[t * d + i];
            token->gate[i] = z / (1 + exp(-z));
        }
    }
    if (!token->decayed)
        textbook_selective_decay(p, inputs, token->dt, token->decay);
}

/* w (d) <- gain (w - mean) / sqrt(variance + epsilon) + bias */
static void normalise(const struct problem *p, const struct inputs *inputs, double *w)
{
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < p->d; i++)
        mean += w[i] / (double)p->d;
    for (int64_t i = 0; i < p->d; i++)
        variance += (w[i] - mean) * (w[i] - mean) / (double)p->d;
    for (int64_t i = 0; i < p->d; i++)
        w[i] =
            ((const double *)inputs->gain)[i] * (w[i] - mean) / sqrt(variance + NORM_EPSILON) + ((const double *)inputs->bias)[i];
}

void textbook_selective_input(const struct problem *p, const struct inputs *inputs, const double *mixing, int64_t t,
                              const struct selective_token *token, const double *y, double *xt)
{
    int64_t d = p->d;
    const double *x = (const double *)inputs->x + t * d;
    double *apart = token->room, *mixed = apart + d;
    for (int64_t i = 0; i < d; i++)
        apart[i] = x[i] - y[i];
    textbook_mix(p, token->q, apart, mixed);
    for (int64_t i = 0; i < d; i++) {
        double taken = apart[i] - mixed[i];
        xt[i] = apart[i] - taken * (mixing != NULL ? mixing[i] : 1) + y[i];
    }
}

void textbook_selective_output(const struct problem *p, const struct inputs *inputs, const struct selective_token *token, double *w)
{
    for (int64_t i = 0; i < p->d; i++)
        w[i] *= token->gate[i];
    if (p->norm == NORM_OUTPUT || p->norm == NORM_BOTH)
        normalise(p, inputs, w);
}

void textbook_selective_apply(const struct problem *p, const struct inputs *inputs, const double *mixing, int64_t t,
                              const struct selective_token *token, const double *H, const double *y, double *next, double *after)
{
    int64_t d = p->d, N = p->N;
    const double *skip = inputs->skip;
    textbook_selective_input(p, inputs, mixing, t, token, y, next);
    for (int64_t i = 0; i < d; i++) {
        double xt = next[i], sum = 0;
        for (int64_t n = 0; n < N; n++) {
            double state = token->decay[i * N + n] * H[i * N + n] + token->dt[i] * xt * token->b[n];
            sum += state * token->c[n];
            if (after != NULL)
                after[i * N + n] = state;
        }
        next[i] = sum + skip[i] * xt;
    }
    textbook_selective_output(p, inputs, token, next);
}
