/* The one list of problems that correctness tests, gradient checks and benchmarks share, and inputs for them. */
#ifndef TESTS_SUPPORT_CASES_H
#define TESTS_SUPPORT_CASES_H

#include "bench/problems/inputs.h"

/* What is unusual about a case's inputs. */
enum edge {
    EDGE_NONE,
    EDGE_LAMBDA_ZERO, /* lambda is 0 everywhere */
    EDGE_LAMBDA_ONE,
    EDGE_STRENGTH_HIGH, /* every alpha (kronecker: D1, D2) has the raw value +120 */
    EDGE_STRENGTH_LOW,  /* ... -120 */
    EDGE_VECTORS_ZERO,  /* every u, or L, is 0 */
    EDGE_VECTORS_TINY,  /* ... or so small that what keeps a division from 0 matters */
    EDGE_COUNT
};

struct test_case {
    char name[192];
    struct problem problem; /* float64 */
    enum edge edge;
    bool initial; /* there is an initial state */
    int threads;  /* to compute it with: 1 to 3 */
    int index;    /* among all combinations: the same of a case wherever it stands in the list */
};

/* All pairs of choices (pairs.h): shape, mixer, form, edge, threads; in make test-full all combinations. */
int cases_count(void);
struct test_case cases_get(int index);

/* Fresh inputs of a case, in float64; the same for the same seed. Ends the test when out of memory. */
struct tensors case_tensors(const struct test_case *test, uint64_t seed);

/* The same tensors in another dtype. */
struct tensors tensors_as(const struct tensors *tensors, enum dtype dtype);

/* Indices within theta (m) of one token: where the strengths (alpha; D1, D2) are. */
void strengths(const struct problem *problem, int64_t *from, int64_t *to);

/* Elements of each tensor; 0: the problem has none of that kind. */
void tensor_sizes(const struct problem *problem, int64_t sizes[TENSORS_MAX]);

#endif
