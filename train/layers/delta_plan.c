/* See delta.h: what is refused, which parameters there are, and what a plan holds. */
#include "train/layers/delta.h"

#include "train/math/operators.h"

#include "impls/contract/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct problem problem_of(const struct model_spec *model, int64_t B, int64_t T)
{
    return (struct problem){.cell = CELL_DELTA,
                            .B = B,
                            .T = T,
                            .d = model->d,
                            .N = model->N,
                            .heads = model->heads,
                            .r = model->r,
                            .forget = model->forget,
                            .dtype = model->dtype};
}

/* Columns of W_qkv e. */
static int64_t entering(const struct model_spec *model)
{
    return (1 + model->r) * model->heads * model->N + model->r * model->d;
}

/* Which parameters there are. */
static void present(const struct model_spec *model, bool there[PARAMETERS])
{
    for (int i = 0; i < PARAMETERS; i++)
        there[i] = true;
    there[W_CONV] = model->convolution == CONVOLUTION_SHORT;
    there[W_A] = there[B_STEP] = there[A_LOG] = model->forget == FORGET_HEAD;
    there[W_G] = model->output_gate == OUTPUT_GATE_SILU;
}

bool delta_layer_check(const struct sequence_setup *setup, size_t capacity, char *reason)
{
    const struct model_spec *model = setup->model;
    const struct {
        const char *what;
        int value, count;
    } words[] = {{"convolution", (int)model->convolution, CONVOLUTION_COUNT},
                 {"eigenvalues", (int)model->eigenvalues, EIGENVALUES_COUNT},
                 {"output_gate", (int)model->output_gate, OUTPUT_GATE_COUNT}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i].value < 0 || words[i].value >= words[i].count) {
            snprintf(reason, capacity, "unknown %s %d", words[i].what, words[i].value);
            return false;
        }
    const struct problem problem = problem_of(model, setup->B, setup->T);
    return solver_check(&problem, setup, capacity, reason);
}

/* A matrix as torch's Linear has it. */
static struct start linear(int64_t inputs)
{
    double bound = 1 / sqrt((double)inputs);
    return (struct start){START_UNIFORM, -bound, bound};
}

void delta_layer_declare(const struct model_spec *model, struct parameters *parameters)
{
    int64_t d = model->d, D = model->d_model, heads = model->heads, r = model->r;
    bool there[PARAMETERS];
    const struct {
        const char *name;
        int64_t rows, columns;
        bool decayed;
        struct start start;
    } rows[PARAMETERS] = {
        [W_QKV] = {"W_qkv", entering(model), D, true, linear(D)},
        [W_CONV] = {"w_conv", CONVOLUTION_WIDTH, entering(model), true, linear(CONVOLUTION_WIDTH)},
        [W_BETA] = {"W_beta", r * heads, D, true, linear(D)},
        [W_A] = {"W_a", heads, D, true, linear(D)},
        [B_STEP] = {"b_step", heads, 0, false, {START_STEP, log(STEP_LEAST), log(STEP_MOST)}},
        [A_LOG] = {"A_log", heads, 0, false, {START_LOGARITHM, 0, RATE_MOST}},
        [W_G] = {"W_g", d, D, true, linear(D)},
        [GAIN] = {"gain", d / heads, 0, false, {START_CONSTANT, 1, 0}},
        [W_OUT] = {"W_out", D, d, true, linear(d)},
    };
    present(model, there);
    for (int i = 0; i < PARAMETERS; i++)
        if (there[i])
            parameters_add(parameters, rows[i].name, rows[i].rows, rows[i].columns, rows[i].decayed, rows[i].start);
}

/* Numbers a token of an array; 0: absent. */
static int64_t width_of(const struct sequence_plan *plan, int array)
{
    const int64_t d = plan->d, heads = plan->heads, keys = heads * plan->N, r = plan->r;
    const bool forgets = plan->p[W_A] != NULL, gated = plan->p[W_G] != NULL;
    const int64_t widths[ARRAYS] = {
        [ENTERS] = plan->enters,
        [CONVOLVED] = plan->enters,
        [QUERY] = keys,
        [KEY] = r * keys,
        [VALUE] = r * d,
        [INVERSE] = (1 + r) * heads,
        [BEFORE_BETA] = r * heads,
        [BETA] = r * heads,
        [BEFORE_STEP] = forgets ? heads : 0,
        [FORGET] = forgets ? heads : 0,
        [Y] = d,
        [KEPT] = 2 * heads,
        [NORMED] = d,
        [GATE] = gated ? d : 0,
        [GATED] = d,
        [D_QUERY] = keys,
        [D_KEY] = r * keys,
        [D_VALUE] = r * d,
        [D_BETA] = r * heads,
        [D_FORGET] = forgets ? heads : 0,
        [D_CONVOLVED] = plan->enters,
        [D_ENTERS] = plan->enters,
        [D_GATED] = d,
        [D_GATE] = gated ? d : 0,
        [D_Y] = d,
    };
    return widths[array];
}

/* Arrays that are others, because nothing happens between the two. */
static const struct loan {
    int array, owner, parameter; /* without this parameter */
} loans[] = {{CONVOLVED, ENTERS, W_CONV}, {GATED, NORMED, W_G}, {D_ENTERS, D_CONVOLVED, W_CONV}};

static bool allocate(struct sequence_plan *plan, int64_t tokens, bool gradient)
{
    for (size_t i = 0; i < sizeof loans / sizeof *loans; i++)
        plan->borrowed[loans[i].array] = plan->p[loans[i].parameter] == NULL;
    for (int i = 0; i < ARRAYS; i++) {
        int64_t width = width_of(plan, i);
        if (plan->borrowed[i] || width == 0 || (i >= FIRST_GRADIENT && !gradient))
            continue;
        plan->array[i] = memory_allocate(tokens * width, sizeof(real));
        if (plan->array[i] == NULL)
            return false;
    }
    for (size_t i = 0; i < sizeof loans / sizeof *loans; i++)
        if (plan->borrowed[loans[i].array])
            plan->array[loans[i].array] = plan->array[loans[i].owner];
    return true;
}

void delta_layer_destroy(struct sequence_plan *plan)
{
    if (plan != NULL) {
        solver_close(&plan->solver);
        for (int i = 0; i < ARRAYS; i++)
            if (!plan->borrowed[i])
                free(plan->array[i]);
    }
    free(plan);
}

struct status delta_layer_plan(const struct sequence_setup *setup, struct sequence_plan **out)
{
    const struct model_spec *model = setup->model;
    const struct problem problem = problem_of(model, setup->B, setup->T);
    *out = NULL;
    struct sequence_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->B = setup->B, plan->D = model->d_model, plan->d = model->d, plan->N = model->N;
    plan->heads = model->heads, plan->r = model->r, plan->enters = entering(model);
    plan->most = model->eigenvalues == EIGENVALUES_BOTH ? 2 : 1;
    plan->threads = setup->environment->threads;
    bool there[PARAMETERS];
    present(model, there);
    for (int i = 0, next = 0; i < PARAMETERS; i++)
        plan->p[i] = there[i] ? &setup->parameter[next++] : NULL;
    bool memory = allocate(plan, setup->B * setup->T, setup->gradient);
    struct status status = memory ? solver_open(&problem, setup, &plan->solver) : status_no_memory();
    if (status.code != STATUS_OK) {
        delta_layer_destroy(plan);
        return status;
    }
    plan->inputs = (struct inputs){.q = plan->array[QUERY],
                                   .k = plan->array[KEY],
                                   .v = plan->array[VALUE],
                                   .beta = plan->array[BETA],
                                   .g = plan->array[FORGET]};
    *out = plan;
    return status_ok();
}
