/* The measure roots: its counts against those of the tokens one by one, where answers lie against the textbook's own iterations, and what
 * it says of what has no such equation. */
#include "bench/base/safetensors_write.h"
#include "bench/command/vocabulary.h"
#include "bench/measure/cache.h"
#include "bench/measure/measure.h"
#include "bench/problems/fixed_points.h"
#include "bench/problems/textbook.h"
#include "bench/sweep/sweep.h"
#include "tests/support/scratch.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_roots(void);

enum { B = 6, T = 8, D = 12, N = 3 };

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

/* Measures the only point of a sweep: one of this size, with what the text says beside that. */
static void measure(const char *problem, const char *rest)
{
    const struct limits limits = {.time_limit = 60};
    const char *path = scratch_path("roots.yaml");
    char whole[1024];
    struct error error;
    forget();
    snprintf(whole, sizeof whole, "name: t\nmeasure: roots\nproblem: {cell: selective, B: %d, T: %d, d: %d, N: %d, %s}\n%s", B, T,
             D, N, problem, rest);
    scratch_write(path, whole, strlen(whole));
    ck_assert_msg(sweep_read(&sweep_vocabulary, path, NULL, false, &sweep, &error), "%s", error.text);
    ck_assert_uint_eq(sweep.n_points, 1);
    ck_assert_msg(roots_run(&sweep.point[0], &limits, &finding, &error), "%s", error.text);
}

static double number(const char *name)
{
    const json_t *value = json_object_get(finding.data, name);
    ck_assert_msg(value != NULL, "no %s", name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static double of(const char *name, const char *member)
{
    const json_t *value = json_object_get(json_object_get(finding.data, name), member);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* What is counted over all sequences by going from token to token in d numbers. */
struct counted {
    int several, most, sum, settled, answered, converged, compared, elsewhere;
};

static void walk(const struct tensors *one, struct counted *counted)
{
    const struct problem *p = &one->problem;
    double y[T * D], limit[T * D], H[D * N] = {0}, zero[D] = {0};
    double *token_room = calloc((size_t)textbook_selective_scratch(p), sizeof(double));
    double *equation_room = calloc((size_t)token_equation_scratch(p), sizeof(double));
    struct selective_token token = textbook_selective_token(p, token_room);
    struct fixed_points found;
    bool answered = true, elsewhere = false;
    double residual;
    ck_assert(fixed_points_make(p, &found) && textbook_iterate(p, &one->inputs, 1, 2000, limit, &residual));
    for (int t = 0; t < T; t++) {
        double next[D], *at = y + t * D;
        textbook_selective_begin(p, &one->inputs, t, t > 0 ? at - D : zero, &token);
        struct token_equation equation = token_equation_make(p, &one->inputs, t, &token, H, equation_room);
        ck_assert(fixed_points_find(p, &one->inputs, t, &token, H, &equation, &found));
        memset(at, 0, sizeof next);
        for (int l = 0; l < 4000; l++) {
            textbook_selective_apply(p, &one->inputs, NULL, t, &token, H, at, next, NULL);
            memcpy(at, next, sizeof next);
        }
        textbook_selective_apply(p, &one->inputs, NULL, t, &token, H, at, next, NULL);
        answered = answered && distance_max(next, at, D) < 1e-9;
        counted->settled += distance_max(next, at, D) < 1e-9;
        counted->several += found.n > 1;
        counted->sum += found.n;
        counted->most = found.n > counted->most ? found.n : counted->most;
        elsewhere = elsewhere || (answered && residual < 1e-9 && distance_max(limit + t * D, at, D) > 1e-4);
        textbook_selective_apply(p, &one->inputs, NULL, t, &token, H, at, next, H);
    }
    counted->answered += answered;
    counted->converged += residual < 1e-9;
    counted->compared += residual < 1e-9 && (answered || elsewhere);
    counted->elsewhere += elsewhere;
    fixed_points_free(&found);
    free(token_room);
    free(equation_room);
}

static struct counted count_all(void)
{
    struct counted counted = {0};
    struct tensors all, one;
    struct error error;
    ck_assert_msg(tensors_make(&sweep.point[0], NULL, NULL, &all, &error), "%s", error.text);
    for (int b = 0; b < B; b++) {
        ck_assert(tensors_sequence(&all, b, &one, &error));
        walk(&one, &counted);
        tensors_free(&one);
    }
    tensors_free(&all);
    return counted;
}

static const char *const problems[] = {
    "mixer: householder, r: 1, s: 1, feedback: raw, reads: bc, dtype: float64",
    "mixer: householder, r: 1, s: 2, feedback: raw, reads: bc, dtype: float64",
    "mixer: dplr, r: 2, s: 1, feedback: raw, reads: bc, dtype: float64",
    "mixer: householder, r: 1, s: 1, feedback: raw, reads: dt+bc, gate: inside, dtype: float32",
};
enum { PROBLEMS = sizeof problems / sizeof problems[0] };

START_TEST(counts_are_those_of_the_tokens)
{
    const char *tolerance = strstr(problems[_i], "float64") != NULL ? "1e-10" : "1e-5";
    char rest[256];
    snprintf(rest, sizeof rest, "impls: [fixed_point]\nsettings: {l: 2000, tolerance: %s}\nrun: {threads: 2}\n", tolerance);
    measure(problems[_i], rest);
    struct counted counted = count_all();
    ck_assert_int_eq(finding.result, RESULT_OK);
    ck_assert_double_eq_tol(number("several"), (double)counted.several / (B * T), 1e-12);
    ck_assert_double_eq_tol(number("mean"), (double)counted.sum / (B * T), 1e-12);
    ck_assert_double_eq(number("most"), counted.most);
    ck_assert_double_eq_tol(number("settled"), (double)counted.settled / (B * T), 1e-12);
    ck_assert_double_le(number("without_stable"), 1 - number("settled") + 1e-12);
    ck_assert_double_eq(number("degenerate") + number("unlisted"), 0);
    ck_assert_double_eq_tol(number("answered"), (double)counted.answered / B, 1e-12);
    ck_assert_double_eq_tol(number("converged"), (double)counted.converged / B, 1e-12);
    ck_assert_double_eq(number("compared"), counted.compared);
    ck_assert_double_eq(number("elsewhere"), counted.elsewhere);
    ck_assert_double_eq(number("elsewhere_listed"), counted.elsewhere);
    ck_assert_double_le(of("to_limit", "most"), strtod(tolerance, NULL) * 1000);
    ck_assert(counted.elsewhere == 0 ? of("to_sequential", "most") < 1e-3 : of("to_sequential", "most") > 1e-3);
    ck_assert(_i == 3 || counted.answered == B);
}
END_TEST

/* Somewhere in these problems there is something to count. */
START_TEST(the_problems_have_several)
{
    measure(problems[1], "impls: [fixed_point]\nsettings: {l: 2000, tolerance: 1e-10}\n");
    ck_assert_double_gt(number("several"), 0.5);
    ck_assert_double_ge(number("elsewhere"), 1);
    ck_assert_double_ge(number("first"), 0);
    ck_assert_double_lt(number("first"), T);
}
END_TEST

/* The sequential mode, through an implementation of its own, is nowhere else; a sequence without an answer leaves the others theirs. */
START_TEST(the_sequential_mode_is_where_it_is)
{
    static const char *const names[] = {"dense_sequential", "structured_sequential"};
    char rest[64];
    if (registry_find(names[_i % 2]) < 0)
        return;
    snprintf(rest, sizeof rest, "impls: [%s]\n", names[_i % 2]);
    measure(_i < 2 ? problems[1] : "mixer: householder, r: 4, s: 2, feedback: raw, reads: bc, dtype: float64", rest);
    ck_assert_int_eq(finding.result, RESULT_OK);
    ck_assert_double_eq(number("elsewhere"), 0);
    ck_assert_double_eq_tol(number("converged"), number("answered"), 1e-12);
    ck_assert_double_eq_tol(number("compared"), number("answered") * B, 1e-9);
    ck_assert(number("answered") == 0 || of("to_sequential", "most") < 1e-6);
    ck_assert(_i >= 2 || number("answered") == 1);
}
END_TEST

/* At a loose tolerance an answer is some way from its limit, which is the one that a strict tolerance leads to. */
START_TEST(a_loose_tolerance_leads_to_the_same_limit)
{
    measure(problems[1], "impls: [fixed_point]\nsettings: {l: 2000, tolerance: 1e-10}\n");
    double elsewhere = number("elsewhere");
    measure(problems[1], "impls: [fixed_point]\nsettings: {l: 2000, tolerance: 0.1}\n");
    ck_assert_double_eq(number("elsewhere"), elsewhere);
    ck_assert_double_gt(of("to_limit", "median"), 1e-3);
}
END_TEST

START_TEST(what_did_not_converge_is_not_compared)
{
    measure(problems[0], "impls: [fixed_point]\nsettings: {l: 2, tolerance: 1e-10}\n");
    ck_assert_int_eq(finding.result, RESULT_OK);
    ck_assert_double_eq(number("converged"), 0);
    ck_assert_double_eq(number("compared"), 0);
    measure(problems[0], "impls: [fixed_point]\nsettings: {l: 2}\n");
    ck_assert_double_eq(number("converged"), 0);
    measure(problems[0], "impls: [fixed_point]\nsettings: {l: 500}\n");
    ck_assert_double_eq(number("converged"), 1);
}
END_TEST

/* What a file holds counts as what was drawn. */
START_TEST(tensors_of_a_file_count_the_same)
{
    static const char rest[] = "impls: [fixed_point]\nsettings: {l: 2000, tolerance: 1e-10}\n";
    struct tensors all;
    struct tensor tensor[TENSORS_MAX];
    struct error error;
    char named[sizeof rest + 64];
    measure(problems[1], rest);
    double several = number("several"), mean = number("mean"), elsewhere = number("elsewhere");
    ck_assert(tensors_make(&sweep.point[0], NULL, NULL, &all, &error));
    ck_assert(safetensors_write(scratch_path("layer.safetensors"), tensor, tensors_list(&all, tensor), NULL, &error));
    tensors_free(&all);
    snprintf(named, sizeof named, "inputs: layer.safetensors\n%s", rest);
    measure(problems[1], named);
    ck_assert_int_eq(finding.result, RESULT_OK);
    ck_assert_double_eq(number("several"), several);
    ck_assert_double_eq(number("mean"), mean);
    ck_assert_double_eq(number("elsewhere"), elsewhere);
}
END_TEST

START_TEST(what_has_no_such_equation_is_refused)
{
    static const char *const others[] = {"mixer: kronecker", "mixer: none", "norm: bc", "norm: none"};
    measure(others[_i], "impls: [fixed_point]\n");
    ck_assert_int_eq(finding.result, STATUS_UNSUPPORTED);
    ck_assert_ptr_null(finding.data);
    ck_assert_ptr_nonnull(strstr(finding.message, "dplr"));
}
END_TEST

Suite *suite_roots(void)
{
    Suite *suite = suite_create("roots");
    TCase *tests = tcase_create("roots");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, scratch_make, teardown);
    tcase_add_loop_test(tests, counts_are_those_of_the_tokens, 0, PROBLEMS);
    tcase_add_test(tests, the_problems_have_several);
    tcase_add_loop_test(tests, the_sequential_mode_is_where_it_is, 0, 4);
    tcase_add_test(tests, a_loose_tolerance_leads_to_the_same_limit);
    tcase_add_test(tests, tensors_of_a_file_count_the_same);
    tcase_add_test(tests, what_did_not_converge_is_not_compared);
    tcase_add_loop_test(tests, what_has_no_such_equation_is_refused, 0, 4);
    suite_add_tcase(suite, tests);
    return suite;
}
