/* The journal: the records of a run as JSON lines, append-only, one write and one fsync per line, each with a checksum. A killed
 * process leaves at most one incomplete line at the end; readers skip it, the next writer removes it, and its round is measured
 * again. A line that changed after it was written is set aside by readers and stays where it is: the others count. */
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

/* Appends one record (an object that has members), with a last member "checksum"; it is on the disk when this returns true. A
 * partial write is undone, so that the journal ends with the record before. The caller answers for a complete record
 * (json_watch_begin() of parse.h). */
bool journal_append(struct journal *journal, const json_t *record, struct error *error);

void journal_close(struct journal *journal); /* NULL is allowed */

/* What of a journal was not read. */
struct unread {
    size_t at;       /* the line under way, from 1 */
    size_t torn;     /* 1: the last line is incomplete */
    size_t aside;    /* lines that are no record any more ... */
    size_t first;    /* ... the number of the first of them, ... */
    char reason[80]; /* ... and what is wrong with it */
    size_t repeats;  /* records of rounds that were there and ok already, with other figures ... */
    size_t repeat;   /* ... and the line of the first of them; found when rounds are merged (bench/report/summary.h) */
};

enum { UNREAD_SIZE = 2600 }; /* of the sentence below */

/* Sets the line under way aside. */
void unread_aside(struct unread *unread, const char *reason);

/* What was not read, and what is there twice, in sentences that name file and line: "journal x: line 7 is set aside: its checksum does
 * not fit". False, with an empty text, where there is nothing to say. */
bool unread_say(const struct unread *unread, const char *path, char text[UNREAD_SIZE]);

/* Calls each() for each record, without its checksum; it may json_incref() the record to keep it. An incomplete last line, and
 * lines whose checksum is wrong or missing, are passed over and counted. When each() returns false, reading ends with the error
 * that it left. */
bool journal_read(const char *path, bool (*each)(json_t *record, void *context), void *context, struct unread *unread,
                  struct error *error);

#endif
