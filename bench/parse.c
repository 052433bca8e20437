/* See parse.h. */
#include "bench/parse.h"

#include <stdint.h>
#include <stdlib.h>

/* Far more than anything here takes on its way to the next question; it costs nothing until it is used. */
enum { RESERVE = 1 << 22 };
static _Alignas(max_align_t) unsigned char reserve[RESERVE];
static size_t used;
static bool refused;

static void *take(size_t size)
{
    void *memory = malloc(size);
    if (memory != NULL)
        return memory;
    refused = true;
    size_t room = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (room < size || room > RESERVE - used)
        return NULL;
    used += room;
    return reserve + used - room;
}

/* What came from the reserve is not used again: there is no telling what still points to it. */
static void give(void *memory)
{
    uintptr_t at = (uintptr_t)memory;
    if (at < (uintptr_t)reserve || at >= (uintptr_t)reserve + RESERVE)
        free(memory);
}

__attribute__((constructor)) static void install(void)
{
    json_set_alloc_funcs(take, give);
}

void json_watch(void)
{
    refused = false;
}

bool json_refused(void)
{
    return refused;
}

bool json_parse(const char *bytes, size_t length, size_t flags, json_t **json, json_error_t *why)
{
    json_watch();
    *json = json_loadb(bytes, length, flags, why);
    if (!refused)
        return true;
    json_decref(*json);
    *json = NULL;
    return false;
}
