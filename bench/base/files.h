/* Files written so that a reader never sees half of one, and folders made with their parents. */
#ifndef BENCH_BASE_FILES_H
#define BENCH_BASE_FILES_H

#include "bench/base/error.h"

#include <limits.h>
#include <stddef.h>

/* Replaces a file as a whole: written aside in the same folder, synced, then renamed. After a failure the old file is untouched. */
bool files_write(const char *path, const char *text, size_t length, struct error *error);

/* The same for a file in several parts. */
struct files_part {
    const void *bytes;
    size_t length;
};
bool files_write_parts(const char *path, const struct files_part part[], size_t n, struct error *error);

/* Removes a file; one that is not there is fine. */
bool files_remove(const char *path, struct error *error);

/* Makes a folder and every missing folder above it; one that exists already is fine. */
bool files_make_folder(const char *path, struct error *error);

/* Makes the entries of the folder of path durable, after a file in it was created or renamed. Some file systems cannot; that is
 * not an error. */
void files_sync_folder_of(const char *path);

/* The first capacity - 1 bytes of a small file such as those of /proc and /sys, terminated, without the newlines at its end. False,
 * with an empty text, when it cannot be read. */
bool files_read_small(const char *path, size_t capacity, char text[capacity]);

enum { FOLDER_SIZE = PATH_MAX - 256 }; /* of the path of a folder: leaves room for the names inside */

/* FOLDER/NAME */
void files_path(const char *folder, const char *name, char path[PATH_MAX]);

#endif
