/* See trained.h. */
#include "bench/measure/trained.h"

#include "bench/base/files.h"

#include <stdio.h>
#include <string.h>

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
