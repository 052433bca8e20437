/* See held.h. Inputs are known by their bytes, for a file may be rewritten in place; libraries by their place on the disk, size and
 * time, for systems put a new file in the place of the old one, and looking at that costs nothing. */
#include "bench/command/held.h"

#include "bench/base/digest.h"

#include <link.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct library {
    struct library *next;
    struct stat found;
    char path[];
};

struct inputs_file {
    struct inputs_file *next;
    char digest[DIGEST_SIZE], path[];
};

struct held {
    struct library *library;
    struct inputs_file *inputs;
};

/* A structure of that many bytes that ends with a path; NULL when out of memory. */
static void *take(size_t path_at, size_t size, const char *path)
{
    char *item = calloc(1, size + strlen(path) + 1);
    if (item != NULL)
        strcpy(item + path_at, path);
    return item;
}

/* What is loaded, by the paths that it was loaded from; the kernel's own part has none. */
static int add_library(struct dl_phdr_info *about, size_t size, void *context)
{
    struct held *held = context;
    (void)size;
    if (about->dlpi_name == NULL || about->dlpi_name[0] != '/')
        return 0;
    struct library *library = take(offsetof(struct library, path), sizeof *library, about->dlpi_name);
    if (library == NULL)
        return 1;
    library->next = held->library;
    held->library = library;
    stat(library->path, &library->found); /* what cannot be seen stays all zero, and is the same as long as it cannot */
    return 0;
}

static const char *file_of(const struct point *point)
{
    const struct value *inputs = &point->value[FIELD_INPUTS];
    return inputs->kind == VALUE_TEXT ? inputs->text : NULL;
}

static const struct inputs_file *find(const struct held *held, const char *path)
{
    const struct inputs_file *file = held->inputs;
    while (file != NULL && strcmp(file->path, path) != 0)
        file = file->next;
    return file;
}

static bool add_inputs(struct held *held, const char *path)
{
    if (path == NULL || find(held, path) != NULL)
        return true;
    struct inputs_file *file = take(offsetof(struct inputs_file, path), sizeof *file, path);
    if (file == NULL)
        return false;
    digest_file(path, file->digest);
    file->next = held->inputs;
    held->inputs = file;
    return true;
}

struct held *held_begin(const struct sweep *sweep)
{
    struct held *held = calloc(1, sizeof *held);
    bool good = held != NULL && dl_iterate_phdr(add_library, held) == 0;
    for (size_t i = 0; i < sweep->n_points && good; i++)
        good = add_inputs(held, file_of(&sweep->point[i]));
    if (good)
        return held;
    held_free(held);
    return NULL;
}

void held_free(struct held *held)
{
    if (held == NULL)
        return;
    for (struct library *next; held->library != NULL; held->library = next) {
        next = held->library->next;
        free(held->library);
    }
    for (struct inputs_file *next; held->inputs != NULL; held->inputs = next) {
        next = held->inputs->next;
        free(held->inputs);
    }
    free(held);
}

const char *held_digest(const struct held *held, const struct point *point)
{
    const char *path = file_of(point);
    const struct inputs_file *file = path != NULL ? find(held, path) : NULL;
    return file != NULL ? file->digest : NULL;
}

static const char *unless(const char *path, const char *before)
{
    char now[DIGEST_SIZE];
    digest_file(path, now);
    return strcmp(now, before) == 0 ? NULL : path;
}

const char *held_changed(const struct held *held, const struct point *point)
{
    const char *before = held_digest(held, point), *changed = before != NULL ? unless(file_of(point), before) : NULL;
    const struct plugin_row *plugin = point_plugin(point);
    return changed == NULL && plugin != NULL ? unless(plugin->path, plugin->digest) : changed;
}

bool held_same_libraries(const struct held *held, struct error *error)
{
    for (const struct library *library = held->library; library != NULL; library = library->next) {
        const struct stat *before = &library->found;
        struct stat now = {.st_ino = 0};
        stat(library->path, &now);
        if (now.st_dev != before->st_dev || now.st_ino != before->st_ino || now.st_size != before->st_size ||
            now.st_mtim.tv_sec != before->st_mtim.tv_sec || now.st_mtim.tv_nsec != before->st_mtim.tv_nsec)
            return fail(
                error,
                "%.600s was replaced while the run was under way: further rounds would use another library than those before "
                "them. What was measured is kept; the same command goes on with the library that is there now",
                library->path);
    }
    return true;
}
