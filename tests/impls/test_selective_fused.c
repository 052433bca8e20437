/* fixed_point_fused of the selective cell against the textbook, iterate by iterate: every mixer, switch and norm, one iterate to several
 * passes of them, widths that fill vectors and that do not, fewer sequences than threads. */
#include "tests/support/gradient_cases.h"
#include "tests/support/selective_cases.h"
#include "tests/support/room.h"

#include "bench/measure/subject.h"
#include "bench/problems/textbook.h"
#include "bench/problems/textbook_selective.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const int64_t lengths[] = {1, 2, 5, 16, 65};

static const struct implementation *find(enum dtype dtype, enum level level)
{
    return registry_get_for(registry_find("fixed_point_fused"), CELL_SELECTIVE, dtype, level);
}

/* One forward() with all that is told of it, in doubles. */
struct told {
    struct status status;
    struct trace trace;
    int64_t *keep, *sequences;
    double *y, *final, *iterates;
};

static struct told tell(enum level level, const struct tensors *tensors, const struct settings *settings, int threads)
{
    const struct problem *p = &tensors->problem;
    int64_t size = p->T * p->d, L = settings->l_max, states = final_elements(p);
    struct told told = {.keep = room(3, sizeof(int64_t)), .sequences = room(p->B, sizeof(int64_t))};
    const int first = L == 1 ? 2 : L / 2 == 1; /* in ascending order, each once */
    told.keep[0] = 1;
    told.keep[1] = L / 2;
    told.keep[2] = L;
    for (int64_t b = 0; b < p->B; b++)
        told.sequences[b] = p->B - 1 - b;
    void *y = room(p->B * size, sizeof(double)), *iterates = room(3 * p->B * size, sizeof(double)),
         *final = room(states, sizeof(double));
    told.trace = (struct trace){.l = room(p->B, sizeof(int64_t)),
                                .residual = room(L * p->B, sizeof(double)),
                                .keep = told.keep + first,
                                .n_keep = 3 - first,
                                .sequences = told.sequences,
                                .n_sequences = p->B,
                                .iterates = iterates};
    told.status = run_variant(find(p->dtype, level), tensors, settings, threads, y, final, &told.trace);
    told.y = room(p->B * size, sizeof(double));
    told.final = room(states, sizeof(double));
    told.iterates = room(3 * p->B * size, sizeof(double));
    to_doubles(p->dtype, y, 0, p->B * size, told.y);
    to_doubles(p->dtype, final, 0, states, told.final);
    to_doubles(p->dtype, iterates, 0, told.trace.n_kept * p->B * size, told.iterates);
    free(y);
    free(final);
    free(iterates);
    return told;
}

static void told_free(struct told *told)
{
    free(told->keep);
    free(told->sequences);
    free(told->trace.l);
    free(told->trace.residual);
    free(told->y);
    free(told->final);
    free(told->iterates);
}

/* What the textbook says of sequence b: y (T,d) after l iterations, the state H (d,N) that came with it, and the last residual. */
static void expect(const struct tensors *tensors, int64_t b, double damping, int64_t l, double *y, double *H, double *residual)
{
    struct tensors sequence;
    struct error error;
    ck_assert(tensors_sequence(tensors, b, &sequence, &error));
    const struct problem *p = &sequence.problem;
    const struct inputs *inputs = &sequence.inputs;
    double *scratch = room(textbook_selective_scratch(p), sizeof *scratch), *next = room(p->d, sizeof *next);
    if (l > 1)
        ck_assert(textbook_iterate(p, inputs, damping, l - 1, y, NULL));
    else
        memset(y, 0, (size_t)(p->T * p->d) * sizeof *y);
    struct selective_token token = textbook_selective_token(p, scratch);
    for (int64_t k = 0; k < p->d * p->N; k++)
        H[k] = inputs->H0 != NULL ? ((const double *)inputs->H0)[k] : 0;
    double *zero = room(p->d, sizeof *zero);
    for (int64_t t = 0; t < p->T; t++) {
        const double *before = t > 0 ? y + (t - 1) * p->d : inputs->y0 != NULL ? inputs->y0 : zero;
        textbook_selective_begin(p, inputs, t, before, &token);
        textbook_selective_apply(p, inputs, NULL, t, &token, H, y + t * p->d, next, H);
    }
    ck_assert(textbook_iterate(p, inputs, damping, l, y, residual));
    free(zero);
    free(scratch);
    free(next);
    tensors_free(&sequence);
}

static void compare(const char *what, const struct tensors *tensors, const struct settings *settings, const struct told *told,
                    double near)
{
    const struct problem *p = &tensors->problem;
    int64_t size = p->T * p->d, states = p->d * p->N, L = settings->l_max;
    double *y = room(p->B * size, sizeof *y), *H = room(states, sizeof *H), residual;
    ck_assert_msg(told->status.code == STATUS_OK, "%s: %s", what, told->status.message);
    ck_assert_int_eq(told->trace.l_run, L);
    ck_assert_double_eq(told->trace.applications, (double)L);
    ck_assert_int_eq(told->trace.n_kept, told->trace.n_keep);
    for (int64_t b = 0; b < p->B; b++) {
        expect(tensors, b, settings->damping, L, y + b * size, H, &residual);
        double off = distance_max(told->final + b * states, H, states), told_residual = told->trace.residual[(L - 1) * p->B + b];
        ck_assert_msg(off <= near || norm_max(H, states) < 1e-9, "%s: final state of %lld is off by %g, tolerance %g", what,
                      (long long)b, off, near);
        if (p->dtype == DTYPE_FLOAT64 && near < 1e-9)
            ck_assert_msg(fabs(told_residual - residual) <= 1e-9 + 1e-6 * residual, "%s: residual of %lld is %g, not %g", what,
                          (long long)b, told_residual, residual);
    }
    double off = distance_scaled(tensors, told->y, y);
    ck_assert_msg(off <= near, "%s: off by %g, tolerance %g", what, off, near);
    for (int64_t k = 0; k < told->trace.n_kept; k++)
        for (int64_t b = 0; b < p->B; b++) {
            expect(tensors, told->sequences[b], settings->damping, told->trace.keep[k], y + b * size, H, NULL);
            const double *kept = told->iterates + (k * p->B + b) * size;
            for (int64_t i = 0; i < size; i++)
                ck_assert_msg(fabs(kept[i] - y[b * size + i]) <= near * fmax(norm_max(y + b * size, size), 1),
                              "%s: iterate %lld of sequence %lld is off", what, (long long)told->trace.keep[k],
                              (long long)told->sequences[b]);
        }
    free(y);
    free(H);
}

static void check_case(int index, double damping)
{
    struct test_case test = selective_cases_get(index);
    struct tensors drawn = selective_tensors(&test, 311);
    int64_t n = test.problem.B * test.problem.T * test.problem.d, L = lengths[index % LENGTH(lengths)];
    double *expected = room(n, sizeof *expected);
    struct settings settings = fixed_l(L);
    settings.damping = damping;
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++) {
        struct tensors tensors = tensors_as(&drawn, dtype);
        reference_iterate(&tensors, L, expected);
        double near = fmax(tolerance_iterate(&tensors, L, expected, dtype), dtype == DTYPE_FLOAT64 ? 1e-12 : 1e-5);
        for (enum level level = 0; level <= level_best() && near < 0.05; level++) {
            char what[256];
            snprintf(what, sizeof what, "%s l=%lld %s %s, %d threads", test.name, (long long)L, dtype_names[dtype],
                     level_names[level], test.threads);
            struct told told = tell(level, &tensors, &settings, test.threads);
            compare(what, &tensors, &settings, &told, near);
            told_free(&told);
        }
        tensors_free(&tensors);
    }
    free(expected);
    tensors_free(&drawn);
}

START_TEST(iterates)
{
    check_case(_i, 1);
}
END_TEST

START_TEST(damped)
{
    check_case(_i, 0.7);
}
END_TEST

/* With a tolerance: the iterate that l_run says, which is the first at which enough residuals are below it. */
START_TEST(tolerances)
{
    static const struct settings rows[] = {
        {.l_max = 60, .tolerance = 1e-1, .quantile = 1, .damping = 1},
        {.l_max = 60, .tolerance = 1e-3, .quantile = 0.3, .damping = 1},
        {.l_max = 90, .tolerance = 1e-8, .quantile = 1, .damping = 0.9},
        {.l_max = 3, .tolerance = 1e-9, .quantile = 1, .damping = 1},
    };
    struct test_case test = selective_cases_get(_i);
    struct tensors tensors = selective_tensors(&test, 312);
    const int64_t B = test.problem.B, n = B * test.problem.T * test.problem.d, states = final_elements(&test.problem);
    for (int k = 0; k < LENGTH(rows); k++) {
        struct told a = tell(level_best(), &tensors, &rows[k], test.threads);
        if (a.status.code == STATUS_DIVERGED) { /* grows without bound: nothing is normalised */
            told_free(&a);
            continue;
        }
        int64_t l = a.trace.l_run, wanted = (int64_t)ceil(rows[k].quantile * (double)B);
        for (int64_t i = 1; i <= l; i++) {
            int64_t below = 0;
            for (int64_t b = 0; b < B; b++)
                below += a.trace.residual[(i - 1) * B + b] < rows[k].tolerance;
            ck_assert_msg(i == l || below < wanted, "%s: goes on after %lld of %lld", test.name, (long long)i, (long long)l);
            if (i == l)
                ck_assert_int_eq(a.status.code, below >= wanted ? STATUS_OK : STATUS_NOT_CONVERGED);
        }
        ck_assert(a.status.code == STATUS_OK || l == rows[k].l_max);
        struct settings fixed = rows[k];
        fixed.tolerance = 0;
        fixed.l_max = l;
        struct told b = tell(level_best(), &tensors, &fixed, test.threads);
        /* other passes: what goes from one to the next is rounded */
        ck_assert_msg(distance_max(a.y, b.y, n) <= 1e-9, "%s: not iterate %lld", test.name, (long long)l);
        ck_assert_double_le(distance_max(a.final, b.final, states), 1e-9);
        for (int64_t i = 0; i < l * B; i++)
            ck_assert_double_eq_tol(a.trace.residual[i], b.trace.residual[i], 1e-9);
        told_free(&a);
        told_free(&b);
    }
    tensors_free(&tensors);
}
END_TEST

/* The same bits, however many threads; groups of sequences that end with a smaller one. */
START_TEST(bits)
{
    struct test_case test = selective_cases_get(_i);
    test.problem.B = 7;
    struct tensors tensors = selective_tensors(&test, 313);
    struct settings settings = fixed_l(21);
    int64_t n = 7 * test.problem.T * test.problem.d;
    double *y[3] = {room(n, sizeof(double)), room(n, sizeof(double)), room(n, sizeof(double))};
    for (enum level level = 0; level <= level_best(); level++)
        for (int k = 0; k < 3; k++) {
            run_variant(find(DTYPE_FLOAT64, level), &tensors, &settings, 1 + k, y[k], NULL, NULL);
            ck_assert_msg(memcmp(y[0], y[k], (size_t)n * sizeof(double)) == 0, "%s", test.name);
        }
    for (int k = 0; k < 3; k++)
        free(y[k]);
    tensors_free(&tensors);
}
END_TEST

/* What is not finite is found where it is. */
START_TEST(growth)
{
    struct test_case test = selective_cases_get(_i);
    const struct problem *p = &test.problem;
    struct tensors tensors = selective_tensors(&test, 314);
    int64_t b = p->B / 2, t = p->T / 2;
    ((double *)tensors.owned[TENSOR_X])[(b * p->T + t) * p->d + p->d / 2] = _i % 2 == 0 ? NAN : INFINITY;
    struct settings settings = fixed_l(40);
    struct told told = tell(level_best(), &tensors, &settings, test.threads);
    ck_assert_int_eq(told.status.code, STATUS_DIVERGED);
    ck_assert_int_eq(told.status.b, b);
    ck_assert_int_eq(told.status.t, t);
    ck_assert_int_eq(told.trace.l_run, 1);
    ck_assert(isinf(told.trace.residual[b]));
    told_free(&told);
    tensors_free(&tensors);
}
END_TEST

/* ---- Gradients --------------------------------------------------------------------------------------------------------------- */

static void assert_gradient(const char *what, const struct problem *p, const struct gradient_values *values,
                            const struct gradient_values *expected)
{
    int which;
    double error = gradient_error(p, values, expected, &which);
    ck_assert_msg(error <= 1e-9, "%s: gradient of %s off by %g", what, tensor_names[which], error);
}

/* Of n applications at an iterate that has not converged, by complex steps; small problems, then those of many stretches of tokens. */
static void check_steps(const struct test_case *test, int64_t n)
{
    struct tensors tensors = selective_tensors(test, 315);
    struct loss loss = loss_draw(&test->problem, 316);
    struct settings settings = gradient_settings(GRADIENT_STEPS, n);
    struct gradient_values values, expected;
    char what[256];
    settings.tolerance = 0;
    settings.l_max = 2;
    struct status status = gradients_from(find(DTYPE_FLOAT64, level_best()), &tensors, &settings, test->threads, &loss, &values);
    ck_assert_msg(status.code == STATUS_OK, "%s: %s", test->name, status.message);
    gradient_expect_steps(&tensors, &loss, n, values.h, &expected);
    snprintf(what, sizeof what, "%s, %lld steps", test->name, (long long)n);
    assert_gradient(what, &test->problem, &values, &expected);
    gradient_values_free(&values);
    gradient_values_free(&expected);
    loss_free(&loss);
    tensors_free(&tensors);
}

START_TEST(steps_small)
{
    struct test_case test = selective_cases_small(_i);
    check_steps(&test, 1 + _i % 3);
}
END_TEST

START_TEST(steps)
{
    struct test_case test = selective_cases_get(_i);
    test.problem.B = 1 + _i % 3; /* complex steps take a run for each number */
    test.problem.T = 3 + _i % 11;
    test.problem.d = 2 + _i % 7;
    test.problem.N = 1 + _i % 5;
    problem_print(&test.problem, sizeof test.name, test.name);
    check_steps(&test, 1 + _i / 2 % 3);
}
END_TEST

/* The exact one, where the iteration has led to the answer of the sequential mode: there may be others. */
START_TEST(exact)
{
    struct test_case test = selective_cases_small(_i);
    struct tensors tensors = selective_tensors(&test, 317);
    struct loss loss = loss_draw(&test.problem, 318);
    struct settings settings = gradient_settings(GRADIENT_EXACT, 0);
    struct gradient_values values, expected;
    int64_t n = test.problem.B * test.problem.T * test.problem.d;
    const struct implementation *one = find(DTYPE_FLOAT64, level_best());
    if (!problem_low_rank(&test.problem)) {
        ck_assert(!gradient_supported(one, &test.problem, &settings));
        tensors_free(&tensors);
        loss_free(&loss);
        return;
    }
    struct status status = gradients_from(one, &tensors, &settings, test.threads, &loss, &values);
    if (status.code == STATUS_OK && gradient_settles(&tensors)) {
        double *answer = room(n, sizeof *answer);
        gradient_states(&tensors, 0, NULL, answer);
        if (distance_scaled(&tensors, values.h, answer) < 1e-10) {
            gradient_expect_exact(&tensors, &loss, &expected);
            assert_gradient(test.name, &test.problem, &values, &expected);
            gradient_values_free(&expected);
        }
        free(answer);
    }
    gradient_values_free(&values);
    loss_free(&loss);
    tensors_free(&tensors);
}
END_TEST

START_TEST(unsupported)
{
    struct test_case test = selective_cases_get(0);
    struct settings patient = fixed_l(3);
    const struct environment environment = {.threads = 2};
    struct support support;
    patient.patience = 2;
    find(DTYPE_FLOAT64, LEVEL_BASELINE)->supports(&test.problem, &patient, &environment, &support);
    ck_assert(!support.yes);
    ck_assert_ptr_nonnull(strstr(support.reason, "patience"));
}
END_TEST

/* One channel that is a thousand times as large as the others, the first of its vector, leaves float32 its digits. */
START_TEST(one_large_channel)
{
    const struct problem problem = {
        .cell = CELL_SELECTIVE, .B = 2, .T = 9, .d = 1024, .N = 4, .mixer = MIXER_HOUSEHOLDER, .r = 1, .s = 1, .norm = NORM_BOTH};
    const struct regime regime = {.seed = 5, .scale = 0.5};
    const struct settings settings = {.l_max = 1 + _i, .quantile = 1, .damping = 1};
    struct tensors tensors;
    struct error error;
    ck_assert_msg(tensors_sample(&problem, &regime, &tensors, &error), "%s", error.text);
    ((float *)tensors.owned[TENSOR_SKIP])[0] = 1000;
    struct told told = tell(level_best(), &tensors, &settings, 1);
    compare("one large channel", &tensors, &settings, &told, 5e-6);
    told_free(&told);
    tensors_free(&tensors);
}
END_TEST

Suite *suite_selective_fused(void);

Suite *suite_selective_fused(void)
{
    Suite *suite = suite_create("selective_fused");
    TCase *tests = tcase_create("selective_fused");
    int n = selective_cases_count();
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, iterates, 0, n);
    tcase_add_loop_test(tests, one_large_channel, 0, 3);
    tcase_add_loop_test(tests, damped, 0, n);
    tcase_add_loop_test(tests, tolerances, 0, n);
    tcase_add_loop_test(tests, bits, 0, n);
    tcase_add_loop_test(tests, growth, 0, n);
    tcase_add_loop_test(tests, steps_small, 0, n);
    tcase_add_loop_test(tests, steps, 0, n);
    tcase_add_loop_test(tests, exact, 0, n);
    tcase_add_test(tests, unsupported);
    suite_add_tcase(suite, tests);
    return suite;
}
