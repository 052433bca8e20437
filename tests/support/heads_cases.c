/* See heads_cases.h. */
#include "tests/support/heads_cases.h"

#include "tests/support/room.h"

#include "bench/base/random.h"

#include <math.h>
#include <stdio.h>

static const struct {
    int64_t B, T, d, N, heads;
    enum norm norm;
    enum gate gate;
    bool initial;
} cases[] = {
    {1, 1, 1, 1, 1, NORM_NONE, GATE_OUTSIDE, false},     {1, 1, 6, 3, 2, NORM_BOTH, GATE_INSIDE, true},
    {2, 5, 4, 2, 1, NORM_OUTPUT, GATE_INSIDE, false},    {1, 7, 6, 3, 2, NORM_BC, GATE_OUTSIDE, true},
    {2, 4, 4, 3, 4, NORM_NONE, GATE_INSIDE, true},       {1, 9, 6, 2, 3, NORM_BOTH, GATE_INSIDE, true},
    {1, 6, 2, 4, 2, NORM_OUTPUT, GATE_OUTSIDE, true},    {3, 3, 1, 3, 1, NORM_OUTPUT, GATE_INSIDE, true},
    {1, 35, 3, 2, 3, NORM_NONE, GATE_OUTSIDE, true},     {1, 33, 4, 3, 2, NORM_BOTH, GATE_INSIDE, false},
    {2, 70, 2, 1, 1, NORM_OUTPUT, GATE_INSIDE, true},    {3, 87, 2, 2, 2, NORM_BOTH, GATE_INSIDE, true},
    {2, 33, 20, 5, 4, NORM_BOTH, GATE_INSIDE, true},     {3, 17, 36, 4, 2, NORM_OUTPUT, GATE_INSIDE, false},
    {1, 40, 66, 16, 2, NORM_BC, GATE_INSIDE, true},      {5, 5, 33, 9, 3, NORM_NONE, GATE_OUTSIDE, false},
    {1, 70, 64, 32, 1, NORM_OUTPUT, GATE_OUTSIDE, true}, {9, 65, 24, 8, 3, NORM_BOTH, GATE_OUTSIDE, true},
    {2, 131, 40, 7, 5, NORM_OUTPUT, GATE_INSIDE, true},  {1, 64, 130, 24, 2, NORM_NONE, GATE_INSIDE, true},
    {2, 97, 128, 65, 128, NORM_BOTH, GATE_INSIDE, true},
};

int heads_cases_count(void)
{
    return (int)(sizeof cases / sizeof cases[0]);
}

struct test_case heads_cases_get(int index)
{
    struct test_case test = {.problem = {.cell = CELL_SELECTIVE_HEADS,
                                         .B = cases[index].B,
                                         .T = cases[index].T,
                                         .d = cases[index].d,
                                         .N = cases[index].N,
                                         .heads = cases[index].heads,
                                         .norm = cases[index].norm,
                                         .gate = cases[index].gate,
                                         .dtype = DTYPE_FLOAT64},
                             .initial = cases[index].initial,
                             .threads = 1 + index % 3,
                             .index = index};
    char text[160];
    problem_print(&test.problem, sizeof text, text);
    snprintf(test.name, sizeof test.name, "%s%s", text, test.initial ? " H0" : "");
    return test;
}

static double step(enum heads_edge edge, uint64_t seed, int64_t i)
{
    const double drawn = random_uniform(seed, (uint32_t)TENSOR_DT, (uint64_t)i);
    const int which = (int)(8 * random_uniform(seed, (uint32_t)TENSORS_MAX, (uint64_t)i));
    if (edge == HEADS_STILL || (edge == HEADS_SOME && which == 0))
        return 0;
    if (edge == HEADS_SOME && which > 1) /* beside some rates that leave nothing */
        return 1e-3 * drawn;
    return edge == HEADS_TINY ? 1e-9 * drawn : edge == HEADS_HUGE || edge == HEADS_SOME ? 1 + drawn : drawn;
}

static double draw(enum heads_edge edge, enum tensor_id id, uint64_t seed, int64_t i)
{
    if (id == TENSOR_DT)
        return step(edge, seed, i);
    if (id == TENSOR_A)
        return (edge == HEADS_HUGE || edge == HEADS_SOME ? 1000 : 1) * (1 + random_uniform(seed, (uint32_t)id, (uint64_t)i));
    if ((id == TENSOR_B || id == TENSOR_C) && edge == HEADS_EMPTY)
        return 0;
    return random_normal(seed, (uint32_t)id, (uint64_t)i);
}

struct tensors heads_tensors(const struct test_case *test, enum heads_edge edge, uint64_t seed)
{
    const struct problem *p = &test->problem;
    struct tensors tensors = {.problem = *p};
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++) {
        const int64_t n = tensor_elements(p, id);
        if (n == 0 || (tensor_row(p, id)->initial && !test->initial))
            continue;
        double *to = doubles(n);
        tensors.owned[id] = to;
        tensors.inputs.tensor[id] = to;
        for (int64_t i = 0; i < n; i++)
            to[i] = draw(edge, id, seed, i);
    }
    return tensors;
}
