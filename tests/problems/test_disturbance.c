/* How far disturbances move an application of the map: the most of all tokens and draws, wherever it is, and for a token relative to its
 * own size. */
#include "bench/problems/disturbance.h"

#include <check.h>
#include <math.h>

Suite *suite_disturbance(void);

enum { T = 3, D = 2 };

/* What is measured of f(h) on a sequence without a mixer, at h = f(h). */
static void measure(const double v[T * D], double gate, double *equation, double *residual)
{
    double lambda[T * D], h[T * D], next[T * D];
    const struct problem problem = {.B = 1, .T = T, .d = D, .mixer = MIXER_NONE, .dtype = DTYPE_FLOAT64};
    struct tensors sequence = {.problem = problem, .inputs = {.v = v, .lambda = lambda}};
    struct error error;
    for (int i = 0; i < T * D; i++)
        lambda[i] = gate;
    ck_assert(textbook_iterate(&problem, &sequence.inputs, 1, 1, h, NULL) && textbook_apply(&problem, &sequence.inputs, h, next));
    ck_assert_msg(disturbance_of_map(&sequence, DTYPE_FLOAT32, h, next, equation, residual, &error), "%s", error.text);
}

/* Of a token that is far larger than the others, which comes first, in the middle or last. */
START_TEST(the_largest_token_counts)
{
    double v[T * D], equation, residual;
    for (int i = 0; i < T * D; i++)
        v[i] = i / D == _i ? 1 : 1e-6;
    measure(v, 0, &equation, &residual);
    ck_assert_msg(equation >= 1 && equation < 10, "%g", equation);
    ck_assert_msg(residual >= 1 && residual < 10, "%g", residual);
}
END_TEST

/* A token of which a thousandth is left moves a thousand times as far, relative to itself; not relative to all. */
START_TEST(a_token_is_measured_by_itself)
{
    double v[T * D] = {1, 1, 1, 1, 1, 1}, equation, residual;
    for (int c = 0; c < D; c++)
        v[D + c] = -0.5 + 1e-3;
    measure(v, 0.5, &equation, &residual);
    ck_assert_msg(equation < 10, "%g", equation);
    ck_assert_msg(residual > 300 && residual < 10e3, "%g", residual);
}
END_TEST

/* s moves as inputs do, but not beyond what implementations take. */
START_TEST(s_stays_what_a_problem_may_have)
{
    double v[T * D] = {1}, lambda[T * D] = {0}, theta[T * (D + 1)] = {0};
    for (uint64_t seed = 1; seed <= 8; seed++) {
        const struct problem problem = {
            .B = 1, .T = T, .d = D, .mixer = MIXER_DPLR, .r = 1, .s = _i == 0 ? 1 : 4, .dtype = DTYPE_FLOAT64};
        struct tensors sequence = {.problem = problem, .inputs = {.v = v, .lambda = lambda, .theta = theta}}, disturbed;
        struct error error;
        ck_assert_msg(tensors_disturbed(&sequence, 1e-6, seed, &disturbed, &error), "%s", error.text);
        double moved = disturbed.problem.s / problem.s - 1;
        ck_assert_msg(fabs(moved) > 0.99e-6 && fabs(moved) < 1e-5 && disturbed.problem.s <= 4, "seed %d: %g", (int)seed, moved);
        tensors_free(&disturbed);
    }
}
END_TEST

Suite *suite_disturbance(void)
{
    Suite *suite = suite_create("disturbance");
    TCase *tests = tcase_create("disturbance");
    tcase_add_loop_test(tests, the_largest_token_counts, 0, T);
    tcase_add_test(tests, a_token_is_measured_by_itself);
    tcase_add_loop_test(tests, s_stays_what_a_problem_may_have, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
