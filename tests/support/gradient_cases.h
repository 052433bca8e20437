/* The problems whose gradients are tested, and what a test asks of an implementation. */
#ifndef TESTS_SUPPORT_GRADIENT_CASES_H
#define TESTS_SUPPORT_GRADIENT_CASES_H

#include "tests/support/gradients.h"

/* Case i: a mixer, a form, with or without an initial state, of a shape that is drawn. All pairs of choices (pairs.h); in make
 * test-full all combinations. */
int gradient_cases(void);
struct test_case gradient_case(int i);

/* A case of the product of all choices, whether or not it is among those: for tests that want a certain one. */
enum { GRADIENT_ROWS = 18, GRADIENT_WAYS = 2 * FORM_COUNT, GRADIENT_PRODUCT = GRADIENT_ROWS * GRADIENT_WAYS };
struct test_case gradient_case_of(int i);

/* Which row of mixers that is, and which way: form, without or with an initial state. */
int gradient_case_row(int i);
int gradient_case_way(int i);

/* The settings of a gradient: converged far below what is compared, when it iterates. steps: of an n-step one. */
struct settings gradient_settings(enum gradient gradient, int64_t steps);

/* Whether an implementation has this gradient of this problem. */
bool gradient_supported(const struct implementation *one, const struct problem *problem, const struct settings *settings);

/* Ends the test when values are further off than the tolerance (gradient_distance()). */
void gradient_assert_near(const struct implementation *one, const struct tensors *tensors, const struct gradient_values *values,
                          const struct gradient_values *expected, double tolerance, const char *what);

#endif
