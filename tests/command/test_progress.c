/* Progress: the pure formatting functions, and the plain lines that a file receives. */
#include "bench/base/text.h"
#include "bench/command/progress.h"
#include "tests/support/scratch.h"

#include <math.h>

Suite *suite_progress(void);

START_TEST(durations)
{
    static const struct {
        double seconds;
        const char *text;
    } rows[] = {
        // clang-format off
        {0, "0.0 s"},
        {0.82, "0.8 s"},
        {9.94, "9.9 s"},
        {9.96, "10 s"},
        {59.4, "59 s"},
        {59.6, "1 min 00 s"},
        {200, "3 min 20 s"},
        {3599, "59 min 59 s"},
        {3600, "1 h 00 min"},
        {3900, "1 h 05 min"},
        {360000, "100 h 00 min"},
        {-1, "?"},
        {NAN, "?"},
        {INFINITY, "?"},
        {1e300, "?"},
        // clang-format on
    };
    char text[32];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        text_duration(rows[i].seconds, sizeof text, text);
        ck_assert_str_eq(text, rows[i].text);
    }
}
END_TEST

// clang-format off
static const struct {
    size_t done, failed, total, columns;
    double elapsed;
    const char *label, *text;
} lines[] = {
    {0, 0, 60, 80, 0, "fixed_point", "[------------------------] 0/60: fixed_point"},
    {15, 0, 60, 80, 15, "fixed_point", "[######------------------] 15/60, 45 s left: fixed_point"},
    {30, 2, 60, 120, 60, "fixed_point", "[############------------] 30/60, 2 failed, 1 min 00 s left: fixed_point"},
    {60, 0, 60, 80, 60, "", "[########################] 60/60"},
    {30, 0, 60, 50, 60, "", "[######------] 30/60, 1 min 00 s left"},
    {30, 0, 60, 30, 60, "a long label", "30/60, 1 min 00 s left: a lon"},
    {0, 0, 60, 13, 0, "ab\xc3\xa9\xc3\xa8z", "0/60: ab\xc3\xa9\xc3\xa8z"},
    {0, 0, 60, 11, 0, "ab\xc3\xa9\xc3\xa8z", "0/60: ab\xc3\xa9\xc3\xa8"},
    {0, 0, 60, 10, 0, "ab\xc3\xa9\xc3\xa8z", "0/60: ab\xc3\xa9"},
    {0, 0, 60, 40, 0, "a\033[31m\r\n\x7f", "0/60: a?[31m???"},
    {0, 0, 0, 80, 0, "x", "0/0: x"},
    {1, 0, 2, 0, 1, "x", ""},
};
// clang-format on

START_TEST(redrawn_lines)
{
    struct progress progress = {.done = lines[_i].done, .failed = lines[_i].failed, .total = lines[_i].total};
    char text[PROGRESS_LINE_SIZE];
    progress_line(&progress, lines[_i].elapsed, lines[_i].label, lines[_i].columns, text);
    ck_assert_str_eq(text, lines[_i].text);
}
END_TEST

START_TEST(plain_lines)
{
    struct progress progress = {.done = 7, .total = 60};
    char text[PROGRESS_LINE_SIZE], label[2 * PROGRESS_LINE_SIZE];
    progress_plain(&progress, "fixed_point (4,256,32)", "ok", 0.84, text);
    ck_assert_str_eq(text, " 7/60 fixed_point (4,256,32) ... ok 0.8 s");
    memset(label, 'x', sizeof label - 1);
    label[sizeof label - 1] = '\0';
    progress_plain(&progress, label, "timed_out", 60, text);
    ck_assert_ptr_nonnull(strstr(text, "x ... timed_out 1 min 00 s"));
    progress_line(&progress, 1, label, 100000, text);
    ck_assert_uint_eq(strlen(text), PROGRESS_LINE_SIZE - 1);
}
END_TEST

/* Two bytes a character, so that one of two labels would be cut inside a character where the line's memory ends. */
START_TEST(long_lines_end_with_a_whole_character)
{
    struct progress progress = {.done = 1, .total = 1};
    char text[PROGRESS_LINE_SIZE], label[2 * PROGRESS_LINE_SIZE];
    for (size_t shift = 0; shift < 2; shift++) {
        memset(label, 'x', shift);
        for (size_t i = shift; i + 2 < sizeof label; i += 2)
            memcpy(label + i, "\xc3\xa9", 3);
        progress_line(&progress, 1, label, 100000, text);
        ck_assert_uint_ge(strlen(text), PROGRESS_LINE_SIZE - 2);
        ck_assert_int_eq((unsigned char)text[strlen(text) - 1], 0xa9);
    }
}
END_TEST

START_TEST(a_file_gets_one_line_a_point)
{
    struct progress progress;
    FILE *out = fopen(scratch_path("out"), "w");
    ck_assert_ptr_nonnull(out);
    progress_begin(&progress, out, 2);
    progress_running(&progress, "one");
    progress_finished(&progress, "one", "ok", false, 0.5);
    progress_running(&progress, "two");
    progress_finished(&progress, "two", "crashed", true, 12);
    progress_end(&progress);
    progress_end(&progress);
    fclose(out);
    char *text = scratch_read(scratch_path("out"));
    ck_assert_str_eq(text, "1/2 one ... ok 0.5 s\n2/2 two ... crashed 12 s\n");
    ck_assert_uint_eq(progress.failed, 1);
    free(text);
}
END_TEST

Suite *suite_progress(void)
{
    Suite *suite = suite_create("progress");
    TCase *tests = tcase_create("progress");
    tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
    tcase_add_test(tests, durations);
    tcase_add_loop_test(tests, redrawn_lines, 0, sizeof lines / sizeof *lines);
    tcase_add_test(tests, plain_lines);
    tcase_add_test(tests, long_lines_end_with_a_whole_character);
    tcase_add_test(tests, a_file_gets_one_line_a_point);
    suite_add_tcase(suite, tests);
    return suite;
}
