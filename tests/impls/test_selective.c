/* Every implementation of the selective cell, in all dtypes and instruction levels: iterates and final states against the textbook, exact
 * answers and gradients against complex numbers, and what the contract promises of threads, traces, statuses and tensors. A new
 * implementation needs nothing here, unless it promises more or less than the facts below. */
#include "tests/support/allocations.h"
#include "tests/support/gradient_cases.h"
#include "tests/support/numbers.h"
#include "tests/support/selective_cases.h"
#include "tests/support/room.h"

#include "bench/measure/subject.h"
#include "bench/problems/disturbance.h"
#include "bench/problems/textbook.h"
#include "bench/problems/textbook_selective.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNRESOLVED 0.05 /* a tolerance above this says nothing: the problem is too sensitive for the dtype */

/* What an implementation promises beyond what all do. */
static const struct facts {
    const char *name;
    bool same_bits; /* for every number of threads, unless they divide time */
} facts[] = {
    {"diagonal_scan", true},
    {"fixed_point", true},
};

static bool same_bits(const struct implementation *one)
{
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        if (strcmp(facts[i].name, one->name) == 0)
            return facts[i].same_bits;
    return false;
}

/* The build of implementation `index` for this problem, or NULL where it does not take it or this machine does not execute the level. */
static const struct implementation *variant(int index, const struct problem *p, const struct settings *settings, enum level level)
{
    const struct environment environment = {.threads = 3};
    struct support support;
    if (!level_available(level))
        return NULL;
    const struct implementation *one = registry_get_for(index, CELL_SELECTIVE, p->dtype, level);
    one->supports(p, settings, &environment, &support);
    return support.yes && one->device == DEVICE_CPU ? one : NULL;
}

/* ---- Iterates and final states against the textbook ---------------------------------------------------------------------------- */

/* H (B,d,N), the state that comes with f(y), y (B,T,d): token after token, in float64. */
static void textbook_final(const struct tensors *tensors, const double *y, double *H)
{
    struct tensors as = tensors_as(tensors, DTYPE_FLOAT64);
    const struct problem *p = &as.problem;
    int64_t T = p->T, d = p->d, N = p->N;
    double *scratch = room(textbook_selective_scratch(p), sizeof *scratch), *next = room(d, sizeof *next);
    double *zero = room(d, sizeof *zero);
    for (int64_t b = 0; b < p->B; b++) {
        struct tensors one;
        struct error error;
        ck_assert(tensors_sequence(&as, b, &one, &error));
        const double *y0 = one.inputs.y0 != NULL ? one.inputs.y0 : zero;
        double *state = H + b * d * N;
        memset(state, 0, (size_t)(d * N) * sizeof *state);
        if (one.inputs.H0 != NULL)
            memcpy(state, one.inputs.H0, (size_t)(d * N) * sizeof *state);
        for (int64_t t = 0; t < T; t++) {
            const double *before = t > 0 ? y + (b * T + t - 1) * d : y0;
            struct selective_token token = textbook_selective_token(&one.problem, scratch);
            textbook_selective_begin(&one.problem, &one.inputs, t, before, &token);
            textbook_selective_apply(&one.problem, &one.inputs, NULL, t, &token, state, y + (b * T + t) * d, next, state);
        }
        tensors_free(&one);
    }
    free(scratch), free(next), free(zero);
    tensors_free(&as);
}

/* max |a - b| / max |b| over n numbers of a dtype and doubles. */
static double distance(enum dtype dtype, const void *a, const double *b, int64_t n)
{
    double most = 0, size = 0;
    for (int64_t i = 0; i < n; i++) {
        most = isfinite(get(a, dtype, i)) ? fmax(most, fabs(get(a, dtype, i) - b[i])) : INFINITY;
        size = fmax(size, fabs(b[i]));
    }
    return size > 0 ? most / size : most;
}

/* What an implementation is compared with: y of l iterations and the state that the last of them came with, how far rounding takes one
 * from either, and an earlier iterate (l / 2) that a trace is asked for. */
struct expected {
    int64_t l, kept;
    double *y, *H, *early;
    double tolerance;
};

static struct expected expect(const struct tensors *tensors, int64_t l, bool final)
{
    const struct problem *p = &tensors->problem;
    int64_t n = p->B * p->T * p->d;
    struct expected e = {.l = l, .kept = (l + 1) / 2};
    e.y = room(n, sizeof *e.y), e.early = room(n, sizeof *e.early), e.H = room(final_elements(p), sizeof *e.H);
    if (l > 1)
        reference_iterate(tensors, l - 1, e.y);
    if (final)
        textbook_final(tensors, e.y, e.H);
    reference_iterate(tensors, e.kept, e.early);
    reference_iterate(tensors, l, e.y);
    e.tolerance = tolerance_iterate(tensors, l, e.y, p->dtype);
    return e;
}

static void expected_free(struct expected *e)
{
    free(e->y), free(e->H), free(e->early);
}

static void compare(const struct implementation *one, const struct test_case *test, const struct tensors *tensors,
                    const struct settings *settings, int threads, const struct expected *e, const char *level)
{
    const struct problem *p = &tensors->problem;
    int64_t n = p->B * p->T * p->d, last = p->B - 1;
    void *y = room(n, dtype_size(p->dtype)), *H = room(final_elements(p), dtype_size(p->dtype));
    void *early = room(p->T * p->d, dtype_size(p->dtype));
    struct trace trace = {.keep = &e->kept, .n_keep = 1, .sequences = &last, .n_sequences = 1, .iterates = early};
    struct status status = run_variant(one, tensors, settings, threads, y, H, &trace);
    ck_assert_msg(status.code == STATUS_OK, "%s: %s (%s): %s", test->name, one->name, level, status.message);
    double off = distance(p->dtype, y, e->y, n), off_H = distance(p->dtype, H, e->H, final_elements(p));
    ck_assert_msg(off <= e->tolerance, "%s: %s (%s), l %lld, %d threads: y off by %g, tolerance %g", test->name, one->name, level,
                  (long long)e->l, threads, off, e->tolerance);
    ck_assert_msg(off_H <= e->tolerance, "%s: %s (%s), l %lld, %d threads: H off by %g, tolerance %g", test->name, one->name, level,
                  (long long)e->l, threads, off_H, e->tolerance);
    if (!one->exact) {
        ck_assert_int_eq(trace.l_run, e->l);
        ck_assert_int_eq(trace.n_kept, 1);
        double off_early = distance(p->dtype, early, e->early + last * p->T * p->d, p->T * p->d);
        ck_assert_msg(off_early <= e->tolerance, "%s: %s (%s): iterate %lld off by %g, tolerance %g", test->name, one->name, level,
                      (long long)e->kept, off_early, e->tolerance);
    }
    free(y), free(H), free(early);
}

START_TEST(iterates)
{
    static const int64_t lengths[] = {1, 2, 5};
    struct test_case test = selective_cases_get(_i);
    struct tensors drawn = selective_tensors(&test, 81);
    int compared = 0;
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++)
        for (int k = 0; k < 3; k++) {
            struct tensors tensors = tensors_as(&drawn, dtype);
            struct settings settings = fixed_l(lengths[k]);
            struct expected e = expect(&tensors, lengths[k], true);
            for (int i = 0; i < registry_count() && e.tolerance <= UNRESOLVED; i++)
                for (enum level level = 0; level < LEVEL_COUNT; level++) {
                    const struct implementation *one = variant(i, &tensors.problem, &settings, level);
                    if (one == NULL || one->exact || one->solver)
                        continue;
                    for (int which = 0; which < choose_options(one, which, &settings); which++, compared++)
                        compare(one, &test, &tensors, &settings, 1 + (test.threads + which + k) % 3, &e, level_names[level]);
                    settings.n_options = 0;
                }
            expected_free(&e);
            tensors_free(&tensors);
        }
    ck_assert_int_gt(compared, 0);
    tensors_free(&drawn);
}
END_TEST

/* Time enough for its parts, with and without a whole number of chunks. */
START_TEST(long_sequences)
{
    static const struct {
        int64_t B, T, d, N;
    } shapes[] = {{1, 200, 9, 5}, {2, 129, 40, 3}, {1, 161, 65, 17}};
    for (int at = _i; at < selective_cases_count(); at += 23) {
        struct test_case test = selective_cases_get(at);
        test.problem.B = shapes[at % 3].B, test.problem.T = shapes[at % 3].T;
        test.problem.d = shapes[at % 3].d, test.problem.N = shapes[at % 3].N;
        test.initial = at % 2;
        if (test.problem.mixer == MIXER_DENSE)
            continue;
        struct tensors drawn = selective_tensors(&test, 82);
        for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++) {
            struct tensors tensors = tensors_as(&drawn, dtype);
            struct settings settings = fixed_l(2);
            struct expected e = expect(&tensors, 2, true);
            for (int i = 0; i < registry_count() && e.tolerance <= UNRESOLVED; i++) {
                const struct implementation *one = variant(i, &tensors.problem, &settings, level_best());
                for (int which = 0; one != NULL && !one->exact && which < choose_options(one, which, &settings); which++)
                    compare(one, &test, &tensors, &settings, 2 + which % 2, &e, level_names[level_best()]);
                settings.n_options = 0;
            }
            expected_free(&e);
            tensors_free(&tensors);
        }
        tensors_free(&drawn);
    }
}
END_TEST

/* ---- Exact answers ----------------------------------------------------------------------------------------------------------------- */

/* A problem that is one scan: without a mixer, and with nothing that reads. */
static struct test_case plain(struct test_case test)
{
    test.problem.mixer = MIXER_NONE, test.problem.r = 0, test.problem.s = 0;
    test.problem.feedback = FEEDBACK_NONE, test.problem.reads = READS_NONE;
    return test;
}

/* Of what is one scan, which one application of the map gives. */
START_TEST(scans)
{
    for (int shape = 0; shape < 3; shape++) {
        struct test_case test = plain(selective_cases_get(_i));
        if (shape > 0)
            test.problem.B = shape, test.problem.T = 97 * shape, test.problem.d = 70 / shape, test.problem.N = 6 * shape;
        struct tensors drawn = selective_tensors(&test, 83);
        for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++) {
            struct tensors tensors = tensors_as(&drawn, dtype);
            struct settings settings = fixed_l(1);
            struct expected e = expect(&tensors, 1, true);
            int compared = 0;
            for (int i = 0; i < registry_count(); i++)
                for (enum level level = 0; level < LEVEL_COUNT; level++) {
                    const struct implementation *one = variant(i, &tensors.problem, &settings, level);
                    for (int which = 0; one != NULL && which < choose_options(one, which, &settings); which++, compared++)
                        compare(one, &test, &tensors, &settings, 1 + (test.threads + which) % 3, &e, level_names[level]);
                    settings.n_options = 0;
                }
            ck_assert_int_gt(compared, 1);
            expected_free(&e);
            tensors_free(&tensors);
        }
        tensors_free(&drawn);
    }
}
END_TEST

/* Of any problem: the sequential mode's. What iterates in parallel may end at another fixed point, and is not asked. */
START_TEST(exact_answers)
{
    struct test_case test = selective_cases_small(_i);
    struct tensors tensors = selective_tensors(&test, 84);
    int64_t n = test.problem.B * test.problem.T * test.problem.d;
    double *expected = room(n, sizeof *expected), *y = room(n, sizeof *y);
    struct settings settings = gradient_settings(GRADIENT_NONE, 0);
    settings.tolerance = 1e-14;
    if (gradient_settles(&tensors)) {
        gradient_states(&tensors, 0, NULL, expected);
        for (int i = 0; i < registry_count(); i++)
            for (enum level level = 0; level < LEVEL_COUNT; level++) {
                const struct implementation *one = variant(i, &tensors.problem, &settings, level);
                if (one == NULL || !one->exact)
                    continue;
                struct status status = run_variant(one, &tensors, &settings, test.threads, y, NULL, NULL);
                ck_assert_msg(status.code == STATUS_OK, "%s: %s: %s", test.name, one->name, status.message);
                double off = distance_scaled(&tensors, y, expected);
                ck_assert_msg(off <= 1e-9, "%s: %s (%s): off by %g", test.name, one->name, level_names[level], off);
            }
    }
    free(expected), free(y);
    tensors_free(&tensors);
}
END_TEST

/* ---- Gradients ------------------------------------------------------------------------------------------------------------------------ */

#define TOLERANCE 1e-9

static void assert_accurate(const struct implementation *one, const struct test_case *test, const struct tensors *tensors,
                            const struct gradient_values *values, const struct gradient_values *expected, const char *what)
{
    int which;
    double error = gradient_error(&tensors->problem, values, expected, &which);
    ck_assert_msg(error <= TOLERANCE, "%s, %s: %s: gradient of %s off by %g", one->name, test->name, what, tensor_names[which],
                  error);
}

/* Through n applications at the y that the implementation left, whether or not it is a fixed point. */
static void compare_steps(const struct test_case *test, uint64_t seed, int64_t most)
{
    struct tensors tensors = selective_tensors(test, seed);
    struct loss loss = loss_draw(&test->problem, seed);
    int compared = 0;
    for (int64_t n = 1; n <= most; n++)
        for (int i = 0; i < registry_count(); i++)
            for (enum level level = 0; level < LEVEL_COUNT; level++) {
                struct settings settings = gradient_settings(GRADIENT_STEPS, n);
                struct gradient_values expected, values;
                const struct implementation *one = variant(i, &tensors.problem, &settings, level);
                if (one == NULL)
                    continue;
                choose_options(one, test->index / 2, &settings);
                struct status status = gradients_from(one, &tensors, &settings, test->threads, &loss, &values);
                ck_assert_msg(status.code == STATUS_OK, "%s, %s: %s", one->name, test->name, status.message);
                gradient_expect_steps(&tensors, &loss, n, values.h, &expected);
                assert_accurate(one, test, &tensors, &values, &expected, "n-step");
                gradient_values_free(&expected);
                gradient_values_free(&values);
                compared++;
            }
    ck_assert_int_gt(compared, 0);
    loss_free(&loss);
    tensors_free(&tensors);
}

START_TEST(steps)
{
    struct test_case test = selective_cases_small(_i);
    compare_steps(&test, 85, 3);
}
END_TEST

/* More than a chunk of time, and parts of it. */
START_TEST(long_steps)
{
    static const int shapes[][4] = {{1, 67, 3, 2}, {2, 40, 2, 3}, {1, 100, 2, 1}};
    struct test_case test = selective_cases_small(7 * _i + 3);
    test.problem.B = shapes[_i % 3][0], test.problem.T = shapes[_i % 3][1];
    test.problem.d = shapes[_i % 3][2], test.problem.N = shapes[_i % 3][3];
    test.threads = 1 + _i % 3;
    compare_steps(&test, 86, 2);
}
END_TEST

/* Exact gradients are defined at the implementation's own fixed point: those that iterate to the sequential mode's are compared, those
 * that end elsewhere, or nowhere, are not. */
START_TEST(exact)
{
    struct test_case test = selective_cases_small(_i);
    struct tensors tensors = selective_tensors(&test, 87);
    int64_t n = test.problem.B * test.problem.T * test.problem.d;
    double *answer = room(n, sizeof *answer);
    if (gradient_settles(&tensors)) {
        struct loss loss = loss_draw(&test.problem, 88);
        struct gradient_values expected, values;
        gradient_states(&tensors, 0, NULL, answer);
        gradient_expect_exact(&tensors, &loss, &expected);
        for (int i = 0; i < registry_count(); i++) {
            struct settings settings = gradient_settings(GRADIENT_EXACT, 0);
            settings.l_max = 2000;
            const struct implementation *one = variant(i, &tensors.problem, &settings, level_best());
            if (one == NULL)
                continue;
            choose_options(one, test.index / 2, &settings);
            struct status status = gradients_from(one, &tensors, &settings, test.threads, &loss, &values);
            bool comes = status.code == STATUS_OK && distance_scaled(&tensors, values.h, answer) < 1e-11;
            ck_assert_msg(comes || !one->exact, "%s, %s: %s", one->name, test.name, status.message);
            if (comes)
                assert_accurate(one, &test, &tensors, &values, &expected, "exact");
            gradient_values_free(&values);
        }
        gradient_values_free(&expected);
        loss_free(&loss);
    }
    free(answer);
    tensors_free(&tensors);
}
END_TEST

/* Most of them do come there, so that the test before this one is one. */
START_TEST(exact_iterated_often)
{
    int settled = 0, came = 0;
    for (int i = 0; i < selective_cases_count(); i++) {
        struct test_case test = selective_cases_small(i);
        struct tensors tensors = selective_tensors(&test, 87);
        int64_t n = test.problem.B * test.problem.T * test.problem.d;
        double *answer = room(n, sizeof *answer), *y = room(n, sizeof *y);
        struct settings settings = gradient_settings(GRADIENT_NONE, 0);
        settings.l_max = 2000;
        settings.tolerance = 1e-13;
        const struct implementation *one = variant(registry_find("fixed_point"), &tensors.problem, &settings, level_best());
        ck_assert_ptr_nonnull(one);
        if (gradient_settles(&tensors)) {
            gradient_states(&tensors, 0, NULL, answer);
            settled++;
            came += run_variant(one, &tensors, &settings, 2, y, NULL, NULL).code == STATUS_OK &&
                    distance_scaled(&tensors, y, answer) < 1e-11;
        }
        free(answer), free(y);
        tensors_free(&tensors);
    }
    ck_assert_msg(came >= settled / 2 && came > 20, "%d of %d", came, settled);
}
END_TEST

/* Each gradient by itself is what it is among all. */
START_TEST(single_gradients)
{
    struct test_case test = selective_cases_small(_i);
    struct tensors tensors = selective_tensors(&test, 89);
    struct loss loss = loss_draw(&test.problem, 89);
    for (int i = 0; i < registry_count(); i++) {
        struct settings settings = gradient_settings(GRADIENT_STEPS, 1 + _i % 2);
        struct gradient_values all, one_alone;
        const struct implementation *one = variant(i, &tensors.problem, &settings, level_best());
        if (one == NULL)
            continue;
        ck_assert_int_eq(gradients_from(one, &tensors, &settings, 2, &loss, &all).code, STATUS_OK);
        for (enum tensor_id id = 0; id < TENSORS_MAX; id++) {
            int64_t elements = tensor_elements(&test.problem, id);
            if (elements == 0)
                continue;
            ck_assert_int_eq(gradient_run_some(one, &tensors, &settings, 2, &loss, 1u << id, &one_alone).code, STATUS_OK);
            for (int64_t k = 0; k < elements; k++)
                ck_assert_msg(fabs(one_alone.of[id][k] - all.of[id][k]) <= 1e-12 * (1 + fabs(all.of[id][k])),
                              "%s, %s: %s alone is another", one->name, test.name, tensor_names[id]);
            gradient_values_free(&one_alone);
        }
        gradient_values_free(&all);
    }
    loss_free(&loss);
    tensors_free(&tensors);
}
END_TEST

/* ---- Threads, stopping, statuses --------------------------------------------------------------------------------------------------- */

START_TEST(thread_counts)
{
    struct test_case test = selective_cases_get(_i);
    struct tensors drawn = selective_tensors(&test, 90);
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++) {
        struct tensors tensors = tensors_as(&drawn, dtype);
        const struct problem *p = &tensors.problem;
        size_t y_bytes = (size_t)(p->B * p->T * p->d) * dtype_size(dtype), H_bytes = (size_t)final_elements(p) * dtype_size(dtype);
        char *y = room(2, y_bytes), *H = room(2, H_bytes);
        for (int i = 0; i < registry_count(); i++) {
            struct settings settings = fixed_l(3);
            const struct implementation *one = variant(i, p, &settings, level_best());
            if (one == NULL)
                continue;
            for (int which = 0; which < choose_options(one, which, &settings); which++)
                for (int n = 1; n <= 4; n++) {
                    bool time = settings.n_options > 0 && strcmp(settings.option[0].value, "time") == 0;
                    int other = same_bits(one) && !time && settings.n_options > 0 ? 1 : n; /* the same of as many, in any case */
                    /* a token may have no exact answer, whoever computes it */
                    enum status_code code = run_variant(one, &tensors, &settings, other, y, H, NULL).code;
                    ck_assert(code == STATUS_OK || one->exact);
                    ck_assert_int_eq(run_variant(one, &tensors, &settings, n, y + y_bytes, H + H_bytes, NULL).code, code);
                    if (code != STATUS_OK)
                        continue;
                    ck_assert_msg(memcmp(y, y + y_bytes, y_bytes) == 0 && memcmp(H, H + H_bytes, H_bytes) == 0,
                                  "%s: %s: other bits with %d threads than with %d", test.name, one->name, n, other);
                }
        }
        free(y), free(H);
        tensors_free(&tensors);
    }
    tensors_free(&drawn);
}
END_TEST

/* Residuals, l* and damping against a loop over the textbook's map, each sequence by itself. */
START_TEST(stopping)
{
    enum { MOST = 40 };
    struct test_case test = selective_cases_get(_i);
    struct tensors tensors = selective_tensors(&test, 91);
    const struct problem *p = &tensors.problem;
    int64_t size = p->T * p->d, n = p->B * size, l_star[8] = {0};
    ck_assert_int_le(p->B, 8);
    double *y = room(n, sizeof *y), *expected = room(size, sizeof *expected), *next = room(size, sizeof *next);
    double *residual = room(MOST * p->B, sizeof *residual);
    struct settings settings = fixed_l(MOST);
    settings.tolerance = 1e-3, settings.damping = 0.9, settings.damping_factor = 0.8, settings.patience = 2;
    for (int i = 0; i < registry_count(); i++) {
        const struct implementation *one = variant(i, p, &settings, level_best());
        if (one == NULL || one->exact || one->solver)
            continue;
        memset(l_star, 0, sizeof l_star);
        struct trace trace = {.l = l_star, .residual = residual};
        struct status status = run_variant(one, &tensors, &settings, test.threads, y, NULL, &trace);
        bool converged = true, ran_away = false;
        for (int64_t b = 0; b < p->B; b++) {
            struct tensors sequence;
            struct error error;
            double delta = settings.damping, best = INFINITY, sensitivity = 1e-9;
            int64_t waited = 0, first = 0;
            bool now = false, calm = true;
            ck_assert(tensors_sequence(&tensors, b, &sequence, &error));
            memset(expected, 0, (size_t)size * sizeof *expected);
            for (int64_t l = 1; l <= trace.l_run && calm; l++) {
                ck_assert(textbook_apply(&sequence.problem, &sequence.inputs, expected, next));
                double now_residual = textbook_residual(&sequence.problem, expected, next);
                double told = residual[(l - 1) * p->B + b];
                calm = now_residual < 4 && told < 4; /* what runs away is not compared */
                if (!calm)
                    break;
                ck_assert_msg(fabs(told - now_residual) <= sensitivity * (1 + now_residual),
                              "%s: %s: residual %lld of %lld is %g, expected %g", test.name, one->name, (long long)l, (long long)b,
                              told, now_residual);
                now = now_residual < settings.tolerance;
                first = now && first == 0 ? l : first;
                for (int64_t k = 0; k < size; k++)
                    expected[k] = delta * next[k] + (1 - delta) * expected[k];
                if (told < best)
                    best = told, waited = 0;
                else if (++waited >= settings.patience)
                    delta *= settings.damping_factor, best = INFINITY, waited = 0;
                sensitivity = fmin(sensitivity * 2, 1e-3);
            }
            tensors_free(&sequence);
            if (!calm) {
                ran_away = true;
                break;
            }
            converged = converged && now;
            ck_assert_int_eq(l_star[b], first);
            double off = distance(DTYPE_FLOAT64, y + b * size, expected, size);
            ck_assert_msg(off <= sensitivity, "%s: %s: sequence %lld off by %g", test.name, one->name, (long long)b, off);
        }
        if (ran_away)
            continue;
        ck_assert_msg(status.code == (converged ? STATUS_OK : STATUS_NOT_CONVERGED), "%s: %s: %s", test.name, one->name,
                      status_names[status.code]);
        ck_assert(converged || trace.l_run == MOST);
    }
    free(y), free(expected), free(next), free(residual);
    tensors_free(&tensors);
}
END_TEST

/* NaN or Inf in any tensor comes to light, at the token where it enters where it is one token's. */
START_TEST(not_finite)
{
    struct test_case test = selective_cases_get(_i);
    struct tensors drawn = selective_tensors(&test, 92);
    int64_t n = test.problem.B * test.problem.T * test.problem.d;
    void *y = room(n, sizeof(double));
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++)
        for (enum tensor_id id = 0; id < TENSORS_MAX; id++)
            for (int kind = 0; kind < 2; kind++) {
                struct tensors tensors = tensors_as(&drawn, dtype);
                const struct problem *p = &tensors.problem;
                int64_t elements = tensors.owned[id] != NULL ? tensor_elements(p, id) : 0, per = tensor_of_sequence(p, id);
                int64_t at = elements * 2 / 3, b = elements > 0 && tensor_of_batch(p, id) ? at / per : 0;
                bool token = tensor_row(p, id) != NULL && strncmp(tensor_row(p, id)->shape, "BT", 2) == 0;
                int64_t t = elements > 0 && token ? at % per / (per / p->T) : 0;
                struct settings settings = fixed_l(2);
                /* an infinite step forgets the state, an infinite rate likewise: e^-inf is 0, and 0 times infinity is NaN only where
                 * there is a state; Householder's Inf and the like are NaN by then */
                bool used = id != TENSOR_Y0 || p->reads != READS_NONE || p->feedback != FEEDBACK_NONE;
                if (elements > 0 && used &&
                    (kind == 0 || id == TENSOR_X || id == TENSOR_B || id == TENSOR_C || id == TENSOR_MATRIX0))
                    put(tensors.owned[id], dtype, at, kind == 0 ? NAN : INFINITY);
                else
                    elements = 0;
                for (int i = 0; i < registry_count() && elements > 0; i++) {
                    const struct implementation *one = variant(i, p, &settings, level_best());
                    if (one == NULL)
                        continue;
                    struct tensors clean = tensors_as(&drawn, dtype);
                    bool answered = run_variant(one, &clean, &settings, 1, y, NULL, NULL).code == STATUS_OK;
                    tensors_free(&clean);
                    ck_assert(answered || one->exact);
                    if (!answered) /* a token has no exact answer, and may come first */
                        continue;
                    choose_options(one, _i + kind, &settings);
                    struct status status = run_variant(one, &tensors, &settings, test.threads, y, NULL, NULL);
                    ck_assert_msg(status.code == STATUS_DIVERGED, "%s: %s: %s in %s: %s", test.name, one->name,
                                  kind == 0 ? "NaN" : "Inf", tensor_names[id], status_names[status.code]);
                    ck_assert_msg(!token || (status.b == b && status.t == t), "%s: %s: in %s at (%lld,%lld), found at (%lld,%lld)",
                                  test.name, one->name, tensor_names[id], (long long)b, (long long)t, (long long)status.b,
                                  (long long)status.t);
                    settings.n_options = 0;
                }
                tensors_free(&tensors);
            }
    free(y);
    tensors_free(&drawn);
}
END_TEST

/* Large steps forget, steps of nothing remember everything; neither is special to a kernel. */
START_TEST(edges)
{
    static const double steps_[] = {0, 1e-30, 1e-3, 50, 1e4, 1e30};
    struct test_case test = plain(selective_cases_get(_i));
    test.problem.norm = NORM_NONE;
    test.initial = true;
    struct tensors drawn = selective_tensors(&test, 93);
    for (size_t k = 0; k < sizeof steps_ / sizeof steps_[0]; k++)
        for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++) {
            struct tensors tensors = tensors_as(&drawn, dtype);
            for (int64_t i = 0; i < tensor_elements(&tensors.problem, TENSOR_DT); i++) {
                put(tensors.owned[TENSOR_DT], dtype, i, steps_[k]);
                if (steps_[k] > 1)
                    put(tensors.owned[TENSOR_X], dtype, i, get(tensors.owned[TENSOR_X], dtype, i) / steps_[k]);
            }
            struct settings settings = fixed_l(1);
            struct expected e = expect(&tensors, 1, true);
            e.tolerance = dtype == DTYPE_FLOAT32 ? 2e-5 : 1e-13;
            for (int i = 0; i < registry_count(); i++)
                for (enum level level = 0; level < LEVEL_COUNT; level++) {
                    const struct implementation *one = variant(i, &tensors.problem, &settings, level);
                    if (one != NULL)
                        compare(one, &test, &tensors, &settings, test.threads, &e, level_names[level]);
                }
            expected_free(&e);
            tensors_free(&tensors);
        }
    tensors_free(&drawn);
}
END_TEST

/* What support.host_bytes says, plan() takes; and forward() and backward() allocate nothing. */
START_TEST(memory)
{
    enum { APART = 8192 }; /* the plan itself, and up to 64 bytes of alignment for each of its arrays */
    struct test_case test = selective_cases_get(_i);
    test.problem.B = 3, test.problem.T = 90, test.problem.d = test.problem.mixer == MIXER_DENSE ? 12 : 36;
    for (int i = 0; i < registry_count(); i++)
        for (enum gradient gradient = GRADIENT_NONE; gradient <= GRADIENT_STEPS; gradient++)
            for (int threads = 1; threads <= 3; threads++) {
                struct settings settings = gradient_settings(gradient, gradient == GRADIENT_STEPS ? threads : 0);
                const struct environment environment = {.threads = threads};
                struct support support;
                struct plan *plan;
                settings.tolerance = 0, settings.l_max = 3 * threads;
                test.problem.dtype = threads % 2 ? DTYPE_FLOAT32 : DTYPE_FLOAT64;
                const struct implementation *one = registry_get_for(i, CELL_SELECTIVE, test.problem.dtype, level_best());
                one->supports(&test.problem, &settings, &environment, &support);
                if (!support.yes || one->device != DEVICE_CPU)
                    continue;
                choose_options(one, _i + threads, &settings);
                one->supports(&test.problem, &settings, &environment, &support);
                long before = allocations_bytes();
                ck_assert_int_eq(one->plan(&test.problem, &settings, &environment, &plan).code, STATUS_OK);
                double taken = (double)(allocations_bytes() - before), said = (double)support.host_bytes;
                one->destroy(plan);
                ck_assert_msg(taken <= said * 1.02 + APART && said <= taken * 1.02 + APART,
                              "%s, %s, %d threads, gradient %d: takes %.0f bytes, says %.0f", one->name, test.name, threads,
                              (int)gradient, taken, said);
            }
}
END_TEST

/* Passes that lack a tensor, have one too many or would write over one are refused, and nothing is written. */
START_TEST(misuse)
{
    struct test_case test = selective_cases_get(_i);
    struct tensors tensors = selective_tensors(&test, 94);
    const struct problem *p = &tensors.problem;
    int64_t n = p->B * p->T * p->d;
    double *y = room(n, sizeof *y), *x = room(n, sizeof *x);
    for (int i = 0; i < registry_count(); i++) {
        struct settings settings = gradient_settings(GRADIENT_STEPS, 1);
        const struct environment environment = {.threads = 2};
        const struct implementation *one = variant(i, p, &settings, level_best());
        struct plan *plan;
        if (one == NULL)
            continue;
        ck_assert_int_eq(one->plan(p, &settings, &environment, &plan).code, STATUS_OK);
        const struct outputs outputs = {.y = y}, onto = {.y = (void *)tensors.inputs.x}, weights = {.y = x};
        struct inputs lacking = tensors.inputs, more = tensors.inputs;
        struct gradients gradients = {.x = x}, foreign = {.v = y};
        lacking.A = NULL, more.v = x;
        ck_assert_int_eq(one->forward(plan, &tensors.inputs, &onto, NULL).code, STATUS_UNSUPPORTED);
        ck_assert_int_eq(one->forward(plan, &lacking, &outputs, NULL).code, STATUS_UNSUPPORTED);
        ck_assert_int_eq(one->forward(plan, &more, &outputs, NULL).code, STATUS_UNSUPPORTED);
        ck_assert_int_eq(one->backward(plan, &tensors.inputs, &outputs, &weights, &gradients).code, STATUS_UNSUPPORTED);
        ck_assert_int_eq(one->backward(plan, &tensors.inputs, &outputs, &weights, &foreign).code, STATUS_UNSUPPORTED);
        for (int64_t k = 0; k < n; k++)
            ck_assert(x[k] == 0 && y[k] == 0);
        one->destroy(plan);
    }
    free(y), free(x);
    tensors_free(&tensors);
}
END_TEST

Suite *suite_selective(void);

Suite *suite_selective(void)
{
    Suite *suite = suite_create("selective");
    TCase *all = tcase_create("all");
    int n = selective_cases_count();
    tcase_set_timeout(all, 300);
    tcase_add_loop_test(all, iterates, 0, n);
    tcase_add_loop_test(all, long_sequences, 0, 23);
    tcase_add_loop_test(all, scans, 0, n);
    tcase_add_loop_test(all, exact_answers, 0, n);
    tcase_add_loop_test(all, steps, 0, n);
    tcase_add_loop_test(all, long_steps, 0, 24);
    tcase_add_loop_test(all, exact, 0, n);
    tcase_add_test(all, exact_iterated_often);
    tcase_add_loop_test(all, single_gradients, 0, n);
    tcase_add_loop_test(all, thread_counts, 0, n);
    tcase_add_loop_test(all, stopping, 0, n);
    tcase_add_loop_test(all, not_finite, 0, n);
    tcase_add_loop_test(all, edges, 0, n);
    tcase_add_loop_test(all, memory, 0, n);
    tcase_add_loop_test(all, misuse, 0, n);
    suite_add_tcase(suite, all);
    return suite;
}
