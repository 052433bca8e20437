/* See textbook.h. */
#include "bench/problems/textbook.h"

#include "bench/problems/textbook_delta.h"
#include "bench/problems/textbook_heads.h"
#include "bench/problems/textbook_mixer.h"
#include "bench/problems/textbook_selective.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16 };                    /* tokens that read W together */
#define AHEAD_MOST ((int64_t)512 << 20) /* bytes of what is kept for all iterations */

/* Q x of a channel, where (I - Q) x is multiplied with its number. */
static double mixed(const double *mixing, int64_t c, double x, double Qx)
{
    return mixing == NULL ? Qx : x - (x - Qx) * mixing[c];
}

/* What an application works with: room for all of them is taken once. */
struct work_room {
    double *q;    /* parameters of one token, and scratch beside them */
    double *all;  /* what of all tokens depends on no iterate; NULL: one token's as it comes */
    double *zero; /* (d), or the state (d,N): an initial state */
};

/* One application; with activated parameters of all tokens at hand, or activating each token into q as it comes. */
static void apply_vector(const struct problem *p, const struct inputs *inputs, const double *mixing, const struct work_room *room,
                         const double *h, double *next)
{
    int64_t d = p->d, m = problem_m(p), size = textbook_size(p);
    const double *v = inputs->v, *lambda = inputs->lambda;
    const double *initial = inputs->h0 != NULL ? inputs->h0 : room->zero;
    double *raw = room->q + size, *Qv = raw + m, *Qh = Qv + d;
    for (int64_t t = 0; t < p->T; t++) {
        const double *params = room->all != NULL ? room->all + t * size : room->q;
        if (room->all == NULL) {
            textbook_parameters(p, inputs, t, t > 0 ? h + (t - 1) * d : initial, raw);
            textbook_activate(p, raw, room->q);
        }
        textbook_mix(p, params, v + t * d, Qv);
        textbook_mix(p, params, h + t * d, Qh);
        const double *before = t > 0 ? next + (t - 1) * d : initial;
        for (int64_t c = 0; c < d; c++) {
            double l = lambda[t * d + c], gate = p->form == FORM_NORMALISED ? 1 - l : 1;
            double x = v[t * d + c], y = h[t * d + c];
            next[t * d + c] =
                l * before[c] + gate * (mixed(mixing, t * d + c, x, Qv[c]) + (y - mixed(mixing, t * d + c, y, Qh[c])));
        }
    }
}

/* What of a token depends on no iterate, and is worth to be kept for all of them: activated parameters. */
static int64_t vector_ahead(const struct problem *p, int64_t l)
{
    (void)l;
    return p->feedback == FEEDBACK_NONE ? textbook_size(p) : 0;
}

static void vector_fill(const struct problem *p, const struct inputs *inputs, int64_t t, double *to)
{
    if (problem_m(p) > 0)
        textbook_activate(p, (const double *)inputs->theta + t * problem_m(p), to);
}

static int64_t vector_scratch(const struct problem *p)
{
    return textbook_size(p) + problem_m(p) + 2 * p->d;
}

/* raw (BLOCK,m): the mixer's parameters of token t and those after it, with what they read of the outputs before them. A row of W serves
 * all of them while it is at hand. */
static void read_block(const struct problem *p, const struct inputs *inputs, int64_t t, const double *before, const double *y,
                       double *raw)
{
    int64_t m = problem_m(p), d = p->d, n = p->T - t < BLOCK ? p->T - t : BLOCK;
    const double *theta = inputs->theta, *W = inputs->W;
    for (int64_t k = 0; k < m; k++)
        for (int64_t j = 0; j < n; j++)
            raw[j * m + k] =
                theta[(t + j) * m + k] + (W != NULL ? textbook_inner(W + k * d, j == 0 ? before : y + (t + j - 1) * d, d) : 0);
}

/* One application of the matrix cell's map: a scan over the states, each token's parameters from the iterate's output before it. */
static void apply_selective(const struct problem *p, const struct inputs *inputs, const double *mixing,
                            const struct work_room *room, const double *y, double *next)
{
    int64_t d = p->d, size = d * p->N;
    struct selective_token token = textbook_selective_token(p, room->q);
    double *H = room->q + textbook_selective_scratch(p);
    const double *before = inputs->y0 != NULL ? inputs->y0 : room->zero;
    memcpy(H, inputs->H0 != NULL ? inputs->H0 : room->zero, (size_t)size * sizeof *H);
    double *decay = token.decay, *raw = H + size;
    for (int64_t t = 0; t < p->T; t++) {
        if (t % BLOCK == 0)
            read_block(p, inputs, t, before, y, raw);
        token.raw = raw + t % BLOCK * problem_m(p);
        token.decayed = room->all != NULL;
        token.decay = room->all != NULL ? room->all + t * size : decay;
        textbook_selective_begin(p, inputs, t, before, &token);
        textbook_selective_apply(p, inputs, mixing != NULL ? mixing + t * d : NULL, t, &token, H, y + t * d, next + t * d, H);
        before = y + t * d;
    }
}

/* exp(-dt A) */
static int64_t selective_ahead(const struct problem *p, int64_t l)
{
    bool fits = p->T * p->d * p->N <= AHEAD_MOST / (int64_t)sizeof(double);
    return l > 1 && fits && textbook_selective_decays_alike(p) ? p->d * p->N : 0;
}

static void selective_fill(const struct problem *p, const struct inputs *inputs, int64_t t, double *to)
{
    textbook_selective_decay(p, inputs, (const double *)inputs->dt + t * p->d, to);
}

static int64_t selective_scratch(const struct problem *p)
{
    return textbook_selective_scratch(p) + p->d * p->N + BLOCK * problem_m(p);
}

static void begin_state(const struct problem *p, const struct inputs *inputs, const struct work_room *room)
{
    memcpy(room->q, inputs->H0 != NULL ? inputs->H0 : room->zero, (size_t)(p->d * p->N) * sizeof(double));
}

/* The answer itself, whatever the iterate: these recurrences read no output. */
static void apply_delta(const struct problem *p, const struct inputs *inputs, const double *mixing, const struct work_room *room,
                        const double *y, double *next)
{
    (void)mixing, (void)y;
    begin_state(p, inputs, room);
    textbook_delta_run(p, inputs, room->q, room->q + p->d * p->N, next);
}

static void apply_heads(const struct problem *p, const struct inputs *inputs, const double *mixing, const struct work_room *room,
                        const double *y, double *next)
{
    (void)mixing, (void)y;
    begin_state(p, inputs, room);
    textbook_heads_run(p, inputs, room->q, next);
}

static int64_t no_ahead(const struct problem *p, int64_t l)
{
    (void)p, (void)l;
    return 0;
}

static int64_t delta_scratch(const struct problem *p)
{
    return p->d * p->N + textbook_delta_scratch(p);
}

static int64_t heads_scratch(const struct problem *p)
{
    return p->d * p->N;
}

// clang-format off
static const struct {
    void (*apply)(const struct problem *, const struct inputs *, const double *mixing, const struct work_room *, const double *h, double *next);
    int64_t (*scratch)(const struct problem *);
    int64_t (*ahead)(const struct problem *, int64_t l); /* doubles a token that l iterations keep; 0: none */
    void (*fill)(const struct problem *, const struct inputs *, int64_t t, double *to);
} maps[CELL_COUNT] = {
    [CELL_VECTOR]          = {apply_vector,    vector_scratch,    vector_ahead,    vector_fill},
    [CELL_SELECTIVE]       = {apply_selective, selective_scratch, selective_ahead, selective_fill},
    [CELL_DELTA]           = {apply_delta,     delta_scratch,     no_ahead,        NULL},
    [CELL_SELECTIVE_HEADS] = {apply_heads,     heads_scratch,     no_ahead,        NULL},
};
// clang-format on

double textbook_residual(const struct problem *p, const double *h, const double *next)
{
    return textbook_residual_above(p, h, next, 0);
}

double textbook_residual_above(const struct problem *p, const double *h, const double *next, double tiny)
{
    double worst = 0;
    for (int64_t t = 0; t < p->T; t++) {
        double change = 0, size = 0;
        for (int64_t c = t * p->d; c < (t + 1) * p->d; c++) {
            change = fmax(change, fabs(next[c] - h[c]));
            size = fmax(size, fabs(next[c]));
        }
        worst = fmax(worst, change == 0 ? 0 : change / fmax(size, tiny));
    }
    return worst;
}

/* h <- damping f(h) + (1 - damping) h, l times; next (T,d) is scratch and holds the last f(h). */
static bool iterate(const struct problem *p, const struct inputs *inputs, const struct textbook_rounding *rounding, double damping,
                    int64_t l, double *h, double *next, double *residual)
{
    int64_t T = p->T, d = p->d, size = maps[p->cell].ahead(p, l);
    struct work_room room = {.q = calloc((size_t)maps[p->cell].scratch(p), sizeof(double)),
                             .all = size > 0 ? malloc((size_t)(T * size) * sizeof(double)) : NULL,
                             .zero = calloc((size_t)(d * (p->N > 1 ? p->N : 1)), sizeof(double))};
    bool memory = room.zero != NULL && room.q != NULL && (room.all != NULL || size == 0);
    for (int64_t t = 0; memory && size > 0 && t < T; t++)
        maps[p->cell].fill(p, inputs, t, room.all + t * size);
    for (int64_t i = 0; memory && i < l; i++) {
        maps[p->cell].apply(p, inputs, rounding->mixing, &room, h, next);
        if (residual != NULL && i == l - 1)
            *residual = textbook_residual_above(p, h, next, rounding->tiny);
        for (int64_t k = 0; k < T * d; k++)
            h[k] = damping * next[k] + (1 - damping) * h[k];
    }
    free(room.zero);
    free(room.q);
    free(room.all);
    return memory;
}

static const struct textbook_rounding none = {NULL, 0};

bool textbook_apply(const struct problem *p, const struct inputs *inputs, const double *h, double *next)
{
    return textbook_apply_rounded(p, inputs, &none, h, next);
}

bool textbook_apply_rounded(const struct problem *p, const struct inputs *inputs, const struct textbook_rounding *rounding,
                            const double *h, double *next)
{
    double *same = malloc((size_t)(p->T * p->d) * sizeof *same);
    if (same == NULL)
        return false;
    memcpy(same, h, (size_t)(p->T * p->d) * sizeof *same);
    bool memory = iterate(p, inputs, rounding, 1, 1, same, next, NULL);
    free(same);
    return memory;
}

bool textbook_iterate(const struct problem *p, const struct inputs *inputs, double damping, int64_t l, double *h, double *residual)
{
    return textbook_iterate_rounded(p, inputs, &none, damping, l, h, residual);
}

bool textbook_iterate_rounded(const struct problem *p, const struct inputs *inputs, const struct textbook_rounding *rounding,
                              double damping, int64_t l, double *h, double *residual)
{
    double *next = calloc((size_t)(p->T * p->d), sizeof *next);
    if (next == NULL)
        return false;
    memset(h, 0, (size_t)(p->T * p->d) * sizeof *h);
    bool memory = iterate(p, inputs, rounding, damping, l, h, next, residual);
    free(next);
    return memory;
}

static const struct yardstick itself = {0, 0};

double distance_max_to(const double *a, const double *b, int64_t n, const struct yardstick *yardstick)
{
    double difference = 0, size = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(a[i]) || !isfinite(b[i]))
            return INFINITY;
        difference = fmax(difference, fabs(a[i] - b[i]));
        size = fmax(size, fabs(b[i]));
    }
    return difference == 0 ? 0 : difference / (size > yardstick->tiny ? size : yardstick->scale);
}

double distance_l2_to(const double *a, const double *b, int64_t n, const struct yardstick *yardstick)
{
    double difference = 0, size = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(a[i]) || !isfinite(b[i]))
            return INFINITY;
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        size += b[i] * b[i];
    }
    return difference == 0 ? 0 : sqrt(difference) / (sqrt(size) > yardstick->tiny ? sqrt(size) : yardstick->scale);
}

double distance_max(const double *a, const double *b, int64_t n)
{
    return distance_max_to(a, b, n, &itself);
}

double distance_l2(const double *a, const double *b, int64_t n)
{
    return distance_l2_to(a, b, n, &itself);
}

double norm_max(const double *a, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(a[i]))
            return INFINITY;
        most = fmax(most, fabs(a[i]));
    }
    return most;
}
