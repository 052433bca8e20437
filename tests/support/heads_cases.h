/* Problems of the cell selective_heads, and inputs for them: heads of one channel and of many that fit no vector register, every
 * norm and gate, sequences below a chunk and of several. */
#ifndef TESTS_SUPPORT_HEADS_CASES_H
#define TESTS_SUPPORT_HEADS_CASES_H

#include "tests/support/cases.h"

/* The name, the number and `initial` are as of cases_get(). The first HEADS_SMALL are small enough for what costs much;
 * the last of these has more tokens than are summed together. */
enum { HEADS_SMALL = 12 };
int heads_cases_count(void);
struct test_case heads_cases_get(int index);

/* What the steps are: as drawn; all 0; so large that nothing is kept; each of these of some tokens; so small that a sum of many is
 * next to nothing; and vectors b and c of length 0. */
enum heads_edge { HEADS_DRAWN, HEADS_STILL, HEADS_HUGE, HEADS_SOME, HEADS_TINY, HEADS_EMPTY, HEADS_EDGES };

/* In float64; the same for the same seed. */
struct tensors heads_tensors(const struct test_case *test, enum heads_edge edge, uint64_t seed);

#endif
