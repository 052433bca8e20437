/* What validation says of answers of the selective cell, where tokens may have several fixed points, or none that is stable: right answers,
 * answers that follow another fixed point, and wrong ones, which are called wrong however near they are to being a fixed point. The answers
 * are made here, by the textbook: no implementation is tested. */
#include "bench/measure/validate.h"
#include "bench/problems/exact.h"
#include "bench/problems/textbook.h"
#include "tests/support/room.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct implementation exactly = {.name = "made_up", .exact = true}, iterating = {.name = "made_up"};

static struct subject subject;
static struct answers answers;
static struct finding finding;
static struct checks checks;

static const struct trace nothing;

/* One sequence of a fresh layer. */
static void begin(const struct implementation *implementation, int64_t r, double s, enum gate gate, enum dtype dtype, uint64_t seed)
{
    struct error error;
    const struct problem p = {.cell = CELL_SELECTIVE,
                              .B = 1,
                              .T = 16,
                              .d = 32,
                              .N = 8,
                              .mixer = MIXER_HOUSEHOLDER,
                              .r = r,
                              .s = s,
                              .feedback = FEEDBACK_RAW,
                              .reads = READS_BC,
                              .norm = NORM_BOTH,
                              .gate = gate,
                              .dtype = dtype};
    subject = (struct subject){.implementation = implementation,
                               .settings = {.l_max = 1, .quantile = 1, .damping = 1},
                               .regime = {.seed = seed, .scale = 0.5, .limit = 1e3},
                               .environment = {.threads = 1}};
    finding = (struct finding){.b = -1, .t = -1};
    ck_assert_msg(tensors_sample(&p, &subject.regime, &subject.tensors, &error), "%s", error.text);
    subject.h = doubles(p.T * p.d);
    ck_assert_msg(validate_problem(&subject, 0, false, &answers, &finding, &error), "%s", error.text);
}

static void end(void)
{
    answers_free(&answers);
    subject_free(&subject);
    json_decref(finding.inputs);
}

/* y (T,d) as what an implementation left. */
static void leave(const double *y)
{
    const struct problem *p = &subject.tensors.problem;
    for (int64_t i = 0; i < p->T * p->d; i++)
        if (p->dtype == DTYPE_FLOAT32)
            ((float *)subject.h)[i] = (float)y[i];
        else
            ((double *)subject.h)[i] = y[i];
}

static enum result judged(const struct trace *trace)
{
    struct error error;
    json_t *inputs = finding.inputs;
    finding = (struct finding){.b = -1, .t = -1, .inputs = inputs};
    ck_assert_msg(validate(&subject, &answers, 0, trace, &checks, &finding, &error), "%s", error.text);
    return finding.result;
}

/* The sequence in float64, one tensor of which is changed. */
enum change {
    CHANGE_NONE,
    CHANGE_SKIP_FORGOTTEN,
    CHANGE_B_SIGN,
    CHANGE_X_SIGN,
    CHANGE_A_SIGN,
    CHANGE_BIAS,
    CHANGE_W_SIGN,
    CHANGE_COUNT
};

static void sequence_changed(enum change change, struct tensors *sequence)
{
    static const struct {
        enum tensor_id id;
        double by, plus;
    } changes[CHANGE_COUNT] = {
        [CHANGE_SKIP_FORGOTTEN] = {TENSOR_SKIP, 0, 0}, [CHANGE_B_SIGN] = {TENSOR_B, -1, 0},    [CHANGE_X_SIGN] = {TENSOR_X, -1, 0},
        [CHANGE_A_SIGN] = {TENSOR_A, -1, 0},           [CHANGE_BIAS] = {TENSOR_BIAS, 1, 1e-3}, [CHANGE_W_SIGN] = {TENSOR_W, -1, 0},
    };
    struct error error;
    ck_assert(tensors_sequence(&subject.tensors, 0, sequence, &error));
    double *x = sequence->owned[changes[change].id];
    for (int64_t k = 0; change != CHANGE_NONE && k < tensor_elements(&sequence->problem, changes[change].id); k++)
        x[k] = changes[change].by * x[k] + changes[change].plus;
}

enum { SEEDS = 6, SETTLED = 3000 };

START_TEST(right_answers_are_right)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(&exactly, 1, 1 + (double)(seed % 2), GATE_OUTSIDE, _i == 0 ? DTYPE_FLOAT32 : DTYPE_FLOAT64, seed);
        leave(answers.h);
        ck_assert_msg(judged(&nothing) == RESULT_OK, "%s", finding.message);
        end();
    }
}
END_TEST

/* The fixed point of another map is none of this one. */
START_TEST(wrong_maps_are_wrong)
{
    enum dtype dtype = _i % 2 == 0 ? DTYPE_FLOAT32 : DTYPE_FLOAT64;
    enum change change = (enum change)(1 + _i / 2);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(&exactly, 1, 1 + (double)(seed % 2), GATE_OUTSIDE, dtype, seed);
        struct tensors other;
        int64_t n = subject.tensors.problem.T * subject.tensors.problem.d;
        double *y = doubles(n);
        sequence_changed(change, &other);
        struct status status = exact_by_textbook(&other.problem, &other.inputs, NULL, y);
        leave(y);
        ck_assert_msg(status.code != STATUS_OK || judged(&nothing) == RESULT_WRONG, "change %d: %s", (int)change,
                      result_name(finding.result));
        free(y);
        tensors_free(&other);
        end();
    }
}
END_TEST

/* What the parallel iteration ends at is another fixed point of many a layer with s = 2. */
START_TEST(another_fixed_point_is_elsewhere)
{
    int elsewhere = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(&exactly, 1, 2, GATE_OUTSIDE, _i == 0 ? DTYPE_FLOAT32 : DTYPE_FLOAT64, seed);
        struct tensors sequence;
        struct error error;
        int64_t d = subject.tensors.problem.d, n = subject.tensors.problem.T * d, count;
        double *y = doubles(n), residual;
        sequence_changed(CHANGE_NONE, &sequence);
        ck_assert(textbook_iterate(&sequence.problem, &sequence.inputs, 1, SETTLED, y, &residual));
        leave(y);
        bool far = residual < 1e-12 && distance_max(y, answers.h, n) > 1e-2;
        if (far) {
            /* rounding of float32 may lead there; in float64 an exact implementation has no excuse */
            enum result expected = _i == 0 ? RESULT_ELSEWHERE : RESULT_WRONG;
            ck_assert_msg(judged(&nothing) == expected, "%s: %s", result_name(finding.result), finding.message);
            ck_assert(finding.b == 0 && finding.t >= 0);
            int64_t parted = finding.t;
            if (_i == 0)
                ck_assert_double_lt(distance_max(y, answers.h, parted * d), 1e-2);
            elsewhere++;
            /* an iteration of that many steps is right, and where it ends is known */
            const struct trace trace = {.l_run = SETTLED};
            subject.implementation = &iterating;
            subject.settings.l_max = SETTLED;
            ck_assert_msg(judged(&trace) == RESULT_OK, "%s", finding.message);
            ck_assert(validate_elsewhere(&subject, &answers, &count, &finding, &error));
            ck_assert(count == 1 && finding.result == RESULT_ELSEWHERE);
            subject.implementation = &exactly;
            /* spoilt later on, it satisfies its equation no more */
            y[n - d] += 0.01;
            leave(y);
            ck_assert_msg(judged(&nothing) == RESULT_WRONG, "%s: %s", result_name(finding.result), finding.message);
            /* nor at the very place where it parts */
            y[n - d] -= 0.01;
            y[parted * d] += 0.3;
            leave(y);
            ck_assert_msg(judged(&nothing) == RESULT_WRONG, "%s: %s", result_name(finding.result), finding.message);
        }
        free(y);
        tensors_free(&sequence);
        end();
    }
    ck_assert_int_gt(elsewhere, SEEDS / 2);
}
END_TEST

/* An iteration that has not come to an end is not elsewhere. */
START_TEST(early_iterates_are_not_elsewhere)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(&iterating, 1, 2, GATE_OUTSIDE, DTYPE_FLOAT64, seed);
        struct tensors sequence;
        struct error error;
        int64_t n = subject.tensors.problem.T * subject.tensors.problem.d, count;
        double *y = doubles(n);
        const struct trace trace = {.l_run = 5};
        subject.settings.l_max = 5;
        sequence_changed(CHANGE_NONE, &sequence);
        ck_assert(textbook_iterate(&sequence.problem, &sequence.inputs, 1, 5, y, NULL));
        leave(y);
        ck_assert_msg(judged(&trace) == RESULT_OK, "%s", finding.message);
        ck_assert(validate_elsewhere(&subject, &answers, &count, &finding, &error));
        ck_assert(count == 0 && finding.result == RESULT_OK);
        tensors_free(&sequence);
        sequence_changed(CHANGE_SKIP_FORGOTTEN, &sequence);
        ck_assert(textbook_iterate(&sequence.problem, &sequence.inputs, 1, 5, y, NULL));
        leave(y);
        ck_assert_int_eq(judged(&trace), RESULT_WRONG);
        free(y);
        tensors_free(&sequence);
        end();
    }
}
END_TEST

/* Four factors with s = 2 and a gate inside: some token has no stable fixed point. Whoever solves for an answer has none, iterates are what
 * they are. */
START_TEST(no_stable_point_is_the_problems)
{
    int none = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        for (int exact = 0; exact < 2; exact++) {
            begin(exact ? &exactly : &iterating, 4, 2, GATE_INSIDE, DTYPE_FLOAT64, seed);
            struct tensors sequence;
            int64_t n = subject.tensors.problem.T * subject.tensors.problem.d;
            double *y = doubles(n);
            sequence_changed(CHANGE_NONE, &sequence);
            struct status status = exact_by_textbook(&sequence.problem, &sequence.inputs, NULL, y);
            none += status.code == STATUS_NO_STABLE_POINT;
            if (exact)
                ck_assert_msg(finding.result == (enum result)status.code && finding.t == status.t, "%s for %s at %d: %s",
                              result_name(finding.result), status_names[status.code], (int)status.t, finding.message);
            else if (status.code == STATUS_NO_STABLE_POINT) {
                const struct trace trace = {.l_run = 4};
                subject.settings.l_max = 4;
                ck_assert_int_eq(finding.result, RESULT_OK);
                ck_assert(textbook_iterate(&sequence.problem, &sequence.inputs, 1, 4, y, NULL));
                leave(y);
                ck_assert_msg(judged(&trace) == RESULT_OK, "%s", finding.message);
            }
            free(y);
            tensors_free(&sequence);
            end();
        }
    ck_assert_int_gt(none, SEEDS / 2);
}
END_TEST

/* An implementation may not call its own failure the problem's. */
START_TEST(an_answer_that_was_not_found_is_wrong)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        const struct status claimed = status_at(STATUS_NO_STABLE_POINT, 0, 1, "no stable fixed point");
        struct error error;
        begin(&exactly, 1, 1, GATE_OUTSIDE, DTYPE_FLOAT64, seed);
        finding = (struct finding){.result = RESULT_OK, .inputs = finding.inputs};
        finding_status(&finding, &claimed);
        ck_assert(validate_failure(&subject, &finding, &error));
        ck_assert_msg(finding.result == RESULT_WRONG, "%s: %s", result_name(finding.result), finding.message);
        end();
    }
}
END_TEST

Suite *suite_selective_verdicts(void);

Suite *suite_selective_verdicts(void)
{
    Suite *suite = suite_create("selective_verdicts");
    TCase *tcase = tcase_create("core");
    tcase_set_timeout(tcase, 0);
    tcase_add_loop_test(tcase, right_answers_are_right, 0, DTYPE_COUNT);
    tcase_add_loop_test(tcase, wrong_maps_are_wrong, 0, DTYPE_COUNT * (CHANGE_COUNT - 1));
    tcase_add_loop_test(tcase, another_fixed_point_is_elsewhere, 0, DTYPE_COUNT);
    tcase_add_test(tcase, early_iterates_are_not_elsewhere);
    tcase_add_test(tcase, no_stable_point_is_the_problems);
    tcase_add_test(tcase, an_answer_that_was_not_found_is_wrong);
    suite_add_tcase(suite, tcase);
    return suite;
}
