/* What each family of tasks promises, recomputed in another way than it is made: copies as strings, expressions evaluated by a
 * shunting-yard, parity by counting bits. Groups have tests/tasks/test_groups.c. */
#include "tests/support/open_task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_families(void);

enum { POSITIONS_MAX = 512, EXAMPLES = 200 };

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
    return from != NULL ? strtol(strchr(from, '=') + 1, NULL, 10) : training ? 3 : 0;
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
    tcase_add_test(tests, copies);
    tcase_add_test(tests, copies_are_packed);
    tcase_add_loop_test(tests, sums_are_right, 0, sizeof sums / sizeof sums[0]);
    tcase_add_test(tests, operands_have_uniform_lengths);
    tcase_add_test(tests, the_yard_itself);
    tcase_add_test(tests, parities);
    suite_add_tcase(suite, tests);
    return suite;
}
