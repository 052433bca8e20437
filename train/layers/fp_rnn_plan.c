/* See fp_rnn.h: what is refused, which parameters there are, and what a plan holds. */
#include "train/layers/fp_rnn.h"

#include "impls/contract/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct problem problem_of(const struct model_spec *model, bool mixing, int64_t B, int64_t T)
{
    struct problem problem = {.B = B, .T = T, .d = model->d, .form = model->form, .dtype = model->dtype};
    if (mixing && model->mixer != MIXER_NONE) {
        problem.mixer = model->mixer;
        problem.r = model->r;
        problem.s = model->s;
        problem.feedback = model->feedback;
    }
    return problem;
}

/* Which parameters there are. */
static void present(const struct model_spec *model, const struct problem *problem, bool there[PARAMETERS])
{
    for (int i = 0; i < PARAMETERS; i++)
        there[i] = true;
    there[W_THETA] = there[B_THETA] = problem->mixer != MIXER_NONE;
    there[W_STATE] = problem->feedback != FEEDBACK_NONE;
    there[W_CH] = model->readout == READOUT_STATE;
}

bool fp_rnn_check(const struct sequence_setup *setup, bool mixing, size_t capacity, char *reason)
{
    const struct model_spec *model = setup->model;
    struct problem problem = problem_of(model, mixing, setup->B, setup->T);
    if (mixer_facts[problem.mixer].given) {
        snprintf(reason, capacity, "fp_rnn does not support the mixer %s: it would need d * d parameters a token",
                 mixer_names[problem.mixer]);
        return false;
    }
    if ((int)model->readout < 0 || model->readout >= READOUT_COUNT) {
        snprintf(reason, capacity, "unknown readout %d", (int)model->readout);
        return false;
    }
    return solver_check(&problem, setup, capacity, reason);
}

void fp_rnn_declare(const struct model_spec *model, bool mixing, struct parameters *parameters)
{
    struct problem problem = problem_of(model, mixing, 1, 1);
    int64_t d = model->d, m = problem_m(&problem);
    bool there[PARAMETERS];
    double model_width = 1 / sqrt((double)model->d_model), state_width = 1 / sqrt((double)d);
    struct start from_model = {START_UNIFORM, -model_width, model_width}, from_state = {START_UNIFORM, -state_width, state_width};
    struct start small = {START_NORMAL, 0, 0.1 * state_width}; /* SiLU is nearly linear there: directions of either sign */
    const struct {
        const char *name;
        int64_t rows, columns;
        bool decayed;
        struct start start;
    } rows[PARAMETERS] = {
        [W_IN] = {"W_in", 2 * d, model->d_model, true, from_model},
        [W_B] = {"W_b", d, d, true, from_state},
        [W_L] = {"W_l", d, d, true, from_state},
        [B_L] = {"b_l", d, 0, false, {START_CONSTANT, 0, 0}}, /* lambda near 1/2 */
        [W_C] = {"W_c", d, d, true, from_state},
        [GAIN] = {"gain", d, 0, false, {START_CONSTANT, 1, 1}},
        [W_OUT] = {"W_out", model->d_model, d, true, from_state},
        [W_THETA] = {"W_theta", m, d, true, small},
        [B_THETA] =
            {"b_theta", problem_strengths(&problem), 0, false, {START_CONSTANT, 3, 0}}, /* alpha 0.95: mixing from the start */
        [W_STATE] = {"W", m, d, true, small},
        [W_CH] = {"W_ch", d, d, true, from_state},
    };
    present(model, &problem, there);
    for (int i = 0; i < PARAMETERS; i++)
        if (there[i])
            parameters_add(parameters, rows[i].name, rows[i].rows, rows[i].columns, rows[i].decayed, rows[i].start);
}

void fp_rnn_destroy(struct sequence_plan *plan)
{
    if (plan != NULL) {
        solver_close(&plan->solver);
        for (int i = 0; i < ARRAYS; i++)
            free(plan->array[i]);
        free(plan->theta);
        free(plan->d_theta);
        free(plan->kept);
        free(plan->composed);
    }
    free(plan);
}

/* Divides the memory of the products W W_x, where there are any. */
static bool open_through(bool gradient, struct sequence_plan *plan)
{
    static const int readers[] = {W_B, W_L, W_C, W_THETA};
    enum { READERS = sizeof readers / sizeof readers[0] };
    int64_t D = plan->D, size = 0;
    if (D >= plan->d)
        return true;
    for (int i = 0; i < READERS; i++)
        size += plan->p[readers[i]] != NULL ? plan->p[readers[i]]->size / plan->d * D : 0;
    plan->composed = memory_allocate(gradient ? 2 * size : size, sizeof(real));
    if (plan->composed == NULL)
        return false;
    real *at = plan->composed;
    for (int i = 0; i < READERS; i++) {
        const struct parameter *p = plan->p[readers[i]];
        if (p == NULL)
            continue;
        plan->through[readers[i]] = at;
        plan->d_through[readers[i]] = gradient ? at + size : NULL;
        at += p->size / plan->d * D;
    }
    return true;
}

struct status fp_rnn_plan(const struct sequence_setup *setup, bool mixing, struct sequence_plan **out)
{
    const struct model_spec *model = setup->model;
    struct problem problem = problem_of(model, mixing, setup->B, setup->T);
    int64_t N = setup->B * setup->T, m = problem_m(&problem);
    *out = NULL;
    struct sequence_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return status_no_memory();
    plan->B = setup->B, plan->D = model->d_model, plan->d = model->d, plan->m = m;
    plan->strengths = problem_strengths(&problem);
    plan->threads = setup->environment->threads;
    bool there[PARAMETERS], memory = true;
    present(model, &problem, there);
    for (int i = 0, next = 0; i < PARAMETERS; i++)
        plan->p[i] = there[i] ? &setup->parameter[next++] : NULL;
    for (int i = 0; i < (setup->gradient ? ARRAYS : FIRST_GRADIENT); i++) {
        plan->array[i] = memory_allocate(N * model->d, sizeof(real));
        memory &= plan->array[i] != NULL;
    }
    plan->kept = memory_allocate(N * 2, sizeof(real));
    plan->theta = memory_allocate(N * m, sizeof(real));
    plan->d_theta = memory_allocate(setup->gradient ? N * m : 0, sizeof(real));
    memory &= open_through(setup->gradient, plan);
    memory &= plan->kept != NULL && plan->theta != NULL && plan->d_theta != NULL;
    struct status status = memory ? solver_open(&problem, setup, &plan->solver) : status_no_memory();
    if (status.code != STATUS_OK) {
        fp_rnn_destroy(plan);
        return status;
    }
    plan->inputs = (struct inputs){.v = plan->array[V],
                                   .lambda = plan->array[LAMBDA],
                                   .theta = m > 0 ? plan->theta : NULL,
                                   .W = there[W_STATE] ? plan->p[W_STATE]->value : NULL};
    *out = plan;
    return status_ok();
}
