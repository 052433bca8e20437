/* See complex_selective.h. */
#include "tests/support/complex_selective.h"

#include "tests/support/complex_map.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SETTLED 1e-14  /* of a token's largest number, its real and its imaginary part each by itself */
#define ROUNDING 1e-10 /* ... or as little as that, where it has not moved less for long */
enum { ITERATIONS = 20000, STALL = 60 };

typedef double complex number;

static number *room(int64_t n)
{
    number *x = calloc((size_t)n + 1, sizeof *x);
    ck_assert_ptr_nonnull(x);
    return x;
}

static number inner(const number *x, const number *y, int64_t n)
{
    number sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* log(1 + e^x), to first order in the imaginary part: the complex logarithm loses the digits of a small step. */
static number softplus(number x)
{
    double r = creal(x);
    return fmax(r, 0) + log1p(exp(-fabs(r))) + I * cimag(x) / (1 + exp(-r));
}

/* What a token makes of the output and the state before it. */
struct token {
    number *theta;           /* (m) raw */
    number *b, *c, *dt;      /* as they are used */
    number *decayed;         /* (d,N) exp(-dt A) H */
    number *base, *response; /* (d) what the state puts out without this token, and per unit of xt: dt (b . c) + skip */
    number *apart, *taken;   /* (d) x - y, and (I - Q) of that */
};

static struct token token_open(const struct problem *p)
{
    int64_t d = p->d, N = p->N;
    return (struct token){room(problem_m(p)), room(N), room(N), room(d), room(d * N), room(d), room(d), room(d), room(d)};
}

static void token_close(struct token *t)
{
    free(t->theta), free(t->b), free(t->c), free(t->dt), free(t->decayed);
    free(t->base), free(t->response), free(t->apart), free(t->taken);
}

/* out (n) = raw (n) + W before */
static void affine(const number *raw, const number *W, const number *before, int64_t n, int64_t d, number *out)
{
    for (int64_t k = 0; k < n; k++)
        out[k] = raw[k] + (W != NULL ? inner(W + k * d, before, d) : 0);
}

static void to_length_one(number *x, int64_t n)
{
    number length = csqrt(inner(x, x, n));
    for (int64_t k = 0; k < n; k++)
        x[k] /= creal(length) > 1e-5 ? length : 1e-5;
}

static void token_set(const struct problem *p, const struct complex_selective *in, int64_t t, const number *before, const number *H,
                      struct token *token)
{
    int64_t d = p->d, N = p->N, m = problem_m(p);
    if (m > 0)
        affine(in->tensor[TENSOR_THETA] + t * m, in->tensor[TENSOR_W], before, m, d, token->theta);
    affine(in->tensor[TENSOR_B] + t * N, in->tensor[TENSOR_W_B], before, N, d, token->b);
    affine(in->tensor[TENSOR_C] + t * N, in->tensor[TENSOR_W_C], before, N, d, token->c);
    affine(in->tensor[TENSOR_DT] + t * d, in->tensor[TENSOR_W_DT], before, d, d, token->dt);
    if (p->norm == NORM_BC || p->norm == NORM_BOTH) {
        to_length_one(token->b, N);
        to_length_one(token->c, N);
    }
    number bc = inner(token->b, token->c, N);
    for (int64_t i = 0; i < d; i++) {
        if (p->reads == READS_DT || p->reads == READS_DT_BC)
            token->dt[i] = softplus(token->dt[i]);
        for (int64_t n = 0; n < N; n++)
            token->decayed[i * N + n] = cexp(-token->dt[i] * in->tensor[TENSOR_A][i * N + n]) * H[i * N + n];
        token->base[i] = inner(token->decayed + i * N, token->c, N);
        token->response[i] = token->dt[i] * bc + in->tensor[TENSOR_SKIP][i];
    }
}

/* xt (d) = x - (I - Q) (x - y) */
static void token_input(const struct problem *p, const struct complex_selective *in, int64_t t, const number *y,
                        struct token *token, number *xt)
{
    const number *x = in->tensor[TENSOR_X] + t * p->d;
    for (int64_t i = 0; i < p->d; i++)
        token->apart[i] = x[i] - y[i];
    complex_mixed(p, token->theta, token->apart, token->taken);
    for (int64_t i = 0; i < p->d; i++)
        xt[i] = x[i] - token->taken[i];
}

/* next (d) = f(y (d)) of the token. */
static void token_map(const struct problem *p, const struct complex_selective *in, int64_t t, struct token *token, const number *y,
                      number *next)
{
    int64_t d = p->d;
    token_input(p, in, t, y, token, next);
    for (int64_t i = 0; i < d; i++) {
        next[i] = token->base[i] + token->response[i] * next[i];
        if (p->gate == GATE_INSIDE) {
            number z = in->tensor[TENSOR_Z][t * d + i];
            next[i] *= z / (1 + cexp(-z));
        }
    }
    if (p->norm != NORM_OUTPUT && p->norm != NORM_BOTH)
        return;
    number mean = 0, squares = 0;
    for (int64_t i = 0; i < d; i++)
        mean += next[i];
    mean /= (double)d;
    for (int64_t i = 0; i < d; i++) {
        next[i] -= mean;
        squares += next[i] * next[i];
    }
    for (int64_t i = 0; i < d; i++)
        next[i] = in->tensor[TENSOR_BIAS][i] + in->tensor[TENSOR_GAIN][i] * next[i] / csqrt(squares / (double)d + 1e-5);
}

/* H (d,N) <- the state after the token, whose own output in it is y. */
static void token_state(const struct problem *p, const struct complex_selective *in, int64_t t, const number *y,
                        struct token *token, number *H)
{
    number *xt = token->base; /* not needed any more */
    token_input(p, in, t, y, token, xt);
    for (int64_t i = 0; i < p->d; i++)
        for (int64_t n = 0; n < p->N; n++)
            H[i * p->N + n] = token->decayed[i * p->N + n] + token->dt[i] * xt[i] * token->b[n];
}

void complex_selective_apply(const struct problem *p, const struct complex_selective *in, const number *y, number *next, number *H)
{
    int64_t d = p->d;
    struct token token = token_open(p);
    memcpy(H, in->tensor[TENSOR_MATRIX0], (size_t)(d * p->N) * sizeof *H);
    for (int64_t t = 0; t < p->T; t++) {
        token_set(p, in, t, t > 0 ? y + (t - 1) * d : in->tensor[TENSOR_Y0], H, &token);
        token_map(p, in, t, &token, y + t * d, next + t * d);
        token_state(p, in, t, y + t * d, &token, H);
    }
    token_close(&token);
}

/* How far next (d) is from y: the real and the imaginary parts, each relative to the largest; infinity where something is not finite. A
 * derivative that is truly nothing, as behind the LayerNorm of two channels, is nothing but rounding and never settles by itself: it is
 * measured by the step that all are taken with. */
static double moved(int64_t d, const number *y, const number *next)
{
    double change[2] = {0}, size[2] = {0};
    for (int64_t i = 0; i < d; i++) {
        change[0] = fmax(change[0], fabs(creal(next[i] - y[i])));
        change[1] = fmax(change[1], fabs(cimag(next[i] - y[i])));
        size[0] = fmax(size[0], fabs(creal(next[i])));
        size[1] = fmax(size[1], fabs(cimag(next[i])));
        if (!isfinite(creal(next[i])))
            return INFINITY;
    }
    size[1] = fmax(size[1], COMPLEX_STEP * size[0]);
    return fmax(change[0] > 0 ? change[0] / size[0] : 0, change[1] > 0 ? change[1] / size[1] : 0);
}

/* y (d) of a linear map: its columns are what it does to unit vectors, less what it does to 0. */
static void solve(const struct problem *p, const struct complex_selective *in, int64_t t, struct token *token, number *y)
{
    int64_t d = p->d;
    number *M = room(d * d), *unit = room(d), *column = room(d);
    token_map(p, in, t, token, unit, y);
    for (int64_t j = 0; j < d; j++) {
        unit[j] = 1;
        token_map(p, in, t, token, unit, column);
        unit[j] = 0;
        for (int64_t i = 0; i < d; i++)
            M[i * d + j] = (i == j) - (column[i] - y[i]);
    }
    complex_solve(d, M, y);
    free(M), free(unit), free(column);
}

bool complex_selective_exact(const struct problem *p, const struct complex_selective *in, number *y, number *H)
{
    int64_t d = p->d;
    struct token token = token_open(p);
    number *next = room(d);
    bool good = true, linear = p->norm != NORM_OUTPUT && p->norm != NORM_BOTH;
    memcpy(H, in->tensor[TENSOR_MATRIX0], (size_t)(d * p->N) * sizeof *H);
    for (int64_t t = 0; t < p->T && good; t++) {
        number *mine = y + t * d;
        token_set(p, in, t, t > 0 ? mine - d : in->tensor[TENSOR_Y0], H, &token);
        memset(mine, 0, (size_t)d * sizeof *mine);
        good = linear;
        if (linear)
            solve(p, in, t, &token, mine);
        double least = INFINITY;
        for (int i = 0, since = 0; i < ITERATIONS && !good; i++) {
            token_map(p, in, t, &token, mine, next);
            double change = moved(d, mine, next);
            since = change < least ? 0 : since + 1;
            least = fmin(change, least);
            good = change <= SETTLED || (since > STALL && least <= ROUNDING);
            memcpy(mine, next, (size_t)d * sizeof *mine);
        }
        token_state(p, in, t, mine, &token, H);
    }
    token_close(&token);
    free(next);
    return good;
}
