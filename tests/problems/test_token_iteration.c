/* The sequential mode of the selective cell by the textbook: against the same answer in complex numbers, and what it says of answers that
 * follow another fixed point, or none. */
#include "bench/problems/exact.h"
#include "bench/problems/spectrum.h"
#include "bench/problems/textbook.h"
#include "bench/problems/token_iteration.h"
#include "tests/support/gradients.h"
#include "tests/support/selective_cases.h"
#include "tests/support/room.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One sequence in float64 of a case whose sequences are few. */
static struct tensors sequence_of(struct test_case test, uint64_t seed)
{
    test.problem.B = 1;
    return selective_tensors(&test, seed);
}

START_TEST(both_writings_have_one_answer)
{
    struct test_case test = selective_cases_get(_i);
    struct tensors tensors = sequence_of(test, 95);
    const struct problem *p = &tensors.problem;
    int64_t n = p->T * p->d;
    double *y = doubles(n), *expected = doubles(n), *next = doubles(n);
    struct status status = token_iteration_solve(p, &tensors.inputs, NULL, y);
    ck_assert_msg((status.code == STATUS_OK) == gradient_settles(&tensors), "%s: %s", test.name, status.message);
    if (status.code == STATUS_OK) {
        gradient_states(&tensors, 0, NULL, expected);
        ck_assert_msg(distance_max(y, expected, n) < 1e-9, "%s: off by %g", test.name, distance_max(y, expected, n));
        ck_assert(textbook_apply(p, &tensors.inputs, y, next));
        ck_assert_msg(distance_max(next, y, n) < 1e-12, "%s: off by %g", test.name, distance_max(next, y, n));
    }
    free(y), free(expected), free(next);
    tensors_free(&tensors);
}
END_TEST

/* ---- Answers elsewhere ------------------------------------------------------------------------------------------------------------ */

/* A fresh layer; of the released code, s = 2, nearly every token has several fixed points. */
static struct tensors drawn(uint64_t seed, double s)
{
    struct error error;
    const struct problem problem = {.cell = CELL_SELECTIVE,
                                    .B = 1,
                                    .T = 16,
                                    .d = 64,
                                    .N = 16,
                                    .mixer = MIXER_HOUSEHOLDER,
                                    .r = 1,
                                    .s = s,
                                    .feedback = FEEDBACK_RAW,
                                    .reads = READS_BC,
                                    .norm = NORM_BOTH,
                                    .dtype = DTYPE_FLOAT64};
    const struct regime regime = {.seed = seed, .scale = 0.5, .limit = 1e3};
    struct tensors tensors;
    ck_assert_msg(tensors_sample(&problem, &regime, &tensors, &error), "%s", error.text);
    return tensors;
}

static struct tensors of_many(uint64_t seed)
{
    return drawn(seed, 2);
}

/* rho of the spectrum is the rate at which the parallel iteration comes to the sequential mode's answer, where it does. */
START_TEST(rho_is_the_rate)
{
    int compared = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct tensors tensors = drawn(seed, 1);
        const struct problem *p = &tensors.problem;
        int64_t n = p->T * p->d;
        double *y = doubles(n), *l = doubles(n), error[2];
        struct spectrum spectrum;
        ck_assert_int_eq(token_iteration_solve(p, &tensors.inputs, NULL, y).code, STATUS_OK);
        ck_assert(spectrum_sequence(p, &tensors.inputs, y, &spectrum));
        for (int k = 0; k < 2; k++) {
            ck_assert(textbook_iterate(p, &tensors.inputs, 1, 100 + 20 * k, l, NULL));
            error[k] = distance_max(l, y, n);
        }
        if (error[0] < 1e-3 && error[1] > 1e-12) {
            ck_assert_double_eq_tol(pow(error[1] / error[0], 0.05), spectrum.rho, 0.01);
            compared++;
        }
        free(y), free(l);
        tensors_free(&tensors);
    }
    ck_assert_int_gt(compared, 1);
}
END_TEST

START_TEST(another_fixed_point_is_proven)
{
    enum { SEEDS = 12 };
    int elsewhere = 0, settled = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct tensors tensors = of_many(seed);
        const struct problem *p = &tensors.problem;
        int64_t n = p->T * p->d;
        double *y = doubles(n), *parallel = doubles(n), residual;
        struct parting parting;
        ck_assert_int_eq(token_iteration_solve(p, &tensors.inputs, NULL, y).code, STATUS_OK);
        ck_assert(textbook_iterate(p, &tensors.inputs, 1, 3000, parallel, &residual));
        ck_assert(token_iteration_part(p, &tensors.inputs, y, y, 1e-9, &parting));
        ck_assert(parting.t == -1 && !parting.proven);
        if (residual < 1e-12) {
            settled++;
            ck_assert(token_iteration_part(p, &tensors.inputs, parallel, y, 1e-9, &parting));
            ck_assert_msg(parting.t < 0 || (parting.proven && parting.apart > 1e-3 && parting.claimed < 1e-9), "seed %d, t %lld",
                          (int)seed, (long long)parting.t);
            elsewhere += parting.proven;
        }
        /* what is no fixed point is not one because it is far */
        int64_t t = 7;
        memcpy(parallel, y, (size_t)n * sizeof *y);
        parallel[t * p->d + 3] += 1e-3;
        ck_assert(token_iteration_part(p, &tensors.inputs, parallel, y, 1e-9, &parting));
        ck_assert(parting.t == t && !parting.proven);
        free(y), free(parallel);
        tensors_free(&tensors);
    }
    ck_assert_msg(settled > SEEDS / 2 && elsewhere > settled / 2, "%d of %d elsewhere", elsewhere, settled);
}
END_TEST

Suite *suite_token_iteration(void);

Suite *suite_token_iteration(void)
{
    Suite *suite = suite_create("token_iteration");
    TCase *tcase = tcase_create("core");
    tcase_set_timeout(tcase, 0);
    tcase_add_loop_test(tcase, both_writings_have_one_answer, 0, selective_cases_count());
    tcase_add_test(tcase, rho_is_the_rate);
    tcase_add_test(tcase, another_fixed_point_is_proven);
    suite_add_tcase(suite, tcase);
    return suite;
}
