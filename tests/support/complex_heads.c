/* See complex_heads.h. */
#include "tests/support/complex_heads.h"

#include "tests/support/room.h"

#include <math.h>
#include <stdlib.h>

typedef double complex number;

static number inner(const number *x, const number *y, int64_t n)
{
    number sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* What a vector is divided by. */
static number length(const struct problem *p, const number *x)
{
    number root = csqrt(inner(x, x, p->N));
    if (p->norm != NORM_BC && p->norm != NORM_BOTH)
        return 1;
    return creal(root) > 1e-5 ? root : 1e-5;
}

/* What is left at token t of what came in at token j (the initial state: j = -1), of a head. */
static number kept(const struct problem *p, const struct complex_heads *in, enum heads_mistake mistake, int64_t head, int64_t j,
                   int64_t t)
{
    const number *dt = in->tensor[TENSOR_DT], A = in->tensor[TENSOR_A][mistake == HEADS_RATE ? 0 : head];
    number sum = 0;
    for (int64_t k = j + 1; k <= t; k++)
        sum += dt[(mistake == HEADS_DECAY && k > 0 ? k - 1 : k) * p->heads + head] * A;
    return cexp(-sum);
}

/* out (N) += the state of channel c after token t. */
static void state(const struct problem *p, const struct complex_heads *in, enum heads_mistake mistake, int64_t c, int64_t t,
                  number *out)
{
    const int64_t head = c / (p->d / p->heads), N = p->N;
    const number *initial = in->tensor[TENSOR_MATRIX0] + c * N, before = kept(p, in, mistake, head, -1, t);
    for (int64_t n = 0; n < N; n++)
        out[n] = before * initial[n];
    for (int64_t j = 0; j <= t; j++) {
        const number *b = in->tensor[TENSOR_B] + j * N, step = in->tensor[TENSOR_DT][j * p->heads + head];
        number factor = kept(p, in, mistake, head, j, t) * in->tensor[TENSOR_X][j * p->d + c];
        factor *= mistake == HEADS_DRIVE ? 1 : step;
        factor /= mistake == HEADS_LENGTH ? 1 : length(p, b);
        for (int64_t n = 0; n < N; n++)
            out[n] += factor * b[n];
    }
}

static number silu(number z)
{
    return z / (1 + cexp(-z));
}

static void finish(const struct problem *p, const struct complex_heads *in, enum heads_mistake mistake, int64_t t, number *w)
{
    const bool normalises = p->norm == NORM_OUTPUT || p->norm == NORM_BOTH, gated = p->gate == GATE_INSIDE;
    const number *z = gated ? in->tensor[TENSOR_Z] + t * p->d : NULL;
    const int64_t together = mistake == HEADS_NORM ? p->d / p->heads : p->d;
    for (int64_t c = 0; gated && c < p->d && mistake != HEADS_GATE; c++)
        w[c] *= silu(z[c]);
    for (int64_t first = 0; normalises && first < p->d; first += together) {
        const number root = csqrt(inner(w + first, w + first, together) / (double)together + 1e-5);
        for (int64_t c = first; c < first + together; c++)
            w[c] *= in->tensor[TENSOR_GAIN][c] / root;
    }
    for (int64_t c = 0; gated && c < p->d && mistake == HEADS_GATE; c++)
        w[c] *= silu(z[c]);
}

void complex_heads_run(const struct problem *p, const struct complex_heads *in, enum heads_mistake mistake, number *y, number *H)
{
    number *row = room(p->N, sizeof *row);
    for (int64_t t = 0; t < p->T; t++) {
        const number *c_row = in->tensor[TENSOR_C] + t * p->N;
        for (int64_t c = 0; c < p->d; c++) {
            const int64_t head = c / (p->d / p->heads);
            const number skip = mistake == HEADS_SKIP ? 0 : in->tensor[TENSOR_SKIP][head];
            state(p, in, mistake, c, t, row);
            y[t * p->d + c] = inner(row, c_row, p->N) / length(p, c_row) + skip * in->tensor[TENSOR_X][t * p->d + c];
        }
        finish(p, in, mistake, t, y + t * p->d);
    }
    for (int64_t c = 0; c < p->d; c++)
        state(p, in, mistake, c, p->T - 1, H + c * p->N);
    free(row);
}
