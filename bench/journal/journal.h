/* The journal: a run's records as JSON lines, append-only, one write and one fsync a line. Whoever is killed while appending leaves
 * at most one torn line at the end, which readers pass over and the next writer cuts off: its round is then measured again. */
#ifndef BENCH_JOURNAL_JOURNAL_H
#define BENCH_JOURNAL_JOURNAL_H

#include "bench/base/error.h"

#include <jansson.h>
#include <stddef.h>

struct journal;

/* Opens for appending, creating the file when it is missing. A torn last line (no newline, or not a JSON object) is cut off. Only
 * one process at a time may hold a journal open; for the second this is an error. */
bool journal_open(const char *path, struct journal **journal, struct error *error);

/* How many torn lines journal_open() cut off: 0 or 1. */
size_t journal_torn(const struct journal *journal);

/* Appends one record (an object), on the disk when this returns true. When it cannot be written whole, what was written of it is
 * taken back, so that the journal ends with the record before. Whoever made the record answers for its being
 * whole (json_watch_begin() of parse.h). */
bool journal_append(struct journal *journal, const json_t *record, struct error *error);

void journal_close(struct journal *journal); /* NULL is allowed */

/* Hands each record to each(), which may json_incref() it to keep it. A torn last line is passed over and counted in *torn; a bad
 * line elsewhere is an error that names its number. each() returning false ends the reading, and the error is what each() left. */
bool journal_read(const char *path, bool (*each)(json_t *record, void *context), void *context, size_t *torn, struct error *error);

#endif
