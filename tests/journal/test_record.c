/* The words of results. */
#include "bench/journal/record.h"

#include "bench/base/files.h"
#include "impls/cuda/registry.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

Suite *suite_record(void);

START_TEST(results_have_words)
{
    ck_assert_str_eq(result_name(RESULT_OK), "ok");
    ck_assert_str_eq(result_name((enum result)STATUS_SINGULAR), "singular");
    ck_assert_str_eq(result_name(RESULT_EXPLODES), "explodes");
    ck_assert_str_eq(result_name(RESULT_TARGET_NOT_REACHED), "target_not_reached");
    ck_assert_str_eq(result_name(RESULT_COUNT), "unknown");
    for (int i = 0; i < RESULT_COUNT; i++)
        ck_assert_int_eq(result_find(result_name((enum result)i)), i);
    ck_assert_int_eq(result_find("okay"), RESULT_COUNT);
}
END_TEST

START_TEST(some_results_are_failures)
{
    static const char *const failures[] = {"internal", "out_of_memory", "wrong", "crashed", "timed_out"};
    int failed = 0;
    for (int i = 0; i < RESULT_COUNT; i++)
        failed += result_failed((enum result)i);
    for (int i = 0; i < 5; i++)
        ck_assert_msg(result_failed(result_find(failures[i])), "%s", failures[i]);
    ck_assert_int_eq(failed, 5);
}
END_TEST

/* What implementations on a device have been run on so far is said by the README and docs/reference/cuda.md in the words of the
 * records; those words are no longer true once a card's results are committed. */
START_TEST(pages_say_what_records_say)
{
    static const char *const pages[] = {"README.md", "docs/reference/cuda.md"};
    static char text[1 << 16];
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        ck_assert(files_read_small(pages[i], sizeof text, text));
        ck_assert_msg(strstr(text, CUDA_PROOF + 1) != NULL, "%s does not say: %s", pages[i],
                      CUDA_PROOF); /* a capital may begin it */
    }
    if (access("results/reference/gpu/machine.json", F_OK) == 0)
        ck_assert_ptr_null(strstr(CUDA_PROOF, "not yet"));
}
END_TEST

Suite *suite_record(void)
{
    Suite *suite = suite_create("record");
    TCase *tests = tcase_create("record");
    tcase_add_test(tests, results_have_words);
    tcase_add_test(tests, some_results_are_failures);
    tcase_add_test(tests, pages_say_what_records_say);
    suite_add_tcase(suite, tests);
    return suite;
}
