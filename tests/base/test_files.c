/* Files are replaced whole or not at all, and folders are made with their parents. */
#include "bench/base/files.h"
#include "tests/support/scratch.h"

#include <unistd.h>

Suite *suite_files(void);

static struct error error;

START_TEST(writes_files_whole)
{
    const char *path = scratch_path("file");
    ck_assert(files_write(path, "old", 3, &error));
    ck_assert(files_write(path, "new text", 8, &error));
    char *text = scratch_read(path);
    ck_assert_str_eq(text, "new text");
    free(text);
    ck_assert(!files_write(scratch_path("none/file"), "x", 1, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "none/file"));
    ck_assert(files_make_folder(scratch_path("folder"), &error));
    ck_assert(!files_write(scratch_path("folder"), "x", 1, &error)); /* and leaves nothing aside: the folder must be empty */
    ck_assert_int_eq(rmdir(scratch_path("folder")), 0);
}
END_TEST

START_TEST(makes_folders)
{
    struct stat about;
    ck_assert_msg(files_make_folder(scratch_path("a/b//c/"), &error), "%s", error.text);
    ck_assert_msg(files_make_folder(scratch_path("a/b/c"), &error), "%s", error.text);
    ck_assert(stat(scratch_path("a/b/c"), &about) == 0 && S_ISDIR(about.st_mode));
    ck_assert(files_write(scratch_path("a/file"), "", 0, &error));
    ck_assert(!files_make_folder(scratch_path("a/file/d"), &error));
    ck_assert(!files_make_folder(scratch_path("a/file"), &error));
    ck_assert(!files_make_folder("", &error));
}
END_TEST

START_TEST(reads_small_files)
{
    char text[8];
    scratch_write(scratch_path("file"), "ab\n\n", 4);
    ck_assert(files_read_small(scratch_path("file"), sizeof text, text));
    ck_assert_str_eq(text, "ab");
    scratch_write(scratch_path("file"), "abcdefghijk", 11);
    ck_assert(files_read_small(scratch_path("file"), sizeof text, text));
    ck_assert_str_eq(text, "abcdefg");
    ck_assert(!files_read_small(scratch_path("none"), sizeof text, text));
    ck_assert_str_eq(text, "");
    ck_assert(!files_read_small(scratch, sizeof text, text));
}
END_TEST

Suite *suite_files(void)
{
    Suite *suite = suite_create("files");
    TCase *tests = tcase_create("files");
    tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
    tcase_add_test(tests, writes_files_whole);
    tcase_add_test(tests, makes_folders);
    tcase_add_test(tests, reads_small_files);
    suite_add_tcase(suite, tests);
    return suite;
}
