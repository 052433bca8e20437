/* The shared lists of cases: covers hold every pair of choices, and no more rows than pay. */
#include "tests/support/cases.h"
#include "tests/support/gradient_cases.h"
#include "tests/support/pairs.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_cases(void);

static bool has(const struct rows *rows, int a, int x, int b, int y)
{
    for (int i = 0; i < rows->n; i++)
        if (rows->value[i][a] == x && rows->value[i][b] == y)
            return true;
    return false;
}

/* Factors, and the most rows that a cover of them may have: the largest two multiplied are the fewest that there can be. */
static const struct {
    struct factors factors;
    int most;
} tried[] = {
    {{2, {3, 4}}, 12},     {{3, {2, 2, 2}}, 6},          {{4, {3, 3, 3, 3}}, 15},       {{5, {1, 5, 18, 2, 3}}, 95},
    {{3, {2, 2, 15}}, 32}, {{5, {6, 2, 18, 2, 3}}, 115}, {{6, {4, 4, 4, 4, 4, 4}}, 32}, {{2, {PAIRS_VALUES, 1}}, PAIRS_VALUES},
};

START_TEST(covers)
{
    static struct rows rows, again;
    const struct factors *factors = &tried[_i].factors;
    pairs_cover(factors, &rows);
    pairs_cover(factors, &again);
    ck_assert_int_eq(memcmp(&rows, &again, sizeof rows), 0);
    for (int a = 0; a < factors->n; a++)
        for (int b = a + 1; b < factors->n; b++)
            for (int x = 0; x < factors->values[a]; x++)
                for (int y = 0; y < factors->values[b]; y++)
                    ck_assert_msg(has(&rows, a, x, b, y), "%d of factor %d never meets %d of factor %d", x, a, y, b);
    ck_assert_msg(rows.n <= tried[_i].most, "%d rows", rows.n);
    for (int i = 0; i < rows.n; i++)
        for (int a = 0; a < factors->n; a++)
            ck_assert(rows.value[i][a] >= 0 && rows.value[i][a] < factors->values[a]);
}
END_TEST

START_TEST(products)
{
    static struct rows rows;
    const struct factors factors = {3, {2, 3, 2}};
    pairs_product(&factors, &rows);
    ck_assert_int_eq(rows.n, 12);
    for (int i = 0; i < rows.n; i++) {
        ck_assert_int_eq(rows.value[i][0], i / 6);
        ck_assert_int_eq(rows.value[i][1], i / 2 % 3);
        ck_assert_int_eq(rows.value[i][2], i % 2);
    }
}
END_TEST

/* ---- The lists themselves, by the problems that they hold -------------------------------------------------------------------- */

enum trait { TRAIT_SHAPE, TRAIT_MIXER, TRAIT_FORM, TRAIT_EDGE, TRAIT_THREADS, TRAITS };

static int trait_of(const struct test_case *test, enum trait trait)
{
    const struct problem *p = &test->problem;
    return trait == TRAIT_SHAPE     ? (int)(p->T * 100 + p->d)
           : trait == TRAIT_MIXER   ? (((int)p->mixer * 10 + p->r) * 10 + (int)p->s) * 10 + (int)p->feedback
           : trait == TRAIT_FORM    ? (int)p->form
           : trait == TRAIT_THREADS ? test->threads
                                    : (int)test->edge;
}

enum { DIFFERENT_MAX = 64 };

/* The values that a trait takes in the cases with an edge, or in those without. */
static int values_of(enum trait trait, bool edged, int value[DIFFERENT_MAX])
{
    int n = 0;
    for (int i = 0; i < cases_count(); i++) {
        struct test_case test = cases_get(i);
        int here = trait_of(&test, trait), k = 0;
        while (k < n && value[k] != here)
            k++;
        if (k < n || (test.edge != EDGE_NONE) != edged)
            continue;
        ck_assert_int_lt(n, DIFFERENT_MAX);
        value[n++] = here;
    }
    return n;
}

static bool meet(enum trait a, int x, enum trait b, int y)
{
    for (int i = 0; i < cases_count(); i++) {
        struct test_case test = cases_get(i);
        if (trait_of(&test, a) == x && trait_of(&test, b) == y)
            return true;
    }
    return false;
}

/* Shapes, mixers, forms, edges and threads: as many as there are of each, and every two of them in a case. */
START_TEST(list_of_cases)
{
    static const int plain[TRAITS] = {5, 22, FORM_COUNT, 1, 3}, edges[TRAITS] = {2, 22, FORM_COUNT, EDGE_COUNT - 1, 3};
    int x[DIFFERENT_MAX], y[DIFFERENT_MAX];
    for (int edged = 0; edged < 2; edged++)
        for (enum trait a = 0; a < TRAITS; a++) {
            int n = values_of(a, edged, x);
            ck_assert_int_eq(n, (edged ? edges : plain)[a]);
            for (enum trait b = a + 1; b < TRAITS; b++) {
                int m = values_of(b, edged, y);
                for (int i = 0; i < n; i++)
                    for (int k = 0; k < m; k++)
                        ck_assert_msg(meet(a, x[i], b, y[k]), "%d of trait %d never meets %d of trait %d", x[i], a, y[k], b);
            }
        }
    ck_assert_int_le(cases_count(), pairs_full() ? 748 : 256);
}
END_TEST

START_TEST(list_of_gradient_cases)
{
    bool met[GRADIENT_ROWS][FORM_COUNT] = {{false}}; /* with or without an initial state */
    int initial[2] = {0, 0};
    for (int i = 0; i < gradient_cases(); i++) {
        struct test_case test = gradient_case(i), same = gradient_case_of(test.index);
        char text[128], same_text[128];
        problem_print(&test.problem, sizeof text, text);
        problem_print(&same.problem, sizeof same_text, same_text);
        ck_assert_str_eq(text, same_text);
        ck_assert_int_eq(gradient_case_way(test.index) % FORM_COUNT, (int)test.problem.form);
        met[gradient_case_row(test.index)][test.problem.form] = true;
        initial[test.initial]++;
    }
    for (int i = 0; i < GRADIENT_ROWS; i++)
        for (int form = 0; form < FORM_COUNT; form++)
            ck_assert_msg(met[i][form], "row %d in form %d is missing", i, form);
    ck_assert(initial[0] >= 15 && initial[1] >= 15);
}
END_TEST

Suite *suite_cases(void)
{
    Suite *suite = suite_create("cases");
    TCase *pairs = tcase_create("pairs"), *lists = tcase_create("lists");
    tcase_add_loop_test(pairs, covers, 0, sizeof tried / sizeof tried[0]);
    tcase_add_test(pairs, products);
    tcase_add_test(lists, list_of_cases);
    tcase_add_test(lists, list_of_gradient_cases);
    suite_add_tcase(suite, pairs);
    suite_add_tcase(suite, lists);
    return suite;
}
