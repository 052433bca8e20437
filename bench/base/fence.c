/* See fence.h. Folder after folder is opened in the one before it, so that nobody can put a link where none was a moment ago. */
#include "bench/base/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    char folder[PATH_MAX]; /* without slashes at its end: "" is the root of all folders */
    bool there;
} fence;

void fence_set(const char *folder)
{
    size_t length = strlen(folder);
    while (length > 0 && folder[length - 1] == '/')
        length--;
    fence.there = length < sizeof fence.folder;
    snprintf(fence.folder, sizeof fence.folder, "%.*s", (int)length, folder);
}

/* What a path says after the folder of the fence; NULL where it does not lie in it. */
static const char *inside(const char *path)
{
    size_t length = strlen(fence.folder);
    bool holds = fence.there && strncmp(path, fence.folder, length) == 0 && path[length] == '/';
    const char *rest = holds ? path + length + strspn(path + length, "/") : "";
    return rest[0] != '\0' ? rest : NULL;
}

bool fence_holds(const char *path)
{
    return inside(path) != NULL;
}

int fence_open_flags(const char *path)
{
    return fence_holds(path) ? O_NOFOLLOW : 0;
}

int fence_stat_flags(const char *path)
{
    return fence_holds(path) ? AT_SYMLINK_NOFOLLOW : 0;
}

/* making: the folder that is to be made, which the reason then begins with; NULL where none is. */
static int refuse(const char *making, int number, struct error *reason)
{
    fail_outside(reason, "%.400s%s%s", making != NULL ? making : "", making != NULL ? ": " : "", error_reason(number));
    errno = number;
    return -1;
}

int fence_refuse_link(const char *path, struct error *reason)
{
    fail_outside(reason, "%.700s is a symbolic link; below a results folder none is followed", path);
    errno = ELOOP;
    return -1;
}

/* The next folder on a path, whose first length bytes lead to it. Closes the one before. */
static int step(int folder, const char *path, size_t length, const char *name, bool fenced, bool make, struct error *reason)
{
    int flags = O_PATH | O_DIRECTORY | O_CLOEXEC | (fenced ? O_NOFOLLOW : 0), next = openat(folder, name, flags);
    if (next < 0 && errno == ENOENT && make && (mkdirat(folder, name, 0777) == 0 || errno == EEXIST))
        next = openat(folder, name, flags);
    int number = errno;
    struct stat facts;
    char part[PATH_MAX];
    bool link = next < 0 && fenced && fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(facts.st_mode);
    close(folder);
    if (next >= 0)
        return next;
    snprintf(part, sizeof part, "%.*s", (int)length, path);
    if (!link)
        return refuse(make ? part : NULL, number, reason);
    struct error why;
    fence_refuse_link(part, &why);
    fail_outside(reason, "%.300s%s%.600s", make ? part : "", make ? ": " : "", why.text);
    return -1;
}

/* Takes the next name off a path; false at its end. */
static bool take_name(const char **at, char name[NAME_MAX + 1], bool *too_long)
{
    *at += strspn(*at, "/");
    size_t length = strcspn(*at, "/");
    *too_long = length > NAME_MAX;
    snprintf(name, NAME_MAX + 1, "%.*s", (int)(*too_long ? NAME_MAX : length), *at);
    *at += length;
    return length > 0;
}

/* Goes from a folder along the rest of a path; where name is given, all but the last step. */
static int walk(int folder, const char *path, const char *rest, bool fenced, bool make, char *name, struct error *reason)
{
    char next[NAME_MAX + 1];
    bool too_long, any = false;
    while (folder >= 0 && take_name(&rest, next, &too_long)) {
        any = true;
        if (too_long) {
            close(folder);
            return refuse(make ? path : NULL, ENAMETOOLONG, reason);
        }
        if (name != NULL && rest[strspn(rest, "/")] == '\0') {
            memcpy(name, next, sizeof next);
            return folder;
        }
        folder = step(folder, path, (size_t)(rest - path), next, fenced, make, reason);
    }
    if (folder >= 0 && name != NULL && !any) { /* "/", or nothing at all */
        close(folder);
        if (path[0] == '\0')
            return refuse(NULL, ENOENT, reason);
        fail_outside(reason, "not a regular file");
        errno = EISDIR;
        return -1;
    }
    return folder;
}

static int enter(const char *path, bool make, char *name, struct error *reason)
{
    const char *rest = inside(path);
    bool fenced = rest != NULL;
    int folder;
    if (fenced) {
        char root[PATH_MAX];
        snprintf(root, sizeof root, "%s/", fence.folder);
        folder = enter(root, make, NULL, reason);
    } else {
        rest = path;
        folder = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0)
            return refuse(make ? path : NULL, errno, reason);
    }
    return walk(folder, path, rest, fenced, make, name, reason);
}

int fence_enter(const char *path, bool make, char name[NAME_MAX + 1], struct error *reason)
{
    return enter(path, make, name, reason);
}

int fence_enter_folder(const char *folder, bool make, struct error *reason)
{
    return folder[0] != '\0' ? enter(folder, make, NULL, reason) : refuse(make ? folder : NULL, ENOENT, reason);
}
