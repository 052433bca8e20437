/* See files.h. */
#include "bench/base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int file, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(file, text, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        text += written;
        length -= (size_t)written;
    }
    return true;
}

bool files_write(const char *path, const char *text, size_t length, struct error *error)
{
    return files_write_parts(path, &(const struct files_part){text, length}, 1, error);
}

bool files_write_parts(const char *path, const struct files_part part[], size_t n, struct error *error)
{
    char aside[PATH_MAX];
    if (snprintf(aside, sizeof aside, "%s.%ld.new", path, (long)getpid()) >= (int)sizeof aside)
        return fail(error, "cannot write %.200s...: the path is too long", path);
    int file = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0)
        return fail(error, "cannot write %s: %s", path, strerror(errno));
    bool written = true;
    for (size_t i = 0; i < n && written; i++)
        written = write_all(file, part[i].bytes, part[i].length);
    written = written && fsync(file) == 0;
    int reason = errno;
    if (close(file) != 0 && written) {
        written = false;
        reason = errno;
    }
    if (written && rename(aside, path) != 0) {
        written = false;
        reason = errno;
    }
    if (!written) {
        unlink(aside);
        return fail(error, "cannot write %s: %s", path, strerror(reason));
    }
    files_sync_folder_of(path);
    return true;
}

bool files_remove(const char *path, struct error *error)
{
    return unlink(path) == 0 || errno == ENOENT || fail(error, "%.900s: cannot be removed: %s", path, strerror(errno));
}

bool files_make_folder(const char *path, struct error *error)
{
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof part)
        return fail(error, "cannot make folder %.200s: the path is %s", path, length == 0 ? "empty" : "too long");
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        struct stat found;
        int reason = mkdir(part, 0777) == 0 ? 0 : errno;
        if (reason != 0 && (stat(part, &found) != 0 || !S_ISDIR(found.st_mode)))
            return fail(error, "cannot make folder %s: %s", part, strerror(reason));
    }
    return true;
}

void files_sync_folder_of(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);
    if (length >= sizeof folder)
        return;
    memcpy(folder, slash == NULL ? "." : path, length);
    folder[length] = '\0';
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file >= 0) {
        fsync(file);
        close(file);
    }
}

bool files_read_small(const char *path, size_t capacity, char text[capacity])
{
    size_t length = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = file < 0 ? -1 : 1;
    while (n > 0 && length + 1 < capacity) {
        n = read(file, text + length, capacity - 1 - length);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            length += (size_t)n;
    }
    if (file >= 0)
        close(file);
    if (n < 0)
        length = 0;
    while (length > 0 && text[length - 1] == '\n')
        length--;
    text[length] = '\0';
    return n >= 0;
}

void files_path(const char *folder, const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
}
