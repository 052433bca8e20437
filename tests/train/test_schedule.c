/* What a recipe says about step by step: rates, lengths, l_max, the curriculum, the end. */
#include "tests/support/trial.h"
#include "train/schedule.h"

#include <check.h>
#include <math.h>

Suite *suite_schedule(void);

static const struct way plain = {.layer = "lstm"};

START_TEST(schedules)
{
    struct recipe recipe = {.steps = 100, .warmup = 10, .learning_rate = 2};
    for (int kind = 0; kind < SCHEDULE_COUNT; kind++) {
        recipe.schedule = (enum schedule)kind;
        ck_assert_double_eq(schedule_rate(&recipe, 1), 0.2);
        ck_assert_double_eq(schedule_rate(&recipe, 10), 2);
        ck_assert_double_eq_tol(schedule_rate(&recipe, 100), kind == SCHEDULE_CONSTANT ? 2 : 0, 1e-15);
    }
    recipe.schedule = SCHEDULE_LINEAR;
    ck_assert_double_eq_tol(schedule_rate(&recipe, 55), 1, 1e-12);
    recipe.schedule = SCHEDULE_COSINE;
    ck_assert_double_eq_tol(schedule_rate(&recipe, 55), 1, 1e-12);
    recipe.warmup = 0;
    ck_assert_double_lt(schedule_rate(&recipe, 1), 2);
    ck_assert_double_gt(schedule_rate(&recipe, 1), 1.99);
    recipe.warmup = 100;
    ck_assert_double_eq(schedule_rate(&recipe, 100), 2);
    recipe.warmup = 200;
    ck_assert_double_eq(schedule_rate(&recipe, 100), 1);
}
END_TEST

START_TEST(lengths)
{
    char reason[160];
    struct task *task;
    int64_t list[STAGES_MAX];
    static const int64_t expected[] = {2, 3, 4, 6, 8, 12, 16, 20};
    ck_assert(task_open("A5", &task, sizeof reason, reason));
    struct recipe recipe = {.length = 20, .curriculum = true};
    ck_assert_int_eq(schedule_lengths(&recipe, task, list), 8);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(list[i], expected[i]);
    recipe.length = 16;
    ck_assert_int_eq(schedule_lengths(&recipe, task, list), 7);
    recipe.length = 2;
    ck_assert_int_eq(schedule_lengths(&recipe, task, list), 1);
    ck_assert_int_eq(list[0], 2);
    recipe.length = 20, recipe.curriculum = false;
    ck_assert_int_eq(schedule_lengths(&recipe, task, list), 1);
    ck_assert_int_eq(list[0], 20);
    task_close(task);
}
END_TEST

/* Mean of ceil(X), X of Gamma(k, 1): the sum of P(X > n), which is erfc(sqrt n) for k = 1/2 and Poisson's for whole k. */
static double mean_of_ceiling(double k)
{
    double sum = 0;
    for (int n = 0; n < 200; n++) {
        double term = exp(-n), above = k < 1 ? erfc(sqrt(n)) : 0;
        for (int j = 0; j < k && k >= 1; term *= (double)n / ++j)
            above += term;
        sum += above;
    }
    return sum;
}

START_TEST(drawn_l_max)
{
    static const double shapes[] = {0.5, 1, 4, 30};
    for (int k = 0; k < 4; k++) {
        struct recipe recipe = {.gamma = shapes[k], .seed = 5};
        enum { DRAWN = 4000 };
        double sum = 0, square = 0;
        for (int64_t step = 1; step <= DRAWN; step++) {
            int64_t l = schedule_l_max(&recipe, step);
            ck_assert_int_ge(l, 1);
            ck_assert_int_eq(l, schedule_l_max(&recipe, step));
            sum += (double)l, square += (double)l * (double)l;
        }
        double mean = sum / DRAWN, variance = square / DRAWN - mean * mean;
        ck_assert_double_eq_tol(mean, mean_of_ceiling(shapes[k]), 5 * sqrt(variance / DRAWN));
    }
}
END_TEST

START_TEST(curriculum)
{
    static const int64_t expected[] = {2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5};
    struct trial trial = trial_of(plain, "Z2");
    trial.recipe.length = 5;
    trial.recipe.curriculum = true, trial.recipe.curriculum_window = 3, trial.recipe.curriculum_accuracy = 1e-9;
    trial_open(&trial);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        ck_assert_int_eq(trial_steps(&trial, 1).length, expected[i]);
    trial_close(&trial);
    trial.task = NULL;
    trial.recipe.curriculum_accuracy = 1; /* out of reach in so few steps */
    trial_open(&trial);
    ck_assert_int_eq(trial_steps(&trial, 12).length, 2);
    trial_close(&trial);
}
END_TEST

START_TEST(steps_end)
{
    struct trial trial = trial_of(plain, "Z2");
    trial.recipe.steps = 2;
    trial_open(&trial);
    ck_assert_int_eq(trial_steps(&trial, 2).step, 2);
    struct step step;
    ck_assert_int_eq(training_step(trial.training, &step).code, STATUS_UNSUPPORTED);
    trial_close(&trial);
}
END_TEST

Suite *suite_schedule(void)
{
    Suite *suite = suite_create("schedule");
    TCase *all = tcase_create("all");
    tcase_add_test(all, schedules);
    tcase_add_test(all, lengths);
    tcase_add_test(all, drawn_l_max);
    tcase_add_test(all, curriculum);
    tcase_add_test(all, steps_end);
    suite_add_tcase(suite, all);
    return suite;
}
