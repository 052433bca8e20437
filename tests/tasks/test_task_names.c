/* How tasks are spelled, what is refused and with which words; and scores. */
#include "tests/support/open_task.h"

#include <math.h>
#include <string.h>

Suite *suite_task_names(void);

/* ---- Spelling ------------------------------------------------------------------------------------------------------------------ */

START_TEST(names_have_one_spelling)
{
    static const struct {
        const char *text, *name;
        int vocabulary, classes, padding;
        double chance;
    } rows[] = {
        {"A5", "A5", 60, 60, -1, 1.0 / 60},
        {"  S5   bos=yes ", "S5 bos=yes", 121, 120, -1, 1.0 / 120},
        {"A5 bos=no", "A5", 60, 60, -1, 1.0 / 60},
        {"A4xZ5", "A4xZ5", 60, 60, -1, 1.0 / 60},
        {"Z5040", "Z5040", 5040, 5040, -1, 1.0 / 5040},
        {"S7", "S7", 5040, 5040, -1, 1.0 / 5040},
        {"Z2xZ2xZ2xZ2xZ2xZ2xZ2xZ2xZ2xZ2xZ2xZ2", "Z2xZ2xZ2xZ2xZ2xZ2xZ2xZ2xZ2xZ2xZ2xZ2", 4096, 4096, -1, 1.0 / 4096},
        {"copying context=256", "copying", 30, 30, -1, 1.0 / 26},
        {"copying from=7 context=64", "copying context=64 from=7", 30, 30, -1, 1.0 / 26},
        {"modular", "modular", 12, 12, 11, 0.2},
        {"modular modulus=7 brackets=no", "modular brackets=no modulus=7", 12, 12, 11, 1.0 / 7},
        {"modular brackets=no", "modular brackets=no", 10, 10, 9, 0.2},
        {"parity labels=all", "parity labels=all", 2, 2, -1, 0.5},
        {"parity labels=end", "parity", 2, 2, -1, 0.5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct task *task = open_task(rows[i].text);
        const struct task_facts *facts = task_facts(task);
        ck_assert_str_eq(facts->name, rows[i].name);
        ck_assert_int_eq(facts->vocabulary, rows[i].vocabulary);
        ck_assert_int_eq(facts->classes, rows[i].classes);
        ck_assert_int_eq(facts->padding, rows[i].padding);
        ck_assert_double_eq(facts->chance, rows[i].chance);
        task_close(task);
    }
}
END_TEST

START_TEST(refusals)
{
    static const char group[] = "expected A3 to A7, S2 to S7, Z2 to Z5040, or a product of these";
    static const char any[] = "expected a group such as A5, S5, Z60 or A4xZ5, copying, modular or parity";
    static const char *const rows[][2] = {
        {"", any},
        {"A", any},
        {"a5", any},
        {"group", any},
        {"par", any},
        {"parity2", any},
        {"A5\n", group},
        {"\x1b[2J", "\"?[2J\""},
        {"A2", group},
        {"A8", group},
        {"S1", group},
        {"S8", group},
        {"Z1", group},
        {"Z5041", group},
        {"A05", group},
        {"Z99999999999", group},
        {"A5x", group},
        {"xA5", any},
        {"A5xx", group},
        {"A5xB2", group},
        {"S6xS4", group},
        {"A5 x Z5", "\"A5\" has no option \"x\""},
        {"A5 bos", "\"A5\" has no option \"bos\"; expected bos=no|yes"},
        {"A5 bos=maybe", "bos of \"A5\" is \"maybe\"; expected no or yes"},
        {"A5 bos=", "bos of \"A5\" is \"\""},
        {"A5 boss=yes", "expected bos=no|yes"},
        {"A5 =yes", "no option \"=yes\""},
        {"A5 bos=yes bos=yes", "option bos is given twice"},
        {"parity modulus=5", "expected labels=end|all"},
        {"copying context=7", "context of \"copying\" is \"7\"; expected a whole number from 8 to 2097152"},
        {"modular modulus=1", "expected a whole number from 2 to 100"},
        {"modular modulus=101", "from 2 to 100"},
        {"modular modulus=05", "from 2 to 100"},
        {"modular modulus=+5", "from 2 to 100"},
        {"modular modulus=5.0", "from 2 to 100"},
        {"modular modulus=99999999999999999999", "from 2 to 100"},
        {"modular test_from=0", "from 1 to 16384"},
        {"modular brackets=maybe", "expected yes or no"},
        {"modular mod=5", "expected brackets=yes|no modulus=2..100 from=1..16384 test_from=1..16384"},
        {"a name that is far longer than any that there is, and goes on and on and on and on and on", any},
        {"averylongnamewithoutasingleblank_averylongnamewithoutasingleblank_averylongnamewithoutasingleblank", "blank_a...\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct task *task = (struct task *)&task;
        char reason[512] = "";
        ck_assert_msg(!task_open(rows[i][0], &task, sizeof reason, reason), "%s", rows[i][0]);
        ck_assert_ptr_null(task);
        ck_assert_msg(strstr(reason, rows[i][1]) != NULL, "%s: %s", rows[i][0], reason);
        char little[8] = "-------";
        ck_assert(!task_open(rows[i][0], &task, 4, little));
        ck_assert_str_eq(little + 3, "");
        ck_assert_int_eq(little[4], '-');
    }
    task_close(NULL);
}
END_TEST

START_TEST(families_are_listed)
{
    static const char *const options[] = {"bos=no|yes", "context=8..2097152 from=1..1048576",
                                          "brackets=yes|no modulus=2..100 from=1..16384 test_from=1..16384", "labels=end|all"};
    static const char *const names[] = {"group", "copying", "modular", "parity"};
    for (int i = 0; i < 4; i++) {
        char text[128];
        task_family_options(i, sizeof text, text);
        ck_assert_str_eq(text, options[i]);
        ck_assert_str_eq(task_family(i), names[i]);
        ck_assert_uint_gt(strlen(task_family_summary(i)), 0);
    }
    ck_assert_ptr_null(task_family(4));
    ck_assert_ptr_null(task_family_summary(4));
}
END_TEST

/* ---- Scores -------------------------------------------------------------------------------------------------------------------- */

START_TEST(scores)
{
    enum { NO = TASK_UNSCORED };
    struct task *task = open_task("modular");
    struct task_score score = {0};
    ck_assert(isnan(task_accuracy(&score, SCORE_TOKEN)) && isnan(task_accuracy(&score, SCORE_SEQUENCE)));
    task_score(task, 4, (const int32_t[]){1, NO, 2, 3}, (const int32_t[]){1, 0, 2, 3}, &score);
    task_score(task, 4, (const int32_t[]){1, NO, 2, 3}, (const int32_t[]){1, NO, 2, 4}, &score);
    task_score(task, 2, (const int32_t[]){NO, NO}, (const int32_t[]){NO, 1}, &score); /* no sequence */
    task_score(task, 2, (const int32_t[]){NO, 0}, (const int32_t[]){0, 1}, &score);
    ck_assert_int_eq(score.positions, 7);
    ck_assert_int_eq(score.positions_right, 5);
    ck_assert_int_eq(score.sequences, 3);
    ck_assert_int_eq(score.sequences_right, 1);
    ck_assert_double_eq(task_accuracy(&score, SCORE_TOKEN), 5.0 / 7);
    ck_assert_double_eq(task_accuracy(&score, SCORE_SEQUENCE), 1.0 / 3);
    ck_assert_double_eq_tol(task_scaled(task, 0.2), 0, 1e-15);
    ck_assert_double_eq_tol(task_scaled(task, 0.6), 0.5, 1e-15);
    ck_assert_double_eq(task_scaled(task, 1), 1);
    task_close(task);
}
END_TEST

/* The '.' of a copy is a target, but nobody's accuracy depends on it. */
START_TEST(the_point_is_not_counted)
{
    struct task *task = open_task("copying");
    int32_t token[13], target[13], answer[13];
    struct task_score score = {0};
    ck_assert_int_eq(task_width(task, 5, false), 13);
    task_fill(task, 1, 0, 5, false, token, target);
    memcpy(answer, target, sizeof answer);
    ck_assert_int_eq(target[11], task_facts(task)->uncounted);
    answer[11] = 0;
    task_score(task, 13, target, answer, &score);
    ck_assert(score.positions == 5 && score.positions_right == 5 && score.sequences == 1 && score.sequences_right == 1);
    answer[10] = (target[10] + 1) % 26;
    task_score(task, 13, target, answer, &score);
    ck_assert(score.positions == 10 && score.positions_right == 9 && score.sequences == 2 && score.sequences_right == 1);
    task_close(task);
}
END_TEST

Suite *suite_task_names(void)
{
    Suite *suite = suite_create("task_names");
    TCase *tests = tcase_create("task_names");
    tcase_add_test(tests, names_have_one_spelling);
    tcase_add_test(tests, refusals);
    tcase_add_test(tests, families_are_listed);
    tcase_add_test(tests, scores);
    tcase_add_test(tests, the_point_is_not_counted);
    suite_add_tcase(suite, tests);
    return suite;
}
