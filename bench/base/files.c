/* See files.h. Reading, folders and removing; files_write.c writes. */
#include "bench/base/files.h"

#include "bench/base/fence.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* close() that keeps errno. */
static void leave(int file)
{
    int number = errno;
    if (file >= 0)
        close(file);
    errno = number;
}

/* ---- Opening ------------------------------------------------------------------------------------------------------------- */

/* Whether a file that is there can be used so. False with errno and the reason. */
static bool is_usable(const char *path, const struct stat *facts, enum files_use use, struct error *reason)
{
    if (S_ISLNK(facts->st_mode))
        return fence_refuse_link(path, reason) == 0;
    errno = S_ISDIR(facts->st_mode) ? EISDIR : EINVAL;
    if (!S_ISREG(facts->st_mode))
        return fail_outside(reason, "not a regular file");
    if (use == FILES_APPEND && facts->st_nlink > 1)
        return fail_outside(reason, "has other names (hard links), whose text would change as well; put a copy in its place");
    return true;
}

int files_open(const char *path, enum files_use use, struct error *reason)
{
    static const int flags[] = {
        [FILES_READ] = O_RDONLY, [FILES_APPEND] = O_RDWR | O_APPEND | O_CREAT, [FILES_LOCK] = O_RDWR | O_CREAT};
    char name[NAME_MAX + 1];
    struct stat facts;
    int folder = fence_enter(path, false, name, reason);
    if (folder < 0)
        return -1;
    /* Looked at before it is opened, for to open some devices is to use them; and after, for it may have been replaced. */
    int file = -1;
    if (fstatat(folder, name, &facts, fence_stat_flags(path)) != 0 || is_usable(path, &facts, use, reason)) {
        file = openat(folder, name, flags[use] | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | fence_open_flags(path), 0666);
        if (file < 0 || fstat(file, &facts) != 0) {
            fail_outside(reason, "%s", error_reason(errno));
            leave(file);
            file = -1;
        } else if (!is_usable(path, &facts, use, reason)) {
            leave(file);
            file = -1;
        }
    }
    leave(folder);
    return file;
}

FILE *files_stream(const char *path, struct error *reason)
{
    int file = files_open(path, FILES_READ, reason);
    FILE *stream = file >= 0 ? fdopen(file, "r") : NULL;
    if (file >= 0 && stream == NULL) {
        fail_outside(reason, "%s", error_reason(errno));
        leave(file);
    }
    return stream;
}

bool files_is_there(const char *path)
{
    char name[NAME_MAX + 1];
    struct stat facts;
    struct error ignored;
    int folder = fence_enter(path, false, name, &ignored);
    bool there = folder >= 0 && fstatat(folder, name, &facts, fence_stat_flags(path)) == 0 && S_ISREG(facts.st_mode);
    leave(folder);
    return there;
}

bool files_read_small(const char *path, size_t capacity, char text[capacity])
{
    size_t length = 0;
    struct error ignored;
    int file = files_open(path, FILES_READ, &ignored);
    ssize_t n = file < 0 ? -1 : 1;
    while (n > 0 && length + 1 < capacity) {
        n = read(file, text + length, capacity - 1 - length);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            length += (size_t)n;
    }
    leave(file);
    if (n < 0)
        length = 0;
    while (length > 0 && text[length - 1] == '\n')
        length--;
    text[length] = '\0';
    return n >= 0;
}

bool files_tell(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    bool told = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);
    leave(file);
    return told;
}

/* ---- Folders ------------------------------------------------------------------------------------------------------------- */

bool files_make_folder(const char *path, struct error *error)
{
    struct error reason;
    int folder = fence_enter_folder(path, true, &reason);
    if (folder < 0)
        return fail_outside(error, "cannot make folder %.900s", reason.text);
    leave(folder);
    return true;
}

bool files_make_new_folder(const char *path, bool *taken, struct error *error)
{
    char name[NAME_MAX + 1];
    struct error reason;
    int folder = fence_enter(path, false, name, &reason);
    if (folder < 0)
        return *taken = fail_outside(error, "cannot make folder %.300s: %.600s", path, reason.text);
    bool made = mkdirat(folder, name, 0777) == 0;
    *taken = !made && errno == EEXIST;
    if (!made)
        fail_outside(error, "cannot make folder %.300s: %s", path, error_reason(errno));
    leave(folder);
    return made;
}

/* NULL with the reason. */
static DIR *open_listing(const char *path, struct error *reason)
{
    int folder = fence_enter_folder(path, false, reason);
    int readable = folder >= 0 ? openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    DIR *listing = readable >= 0 ? fdopendir(readable) : NULL;
    if (folder >= 0 && listing == NULL) {
        fail_outside(reason, "%s", error_reason(errno));
        leave(readable);
    }
    leave(folder);
    return listing;
}

static const char *next_name(DIR *listing)
{
    const struct dirent *entry;
    do
        entry = readdir(listing);
    while (entry != NULL && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    return entry != NULL ? entry->d_name : NULL;
}

bool files_list(const char *folder, void (*each)(const char *name, void *context), void *context, struct error *reason)
{
    DIR *listing = open_listing(folder, reason);
    if (listing == NULL)
        return false;
    for (const char *name; (name = next_name(listing)) != NULL;)
        each(name, context);
    closedir(listing);
    return true;
}

void files_sync_folder_of(const char *path)
{
    char name[NAME_MAX + 1];
    struct error ignored;
    int folder = fence_enter(path, false, name, &ignored);
    int file = folder >= 0 ? openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (file >= 0)
        fsync(file);
    leave(file);
    leave(folder);
}

/* ---- Removing ------------------------------------------------------------------------------------------------------------ */

bool files_remove(const char *path, struct error *error)
{
    char name[NAME_MAX + 1];
    struct error reason;
    int folder = fence_enter(path, false, name, &reason);
    bool gone = folder >= 0 ? unlinkat(folder, name, 0) == 0 || errno == ENOENT : errno == ENOENT;
    if (!gone)
        fail_outside(error, "%.300s: cannot be removed: %.600s", path, folder >= 0 ? error_reason(errno) : reason.text);
    leave(folder);
    return gone;
}

void files_remove_folder(const char *path)
{
    char name[NAME_MAX + 1];
    struct error ignored;
    int folder = fence_enter(path, false, name, &ignored);
    if (folder >= 0)
        unlinkat(folder, name, AT_REMOVEDIR);
    leave(folder);
}

void files_clear(const char *folder, bool (*goes)(const char *name, void *context), void *context)
{
    struct error ignored;
    DIR *listing = open_listing(folder, &ignored);
    if (listing == NULL)
        return;
    for (const char *name; (name = next_name(listing)) != NULL;)
        if (goes(name, context))
            unlinkat(dirfd(listing), name, 0);
    closedir(listing);
}

void files_path(const char *folder, const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
}
