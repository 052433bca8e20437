/* The journal: the records of a run as JSON lines, append-only, one write and one fsync per line. A killed process leaves at
 * most one incomplete line at the end; readers skip it, the next writer removes it, and its round is measured again. */
#ifndef BENCH_JOURNAL_JOURNAL_H
#define BENCH_JOURNAL_JOURNAL_H

#include "bench/base/error.h"

#include <jansson.h>
#include <stddef.h>

struct journal;

/* Opens for appending, creating the file if needed. Removes an incomplete last line (no newline, or not a JSON object). Only one
 * process may hold a journal open; for a second one this is an error. */
bool journal_open(const char *path, struct journal **journal, struct error *error);

/* Incomplete lines that journal_open() removed: 0 or 1. */
size_t journal_torn(const struct journal *journal);

/* Its file system has no locks: a second process would not be noticed. */
bool journal_unlocked(const struct journal *journal);

/* Appends one record (an object); it is on the disk when this returns true. A partial write is undone, so that the journal ends
 * with the record before. The caller answers for a complete record (json_watch_begin() of parse.h). */
bool journal_append(struct journal *journal, const json_t *record, struct error *error);

void journal_close(struct journal *journal); /* NULL is allowed */

/* Calls each() for each record; it may json_incref() the record to keep it. An incomplete last line is skipped and counted in
 * *torn; a bad line elsewhere is an error with its number. When each() returns false, reading ends with the error that it left. */
bool journal_read(const char *path, bool (*each)(json_t *record, void *context), void *context, size_t *torn, struct error *error);

#endif
