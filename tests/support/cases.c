/* See cases.h. The list is made from shapes x mixers x forms, and edges x the two smallest shapes x mixers x forms; each with some threads. */
#include "tests/support/cases.h"

#include "bench/base/random.h"
#include "tests/support/pairs.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct {
    int64_t B, T, d;
    bool initial;
} shapes[] = {{1, 1, 1, false}, {3, 7, 5, true}, {2, 33, 17, false}, {2, 19, 32, true}, {5, 2, 33, true}};

static const struct {
    enum mixer mixer;
    int r;
    double s;
    enum feedback feedback;
} mixers[] = {
    {MIXER_NONE, 0, 0, FEEDBACK_NONE},
    {MIXER_DPLR, 1, 1, FEEDBACK_NONE},
    {MIXER_DPLR, 2, 2, FEEDBACK_NONE},
    {MIXER_DPLR, 4, 1, FEEDBACK_NONE},
    {MIXER_DPLR, 1, 2, FEEDBACK_RAW},
    {MIXER_DPLR, 2, 1, FEEDBACK_RMS},
    {MIXER_HOUSEHOLDER, 1, 1, FEEDBACK_NONE},
    {MIXER_HOUSEHOLDER, 1, 2, FEEDBACK_NONE},
    {MIXER_HOUSEHOLDER, 2, 1, FEEDBACK_NONE},
    {MIXER_HOUSEHOLDER, 4, 2, FEEDBACK_NONE},
    {MIXER_HOUSEHOLDER, 4, 1, FEEDBACK_RAW},
    {MIXER_HOUSEHOLDER, 1, 1, FEEDBACK_RMS},
    {MIXER_KRONECKER, 0, 1, FEEDBACK_NONE},
    {MIXER_KRONECKER, 0, 2, FEEDBACK_NONE},
    {MIXER_KRONECKER, 0, 1, FEEDBACK_RAW},
    {MIXER_KRONECKER, 0, 1, FEEDBACK_RMS},
    {MIXER_DENSE, 0, 0, FEEDBACK_NONE},
    {MIXER_DENSE, 0, 0, FEEDBACK_RAW},
    {MIXER_KRONECKER_ROWS, 0, 1, FEEDBACK_NONE},
    {MIXER_KRONECKER_ROWS, 0, 2, FEEDBACK_NONE},
    {MIXER_KRONECKER_ROWS, 0, 0.4, FEEDBACK_RAW},
    {MIXER_KRONECKER_ROWS, 0, 0.5, FEEDBACK_RMS},
};

static const char *const edge_names[EDGE_COUNT] = {"",           " lambda=0",    " lambda=1", " strength=+120", " strength=-120",
                                                   " vectors=0", " vectors=tiny"};

/* Every shape without an edge, and the first shapes again with each edge. */
enum { EDGED_SHAPES = 2, THREADS = 3 };
enum choice { CHOICE_EDGE, CHOICE_SHAPE, CHOICE_MIXER, CHOICE_FORM, CHOICE_THREADS, CHOICES };

static struct {
    struct rows plain, edged;
} list;

/* The rows are made once. A product has no choice of threads: they go round. */
static void make(const struct factors *factors, struct rows *rows)
{
    if (rows->n > 0)
        return;
    if (!pairs_full()) {
        pairs_cover(factors, rows);
        return;
    }
    struct factors fewer = *factors;
    fewer.n = CHOICE_THREADS;
    pairs_product(&fewer, rows);
    for (int i = 0; i < rows->n; i++)
        rows->value[i][CHOICE_THREADS] = i % THREADS;
}

int cases_count(void)
{
    static const struct factors plain = {CHOICES, {1, LENGTH(shapes), LENGTH(mixers), FORM_COUNT, THREADS}},
                                edged = {CHOICES, {EDGE_COUNT - 1, EDGED_SHAPES, LENGTH(mixers), FORM_COUNT, THREADS}};
    make(&plain, &list.plain);
    make(&edged, &list.edged);
    return list.plain.n + list.edged.n;
}

struct test_case cases_get(int index)
{
    cases_count();
    bool edged = index >= list.plain.n;
    const int *row = edged ? list.edged.value[index - list.plain.n] : list.plain.value[index];
    int shape = row[CHOICE_SHAPE], mixer = row[CHOICE_MIXER];
    int place = edged ? LENGTH(shapes) + row[CHOICE_EDGE] * EDGED_SHAPES + shape : shape;
    struct test_case test = {.problem = {.B = shapes[shape].B,
                                         .T = shapes[shape].T,
                                         .d = shapes[shape].d,
                                         .mixer = mixers[mixer].mixer,
                                         .r = mixers[mixer].r,
                                         .s = mixers[mixer].s,
                                         .form = (enum form)row[CHOICE_FORM],
                                         .feedback = mixers[mixer].feedback,
                                         .dtype = DTYPE_FLOAT64},
                             .edge = edged ? (enum edge)(EDGE_NONE + 1 + row[CHOICE_EDGE]) : EDGE_NONE,
                             .initial = shapes[shape].initial,
                             .threads = 1 + row[CHOICE_THREADS],
                             .index = (place * LENGTH(mixers) + mixer) * FORM_COUNT + row[CHOICE_FORM]};
    char text[128];
    problem_print(&test.problem, sizeof text, text);
    snprintf(test.name, sizeof test.name, "%s%s%s", text, test.initial ? " h0" : "", edge_names[test.edge]);
    return test;
}

void strengths(const struct problem *p, int64_t *from, int64_t *to)
{
    *to = problem_m(p);
    *from = *to - problem_strengths(p);
}

void tensor_sizes(const struct problem *p, int64_t sizes[TENSORS_MAX])
{
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++)
        sizes[id] = tensor_elements(p, id);
}

static void connect(struct tensors *tensors)
{
    for (int i = 0; i < TENSORS_MAX; i++)
        tensors->inputs.tensor[i] = tensors->owned[i];
}

/* Room for the same tensors in some dtype. */
static struct tensors room_for(const struct problem *p, enum dtype dtype, bool initial)
{
    struct tensors tensors = {.problem = *p};
    int64_t sizes[TENSORS_MAX];
    tensors.problem.dtype = dtype;
    tensor_sizes(p, sizes);
    for (int i = 0; i < TENSORS_MAX; i++)
        if (sizes[i] > 0 && (initial || !tensor_row(p, (enum tensor_id)i)->initial)) {
            tensors.owned[i] = malloc((size_t)sizes[i] * dtype_size(dtype));
            ck_assert_ptr_nonnull(tensors.owned[i]);
        }
    connect(&tensors);
    return tensors;
}

static void apply_edge(const struct test_case *test, struct tensors *tensors)
{
    const struct problem *p = &test->problem;
    int64_t m = problem_m(p), tokens = p->B * p->T, from, to;
    double *lambda = tensors->owned[1], *theta = tensors->owned[2];
    strengths(p, &from, &to);
    for (int64_t i = 0; i < tokens * p->d; i++)
        if (test->edge == EDGE_LAMBDA_ZERO || test->edge == EDGE_LAMBDA_ONE)
            lambda[i] = test->edge == EDGE_LAMBDA_ONE;
    for (int64_t i = 0; i < tokens * m && p->mixer != MIXER_DENSE; i++) {
        bool strength = i % m >= from && i % m < to;
        if (strength && (test->edge == EDGE_STRENGTH_HIGH || test->edge == EDGE_STRENGTH_LOW))
            theta[i] = test->edge == EDGE_STRENGTH_HIGH ? 120 : -120;
        if (!strength && (test->edge == EDGE_VECTORS_ZERO || test->edge == EDGE_VECTORS_TINY))
            theta[i] *= test->edge == EDGE_VECTORS_TINY ? 1e-4 : 0;
    }
}

struct tensors case_tensors(const struct test_case *test, uint64_t seed)
{
    const struct problem *p = &test->problem;
    struct tensors tensors = room_for(p, DTYPE_FLOAT64, test->initial);
    int64_t sizes[TENSORS_MAX], d = p->d;
    tensor_sizes(p, sizes);
    for (int i = 0; i < TENSORS_MAX; i++) {
        double *to = tensors.owned[i];
        for (int64_t k = 0; to != NULL && k < sizes[i]; k++) {
            double x = random_normal(seed, (uint32_t)i, (uint64_t)k);
            if (i == 1)
                x = 0.95 * random_uniform(seed, (uint32_t)i, (uint64_t)k);
            else if (i == 3)
                x *= (p->mixer == MIXER_DENSE ? 0.03 : 0.3) / sqrt((double)d); /* Q = theta itself soon grows chaotic */
            else if (i == 2 && p->mixer == MIXER_DENSE)
                x = (double)(k % (d * d) / d == k % d) + 0.4 * x / sqrt((double)d);
            to[k] = x;
        }
    }
    apply_edge(test, &tensors);
    return tensors;
}

struct tensors tensors_as(const struct tensors *tensors, enum dtype dtype)
{
    struct tensors other = room_for(&tensors->problem, dtype, tensors->owned[cell_facts[tensors->problem.cell].initial] != NULL);
    int64_t sizes[TENSORS_MAX];
    tensor_sizes(&tensors->problem, sizes);
    for (int i = 0; i < TENSORS_MAX; i++)
        for (int64_t k = 0; other.owned[i] != NULL && k < sizes[i]; k++) {
            double x = tensors->problem.dtype == DTYPE_FLOAT32 ? (double)((float *)tensors->owned[i])[k]
                                                               : ((double *)tensors->owned[i])[k];
            if (dtype == DTYPE_FLOAT32)
                ((float *)other.owned[i])[k] = (float)x;
            else
                ((double *)other.owned[i])[k] = x;
        }
    return other;
}
