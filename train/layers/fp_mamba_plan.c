/* See fp_mamba.h: what is refused, which parameters there are, and what a plan holds. */
#include "train/layers/fp_mamba.h"

#include "train/math/operators.h"

#include "impls/contract/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANK_SHARE = 16 }; /* channels of the model to one number that the steps are made of */

/* What a layer is, after the model's choices. */
struct kind {
    struct problem problem;
    bool convolution, symmetric, reads_out; /* reads_out: the gate outside reads y_{t-1} */
    int64_t rank, m, parts;                 /* parts of what the mixer reads: x and y_{t-1} apart, or one */
};

static struct kind kind_of(const struct model_spec *model, bool mixing, int64_t B, int64_t T)
{
    struct kind kind = {.problem = {.cell = CELL_SELECTIVE, .B = B, .T = T, .d = model->d, .N = model->N, .dtype = model->dtype}};
    struct problem *problem = &kind.problem;
    if (mixing) {
        problem->reads = model->reads, problem->norm = model->norm, problem->gate = model->gate;
        problem->mixer = model->mixer;
        if (model->mixer != MIXER_NONE)
            problem->r = model->r, problem->s = model->s, problem->feedback = model->feedback;
    }
    kind.convolution = !mixing || model->convolution == CONVOLUTION_SHORT;
    kind.symmetric = problem->feedback != FEEDBACK_NONE && model->mixing == MIXING_SYMMETRIC;
    kind.reads_out = mixing && problem->gate == GATE_OUTSIDE && model->readout == READOUT_STATE;
    kind.rank = (model->d_model + RANK_SHARE - 1) / RANK_SHARE;
    kind.m = problem_m(problem);
    kind.parts = problem->feedback != FEEDBACK_NONE && !kind.symmetric ? 2 : 1;
    return kind;
}

/* Which parameters there are. */
static void present(const struct kind *kind, bool there[PARAMETERS])
{
    const struct problem *p = &kind->problem;
    for (int i = 0; i < PARAMETERS; i++)
        there[i] = true;
    there[W_CONV] = there[B_CONV] = kind->convolution;
    there[GAIN] = there[BIAS] = tensor_elements(p, TENSOR_GAIN) > 0;
    there[V_THETA] = there[G_THETA] = kind->m > 0;
    there[B_THETA] = problem_strengths(p) > 0;
    there[V_B] = there[G_B] = tensor_elements(p, TENSOR_W_B) > 0;
    there[V_C] = there[G_C] = tensor_elements(p, TENSOR_W_C) > 0;
    there[V_DT] = there[G_DT] = tensor_elements(p, TENSOR_W_DT) > 0;
    there[V_Z] = there[G_Z] = kind->reads_out;
}

bool mamba_check(const struct sequence_setup *setup, bool mixing, size_t capacity, char *reason)
{
    const struct model_spec *model = setup->model;
    const struct {
        const char *what;
        int value, count;
    } words[] = {{"mixer", (int)model->mixer, MIXER_COUNT},
                 {"readout", (int)model->readout, READOUT_COUNT},
                 {"convolution", (int)model->convolution, CONVOLUTION_COUNT},
                 {"mixing", (int)model->mixing, MIXING_COUNT}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i].value < 0 || words[i].value >= words[i].count) {
            snprintf(reason, capacity, "unknown %s %d", words[i].what, words[i].value);
            return false;
        }
    if (mixing && mixer_facts[model->mixer].given) {
        snprintf(reason, capacity, "fp_mamba does not support the mixer %s: it would need d * d parameters a token",
                 mixer_names[model->mixer]);
        return false;
    }
    const struct kind kind = kind_of(model, mixing, setup->B, setup->T);
    return solver_check(&kind.problem, setup, capacity, reason);
}

/* A matrix as torch's Linear has it. */
static struct start linear(int64_t inputs)
{
    double bound = 1 / sqrt((double)inputs);
    return (struct start){START_UNIFORM, -bound, bound};
}

void mamba_declare(const struct model_spec *model, bool mixing, struct parameters *parameters)
{
    const struct kind kind = kind_of(model, mixing, 1, 1);
    int64_t d = model->d, N = model->N, m = kind.m, R = kind.rank, D = model->d_model;
    bool there[PARAMETERS];
    struct start out = linear(d), zero = {START_CONSTANT, 0, 0}, one = {START_CONSTANT, 1, 0}, lengths = {START_LENGTHS, 0, 0};
    out.a /= sqrt((double)model->blocks), out.b /= sqrt((double)model->blocks);
    const struct {
        const char *name;
        int64_t rows, columns;
        bool decayed;
        struct start start;
    } rows[PARAMETERS] = {
        [W_IN] = {"W_in", 2 * d, D, true, linear(D)},
        [W_CONV] = {"w_conv", CONVOLUTION_WIDTH, d, true, linear(CONVOLUTION_WIDTH)},
        [B_CONV] = {"b_conv", d, 0, false, linear(CONVOLUTION_WIDTH)},
        [W_X] = {"W_x", R + 2 * N, d, true, linear(d)},
        [W_STEP] = {"W_step", d, R, true, linear(R)},
        [B_STEP] = {"b_step", d, 0, false, {START_STEP, log(STEP_LEAST), log(STEP_MOST)}},
        [A_LOG] = {"A_log", d, N, false, {START_COUNTED, 0, 0}},
        [SKIP] = {"skip", d, 0, false, one},
        [GAIN] = {"gain", d, 0, false, one},
        [BIAS] = {"bias", d, 0, false, zero},
        [V_THETA] = {"V_theta", m, kind.parts * d, true, linear(kind.parts * d)},
        [G_THETA] = {"g_theta", m, 0, true, lengths},
        [B_THETA] = {"b_theta", problem_strengths(&kind.problem), 0, false, zero},
        [V_B] = {"V_b", N, d, true, linear(d)},
        [G_B] = {"g_b", N, 0, true, lengths},
        [V_C] = {"V_c", N, d, true, linear(d)},
        [G_C] = {"g_c", N, 0, true, lengths},
        [V_DT] = {"V_dt", d, d, true, linear(d)},
        [G_DT] = {"g_dt", d, 0, true, lengths},
        [V_Z] = {"V_z", d, d, true, linear(d)},
        [G_Z] = {"g_z", d, 0, true, lengths},
        [W_OUT] = {"W_out", D, d, true, out},
    };
    present(&kind, there);
    for (int i = 0; i < PARAMETERS; i++)
        if (there[i])
            parameters_add(parameters, rows[i].name, rows[i].rows, rows[i].columns, rows[i].decayed, rows[i].start);
}

/* The memory that a plan owns. */
struct piece {
    real **at;
    int64_t size;  /* 0: absent */
    bool gradient; /* only for backward() */
};
enum { SINGLE = 12, PIECES = SINGLE + 2 * NORMALISED + ARRAYS };

static int list_pieces(struct sequence_plan *plan, int64_t tokens, struct piece piece[PIECES])
{
    int64_t R = plan->rank, N = plan->N, m = plan->m, d = plan->d;
    const struct piece single[SINGLE] = {
        {&plan->all, tokens * (R + 2 * N), false},
        {&plan->dtr, tokens * R, false},
        {&plan->b, tokens * N, false},
        {&plan->c, tokens * N, false},
        {&plan->d_all, tokens * (R + 2 * N), true},
        {&plan->d_dtr, tokens * R, true},
        {&plan->d_b, tokens * N, true},
        {&plan->d_c, tokens * N, true},
        {&plan->theta, tokens * m, false},
        {&plan->d_theta, tokens * m, true},
        {&plan->rates, d * N, false},
        {&plan->b_theta, m, false},
    };
    int n = SINGLE;
    memcpy(piece, single, sizeof single);
    for (int i = 0; i < NORMALISED; i++) {
        const struct normalised *one = &plan->normalised[i];
        int64_t parts = one->parts + (i == OF_THETA && plan->symmetric); /* symmetric: a gradient of either use */
        piece[n++] = (struct piece){&plan->normalised[i].w, one->parts * one->rows * d, false};
        piece[n++] = (struct piece){&plan->normalised[i].dw, one->v != NULL ? parts * one->rows * d : 0, true};
    }
    for (int i = 0; i < ARRAYS; i++)
        piece[n++] = (struct piece){&plan->array[i], plan->borrowed[i] ? 0 : tokens * d, i >= FIRST_GRADIENT};
    return n;
}

void mamba_destroy(struct sequence_plan *plan)
{
    struct piece piece[PIECES];
    if (plan != NULL) {
        int n = list_pieces(plan, 1, piece);
        solver_close(&plan->solver);
        for (int i = 0; i < n; i++)
            if (piece[i].size > 0)
                free(*piece[i].at);
    }
    free(plan);
}

static bool allocate(struct sequence_plan *plan, int64_t tokens, bool gradient)
{
    struct piece piece[PIECES];
    int n = list_pieces(plan, tokens, piece);
    for (int i = 0; i < n; i++) {
        if (piece[i].size == 0 || (piece[i].gradient && !gradient))
            continue;
        *piece[i].at = memory_allocate(piece[i].size, sizeof(real));
        if (*piece[i].at == NULL)
            return false;
    }
    return true;
}

/* Arrays that are others, because nothing happens between the two. */
static const struct loan {
    int array, owner;
} loans[] = {{CONVOLVED, ENTERS}, {X, ENTERS}, {DT, BEFORE_STEP}, {BEFORE, Y}, {GATED, Y}};

static void note_loans(struct sequence_plan *plan)
{
    plan->borrowed[CONVOLVED] = plan->borrowed[X] = plan->p[W_CONV] == NULL;
    plan->borrowed[DT] = plan->p[V_DT] != NULL;
    plan->borrowed[BEFORE] = plan->p[V_Z] == NULL;
    plan->borrowed[GATED] = !plan->outside;
}

static void lend(struct sequence_plan *plan)
{
    for (size_t i = 0; i < sizeof loans / sizeof *loans; i++)
        if (plan->borrowed[loans[i].array])
            plan->array[loans[i].array] = plan->array[loans[i].owner];
}

static void find_normalised(const struct kind *kind, struct sequence_plan *plan)
{
    static const int v[NORMALISED] = {[OF_THETA] = V_THETA, [OF_B] = V_B, [OF_C] = V_C, [OF_DT] = V_DT, [OF_Z] = V_Z};
    for (int i = 0; i < NORMALISED; i++) {
        const struct parameter *p = plan->p[v[i]];
        if (p != NULL)
            plan->normalised[i] =
                (struct normalised){.v = p, .g = plan->p[v[i] + 1], .rows = p->shape[0], .parts = i == OF_THETA ? kind->parts : 1};
    }
}

static struct inputs inputs_of(const struct kind *kind, const struct sequence_plan *plan)
{
    const struct problem *p = &kind->problem;
    const struct parameter *gain = plan->p[GAIN], *bias = plan->p[BIAS];
    bool reads = p->feedback != FEEDBACK_NONE;
    return (struct inputs){
        .x = plan->array[X],
        .dt = plan->array[DT],
        .A = plan->rates,
        .b = plan->b,
        .c = plan->c,
        .skip = plan->p[SKIP]->value,
        .gain = gain != NULL ? gain->value : NULL,
        .bias = bias != NULL ? bias->value : NULL,
        .theta = plan->theta,
        .W = reads ? plan->normalised[OF_THETA].w + (kind->parts - 1) * plan->m * plan->d : NULL,
        .W_b = plan->normalised[OF_B].w,
        .W_c = plan->normalised[OF_C].w,
        .W_dt = plan->normalised[OF_DT].w,
        .z = plan->outside ? NULL : plan->array[Z],
    };
}

struct status mamba_plan(const struct sequence_setup *setup, bool mixing, struct sequence_plan **out)
{
    const struct kind kind = kind_of(setup->model, mixing, setup->B, setup->T);
    *out = NULL;
    struct sequence_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->B = setup->B, plan->D = setup->model->d_model, plan->d = kind.problem.d, plan->N = kind.problem.N, plan->m = kind.m;
    plan->rank = kind.rank, plan->symmetric = kind.symmetric, plan->outside = kind.problem.gate == GATE_OUTSIDE;
    plan->strengths = problem_strengths(&kind.problem);
    plan->threads = setup->environment->threads;
    bool there[PARAMETERS];
    present(&kind, there);
    for (int i = 0, next = 0; i < PARAMETERS; i++)
        plan->p[i] = there[i] ? &setup->parameter[next++] : NULL;
    find_normalised(&kind, plan);
    note_loans(plan);
    bool memory = allocate(plan, setup->B * setup->T, setup->gradient);
    struct status status = memory ? solver_open(&kind.problem, setup, &plan->solver) : status_no_memory();
    if (status.code != STATUS_OK) {
        mamba_destroy(plan);
        return status;
    }
    lend(plan);
    if (plan->m > 0)
        memset(plan->b_theta, 0, (size_t)plan->m * sizeof(real));
    plan->inputs = inputs_of(&kind, plan);
    *out = plan;
    return status_ok();
}
