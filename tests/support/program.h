/* The programs that the tests start: those of the build that they belong to. */
#ifndef TESTS_SUPPORT_PROGRAM_H
#define TESTS_SUPPORT_PROGRAM_H

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The folder of the build, relative to the checkout, in which tests run. */
static inline const char *program_folder(void)
{
    const char *build = getenv("BUILD");
    return build != NULL ? build : "build";
}

/* The whole path of a program ("bench", "bench-planted"). */
static inline void program_find(const char *name, char path[PATH_MAX])
{
    char here[PATH_MAX - 256];
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    snprintf(path, PATH_MAX, "%s/%.200s/%.50s", here, program_folder(), name);
    ck_assert_msg(access(path, X_OK) == 0, "%s: run this through make test", path);
}

#endif
