/* See delta_cases.h. */
#include "tests/support/delta_cases.h"

#include "tests/support/room.h"

#include "bench/base/random.h"

#include <math.h>
#include <stdio.h>

static const struct {
    int64_t B, T, d, N, heads, r;
    enum forget forget;
    bool initial;
} cases[] = {
    {1, 1, 1, 1, 1, 1, FORGET_NONE, false},     {1, 1, 6, 3, 2, 2, FORGET_HEAD, true},    {2, 5, 4, 2, 1, 1, FORGET_HEAD, false},
    {1, 7, 6, 3, 2, 1, FORGET_NONE, true},      {2, 4, 4, 3, 2, 2, FORGET_NONE, false},   {1, 9, 6, 2, 3, 2, FORGET_HEAD, true},
    {1, 6, 4, 4, 1, 3, FORGET_HEAD, false},     {2, 3, 2, 3, 2, 3, FORGET_NONE, true},    {1, 5, 4, 2, 2, 4, FORGET_HEAD, true},
    {1, 10, 3, 3, 1, 4, FORGET_NONE, false},    {1, 5, 66, 24, 2, 2, FORGET_HEAD, true},  {2, 33, 20, 5, 4, 2, FORGET_NONE, true},
    {3, 17, 36, 4, 2, 3, FORGET_HEAD, false},   {1, 40, 66, 16, 2, 4, FORGET_HEAD, true}, {5, 5, 33, 9, 3, 2, FORGET_NONE, false},
    {1, 70, 64, 32, 1, 1, FORGET_HEAD, true},   {2, 1, 24, 8, 3, 4, FORGET_HEAD, true},   {2, 131, 40, 7, 2, 1, FORGET_HEAD, true},
    {1, 64, 130, 24, 2, 2, FORGET_HEAD, false},
};

int delta_cases_count(void)
{
    return (int)(sizeof cases / sizeof cases[0]);
}

struct test_case delta_cases_get(int index)
{
    struct test_case test = {.problem = {.cell = CELL_DELTA,
                                         .B = cases[index].B,
                                         .T = cases[index].T,
                                         .d = cases[index].d,
                                         .N = cases[index].N,
                                         .heads = cases[index].heads,
                                         .r = cases[index].r,
                                         .forget = cases[index].forget,
                                         .dtype = DTYPE_FLOAT64},
                             .initial = cases[index].initial,
                             .threads = 1 + index % 3,
                             .index = index};
    char text[160];
    problem_print(&test.problem, sizeof text, text);
    snprintf(test.name, sizeof test.name, "%s%s", text, test.initial ? " H0" : "");
    return test;
}

struct delta_edge delta_edge(int index)
{
    static const double betas[] = {NAN, 0, 1, 2}, gates[] = {NAN, 0, -30, -INFINITY};
    return (struct delta_edge){.beta = betas[index % 4], .g = gates[index / 4]};
}

static double draw(const struct delta_edge *edge, enum tensor_id id, uint64_t seed, int64_t i)
{
    double x = random_normal(seed, (uint32_t)id, (uint64_t)i);
    if (id == TENSOR_BETA)
        return isnan(edge->beta) ? 2 * random_uniform(seed, (uint32_t)id, (uint64_t)i) : edge->beta;
    if (id == TENSOR_G && isinf(edge->g)) {
        const double mixed[] = {0, -30, -2 * random_uniform(seed, (uint32_t)id, (uint64_t)i)};
        return mixed[(int)(3 * random_uniform(seed + 1, (uint32_t)id, (uint64_t)i))];
    }
    if (id == TENSOR_G)
        return isnan(edge->g) ? -2 * random_uniform(seed, (uint32_t)id, (uint64_t)i) : edge->g;
    return x;
}

struct tensors delta_tensors(const struct test_case *test, struct delta_edge edge, uint64_t seed)
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
            to[i] = draw(&edge, id, seed, i);
        for (int64_t i = 0; i < n && id == TENSOR_K; i += p->N) {
            double squares = 0;
            for (int64_t k = i; k < i + p->N; k++)
                squares += to[k] * to[k];
            for (int64_t k = i; k < i + p->N; k++)
                to[k] /= sqrt(squares);
        }
    }
    return tensors;
}
