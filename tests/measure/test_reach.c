/* The measure reach: applications to a true error, problem by problem, against textbook iterates; what is set aside; words of A5. */
#include "bench/command/vocabulary.h"
#include "bench/journal/journal.h"
#include "bench/measure/cache.h"
#include "bench/measure/measure.h"
#include "bench/measure/subject.h"
#include "bench/problems/textbook.h"
#include "bench/problems/words.h"
#include "bench/sweep/sweep.h"
#include "tasks/group.h"
#include "tests/support/reference.h"
#include "tests/support/scratch.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_reach(void);

static struct sweep sweep;
static struct finding finding;

static void forget(void)
{
    json_decref(finding.data);
    json_decref(finding.inputs);
    memset(&finding, 0, sizeof finding);
    sweep_free(&sweep);
}

static void teardown(void)
{
    forget();
    scratch_remove();
}

/* Measures the only point of a sweep, whose file holds `text` after two lines of its own. */
static void measure(const char *text)
{
    const struct limits limits = {.time_limit = 60};
    const char *path = scratch_path("reach.yaml");
    char whole[1024];
    struct error error;
    forget();
    snprintf(whole, sizeof whole, "name: t\nmeasure: reach\n%s", text);
    scratch_write(path, whole, strlen(whole));
    ck_assert_msg(sweep_read(&sweep_vocabulary, path, NULL, false, &sweep, &error), "%s", error.text);
    ck_assert_uint_eq(sweep.n_points, 1);
    ck_assert_msg(reach_run(&sweep.point[0], &limits, &finding, &error), "%s", error.text);
}

static const json_t *target(const char *name)
{
    return json_object_get(json_object_get(finding.data, "to"), name);
}

/* Applications of problem b; infinite: it never got there. */
static double applications(const char *name, int64_t b)
{
    const json_t *each = json_array_get(json_object_get(target(name), "each"), (size_t)b);
    ck_assert_ptr_nonnull(each);
    return json_is_number(each) ? json_number_value(each) : INFINITY;
}

static int64_t count(const char *name)
{
    return json_integer_value(json_object_get(finding.data, name));
}

static void draw(struct tensors *tensors)
{
    struct error error;
    ck_assert_msg(tensors_make(&sweep.point[0], NULL, NULL, tensors, &error), "%s", error.text);
}

/* ---- How many ----------------------------------------------------------------------------------------------------------------- */

/* The first iteration whose textbook iterate has that error. */
static int64_t first_within(const struct tensors *one, double error, int64_t most)
{
    int64_t n = one->problem.T * one->problem.d, l = 0;
    double *exact = calloc((size_t)n, sizeof *exact), *h = calloc((size_t)n, sizeof *h);
    ck_assert_int_eq(reference_exact(one, exact).code, STATUS_OK);
    for (bool found = false; !found && l < most;) {
        l++;
        ck_assert(textbook_iterate(&one->problem, &one->inputs, 1, l, h, NULL));
        found = distance_max(h, exact, n) <= error;
    }
    free(exact);
    free(h);
    return l;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Quartiles of problems of which some never get there: never, where one of the two that they lie between never does. */
START_TEST(quartiles)
{
    static const char *const names[] = {"1e-1", "1e-3", "1e-6"}, *const which[] = {"q1", "median", "q3"};
    enum { PROBLEMS = 6 };
    int never = 0, finite = 0;
    for (int l = 8; l <= 24; l += 2) {
        char text[256];
        snprintf(
            text, sizeof text,
            "impls: fixed_point\nproblem: {B: 6, T: 12, d: 8, r: 2, dtype: float64}\nregime: {kappa: 0.7}\nsettings: {l: %d}\n", l);
        measure(text);
        ck_assert_msg(finding.result == RESULT_OK, "%s", finding.message);
        for (int k = 0; k < 3; k++) {
            double sorted[PROBLEMS];
            for (int b = 0; b < PROBLEMS; b++)
                sorted[b] = applications(names[k], b);
            qsort(sorted, PROBLEMS, sizeof *sorted, ascending);
            for (int i = 0; i < 3; i++) {
                double place = 0.25 * (i + 1) * (PROBLEMS - 1), low = sorted[(int)floor(place)], high = sorted[(int)ceil(place)];
                const json_t *found = json_object_get(target(names[k]), which[i]);
                ck_assert_msg(json_is_number(found) == isfinite(high), "l = %d, %s, %s", l, names[k], which[i]);
                if (isfinite(high))
                    ck_assert_double_eq_tol(json_number_value(found), low + (place - floor(place)) * (high - low), 1e-9);
                never += isinf(high) && isfinite(sorted[0]);
                finite += isfinite(high);
            }
        }
    }
    ck_assert(never > 0 && finite > 0);
}
END_TEST

START_TEST(against_the_textbook)
{
    measure("impls: fixed_point\nproblem: {B: 3, T: 12, d: 8, r: 2, dtype: float64}\nregime: {kappa: 0.7}\nsettings: {l: 400}\n");
    ck_assert_msg(finding.result == RESULT_OK, "%s", finding.message);
    ck_assert_int_eq(count("problems"), 3);
    ck_assert_int_eq(count("set_aside"), 0);
    ck_assert_double_lt(json_number_value(json_object_get(finding.data, "floor")), 1e-7); /* of errors, not of counts */
    struct tensors tensors;
    draw(&tensors);
    double sum = 0, least = INFINITY, most = 0;
    for (int64_t b = 0; b < 3; b++) {
        struct tensors one;
        struct error error;
        ck_assert(tensors_sequence(&tensors, b, &one, &error));
        int64_t first = first_within(&one, 1e-3, 400);
        double found = applications("1e-3", b);
        ck_assert_msg(found >= (double)first && found <= ceil(1.05 * (double)first) && (first > 32 || found == (double)first),
                      "problem %lld: %g, textbook %lld", (long long)b, found, (long long)first);
        ck_assert(applications("1e-6", b) > found && isfinite(applications("1e-6", b)));
        sum += found, least = fmin(least, found), most = fmax(most, found);
        tensors_free(&one);
    }
    ck_assert_double_eq(json_number_value(json_object_get(target("1e-3"), "median")), sum - least - most);
    ck_assert_int_eq(json_integer_value(json_object_get(target("1e-3"), "reached")), 3);
    ck_assert_double_eq(json_number_value(json_object_get(target("1e-6"), "within")), 0); /* T/4 = 3 applications */
    tensors_free(&tensors);
}
END_TEST

static int64_t agreed(int64_t b)
{
    const json_t *each = json_array_get(json_object_get(json_object_get(finding.data, "agreement"), "each"), (size_t)b);
    ck_assert_ptr_nonnull(each);
    return json_integer_value(each); /* 0: never */
}

/* The fewest iterations whose textbook iterate agrees, to the iteration: also where iterates are kept some apart. */
START_TEST(agreement_with_the_sequential_answer)
{
    static const double asked[] = {1e-2, 1e-4, 1e-7};
    struct tensors tensors;
    for (int k = 0; k < 3; k++) {
        char text[300];
        snprintf(text, sizeof text,
                 "impls: fixed_point\nproblem: {B: 3, T: 24, d: 8, r: 2, dtype: float64}\nregime: {kappa: 0.9}\n"
                 "settings: {l: 1000, agreement: %g}\n",
                 asked[k]);
        measure(text);
        ck_assert_msg(finding.result == RESULT_OK, "%s", finding.message);
        ck_assert_int_eq(count("set_aside"), 0);
        draw(&tensors);
        for (int64_t b = 0; b < 3; b++) {
            struct tensors one;
            struct error error;
            ck_assert(tensors_sequence(&tensors, b, &one, &error));
            ck_assert_int_eq(agreed(b), first_within(&one, asked[k], 1000));
            ck_assert(k < 2 || agreed(b) > 64);
            tensors_free(&one);
        }
        tensors_free(&tensors);
    }
    measure("impls: fixed_point\nproblem: {B: 3, T: 24, d: 8, r: 2, dtype: float64}\nregime: {kappa: 0.9}\nsettings: {l: 5}\n");
    ck_assert_int_eq(agreed(0), 0); /* given up: 5 are too few for 1e-4, the default */
    ck_assert(json_is_null(json_object_get(json_object_get(finding.data, "agreement"), "median")));
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(finding.data, "agreement"), "reached")), 0);
}
END_TEST

/* Chunks: the number is that of runs of its own, which the iterates on the way to a later one are not. */
START_TEST(each_number_is_a_run)
{
    measure("impls: fixed_point_chunked chunk=3\nproblem: {B: 2, T: 12, d: 8, dtype: float64}\nregime: {kappa: 0.8}\n"
            "settings: {l: 300}\n");
    ck_assert_msg(finding.result == RESULT_OK, "%s", finding.message);
    struct tensors tensors;
    draw(&tensors);
    for (int64_t b = 0; b < 2; b++) {
        struct tensors one;
        struct error error;
        double exact[12 * 8], h[12 * 8], found = applications("1e-6", b);
        ck_assert(tensors_sequence(&tensors, b, &one, &error));
        ck_assert_int_eq(reference_exact(&one, exact).code, STATUS_OK);
        for (int k = 0; k < 2; k++) {
            struct settings settings = fixed_l((int64_t)found - k);
            snprintf(settings.option[0].name, sizeof settings.option[0].name, "chunk");
            snprintf(settings.option[0].value, sizeof settings.option[0].value, "3");
            settings.n_options = 1;
            run_variant(registry_get(registry_find("fixed_point_chunked"), DTYPE_FLOAT64, level_best()), &one, &settings, 1, h,
                        NULL, NULL);
            ck_assert_int_eq(distance_max(h, exact, 12 * 8) <= 1e-6, k == 0);
        }
        tensors_free(&one);
    }
    tensors_free(&tensors);
}
END_TEST

/* ---- Who counts ---------------------------------------------------------------------------------------------------------------- */

/* Problems beyond the limit are set aside, as many as there are, and no figure holds them; one that diverges takes nothing from the
 * others. */
START_TEST(set_aside_and_diverged)
{
    measure("impls: fixed_point\nproblem: {B: 12, T: 6, d: 6, s: 2, r: 2, dtype: float64}\nregime: {limit: 8}\n"
            "settings: {l: 20000}\n");
    struct tensors tensors;
    draw(&tensors);
    int64_t n = 6 * 6, beyond = 0, never = 0;
    double *exact = calloc((size_t)(12 * n), sizeof *exact);
    ck_assert_int_eq(reference_exact(&tensors, exact).code, STATUS_OK);
    for (int64_t b = 0; b < 12; b++) {
        bool aside = norm_max(exact + b * n, n) > 8;
        beyond += aside;
        ck_assert(!aside || isinf(applications("1e-1", b)));
        never += !aside && isinf(applications("1e-6", b));
    }
    ck_assert_int_gt(beyond, 0);
    ck_assert_int_lt(beyond, 12);
    ck_assert_int_eq(count("set_aside"), beyond);
    ck_assert_int_gt(count("diverged"), 0);
    ck_assert_int_le(count("diverged"), never);
    ck_assert_int_eq(json_integer_value(json_object_get(target("1e-6"), "reached")), 12 - beyond - never);
    ck_assert_int_lt(never, 12 - beyond);
    free(exact);
    tensors_free(&tensors);
}
END_TEST

static void ends_as(const char *text, enum result result, const char *message)
{
    measure(text);
    ck_assert_msg(finding.result == result && strstr(finding.message, message) != NULL, "%s: %s", result_name(finding.result),
                  finding.message);
}

START_TEST(what_is_not_measured)
{
    ends_as("impls: structured_sequential\nproblem: {T: 8, d: 4}\n", (enum result)STATUS_UNSUPPORTED, "no iterations to count");
    ends_as("impls: fixed_point\nproblem: {T: 8, d: 4}\nsettings: {tolerance: 0.1}\n", (enum result)STATUS_UNSUPPORTED,
            "remove the tolerance");
    ends_as("impls: gmres\nproblem: {T: 8, d: 4, feedback: raw}\n", (enum result)STATUS_UNSUPPORTED, "needs a linear equation");
    ends_as("impls: fixed_point\nproblem: {B: 2, T: 8, d: 4}\nregime: {limit: 0.001}\n", RESULT_EXPLODES,
            "none of the 2 problems has an answer");
}
END_TEST

/* ---- Words --------------------------------------------------------------------------------------------------------------------- */

/* The exact state after t tokens is s in the order of the product of the words, for whichever lambda. */
START_TEST(words_are_followed)
{
    measure("impls: quasi_deer\nproblem: {B: 3, T: 20, d: 5, mixer: dense, form: plain, dtype: float64}\n"
            "regime: {words: A5, lambda_max: 0.7}\nsettings: {l: 20}\n");
    ck_assert_msg(finding.result == RESULT_OK, "%s", finding.message);
    ck_assert_double_eq(json_number_value(json_object_get(finding.data, "tracked")), 1);
    struct tensors tensors;
    draw(&tensors);
    double exact[3 * 20 * 5], before[5];
    ck_assert_int_eq(reference_exact(&tensors, exact).code, STATUS_OK);
    int moved = 0;
    for (int i = 0; i < 3 * 20; i++) {
        const double *theta = (const double *)tensors.inputs.theta + i * 25;
        for (int c = 0; c < 5 && i % 20 == 0; c++)
            before[c] = c - 2;
        for (int c = 0; c < 5; c++)
            for (int k = 0; k < 5; k++)
                if (theta[c * 5 + k] != 0) { /* Q takes entry k to c: A takes c to k */
                    ck_assert_double_eq(theta[c * 5 + k], 0.7);
                    ck_assert_double_eq_tol(exact[i * 5 + k], before[c], 1e-12);
                    moved += c != k;
                }
        memcpy(before, exact + (ptrdiff_t)i * 5, sizeof before);
    }
    ck_assert_int_gt(moved, 0);
    tensors_free(&tensors);
}
END_TEST

/* Half the distance between two entries of s decides, at each token. */
START_TEST(tracked_tokens)
{
    const struct problem p = {.B = 1, .T = 4, .d = 5};
    double exact[20], h[20];
    for (int i = 0; i < 20; i++)
        h[i] = exact[i] = i % 5 - 2;
    ck_assert_double_eq(words_tracked(&p, h, exact), 1);
    h[0] += 0.49;
    ck_assert_double_eq(words_tracked(&p, h, exact), 1);
    h[4] -= 0.51;
    ck_assert_double_eq(words_tracked(&p, h, exact), 0.75);
    h[9] = NAN;
    ck_assert_double_eq(words_tracked(&p, h, exact), 0.5);
    memset(h, 0, sizeof h); /* a state of zeros tells nothing */
    ck_assert_double_eq(words_tracked(&p, h, exact), 0);
}
END_TEST

/* No damping makes the iteration converge on them, as mathematics.md says of every word that is not the identity. */
START_TEST(words_out_of_reach)
{
    static const char *const damping[] = {"1", "0.5", "0.1"};
    for (int k = 0; k < 3; k++) {
        char text[300];
        snprintf(text, sizeof text,
                 "impls: fixed_point\nproblem: {B: 2, T: 32, d: 5, mixer: dense, form: plain, dtype: float64}\n"
                 "regime: {words: A5, lambda_max: 0.9}\nsettings: {l: 500, damping: %s}\n",
                 damping[k]);
        measure(text);
        double floor = json_number_value(json_object_get(finding.data, "floor"));
        ck_assert_msg(finding.result == (floor > 1 ? RESULT_INACCURATE : RESULT_OK), "%s", finding.message);
        ck_assert_double_lt(json_number_value(json_object_get(finding.data, "tracked")), 0.3);
        ck_assert_int_eq(json_integer_value(json_object_get(target("1e-1"), "reached")), 0);
    }
}
END_TEST

START_TEST(words_need_five_channels)
{
    const char *text =
        "name: t\nmeasure: reach\nimpls: gmres\nproblem: {T: 8, d: 6, mixer: dense, form: plain}\nregime: {words: A5}\n";
    struct error error;
    forget();
    scratch_write(scratch_path("bad.yaml"), text, strlen(text));
    ck_assert(!sweep_read(&sweep_vocabulary, scratch_path("bad.yaml"), NULL, false, &sweep, &error));
    ck_assert_msg(strstr(error.text, "expected d = 5, not 6") != NULL, "%s", error.text);
    memset(&sweep, 0, sizeof sweep);
}
END_TEST

Suite *suite_reach(void)
{
    Suite *suite = suite_create("reach");
    TCase *tests = tcase_create("reach");
    tcase_add_checked_fixture(tests, scratch_make, teardown);
    tcase_add_test(tests, quartiles);
    tcase_add_test(tests, against_the_textbook);
    tcase_add_test(tests, agreement_with_the_sequential_answer);
    tcase_add_test(tests, each_number_is_a_run);
    tcase_add_test(tests, set_aside_and_diverged);
    tcase_add_test(tests, what_is_not_measured);
    tcase_add_test(tests, words_are_followed);
    tcase_add_test(tests, tracked_tokens);
    tcase_add_test(tests, words_out_of_reach);
    tcase_add_test(tests, words_need_five_channels);
    suite_add_tcase(suite, tests);
    return suite;
}
