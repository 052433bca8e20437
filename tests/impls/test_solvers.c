/* Solvers: every implementation of the registry whose iterates are its own. Over the shared list of cases, what they converge to is
 * the exact answer; and what each of them promises beside that (docs/explanation/solvers.md). */
#include "tests/support/reference.h"

#include "bench/measure/subject.h"
#include "bench/problems/textbook.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { B = 3, T = 9, D = 6, L = 400, N = B * T * D };

static const double tolerances[DTYPE_COUNT] = {[DTYPE_FLOAT32] = 1e-5, [DTYPE_FLOAT64] = 1e-12};

/* NaN and the sign of 0 count, too. */
static bool same_bits(const void *a, const void *b, size_t bytes)
{
    return memcmp(a, b, bytes) == 0;
}

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

/* How far the answer moves when something is added to the equation of the first token: an initial state of that size. An answer that
 * does not depend on the inputs at all, such as h = v, may still be the limit of an iteration that hardly contracts. */
static double pushed(const struct test_case *test, const double *exact)
{
    const double push = 1e-6;
    struct test_case with = *test;
    with.initial = true;
    struct tensors tensors = case_tensors(&with, 91);
    int64_t n = test->problem.B * test->problem.T * test->problem.d;
    double *h0 = tensors.owned[4], *moved = calloc((size_t)n, sizeof *moved), size = fmax(1, norm_max(exact, n));
    ck_assert_ptr_nonnull(moved);
    for (int64_t i = 0; i < test->problem.B * test->problem.d; i++)
        h0[i] = (test->initial ? h0[i] : 0) + push * size * (i % 2 ? -1 : 1);
    double sensitivity = reference_exact(&tensors, moved).code == STATUS_OK ? distance_max(moved, exact, n) / push : INFINITY;
    free(moved);
    tensors_free(&tensors);
    return sensitivity;
}

/* A residual of this size may be an error that is larger by as much as the answer is sensitive, which reference.h measures for the
 * inputs, and `pushed` says of the equation. */
static double accepted(const struct tensors *tensors, const double *exact, double residual, double sensitivity)
{
    double rounding = tolerance_exact(tensors, exact, tensors->problem.dtype);
    double unit = tensors->problem.dtype == DTYPE_FLOAT32 ? 0x1p-24 : 0x1p-53;
    return rounding * (1 + residual / unit) + 10 * residual * sensitivity;
}

/* Those that have to converge: quasi_deer wherever there is an exact answer, gmres where that does not explode. The others do where the
 * map contracts. */
static bool must_converge(const struct implementation *one, double size)
{
    return strcmp(one->name, "quasi_deer") == 0 || (strcmp(one->name, "gmres") == 0 && size <= 1e3);
}

START_TEST(converged_answers)
{
    struct test_case test = cases_get(_i);
    struct tensors drawn = case_tensors(&test, 91);
    int64_t n = test.problem.B * test.problem.T * test.problem.d;
    double *exact = calloc((size_t)n, sizeof *exact), *h = calloc((size_t)n, sizeof *h), *found = calloc((size_t)n, sizeof *found);
    struct status reference = reference_exact(&drawn, exact);
    double sensitivity = reference.code == STATUS_OK ? pushed(&test, exact) : 0;
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT && reference.code == STATUS_OK; dtype++) {
        struct tensors tensors = tensors_as(&drawn, dtype);
        struct settings settings = until(tolerances[dtype]);
        double most = accepted(&tensors, exact, settings.tolerance, sensitivity);
        for (int i = 0; i < registry_count(); i++) {
            const struct implementation *one = registry_get(i, dtype, _i % 2 ? level_best() : LEVEL_BASELINE);
            if (!one->solver || !supported(one, &tensors.problem, &settings))
                continue;
            struct status status = run_variant(one, &tensors, &settings, test.threads, h, NULL, NULL);
            ck_assert_msg(status.code == STATUS_OK || !must_converge(one, norm_max(exact, n)) || most > 0.05, "%s: %s: %s %s",
                          test.name, one->name, status_names[status.code], status.message);
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
    bool low_rank = mixer_facts[mixers[mixer]].takes_r;
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
    int64_t l_star[B] = {0}, keep[2] = {1, 1};
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
    ck_assert_msg(same_bits(again, h, sizeof h), "%s: being watched changes the answer", one->name);
    ck_assert_int_eq(kept.n_kept, kept.n_keep);
    for (int i = 0; i < 2; i++)
        ck_assert_msg(same_bits(iterates + ((kept.n_keep - 1) * 2 + i) * T * D, h + sequences[i] * T * D, T * D * sizeof *h),
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
        ck_assert_msg(same_bits(h, other, sizeof h), "%s: other bits with %d threads", one->name, threads);
    }
    for (int64_t b = 0; b < B; b++) {
        struct tensors alone;
        ck_assert(tensors_sequence(tensors, b, &alone, &error));
        run_variant(one, &alone, &settings, 2, other, NULL, NULL);
        ck_assert_msg(same_bits(h + b * T * D, other, T * D * sizeof *h), "%s: another answer in company", one->name);
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
        int64_t l_star[2][B] = {{0}};
        struct trace trace[2];
        for (int i = 0; i < 2; i++) {
            trace[i] = (struct trace){l_star[i], residual[i], 0, 0, 0, keep, 2, sequences, 1, iterates[i]};
            ck_assert_int_eq(run_variant(i ? chunked : whole, &tensors, &settings, 2, h[i], NULL, &trace[i]).code, STATUS_OK);
            set_option(&settings, "chunk", "9");
        }
        ck_assert(same_bits(h[0], h[1], sizeof h[0]));
        ck_assert(same_bits(residual[0], residual[1], sizeof residual[0]));
        ck_assert_int_eq(trace[0].n_kept, trace[1].n_kept);
        ck_assert(same_bits(iterates[0], iterates[1], (size_t)trace[0].n_kept * T * D * sizeof(double)));
        ck_assert(same_bits(l_star[0], l_star[1], sizeof l_star[0]));
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
    static const double tighter[] = {1e-2, 1e-4, 1e-6, 1e-8, 1e-10};
    for (size_t i = 0; i < sizeof tighter / sizeof tighter[0]; i++) {
        double tolerance = tighter[i];
        struct settings settings = until(tolerance);
        double most = accepted(&tensors, exact, tolerance, 0);
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

/* ---- gmres and anderson ------------------------------------------------------------------------------------------------------ */

static const struct implementation *solver(const char *name)
{
    return registry_get(registry_find(name), DTYPE_FLOAT64, level_best());
}

/* max |f(h) - h| of sequence b and its 2-norm, by the textbook. next = f(h) (T,d). */
static double norm_of_residual(const struct tensors *tensors, int64_t b, const double *h, double *next)
{
    struct tensors one;
    struct error error;
    double squares = 0;
    ck_assert(tensors_sequence(tensors, b, &one, &error));
    ck_assert(textbook_apply(&one.problem, &one.inputs, h, next));
    for (int i = 0; i < T * D; i++)
        squares += (next[i] - h[i]) * (next[i] - h[i]);
    tensors_free(&one);
    return sqrt(squares);
}

/* As long as neither begins anew, Anderson's iterate is f of the iterate that GMRES has after as many applications (Walker and Ni, SIAM
 * J. Numer. Anal. 49, 2011), on any linear problem. The norm of GMRES' residual never grows, and is never above that of the iteration. */
START_TEST(anderson_is_gmres)
{
    struct test_case test = some_case(_i % (MIXERS - 1), FEEDBACK_NONE, (enum form)(_i / (MIXERS - 1)));
    struct tensors tensors = case_tensors(&test, 98);
    double before[B] = {INFINITY, INFINITY, INFINITY};
    for (int l = 2; l <= 6; l++) {
        struct settings settings = fixed_l(l);
        double krylov[N], accelerated[N], plain[N], next[T * D], ignored[T * D];
        ck_assert_int_eq(run_variant(solver("gmres"), &tensors, &settings, 2, krylov, NULL, NULL).code, STATUS_OK);
        ck_assert_int_eq(run_variant(solver("anderson"), &tensors, &settings, 2, accelerated, NULL, NULL).code, STATUS_OK);
        settings.l_max = l - 1;
        run_variant(solver("fixed_point"), &tensors, &settings, 2, plain, NULL, NULL);
        for (int64_t b = 0; b < B; b++) {
            double norm = norm_of_residual(&tensors, b, krylov + b * T * D, next);
            ck_assert_double_le(distance_max(accelerated + b * T * D, next, T * D), 1e-9);
            ck_assert_double_le(norm, before[b] * (1 + 1e-12));
            ck_assert_double_le(norm, norm_of_residual(&tensors, b, plain + b * T * D, ignored) * (1 + 1e-12));
            before[b] = norm;
        }
    }
    tensors_free(&tensors);
}
END_TEST

/* The residuals that GMRES knows from its space are those of its iterates, whether it begins anew or not; and one that began anew as
 * often as it can is the iteration itself or better. */
START_TEST(gmres_knows_its_residual)
{
    static const char *const restarts[] = {"1", "2", "3", "100"};
    static const int most[] = {1, 2, 3, 100}; /* the same as numbers */
    static const int64_t keep[] = {1, 2, 3, 4, 5, 6, 7}, sequences[] = {0, 1, 2};
    enum { KEPT = 7 };
    struct test_case test = some_case(_i % (MIXERS - 1), FEEDBACK_NONE, (enum form)(_i / (MIXERS - 1)));
    struct tensors tensors = case_tensors(&test, 99);
    for (int k = 0; k < 4; k++) {
        struct settings settings = fixed_l(KEPT);
        double h[N], residual[KEPT * B], next[T * D];
        static double iterates[KEPT * N];
        struct trace trace = {
            .residual = residual, .keep = keep, .n_keep = KEPT, .sequences = sequences, .n_sequences = B, .iterates = iterates};
        set_option(&settings, "restart", restarts[k]);
        ck_assert_int_eq(run_variant(solver("gmres"), &tensors, &settings, 2, h, NULL, &trace).code, STATUS_OK);
        ck_assert_int_eq(trace.n_kept, KEPT);
        ck_assert_double_eq(trace.applications, KEPT);
        ck_assert(same_bits(h, iterates + (KEPT - 1) * N, sizeof h));
        for (int64_t b = 0; b < B; b++) {
            struct tensors one;
            struct error error;
            ck_assert(tensors_sequence(&tensors, b, &one, &error));
            for (int l = 2; l <= KEPT; l++) {
                const double *iterate = iterates + (l - 1) * N + b * T * D;
                norm_of_residual(&tensors, b, iterate, next);
                double found = textbook_residual(&one.problem, iterate, next), said = residual[(l - 1) * B + b];
                bool evaluated =
                    (l - 1) % (most[k] + 1) == 0; /* then what is said is of the iterate before, and this one is f of that */
                if (!evaluated)
                    ck_assert_msg(fabs(found - said) <= 1e-9 * found + 1e-12, "restart=%s l=%d: residual %g, said %g", restarts[k],
                                  l, found, said);
            }
            tensors_free(&one);
        }
    }
    tensors_free(&tensors);
}
END_TEST

/* Where the iteration crawls, kappa near 1, an accelerated one gets there in a fraction of the applications. */
START_TEST(accelerated)
{
    struct test_case test = some_case(_i, FEEDBACK_NONE, FORM_NORMALISED);
    test.problem.s = test.problem.r = 1;
    struct tensors tensors = case_tensors(&test, 100);
    int64_t m = problem_m(&test.problem);
    for (int64_t i = 0; i < B * T; i++)
        ((double *)tensors.owned[2])[i * m + m - 1] = 5; /* alpha = 0.993 */
    for (int64_t i = 0; i < N; i++)
        ((double *)tensors.owned[1])[i] = 0.002;
    int64_t l_run[3];
    static const char *const names[] = {"fixed_point", "anderson", "gmres"};
    for (int k = 0; k < 3; k++) {
        struct settings settings = fixed_l(5000);
        double h[N];
        struct trace trace = {0};
        settings.tolerance = 1e-8;
        ck_assert_int_eq(run_variant(solver(names[k]), &tensors, &settings, 2, h, NULL, &trace).code, STATUS_OK);
        l_run[k] = trace.l_run;
    }
    ck_assert_msg(l_run[1] * 4 < l_run[0] && l_run[2] * 4 < l_run[0], "%lld, anderson %lld, gmres %lld", (long long)l_run[0],
                  (long long)l_run[1], (long long)l_run[2]);
    tensors_free(&tensors);
}
END_TEST

/* The chunk-wise exact form: the same answer for every size of chunk, and the same bits however threads divide it, also where products
 * of lambda over a chunk underflow or vanish: nothing may be divided by them. */
START_TEST(exact_chunks)
{
    static const char *const sizes[] = {"1", "2", "3", "4", "7", "9"};
    static const double lambdas[] = {1, 0.5, 1e-60, 0}; /* of every other channel; 1: as drawn */
    struct test_case test = some_case(_i % 2, FEEDBACK_NONE, (enum form)(_i / 2 % 2));
    struct tensors tensors = case_tensors(&test, 102);
    for (int64_t i = 0; i < N; i += 2)
        ((double *)tensors.owned[1])[i] *= lambdas[_i / 4];
    double exact[N], h[N], other[N] = {0};
    ck_assert_int_eq(reference_exact(&tensors, exact).code, STATUS_OK);
    for (int k = 0; k < 6; k++)
        for (int threads = 1; threads <= 4; threads++) {
            struct settings settings = fixed_l(1);
            struct trace trace = {0};
            set_option(&settings, "chunk", sizes[k]);
            set_option(&settings, "split", threads % 2 ? "batch" : "time");
            ck_assert_int_eq(
                run_variant(solver("structured_chunked"), &tensors, &settings, threads, threads == 1 ? h : other, NULL, &trace)
                    .code,
                STATUS_OK);
            ck_assert(threads == 1 || same_bits(h, other, sizeof h));
            ck_assert_double_eq(trace.applications, 0);
            ck_assert_double_le(distance_max(h, exact, N), 1e-11);
        }
    tensors_free(&tensors);
}
END_TEST

/* The same of a sequence that is long enough for each thread to have many turns. */
START_TEST(exact_chunks_in_turn)
{
    enum { LONG = 300, D_LONG = 17 };
    struct test_case test = some_case(_i % 2, FEEDBACK_NONE, (enum form)(_i / 2));
    test.problem.B = 1;
    test.problem.T = LONG;
    test.problem.d = D_LONG;
    struct tensors tensors = case_tensors(&test, 103);
    double exact[LONG * D_LONG], h[LONG * D_LONG], other[LONG * D_LONG];
    ck_assert_int_eq(reference_exact(&tensors, exact).code, STATUS_OK);
    struct settings settings = fixed_l(1);
    ck_assert_int_eq(run_variant(solver("structured_chunked"), &tensors, &settings, 1, h, NULL, NULL).code, STATUS_OK);
    ck_assert_double_le(distance_max(h, exact, LONG * D_LONG), 1e-11);
    for (int threads = 2; threads <= 5; threads++) {
        ck_assert_int_eq(run_variant(solver("structured_chunked"), &tensors, &settings, threads, other, NULL, NULL).code,
                         STATUS_OK);
        ck_assert(same_bits(h, other, sizeof h));
    }
    tensors_free(&tensors);
}
END_TEST

START_TEST(krylov_refusals)
{
    static const struct {
        const char *name, *option, *value, *reason;
        double damping;
        enum feedback feedback;
    } rows[] = {
        {"gmres", NULL, NULL, "state-dependent mixers are not supported (GMRES needs a linear equation)", 1, FEEDBACK_RAW},
        {"gmres", NULL, NULL, "damping is not supported", 0.5, FEEDBACK_NONE},
        {"gmres", "restart", "0", "restart=0: must be a number of iterations of at least 1", 1, FEEDBACK_NONE},
        {"anderson", "memory", "x", "memory=x: must be between 1 and 1000", 1, FEEDBACK_NONE},
        {"anderson", "memory", "1001", "memory=1001: must be between 1 and 1000", 1, FEEDBACK_NONE},
        {"anderson", NULL, NULL, "damping is not supported", 0.5, FEEDBACK_NONE},
        {"structured_chunked", NULL, NULL, "known one token at a time", 1, FEEDBACK_RMS},
        {"structured_chunked", "chunk", "10", "chunk=10: must be between 1 and T = 9", 1, FEEDBACK_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct environment environment = {.threads = 2};
        struct test_case test = some_case(0, rows[i].feedback, FORM_NORMALISED);
        struct settings settings = fixed_l(3);
        struct support support;
        settings.damping = rows[i].damping;
        if (rows[i].option != NULL)
            set_option(&settings, rows[i].option, rows[i].value);
        solver(rows[i].name)->supports(&test.problem, &settings, &environment, &support);
        ck_assert(!support.yes);
        ck_assert_msg(strstr(support.reason, rows[i].reason) != NULL, "%s: %s", rows[i].name, support.reason);
    }
}
END_TEST

/* Constant damping, without patience, is a setting of the iteration: it needs more of them where the map contracts, and converges where
 * an eigenvalue of I - Q is below -1. */
START_TEST(constant_damping)
{
    struct test_case test = {.name = "damping", .problem = {.B = 1, .T = 4, .d = 2, .mixer = MIXER_DENSE, .form = FORM_PLAIN}};
    test.problem.dtype = DTYPE_FLOAT64;
    struct tensors tensors = case_tensors(&test, 101);
    for (int64_t i = 0; i < 4 * 4; i++)
        ((double *)tensors.owned[2])[i] = i % 4 == 0   ? 2.5
                                          : i % 4 == 3 ? 1
                                                       : 0; /* Q = diag(2.5, 1): I - Q has the eigenvalue -1.5 */
    double h[8], exact[8];
    ck_assert_int_eq(reference_exact(&tensors, exact).code, STATUS_OK);
    for (int k = 0; k < 2; k++) {
        struct settings settings = until(1e-10);
        settings.damping = k ? 0.5 : 1;
        struct status status = run_variant(solver("fixed_point"), &tensors, &settings, 1, h, NULL, NULL);
        ck_assert_int_eq(status.code, k ? STATUS_OK : STATUS_NOT_CONVERGED);
    }
    ck_assert_double_le(distance_max(h, exact, 8), 1e-9);
    tensors_free(&tensors);
}
END_TEST

Suite *suite_solvers(void);

Suite *suite_solvers(void)
{
    Suite *suite = suite_create("solvers");
    TCase *all = tcase_create("all"), *chunks = tcase_create("chunks"), *krylov = tcase_create("krylov");
    tcase_add_loop_test(all, converged_answers, 0, cases_count());
    tcase_add_loop_test(all, traces, 0, MIXERS * FEEDBACK_COUNT);
    tcase_add_loop_test(all, bits, 0, 2 * MIXERS);
    tcase_add_loop_test(all, rest, 0, 4 * MIXERS);
    tcase_add_loop_test(chunks, whole_chunk, 0, MIXERS * FEEDBACK_COUNT);
    tcase_add_loop_test(chunks, chunk_by_chunk, 0, MIXERS * FEEDBACK_COUNT);
    tcase_add_loop_test(chunks, chunks_agree, 0, MIXERS * FEEDBACK_COUNT);
    tcase_add_test(chunks, chunk_refusals);
    tcase_add_loop_test(krylov, anderson_is_gmres, 0, 2 * (MIXERS - 1));
    tcase_add_loop_test(krylov, gmres_knows_its_residual, 0, 2 * (MIXERS - 1));
    tcase_add_loop_test(krylov, accelerated, 0, 2);
    tcase_add_loop_test(krylov, exact_chunks, 0, 16);
    tcase_add_loop_test(krylov, exact_chunks_in_turn, 0, 4);
    tcase_add_test(krylov, krylov_refusals);
    tcase_add_test(krylov, constant_damping);
    suite_add_tcase(suite, all);
    suite_add_tcase(suite, krylov);
    suite_add_tcase(suite, chunks);
    return suite;
}
