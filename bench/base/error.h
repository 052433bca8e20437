/* How failure is reported: a function returns false and leaves one sentence here; only main.c prints it. */
#ifndef BENCH_BASE_ERROR_H
#define BENCH_BASE_ERROR_H

#include <stdbool.h>

struct error {
    char text[1024];
    bool outside; /* what failed lies outside of the program: a disk, a folder, a limit. It says nothing about what is measured */
};

/* Writes the sentence (cut at the end if too long) and returns false, so that callers say: return fail(error, "..."). */
bool fail(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* fail() for what lies outside. */
bool fail_outside(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A value of errno in words, and what to do about it where that is known. */
const char *error_reason(int number);

/* fail() with "out of memory". */
bool fail_memory(struct error *error);

#endif
