/* See pool.h: a list of blocks, each a piece. */
#include "bench/base/pool.h"

#include <stdlib.h>
#include <string.h>

struct pool {
    struct pool *next;
    max_align_t piece[];
};

void *pool_take(struct pool **pool, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || __builtin_add_overflow(bytes, sizeof(struct pool), &bytes))
        return NULL;
    struct pool *block = calloc(1, bytes);
    if (block == NULL)
        return NULL;
    block->next = *pool;
    *pool = block;
    return block->piece;
}

char *pool_text(struct pool **pool, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = pool_take(pool, size, 1);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

void pool_free(struct pool *pool)
{
    while (pool != NULL) {
        struct pool *next = pool->next;
        free(pool);
        pool = next;
    }
}
