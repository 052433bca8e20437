/* Problems of the cell delta, and inputs for them: one step a token to four, with a gate and without, heads that fit no vector
 * register. */
#ifndef TESTS_SUPPORT_DELTA_CASES_H
#define TESTS_SUPPORT_DELTA_CASES_H

#include "tests/support/cases.h"

/* The name, the number and `initial` are as of cases_get(). The first DELTA_SMALL are small enough for what costs much. */
enum { DELTA_SMALL = 11 };
int delta_cases_count(void);
struct test_case delta_cases_get(int index);

/* Values that inputs may be set to, everywhere: NAN leaves them as they are drawn; of -INFINITY each g is 0, -30 or drawn. */
struct delta_edge {
    double beta, g;
};
enum { DELTA_EDGES = 16 };
struct delta_edge delta_edge(int index);

/* Keys of length 1, strengths between 0 and 2, gates between e^-2 and 1, or as the edge has them. In float64; the same for the same
 * seed. */
struct tensors delta_tensors(const struct test_case *test, struct delta_edge edge, uint64_t seed);

#endif
