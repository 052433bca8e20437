/* See gradient_cases.h. */
#include "tests/support/gradient_cases.h"

#include "bench/base/random.h"
#include "tests/support/pairs.h"

#include <check.h>
#include <stdio.h>

static const struct {
    enum mixer mixer;
    int r;
    double s;
    enum feedback feedback;
} rows[] = {
    {MIXER_NONE, 0, 0, FEEDBACK_NONE},
    {MIXER_DPLR, 1, 1, FEEDBACK_NONE},
    {MIXER_DPLR, 3, 0.6, FEEDBACK_NONE},
    {MIXER_DPLR, 1, 1, FEEDBACK_RAW},
    {MIXER_DPLR, 2, 0.8, FEEDBACK_RMS},
    {MIXER_HOUSEHOLDER, 1, 1, FEEDBACK_NONE},
    {MIXER_HOUSEHOLDER, 4, 1, FEEDBACK_NONE},
    {MIXER_HOUSEHOLDER, 2, 1, FEEDBACK_RAW},
    {MIXER_HOUSEHOLDER, 1, 1, FEEDBACK_RMS},
    {MIXER_HOUSEHOLDER, 3, 1, FEEDBACK_RMS},
    {MIXER_KRONECKER, 0, 1, FEEDBACK_NONE},
    {MIXER_KRONECKER, 0, 0.9, FEEDBACK_RAW},
    {MIXER_KRONECKER, 0, 0.8, FEEDBACK_RMS},
    {MIXER_DENSE, 0, 0, FEEDBACK_NONE},
    {MIXER_DENSE, 0, 0, FEEDBACK_RAW},
    {MIXER_KRONECKER_ROWS, 0, 0.5, FEEDBACK_NONE},
    {MIXER_KRONECKER_ROWS, 0, 0.4, FEEDBACK_RAW},
    {MIXER_KRONECKER_ROWS, 0, 0.4, FEEDBACK_RMS},
};
/* The shape of a case is drawn by its index. Rows that were added later come after all cases of the first ones, which thus stay what they
 * are. */
enum { FIRST = 15 };

_Static_assert(GRADIENT_ROWS == sizeof rows / sizeof rows[0], "gradient_cases.h says how many there are");

enum { CHOICE_INITIAL, CHOICE_FORM, CHOICE_ROW, CHOICES };

/* The rows are made once. */
static const struct rows *list(void)
{
    static const struct factors factors = {CHOICES, {2, FORM_COUNT, GRADIENT_ROWS}};
    static struct rows cases;
    if (cases.n == 0)
        (pairs_full() ? pairs_product : pairs_cover)(&factors, &cases);
    return &cases;
}

int gradient_cases(void)
{
    return list()->n;
}

struct test_case gradient_case(int i)
{
    const int *row = list()->value[i];
    int way = row[CHOICE_INITIAL] * FORM_COUNT + row[CHOICE_FORM], beyond = row[CHOICE_ROW] - FIRST;
    return gradient_case_of(beyond < 0 ? way * FIRST + row[CHOICE_ROW]
                                       : FIRST * GRADIENT_WAYS + way * (GRADIENT_ROWS - FIRST) + beyond);
}

int gradient_case_row(int i)
{
    int beyond = i - FIRST * GRADIENT_WAYS;
    return beyond < 0 ? i % FIRST : FIRST + beyond % (GRADIENT_ROWS - FIRST);
}

int gradient_case_way(int i)
{
    int beyond = i - FIRST * GRADIENT_WAYS;
    return beyond < 0 ? i / FIRST : beyond / (GRADIENT_ROWS - FIRST);
}

struct test_case gradient_case_of(int i)
{
    int row = gradient_case_row(i), way = gradient_case_way(i);
    double u[3];
    for (int k = 0; k < 3; k++)
        u[k] = random_uniform(71, (uint32_t)k, (uint64_t)i);
    return (struct test_case){.name = "gradient",
                              .index = i,
                              .initial = way / FORM_COUNT,
                              .problem = {.B = 1 + (int64_t)(3 * u[0]),
                                          .T = 1 + (int64_t)(6 * u[1]),
                                          .d = 2 + (int64_t)(6 * u[2]),
                                          .mixer = rows[row].mixer,
                                          .r = rows[row].r,
                                          .s = rows[row].s,
                                          .form = (enum form)(way % FORM_COUNT),
                                          .feedback = rows[row].feedback,
                                          .dtype = DTYPE_FLOAT64}};
}

struct settings gradient_settings(enum gradient gradient, int64_t steps)
{
    struct settings settings = fixed_l(steps > 0 ? 4 : 20000);
    settings.gradient = gradient;
    settings.gradient_steps = steps;
    settings.tolerance = gradient == GRADIENT_EXACT ? 1e-13 : 0;
    return settings;
}

bool gradient_supported(const struct implementation *one, const struct problem *p, const struct settings *settings)
{
    const struct environment environment = {.threads = 3};
    struct support support;
    one->supports(p, settings, &environment, &support);
    return support.yes;
}

void gradient_assert_near(const struct implementation *one, const struct tensors *tensors, const struct gradient_values *values,
                          const struct gradient_values *expected, double tolerance, const char *what)
{
    char text[128];
    int which;
    double distance = gradient_distance(&tensors->problem, values, expected, &which);
    problem_print(&tensors->problem, sizeof text, text);
    ck_assert_msg(distance <= tolerance, "%s, %s%s: %s: gradient of %s off by %g", one->name, text,
                  tensors->inputs.h0 != NULL ? " h0" : "", what, tensor_names[which], distance);
}
