/* JSON that survives lack of memory. jansson reports lack of memory as bad JSON, then writes beyond its buffer, and silently
 * leaves out members of what it builds or prints. So all JSON is parsed here, where the parser never sees a failed allocation,
 * and whoever builds JSON asks at the end whether an allocation failed. */
#ifndef BENCH_BASE_PARSE_H
#define BENCH_BASE_PARSE_H

#include "bench/base/seal.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* False: out of memory; *json is NULL. Else *json belongs to the caller, or is NULL where the bytes are not JSON (*why then says
 * so). flags: of jansson; why may be NULL. Not thread-safe. */
bool json_parse(const char *bytes, size_t length, size_t flags, json_t **json, json_error_t *why);

/* The same of a small file; *json is NULL also where it cannot be read. *seal: of its text. */
bool json_parse_file(const char *path, json_t **json, enum seal *seal);

/* Watches what is built or printed: a failed allocation between begin and end is noted in the watch. Watches nest; the innermost
 * ends first. Not thread-safe. */
struct json_watch {
    bool refused;
    unsigned char *reserve; /* json_parse()'s own */
    size_t reserve_size, reserve_used;
    struct json_watch *outer;
};

void json_watch_begin(struct json_watch *watch);

/* True: no allocation failed, so what was built is complete. */
bool json_watch_end(struct json_watch *watch);

/* Ends a watch and returns the text of what was built under it, to be freed; NULL when an allocation failed in building or
 * printing. */
char *json_watch_print(struct json_watch *watch, const json_t *json, size_t flags);

/* JSON has no NaN and no infinity: null for those. NULL when out of memory. */
json_t *json_number(double value);

/* A string from bytes that need not be UTF-8 (what a library or a file said): bad bytes become '?'. null for NULL. */
json_t *json_text(const char *text);

#endif
