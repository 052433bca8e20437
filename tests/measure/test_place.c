/* The place that a reason names: of the largest difference, of what is not finite, in each kind of tensor. */
#include "bench/measure/place.h"
#include "bench/problems/tensor_place.h"

#include <check.h>
#include <math.h>
#include <string.h>

enum { T = 5, D = 4 };

static const struct problem problem = {
    .B = 3, .T = T, .d = D, .mixer = MIXER_DPLR, .r = 1, .s = 1, .feedback = FEEDBACK_RAW, .dtype = DTYPE_FLOAT32};

START_TEST(the_furthest_element)
{
    double h[T * D], reference[T * D];
    for (int i = 0; i < T * D; i++)
        h[i] = reference[i] = i + 1;
    ck_assert_int_eq(place_furthest(h, reference, T * D), 0); /* nothing differs: any will do */
    h[7] += 0.5;
    h[13] -= 0.75;
    h[14] += 0.75;
    ck_assert_int_eq(place_furthest(h, reference, T * D), 13);
    ck_assert_int_eq(place_furthest(reference, h, T * D), 13);
    h[18] = NAN;
    ck_assert_int_eq(place_furthest(h, reference, T * D), 18);
    reference[17] = INFINITY;
    ck_assert_int_eq(place_furthest(h, reference, T * D), 17);
}
END_TEST

/* A small token that moves much has the larger residual, although another moves by more. */
START_TEST(the_token_that_moves_most)
{
    double h[T * D], next[T * D];
    for (int i = 0; i < T * D; i++)
        h[i] = next[i] = i / D == 2 ? 1e-3 : 100;
    h[1] += 10;
    h[2 * D + 3] += 1e-3;
    ck_assert_int_eq(place_furthest(h, next, T * D), 1);
    ck_assert_int_eq(place_of_residual(&problem, h, next), 2 * D + 3);
    h[4 * D + 2] = NAN;
    ck_assert_int_eq(place_of_residual(&problem, h, next), 4 * D + 2);
}
END_TEST

START_TEST(places_by_tensor)
{
    static const char *const expected[] = {"sequence 2, t 1, channel 3", "sequence 2, t 1, channel 3",
                                           "sequence 2, t 1, parameter 2", "row 1, column 3", "sequence 2, channel 3"};
    static const int element[] = {7, 7, 0, 7, 3};
    for (int tensor = 0; tensor < 5; tensor++) {
        char text[TENSOR_PLACE_SIZE];
        int64_t i = tensor == 2 ? problem_m(&problem) + 2 : element[tensor];
        tensor_place(&problem, tensor, 2, i, text);
        ck_assert_str_eq(text, expected[tensor]);
    }
}
END_TEST

START_TEST(what_is_wrong_and_where)
{
    double h[T * D] = {0}, reference[T * D] = {0};
    const struct checks checks = {.iterate = 0.12, .tolerance = 1e-5, .against = "the textbook iterate"};
    struct finding finding = {.b = -1, .t = -1};
    h[11] = 0.42;
    reference[11] = 0.375;
    place_say(&problem, 2, 11, DTYPE_FLOAT32, h, reference, "", &checks, &finding);
    ck_assert_int_eq(finding.result, RESULT_WRONG);
    ck_assert_str_eq(finding.message, "sequence 2, t 2, channel 3: 0.42 for 0.375, differs by 0.12 from the textbook iterate; "
                                      "tolerance 1e-05");
    ck_assert(finding.b == 2 && finding.t == 2);
    h[11] = 0.375 + 0x1p-53; /* two numbers that are not the same never read the same */
    place_say(&problem, 2, 11, DTYPE_FLOAT64, h, reference, ", after the timed calls", &checks, &finding);
    ck_assert_ptr_nonnull(strstr(finding.message, "channel 3, after the timed calls: 0.37500000000000011 for 0.375, differs"));
}
END_TEST

/* The longest that can be said is said to its end. */
START_TEST(nothing_is_cut_off)
{
    const struct problem large = {.B = 1, .T = (int64_t)1 << 40, .d = 1};
    static double h[1] = {-1.7976931348623157e308}, reference[1] = {-2.2250738585072014e-308};
    const struct checks checks = {
        .iterate = 1.23e-100, .tolerance = 1.23e-100, .against = "the exact answer, and its own equation"};
    struct finding finding;
    place_say(&large, (int64_t)1 << 40, 0, DTYPE_FLOAT64, h, reference, ", after the timed calls", &checks, &finding);
    ck_assert_str_eq(finding.message + strlen(finding.message) - strlen("tolerance 1.23e-100"), "tolerance 1.23e-100");
}
END_TEST

START_TEST(the_channel_that_diverged)
{
    float h[3 * T * D] = {0};
    struct subject subject = {.tensors.problem = problem, .h = h};
    struct finding finding = {.b = -1, .t = -1};
    struct status status = status_at(STATUS_DIVERGED, 1, 3, "the state is not finite");
    finding_status(&finding, &status);
    place_channel(&subject, &finding); /* nothing to be seen: the place of the status stands */
    ck_assert_str_eq(finding.message, "sequence 1, t 3: the state is not finite");
    h[(1 * T + 3) * D + 2] = INFINITY;
    place_channel(&subject, &finding);
    ck_assert_str_eq(finding.message, "sequence 1, t 3, channel 2: the state is not finite");
    status = status_at(STATUS_SINGULAR, 1, 3, "the Q matrix of this step is singular");
    finding_status(&finding, &status);
    place_channel(&subject, &finding); /* of other results nothing is known */
    ck_assert_str_eq(finding.message, "sequence 1, t 3: the Q matrix of this step is singular");
    status = status_at(STATUS_NOT_CONVERGED, -1, -1, "2 of 3 sequences");
    finding_status_when(&finding, "during timing: ", &status);
    ck_assert_str_eq(finding.message, "during timing: 2 of 3 sequences");
}
END_TEST

Suite *suite_place(void);

Suite *suite_place(void)
{
    Suite *suite = suite_create("place");
    TCase *tests = tcase_create("place");
    tcase_add_test(tests, the_furthest_element);
    tcase_add_test(tests, the_token_that_moves_most);
    tcase_add_test(tests, places_by_tensor);
    tcase_add_test(tests, what_is_wrong_and_where);
    tcase_add_test(tests, nothing_is_cut_off);
    tcase_add_test(tests, the_channel_that_diverged);
    suite_add_tcase(suite, tests);
    return suite;
}
