/* See sequential_gradient.h. */
#include "impls/selective/sequential_gradient.h"

#include "impls/contract/support.h"
#include "impls/math/activation.h"
#include "impls/math/adjoint.h"
#include "impls/math/blas.h"
#include "impls/math/mixer.h"
#include "impls/selective/sequential.h"
#include "impls/selective/state.h"

#include <omp.h>
#include <stdlib.h>

enum { GROUP = 8 }; /* sequences that go back through time together, when each token has a product with the weights */

static int64_t group_size(const struct problem *p)
{
    return token_layout(p).width == 0 ? 1 : p->B < GROUP ? p->B : GROUP;
}

/* Tokens of a stretch, the root of T rounded up, and how many stretches there are. */
static int64_t stretch_size(const struct problem *p)
{
    int64_t n = 1;
    while (n * n < p->T)
        n++;
    return n;
}

static int64_t stretches(const struct problem *p)
{
    return (p->T + stretch_size(p) - 1) / stretch_size(p);
}

/* Of one thread. Rows and states of a stretch stand token by token, in each the sequences of the group. */
struct room {
    real *A, *skip, *gain, *bias, *weights; /* sums over all tokens of the thread: a state, three rows, the stack */
    real *begins;                           /* (applications, stretches) states at the beginning of each stretch */
    real *decayed, *decays;                 /* states of a stretch */
    real *rows, *rows_adjoint, *before;     /* rows of a stretch */
    real *iterates;                         /* (applications - 1, group, T, d) F^1 ... F^{n-1} */
    real *states, *u, *b;                   /* (applications, group), (group): on the way forward */
    real *adjoints;                         /* (applications, group): on the way back, of H_t from what follows */
    real *ybar;                             /* likewise of F^k_t: (1 + applications, 1 + tokens of a stretch, group, d) */
    real *token, *gate, *response, *base, *w, *out, *xt;   /* of the token */
    real *apart, *pull, *lambda, *om, *o, *hb, *xi, *here; /* of its adjoint */
    real *x_adjoint, *q_adjoint, *b_adjoint, *c_adjoint, *dt_adjoint, *rest;
    int64_t sums, size; /* the first so many reals are the sums */
};

static real *take(struct room *room, real *memory, int64_t n)
{
    real *at = memory == NULL ? NULL : memory + room->size;
    room->size += (n + 15) / 16 * 16;
    return at;
}

static int64_t rest_size(const struct problem *p)
{
    int64_t token = token_adjoint_scratch(p), mixer = mixer_gradient_scratch(p), apply = mixer_scratch(p), state = state_scratch(p);
    int64_t most = token > mixer ? token : mixer;
    most = apply > most ? apply : most;
    return state > most ? state : most;
}

static int64_t applications(int64_t n)
{
    return n > 0 ? n : 1;
}

static struct room room_of(const struct problem *p, int64_t steps, real *memory)
{
    int64_t n = applications(steps), group = group_size(p), d = p->d, state = state_reals(p), row = state_row(p),
            width = token_layout(p).width;
    int64_t stretch = stretch_size(p) * group;
    struct room room = {0};
    room.A = take(&room, memory, state);
    room.skip = take(&room, memory, d);
    room.gain = take(&room, memory, d);
    room.bias = take(&room, memory, d);
    room.weights = take(&room, memory, width * d);
    room.sums = room.size;
    room.begins = take(&room, memory, n * stretches(p) * group * state);
    room.decayed = take(&room, memory, stretch * state);
    room.decays = take(&room, memory, stretch * state);
    room.rows = take(&room, memory, stretch * width);
    room.rows_adjoint = take(&room, memory, stretch * width);
    room.before = take(&room, memory, stretch * (width > 0 ? d : 0));
    room.iterates = take(&room, memory, (n - 1) * group * p->T * d);
    room.states = take(&room, memory, n * group * state);
    room.u = take(&room, memory, group * row);
    room.b = take(&room, memory, group * p->N);
    room.adjoints = take(&room, memory, n * group * state);
    room.ybar = take(&room, memory, (1 + n) * (stretch + group) * d);
    room.token = take(&room, memory, token_room(p));
    room.base = take(&room, memory, row);
    room.hb = take(&room, memory, row);
    room.o = take(&room, memory, row);
    room.dt_adjoint = take(&room, memory, row);
    real **const rows[] = {&room.gate, &room.response, &room.w,  &room.out, &room.xt,   &room.apart,
                           &room.pull, &room.lambda,   &room.om, &room.xi,  &room.here, &room.x_adjoint};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        *rows[i] = take(&room, memory, d);
    room.q_adjoint = take(&room, memory, mixer_size(p));
    room.b_adjoint = take(&room, memory, p->N);
    room.c_adjoint = take(&room, memory, p->N);
    room.rest = take(&room, memory, rest_size(p));
    return room;
}

double sequential_gradient_reals(const struct problem *p, int64_t n, int threads)
{
    return (double)room_of(p, n, NULL).size * threads + (double)token_layout(p).width * (double)p->d + (double)state_reals(p);
}

bool sequential_gradient_open(const struct problem *p, int64_t n, int threads, struct sequential_gradient *g)
{
    *g = (struct sequential_gradient){.problem = *p, .threads = threads, .n = n, .scratch = room_of(p, n, NULL).size};
    g->memory = memory_allocate(g->scratch * threads, sizeof(real));
    g->stack = memory_allocate(token_layout(p).width * p->d, sizeof(real));
    g->rates = memory_allocate(state_reals(p), sizeof(real));
    if (g->memory != NULL && g->stack != NULL && g->rates != NULL)
        return true;
    sequential_gradient_close(g);
    return false;
}

void sequential_gradient_close(struct sequential_gradient *g)
{
    free(g->memory);
    free(g->stack);
    free(g->rates);
    *g = (struct sequential_gradient){0};
}

/* What the threads of one pass share. */
struct run {
    const struct sequential_gradient *g;
    struct plan *plan;
    equation_adjoint *solve;
    const struct inputs *inputs;
    const real *y, *y_adjoint, *final_adjoint;
    const struct gradients *gradients;
};

/* A group on its way through a stretch: sequences from ... to - 1, tokens begin ... end - 1, of application k, from 1 on. */
struct stretch {
    int64_t from, to, begin, end, k;
};

static int64_t stretch_place(const struct stretch *s, int64_t b, int64_t t)
{
    return (t - s->begin) * (s->to - s->from) + b - s->from;
}

static bool is_last(const struct run *run, const struct stretch *s)
{
    return s->k == applications(run->g->n);
}

/* The point (T,d) at which the application takes sequence b: F^{k-1}. */
static const real *point(const struct run *run, const struct room *room, const struct stretch *s, int64_t b)
{
    const struct problem *p = &run->g->problem;
    int64_t size = p->T * p->d;
    return s->k == 1 ? run->y + b * size : room->iterates + ((s->k - 2) * group_size(p) + b - s->from) * size;
}

/* Of application k, as adjoints likewise. */
static real *states_of(const struct problem *p, real *states, const struct stretch *s)
{
    return states + (s->k - 1) * group_size(p) * state_reals(p);
}

/* The adjoint of F^k of the group (from ... to - 1, d), what is known of it so far, at the token begin - 1 + row. */
static real *ybar_of(const struct problem *p, const struct room *room, const struct stretch *s, int64_t k, int64_t row)
{
    return room->ybar + (k * (1 + stretch_size(p)) * group_size(p) + row * (s->to - s->from)) * p->d;
}

/* The rows of all tokens of a stretch: one product. */
static void read_rows(const struct run *run, const struct room *room, const struct stretch *s)
{
    const struct problem *p = &run->g->problem;
    int64_t d = p->d, width = token_layout(p).width;
    if (width == 0)
        return;
    for (int64_t t = s->begin; t < s->end; t++)
        for (int64_t b = s->from; b < s->to; b++) {
            int64_t place = stretch_place(s, b, t);
            const real *y0 = run->inputs->y0 != NULL ? (const real *)run->inputs->y0 + b * d : NULL;
            const real *before = t > 0 ? point(run, room, s, b) + (t - 1) * d : y0;
            if (before != NULL)
                memcpy(room->before + place * d, before, (size_t)d * sizeof(real));
            else
                fill(room->before + place * d, 0, d);
            token_raw(p, run->inputs, b * p->T + t, room->rows + place * width);
        }
    token_read(p, run->g->stack, room->before, (s->end - s->begin) * (s->to - s->from), room->rows);
}

/* What a token is made of, and its xt. */
static void prepare(const struct run *run, const struct room *room, const struct stretch *s, int64_t b, int64_t t,
                    struct token_values *values)
{
    const struct problem *p = &run->g->problem;
    int64_t d = p->d, i = b * p->T + t;
    token_values(p, run->inputs, i, room->rows + stretch_place(s, b, t) * token_layout(p).width, NULL, room->token, values);
    token_mix(p, values->q, (const real *)run->inputs->x + i * d, point(run, room, s, b) + t * d, room->apart, room->xt,
              room->rest);
}

/* The same beyond the state, from base: response, out = base + (dt (b . c) + skip) . xt, w = gate . out, and y (d) = LayerNorm(w), whose numbers
 * come back. */
static struct row_norm respond(const struct run *run, const struct room *room, const struct token_values *values, int64_t i,
                               real *y)
{
    const struct problem *p = &run->g->problem;
    const real *skip = run->inputs->skip, bc = dot(values->b, values->c, p->N);
    token_gate(p, run->inputs, i, room->gate);
#pragma omp simd
    for (int64_t c = 0; c < p->d; c++) {
        real response = values->dt[c] * bc + skip[c];
        room->out[c] = room->base[c] + response * room->xt[c];
        room->response[c] = room->gate[c] * response;
        room->w[c] = room->gate[c] * room->out[c];
    }
    if (token_norm(p))
        return norm_row(room->w, run->inputs->gain, run->inputs->bias, y, p->d);
    memcpy(y, room->w, (size_t)p->d * sizeof(real));
    return (struct row_norm){0};
}

/* States of the group through a stretch, of which all are kept; or the one after its last token, and F^k unless it is the last. */
static void forward(const struct run *run, const struct room *room, const struct stretch *s, bool keep)
{
    const struct problem *p = &run->g->problem;
    int64_t d = p->d, N = p->N, size = state_reals(p), n = s->to - s->from;
    real *states = states_of(p, room->states, s);
    fill(room->u, 0, n * state_row(p));
    fill(room->b, 0, n * N);
    for (int64_t t = s->begin; t < s->end; t++)
        for (int64_t b = s->from; b < s->to; b++) {
            int64_t place = stretch_place(s, b, t), k = b - s->from;
            real *u = room->u + k * state_row(p), *of_b = room->b + k * N, *state = states + k * size;
            struct token_values values;
            prepare(run, room, s, b, t, &values);
            if (keep)
                state_keep(p, run->g->rates, values.dt, u, of_b, t > s->begin ? room->decayed + (place - n) * size : state,
                           room->decayed + place * size, room->decays + place * size);
            else
                state_decay(p, run->g->rates, values.dt, u, of_b, values.c, state, room->base);
            if (!keep && !is_last(run, s))
                respond(run, room, &values, b * p->T + t, room->iterates + (((s->k - 1) * group_size(p) + k) * p->T + t) * d);
#pragma omp simd
            for (int64_t c = 0; c < d; c++)
                u[c] = values.dt[c] * room->xt[c];
            memcpy(of_b, values.b, (size_t)N * sizeof(real));
        }
    for (int64_t k = 0; k < n && !keep; k++)
        state_add(p, room->u + k * state_row(p), room->b + k * N, states + k * size);
}

/* A token back in time; found, or how its equation failed. */
static enum answer token(const struct run *run, const struct room *room, const struct stretch *s, int thread, int64_t b, int64_t t)
{
    const struct problem *p = &run->g->problem;
    const struct gradients *to = run->gradients;
    int64_t d = p->d, size = state_reals(p), width = token_layout(p).width, k = b - s->from, i = b * p->T + t;
    int64_t place = stretch_place(s, b, t), row = t - s->begin + 1;
    const real *rates = run->g->rates, *decayed = room->decayed + place * size;
    const real *x = (const real *)run->inputs->x + i * d, *gain = token_norm(p) ? run->inputs->gain : NULL;
    real *u = room->u, *H_adjoint = states_of(p, room->adjoints, s) + k * size, *ybar = ybar_of(p, room, s, s->k, row) + k * d;
    const real *lambda = run->g->n > 0 ? ybar : room->lambda;
    const bool add = !is_last(run, s);
    struct token_values values;
    prepare(run, room, s, b, t, &values);
    state_read(p, decayed, values.c, room->base);
    state_read(p, H_adjoint, values.b, room->hb);
    const struct row_norm norm = respond(run, room, &values, i, room->here);
    real bc = dot(values.b, values.c, p->N);
#pragma omp simd
    for (int64_t c = 0; c < d; c++) {
        room->pull[c] = values.dt[c] * room->hb[c];
        u[c] = values.dt[c] * room->xt[c];
    }
    if (run->y_adjoint != NULL && !add)
        add_scaled(1, run->y_adjoint + i * d, ybar, d);
    enum answer answer = ANSWER_FOUND;
    if (run->g->n == 0) {
        const struct equation equation = {
            .q = values.q, .x = x, .response = room->response, .gain = gain, .bias = gain != NULL ? run->inputs->bias : NULL};
        answer = run->solve(run->plan, thread, &equation, room->w, norm, room->pull, ybar, room->lambda);
        if (answer == ANSWER_SINGULAR &&
            run->g->at_most > 0) { /* the derivative of the last application, its argument held fixed */
            memcpy(room->lambda, ybar, (size_t)d * sizeof(real));
            answer = ANSWER_FOUND;
        }
    }

    if (gain != NULL)
        norm_row_adjoint(room->w, norm, gain, lambda, room->gain, room->bias, room->om, d);
    else
        memcpy(room->om, lambda, (size_t)d * sizeof(real));
    real finite = 0;
#pragma omp simd reduction(+ : finite)
    for (int64_t c = 0; c < d; c++) {
        room->o[c] = room->gate[c] * room->om[c];
        room->xi[c] = room->pull[c] + room->response[c] * room->om[c];
        room->skip[c] += room->o[c] * room->xt[c];
        room->here[c] = -room->xi[c]; /* of (I - Q)(x - y) */
        finite += room->xi[c] - room->xi[c];
    }
    if (finite != 0 && answer == ANSWER_FOUND)
        answer = ANSWER_NOT_FINITE;
    if (to->z != NULL) {
        for (int64_t c = 0; c < d; c++) {
            real z = ((const real *)run->inputs->z)[i * d + c];
            room->om[c] *= room->out[c] * silu_slope(z, sigmoid(z));
        }
        adjoint_put((real *)to->z + i * d, room->om, d, add);
    }
    state_adjoint(p, rates, values.dt, u, values.b, values.c, room->o, decayed, room->decays + place * size, H_adjoint, room->A,
                  room->dt_adjoint, room->b_adjoint, room->c_adjoint, room->rest);
#pragma omp simd
    for (int64_t c = 0; c < d; c++)
        room->dt_adjoint[c] += room->xt[c] * (room->hb[c] + room->o[c] * bc);
    if (p->mixer == MIXER_NONE)
        fill(room->x_adjoint, 0, d);
    else
        mixer_apply_gradient(p, values.q, room->apart, room->here, room->x_adjoint, room->q_adjoint, room->rest);
    if (s->k > 1)
        add_scaled(-1, room->x_adjoint, ybar_of(p, room, s, s->k - 1, row) + k * d, d);
    if (to->x != NULL) {
        add_scaled(1, room->x_adjoint, room->xi, d);
        adjoint_put((real *)to->x + i * d, room->xi, d, add);
    }
    const struct token_adjoints adjoints = {room->q_adjoint, room->b_adjoint, room->c_adjoint, room->dt_adjoint};
    token_values_adjoint(p, run->inputs, i, room->rows + place * width, &values, &adjoints, to, add,
                         width > 0 ? room->rows_adjoint + place * width : NULL, room->rest);
    return answer;
}

/* What the rows of `tokens` tokens, from t on, give to the output before each of them: added to the adjoint of F^k. */
static void read_back(const struct run *run, const struct room *room, const struct stretch *s, int64_t t, int64_t tokens, int64_t k)
{
    const struct problem *p = &run->g->problem;
    int d = (int)p->d, width = (int)token_layout(p).width, rows = (int)(tokens * (s->to - s->from));
    blas_gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, d, width, 1,
              room->rows_adjoint + stretch_place(s, s->from, t) * width, width, run->g->stack, d, 1,
              ybar_of(p, room, s, k, t - s->begin), d);
}

/* A singular token leaves what is not finite to all before it: it counts before these, which have the numbers above all tokens. */
static int64_t failure_of(const struct problem *p, int64_t token, enum answer answer)
{
    return sequential_fail(answer == ANSWER_NOT_FINITE ? p->B * p->T + token : token, answer);
}

static int64_t no_failure(const struct problem *p)
{
    return sequential_fail(2 * p->B * p->T, 0);
}

/* The group back through a stretch, whose states are kept: returns the first failure. */
static int64_t back(const struct run *run, const struct room *room, const struct stretch *s, int thread)
{
    const struct problem *p = &run->g->problem;
    int64_t d = p->d, n = s->to - s->from, width = token_layout(p).width, first = no_failure(p);
    const bool exact = run->g->n == 0;
    fill(room->u, 0, state_row(p));
    for (int64_t t = s->end - 1; t >= s->begin; t--) {
        for (int64_t b = s->from; b < s->to; b++) {
            enum answer answer = token(run, room, s, thread, b, t);
            int64_t failure = answer < ANSWER_FOUND ? failure_of(p, b * p->T + t, answer) : first;
            first = failure < first ? failure : first;
        }
        if (width > 0 && exact) /* the token before waits for it */
            read_back(run, room, s, t, 1, 1);
    }
    if (width == 0)
        return first;
    if (!exact && s->k > 1)
        read_back(run, room, s, s->begin, s->end - s->begin, s->k - 1);
    else if (!exact && s->begin == 0) /* F^0 is held fixed, but not what is before the first token */
        read_back(run, room, s, 0, 1, 0);
    blas_gemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)width, (int)d, (int)((s->end - s->begin) * n), 1, room->rows_adjoint,
              (int)width, room->before, (int)d, 1, room->weights, (int)d);
    return first;
}

/* What is left of a stretch for the one before: of the token between them. */
static void pass_on(const struct run *run, const struct room *room, const struct stretch *s)
{
    const struct problem *p = &run->g->problem;
    int64_t row = (s->to - s->from) * p->d, length = stretch_size(p);
    for (int64_t k = 1; k <= applications(run->g->n); k++) {
        memcpy(ybar_of(p, room, s, k, length), ybar_of(p, room, s, k, 0), (size_t)row * sizeof(real));
        fill(ybar_of(p, room, s, k, 0), 0, length * row);
    }
}

/* The gradients of the initial states of the group. */
static void put_initial(const struct run *run, const struct room *room, const struct stretch *s)
{
    const struct problem *p = &run->g->problem;
    const struct gradients *to = run->gradients;
    int64_t d = p->d, n = s->to - s->from, applied = applications(run->g->n), size = state_reals(p);
    for (int64_t k = 0; k < applied && to->y0 != NULL; k++) /* F^k reads it to become F^{k+1}, exact: the answer itself */
        adjoint_put((real *)to->y0 + s->from * d, ybar_of(p, room, s, run->g->n == 0 ? 1 : k, 0), n * d, k > 0);
    for (int64_t k = 1; k < applied; k++)
        add_scaled(1, room->adjoints + k * group_size(p) * size, room->adjoints, n * size);
    for (int64_t k = 0; k < n && to->H0 != NULL; k++)
        state_store(p, room->adjoints + k * size, (real *)to->H0 + (s->from + k) * d * p->N);
}

/* The sequences from ... to - 1, no more than a group. */
static int64_t run_group(const struct run *run, const struct room *room, int64_t from, int64_t to, int thread)
{
    const struct problem *p = &run->g->problem;
    int64_t d = p->d, each = d * p->N, size = state_reals(p), n = to - from, first = no_failure(p);
    int64_t length = stretch_size(p), last = stretches(p) - 1, applied = applications(run->g->n), all = group_size(p) * size;
    struct stretch s = {.from = from, .to = to};
    for (s.k = 1; s.k <= applied; s.k++)
        for (int64_t k = 0; k < n; k++) {
            const real *H0 = run->inputs->H0, *final = s.k == applied ? run->final_adjoint : NULL;
            state_load(p, H0 != NULL ? H0 + (from + k) * each : NULL, states_of(p, room->states, &s) + k * size);
            state_load(p, final != NULL ? final + (from + k) * each : NULL, states_of(p, room->adjoints, &s) + k * size);
        }
    fill(room->ybar, 0, (1 + applied) * (1 + length) * group_size(p) * d);
    for (int64_t i = 0; i <= last; i++) {
        s.begin = i * length;
        s.end = i < last ? s.begin + length : p->T;
        for (s.k = 1; s.k <= applied; s.k++) {
            memcpy(room->begins + ((s.k - 1) * (last + 1) + i) * all, states_of(p, room->states, &s),
                   (size_t)(n * size) * sizeof(real));
            if (i == last && s.k == applied)
                break;
            read_rows(run, room, &s);
            forward(run, room, &s, false);
        }
    }
    for (int64_t i = last; i >= 0; i--) {
        s.begin = i * length;
        s.end = i < last ? s.begin + length : p->T;
        for (s.k = applied; s.k >= 1; s.k--) {
            memcpy(states_of(p, room->states, &s), room->begins + ((s.k - 1) * (last + 1) + i) * all,
                   (size_t)(n * size) * sizeof(real));
            read_rows(run, room, &s);
            forward(run, room, &s, true);
            int64_t found = back(run, room, &s, thread);
            first = found < first ? found : first;
        }
        if (i > 0)
            pass_on(run, room, &s);
    }
    put_initial(run, room, &s);
    return first;
}

/* The sums of all threads, in their order, into the gradients of what all sequences share. */
static void finish(const struct run *run)
{
    const struct problem *p = &run->g->problem;
    const struct gradients *to = run->gradients;
    const struct room room = room_of(p, run->g->n, run->g->memory);
    for (int thread = 1; thread < run->g->threads; thread++)
        add_scaled(1, run->g->memory + thread * run->g->scratch, run->g->memory, room.sums);
    if (to->A != NULL)
        state_store(p, room.A, to->A);
    adjoint_put(to->skip, room.skip, p->d, false);
    adjoint_put(to->gain, room.gain, p->d, false);
    adjoint_put(to->bias, room.bias, p->d, false);
    token_unstack(p, room.weights, to, false);
}

struct status sequential_gradient_run(struct sequential_gradient *g, struct plan *plan, equation_adjoint *solve,
                                      const struct inputs *inputs, const struct outputs *outputs,
                                      const struct outputs *grad_outputs, const struct gradients *gradients)
{
    const struct problem *p = &g->problem;
    struct status given = backward_check(p, g->memory != NULL, inputs, outputs, grad_outputs, gradients);
    if (given.code != STATUS_OK)
        return given;
    const struct run run = {g, plan, solve, inputs, outputs->y, grad_outputs->y, grad_outputs->final, gradients};
    int64_t first = no_failure(p);
    token_stack(p, inputs, g->stack);
    state_rates(p, inputs->A, g->rates);
    for (int thread = 0; thread < g->threads; thread++)
        fill(g->memory + thread * g->scratch, 0, room_of(p, g->n, NULL).sums);
#pragma omp parallel num_threads(g->threads) reduction(min : first)
    {
        int64_t thread = omp_get_thread_num(), n = omp_get_num_threads(), end = p->B * (thread + 1) / n, size = group_size(p);
        const struct room room = room_of(p, g->n, g->memory + thread * g->scratch);
        fill(room.o, 0, state_row(p)); /* what no channel fills stays 0 */
        for (int64_t from = p->B * thread / n; from < end; from += size) {
            int64_t found = run_group(&run, &room, from, from + size < end ? from + size : end, (int)thread);
            first = found < first ? found : first;
        }
    }
    finish(&run);
    int64_t tokens = sequential_fail(p->B * p->T, 0);
    return sequential_status(p, first < tokens ? first : first - tokens);
}
