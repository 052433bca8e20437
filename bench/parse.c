/* See parse.h. */
#include "bench/parse.h"

#include <stdlib.h>

static bool refused; /* an allocation, since the last parse began */

static void *take(size_t size)
{
    void *memory = malloc(size);
    refused = refused || memory == NULL;
    return memory;
}

bool json_parse(const char *bytes, size_t length, size_t flags, json_t **json, json_error_t *why)
{
    json_malloc_t usual_malloc;
    json_free_t usual_free;
    json_get_alloc_funcs(&usual_malloc, &usual_free);
    json_set_alloc_funcs(take, free);
    refused = false;
    *json = json_loadb(bytes, length, flags, why);
    json_set_alloc_funcs(usual_malloc, usual_free);
    if (!refused)
        return true;
    json_decref(*json);
    *json = NULL;
    return false;
}
