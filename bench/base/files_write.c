/* See files.h: a file is written aside, under a name that nobody can foresee and nothing has yet, and then renamed. Its writer holds a
 * lock on it: so what a killed one left is told from what is being written. */
#include "bench/base/files.h"

#include "bench/base/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ATTEMPTS = 100, DIGITS = 16 };

static const char ENDING[] = ".new"; /* NAME.0123456789abcdef.new */

/* ---- Leftovers ------------------------------------------------------------------------------------------------------------ */

static bool is_named_aside(const char *name)
{
    size_t length = strlen(name), ending = sizeof ENDING - 1;
    if (length < ending + DIGITS + 2 || strcmp(name + length - ending, ENDING) != 0)
        return false;
    const char *digits = name + length - ending - DIGITS;
    return digits[-1] == '.' && strspn(digits, "0123456789abcdef") == DIGITS;
}

struct leftovers {
    const char *folder;
    int held; /* the one found last, locked until it is removed: its writer may have just made it, and will notice */
};

static bool is_leftover(const char *name, void *context)
{
    struct leftovers *leftovers = context;
    char path[PATH_MAX + NAME_MAX + 2];
    struct error ignored;
    if (!is_named_aside(name))
        return false;
    if (leftovers->held >= 0)
        close(leftovers->held);
    snprintf(path, sizeof path, "%s/%s", leftovers->folder, name);
    leftovers->held = files_open(path, FILES_LOCK, &ignored);
    return leftovers->held >= 0 && flock(leftovers->held, LOCK_EX | LOCK_NB) == 0;
}

void files_clear_leftovers(const char *folder)
{
    struct leftovers leftovers = {.folder = folder, .held = -1};
    files_clear(folder, is_leftover, &leftovers);
    if (leftovers.held >= 0)
        close(leftovers.held);
}

/* ---- Writing -------------------------------------------------------------------------------------------------------------- */

/* Whether the file is ours: locked, as far as the file system has locks, and not taken for a leftover just before. */
static bool take(int file)
{
    struct stat facts;
    return (flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) && fstat(file, &facts) == 0 && facts.st_nlink > 0;
}

/* A file that was not there before, for writing; -1 with errno. */
static int open_aside(int folder, const char *name, char aside[NAME_MAX + 1])
{
    for (int i = 0; i < ATTEMPTS; i++) {
        uint64_t number;
        if (getrandom(&number, sizeof number, 0) != sizeof number)
            return -1;
        if (snprintf(aside, NAME_MAX + 1, "%s.%016" PRIx64 "%s", name, number, ENDING) > NAME_MAX) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int file = openat(folder, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (file >= 0 && take(file))
            return file;
        if (file >= 0)
            close(file);
        else if (errno != EEXIST)
            return -1;
    }
    errno = EEXIST;
    return -1;
}

static bool write_all(int file, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(file, text, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written == 0)
            errno = EIO;
        if (written <= 0)
            return false;
        text += written;
        length -= (size_t)written;
    }
    return true;
}

/* False with errno. The lock is held until the file has its name. */
static bool write_in(int folder, const char *name, const struct files_part part[], size_t n, bool durable)
{
    char aside[NAME_MAX + 1];
    int file = open_aside(folder, name, aside);
    if (file < 0)
        return false;
    bool written = true;
    for (size_t i = 0; i < n && written; i++)
        written = write_all(file, part[i].bytes, part[i].length);
    written = written && (!durable || fsync(file) == 0) && renameat(folder, aside, folder, name) == 0;
    int number = errno;
    if (!written)
        unlinkat(folder, aside, 0);
    close(file); /* whatever it could still complain of, fsync() has said */
    errno = number;
    return written;
}

static bool write_parts(const char *path, const struct files_part part[], size_t n, bool durable, struct error *error)
{
    char name[NAME_MAX + 1];
    struct error reason;
    int folder = fence_enter(path, false, name, &reason);
    bool written = folder >= 0 && write_in(folder, name, part, n, durable);
    int number = errno;
    if (folder >= 0)
        close(folder);
    if (written)
        return true;
    const char *why = number == ENOENT   ? "its folder is gone; give the same command again"
                      : number == EISDIR ? "a folder has its name; move that away, then give the same command again"
                      : folder < 0       ? reason.text
                                         : error_reason(number);
    return fail_outside(error, "cannot write %.300s: %.600s", path, why);
}

bool files_write_parts(const char *path, const struct files_part part[], size_t n, struct error *error)
{
    if (!write_parts(path, part, n, true, error))
        return false;
    files_sync_folder_of(path);
    return true;
}

bool files_write(const char *path, const char *text, size_t length, struct error *error)
{
    return files_write_parts(path, &(const struct files_part){text, length}, 1, error);
}

void files_note(const char *path, const char *text)
{
    struct error ignored;
    write_parts(path, &(const struct files_part){text, strlen(text)}, 1, false, &ignored);
}
