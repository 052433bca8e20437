/* What measures say of the cells delta and selective_heads, which read no output. Of answers, of which the textbook is the only other
 * writing: right ones are right, and those of the recurrence with one sign turned are wrong, in both dtypes. And which measures there
 * are: what iterates has nothing to show. */
#include "bench/command/vocabulary.h"
#include "bench/measure/validate.h"
#include "bench/problems/exact.h"
#include "bench/sweep/sweep.h"
#include "tests/support/numbers.h"
#include "tests/support/room.h"
#include "tests/support/scratch.h"

#include <check.h>
#include <string.h>

static const struct implementation made_up = {.name = "made_up", .exact = true};

/* The tensor whose sign is turned before the answer is made; TENSORS_MAX: none. */
static enum result judged(struct problem p, uint64_t seed, enum tensor_id turned, char *reason, size_t capacity)
{
    struct subject subject = {.implementation = &made_up,
                              .settings = {.l_max = 1, .quantile = 1, .damping = 1},
                              .regime = {.seed = seed, .scale = 0.5, .limit = 1e3, .drawn_h0 = true},
                              .environment = {.threads = 1}};
    struct finding finding = {.b = -1, .t = -1};
    struct answers answers;
    struct checks checks;
    struct tensors sequence;
    struct error error;
    const struct trace trace = {.l_run = 0};
    ck_assert_msg(tensors_sample(&p, &subject.regime, &subject.tensors, &error), "%s", error.text);
    subject.h = room(p.B * p.T * p.d, sizeof(double));
    ck_assert_msg(validate_problem(&subject, 1, true, &answers, &finding, &error), "%s", error.text);
    ck_assert_int_eq(finding.result, RESULT_OK);
    ck_assert(tensors_sequence(&subject.tensors, 1, &sequence, &error));
    double *x = turned < TENSORS_MAX ? sequence.owned[turned] : NULL, *y = doubles(p.T * p.d);
    for (int64_t i = 0; x != NULL && i < tensor_elements(&sequence.problem, turned); i++)
        x[i] = -x[i];
    ck_assert_int_eq(exact_by_textbook(&sequence.problem, &sequence.inputs, NULL, y).code, STATUS_OK);
    for (int64_t i = 0; i < p.T * p.d; i++)
        put(subject.h, p.dtype, p.T * p.d + i, y[i]);
    ck_assert_msg(validate(&subject, &answers, 1, &trace, &checks, &finding, &error), "%s", error.text);
    snprintf(reason, capacity, "%s", finding.message);
    free(y);
    tensors_free(&sequence);
    answers_free(&answers);
    subject_free(&subject);
    json_decref(finding.inputs);
    return finding.result;
}

START_TEST(verdicts)
{
    static const struct problem sizes = {.B = 2, .T = 24, .d = 24, .N = 8, .heads = 3};
    static const struct {
        enum cell cell;
        enum tensor_id turned;
    } rows[] = {
        {CELL_DELTA, TENSORS_MAX},           {CELL_DELTA, TENSOR_Q},           {CELL_DELTA, TENSOR_V},
        {CELL_DELTA, TENSOR_BETA},           {CELL_DELTA, TENSOR_MATRIX0},     {CELL_DELTA, TENSOR_G},
        {CELL_SELECTIVE_HEADS, TENSORS_MAX}, {CELL_SELECTIVE_HEADS, TENSOR_X}, {CELL_SELECTIVE_HEADS, TENSOR_A},
        {CELL_SELECTIVE_HEADS, TENSOR_B},    {CELL_SELECTIVE_HEADS, TENSOR_C}, {CELL_SELECTIVE_HEADS, TENSOR_SKIP},
        {CELL_SELECTIVE_HEADS, TENSOR_GAIN}, {CELL_SELECTIVE_HEADS, TENSOR_Z}, {CELL_SELECTIVE_HEADS, TENSOR_MATRIX0},
    };
    char reason[512];
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++)
        for (uint64_t seed = 1; seed <= 3; seed++)
            for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                struct problem p = sizes;
                p.cell = rows[i].cell;
                p.dtype = dtype;
                p.r = p.cell == CELL_DELTA ? 1 + (int64_t)seed : 0;
                p.forget = p.cell != CELL_DELTA ? FORGET_NONE : rows[i].turned == TENSOR_G ? FORGET_HEAD : (enum forget)(seed % 2);
                p.norm = p.cell == CELL_DELTA ? NORM_NONE : rows[i].turned == TENSOR_GAIN ? NORM_OUTPUT : (enum norm)seed;
                p.gate = p.cell == CELL_DELTA ? GATE_OUTSIDE : GATE_INSIDE;
                const bool right = rows[i].turned == TENSORS_MAX;
                enum result result = judged(p, seed, rows[i].turned, reason, sizeof reason);
                ck_assert_msg(result == (right ? RESULT_OK : RESULT_WRONG), "%s: %s turned, %s, seed %d: %s", cell_names[p.cell],
                              right ? "nothing" : tensor_names[rows[i].turned], dtype_names[dtype], (int)seed, reason);
                ck_assert(right || strncmp(reason, "sequence 1, t ", 14) == 0);
            }
}
END_TEST

#define DELTA "impls: delta_sequential\nproblem: {cell: delta"
#define HEADS "impls: [diagonal_scan, chunked_scan]\nproblem: {cell: selective_heads, mixer: none"

START_TEST(measures_of_it)
{
    static const struct {
        const char *cell, *measure, *problem;
        enum result result;
        const char *says; /* NULL: nothing */
    } rows[] = {
        {DELTA, "throughput\npass: [forward, backward]", "r: [1, 2], forget: [none, head], dtype: [float32, float64]", RESULT_OK,
         NULL},
        {DELTA, "convergence", "forget: head, dtype: [float32, float64]", RESULT_OK, NULL},
        {DELTA, "reach", "initial: [zero, drawn]", (enum result)STATUS_UNSUPPORTED, "has no iterations to count"},
        {DELTA, "memory", "r: 3, forget: head", RESULT_OK, NULL},
        {DELTA, "gradient", "r: 2, forget: head", RESULT_OK, NULL},
        {DELTA, "gradient", "dtype: float64", (enum result)STATUS_UNSUPPORTED, "no other implementation"},
        {DELTA, "roots", "r: 2", (enum result)STATUS_UNSUPPORTED, "fixed points are counted of the selective cell"},
        {HEADS, "throughput\npass: [forward, backward]", "norm: [none, both], gate: [inside, outside]", RESULT_OK, NULL},
        {HEADS, "convergence", "norm: output, gate: inside, dtype: [float32, float64]", RESULT_OK, NULL},
        {HEADS, "reach", "initial: [zero, drawn]", (enum result)STATUS_UNSUPPORTED, "has no iterations to count"},
        {HEADS, "memory", "norm: bc", RESULT_OK, NULL},
        {HEADS, "gradient", "norm: both, gate: inside", RESULT_OK, NULL},
        {HEADS, "roots", "norm: bc", (enum result)STATUS_UNSUPPORTED, "fixed points are counted of the selective cell"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct limits limits = {.samples = 2, .time_limit = 60};
        const char *path = scratch_path("delta.yaml");
        char whole[1024];
        struct sweep sweep;
        struct error error;
        snprintf(whole, sizeof whole,
                 "name: t\nmeasure: %s\n%s, B: 2, T: 50, d: 24, N: 5, heads: 3, %s}\nrun: {samples: 2, threads: 2}\n",
                 rows[i].measure, rows[i].cell, rows[i].problem);
        scratch_write(path, whole, strlen(whole));
        ck_assert_msg(sweep_read(&sweep_vocabulary, path, NULL, false, &sweep, &error), "%s", error.text);
        for (size_t k = 0; k < sweep.n_points; k++) {
            struct finding finding = {.b = -1, .t = -1};
            ck_assert_msg(measure_run(&sweep.point[k], &limits, &finding, &error), "%s: %s", rows[i].measure, error.text);
            ck_assert_msg(finding.result == rows[i].result, "%s, point %zu: result %d, %s", rows[i].measure, k, (int)finding.result,
                          finding.message);
            ck_assert_msg(rows[i].says == NULL || strstr(finding.message, rows[i].says) != NULL, "%s: %s", rows[i].measure,
                          finding.message);
            json_decref(finding.data);
            json_decref(finding.load);
            json_decref(finding.warnings);
            json_decref(finding.inputs);
        }
        sweep_free(&sweep);
    }
}
END_TEST

Suite *suite_delta_verdicts(void);

Suite *suite_delta_verdicts(void)
{
    Suite *suite = suite_create("delta_verdicts");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 120);
    tcase_add_checked_fixture(all, scratch_make, scratch_remove);
    tcase_add_test(all, verdicts);
    tcase_add_test(all, measures_of_it);
    suite_add_tcase(suite, all);
    return suite;
}
