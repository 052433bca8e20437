/* Groups and their words, against all permutations listed in another way and composed as functions. */
#include "tasks/group.h"
#include "tests/support/open_task.h"

#include <string.h>

Suite *suite_groups(void);

enum { EXAMPLES = 200 };

/* A group as all of its permutations of some points, in the order that is promised. */
enum { POINTS = 12 };
struct model {
    int n, points;
    uint8_t p[GROUP_ORDER_MAX][POINTS];
};

static const struct {
    const char *name;
    char kind[3];
    int degree[2], order;
} groups[] = {
    {"A3", "A", {3}, 3},         {"A4", "A", {4}, 12},   {"A5", "A", {5}, 60},        {"A6", "A", {6}, 360},
    {"S2", "S", {2}, 2},         {"S3", "S", {3}, 6},    {"S4", "S", {4}, 24},        {"S5", "S", {5}, 120},
    {"Z2", "Z", {2}, 2},         {"Z7", "Z", {7}, 7},    {"A4xZ5", "AZ", {4, 5}, 60}, {"S3xA4", "SA", {3, 4}, 72},
    {"Z4xS4", "ZS", {4, 4}, 96}, {"A7", "A", {7}, 2520}, {"S7", "S", {7}, 5040},
};
enum { GROUPS = sizeof groups / sizeof groups[0] };

/* Parity by cycles: n minus their number is even. */
static bool is_even(const uint8_t p[], int n)
{
    bool seen[POINTS] = {false};
    int cycles = 0;
    for (int i = 0; i < n; i++) {
        cycles += !seen[i];
        for (int k = i; !seen[k]; k = p[k])
            seen[k] = true;
    }
    return (n - cycles) % 2 == 0;
}

/* Appends, in lexicographic order, every way to go on from the first `done` places of a permutation. */
static void list_from(struct model *model, char kind, uint8_t p[], int done, int n)
{
    for (int i = 0; i < n; i++) {
        if (memchr(p, i, (size_t)done) != NULL || (kind == 'Z' && done > 0 && i != (p[done - 1] + 1) % n))
            continue;
        p[done] = (uint8_t)i;
        if (done + 1 < n)
            list_from(model, kind, p, done + 1, n);
        else if (kind != 'A' || is_even(p, n))
            memcpy(model->p[model->n++], p, (size_t)n);
    }
}

static void make_model(int row, struct model *model)
{
    static struct model factor[2];
    memset(factor, 0, sizeof factor);
    for (int k = 0; k < 2 && groups[row].degree[k] > 0; k++) {
        uint8_t p[POINTS] = {0};
        list_from(&factor[k], groups[row].kind[k], p, 0, groups[row].degree[k]);
    }
    *model = factor[0];
    model->points = groups[row].degree[0] + groups[row].degree[1];
    if (groups[row].degree[1] == 0)
        return;
    model->n = 0;
    for (int i = 0; i < factor[0].n; i++)
        for (int j = 0; j < factor[1].n; j++, model->n++)
            for (int k = 0; k < model->points; k++)
                model->p[model->n][k] =
                    (uint8_t)(k < groups[row].degree[0] ? factor[0].p[i][k]
                                                        : groups[row].degree[0] + factor[1].p[j][k - groups[row].degree[0]]);
}

static int find(const struct model *model, const uint8_t p[])
{
    int i = 0;
    while (i < model->n && memcmp(model->p[i], p, (size_t)model->points) != 0)
        i++;
    ck_assert_int_lt(i, model->n);
    return i;
}

START_TEST(words_are_compositions)
{
    static struct model model;
    make_model(_i, &model);
    ck_assert_int_eq(model.n, groups[_i].order);
    struct task *task = open_task(groups[_i].name);
    ck_assert_int_eq(task_facts(task)->classes, groups[_i].order);
    for (uint64_t i = 0; i < EXAMPLES; i++) {
        int32_t token[20], target[20];
        uint8_t product[POINTS], next[POINTS] = {0};
        for (int k = 0; k < POINTS; k++)
            product[k] = (uint8_t)k;
        task_fill(task, 4, i, 20, false, token, target);
        for (int t = 0; t < 20; t++) {
            for (int k = 0; k < model.points; k++)
                next[k] = product[model.p[token[t]][k]];
            memcpy(product, next, sizeof product);
            ck_assert_int_eq(target[t], find(&model, product));
        }
    }
    task_close(task);
}
END_TEST

START_TEST(groups_are_groups)
{
    static struct group group;
    ck_assert_ptr_null(group_make(groups[_i].name, &group));
    int n = group.order, commuting = 0, step = n <= 120 ? 1 : 37; /* all of a small group, some of a large one */
    ck_assert_int_eq(n, groups[_i].order);
    for (int p = 0; p < n; p++) {
        ck_assert(group_product(&group, 0, p) == p && group_product(&group, p, 0) == p);
    }
    for (int p = 0; p < n; p += step) {
        static bool seen[GROUP_ORDER_MAX];
        memset(seen, 0, sizeof seen);
        for (int q = 0; q < n; q++) { /* p has an inverse, and only one */
            int product = group_product(&group, p, q);
            ck_assert(product >= 0 && product < n && !seen[product]);
            seen[product] = true;
        }
        for (int q = 0; q < n; q += step) {
            int product = group_product(&group, p, q);
            commuting += product == group_product(&group, q, p);
            for (int r = 0; r < n; r += step)
                ck_assert_int_eq(group_product(&group, product, r), group_product(&group, p, group_product(&group, q, r)));
        }
    }
    /* n times the number of conjugacy classes: five in A5, seven in S5 */
    if (strcmp(groups[_i].name, "A5") == 0)
        ck_assert_int_eq(commuting, 60 * 5);
    if (strcmp(groups[_i].name, "S5") == 0)
        ck_assert_int_eq(commuting, 120 * 7);
    if (groups[_i].kind[0] == 'Z' && groups[_i].kind[1] == '\0')
        ck_assert_int_eq(commuting, n * n);
}
END_TEST

/* Z_n is its cyclic permutations, and element k is k: addition. */
START_TEST(cyclic_groups_add)
{
    struct task *task = open_task("Z4567 bos=yes");
    int32_t token[65], target[65];
    ck_assert_int_eq(task_width(task, 64, false), 65);
    task_fill(task, 1, 7, 64, false, token, target);
    ck_assert(token[0] == 4567 && target[0] == TASK_UNSCORED);
    for (int32_t t = 1, sum = 0; t < 65; t++) {
        sum = (sum + token[t]) % 4567;
        ck_assert_int_eq(target[t], sum);
    }
    task_close(task);
}
END_TEST

/* BOS goes before the same examples. */
START_TEST(bos_is_before_the_rest)
{
    struct task *plain = open_task("A5"), *bos = open_task("A5 bos=yes");
    for (uint64_t i = 0; i < EXAMPLES; i++) {
        int32_t token[2][17], target[2][17];
        task_fill(plain, 1, i, 16, true, token[0] + 1, target[0] + 1);
        task_fill(bos, 1, i, 16, true, token[1], target[1]);
        token[0][0] = 60;
        target[0][0] = TASK_UNSCORED;
        ck_assert_mem_eq(token[0], token[1], sizeof token[0]);
        ck_assert_mem_eq(target[0], target[1], sizeof target[0]);
    }
    task_close(plain);
    task_close(bos);
}
END_TEST

Suite *suite_groups(void)
{
    Suite *suite = suite_create("groups");
    TCase *tests = tcase_create("groups");
    tcase_add_loop_test(tests, words_are_compositions, 0, GROUPS);
    tcase_add_loop_test(tests, groups_are_groups, 0, GROUPS);
    tcase_add_test(tests, cyclic_groups_add);
    tcase_add_test(tests, bos_is_before_the_rest);
    suite_add_tcase(suite, tests);
    return suite;
}
