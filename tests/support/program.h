/* The programs that the tests start: those of the build that they belong to, as they are or under a fault of tests/faults/. */
#ifndef TESTS_SUPPORT_PROGRAM_H
#define TESTS_SUPPORT_PROGRAM_H

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Seconds that only a program which hangs takes, on any machine: how fast one is decides no test. */
enum { HANG = 1800 };

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

/* What comes before a command to run it under a fault ("stop:5") in "run" or "worker": what tests/faults/faults.c says. */
enum { FAULTED_WORDS = 6 };
struct faulted {
    char preload[PATH_MAX], kind[64], where[32], count[PATH_MAX];
    const char *word[FAULTED_WORDS];
};

/* count: a file for the numbers of calls. */
static inline void program_faulted(const char *kind, const char *where, const char *count, struct faulted *faulted)
{
    /* LD_PRELOAD is cut at blanks, which the path of the checkout may have: relative to it, then, where everything here runs. */
    snprintf(faulted->preload, sizeof faulted->preload, "LD_PRELOAD=%.200s/faults.so", program_folder());
    ck_assert_msg(access(faulted->preload + strlen("LD_PRELOAD="), R_OK) == 0, "%s: run this through make test", faulted->preload);
    snprintf(faulted->kind, sizeof faulted->kind, "FAULT=%s", kind);
    snprintf(faulted->where, sizeof faulted->where, "FAULT_IN=%s", where);
    snprintf(faulted->count, sizeof faulted->count, "FAULT_COUNT=%.4000s", count);
    const char *const words[FAULTED_WORDS] = {"env",          faulted->preload,
                                              faulted->kind,  faulted->where,
                                              faulted->count, "ASAN_OPTIONS=verify_asan_link_order=0:handle_sigbus=0"};
    memcpy(faulted->word, words, sizeof words);
}

/* What was counted so far. */
struct fault_counts {
    uint64_t calls, failed;
};

static inline struct fault_counts program_fault_counts(const char *count)
{
    struct fault_counts counts = {0};
    int file = open(count, O_RDONLY | O_CLOEXEC);
    if (file < 0 || read(file, &counts, sizeof counts) != sizeof counts)
        counts = (struct fault_counts){0};
    close(file);
    return counts;
}

#endif
