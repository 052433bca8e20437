/* See sequential.h. */
#include "impls/selective/sequential.h"

#include "impls/contract/support.h"
#include "impls/fused/product.h"
#include "impls/math/finite.h"
#include "impls/math/mixer.h"
#include "impls/math/vector.h"
#include "impls/selective/state.h"

#include <omp.h>
#include <stdlib.h>

enum { GROUP = 16 }; /* sequences that go through time together, when each token has a product with the weights */

static int64_t group_size(const struct problem *p)
{
    return token_layout(p).width == 0 ? 1 : p->B < GROUP ? p->B : GROUP;
}

/* Of one thread: for each of a group its row (width), the output before (d), the state, u and b of the token before; then room of the token,
 * gate, response and xt (d), base (padded). Each begins where a vector may. */
struct room {
    real *rows, *before, *states, *u, *b, *token, *gate, *response, *xt, *base;
    int64_t size;
};

static real *take(struct room *room, real *memory, int64_t n)
{
    real *at = memory == NULL ? NULL : memory + room->size;
    room->size += (n + 15) / 16 * 16;
    return at;
}

static struct room room_of(const struct problem *p, real *memory)
{
    int64_t group = group_size(p), d = p->d;
    struct room room = {0};
    room.rows = take(&room, memory, group * token_layout(p).width);
    room.before = take(&room, memory, group * d);
    room.states = take(&room, memory, group * state_reals(p));
    room.u = take(&room, memory, group * state_row(p));
    room.b = take(&room, memory, group * p->N);
    room.token = take(&room, memory, token_room(p));
    room.gate = take(&room, memory, d);
    room.response = take(&room, memory, d);
    room.xt = take(&room, memory, d);
    room.base = take(&room, memory, state_row(p));
    return room;
}

static int64_t packed_vectors(const struct problem *p)
{
    int64_t width = token_layout(p).width;
    return width > 0 ? fused_product_vectors(width, p->d) : 0;
}

double sequential_reals(const struct problem *p, int threads)
{
    double shared = (double)(token_layout(p).width * p->d + packed_vectors(p) * LANES + state_reals(p));
    return (double)room_of(p, NULL).size * threads + shared;
}

bool sequential_supports(const struct settings *settings, struct support *support)
{
    if (option_count(settings, "at_most", 1) < 1)
        support_no(support, "at_most=%s: expected a number of iterations", settings_option(settings, "at_most"));
    return support->yes;
}

bool sequential_open(const struct problem *p, const struct settings *settings, int threads, struct sequential *s)
{
    *s = (struct sequential){.problem = *p, .threads = threads, .scratch = room_of(p, NULL).size};
    s->at_most = option_count(settings, "at_most", 0);
    s->memory = memory_allocate(s->scratch * threads, sizeof(real));
    s->stack = memory_allocate(token_layout(p).width * p->d, sizeof(real));
    s->packed = memory_allocate(packed_vectors(p), sizeof(lanes));
    s->rates = memory_allocate(state_reals(p), sizeof(real));
    if (s->memory != NULL && s->stack != NULL && s->packed != NULL && s->rates != NULL)
        return true;
    sequential_close(s);
    return false;
}

void sequential_close(struct sequential *s)
{
    free(s->memory);
    free(s->stack);
    free(s->packed);
    free(s->rates);
    *s = (struct sequential){0};
}

/* ---- Failures -------------------------------------------------------------------------------------------------------------- */

int64_t sequential_fail(int64_t token, enum answer answer)
{
    return token * ANSWER_FOUND + (int64_t)answer;
}

struct status sequential_status(const struct problem *p, int64_t failure)
{
    static const struct {
        enum status_code code;
        const char *text;
    } failures[ANSWER_FOUND] = {
        [ANSWER_NOT_FINITE] = {STATUS_DIVERGED, "the output is not finite"},
        [ANSWER_SINGULAR] = {STATUS_SINGULAR, "the matrix of this token's equation is singular"},
        [ANSWER_NONE] = {STATUS_NO_STABLE_POINT, "no stable fixed point: the iteration of this token comes to no rest"},
    };
    int64_t token = failure / ANSWER_FOUND, kind = failure % ANSWER_FOUND;
    if (token >= p->B * p->T)
        return status_ok();
    return status_at(failures[kind].code, token / p->T, token % p->T, "%s", failures[kind].text);
}

/* ---- Forward --------------------------------------------------------------------------------------------------------------- */

/* What the threads of one pass share. */
struct run {
    const struct sequential *s;
    struct plan *plan;
    equation_solve *solve;
    const struct inputs *inputs;
    real *y, *final;
};

/* Token i, of sequence k of the group. */
static enum answer token(const struct run *run, const struct room *room, int thread, int64_t i, int64_t k)
{
    const struct problem *p = &run->s->problem;
    int64_t d = p->d, N = p->N;
    const real *skip = run->inputs->skip, *row = room->rows + k * token_layout(p).width;
    real *u = room->u + k * state_row(p), *b = room->b + k * N, *y = run->y + i * d;
    bool norm = token_norm(p);
    struct token_values values;
    token_values(p, run->inputs, i, row, NULL, room->token, &values);
    state_decay(p, run->s->rates, values.dt, u, b, values.c, room->states + k * state_reals(p), room->base);
    real bc = dot(values.b, values.c, N);
    token_gate(p, run->inputs, i, room->gate);
#pragma omp simd
    for (int64_t c = 0; c < d; c++) {
        room->base[c] *= room->gate[c];
        room->response[c] = room->gate[c] * (values.dt[c] * bc + skip[c]);
    }
    const struct equation equation = {.q = values.q,
                                      .x = (const real *)run->inputs->x + i * d,
                                      .base = room->base,
                                      .response = room->response,
                                      .gain = norm ? run->inputs->gain : NULL,
                                      .bias = norm ? run->inputs->bias : NULL,
                                      .at_most = run->s->at_most};
    enum answer answer = run->solve(run->plan, thread, &equation, y, room->xt);
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        u[c] = values.dt[c] * room->xt[c];
    memcpy(b, values.b, (size_t)N * sizeof(real));
    return answer >= ANSWER_FOUND && !row_finite(y, d) ? ANSWER_NOT_FINITE : answer;
}

/* The sequences from ... to - 1, no more than a group. The first failure, or that of token B T; adds how many tokens are not at rest. */
static int64_t run_group(const struct run *run, int64_t from, int64_t to, int thread, int64_t *moving)
{
    const struct problem *p = &run->s->problem;
    int64_t T = p->T, d = p->d, width = token_layout(p).width, size = state_reals(p), first = sequential_fail(p->B * T, 0);
    struct room room = room_of(p, run->s->memory + thread * run->s->scratch);
    fill(room.u, 0, (to - from) * state_row(p));
    fill(room.b, 0, (to - from) * p->N);
    for (int64_t b = from; b < to; b++) {
        const real *H0 = run->inputs->H0;
        state_load(p, H0 != NULL ? H0 + b * d * p->N : NULL, room.states + (b - from) * size);
    }
    for (int64_t t = 0; t < T; t++) {
        for (int64_t b = from; b < to && width > 0; b++) {
            const real *before = token_before(p, run->inputs, run->y, b * T + t);
            if (before != NULL)
                memcpy(room.before + (b - from) * d, before, (size_t)d * sizeof(real));
            else
                fill(room.before + (b - from) * d, 0, d);
            token_raw(p, run->inputs, b * T + t, room.rows + (b - from) * width);
        }
        if (width > 0)
            fused_product_run(to - from, width, d, room.before, run->s->packed, room.rows);
        for (int64_t b = from; b < to; b++) {
            enum answer answer = token(run, &room, thread, b * T + t, b - from);
            int64_t failure = answer < ANSWER_FOUND ? sequential_fail(b * T + t, answer) : first;
            first = failure < first ? failure : first;
            *moving += answer == ANSWER_ITERATE;
        }
    }
    for (int64_t b = from; b < to && run->final != NULL; b++) {
        real *state = room.states + (b - from) * size;
        state_add(p, room.u + (b - from) * state_row(p), room.b + (b - from) * p->N, state);
        state_store(p, state, run->final + b * d * p->N);
    }
    return first;
}

struct status sequential_forward(struct sequential *s, struct plan *plan, equation_solve *solve, const struct inputs *inputs,
                                 const struct outputs *outputs, struct trace *trace)
{
    const struct problem *p = &s->problem;
    struct status given = forward_check(p, inputs, outputs);
    if (given.code != STATUS_OK)
        return given;
    const struct run run = {s, plan, solve, inputs, outputs->y, outputs->final};
    int64_t first = sequential_fail(p->B * p->T, 0), moving = 0;
    token_stack(p, inputs, s->stack);
    if (token_layout(p).width > 0)
        fused_product_pack(token_layout(p).width, p->d, s->stack, s->packed);
    state_rates(p, inputs->A, s->rates);
#pragma omp parallel num_threads(s->threads) reduction(min : first) reduction(+ : moving)
    {
        int64_t thread = omp_get_thread_num(), n = omp_get_num_threads(), end = p->B * (thread + 1) / n, size = group_size(p);
        for (int64_t from = p->B * thread / n; from < end; from += size) {
            int64_t found = run_group(&run, from, from + size < end ? from + size : end, (int)thread, &moving);
            first = found < first ? found : first;
        }
    }
    if (trace != NULL)
        trace_exact(p, trace);
    struct status status = sequential_status(p, first);
    if (status.code == STATUS_OK && moving > 0)
        return status_at(STATUS_NOT_CONVERGED, -1, -1, "%lld of %lld tokens are not at rest after %lld iterations",
                         (long long)moving, (long long)(p->B * p->T), (long long)s->at_most);
    return status;
}

/* ---- Work ------------------------------------------------------------------------------------------------------------------- */

double sequential_exponentials(const struct problem *p)
{
    return (double)p->B * (double)p->T * (double)p->d * (double)p->N;
}

double sequential_operations(const struct problem *p)
{
    double d = (double)p->d, N = (double)p->N, width = (double)token_layout(p).width;
    /* the product; of a state its exponent, u b^T, decay, c; base, response and u; unit of b and c */
    double token = 2 * width * d + mixer_activate_operations(p) + 6 * d * N + 5 * d + (token_unit(p) ? 8 * N : 2 * N);
    token += (p->gate == GATE_INSIDE ? 3 * d : 0) + (token_layout(p).dt >= 0 ? 3 * d : 0);
    return (double)p->B * (double)p->T * token;
}

double sequential_bytes(const struct problem *p)
{
    double elements = (double)p->B * (double)p->T * (double)p->d + (double)final_elements(p);
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++)
        if (tensor_row(p, id) != NULL && !tensor_row(p, id)->initial)
            elements += (double)tensor_elements(p, id);
    return elements * sizeof(real);
}
