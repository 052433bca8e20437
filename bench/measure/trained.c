/* See trained.h. */
#include "bench/measure/trained.h"

#include "bench/base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char NAME[] = "progress.txt";

bool trained_folder(const char *results, const struct point *point, const struct conditions *conditions, char path[PATH_MAX])
{
    struct point training;
    char key[KEY_SIZE];
    path[0] = '\0';
    if (!point_is_trained(point))
        return false;
    point_training(point, &training);
    point_key(&training, conditions, key);
    return snprintf(path, PATH_MAX, "%s/trained/%s", results, key) < FOLDER_SIZE;
}

enum trained_lock trained_lock(const char *folder, bool wait, int *file, struct error *error)
{
    char path[PATH_MAX];
    struct error reason;
    *file = -1;
    if (!files_make_folder(folder, error))
        return TRAINED_LOCK_FAILED;
    files_path(folder, "lock", path);
    *file = files_open(path, FILES_LOCK, &reason);
    if (*file < 0 || fcntl(*file, F_SETFD, 0) != 0) { /* for children, too */
        fail_outside(error, "cannot make %.300s: %.600s", path, *file < 0 ? reason.text : strerror(errno));
        if (*file >= 0)
            close(*file);
        *file = -1;
        return TRAINED_LOCK_FAILED;
    }
    while (flock(*file, wait ? LOCK_EX : LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK) /* no locks there */
            return TRAINED_LOCKED;
        close(*file);
        *file = -1;
        return TRAINED_TAKEN;
    }
    files_clear_leftovers(folder);
    return TRAINED_LOCKED;
}

/* Nothing hangs on it: neither a disk that is full nor a power cut matters. */
void trained_say(const char *folder, const char *text)
{
    char path[PATH_MAX];
    files_path(folder, NAME, path);
    files_note(path, text);
}

bool trained_hear(const char *folder, size_t capacity, char text[capacity])
{
    char path[PATH_MAX];
    files_path(folder, NAME, path);
    return files_read_small(path, capacity, text);
}
