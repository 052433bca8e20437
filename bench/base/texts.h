/* Texts that come again and again, each kept once. */
#ifndef BENCH_BASE_TEXTS_H
#define BENCH_BASE_TEXTS_H

#include <stddef.h>

struct texts_chunk;

/* Start with zeros. */
struct texts {
    struct texts_chunk *chunk; /* that the bytes lie in */
    const char **slot;         /* a hash table: the texts, NULL where it is free */
    size_t n, n_slots;
};

/* The text that equals this one; it lives as long as the others. NULL when out of memory. */
const char *texts_keep(struct texts *texts, const char *text);

void texts_free(struct texts *texts);

#endif
