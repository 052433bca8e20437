/* See texts.h. */
#include "bench/base/texts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { CHUNK = 1 << 16, SLOTS_FIRST = 64 };

struct texts_chunk {
    struct texts_chunk *before;
    size_t used, size;
    char bytes[];
};

/* The slot of a text, or the free one where it would stand. */
static const char **slot_of(const char **slot, size_t n_slots, const char *text, size_t length)
{
    size_t at = (size_t)XXH3_64bits(text, length) & (n_slots - 1);
    while (slot[at] != NULL && strcmp(slot[at], text) != 0)
        at = (at + 1) & (n_slots - 1);
    return &slot[at];
}

/* At most half of the slots are taken. */
static bool make_room(struct texts *texts)
{
    if (2 * (texts->n + 1) <= texts->n_slots)
        return true;
    size_t n_slots = texts->n_slots > 0 ? 2 * texts->n_slots : SLOTS_FIRST;
    const char **slot = calloc(n_slots, sizeof *slot);
    if (slot == NULL)
        return false;
    for (size_t i = 0; i < texts->n_slots; i++)
        if (texts->slot[i] != NULL)
            *slot_of(slot, n_slots, texts->slot[i], strlen(texts->slot[i])) = texts->slot[i];
    free(texts->slot);
    texts->slot = slot;
    texts->n_slots = n_slots;
    return true;
}

static char *take(struct texts *texts, size_t size)
{
    struct texts_chunk *chunk = texts->chunk;
    if (chunk == NULL || chunk->size - chunk->used < size) {
        size_t room = size > CHUNK ? size : CHUNK;
        chunk = malloc(sizeof *chunk + room);
        if (chunk == NULL)
            return NULL;
        *chunk = (struct texts_chunk){.before = texts->chunk, .size = room};
        texts->chunk = chunk;
    }
    chunk->used += size;
    return chunk->bytes + chunk->used - size;
}

const char *texts_keep(struct texts *texts, const char *text)
{
    size_t length = strlen(text);
    if (!make_room(texts))
        return NULL;
    const char **slot = slot_of(texts->slot, texts->n_slots, text, length);
    if (*slot != NULL)
        return *slot;
    char *copy = take(texts, length + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length + 1);
    texts->n++;
    return *slot = copy;
}

void texts_free(struct texts *texts)
{
    while (texts->chunk != NULL) {
        struct texts_chunk *before = texts->chunk->before;
        free(texts->chunk);
        texts->chunk = before;
    }
    free(texts->slot);
    *texts = (struct texts){.n = 0};
}
