/* JSON where memory runs out. To jansson that is the same as bytes that are no JSON, its parser even writes beyond its buffer then,
 * and what it builds or prints lacks members and pieces without a word. So everything is parsed here, where the parser never sees a
 * refusal, and whoever is answerable for what is built asks at the end whether there was one. */
#ifndef BENCH_BASE_PARSE_H
#define BENCH_BASE_PARSE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* False: out of memory, and *json is NULL. Else *json is the caller's, or NULL where the bytes are no JSON (*why says so then). flags
 * are jansson's own; why may be NULL. Not for several threads at once. */
bool json_parse(const char *bytes, size_t length, size_t flags, json_t **json, json_error_t *why);

/* The same of a small file; *json is NULL also where it cannot be read. */
bool json_parse_file(const char *path, json_t **json);

/* Watches what is built or printed: between a beginning and its end, a refusal of memory is noted in the watch. Watches nest; each
 * beginning has its end, the innermost first. Not for several threads at once. */
struct json_watch {
    bool refused;
    unsigned char *reserve; /* json_parse()'s own */
    size_t reserve_size, reserve_used;
    struct json_watch *outer;
};

void json_watch_begin(struct json_watch *watch);

/* True: all the memory that was asked for was there, so what was built is whole. */
bool json_watch_end(struct json_watch *watch);

/* Ends a watch with the text of what was built under it, for free(); NULL when memory was refused in building or in printing it:
 * jansson itself leaves pieces out then. */
char *json_watch_print(struct json_watch *watch, const json_t *json, size_t flags);

/* JSON has no NaN and no infinity: null for those. NULL when out of memory. */
json_t *json_number(double value);

/* A string from bytes that need not be UTF-8 (what a library or a file said): bad bytes become '?'. null for NULL. */
json_t *json_text(const char *text);

#endif
