/* The map of the selective cell has two writings, the textbook's and one in complex numbers (tests/support/complex_selective.h), which
 * share nothing: they agree on random problems of every kind. A mistake in one of them, a sign, say, would show. */
#include "tests/support/complex_selective.h"
#include "tests/support/gradient_cases.h"
#include "tests/support/selective_cases.h"
#include "tests/support/room.h"

#include "bench/problems/textbook.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

/* The textbook's third iterate. */
static void third(const struct tensors *tensors, double *y)
{
    reference_iterate(tensors, 3, y);
}

START_TEST(both_writings_agree)
{
    struct test_case test = selective_cases_get(_i);
    struct tensors tensors = selective_tensors(&test, 91);
    int64_t n = test.problem.B * test.problem.T * test.problem.d;
    double *y = doubles(n), *zero = doubles(n), *found = doubles(n);
    third(&tensors, y);
    gradient_states(&tensors, 3, zero, found);
    ck_assert_msg(distance_max(found, y, n) < 1e-11, "%s: off by %g", test.name, distance_max(found, y, n));
    free(y), free(zero), free(found);
    tensors_free(&tensors);
}
END_TEST

/* Derivatives by complex steps are those by differences of the textbook. */
START_TEST(steps_are_differences)
{
    struct test_case test = selective_cases_small(_i);
    struct tensors tensors = selective_tensors(&test, 92);
    const struct problem *p = &test.problem;
    struct loss loss = loss_draw(p, 93);
    int64_t n = p->B * p->T * p->d;
    double *y = doubles(n), *zero = doubles(n);
    struct gradient_values expected;
    for (int64_t i = 0; i < final_elements(p); i++)
        loss.final[i] = 0; /* the textbook gives no final state */
    gradient_expect_steps(&tensors, &loss, 3, zero, &expected);
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++) {
        double *x = tensors.owned[id], most = 0, size = 0;
        for (int64_t k = 0; x != NULL && k < tensor_elements(p, id); k++) {
            double kept = x[k], step = 1e-5 * fmax(fabs(kept), 0.1), sum = 0;
            for (int side = -1; side <= 1; side += 2) {
                x[k] = kept + side * step;
                third(&tensors, y);
                for (int64_t i = 0; i < n; i++)
                    sum += side * y[i] * loss.h[i] / (2 * step);
            }
            x[k] = kept;
            most = fmax(most, fabs(sum - expected.of[id][k]));
            size = fmax(size, fabs(expected.of[id][k]));
        }
        ck_assert_msg(most <= 1e-6 * fmax(size, 1), "%s: %s off by %g of %g", test.name, tensor_names[id], most, size);
    }
    gradient_values_free(&expected);
    free(y), free(zero);
    loss_free(&loss);
    tensors_free(&tensors);
}
END_TEST

/* The exact answer in complex numbers is a fixed point of the textbook's map, and moves as the limit of its iterates does. */
START_TEST(the_exact_answer_holds)
{
    struct test_case test = selective_cases_small(_i);
    struct tensors tensors = selective_tensors(&test, 94);
    const struct problem *p = &test.problem;
    int64_t n = p->B * p->T * p->d, size = p->T * p->d;
    double *y = doubles(n), *next = doubles(n);
    bool none = !gradient_settles(&tensors);
    ck_assert_msg(!none || p->s == 2 || p->mixer == MIXER_DENSE, "%s: a token does not settle", test.name);
    if (!none)
        gradient_states(&tensors, 0, NULL, y);
    for (int64_t b = 0; b < p->B && !none; b++) {
        struct tensors sequence;
        struct error error;
        ck_assert(tensors_sequence(&tensors, b, &sequence, &error));
        ck_assert(textbook_apply(&sequence.problem, &sequence.inputs, y + b * size, next + b * size));
        tensors_free(&sequence);
        ck_assert_msg(distance_max(next + b * size, y + b * size, size) < 1e-11, "%s: off by %g", test.name,
                      distance_max(next + b * size, y + b * size, size));
    }
    free(y), free(next);
    tensors_free(&tensors);
}
END_TEST

Suite *suite_selective_map(void);

Suite *suite_selective_map(void)
{
    Suite *suite = suite_create("selective_map");
    TCase *tcase = tcase_create("core");
    int n = selective_cases_count();
    tcase_set_timeout(tcase, 0);
    tcase_add_loop_test(tcase, both_writings_agree, 0, n);
    tcase_add_loop_test(tcase, steps_are_differences, 0, n);
    tcase_add_loop_test(tcase, the_exact_answer_holds, 0, n);
    suite_add_tcase(suite, tcase);
    return suite;
}
