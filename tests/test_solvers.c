/* Solvers: every implementation of the registry whose iterates are its own. Over the shared list of cases, what they converge to is
 * the exact answer; and what each of them promises beside that (docs/solvers.md). */
#include "tests/reference.h"

#include "bench/subject.h"
#include "bench/textbook.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { B = 3, T = 9, D = 6, L = 400, N = B * T * D };

static const double tolerances[DTYPE_COUNT] = {[DTYPE_FLOAT32] = 1e-5, [DTYPE_FLOAT64] = 1e-12};

static void set_option(struct settings *settings, const char *name, const char *value)
{
    struct option *option = &settings->option[settings->n_options++];
    snprintf(option->name, sizeof option->name, "%s", name);
    snprintf(option->value, sizeof option->value, "%s", value);
}

static struct settings until(double tolerance)
{
    struct settings settings = fixed_l(L);
    settings.tolerance = tolerance;
    return settings;
}

static bool supported(const struct implementation *one, const struct problem *p, const struct settings *settings)
{
    const struct environment environment = {.threads = 2};
    struct support support;
    one->supports(p, settings, &environment, &support);
    return support.yes;
}

/* ---- Where they lead ------------------------------------------------------------------------------------------------------- */

/* A residual of this size may be an error that is larger by as much as the answer is sensitive, which reference.h measures. */
static double accepted(const struct tensors *tensors, const double *exact, double residual)
{
    double rounding = tolerance_exact(tensors, exact, tensors->problem.dtype);
    double unit = tensors->problem.dtype == DTYPE_FLOAT32 ? 0x1p-24 : 0x1p-53;
    return rounding * (1 + residual / unit);
}

/* Those that have to converge wherever there is an exact answer; the others do where the map contracts. */
static bool must_converge(const struct implementation *one)
{
    return strcmp(one->name, "gmres") == 0 || strcmp(one->name, "quasi_deer") == 0;
}

START_TEST(converged_answers)
{
    struct test_case test = cases_get(_i);
    struct tensors drawn = case_tensors(&test, 91);
    int64_t n = test.problem.B * test.problem.T * test.problem.d;
    double *exact = calloc((size_t)n, sizeof *exact), *h = calloc((size_t)n, sizeof *h), *found = calloc((size_t)n, sizeof *found);
    struct status reference = reference_exact(&drawn, exact);
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT && reference.code == STATUS_OK; dtype++) {
        struct tensors tensors = tensors_as(&drawn, dtype);
        struct settings settings = until(tolerances[dtype]);
        double most = accepted(&tensors, exact, settings.tolerance);
        for (int i = 0; i < registry_count(); i++) {
            const struct implementation *one = registry_get(i, dtype, _i % 2 ? level_best() : LEVEL_BASELINE);
            if (!one->solver || !supported(one, &tensors.problem, &settings))
                continue;
            struct status status = run_variant(one, &tensors, &settings, 1 + _i % 3, h, NULL, NULL);
            ck_assert_msg(status.code == STATUS_OK || !must_converge(one) || most > 0.05, "%s: %s: %s %s", test.name, one->name,
                          status_names[status.code], status.message);
            if (status.code != STATUS_OK || most > 0.05)
                continue;
            to_doubles(dtype, h, 0, n, found);
            double distance = distance_scaled(&tensors, found, exact);
            ck_assert_msg(distance <= most, "%s: %s %s: distance %g, accepted %g", test.name, one->name, dtype_names[dtype],
                          distance, most);
        }
        tensors_free(&tensors);
    }
    free(exact);
    free(h);
    free(found);
    tensors_free(&drawn);
}
END_TEST

/* The mixers of the problems below, all of which contract, one a loop index. */
static const enum mixer mixers[] = {MIXER_DPLR, MIXER_HOUSEHOLDER, MIXER_KRONECKER, MIXER_NONE};
enum { MIXERS = sizeof mixers / sizeof mixers[0] };

static struct test_case some_case(int mixer, enum feedback feedback, enum form form)
{
    bool low_rank = mixers[mixer] == MIXER_DPLR || mixers[mixer] == MIXER_HOUSEHOLDER;
    return (struct test_case){.name = "solvers",
                              .initial = true,
                              .problem = {.B = B,
                                          .T = T,
                                          .d = D,
                                          .mixer = mixers[mixer],
                                          .r = low_rank ? 2 : 0,
                                          .s = mixers[mixer] != MIXER_NONE ? 0.7 : 0,
                                          .form = form,
                                          .feedback = mixers[mixer] == MIXER_NONE ? FEEDBACK_NONE : feedback,
                                          .dtype = DTYPE_FLOAT64}};
}

/* Every solver, with what `look` says of it; returns how many took the problem. */
typedef void look_function(const struct implementation *one, const struct tensors *tensors);
static void each_solver(const struct tensors *tensors, look_function *look)
{
    struct settings settings = until(1e-10);
    int looked = 0;
    for (int i = 0; i < registry_count(); i++) {
        const struct implementation *one = registry_get(i, tensors->problem.dtype, level_best());
        if (!one->solver || !supported(one, &tensors->problem, &settings))
            continue;
        look(one, tensors);
        looked++;
    }
    ck_assert_int_gt(looked, 0);
}

/* The trace belongs to what was done: l* of each sequence, a residual at each iteration, iterates of which the last is the answer. */
static void look_at_trace(const struct implementation *one, const struct tensors *tensors)
{
    static const int64_t sequences[] = {2, 0};
    double h[N], residual[L * B], iterates[2 * 2 * T * D];
    int64_t l_star[B], keep[2] = {1, 1};
    struct trace trace = {.l = l_star, .residual = residual};
    struct settings settings = until(1e-9);
    struct status status = run_variant(one, tensors, &settings, 2, h, NULL, &trace);
    ck_assert_msg(status.code == STATUS_OK, "%s: %s", one->name, status.message);
    ck_assert_int_ge(trace.l_run, 1);
    ck_assert_double_gt(trace.applications, 0);
    int64_t latest = 0;
    for (int64_t b = 0; b < B; b++) {
        ck_assert_msg(l_star[b] >= 1 && l_star[b] <= trace.l_run, "%s: l* %lld of %lld", one->name, (long long)l_star[b],
                      (long long)trace.l_run);
        latest = l_star[b] > latest ? l_star[b] : latest;
        ck_assert_double_lt(residual[(trace.l_run - 1) * B + b], 1e-9);
        for (int64_t l = 0; l < trace.l_run; l++)
            ck_assert_msg(residual[l * B + b] >= 0, "%s: residual %g", one->name, residual[l * B + b]);
    }
    ck_assert_int_eq(latest, trace.l_run); /* all stopped when the last of them had converged */
    keep[1] = trace.l_run;
    struct trace kept = {
        .keep = keep, .n_keep = trace.l_run > 1 ? 2 : 1, .sequences = sequences, .n_sequences = 2, .iterates = iterates};
    double again[N];
    run_variant(one, tensors, &settings, 2, again, NULL, &kept);
    ck_assert_msg(memcmp(again, h, sizeof h) == 0, "%s: being watched changes the answer", one->name);
    ck_assert_int_eq(kept.n_kept, kept.n_keep);
    for (int i = 0; i < 2; i++)
        ck_assert_msg(memcmp(iterates + ((kept.n_keep - 1) * 2 + i) * T * D, h + sequences[i] * T * D, T * D * sizeof *h) == 0,
                      "%s: the last iterate is not the answer", one->name);
    settings.l_max = 1;
    if (trace.l_run > 1 && trace.applications > 1)
        ck_assert_int_eq(run_variant(one, tensors, &settings, 2, h, NULL, NULL).code, STATUS_NOT_CONVERGED);
}

START_TEST(traces)
{
    struct test_case test = some_case(_i % MIXERS, (enum feedback)(_i / MIXERS % FEEDBACK_COUNT), (enum form)(_i % 2));
    struct tensors tensors = case_tensors(&test, 92);
    each_solver(&tensors, look_at_trace);
    tensors_free(&tensors);
}
END_TEST

/* Sequences do not look at each other: each comes out as it does alone, as far as it was iterated. And the bits are those of any
 * number of threads, where threads divide whole tokens. */
static void look_at_bits(const struct implementation *one, const struct tensors *tensors)
{
    double h[N], other[N];
    struct settings settings = fixed_l(5);
    struct error error;
    set_option(&settings, "split", "batch");
    run_variant(one, tensors, &settings, 1, h, NULL, NULL);
    for (int threads = 2; threads <= 5; threads++) {
        run_variant(one, tensors, &settings, threads, other, NULL, NULL);
        ck_assert_msg(memcmp(h, other, sizeof h) == 0, "%s: other bits with %d threads", one->name, threads);
    }
    for (int64_t b = 0; b < B; b++) {
        struct tensors alone;
        ck_assert(tensors_sequence(tensors, b, &alone, &error));
        run_variant(one, &alone, &settings, 2, other, NULL, NULL);
        ck_assert_msg(memcmp(h + b * T * D, other, T * D * sizeof *h) == 0, "%s: another answer in company", one->name);
        tensors_free(&alone);
    }
}

START_TEST(bits)
{
    struct test_case test = some_case(_i % MIXERS, FEEDBACK_NONE, (enum form)(_i / MIXERS));
    struct tensors tensors = case_tensors(&test, 93);
    each_solver(&tensors, look_at_bits);
    tensors_free(&tensors);
}
END_TEST

/* Nothing to do: v and the initial state are zero, and so is the answer; or the state stays what it was. */
static void look_at_rest(const struct implementation *one, const struct tensors *tensors)
{
    double h[N];
    int64_t l_star[B];
    struct trace trace = {.l = l_star};
    struct settings settings = until(1e-10);
    struct status status = run_variant(one, tensors, &settings, 2, h, NULL, &trace);
    const double *v = tensors->inputs.v;
    ck_assert_msg(status.code == STATUS_OK, "%s: %s", one->name, status.message);
    for (int i = 0; i < N; i++)
        ck_assert_msg(fabs(h[i] - v[i]) < 1e-8, "%s: moved to %g", one->name, h[i]);
    for (int64_t b = 0; b < B && v[0] == 0; b++)
        ck_assert_int_eq(l_star[b], 1);
    settings = fixed_l(7); /* and further on, there is nothing to divide by */
    ck_assert_int_eq(run_variant(one, tensors, &settings, 2, h, NULL, NULL).code, STATUS_OK);
}

START_TEST(rest)
{
    struct test_case test = some_case(_i / 2 % MIXERS, _i / 2 / MIXERS ? FEEDBACK_RMS : FEEDBACK_NONE, FORM_NORMALISED);
    struct tensors tensors = case_tensors(&test, 94);
    for (int i = 0; i < N; i++)
        ((double *)tensors.owned[0])[i] = _i % 2;
    for (int i = 0; i < B * D; i++)
        ((double *)tensors.owned[4])[i] = _i % 2;
    each_solver(&tensors, look_at_rest);
    tensors_free(&tensors);
}
END_TEST

/* ---- fixed_point_chunked ---------------------------------------------------------------------------------------------------- */

static const struct settings chunked_settings[] = {
    {.l_max = 5, .quantile = 1, .damping = 1},
    {.l_max = L, .tolerance = 1e-6, .quantile = 1, .damping = 1},
    {.l_max = L, .tolerance = 1e-3, .quantile = 0.5, .damping = 0.8},
    {.l_max = L, .tolerance = 1e-6, .quantile = 1, .damping = 0.9, .damping_factor = 0.7, .patience = 1},
};
enum { CHUNKED_SETTINGS = sizeof chunked_settings / sizeof chunked_settings[0] };

/* A chunk of all tokens is fixed_point, bit for bit, with all that it says. */
START_TEST(whole_chunk)
{
    struct test_case test = some_case(_i % MIXERS, (enum feedback)(_i / MIXERS % FEEDBACK_COUNT), (enum form)(_i % 2));
    struct tensors tensors = case_tensors(&test, 95);
    const struct implementation *chunked = registry_get(registry_find("fixed_point_chunked"), DTYPE_FLOAT64, level_best());
    const struct implementation *whole = registry_get(registry_find("fixed_point"), DTYPE_FLOAT64, level_best());
    for (int k = 0; k < CHUNKED_SETTINGS; k++) {
        static const int64_t keep[] = {1, 3}, sequences[] = {1};
        struct settings settings = chunked_settings[k];
        double h[2][N], residual[2][L * B] = {{0}}, iterates[2][2 * T * D] = {{0}};
        int64_t l_star[2][B];
        struct trace trace[2];
        for (int i = 0; i < 2; i++) {
            trace[i] = (struct trace){l_star[i], residual[i], 0, 0, 0, keep, 2, sequences, 1, iterates[i]};
            ck_assert_int_eq(run_variant(i ? chunked : whole, &tensors, &settings, 2, h[i], NULL, &trace[i]).code, STATUS_OK);
            set_option(&settings, "chunk", "9");
        }
        ck_assert_int_eq(memcmp(h[0], h[1], sizeof h[0]), 0);
        ck_assert_int_eq(memcmp(residual[0], residual[1], sizeof residual[0]), 0);
        ck_assert_int_eq(trace[0].n_kept, trace[1].n_kept);
        ck_assert_int_eq(memcmp(iterates[0], iterates[1], (size_t)trace[0].n_kept * T * D * sizeof(double)), 0);
        ck_assert_int_eq(memcmp(l_star[0], l_star[1], sizeof l_star[0]), 0);
        ck_assert_int_eq(trace[0].l_run, trace[1].l_run);
        ck_assert_double_eq(trace[0].applications, trace[1].applications);
    }
    tensors_free(&tensors);
}
END_TEST

/* The same by the textbook: each chunk a problem of its own, which begins where the one before ended. */
START_TEST(chunk_by_chunk)
{
    static const int sizes[] = {1, 2, 4, 5, 8};
    static const char *const words[] = {"1", "2", "4", "5", "8"};
    struct test_case test = some_case(_i % MIXERS, (enum feedback)(_i / MIXERS % FEEDBACK_COUNT), (enum form)(_i % 2));
    struct tensors tensors = case_tensors(&test, 96);
    const struct implementation *chunked = registry_get(registry_find("fixed_point_chunked"), DTYPE_FLOAT64, level_best());
    int64_t m = problem_m(&test.problem);
    for (int k = 0; k < 5; k++) {
        struct settings settings = fixed_l(3);
        double h[N], expected[N];
        struct trace trace = {0};
        struct error error;
        set_option(&settings, "chunk", words[k]);
        ck_assert_int_eq(run_variant(chunked, &tensors, &settings, 1 + k % 3, h, NULL, &trace).code, STATUS_OK);
        ck_assert_double_eq(trace.applications, 3);
        for (int64_t b = 0; b < B; b++) {
            struct tensors one;
            ck_assert(tensors_sequence(&tensors, b, &one, &error));
            for (int64_t from = 0; from < T; from += sizes[k]) {
                struct problem p = one.problem;
                struct inputs inputs = one.inputs;
                p.T = from + sizes[k] < T ? sizes[k] : T - from;
                inputs.v = (const double *)inputs.v + from * D;
                inputs.lambda = (const double *)inputs.lambda + from * D;
                inputs.theta = m > 0 ? (const double *)inputs.theta + from * m : NULL;
                inputs.h0 = from > 0 ? expected + (b * T + from - 1) * D : inputs.h0;
                ck_assert(textbook_iterate(&p, &inputs, 1, 3, expected + (b * T + from) * D, NULL));
            }
            tensors_free(&one);
        }
        ck_assert_double_le(distance_max(h, expected, N), 1e-11);
    }
    tensors_free(&tensors);
}
END_TEST

/* Sequential and parallel fixed point, and the exact answer: as near as the tolerance says, and nearer as it falls. */
START_TEST(chunks_agree)
{
    static const char *const words[] = {"1", "3", "4"};
    struct test_case test = some_case(_i % MIXERS, (enum feedback)(_i / MIXERS % FEEDBACK_COUNT), (enum form)(_i % 2));
    struct tensors tensors = case_tensors(&test, 97);
    const struct implementation *chunked = registry_get(registry_find("fixed_point_chunked"), DTYPE_FLOAT64, level_best());
    const struct implementation *whole = registry_get(registry_find("fixed_point"), DTYPE_FLOAT64, level_best());
    double exact[N], h[N], parallel[N];
    ck_assert_int_eq(reference_exact(&tensors, exact).code, STATUS_OK);
    for (double tolerance = 1e-2; tolerance > 1e-12; tolerance /= 100) {
        struct settings settings = until(tolerance);
        double most = accepted(&tensors, exact, tolerance);
        ck_assert_int_eq(run_variant(whole, &tensors, &settings, 2, parallel, NULL, NULL).code, STATUS_OK);
        for (int k = 0; k < 3; k++) {
            settings.n_options = 0;
            set_option(&settings, "chunk", words[k]);
            struct trace trace = {0};
            ck_assert_int_eq(run_variant(chunked, &tensors, &settings, 2, h, NULL, &trace).code, STATUS_OK);
            ck_assert_double_le(trace.applications, (double)trace.l_run);
            ck_assert_double_le(distance_scaled(&tensors, h, exact), most);
            ck_assert_double_le(distance_scaled(&tensors, h, parallel), 2 * most);
        }
    }
    tensors_free(&tensors);
}
END_TEST

START_TEST(chunk_refusals)
{
    static const char *const words[] = {"0", "10", "x", "1e1", "-1", "", "99999999999999999999"};
    const struct test_case test = some_case(0, FEEDBACK_NONE, FORM_NORMALISED);
    const struct implementation *chunked = registry_get(registry_find("fixed_point_chunked"), DTYPE_FLOAT64, LEVEL_BASELINE);
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        struct settings settings = fixed_l(3);
        set_option(&settings, "chunk", words[k]);
        ck_assert_msg(!supported(chunked, &test.problem, &settings), "chunk=%s", words[k]);
    }
    struct settings settings = fixed_l(3);
    set_option(&settings, "chunk", "9");
    ck_assert(supported(chunked, &test.problem, &settings));
}
END_TEST

Suite *suite_solvers(void);

Suite *suite_solvers(void)
{
    Suite *suite = suite_create("solvers");
    TCase *all = tcase_create("all"), *chunks = tcase_create("chunks");
    tcase_add_loop_test(all, converged_answers, 0, cases_count());
    tcase_add_loop_test(all, traces, 0, MIXERS * FEEDBACK_COUNT);
    tcase_add_loop_test(all, bits, 0, 2 * MIXERS);
    tcase_add_loop_test(all, rest, 0, 4 * MIXERS);
    tcase_add_loop_test(chunks, whole_chunk, 0, MIXERS * FEEDBACK_COUNT);
    tcase_add_loop_test(chunks, chunk_by_chunk, 0, MIXERS * FEEDBACK_COUNT);
    tcase_add_loop_test(chunks, chunks_agree, 0, MIXERS * FEEDBACK_COUNT);
    tcase_add_test(chunks, chunk_refusals);
    suite_add_tcase(suite, all);
    suite_add_tcase(suite, chunks);
    return suite;
}
