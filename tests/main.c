/* Runs every suite of suites.h and ends with the line "N passed, N failed". CK_RUN_SUITE=name runs one suite; a program of one suite is
 * linked with the objects of that one alone. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define SUITE(name) __attribute__((weak)) Suite *suite_##name(void);
#include "tests/suites.h"
#undef SUITE

static Suite *(*const suites[])(void) = {
#define SUITE(name) suite_##name,
#include "tests/suites.h"
#undef SUITE
};
enum { SUITES = sizeof suites / sizeof suites[0] };

int main(void)
{
    /* Only a test that hangs may run into this: no verdict depends on how fast the machine is. */
    setenv("CK_DEFAULT_TIMEOUT", "3600", 0);
    SRunner *runner = srunner_create(NULL);
    int linked = 0;
    for (int i = 0; i < SUITES; i++)
        if (suites[i] != NULL) {
            srunner_add_suite(runner, suites[i]());
            linked++;
        }
    if (linked != 1 && linked != SUITES) {
        fprintf(stderr, "%d of %d suites are linked\n", linked, SUITES);
        return EXIT_FAILURE;
    }
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner), passed = srunner_ntests_run(runner) - failed;
    srunner_free(runner);
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 && passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
