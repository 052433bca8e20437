/* How failure is reported: a function returns false and leaves one sentence here; only main.c prints it. */
#ifndef BENCH_BASE_ERROR_H
#define BENCH_BASE_ERROR_H

#include <stdbool.h>

struct error {
    char text[1024];
};

/* Writes the sentence (cut at the end if too long) and returns false, so that callers say: return fail(error, "..."). */
bool fail(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* fail() with "out of memory". */
bool fail_memory(struct error *error);

#endif
