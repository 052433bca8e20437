/* What holds for the examples of every task: they are pinned for ever, the same whatever is drawn before them or beside them, and
 * uniform where they should be. tests/tasks/test_groups.c and test_families.c have what each family promises by itself. */
#include "bench/base/random.h"
#include "tests/support/open_task.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

Suite *suite_tasks(void);

enum { POSITIONS_MAX = 512 };

/* ---- Examples ------------------------------------------------------------------------------------------------------------------ */

/* Tokens and targets of examples 0 .. 99 of seeds 1 and 2, written down once: they may never change, on any machine. */
static const struct {
    const char *task;
    int64_t length;
    bool training;
    uint64_t hash;
} golden[] = {
    {"A5", 16, false, 0x6b8d8445d4d0dfa8},
    {"A5", 16, true, 0x07ff39ac73dc0ad3},
    {"A5 bos=yes", 16, false, 0xbb00a0db6fc31e3c},
    {"S5", 50, false, 0x69751cbb55145553},
    {"Z60", 16, false, 0xfa6ed656e90fb0d0},
    {"A4xZ5", 16, false, 0xc64a490c359f9ead},
    {"S7", 8, false, 0x804f56eeb54f1b99},
    {"copying", 20, false, 0xf51a82cd12fb94df},
    {"copying", 50, true, 0x35356929d3390f42},
    {"copying context=64 from=2", 9, true, 0xad4c196565000a2b},
    {"modular", 40, false, 0x80e79df7b9d700d3},
    {"modular", 40, true, 0x54cd1cfbae255015},
    {"modular test_from=40", 256, false, 0xfca095536ca08fa3},
    {"modular brackets=no", 40, false, 0x9560ae524aa09799},
    {"modular brackets=no modulus=7", 41, true, 0x8851351bfa26263d},
    {"parity", 40, false, 0x229e637c59ae2248},
    {"parity labels=all", 40, true, 0x2a63ecd21551e107},
};
enum { GOLDEN = sizeof golden / sizeof golden[0] };

START_TEST(examples_are_pinned)
{
    struct task *task = open_task(golden[_i].task);
    int64_t T = task_width(task, golden[_i].length, golden[_i].training);
    int32_t row[2 * POSITIONS_MAX];
    XXH3_state_t *state = XXH3_createState();
    ck_assert(state != NULL && T > 0 && T <= POSITIONS_MAX);
    XXH3_64bits_reset(state);
    for (uint64_t seed = 1; seed <= 2; seed++)
        for (uint64_t i = 0; i < 100; i++) {
            task_fill(task, seed, i, golden[_i].length, golden[_i].training, row, row + T);
            XXH3_64bits_update(state, row, (size_t)(2 * T) * sizeof *row);
        }
    uint64_t hash = XXH3_64bits_digest(state);
    ck_assert_msg(hash == golden[_i].hash, "%s: 0x%016llx", golden[_i].task, (unsigned long long)hash);
    XXH3_freeState(state);
    task_close(task);
}
END_TEST

/* Each example fills its positions and no more, with tokens and targets that there are. */
START_TEST(examples_keep_their_bounds)
{
    enum { GUARD = -77 };
    struct task *task = open_task(golden[_i].task);
    const struct task_facts *facts = task_facts(task);
    for (int64_t length = 1; length <= golden[_i].length; length++)
        for (int training = 0; training < 2; training++) {
            int32_t token[POSITIONS_MAX + 1], target[POSITIONS_MAX + 1];
            int64_t T = task_width(task, length, training), asked = 0;
            ck_assert(T >= length && T <= POSITIONS_MAX);
            for (int64_t t = 0; t <= T; t++)
                token[t] = target[t] = GUARD;
            task_fill(task, 3, (uint64_t)length, length, training, token, target);
            for (int64_t t = 0; t < T; t++) {
                ck_assert(token[t] >= 0 && token[t] < facts->vocabulary);
                ck_assert(target[t] == TASK_UNSCORED || (target[t] >= 0 && target[t] < facts->classes));
                asked += target[t] != TASK_UNSCORED;
            }
            ck_assert(token[T] == GUARD && target[T] == GUARD);
            ck_assert(asked > 0 && (!facts->labelled || asked == T));
        }
    ck_assert_int_eq(task_width(task, facts->shortest - 1, false), 0);
    ck_assert_int_gt(task_width(task, facts->longest, false), 0);
    ck_assert_int_eq(task_width(task, facts->longest + 1, false), 0);
    task_close(task);
}
END_TEST

static bool same_example(const int32_t *a, const int32_t *b, int64_t T)
{
    return memcmp(a, b, (size_t)(2 * T) * sizeof *a) == 0;
}

/* Example i is the same backwards, in another order, and from a task opened anew; another index, seed or purpose is another one. */
START_TEST(examples_stand_alone)
{
    enum { N = 64 };
    struct task *task = open_task(golden[_i].task), *again = open_task(task_facts(task)->name);
    int64_t length = golden[_i].length, T = task_width(task, length, golden[_i].training);
    bool training = golden[_i].training;
    int32_t(*row)[2 * POSITIONS_MAX] = calloc(N, sizeof *row), other[2 * POSITIONS_MAX];
    ck_assert_ptr_nonnull(row);
    for (uint64_t i = 0; i < N; i++)
        task_fill(task, 5, i, length, training, row[i], row[i] + T);
    for (uint64_t k = N; k-- > 0;) {
        uint64_t i = k * 29 % N;
        task_fill(again, 5, i, length, training, other, other + T);
        ck_assert(same_example(row[i], other, T));
    }
    int same = 0;
    for (uint64_t i = 0; i < N; i++)
        for (uint64_t k = 0; k < i; k++)
            same += same_example(row[i], row[k], T);
    ck_assert_int_lt(same, N / 4); /* of 2016 pairs: the shortest sums come more than once by chance */
    const uint64_t others[][2] = {{6, 0}, {5, 1ULL << 32}, {5 + (1ULL << 32), 0}};
    for (int k = 0; k < 3; k++) {
        task_fill(task, others[k][0], others[k][1], length, training, other, other + T);
        ck_assert(!same_example(row[0], other, T));
    }
    if (task_width(task, length, !training) == T) {
        task_fill(task, 5, 0, length, !training, other, other + T);
        ck_assert(!same_example(row[0], other, T));
    }
    free(row);
    task_close(task);
    task_close(again);
}
END_TEST

/* ---- Uniformity: the seeds are fixed, so these pass always or never ---------------------------------------------------------------- */

/* Pearson's statistic of counts that should be equal is below the 99.9 % quantile of its distribution (Wilson and Hilferty). */
static void check_equal(const char *what, const int64_t *count, int n)
{
    double total = 0, statistic = 0, k = n - 1;
    for (int i = 0; i < n; i++)
        total += (double)count[i];
    for (int i = 0; i < n; i++)
        statistic += pow((double)count[i] - total / n, 2) / (total / n);
    double limit = k * pow(1 - 2 / (9 * k) + 3.0902 * sqrt(2 / (9 * k)), 3);
    ck_assert_msg(statistic < limit, "%s: chi-square %g of %d, limit %g", what, statistic, n, limit);
    ck_assert_msg(statistic > 0, "%s: all counts are equal, that is no chance", what);
}

/* Without the words that are passed over, every third number would come twice as often. */
START_TEST(whole_numbers_are_unbiased)
{
    int64_t thirds[3] = {0}, few[7] = {0};
    for (uint64_t i = 0; i < 20000; i++) {
        struct draws draws = draws_begin(9, 1, i);
        for (int k = 0; k < 5; k++) {
            uint32_t large = draws_below(&draws, 3U << 30), small = draws_below(&draws, 7);
            ck_assert(large < 3U << 30 && small < 7);
            thirds[large % 3]++;
            few[small]++;
        }
        ck_assert_uint_eq(draws_below(&draws, 1), 0);
    }
    check_equal("thirds", thirds, 3);
    check_equal("sevenths", few, 7);
}
END_TEST

static const struct {
    const char *task;
    int64_t length;
    int first, n; /* the tokens that should be equally frequent */
} even[] = {
    {"A5", 16, 0, 60},
    {"Z5040", 64, 0, 5040},
    {"A4xZ5", 16, 0, 60},
    {"copying", 30, 0, 26},
    {"parity", 40, 0, 2},
    {"modular", 40, 0, 5},
    {"modular brackets=no", 41, 0, 5},
    {"modular brackets=no", 41, 5, 3},
};

START_TEST(tokens_are_uniform)
{
    static int64_t count[5040], first[5040];
    struct task *task = open_task(even[_i].task);
    int64_t T = task_width(task, even[_i].length, false);
    int32_t token[POSITIONS_MAX], target[POSITIONS_MAX];
    /* copies and answers are no draws of their own: of copying only the string counts, of arithmetic what comes before the '=' */
    for (uint64_t i = 0; i < 2000; i++) {
        task_fill(task, 11, i, even[_i].length, false, token, target);
        int64_t end = strncmp(even[_i].task, "copying", 7) == 0 ? even[_i].length + 1 : T;
        for (int64_t t = 0; t < end; t++) {
            int k = token[t] - even[_i].first;
            if (k >= 0 && k < even[_i].n)
                count[k]++;
            if (strncmp(even[_i].task, "modular", 7) == 0 && target[t] != TASK_UNSCORED)
                break;
        }
        first[token[0] % even[_i].n]++;
    }
    check_equal(even[_i].task, count, even[_i].n);
    if (task_facts(task)->labelled && even[_i].n <= 60)
        check_equal("first tokens", first, even[_i].n);
    task_close(task);
}
END_TEST

Suite *suite_tasks(void)
{
    Suite *suite = suite_create("tasks");
    TCase *tests = tcase_create("tasks");
    tcase_add_loop_test(tests, examples_are_pinned, 0, GOLDEN);
    tcase_add_loop_test(tests, examples_keep_their_bounds, 0, GOLDEN);
    tcase_add_loop_test(tests, examples_stand_alone, 0, GOLDEN);
    tcase_add_test(tests, whole_numbers_are_unbiased);
    tcase_add_loop_test(tests, tokens_are_uniform, 0, sizeof even / sizeof even[0]);
    suite_add_tcase(suite, tests);
    return suite;
}
