/* JSON from bytes, where running out of memory is not mistaken for bytes that are no JSON: to jansson both are NULL, and what it had
 * no room for in a long number or name it leaves out without a word. */
#ifndef BENCH_PARSE_H
#define BENCH_PARSE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* False: out of memory, and *json is NULL. Else *json is the caller's, or NULL where the bytes are no JSON (*why says so then). flags
 * are jansson's own; why may be NULL. Not for several threads at once. */
bool json_parse(const char *bytes, size_t length, size_t flags, json_t **json, json_error_t *why);

/* The same for what is built: whether any memory was refused since json_watch(), so that something is missing although no call was
 * looked at. json_parse() begins anew. */
void json_watch(void);
bool json_refused(void);

#endif
