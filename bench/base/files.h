/* The one way to files: no other source opens, lists, makes, renames or removes one. A file is written so that a reader never sees half
 * of it; what is no regular file (a pipe, a device, a socket) is neither waited for nor touched; inside the fence (fence.h) no link is
 * followed. */
#ifndef BENCH_BASE_FILES_H
#define BENCH_BASE_FILES_H

#include "bench/base/error.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>

enum files_use {
    FILES_READ,
    FILES_APPEND, /* for reading too; made where there is none. Refused where it has other names (hard links): they would change, too */
    FILES_LOCK, /* nothing is written; made where there is none */
};

/* A descriptor of a regular file; -1 with errno and the reason ("No such file or directory"), for a sentence of the caller's. */
int files_open(const char *path, enum files_use use, struct error *reason);

/* The same for reading as a stream; NULL likewise. */
FILE *files_stream(const char *path, struct error *reason);

/* Whether a regular file is there. */
bool files_is_there(const char *path);

/* Replaces a file as a whole: written aside in the same folder, synced, then renamed. After a failure the old file is untouched. */
bool files_write(const char *path, const char *text, size_t length, struct error *error);

/* The same for a file in several parts. */
struct files_part {
    const void *bytes;
    size_t length;
};
bool files_write_parts(const char *path, const struct files_part part[], size_t n, struct error *error);

/* The same for what nothing hangs on: neither synced, nor is a failure told. */
void files_note(const char *path, const char *text);

/* Removes a file; one that is not there is fine. */
bool files_remove(const char *path, struct error *error);

/* Makes a folder and every missing folder above it; one that exists already is fine. */
bool files_make_folder(const char *path, struct error *error);

/* Makes one that must be new. *taken: something of that name is there; false with an error for all else. */
bool files_make_new_folder(const char *path, bool *taken, struct error *error);

/* Calls each() with the name of every entry of a folder but "." and "..". False, with the reason, when it cannot be read. */
bool files_list(const char *folder, void (*each)(const char *name, void *context), void *context, struct error *reason);

/* Removes the files of a folder whose names are to go (the files, not what links lead to), and says nothing of those that stay. */
void files_clear(const char *folder, bool (*goes)(const char *name, void *context), void *context);

/* Removes what writers left in a folder that were killed before they could rename it; not what one alive is writing. */
void files_clear_leftovers(const char *folder);

/* Removes an empty folder; any other stays. */
void files_remove_folder(const char *path);

/* Makes the entries of the folder of path durable, after a file in it was created or renamed. Some file systems cannot; that is
 * not an error. */
void files_sync_folder_of(const char *path);

/* The first capacity - 1 bytes of a small file such as those of /proc and /sys, terminated, without the newlines at its end. False,
 * with an empty text, when it cannot be read. */
bool files_read_small(const char *path, size_t capacity, char text[capacity]);

/* Writes a word to a file that the system has made, such as those of /proc. */
bool files_tell(const char *path, const char *text);

enum { FOLDER_SIZE = PATH_MAX - 256 }; /* of the path of a folder: leaves room for the names inside */

/* FOLDER/NAME */
void files_path(const char *folder, const char *name, char path[PATH_MAX]);

#endif
