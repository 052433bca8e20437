/* A hash of bytes: whether they are still those that a result was made from. Not for secrets. */
#ifndef BENCH_BASE_DIGEST_H
#define BENCH_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

enum { DIGEST_SIZE = 33 }; /* 32 hexadecimal digits and the terminator */

void digest_bytes(const void *bytes, size_t size, char text[DIGEST_SIZE]);

/* Of all bytes of a file. False, with the text "unreadable", when they cannot be read. */
bool digest_file(const char *path, char text[DIGEST_SIZE]);

#endif
