/* JSON where memory runs out. To jansson that is the same as bytes that are no JSON; it leaves members and pieces of texts out without
 * a word, and its parser even writes beyond its buffer. So it never sees a refusal: from the first one on it gets its memory from a
 * reserve, and whoever is answerable asks here, at the end, whether that was so. */
#ifndef BENCH_PARSE_H
#define BENCH_PARSE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* False: out of memory, and *json is NULL. Else *json is the caller's, or NULL where the bytes are no JSON (*why says so then). flags
 * are jansson's own; why may be NULL. Not for several threads at once. */
bool json_parse(const char *bytes, size_t length, size_t flags, json_t **json, json_error_t *why);

/* The same for what is built or read otherwise: whether memory was refused since json_watch(). json_parse() begins anew. */
void json_watch(void);
bool json_refused(void);

#endif
