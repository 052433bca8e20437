/* Which folder a run goes on in. */
#include "bench/base/files.h"
#include "bench/command/folder.h"
#include "tests/support/scratch.h"

#include <sys/wait.h>
#include <unistd.h>

static struct error error;
static struct folder folder;

static void setup(void)
{
    scratch_make();
}

static void teardown(void)
{
    scratch_remove();
}

/* Opens, and says which number. */
static int opened(bool fresh, const char *type)
{
    ck_assert_msg(folder_open(scratch, "sweep", fresh, type, &folder, &error), "%s", error.text);
    ck_assert_int_eq(strncmp(folder.path, scratch, strlen(scratch)), 0);
    ck_assert_int_eq(access(folder.path, F_OK), 0);
    return folder_number(strrchr(folder.path, '/') + 1);
}

static void measured_on(const char *type)
{
    char path[PATH_MAX], text[128];
    files_path(folder.path, "machine.json", path);
    snprintf(text, sizeof text, "{\"type\": \"%s\", \"cpu\": {\"model\": \"Some Processor\"}}", type);
    scratch_write(path, text, strlen(text));
}

START_TEST(numbers)
{
    static const struct {
        const char *name;
        int number;
    } names[] = {{"run-1", 1},      {"run-12", 12}, {"run-0", 0},  {"run-01", 0},
                 {"run-", 0},       {"run--1", 0},  {"run-1x", 0}, {"run-99999999999999999999", 0},
                 {"2026-11-23", 0}, {"", 0},        {"xrun-1", 0}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_msg(folder_number(names[i].name) == names[i].number, "%s", names[i].name);
}
END_TEST

START_TEST(goes_on_in_the_last)
{
    ck_assert_int_eq(opened(false, "a"), 1);
    ck_assert(!folder.continued);
    ck_assert_int_eq(opened(false, "a"), 1); /* killed before it knew its machine: nothing is in it yet */
    ck_assert(folder.continued);
    measured_on("a");
    ck_assert_int_eq(opened(false, "a"), 1);
    ck_assert(folder.continued && folder.note[0] == '\0');
    ck_assert_int_eq(opened(true, "a"), 2);
    ck_assert(!folder.continued);
    measured_on("a");
    ck_assert_int_eq(mkdir(scratch_path("sweep/run-10"), 0777), 0);
    ck_assert_int_eq(mkdir(scratch_path("sweep/run-100x"), 0777), 0);
    ck_assert_int_eq(opened(false, "a"), 10);
}
END_TEST

/* A folder that was copied here from another machine is left as it is, and the user is told. */
START_TEST(another_machine)
{
    ck_assert_int_eq(opened(false, "a"), 1);
    measured_on("a");
    ck_assert_int_eq(opened(false, "b"), 2);
    ck_assert(!folder.continued);
    ck_assert_ptr_nonnull(strstr(folder.note, "run-1 was measured on another machine (processor: Some Processor)"));
    measured_on("b");
    ck_assert_int_eq(opened(false, "b"), 2);
    ck_assert_str_eq(folder.note, "");
}
END_TEST

START_TEST(refusals)
{
    char longest[PATH_MAX];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    ck_assert(!folder_open(longest, "sweep", false, "a", &folder, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "too long"));
    scratch_write(scratch_path("file"), "", 0);
    ck_assert(!folder_open(scratch_path("file"), "sweep", false, "a", &folder, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "file"));
}
END_TEST

Suite *suite_folder(void);

/* A checkout of someone else has no room for results: what to do instead is said. Root may write anywhere, and is somebody else here. */
START_TEST(results_go_elsewhere_where_they_cannot_be_written)
{
    ck_assert_int_eq(chmod(scratch, 0555), 0);
    pid_t pid = fork();
    if (pid == 0) {
        bool other = geteuid() != 0 || setuid(65534) == 0;
        bool refused = !folder_open(scratch_path("results"), "sweep", false, "type", &folder, &error);
        _exit(other && refused && strstr(error.text, "Permission denied; --results DIR") != NULL ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(chmod(scratch, 0755), 0);
    ck_assert_int_eq(status, 0);
}
END_TEST

Suite *suite_folder(void)
{
    Suite *suite = suite_create("folder");
    TCase *tests = tcase_create("folder");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, numbers);
    tcase_add_test(tests, results_go_elsewhere_where_they_cannot_be_written);
    tcase_add_test(tests, goes_on_in_the_last);
    tcase_add_test(tests, another_machine);
    tcase_add_test(tests, refusals);
    suite_add_tcase(suite, tests);
    return suite;
}
