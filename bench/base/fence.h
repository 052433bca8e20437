/* The fence: what lies below the results folder is the program's own, and may have been unpacked from somebody, or be shared. A link
 * there is never followed, wherever it leads. The folder itself, and all that the user names, may be reached through links. */
#ifndef BENCH_BASE_FENCE_H
#define BENCH_BASE_FENCE_H

#include "bench/base/error.h"

#include <limits.h>

/* From now on holds for every path that begins with this folder's. One at a time; the text is copied. */
void fence_set(const char *folder);

/* Whether a path lies inside. */
bool fence_holds(const char *path);

/* The folder that a path lies in, as a descriptor for openat() and its like (O_PATH), and the name of the path in it. make: folders that
 * are missing are made. -1 with errno and a reason, which begins with the folder that could not be made. */
int fence_enter(const char *path, bool make, char name[NAME_MAX + 1], struct error *reason);

/* The folder itself instead. */
int fence_enter_folder(const char *folder, bool make, struct error *reason);

/* Flags for openat() and fstatat() on the name that fence_enter() gave: O_NOFOLLOW or 0, AT_SYMLINK_NOFOLLOW or 0. */
int fence_open_flags(const char *path);
int fence_stat_flags(const char *path);

/* Why a name is refused that is a link. Returns -1, with errno. */
int fence_refuse_link(const char *path, struct error *reason);

#endif
