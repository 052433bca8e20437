/* The tests that are scripts: each is one test, which passes when the script ends with status 0. */
#include "tests/support/program.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

static char *const scripts[] = {"tests/rooms.sh",          "tests/front_door.sh", "tests/build.sh", "tests/build_identity.sh",
                                "tests/cuda_resources.sh", "tests/blocks.sh",     "tests/docs.sh"};

START_TEST(script)
{
    pid_t child;
    char path[PATH_MAX];
    static const char *const looked_into[] = {"bench", "keys", "keys-unused"}; /* programs, and the objects that they are made of */
    for (size_t i = 0; i < sizeof looked_into / sizeof looked_into[0]; i++)
        program_find(looked_into[i], path);
    char *const arguments[] = {scripts[_i], NULL};
    ck_assert_int_eq(posix_spawn(&child, scripts[_i], NULL, NULL, arguments, environ), 0);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s failed; it says above why", scripts[_i]);
}
END_TEST

Suite *suite_scripts(void);

Suite *suite_scripts(void)
{
    Suite *suite = suite_create("scripts");
    TCase *tests = tcase_create("scripts");
    tcase_add_loop_test(tests, script, 0, sizeof scripts / sizeof scripts[0]);
    suite_add_tcase(suite, tests);
    return suite;
}
