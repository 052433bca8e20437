/* Rows of choices in which every pair of choices meets at least once: far fewer than all combinations, and most mistakes need no more
 * than two choices to show. */
#ifndef TESTS_SUPPORT_PAIRS_H
#define TESTS_SUPPORT_PAIRS_H

#include <stdbool.h>

enum { PAIRS_FACTORS = 6, PAIRS_VALUES = 32, PAIRS_ROWS = 1024 };

/* Several things to choose, each among so many values: 2 to PAIRS_FACTORS of them, each with up to PAIRS_VALUES. */
struct factors {
    int n, values[PAIRS_FACTORS];
};

struct rows {
    int n, value[PAIRS_ROWS][PAIRS_FACTORS]; /* value[row][factor] */
};

/* Fills rows so that any two values of any two factors stand in one of them; always the same rows for the same factors. Greedy: each row
 * begins with the first pair that is missing, and takes of every other factor the value that brings the most pairs that are missing,
 * the least used one among equals. Aborts where there are too many. */
void pairs_cover(const struct factors *factors, struct rows *rows);

/* Every combination, the last factor fastest. */
void pairs_product(const struct factors *factors, struct rows *rows);

/* Whether the tests shall run over products instead of covers: make test-full. */
bool pairs_full(void);

#endif
