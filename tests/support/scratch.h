/* A folder of its own for a test that writes files; each test makes one and removes it at its end. */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

#include <check.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#undef fail /* libcheck's old macro hides the function of error.h */

static char scratch[PATH_MAX / 4];

static inline void scratch_make(void)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(scratch, sizeof scratch, "%s/test-XXXXXX", temporary != NULL ? temporary : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
}

static inline int scratch_remove_one(const char *path, const struct stat *about, int kind, struct FTW *position)
{
    (void)about, (void)kind, (void)position;
    return remove(path);
}

static inline void scratch_remove(void)
{
    ck_assert_int_eq(nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* The path of a file in the folder; good until the fourth call after this one. */
static inline const char *scratch_path(const char *name)
{
    static char path[4][PATH_MAX];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", scratch, name);
    return path[next];
}

static inline void scratch_write(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

/* The whole file, terminated; the caller frees it. */
static inline char *scratch_read(const char *path)
{
    struct stat about;
    ck_assert_int_eq(stat(path, &about), 0);
    char *text = calloc(1, (size_t)about.st_size + 1);
    FILE *file = fopen(path, "rb");
    ck_assert(text != NULL && file != NULL);
    ck_assert_uint_eq(fread(text, 1, (size_t)about.st_size, file), (size_t)about.st_size);
    fclose(file);
    return text;
}

#endif
