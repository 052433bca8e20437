/* See selective_cases.h. */
#include "tests/support/selective_cases.h"

#include "bench/base/random.h"
#include "tests/support/pairs.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct {
    int64_t B, T, d, N;
    bool initial;
} shapes[] = {{1, 1, 1, 1, false}, {3, 7, 5, 3, true}, {2, 33, 17, 4, false}, {2, 19, 32, 16, true}, {5, 2, 33, 9, true}};

static const struct {
    enum mixer mixer;
    int r;
    double s;
    enum feedback feedback;
} mixers[] = {
    {MIXER_NONE, 0, 0, FEEDBACK_NONE},
    {MIXER_DPLR, 1, 1, FEEDBACK_NONE},
    {MIXER_DPLR, 3, 0.5, FEEDBACK_NONE},
    {MIXER_DPLR, 1, 2, FEEDBACK_RAW},
    {MIXER_DPLR, 2, 0.6, FEEDBACK_RAW},
    {MIXER_HOUSEHOLDER, 1, 1, FEEDBACK_NONE},
    {MIXER_HOUSEHOLDER, 1, 2, FEEDBACK_NONE},
    {MIXER_HOUSEHOLDER, 4, 1, FEEDBACK_NONE},
    {MIXER_HOUSEHOLDER, 1, 1, FEEDBACK_RAW},
    {MIXER_HOUSEHOLDER, 2, 1, FEEDBACK_RAW},
    {MIXER_HOUSEHOLDER, 4, 2, FEEDBACK_RAW},
    {MIXER_KRONECKER, 0, 1, FEEDBACK_NONE},
    {MIXER_KRONECKER, 0, 0.7, FEEDBACK_RAW},
    {MIXER_DENSE, 0, 0, FEEDBACK_NONE},
    {MIXER_DENSE, 0, 0, FEEDBACK_RAW},
    {MIXER_KRONECKER_ROWS, 0, 0.5, FEEDBACK_NONE},
    {MIXER_KRONECKER_ROWS, 0, 0.4, FEEDBACK_RAW},
};

enum { THREADS = 3 };
enum choice { CHOICE_READS, CHOICE_NORM, CHOICE_GATE, CHOICE_SHAPE, CHOICE_MIXER, CHOICE_THREADS, CHOICES };

/* The rows are made once. A product has no choice of threads: they go round; nor one of shapes, which would be too many rows. */
static const struct rows *list(void)
{
    static const struct factors factors = {CHOICES, {READS_COUNT, NORM_COUNT, GATE_COUNT, LENGTH(shapes), LENGTH(mixers), THREADS}},
                                product = {4, {READS_COUNT, NORM_COUNT, GATE_COUNT, LENGTH(mixers)}};
    static struct rows rows;
    if (rows.n > 0)
        return &rows;
    if (!pairs_full()) {
        pairs_cover(&factors, &rows);
        return &rows;
    }
    pairs_product(&product, &rows);
    for (int i = 0; i < rows.n; i++) {
        rows.value[i][CHOICE_MIXER] = rows.value[i][CHOICE_SHAPE];
        rows.value[i][CHOICE_SHAPE] = (i + i / LENGTH(mixers)) % LENGTH(shapes);
        rows.value[i][CHOICE_THREADS] = i % THREADS;
    }
    return &rows;
}

int selective_cases_count(void)
{
    return list()->n;
}

static void name(struct test_case *test)
{
    char text[160];
    problem_print(&test->problem, sizeof text, text);
    snprintf(test->name, sizeof test->name, "%s%s", text, test->initial ? " H0 y0" : "");
}

struct test_case selective_cases_get(int index)
{
    const int *row = list()->value[index], shape = row[CHOICE_SHAPE], mixer = row[CHOICE_MIXER];
    struct test_case test = {.problem = {.cell = CELL_SELECTIVE,
                                         .B = shapes[shape].B,
                                         .T = shapes[shape].T,
                                         .d = shapes[shape].d,
                                         .N = shapes[shape].N,
                                         .mixer = mixers[mixer].mixer,
                                         .r = mixers[mixer].r,
                                         .s = mixers[mixer].s,
                                         .feedback = mixers[mixer].feedback,
                                         .reads = (enum reads)row[CHOICE_READS],
                                         .norm = (enum norm)row[CHOICE_NORM],
                                         .gate = (enum gate)row[CHOICE_GATE],
                                         .dtype = DTYPE_FLOAT64},
                             .initial = shapes[shape].initial,
                             .threads = 1 + row[CHOICE_THREADS],
                             .index = index};
    name(&test);
    return test;
}

struct test_case selective_cases_small(int index)
{
    struct test_case test = selective_cases_get(index);
    double u[4];
    for (int k = 0; k < 4; k++)
        u[k] = random_uniform(73, (uint32_t)k, (uint64_t)index);
    test.problem.B = 1 + (int64_t)(2 * u[0]);
    test.problem.T = 1 + (int64_t)(6 * u[1]);
    test.problem.d = 2 + (int64_t)(6 * u[2]);
    test.problem.N = 1 + (int64_t)(4 * u[3]);
    test.initial = index % 2;
    name(&test);
    return test;
}

/* What each tensor's elements are made of: mean + spread * a normal number; weights: spread over the root of what they sum over. */
static const struct {
    double mean, spread;
    bool weight, positive; /* positive: the exponential of it */
} draws[TENSORS_MAX] = {
    [TENSOR_X] = {0, 0.6, false, false},      [TENSOR_DT] = {-2, 0.8, false, true},   [TENSOR_A] = {0.5, 0.7, false, true},
    [TENSOR_B] = {0, 0.7, false, false},      [TENSOR_C] = {0, 0.7, false, false},    [TENSOR_SKIP] = {0.6, 0.3, false, false},
    [TENSOR_GAIN] = {0.8, 0.2, false, false}, [TENSOR_BIAS] = {0, 0.3, false, false}, [TENSOR_THETA] = {0, 1, false, false},
    [TENSOR_W] = {0, 0.3, true, false},       [TENSOR_W_B] = {0, 0.4, true, false},   [TENSOR_W_C] = {0, 0.4, true, false},
    [TENSOR_W_DT] = {0, 0.4, true, false},    [TENSOR_Z] = {0.5, 1, false, false},    [TENSOR_MATRIX0] = {0, 0.5, false, false},
    [TENSOR_Y0] = {0, 0.7, false, false},
};

struct tensors selective_tensors(const struct test_case *test, uint64_t seed)
{
    const struct problem *p = &test->problem;
    struct tensors tensors = {.problem = *p};
    int64_t d = p->d;
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++) {
        int64_t n = tensor_elements(p, id);
        if (n == 0 || (tensor_row(p, id)->initial && !test->initial))
            continue;
        double *to = malloc((size_t)n * sizeof *to);
        ck_assert_ptr_nonnull(to);
        tensors.owned[id] = to;
        tensors.inputs.tensor[id] = to;
        for (int64_t k = 0; k < n; k++) {
            double x = random_normal(seed, (uint32_t)id, (uint64_t)k);
            bool read = id == TENSOR_DT && (p->reads == READS_DT || p->reads == READS_DT_BC); /* before its softplus */
            to[k] = draws[id].mean + draws[id].spread * x / (draws[id].weight ? sqrt((double)d) : 1);
            to[k] = draws[id].positive && !read ? exp(to[k]) : to[k];
            if (id == TENSOR_THETA && p->mixer == MIXER_DENSE)
                to[k] = (double)(k % (d * d) / d == k % d) + 0.4 * x / sqrt((double)d);
            else if (id == TENSOR_W && p->mixer == MIXER_DENSE)
                to[k] *= 0.1; /* Q = theta itself soon grows chaotic */
        }
    }
    return tensors;
}
