/* See parse.h. */
#include "bench/parse.h"

#include <stdlib.h>

static bool refused;

static void *take(size_t size)
{
    void *memory = malloc(size);
    refused = refused || memory == NULL;
    return memory;
}

void json_watch(void)
{
    json_set_alloc_funcs(take, free); /* free: what was there before can still be given back */
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
