/* See folder.h. */
#include "bench/command/folder.h"

#include "bench/base/files.h"
#include "bench/base/number.h"
#include "bench/machine/machine_file.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NUMBER_MAX = 1000000 };

int folder_number(const char *name)
{
    int64_t number;
    bool run = strncmp(name, "run-", 4) == 0 && name[4] >= '1' && name[4] <= '9' && number_read_integer(name + 4, &number) &&
               number < NUMBER_MAX;
    return run ? (int)number : 0;
}

static void look_at(const char *name, void *context)
{
    int *last = context, number = folder_number(name);
    *last = number > *last ? number : *last;
}

/* The highest number of a run in a folder; 0 when there is none. */
static bool last_run(const char *parent, int *last, struct error *error)
{
    struct error reason;
    *last = 0;
    return files_list(parent, look_at, last, &reason) || fail(error, "cannot read folder %.300s: %.600s", parent, reason.text);
}

/* Whether rounds of this machine may go on in a folder. One without facts about a machine holds no rounds yet. */
static bool of_this_machine(const char *folder, const char *machine_type, char *model, size_t capacity)
{
    bool ignored; /* the keys of its rounds name their machine, too */
    json_t *facts;
    if (!machine_file_read(folder, &facts, &ignored))
        return true; /* whoever goes on will find out that there is no memory */
    const char *type = json_string_value(json_object_get(facts, "type"));
    const char *name = json_string_value(json_object_get(json_object_get(facts, "cpu"), "model"));
    bool same = type == NULL || strcmp(type, machine_type) == 0;
    snprintf(model, capacity, "%s", name != NULL ? name : "not known");
    json_decref(facts);
    return same;
}

/* Whether something can be made in a folder, or in the nearest one above it that is there; *above is that one. */
static bool can_be_written(const char *folder, char above[PATH_MAX])
{
    char *slash;
    snprintf(above, PATH_MAX, "%s", folder);
    while (access(above, F_OK) != 0 && (slash = strrchr(above, '/')) != NULL && slash != above)
        *slash = '\0';
    return access(above, F_OK) != 0 || access(above, W_OK) == 0; /* whoever makes it says what is wrong with all else */
}

bool folder_open(const char *results, const char *name, bool fresh, const char *machine_type, struct folder *folder,
                 struct error *error)
{
    char parent[FOLDER_SIZE - 32], above[PATH_MAX], model[100];
    int last, length = snprintf(parent, sizeof parent, "%s/%s", results, name);
    *folder = (struct folder){.continued = false};
    if (length < 0 || (size_t)length >= sizeof parent)
        return fail(error, "%.200s...: the path of the results folder is too long", results);
    if (!can_be_written(parent, above))
        return fail(error, "%s: no results can be written there: %s; --results DIR puts them elsewhere", above, strerror(errno));
    if (!files_make_folder(parent, error) || !last_run(parent, &last, error))
        return false;
    snprintf(folder->path, sizeof folder->path, "%s/run-%d", parent, last);
    folder->continued = last > 0 && !fresh;
    if (folder->continued && !of_this_machine(folder->path, machine_type, model, sizeof model)) {
        snprintf(folder->note, sizeof folder->note, "%.300s was measured on another machine (processor: %s). Starting a new run.",
                 folder->path, model);
        folder->continued = false;
    }
    while (!folder->continued) {
        snprintf(folder->path, sizeof folder->path, "%s/run-%d", parent, ++last);
        bool taken;
        if (files_make_new_folder(folder->path, &taken, error))
            break;
        if (!taken || last >= NUMBER_MAX) /* another run may have begun just now */
            return false;
    }
    return true;
}

bool folder_keep_scale(const char *folder, const char *scale, struct error *error)
{
    char path[PATH_MAX];
    files_path(folder, "scale.txt", path);
    if (scale[0] != '\0')
        return files_write(path, scale, strlen(scale), error);
    return files_remove(path, error);
}

void folder_scale(const char *folder, size_t capacity, char scale[capacity])
{
    char path[PATH_MAX];
    files_path(folder, "scale.txt", path);
    files_read_small(path, capacity, scale);
}
