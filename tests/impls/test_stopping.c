/* When iterations stop that are given a tolerance: l* of every implementation, of chunks and of the adjoint of an exact gradient, against
 * the residuals that the textbook's map has (docs/mathematics.md, Stopping; docs/explanation/solvers.md). */
#include "tests/support/reference.h"

#include "bench/base/random.h"
#include "bench/measure/subject.h"
#include "bench/problems/textbook.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_stopping(void);

enum { B = 3, T = 9, D = 6, L = 120, SIZE = T * D, N = B * SIZE };

static const enum mixer mixers[] = {MIXER_DPLR, MIXER_HOUSEHOLDER, MIXER_KRONECKER, MIXER_NONE};
enum { MIXERS = sizeof mixers / sizeof mixers[0] };

static struct test_case some_case(int mixer, enum feedback feedback, enum form form)
{
    bool none = mixers[mixer] == MIXER_NONE;
    struct test_case test = {.name = "stopping", .initial = true, .problem = {.B = B, .T = T, .d = D, .mixer = mixers[mixer]}};
    test.problem.r = mixer_facts[mixers[mixer]].takes_r ? 2 : 0, test.problem.s = none ? 0 : 0.7;
    test.problem.form = form, test.problem.feedback = none ? FEEDBACK_NONE : feedback, test.problem.dtype = DTYPE_FLOAT64;
    return test;
}

static int64_t wanted_of(const struct settings *settings)
{
    return (int64_t)ceil(settings->quantile * B);
}

/* next = f(h) of sequence b. */
static void apply(const struct tensors *tensors, int64_t b, const double *h, double *next)
{
    struct tensors one;
    struct error error;
    ck_assert(tensors_sequence(tensors, b, &one, &error));
    ck_assert(textbook_apply(&one.problem, &one.inputs, h, next));
    tensors_free(&one);
}

/* What a run must report. residual[l - 1][b]: of iteration l; `clear`: none of them is so near the tolerance that rounding decides. */
struct expected {
    double residual[L][B];
    int64_t l_star[B], l_run;
    bool clear;
};

/* All stop at the first iteration at which enough sequences are below; l* is the first at which a sequence is. */
static void judge(const struct settings *settings, double tolerance, double near, struct expected *expected)
{
    int64_t below = 0;
    memset(expected->l_star, 0, sizeof expected->l_star);
    expected->clear = true;
    for (expected->l_run = 0; expected->l_run < settings->l_max && below < wanted_of(settings); expected->l_run++) {
        below = 0;
        for (int64_t b = 0; b < B; b++) {
            double residual = expected->residual[expected->l_run][b];
            below += residual < tolerance;
            if (residual < tolerance && expected->l_star[b] == 0)
                expected->l_star[b] = expected->l_run + 1;
            expected->clear = expected->clear && fabs(residual / tolerance - 1) > near;
        }
    }
}

/* Residuals of the paper's iteration. */
static void residuals_of_iteration(const struct tensors *tensors, struct expected *expected)
{
    double h[SIZE], next[SIZE];
    for (int64_t b = 0; b < B; b++) {
        memset(h, 0, sizeof h);
        for (int l = 0; l < L; l++) {
            apply(tensors, b, h, next);
            expected->residual[l][b] = textbook_residual(&tensors->problem, h, next);
            memcpy(h, next, sizeof h);
        }
    }
}

/* Those of a solver, from its own iterates (L,B,T,d): how far f takes the one before, or, of quasi_deer, how far the sweep took it. gmres
 * does not look at its second, which is f of the first: a product comes then, whatever its residual. */
static void residuals_of_solver(const struct implementation *one, const struct tensors *tensors, const double *iterates,
                                int64_t l_run, struct expected *expected)
{
    double h[SIZE] = {0}, next[SIZE];
    for (int64_t b = 0; b < B; b++) {
        memset(h, 0, sizeof h);
        for (int64_t l = 0; l < l_run; l++) {
            const double *iterate = iterates + l * N + b * SIZE;
            bool swept = strcmp(one->name, "quasi_deer") == 0;
            if (!swept)
                apply(tensors, b, h, next);
            expected->residual[l][b] = textbook_residual(&tensors->problem, h, swept ? iterate : next);
            if (l == 1 && strcmp(one->name, "gmres") == 0)
                expected->residual[l][b] = INFINITY;
            memcpy(h, iterate, sizeof h);
        }
    }
}

/* One run with all its iterates. */
struct run {
    struct status status;
    struct trace trace;
    int64_t l_star[B], keep[L], sequences[B];
    double *iterates; /* (L,B,T,d) */
};

static void run_watched(const struct implementation *one, const struct tensors *tensors, const struct settings *settings,
                        int threads, struct run *run)
{
    enum dtype dtype = tensors->problem.dtype;
    double h[N];
    void *kept = calloc(L * N, dtype_size(dtype));
    run->iterates = calloc(L * N, sizeof(double));
    ck_assert(kept != NULL && run->iterates != NULL);
    for (int64_t l = 0; l < L; l++)
        run->keep[l] = l + 1;
    for (int64_t b = 0; b < B; b++)
        run->sequences[b] = b, run->l_star[b] = -1;
    run->trace = (struct trace){
        .l = run->l_star, .keep = run->keep, .n_keep = L, .sequences = run->sequences, .n_sequences = B, .iterates = kept};
    run->status = run_variant(one, tensors, settings, threads, h, NULL, &run->trace);
    to_doubles(dtype, kept, 0, run->trace.n_kept * N, run->iterates);
    free(kept);
}

static void assert_stops(const struct implementation *one, const struct tensors *tensors, const struct settings *settings,
                         const struct run *run, const struct expected *expected)
{
    char text[128];
    problem_print(&tensors->problem, sizeof text, text);
    ck_assert_msg(run->trace.l_run == expected->l_run, "%s, %s, tolerance %g, quantile %g: %lld iterations, expected %lld",
                  one->name, text, settings->tolerance, settings->quantile, (long long)run->trace.l_run,
                  (long long)expected->l_run);
    for (int64_t b = 0; b < B; b++)
        ck_assert_msg(run->l_star[b] == expected->l_star[b], "%s, %s, tolerance %g: l* of sequence %lld is %lld, expected %lld",
                      one->name, text, settings->tolerance, (long long)b, (long long)run->l_star[b],
                      (long long)expected->l_star[b]);
}

/* Returns whether there was something to compare. */
static bool look(const struct implementation *one, const struct tensors *tensors, const struct settings *settings, int threads)
{
    const struct environment environment = {.threads = threads};
    struct support support;
    struct expected expected;
    struct run run;
    one->supports(&tensors->problem, settings, &environment, &support);
    if (one->exact || one->device != DEVICE_CPU || !support.yes)
        return false;
    run_watched(one, tensors, settings, threads, &run);
    bool iteration = !one->solver || strcmp(one->name, "fixed_point_chunked") == 0; /* whose only chunk is the sequence */
    if (iteration)
        residuals_of_iteration(tensors, &expected);
    else
        residuals_of_solver(one, tensors, run.iterates, run.trace.l_run, &expected);
    judge(settings, settings->tolerance, tensors->problem.dtype == DTYPE_FLOAT32 ? 3e-3 : 1e-6, &expected);
    if (expected.clear) {
        ck_assert_int_eq(run.status.code, STATUS_OK);
        assert_stops(one, tensors, settings, &run, &expected);
    }
    free(run.iterates);
    return expected.clear;
}

/* Every implementation, with tolerances that lie far apart: one that is taken to be another is another l*. */
START_TEST(implementations)
{
    static const double tolerances[DTYPE_COUNT][3] = {{3e-2, 5e-3, 1e-3}, {1e-2, 1e-5, 1e-9}}, quantiles[] = {1, 0.5};
    struct test_case test =
        some_case(_i % MIXERS, (enum feedback)(_i / MIXERS % FEEDBACK_COUNT), (enum form)(_i / MIXERS / FEEDBACK_COUNT));
    struct tensors drawn = case_tensors(&test, 110);
    for (int i = 0; i < registry_count(); i++)
        for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++) {
            const struct implementation *one = registry_get(i, dtype, level_best());
            struct tensors tensors = tensors_as(&drawn, dtype);
            int compared = 0, tried = 0;
            for (int k = 0; k < 6; k++) {
                struct settings settings = fixed_l(L);
                settings.tolerance = tolerances[dtype][k / 2], settings.quantile = quantiles[k % 2];
                compared += look(one, &tensors, &settings, 1 + k % 3);
                tried++;
            }
            const struct environment environment = {.threads = 1};
            struct settings settings = fixed_l(L);
            struct support support;
            one->supports(&tensors.problem, &settings, &environment, &support);
            if (!one->exact && one->device == DEVICE_CPU && support.yes)
                ck_assert_msg(compared * 3 >= tried, "%s: %d of %d tolerances could be told apart", one->name, compared, tried);
            tensors_free(&tensors);
        }
    tensors_free(&drawn);
}
END_TEST

/* ---- Chunks ------------------------------------------------------------------------------------------------------------------- */

/* What fixed_point_chunked must report with chunks of n tokens: each iterated to a residual of tolerance n / T from the state that the one
 * before ended with, until enough sequences are below; l* is the most that a chunk took, 0 when a sequence never was below in one. */
struct chunked {
    int64_t l_star[B], l_run;
    double applications;
    bool clear;
};

/* The problem of tokens from ... from + n - 1 of a sequence, which begins at h0. */
static struct inputs chunk_of(struct tensors *one, int64_t from, int64_t n, const double *h0)
{
    struct inputs inputs = one->inputs;
    one->problem.T = n;
    inputs.v = (const double *)inputs.v + from * D;
    inputs.lambda = (const double *)inputs.lambda + from * D;
    inputs.theta = inputs.theta != NULL ? (const double *)inputs.theta + from * problem_m(&one->problem) : NULL;
    inputs.h0 = from > 0 ? h0 : inputs.h0;
    return inputs;
}

static void follow_chunks(const struct tensors *tensors, const struct settings *settings, int64_t n, struct chunked *out)
{
    double h0[B][D];
    struct tensors one;
    struct error error;
    *out = (struct chunked){.clear = true};
    for (int64_t from = 0; from < T; from += n) {
        int64_t here = from + n < T ? n : T - from;
        struct expected chunk;
        for (int64_t b = 0; b < B; b++) {
            double h[SIZE] = {0}, next[SIZE];
            ck_assert(tensors_sequence(tensors, b, &one, &error));
            struct inputs inputs = chunk_of(&one, from, here, h0[b]);
            for (int l = 0; l < L; l++) {
                ck_assert(textbook_apply(&one.problem, &inputs, h, next));
                chunk.residual[l][b] = textbook_residual(&one.problem, h, next);
                memcpy(h, next, (size_t)(here * D) * sizeof *h);
            }
            tensors_free(&one);
        }
        judge(settings, settings->tolerance * (double)n / T, 1e-6, &chunk);
        for (int64_t b = 0; b < B; b++) { /* the states of the iterate at which all stopped */
            double h[SIZE];
            ck_assert(tensors_sequence(tensors, b, &one, &error));
            struct inputs inputs = chunk_of(&one, from, here, h0[b]);
            ck_assert(textbook_iterate(&one.problem, &inputs, 1, chunk.l_run, h, NULL));
            memcpy(h0[b], h + (here - 1) * D, sizeof h0[b]);
            bool never = chunk.l_star[b] == 0 || (from > 0 && out->l_star[b] == 0);
            out->l_star[b] = never ? 0 : chunk.l_star[b] > out->l_star[b] ? chunk.l_star[b] : out->l_star[b];
            tensors_free(&one);
        }
        out->clear = out->clear && chunk.clear;
        out->l_run = chunk.l_run > out->l_run ? chunk.l_run : out->l_run;
        out->applications += (double)(chunk.l_run * here) / T;
    }
}

START_TEST(chunks)
{
    static const double tolerances[] = {1e-2, 1e-5, 1e-9}, quantiles[] = {1, 0.5};
    struct test_case test =
        some_case(_i % MIXERS, (enum feedback)(_i / MIXERS % FEEDBACK_COUNT), (enum form)(_i / MIXERS / FEEDBACK_COUNT));
    struct tensors tensors = case_tensors(&test, 111);
    const struct implementation *one = registry_get(registry_find("fixed_point_chunked"), DTYPE_FLOAT64, level_best());
    int compared = 0;
    for (int64_t n = 1; n <= 5; n++)
        for (int k = 0; k < 6; k++) {
            struct settings settings = fixed_l(L);
            struct chunked expected;
            double h[N];
            int64_t l_star[B] = {-1, -1, -1};
            struct trace trace = {.l = l_star};
            settings.tolerance = tolerances[k / 2], settings.quantile = quantiles[k % 2], settings.n_options = 1;
            snprintf(settings.option[0].name, sizeof settings.option[0].name, "chunk");
            snprintf(settings.option[0].value, sizeof settings.option[0].value, "%lld", (long long)n);
            follow_chunks(&tensors, &settings, n, &expected);
            ck_assert_int_eq(run_variant(one, &tensors, &settings, 1 + k % 3, h, NULL, &trace).code, STATUS_OK);
            if (!expected.clear)
                continue;
            compared++;
            ck_assert_int_eq(trace.l_run, expected.l_run);
            ck_assert_double_eq_tol(trace.applications, expected.applications, 1e-12 * expected.applications);
            for (int64_t b = 0; b < B; b++)
                ck_assert_msg(l_star[b] == expected.l_star[b],
                              "chunk=%lld, tolerance %g, quantile %g: l* of sequence %lld is %lld, expected %lld", (long long)n,
                              settings.tolerance, settings.quantile, (long long)b, (long long)l_star[b],
                              (long long)expected.l_star[b]);
        }
    ck_assert_int_gt(compared, 25);
    tensors_free(&tensors);
}
END_TEST

/* ---- The adjoint of an exact gradient -------------------------------------------------------------------------------------------- */

/* out (SIZE) = J^T a, or (df/dv)^T a: f of sequence b is linear, and its columns are what it makes of unit vectors. */
static void transposed(const struct tensors *tensors, int64_t b, bool of_v, const double *a, double *out)
{
    struct tensors one;
    struct error error;
    double zero[SIZE] = {0}, unit[SIZE] = {0}, column[SIZE];
    ck_assert(tensors_sequence(tensors, b, &one, &error));
    struct inputs inputs = one.inputs;
    inputs.h0 = NULL;
    for (int i = 0; i < SIZE; i++) {
        unit[i] = 1;
        inputs.v = of_v ? unit : zero;
        ck_assert(textbook_apply(&one.problem, &inputs, of_v ? zero : unit, column));
        unit[i] = 0;
        out[i] = 0;
        for (int k = 0; k < SIZE; k++)
            out[i] += column[k] * a[k];
    }
    tensors_free(&one);
}

/* v (N): the gradient of v where a <- delta + J^T a has stopped. */
static bool follow_adjoint(const struct tensors *tensors, const struct settings *settings, const double *delta, double *v)
{
    static double a[L + 1][N];
    struct expected expected;
    memcpy(a[0], delta, sizeof a[0]);
    for (int l = 0; l < L; l++)
        for (int64_t b = 0; b < B; b++) {
            double *next = a[l + 1] + b * SIZE;
            transposed(tensors, b, false, a[l] + b * SIZE, next);
            for (int i = 0; i < SIZE; i++)
                next[i] += delta[b * SIZE + i];
            expected.residual[l][b] = textbook_residual(&tensors->problem, a[l] + b * SIZE, next);
        }
    judge(settings, settings->tolerance, 1e-6, &expected);
    for (int64_t b = 0; b < B; b++)
        transposed(tensors, b, true, a[expected.l_run] + b * SIZE, v + b * SIZE);
    return expected.clear;
}

START_TEST(adjoints)
{
    static const double tolerances[] = {1e-2, 1e-5}, quantiles[] = {1, 0.5};
    struct test_case test = some_case(_i % (MIXERS - 1), FEEDBACK_NONE, (enum form)(_i / (MIXERS - 1)));
    struct tensors tensors = case_tensors(&test, 112);
    double delta[N], expected[N], found[N], h[N];
    int compared = 0;
    for (int i = 0; i < N; i++)
        delta[i] = random_normal(113, 0, (uint64_t)i);
    for (int k = 0; k < 4; k++) {
        struct settings settings = fixed_l(L);
        settings.gradient = GRADIENT_EXACT;
        settings.tolerance = tolerances[k / 2], settings.quantile = quantiles[k % 2];
        if (!follow_adjoint(&tensors, &settings, delta, expected))
            continue;
        for (int i = 0; i < registry_count(); i++) {
            const struct implementation *one = registry_get(i, DTYPE_FLOAT64, level_best());
            const struct environment environment = {.threads = 2};
            const struct outputs outputs = {.h = h}, weights = {.h = delta};
            const struct gradients gradients = {.v = found};
            struct plan *plan;
            bool solves = one->exact || (strcmp(one->name, "fixed_point_fused") == 0 && problem_low_rank(&test.problem));
            if (one->device != DEVICE_CPU || solves || !(one->gradients & GRADIENTS_EXACT))
                continue;
            ck_assert_int_eq(one->plan(&tensors.problem, &settings, &environment, &plan).code, STATUS_OK);
            ck_assert_int_eq(one->forward(plan, &tensors.inputs, &outputs, NULL).code, STATUS_OK);
            ck_assert_int_eq(one->backward(plan, &tensors.inputs, &outputs, &weights, &gradients).code, STATUS_OK);
            ck_assert_msg(distance_max(found, expected, N) < 1e-10, "%s, tolerance %g: off by %g", one->name, settings.tolerance,
                          distance_max(found, expected, N));
            one->destroy(plan);
            compared++;
        }
    }
    ck_assert_int_ge(compared, 6);
    tensors_free(&tensors);
}
END_TEST

/* f, so many times, of what an iteration has come to, undamped and whether it was still moving or not; who cannot do that says so. */
START_TEST(applications_after_the_last)
{
    struct test_case test =
        some_case(_i % MIXERS, (enum feedback)(_i / MIXERS % FEEDBACK_COUNT), (enum form)(_i / MIXERS / FEEDBACK_COUNT));
    struct tensors tensors = case_tensors(&test, 120);
    const struct environment environment = {.threads = 2};
    for (int i = 0; i < registry_count(); i++) {
        const struct implementation *one = registry_get(i, DTYPE_FLOAT64, level_best());
        struct settings settings = fixed_l(4);
        struct support support;
        settings.further = 3, settings.damping = 0.7;
        one->supports(&tensors.problem, &settings, &environment, &support);
        if (strcmp(one->name, "fixed_point") != 0) {
            ck_assert(!support.yes || one->exact);
            continue;
        }
        for (int tolerant = 0; tolerant < 2; tolerant++) {
            double plain[N], h[N], start[N], expected[N], next[SIZE];
            int64_t l[B];
            struct outputs outputs = {.h = plain};
            struct trace trace = {.l = l};
            struct plan *plan;
            settings = fixed_l(tolerant ? L : 4);
            settings.damping = 0.7, settings.tolerance = tolerant ? 1e-3 : 0;
            ck_assert_int_eq(one->plan(&tensors.problem, &settings, &environment, &plan).code, STATUS_OK);
            ck_assert_int_eq(one->forward(plan, &tensors.inputs, &outputs, NULL).code, STATUS_OK);
            one->destroy(plan);
            settings.further = 3;
            outputs = (struct outputs){.h = h, .start = start};
            ck_assert_int_eq(one->plan(&tensors.problem, &settings, &environment, &plan).code, STATUS_OK);
            ck_assert_int_eq(one->forward(plan, &tensors.inputs, &outputs, &trace).code, STATUS_OK);
            one->destroy(plan);
            ck_assert_int_eq(memcmp(plain, start, sizeof plain), 0);
            ck_assert_double_eq(trace.applications, (double)trace.l_run + 3);
            memcpy(expected, start, sizeof start);
            for (int64_t b = 0; b < B; b++)
                for (int k = 0; k < 3; k++) {
                    apply(&tensors, b, expected + b * SIZE, next);
                    memcpy(expected + b * SIZE, next, sizeof next);
                }
            ck_assert_double_le(distance_max(h, expected, N), 1e-12);
            ck_assert(tolerant || distance_max(h, start, N) > 1e-6);
        }
    }
    tensors_free(&tensors);
}
END_TEST

Suite *suite_stopping(void)
{
    Suite *suite = suite_create("stopping");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, implementations, 0, MIXERS * FEEDBACK_COUNT * FORM_COUNT);
    tcase_add_loop_test(all, chunks, 0, MIXERS * FEEDBACK_COUNT * FORM_COUNT);
    tcase_add_loop_test(all, adjoints, 0, (MIXERS - 1) * FORM_COUNT);
    tcase_add_loop_test(all, applications_after_the_last, 0, (MIXERS - 1) * FEEDBACK_COUNT * FORM_COUNT);
    suite_add_tcase(suite, all);
    return suite;
}
