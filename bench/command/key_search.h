/* The beginning of a key, as a user types it: long enough that no other key begins with it. */
#ifndef BENCH_COMMAND_KEY_SEARCH_H
#define BENCH_COMMAND_KEY_SEARCH_H

#include "bench/base/error.h"
#include "bench/sweep/point.h"

struct key_search {
    const char *digits;
    const char *what;                      /* "point": whose keys are searched */
    size_t length;                         /* of the part of a key that tells them apart: KEY_HALF, or all of it */
    char found[KEY_SIZE], other[KEY_SIZE]; /* of the keys that begin so; the second is one too many; "": none */
};

/* False where the digits are not the beginning of a key; expected: what could be given instead, or where keys are listed. */
bool key_search_begin(struct key_search *search, const char *digits, const char *what, size_t length, const char *expected,
                      struct error *error);

/* Whether a key begins with the digits; notes it. */
bool key_search_takes(struct key_search *search, const char *key);

/* False where no key, or several, begin with the digits. where: the folder that was searched. */
bool key_search_end(const struct key_search *search, const char *where, struct error *error);

#endif
