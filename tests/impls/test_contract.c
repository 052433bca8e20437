/* What the contract promises of every implementation beside its arithmetic: places of trouble, tolerance and damping, traces, the
 * same bits again, no allocation in forward(), clear answers from supports(). */
#include "tests/support/allocations.h"
#include "tests/support/reference.h"

#include "bench/measure/subject.h"
#include "bench/problems/textbook.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { B = 3, T = 9, D = 6, L = 40 };

/* The mixers of this file's problems, one a loop index. */
static const enum mixer mixers[] = {MIXER_DPLR, MIXER_HOUSEHOLDER, MIXER_KRONECKER, MIXER_DENSE, MIXER_NONE, MIXER_KRONECKER_ROWS};
enum { MIXERS = sizeof mixers / sizeof mixers[0] };

static struct test_case some_case(enum mixer mixer, enum feedback feedback, enum form form)
{
    bool low_rank = mixer_facts[mixer].takes_r;
    return (struct test_case){.name = "contract",
                              .initial = true,
                              .problem = {.B = B,
                                          .T = T,
                                          .d = D,
                                          .mixer = mixer,
                                          .r = low_rank ? 2 : 0,
                                          .s = mixer_facts[mixer].takes_s ? 1 : 0,
                                          .form = form,
                                          .feedback = mixer == MIXER_NONE ? FEEDBACK_NONE : feedback,
                                          .dtype = DTYPE_FLOAT64}};
}

static bool supported(const struct implementation *one, const struct problem *p)
{
    const struct environment environment = {.threads = 2};
    struct settings settings = fixed_l(4);
    struct support support;
    one->supports(p, &settings, &environment, &support);
    return support.yes;
}

/* ---- NaN and Inf: diverged, with the place --------------------------------------------------------------------------------- */

START_TEST(not_finite)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    struct test_case test = some_case(mixers[_i / 3], _i % 2 ? FEEDBACK_RAW : FEEDBACK_NONE, (enum form)(_i / 3 % 2));
    struct settings settings = fixed_l(4);
    double h[B * T * D];
    int64_t sizes[TENSORS_MAX], m = problem_m(&test.problem);
    tensor_sizes(&test.problem, sizes);
    for (int tensor = 0; tensor < 5; tensor++) {
        struct tensors tensors = case_tensors(&test, 21);
        double *to = tensors.owned[tensor];
        /* the last element of the row of (b,t) = (1,4): for theta a strength, whose sigmoid of Inf would be harmless */
        int64_t b = 1, t = 4, width = tensor == 2 ? m : D;
        if (to != NULL) {
            to[tensor == 3 ? sizes[3] - 1 : tensor == 4 ? b * D + D - 1 : (b * T + t) * width + width - 1] = bad[_i % 3];
            b = tensor == 3 ? 0 : b;
            t = tensor > 2 ? 0 : t; /* W and h0 tell in the first step */
        }
        for (int i = 0; i < registry_count() && to != NULL; i++)
            for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++)
                for (enum level level = 0; level <= level_best(); level++) {
                    struct tensors as = tensors_as(&tensors, dtype);
                    const struct implementation *one = registry_get(i, dtype, level);
                    if (supported(one, &as.problem)) {
                        struct status status = run_variant(one, &as, &settings, 2, h, NULL, NULL);
                        ck_assert_msg(status.code == STATUS_DIVERGED && status.b == b && status.t == t,
                                      "%s %s: tensor %d: %s at (%lld,%lld), expected diverged at (%lld,%lld)", one->name,
                                      mixer_names[test.problem.mixer], tensor, status_names[status.code], (long long)status.b,
                                      (long long)status.t, (long long)b, (long long)t);
                        double row[D]; /* and the outputs show in which channel */
                        to_doubles(dtype, h, (b * T + t) * D, D, row);
                        ck_assert_msg(!isfinite(norm_max(row, D)), "%s: what diverged is not in h", one->name);
                    }
                    tensors_free(&as);
                }
        tensors_free(&tensors);
    }
}
END_TEST

/* ---- No exact answer: singular, with the place, and the iterates exist all the same ------------------------------------------ */

START_TEST(singular)
{
    /* plain: s alpha = 1 with r = 1 makes Q a projection; normalised: that and lambda = 0 makes M one. Only at (1,4), (2,0). */
    struct test_case test = some_case(_i % 2 ? MIXER_DPLR : MIXER_HOUSEHOLDER, FEEDBACK_NONE, (enum form)(_i / 2 % 2));
    test.problem.r = 1;
    struct tensors tensors = case_tensors(&test, 22);
    int64_t m = problem_m(&test.problem);
    const int64_t places[] = {1 * T + 4, 2 * T};
    for (int k = 0; k < 2; k++) {
        ((double *)tensors.owned[2])[places[k] * m + m - 1] = 120;
        for (int64_t c = 0; c < D && test.problem.form == FORM_NORMALISED; c++)
            ((double *)tensors.owned[1])[places[k] * D + c] = 0;
    }
    struct settings settings = fixed_l(5);
    double h[B * T * D], expected[B * T * D];
    for (int i = 0; i < registry_count(); i++)
        for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++)
            for (enum level level = 0; level <= level_best(); level++) {
                struct tensors as = tensors_as(&tensors, dtype);
                const struct implementation *one = registry_get(i, dtype, level);
                if (supported(one, &as.problem) && !one->solver) {
                    struct status status = run_variant(one, &as, &settings, 2, h, NULL, NULL);
                    enum status_code wanted = one->exact ? STATUS_SINGULAR : STATUS_OK;
                    ck_assert_msg(status.code == wanted, "%s: %s", one->name, status_names[status.code]);
                    ck_assert(!one->exact || (status.b == 1 && status.t == 4));
                    if (!one->exact && dtype == DTYPE_FLOAT64) {
                        reference_iterate(&as, 5, expected);
                        ck_assert_double_le(distance_max(h, expected, B * T * D), 1e-13);
                    }
                }
                tensors_free(&as);
            }
    tensors_free(&tensors);
}
END_TEST

/* ---- Tolerance, quantile, damping with patience: against the textbook map, iterated as docs/mathematics.md says (Stopping) - */

struct followed {
    int64_t l_star[B], l_run;
    double h[B * T * D], residual[L][B];
};

static void follow(const struct tensors *tensors, const struct settings *settings, struct followed *out)
{
    struct error error;
    double delta[B], best[B], next[T * D];
    int64_t waited[B] = {0}, wanted = (int64_t)ceil(settings->quantile * B), converged = 0;
    memset(out, 0, sizeof *out);
    for (int64_t b = 0; b < B; b++) {
        delta[b] = settings->damping;
        best[b] = INFINITY;
    }
    while (out->l_run < settings->l_max && converged < wanted) {
        converged = 0;
        for (int64_t b = 0; b < B; b++) {
            struct tensors one;
            double *h = out->h + b * T * D, worst = 0;
            ck_assert(tensors_sequence(tensors, b, &one, &error));
            ck_assert(textbook_apply(&one.problem, &one.inputs, h, next));
            for (int64_t t = 0; t < T; t++) {
                double change = 0, size = 0;
                for (int64_t c = 0; c < D; c++) {
                    change = fmax(change, fabs(next[t * D + c] - h[t * D + c]));
                    size = fmax(size, fabs(next[t * D + c]));
                }
                worst = fmax(worst, change == 0 ? 0 : change / size);
            }
            for (int64_t i = 0; i < T * D; i++)
                h[i] = delta[b] * next[i] + (1 - delta[b]) * h[i];
            out->residual[out->l_run][b] = worst;
            converged += worst < settings->tolerance;
            if (worst < settings->tolerance && out->l_star[b] == 0)
                out->l_star[b] = out->l_run + 1;
            if (worst < best[b]) {
                best[b] = worst;
                waited[b] = 0;
            } else if (settings->patience > 0 && ++waited[b] >= settings->patience) {
                delta[b] *= settings->damping_factor;
                best[b] = INFINITY;
                waited[b] = 0;
            }
            tensors_free(&one);
        }
        out->l_run++;
    }
}

static const struct settings followed_settings[] = {
    {.l_max = L, .tolerance = 1e-3, .quantile = 1, .damping = 1},
    {.l_max = L, .tolerance = 1e-3, .quantile = 0.5, .damping = 1},
    {.l_max = L, .tolerance = 1e-2, .quantile = 1, .damping = 0.8},
    {.l_max = L, .tolerance = 1e-9, .quantile = 1, .damping = 0.99, .damping_factor = 0.7, .patience = 2},
    {.l_max = L, .quantile = 1, .damping = 0.9, .damping_factor = 0.5, .patience = 1},
    {.l_max = 3, .tolerance = 1e-9, .quantile = 1, .damping = 1},
};
enum { FOLLOWED = sizeof followed_settings / sizeof followed_settings[0] };

START_TEST(tolerance_and_damping)
{
    struct test_case test = some_case(mixers[_i % MIXERS], (enum feedback)(_i % FEEDBACK_COUNT), (enum form)(_i / MIXERS % 2));
    struct tensors tensors = case_tensors(&test, 23);
    for (int k = 0; k < FOLLOWED; k++) {
        const struct settings *settings = &followed_settings[k];
        struct followed expected;
        double h[B * T * D], residual[L * B];
        int64_t l_star[B];
        struct trace trace = {.l = l_star, .residual = residual};
        follow(&tensors, settings, &expected);
        for (enum level level = 0; level <= level_best(); level++) {
            const struct implementation *one =
                registry_get(registry_find(_i % 2 ? "fixed_point" : "fixed_point_chunked"), DTYPE_FLOAT64, level);
            struct status status = run_variant(one, &tensors, settings, 2, h, NULL, &trace);
            int64_t reached = 0;
            for (int64_t b = 0; b < B; b++)
                reached += expected.residual[expected.l_run - 1][b] < settings->tolerance;
            bool stopped = settings->tolerance == 0 || reached >= (int64_t)ceil(settings->quantile * B);
            ck_assert_int_eq(status.code, stopped ? STATUS_OK : STATUS_NOT_CONVERGED);
            ck_assert_int_eq(trace.l_run, expected.l_run);
            ck_assert_double_eq(trace.applications, (double)expected.l_run);
            for (int64_t b = 0; b < B; b++) {
                ck_assert_int_eq(l_star[b], expected.l_star[b]);
                for (int64_t l = 0; l < trace.l_run; l++)
                    ck_assert_double_le(fabs(residual[l * B + b] - expected.residual[l][b]),
                                        1e-10 + 1e-6 * expected.residual[l][b]);
            }
            ck_assert_double_le(distance_max(h, expected.h, B * T * D), 1e-9);
        }
    }
    tensors_free(&tensors);
}
END_TEST

/* ---- The trace's iterates -------------------------------------------------------------------------------------------------- */

START_TEST(kept_iterates)
{
    static const int64_t keep[] = {1, 2, 5, 9}, sequences[] = {2, 0};
    struct test_case test = some_case(mixers[_i], FEEDBACK_NONE, FORM_NORMALISED);
    struct tensors tensors = case_tensors(&test, 24);
    struct settings settings = fixed_l(7);
    double h[B * T * D], expected[B * T * D], iterates[4 * 2 * T * D];
    struct trace trace = {.keep = keep, .n_keep = 4, .sequences = sequences, .n_sequences = 2, .iterates = iterates};
    const struct implementation *one = registry_get(registry_find("fixed_point"), DTYPE_FLOAT64, level_best());
    ck_assert_int_eq(run_variant(one, &tensors, &settings, 1, h, NULL, &trace).code, STATUS_OK);
    ck_assert_int_eq(trace.n_kept, 3); /* the ninth is beyond l_max */
    for (int k = 0; k < 3; k++) {
        reference_iterate(&tensors, keep[k], expected);
        for (int s = 0; s < 2; s++)
            ck_assert_double_le(distance_max(iterates + (k * 2 + s) * T * D, expected + sequences[s] * T * D, T * D), 1e-12);
    }
    tensors_free(&tensors);
}
END_TEST

/* ---- The same bits; no allocation ------------------------------------------------------------------------------------------ */

START_TEST(same_bits_and_no_allocation)
{
    struct test_case test = some_case(mixers[_i / 3], _i % 2 ? FEEDBACK_RMS : FEEDBACK_NONE, (enum form)(_i % 2));
    struct tensors drawn = case_tensors(&test, 25);
    struct settings settings = fixed_l(6);
    const struct environment environment = {.threads = 1 + _i % 3};
    for (int i = 0; i < registry_count(); i++)
        for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++)
            for (enum level level = 0; level <= level_best(); level++) {
                struct tensors tensors = tensors_as(&drawn, dtype);
                const struct implementation *one = registry_get(i, dtype, level);
                if (supported(one, &tensors.problem)) {
                    char h[3][B * T * D * sizeof(double)] = {{0}};
                    struct plan *plan[2];
                    for (int k = 0; k < 2; k++)
                        ck_assert_int_eq(one->plan(&tensors.problem, &settings, &environment, &plan[k]).code, STATUS_OK);
                    long before = allocations(); /* and no assertion before the next look: libcheck allocates too */
                    bool good = true;
                    for (int k = 0; k < 3; k++) {
                        const struct outputs outputs = {.h = h[k]};
                        good = one->forward(plan[k % 2], &tensors.inputs, &outputs, NULL).code == STATUS_OK && good;
                    }
                    long after = allocations();
                    ck_assert(good);
                    ck_assert_msg(after == before, "%s: forward() allocates", one->name);
                    ck_assert_msg(memcmp(h[0], h[1], sizeof h[0]) == 0, "%s: another plan, other bits", one->name);
                    ck_assert_msg(memcmp(h[0], h[2], sizeof h[0]) == 0, "%s: the second forward of a plan, other bits", one->name);
                    one->destroy(plan[0]);
                    one->destroy(plan[1]);
                }
                tensors_free(&tensors);
            }
    tensors_free(&drawn);
}
END_TEST

/* Where no threads divide time and no mixer reads the state, their number leaves the bits alone; in exact implementations it does so
 * with state-dependent mixers as well (docs/explanation/measuring.md, Bits). Sequences are longer than a stretch of sums, and neither
 * their number nor their width is divided evenly. */
START_TEST(bits_do_not_depend_on_threads)
{
    enum { LONG = 150, WIDE = 34 };
    static const char *const splits[] = {"batch", "channels"};
    static const enum mixer some[] = {MIXER_NONE, MIXER_DPLR, MIXER_KRONECKER};
    struct test_case test = some_case(some[_i % 3], _i / 3 ? FEEDBACK_RMS : FEEDBACK_NONE, FORM_NORMALISED);
    test.problem.T = LONG;
    test.problem.d = WIDE;
    struct tensors tensors = case_tensors(&test, 27);
    static double h[B * LONG * WIDE], other[B * LONG * WIDE];
    for (int i = 0; i < registry_count(); i++)
        for (int split = 0; split < 2; split++) {
            const struct implementation *one = registry_get(i, DTYPE_FLOAT64, level_best());
            struct settings settings = fixed_l(6);
            struct option *option = settings.option;
            snprintf(option->name, sizeof option->name, "split");
            snprintf(option->value, sizeof option->value, "%s", splits[split]);
            settings.n_options = option_allowed(one->options, option);
            if (!supported(one, &test.problem) || (_i / 3 && (!one->exact || test.problem.mixer == MIXER_NONE)))
                continue;
            struct status first = run_variant(one, &tensors, &settings, 1, h, NULL, NULL);
            for (int threads = 2; threads <= 5; threads++) {
                struct status status = run_variant(one, &tensors, &settings, threads, other, NULL, NULL);
                ck_assert_int_eq(status.code, first.code);
                ck_assert_msg(memcmp(h, other, sizeof h) == 0, "%s split=%s: other bits with %d threads", one->name, splits[split],
                              threads);
            }
        }
    tensors_free(&tensors);
}
END_TEST

/* The counter of allocations must be able to count, or the test above could not fail. */
START_TEST(allocations_are_counted)
{
    long before = allocations();
    void *volatile memory = malloc(16);
    long after = allocations();
    free(memory);
    ck_assert_int_eq(after, before + 1);
}
END_TEST

/* ---- The registry ---------------------------------------------------------------------------------------------------------- */

START_TEST(names)
{
    for (int i = 0; i < registry_count(); i++) {
        const struct implementation *one = registry_get(i, DTYPE_FLOAT32, LEVEL_BASELINE);
        ck_assert_msg(registry_find(one->name) == i, "two rows of the registry are called %s", one->name);
        for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++)
            for (enum level level = 0; level <= level_best(); level++)
                ck_assert_str_eq(registry_get(i, dtype, level)->name, one->name);
    }
    ck_assert_int_eq(registry_find("no_such_name"), -1);
}
END_TEST

/* ---- supports() ------------------------------------------------------------------------------------------------------------ */

START_TEST(refusals)
{
    static const struct {
        const char *name;
        struct problem problem;
        size_t limit;
        const char *option, *value, *reason;
    } rows[] = {
        {"structured_sequential",
         {.B = 1, .T = 4, .d = 4, .mixer = MIXER_KRONECKER, .s = 1},
         0,
         NULL,
         NULL,
         "mixer kronecker is not supported; supported: none, dplr and householder"},
        {"structured_sequential",
         {.B = 1, .T = 4, .d = 4, .mixer = MIXER_DENSE},
         0,
         NULL,
         NULL,
         "mixer dense is not supported; supported: none, dplr and householder"},
        {"diagonal_scan",
         {.B = 1, .T = 4, .d = 4, .mixer = MIXER_DPLR, .r = 1, .s = 1},
         0,
         NULL,
         NULL,
         "mixer dplr is not supported; supported: none"},
        {"diagonal_scan",
         {.B = 1, .T = 4, .d = 4},
         0,
         "split",
         "sideways",
         "has no option split=sideways; it takes split=batch|channels|time"},
        {"fixed_point", {.B = 1, .T = 4, .d = 4}, 0, "chunk", "64", "has no option chunk=64; it takes split=batch|channels|time"},
        {"dense_sequential",
         {.B = 8, .T = 1024, .d = 256, .mixer = MIXER_DPLR, .r = 1, .s = 1},
         1000000000,
         NULL,
         NULL,
         "needs 2181.4 MB (2147.8 beside the tensors), the limit is 1000.0 MB"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct settings settings = fixed_l(4);
        struct environment environment = {.threads = 1, .memory_limit = rows[i].limit};
        struct support support;
        if (rows[i].option != NULL) {
            settings.n_options = 1;
            snprintf(settings.option[0].name, sizeof settings.option[0].name, "%s", rows[i].option);
            snprintf(settings.option[0].value, sizeof settings.option[0].value, "%s", rows[i].value);
        }
        registry_get(registry_find(rows[i].name), DTYPE_FLOAT32, LEVEL_BASELINE)
            ->supports(&rows[i].problem, &settings, &environment, &support);
        ck_assert(!support.yes);
        ck_assert_msg(strstr(support.reason, rows[i].reason) != NULL, "%s: \"%s\" says nothing of \"%s\"", rows[i].name,
                      support.reason, rows[i].reason);
    }
}
END_TEST

/* An implementation takes the mixers and cells of its masks, and refuses those that it does not name. */
START_TEST(masks)
{
    const struct implementation *one = registry_get(_i, DTYPE_FLOAT32, LEVEL_BASELINE);
    ck_assert_msg(one->mixers != 0 && one->cells != 0, "%s takes nothing", one->name);
    for (int mixer = 0; mixer < MIXER_COUNT; mixer++) {
        bool low_rank = mixer_facts[mixer].takes_r;
        const struct problem p = {.B = 1,
                                  .T = 4,
                                  .d = 4,
                                  .mixer = (enum mixer)mixer,
                                  .r = low_rank,
                                  .s = mixer_facts[mixer].takes_s,
                                  .dtype = DTYPE_FLOAT32};
        const struct environment environment = {.threads = 1};
        const struct settings settings = fixed_l(4);
        struct support support;
        one->supports(&p, &settings, &environment, &support);
        bool named = one->mixers >> mixer & 1 && one->cells & CELLS_VECTOR;
        if (one->device == DEVICE_CPU)
            ck_assert_msg(support.yes == named, "%s, mixer %s: %s", one->name, mixer_names[mixer], support.reason);
        ck_assert(named || !support.yes);
    }
}
END_TEST

Suite *suite_contract(void);

Suite *suite_contract(void)
{
    Suite *suite = suite_create("contract");
    TCase *tests = tcase_create("contract");
    tcase_add_loop_test(tests, not_finite, 0, 3 * MIXERS);
    tcase_add_loop_test(tests, singular, 0, 4);
    tcase_add_loop_test(tests, tolerance_and_damping, 0, 3 * 2 * MIXERS);
    tcase_add_loop_test(tests, kept_iterates, 0, MIXERS);
    tcase_add_loop_test(tests, same_bits_and_no_allocation, 0, 3 * MIXERS);
    tcase_add_loop_test(tests, bits_do_not_depend_on_threads, 0, 6);
    tcase_add_test(tests, allocations_are_counted);
    tcase_add_test(tests, names);
    tcase_add_test(tests, refusals);
    tcase_add_loop_test(tests, masks, 0, registry_count());
    suite_add_tcase(suite, tests);
    return suite;
}
