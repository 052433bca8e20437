/* The cells: a row for each. What tensors a problem has, in which shape, and what gives them a use is said here and nowhere else. */
#include "impls/contract/support.h"

#include <string.h>

const char *const cell_names[CELL_COUNT] = {"vector", "selective", "delta", "selective_heads"};
#define TENSOR_NAME(NAME, name) #name,
const char *const tensor_names[TENSORS_MAX] = {TENSORS(TENSOR_NAME)};

static bool mixes(const struct problem *p)
{
    return problem_m(p) > 0;
}

static bool mixer_reads(const struct problem *p)
{
    return p->feedback != FEEDBACK_NONE;
}

static bool step_reads(const struct problem *p)
{
    return p->reads == READS_DT || p->reads == READS_DT_BC;
}

static bool vectors_read(const struct problem *p)
{
    return p->reads == READS_BC || p->reads == READS_DT_BC;
}

static bool normalises(const struct problem *p)
{
    return p->norm == NORM_OUTPUT || p->norm == NORM_BOTH;
}

static bool gated_inside(const struct problem *p)
{
    return p->gate == GATE_INSIDE;
}

static bool forgets(const struct problem *p)
{
    return p->forget == FORGET_HEAD;
}

#define MIXER_NEEDED "a mixer"
#define FEEDBACK_NEEDED "feedback: raw or rms"
#define BC_NEEDED "reads: bc or dt+bc"
#define NORM_NEEDED "norm: output or both"

// clang-format off
const struct cell_facts cell_facts[CELL_COUNT] = {
    [CELL_VECTOR] = {
        .tensors = {
            {TENSOR_V,      "BTd", NULL,        NULL,            false, true},
            {TENSOR_LAMBDA, "BTd", NULL,        NULL,            false, false},
            {TENSOR_THETA,  "BTm", mixes,       MIXER_NEEDED,    false, false},
            {TENSOR_W,      "md",  mixer_reads, FEEDBACK_NEEDED, false, true},
            {TENSOR_H0,     "Bd",  NULL,        NULL,            true,  true},
        },
        .n = 5,
        .final = "Bd",
        .output = "h",
        .driven = TENSOR_V,
        .initial = TENSOR_H0,
        .mixers = MIXERS_ANY,
        .feedbacks = (1 << FEEDBACK_COUNT) - 1,
        .reads = 1 << READS_NONE,
        .has_form = true,
    },
    [CELL_SELECTIVE] = {
        .tensors = {
            {TENSOR_X,       "BTd", NULL,         NULL,                false, true},
            {TENSOR_DT,      "BTd", NULL,         NULL,                false, false},
            {TENSOR_A,       "dN",  NULL,         NULL,                false, false},
            {TENSOR_B,       "BTN", NULL,         NULL,                false, false},
            {TENSOR_C,       "BTN", NULL,         NULL,                false, false},
            {TENSOR_SKIP,    "d",   NULL,         NULL,                false, false},
            {TENSOR_GAIN,    "d",   normalises,   NORM_NEEDED,         false, false},
            {TENSOR_BIAS,    "d",   normalises,   NORM_NEEDED,         false, true},
            {TENSOR_THETA,   "BTm", mixes,        MIXER_NEEDED,        false, false},
            {TENSOR_W,       "md",  mixer_reads,  "feedback: raw",     false, true},
            {TENSOR_W_B,     "Nd",  vectors_read, BC_NEEDED,           false, true},
            {TENSOR_W_C,     "Nd",  vectors_read, BC_NEEDED,           false, true},
            {TENSOR_W_DT,    "dd",  step_reads,   "reads: dt or dt+bc", false, true},
            {TENSOR_Z,       "BTd", gated_inside, "gate: inside",      false, false},
            {TENSOR_MATRIX0, "BdN", NULL,         NULL,                true,  true},
            {TENSOR_Y0,      "Bd",  NULL,         NULL,                true,  true},
        },
        .n = 16,
        .final = "BdN",
        .output = "y",
        .driven = TENSOR_X,
        .initial = TENSOR_Y0,
        .mixers = MIXERS_ANY,
        .feedbacks = 1 << FEEDBACK_NONE | 1 << FEEDBACK_RAW,
        .has_N = true,
        .has_norm = true,
        .reads = (1 << READS_COUNT) - 1,
    },
    [CELL_DELTA] = {
        .tensors = {
            {TENSOR_Q,       "BThN",  NULL,    NULL,           false, false},
            {TENSOR_K,       "BTrhN", NULL,    NULL,           false, false},
            {TENSOR_V,       "BTrd",  NULL,    NULL,           false, true},
            {TENSOR_BETA,    "BTrh",  NULL,    NULL,           false, false},
            {TENSOR_G,       "BTh",   forgets, "forget: head", false, false},
            {TENSOR_MATRIX0, "BdN",   NULL,    NULL,           true,  true},
        },
        .n = 6,
        .final = "BdN",
        .output = "y",
        .driven = TENSOR_V,
        .initial = TENSOR_MATRIX0,
        .mixers = MIXERS_NONE,
        .feedbacks = 1 << FEEDBACK_NONE,
        .has_N = true,
        .has_heads = true,
        .has_steps = true,
        .reads = 1 << READS_NONE,
    },
    [CELL_SELECTIVE_HEADS] = {
        .tensors = {
            {TENSOR_X,       "BTd", NULL,         NULL,           false, true},
            {TENSOR_DT,      "BTh", NULL,         NULL,           false, false},
            {TENSOR_A,       "h",   NULL,         NULL,           false, false},
            {TENSOR_B,       "BTN", NULL,         NULL,           false, false},
            {TENSOR_C,       "BTN", NULL,         NULL,           false, false},
            {TENSOR_SKIP,    "h",   NULL,         NULL,           false, false},
            {TENSOR_GAIN,    "d",   normalises,   NORM_NEEDED,    false, false},
            {TENSOR_Z,       "BTd", gated_inside, "gate: inside", false, false},
            {TENSOR_MATRIX0, "BdN", NULL,         NULL,           true,  true},
        },
        .n = 9,
        .final = "BdN",
        .output = "y",
        .driven = TENSOR_X,
        .initial = TENSOR_MATRIX0,
        .mixers = MIXERS_NONE,
        .feedbacks = 1 << FEEDBACK_NONE,
        .has_N = true,
        .has_norm = true,
        .has_heads = true,
        .reads = 1 << READS_NONE,
    },
};
// clang-format on

const struct tensor_row *tensor_row(const struct problem *p, enum tensor_id id)
{
    const struct cell_facts *cell = &cell_facts[p->cell];
    for (int i = 0; i < cell->n; i++)
        if (cell->tensors[i].id == id)
            return &cell->tensors[i];
    return NULL;
}

/* What a letter of a shape stands for. */
static int64_t dimension(const struct problem *p, char letter)
{
    switch (letter) {
    case 'B':
        return p->B;
    case 'T':
        return p->T;
    case 'd':
        return p->d;
    case 'N':
        return p->N;
    case 'r':
        return p->r;
    case 'h':
        return p->heads;
    default:
        return problem_m(p);
    }
}

int tensor_shape(const struct problem *p, enum tensor_id id, int64_t shape[TENSOR_DIMENSIONS])
{
    const struct tensor_row *row = tensor_row(p, id);
    int rank = row != NULL ? (int)strlen(row->shape) : 0;
    for (int i = 0; i < TENSOR_DIMENSIONS; i++)
        shape[i] = i < rank ? dimension(p, row->shape[i]) : 1;
    return rank;
}

int64_t tensor_elements(const struct problem *p, enum tensor_id id)
{
    const struct tensor_row *row = tensor_row(p, id);
    int64_t shape[TENSOR_DIMENSIONS], elements = 1;
    if (row == NULL || (row->has != NULL && !row->has(p)))
        return 0;
    tensor_shape(p, id, shape);
    for (int i = 0; i < TENSOR_DIMENSIONS; i++)
        elements *= shape[i];
    return elements;
}

bool tensor_of_batch(const struct problem *p, enum tensor_id id)
{
    const struct tensor_row *row = tensor_row(p, id);
    return row != NULL && row->shape[0] == 'B';
}

int64_t tensor_of_sequence(const struct problem *p, enum tensor_id id)
{
    return tensor_of_batch(p, id) ? tensor_elements(p, id) / p->B : tensor_elements(p, id);
}

int64_t final_elements(const struct problem *p)
{
    int64_t elements = 1;
    for (const char *letter = cell_facts[p->cell].final; *letter != '\0'; letter++)
        elements *= dimension(p, *letter);
    return elements;
}

bool final_is_output(const struct problem *p)
{
    return strcmp(cell_facts[p->cell].final, "Bd") == 0;
}
