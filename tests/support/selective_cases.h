/* Problems of the selective cell, and inputs for them: every switch, every mixer, shapes that fit no vector register. */
#ifndef TESTS_SUPPORT_SELECTIVE_CASES_H
#define TESTS_SUPPORT_SELECTIVE_CASES_H

#include "tests/support/cases.h"

/* All pairs of choices (pairs.h): shape, mixer with its feedback, reads, norm, gate, threads; in make test-full all combinations. The name,
 * the number and `initial` are as of cases_get(). */
int selective_cases_count(void);
struct test_case selective_cases_get(int index);

/* Small ones among the same combinations, for what costs much: T to 6, d to 7, N to 4. */
struct test_case selective_cases_small(int index);

/* Inputs that set no tensor apart: nothing is 0 or 1 everywhere, unlike in a fresh layer. In float64; the same for the same seed. */
struct tensors selective_tensors(const struct test_case *test, uint64_t seed);

#endif
