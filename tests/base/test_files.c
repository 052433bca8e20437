/* Files are replaced whole or not at all, and folders are made with their parents; what is no regular file is refused; inside the fence no
 * link is followed; what killed writers left is told from what is being written. */
#include "bench/base/fence.h"
#include "bench/base/files.h"
#include "tests/support/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
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

START_TEST(refuses_what_is_no_file)
{
    struct error reason;
    ck_assert_int_eq(mkfifo(scratch_path("pipe"), 0666), 0);
    ck_assert_int_eq(symlink("pipe", scratch_path("to-pipe")), 0);
    const char *const names[] = {"pipe", "to-pipe", "."};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (enum files_use use = FILES_READ; use <= FILES_LOCK; use++) {
            ck_assert_int_eq(files_open(scratch_path(names[i]), use, &reason), -1);
            ck_assert_msg(reason.outside && strcmp(reason.text, "not a regular file") == 0, "%s", reason.text);
        }
    ck_assert(files_open(scratch_path("none"), FILES_READ, &reason) < 0 && errno == ENOENT);
    ck_assert_str_eq(reason.text, strerror(ENOENT));
    ck_assert(files_open("", FILES_READ, &reason) < 0 && files_open("/", FILES_READ, &reason) < 0);
    ck_assert(!files_is_there(scratch_path("pipe")) && !files_is_there(scratch_path("none")) && !files_is_there(scratch));
}
END_TEST

/* What has two names is read and replaced, but nothing is appended to it. */
START_TEST(appends_to_what_has_one_name)
{
    struct error reason;
    scratch_write(scratch_path("file"), "x", 1);
    ck_assert_int_eq(link(scratch_path("file"), scratch_path("other")), 0);
    ck_assert_int_eq(files_open(scratch_path("file"), FILES_APPEND, &reason), -1);
    ck_assert_ptr_nonnull(strstr(reason.text, "other names"));
    ck_assert(files_write(scratch_path("file"), "y", 1, &error));
    char *text = scratch_read(scratch_path("other"));
    ck_assert_str_eq(text, "x");
    free(text);
    int file = files_open(scratch_path("file"), FILES_APPEND, &reason);
    ck_assert_int_ge(file, 0);
    close(file);
}
END_TEST

static bool every(const char *name, void *context)
{
    (void)name, (void)context;
    return true;
}

/* R is the fence: what is above may be reached through links, what is below may not. */
START_TEST(follows_no_link_inside_the_fence)
{
    char link_to_root[PATH_MAX], path[PATH_MAX + 32], said[PATH_MAX + 64];
    struct error reason;
    bool taken;
    snprintf(link_to_root, sizeof link_to_root, "%s", scratch_path("R"));
    ck_assert(files_make_folder(scratch_path("root/deep"), &error) && files_make_folder(scratch_path("outside"), &error));
    ck_assert_int_eq(symlink("root", link_to_root), 0);
    ck_assert_int_eq(symlink("../outside", scratch_path("root/folder")), 0);
    ck_assert_int_eq(symlink("../outside/file", scratch_path("root/file")), 0);
    ck_assert_int_eq(symlink("../outside/new", scratch_path("root/nothing")), 0);
    scratch_write(scratch_path("outside/file"), "x", 1);
    fence_set(link_to_root);
    static const char *const behind[] = {"R/folder/file",         "R//folder/file", "R/./folder/file",
                                         "R/deep/../folder/file", "R/file",         "R/nothing"};
    for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++) {
        snprintf(path, sizeof path, "%s", scratch_path(behind[i]));
        for (enum files_use use = FILES_READ; use <= FILES_LOCK; use++) {
            ck_assert_int_eq(files_open(path, use, &reason), -1);
            ck_assert_msg(strstr(reason.text, "is a symbolic link; below a results folder none is followed") != NULL, "%s",
                          reason.text);
        }
        ck_assert(!files_is_there(path));
        if (i < 4)
            ck_assert(!files_write(path, "y", 1, &error) && !files_remove(path, &error) &&
                      !files_make_new_folder(path, &taken, &error));
    }
    snprintf(path, sizeof path, "%s", scratch_path("R/folder"));
    snprintf(said, sizeof said, "cannot make folder %s: %s is a symbolic link", path, path);
    ck_assert(!files_make_folder(path, &error) && strncmp(error.text, said, strlen(said)) == 0);
    ck_assert(!files_make_folder(scratch_path("R/folder/new"), &error));
    files_clear(path, every, NULL);
    files_remove_folder(path);
    ck_assert_int_eq(access(scratch_path("outside/file"), F_OK), 0);
    ck_assert_int_ne(access(scratch_path("outside/new"), F_OK), 0);
    /* A link that is written over is replaced. */
    ck_assert(files_write(scratch_path("R/file"), "y", 1, &error) && files_write(scratch_path("R/deep/new"), "y", 1, &error));
    ck_assert(files_is_there(scratch_path("R/file")) && files_is_there(scratch_path("root/deep/new")));
    char *text = scratch_read(scratch_path("outside/file"));
    ck_assert_str_eq(text, "x");
    free(text);
    /* Another folder whose name begins alike is outside. */
    ck_assert_int_eq(symlink("outside", scratch_path("Root")), 0);
    ck_assert(files_is_there(scratch_path("Root/file")));
}
END_TEST

static size_t count(const char *folder)
{
    size_t n = 0;
    DIR *listing = opendir(folder);
    ck_assert_ptr_nonnull(listing);
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(listing);
    return n;
}

/* Of files with such names: one whose writer is dead, one whose writer is alive, one that is a link, and names of the user's. */
START_TEST(clears_what_killed_writers_left)
{
    static const char *const stay[] = {"a.csv.new", "a.csv.12.new", "a.csv.0123456789abcdeX.new", ".0123456789abcdef.new"};
    char alive[PATH_MAX];
    snprintf(alive, sizeof alive, "%s", scratch_path("b.csv.0123456789abcdef.new"));
    scratch_write(scratch_path("a.csv.0123456789abcdef.new"), "x", 1);
    scratch_write(alive, "x", 1);
    for (size_t i = 0; i < sizeof stay / sizeof stay[0]; i++)
        scratch_write(scratch_path(stay[i]), "x", 1);
    int writer = open(alive, O_WRONLY | O_CLOEXEC);
    ck_assert(writer >= 0 && flock(writer, LOCK_EX | LOCK_NB) == 0);
    files_clear_leftovers(scratch);
    ck_assert_int_ne(access(scratch_path("a.csv.0123456789abcdef.new"), F_OK), 0);
    ck_assert_int_eq(access(alive, F_OK), 0);
    for (size_t i = 0; i < sizeof stay / sizeof stay[0]; i++)
        ck_assert_int_eq(access(scratch_path(stay[i]), F_OK), 0);
    close(writer);
    files_clear_leftovers(scratch);
    ck_assert_int_ne(access(alive, F_OK), 0);
    ck_assert_uint_eq(count(scratch), 3); /* and a hidden one */
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
    tcase_add_test(tests, refuses_what_is_no_file);
    tcase_add_test(tests, appends_to_what_has_one_name);
    tcase_add_test(tests, follows_no_link_inside_the_fence);
    tcase_add_test(tests, clears_what_killed_writers_left);
    suite_add_tcase(suite, tests);
    return suite;
}
