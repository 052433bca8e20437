/* What each family of tasks promises, recomputed in another way than it is made: permutations composed as functions, expressions
 * evaluated by a shunting-yard, copies as strings, parity by counting bits. */
#include "tasks/group.h"
#include "tasks/task.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_families(void);

enum { POSITIONS_MAX = 512, EXAMPLES = 200 };

static struct task *open_task(const char *text)
{
    struct task *task;
    char reason[512] = "";
    ck_assert_msg(task_open(text, &task, sizeof reason, reason), "%s: %s", text, reason);
    return task;
}

/* ---- Groups -------------------------------------------------------------------------------------------------------------------- */

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
    for (uint8_t i = 0; i < n; i++) {
        if (memchr(p, i, (size_t)done) != NULL || (kind == 'Z' && done > 0 && i != (p[done - 1] + 1) % n))
            continue;
        p[done] = i;
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
        uint8_t p[POINTS];
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
        uint8_t product[POINTS], next[POINTS];
        for (uint8_t k = 0; k < POINTS; k++)
            product[k] = k;
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

/* ---- Copying ------------------------------------------------------------------------------------------------------------------- */

static const char letters[] = "abcdefghijklmnopqrstuvwxyz$|.*";

/* Tokens as a string, and targets as one, '_' where nothing is asked. */
static void as_strings(const int32_t *token, const int32_t *target, int64_t T, char *tokens, char *targets)
{
    for (int64_t t = 0; t < T; t++) {
        tokens[t] = letters[token[t]];
        targets[t] = target[t] == TASK_UNSCORED ? '_' : letters[target[t]];
    }
    tokens[T] = targets[T] = '\0';
}

/* "$abc|abc." asks for "____abc._": at each position the one that follows. */
static void expect_copy(const char *string, size_t n, char *tokens, char *targets)
{
    sprintf(tokens, "$%.*s|%.*s.", (int)n, string, (int)n, string);
    memset(targets, '_', 2 * n + 3);
    sprintf(targets + n + 1, "%.*s._", (int)n, string);
}

START_TEST(copies)
{
    struct task *task = open_task("copying");
    char tokens[POSITIONS_MAX], targets[POSITIONS_MAX], expected[2][POSITIONS_MAX];
    int32_t token[POSITIONS_MAX], target[POSITIONS_MAX];
    for (int64_t n = 1; n <= 100; n++) {
        int64_t T = task_width(task, n, false);
        ck_assert_int_eq(T, 2 * n + 3);
        task_fill(task, 1, (uint64_t)n, n, false, token, target);
        as_strings(token, target, T, tokens, targets);
        ck_assert_uint_eq(strspn(tokens + 1, "abcdefghijklmnopqrstuvwxyz"), (size_t)n);
        expect_copy(tokens + 1, (size_t)n, expected[0], expected[1]);
        ck_assert_str_eq(tokens, expected[0]);
        ck_assert_str_eq(targets, expected[1]);
    }
    task_close(task);
}
END_TEST

/* Rows for training: whole examples one after the other, then what fits of the last, for which nothing is asked. */
START_TEST(copies_are_packed)
{
    struct task *task = open_task("copying context=220");
    char tokens[POSITIONS_MAX], targets[POSITIONS_MAX], expected[2][POSITIONS_MAX];
    int32_t token[POSITIONS_MAX], target[POSITIONS_MAX];
    int64_t count[51] = {0}, rows = 2000, ends = 0, cut = 0;
    ck_assert_int_eq(task_width(task, 50, true), 220);
    ck_assert_int_eq(task_width(task, 108, true), 220);
    ck_assert_int_eq(task_width(task, 109, true), 0); /* it might not fit once */
    for (int64_t i = 0; i < rows; i++) {
        task_fill(task, 1, (uint64_t)i, 50, true, token, target);
        as_strings(token, target, 220, tokens, targets);
        for (size_t at = 0; at < 220;) {
            size_t n = strcspn(tokens + at + 1, "|"), whole = 2 * n + 3;
            ck_assert_int_eq(tokens[at], '$');
            if (at == 0) {
                ck_assert(n >= 5 && n <= 50);
                count[n]++;
            }
            bool fits = tokens[at + 1 + n] == '|' && at + whole <= 220;
            if (fits) {
                expect_copy(tokens + at + 1, n, expected[0], expected[1]);
                ck_assert_int_eq(strncmp(tokens + at, expected[0], whole), 0);
                ck_assert_int_eq(strncmp(targets + at, expected[1], whole), 0);
                ends += at + whole == 220;
                at += whole;
                continue;
            }
            ck_assert_uint_eq(strspn(targets + at, "_"), 220 - at);
            size_t copied = strlen(tokens + at) > n + 2 ? strlen(tokens + at) - n - 2 : 0;
            ck_assert(n <= 50 && strncmp(tokens + at + 1, tokens + at + n + 2, copied) == 0);
            cut++;
            break;
        }
    }
    ck_assert_int_eq(ends + cut, rows);
    ck_assert(ends > 0 && cut > ends);
    double statistic = 0, mean = (double)rows / 46;
    for (int n = 5; n <= 50; n++)
        statistic += ((double)count[n] - mean) * ((double)count[n] - mean) / mean;
    ck_assert_double_lt(statistic, 80.1); /* 99.9 % of chi-square with 45 degrees of freedom */
    task_close(task);
}
END_TEST

/* ---- Modular arithmetic -------------------------------------------------------------------------------------------------------- */

/* A shunting-yard over characters: digits are letters from 'A' on, since a modulus may exceed ten. '~' is the minus of one operand. */
struct yard {
    int64_t value[POSITIONS_MAX], m;
    char waiting[POSITIONS_MAX];
    int values, n;
};

static int strength(char sign)
{
    return sign == '~' ? 3 : sign == '*' ? 2 : sign == '+' || sign == '-' ? 1 : 0;
}

static void apply(struct yard *yard)
{
    char sign = yard->waiting[--yard->n];
    ck_assert_int_ge(yard->values, sign == '~' ? 1 : 2);
    int64_t right = yard->value[--yard->values];
    int64_t left = sign == '~' ? 0 : yard->value[--yard->values];
    int64_t result = sign == '*' ? left * right : sign == '+' ? left + right : left - right;
    yard->value[yard->values++] = result % yard->m; /* its sign may be either */
}

static int64_t evaluate(const char *text, size_t n, int64_t m)
{
    struct yard yard = {.m = m};
    for (size_t i = 0; i < n; i++) {
        bool operand = i > 0 && (text[i - 1] == ')' || text[i - 1] >= 'A'); /* one has just ended */
        char c = text[i] == '-' && !operand ? '~' : text[i];
        ck_assert_msg(operand == (c != '~' && c != '(' && c < 'A'), "%s", text);
        if (c >= 'A' && c != '~') {
            yard.value[yard.values++] = c - 'A';
        } else if (c == ')') {
            while (yard.n > 0 && yard.waiting[yard.n - 1] != '(')
                apply(&yard);
            ck_assert_int_gt(yard.n--, 0);
        } else {
            while (c != '(' && c != '~' && yard.n > 0 && strength(yard.waiting[yard.n - 1]) >= strength(c))
                apply(&yard);
            yard.waiting[yard.n++] = c;
        }
    }
    while (yard.n > 0)
        apply(&yard);
    ck_assert_int_eq(yard.values, 1);
    return (yard.value[0] % m + m) % m;
}

static const struct {
    const char *task;
    const char *signs; /* tokens m, m + 1, ...; '_' is PAD */
    int64_t m, length;
    bool training;
} sums[] = {
    {"modular", "+-*()=_", 5, 40, true},
    {"modular", "+-*()=_", 5, 7, false},
    {"modular", "+-*()=_", 5, 256, false},
    {"modular modulus=23 from=10", "+-*()=_", 23, 64, true},
    {"modular modulus=2 test_from=12", "+-*()=_", 2, 64, false},
    {"modular brackets=no", "+-*=_", 5, 40, true},
    {"modular brackets=no", "+-*=_", 5, 256, false},
    {"modular brackets=no modulus=23", "+-*=_", 23, 33, false},
};

/* The lengths that sums[] may have: exactly one, or from `from`. */
static int64_t shortest_of(const char *task, bool training)
{
    const char *from = strstr(task, training ? " from=" : "test_from=");
    return from != NULL ? atoi(strchr(from, '=') + 1) : training ? 3 : 0;
}

START_TEST(sums_are_right)
{
    struct task *task = open_task(sums[_i].task);
    int64_t m = sums[_i].m, T = task_width(task, sums[_i].length, sums[_i].training), value[24] = {0};
    int64_t least = shortest_of(sums[_i].task, sums[_i].training), seen_least = T, seen_most = 0;
    bool brackets = sums[_i].signs[3] == '(';
    ck_assert_int_eq(T, sums[_i].length);
    least = least == 0 ? T : least < 5 ? 5 : least;
    for (uint64_t i = 0; i < 10 * EXAMPLES; i++) {
        int32_t token[POSITIONS_MAX], target[POSITIONS_MAX];
        char text[POSITIONS_MAX + 1] = "";
        task_fill(task, 8, i, sums[_i].length, sums[_i].training, token, target);
        for (int64_t t = 0; t < T; t++)
            text[t] = (char)(token[t] < m ? 'A' + token[t] : sums[_i].signs[token[t] - m]);
        size_t n = strcspn(text, "=");
        ck_assert_uint_lt(n + 1, (size_t)T);
        int64_t answer = evaluate(text, n, m);
        for (int64_t t = 0; t < T; t++)
            ck_assert_int_eq(target[t], t == (int64_t)n ? answer : TASK_UNSCORED);
        ck_assert_int_eq(token[n + 1], answer);
        ck_assert_uint_eq(strspn(text + n + 2, "_"), (size_t)T - n - 2);
        int64_t total = (int64_t)n + 3;
        ck_assert(total >= least - !brackets && total <= T);
        ck_assert(brackets || n % 2 == 1);
        ck_assert(!brackets || n < 3 || (text[0] == '(' && text[n - 1] == ')'));
        ck_assert(!brackets || n != 2 || text[0] == '-');
        ck_assert(!brackets || n != 4 || text[1] == '-');
        seen_least = total < seen_least ? total : seen_least;
        seen_most = total > seen_most ? total : seen_most;
        value[answer]++;
    }
    ck_assert_int_eq(seen_least, brackets || least % 2 == 0 ? least : least - 1);
    ck_assert_int_eq(seen_most, brackets || T % 2 == 0 ? T : T - 1);
    for (int64_t k = 0; k < m; k++)
        ck_assert_int_gt(value[k], 0);
    task_close(task);
}
END_TEST

/* "(left operator right)" of nine tokens: left has 1 to 5 of them, each as often; a product binds tightest where there are no brackets. */
START_TEST(operands_have_uniform_lengths)
{
    struct task *task = open_task("modular");
    int64_t count[6] = {0}, n = 10000;
    for (int64_t i = 0; i < n; i++) {
        int32_t token[12], target[12];
        int depth = 0, at = 1;
        task_fill(task, 2, (uint64_t)i, 12, false, token, target);
        while (depth > 0 || at == 1 || token[at] < 5 || token[at] > 7) { /* the operator outside of inner brackets */
            depth += (token[at] == 8) - (token[at] == 9);
            at++;
        }
        ck_assert(at - 1 >= 1 && at - 1 <= 5);
        count[at - 1]++;
    }
    double statistic = 0, mean = (double)n / 5;
    for (int k = 1; k <= 5; k++)
        statistic += ((double)count[k] - mean) * ((double)count[k] - mean) / mean;
    ck_assert_double_lt(statistic, 18.47); /* 99.9 % of chi-square with 4 degrees of freedom */
    task_close(task);
}
END_TEST

START_TEST(the_yard_itself)
{
    static const struct {
        const char *text;
        int64_t m, value;
    } rows[] = {{"C", 5, 2},     {"-C", 5, 3},      {"(-C)", 5, 3},        {"B+C*D", 5, 2},
                {"B-C-D", 5, 1}, {"B-(C-D)", 5, 2}, {"((-B)*(C-D))", 5, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_int_eq(evaluate(rows[i].text, strlen(rows[i].text), rows[i].m), rows[i].value);
}
END_TEST

/* ---- Parity -------------------------------------------------------------------------------------------------------------------- */

START_TEST(parities)
{
    struct task *end = open_task("parity"), *all = open_task("parity labels=all");
    for (int64_t n = 1; n <= 64; n++) {
        int32_t token[2][64], target[2][64];
        uint64_t bits = 0;
        ck_assert_int_eq(task_width(end, n, true), n);
        task_fill(end, 1, (uint64_t)n, n, false, token[0], target[0]);
        task_fill(all, 1, (uint64_t)n, n, false, token[1], target[1]);
        ck_assert_mem_eq(token[0], token[1], (size_t)n * sizeof(int32_t));
        for (int64_t t = 0; t < n; t++) {
            bits |= (uint64_t)token[0][t] << t;
            ck_assert_int_eq(target[1][t], __builtin_popcountll(bits) % 2);
            ck_assert_int_eq(target[0][t], t == n - 1 ? target[1][t] : TASK_UNSCORED);
        }
    }
    task_close(end);
    task_close(all);
}
END_TEST

Suite *suite_families(void)
{
    Suite *suite = suite_create("families");
    TCase *tests = tcase_create("families");
    tcase_add_loop_test(tests, words_are_compositions, 0, GROUPS);
    tcase_add_loop_test(tests, groups_are_groups, 0, GROUPS);
    tcase_add_test(tests, cyclic_groups_add);
    tcase_add_test(tests, bos_is_before_the_rest);
    tcase_add_test(tests, copies);
    tcase_add_test(tests, copies_are_packed);
    tcase_add_loop_test(tests, sums_are_right, 0, sizeof sums / sizeof sums[0]);
    tcase_add_test(tests, operands_have_uniform_lengths);
    tcase_add_test(tests, the_yard_itself);
    tcase_add_test(tests, parities);
    suite_add_tcase(suite, tests);
    return suite;
}
