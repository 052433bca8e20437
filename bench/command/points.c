/* See points.h. */
#include "bench/command/points.h"

#include "bench/base/files.h"
#include "bench/base/stream.h"
#include "bench/command/folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char NAME[] = "points.txt";

bool points_write(const char *folder, const struct tally *tally, struct error *error)
{
    char path[PATH_MAX];
    struct stream out;
    files_path(folder, NAME, path);
    if (!stream_open(&out))
        return fail_memory(error);
    for (size_t i = 0; i < tally->sweep->n_points; i++) {
        char label[200];
        point_label(&tally->sweep->point[i], sizeof label, label);
        fprintf(out.file, "%s  %s\n", tally->point[i].key, label);
    }
    if (!stream_close(&out))
        return fail_memory(error);
    bool written = files_write(path, out.text, out.length, error);
    free(out.text);
    return written;
}

static int key_order(const void *left, const void *right)
{
    return strcmp(left, right);
}

static bool read_keys(FILE *file, const char *path, struct keys *keys, struct error *error)
{
    char *line = NULL;
    size_t line_capacity = 0, capacity = 0;
    bool good = true;
    while (good && (errno = 0, getline(&line, &line_capacity, file)) >= 0) {
        if (keys->n == capacity) {
            capacity = capacity > 0 ? 2 * capacity : 256;
            void *grown = realloc(keys->key, capacity * sizeof *keys->key);
            if (grown == NULL) {
                good = fail_memory(error);
                break;
            }
            keys->key = grown;
        }
        if (strspn(line, "0123456789abcdef") != KEY_SIZE - 1)
            good =
                fail(error, "%.900s: line %zu does not begin with a key of %d hexadecimal digits", path, keys->n + 1, KEY_SIZE - 1);
        else
            snprintf(keys->key[keys->n++], KEY_SIZE, "%s", line);
    }
    if (good && (ferror(file) || errno == ENOMEM))
        good = fail(error, "cannot read %.900s: %s", path, strerror(errno));
    free(line);
    return good;
}

bool points_read(const char *folder, struct keys *keys, struct error *error)
{
    char path[PATH_MAX];
    *keys = (struct keys){.n = 0};
    files_path(folder, NAME, path);
    struct error reason;
    FILE *file = files_stream(path, &reason);
    if (file == NULL && errno == ENOENT) {
        keys->all = true;
        return true;
    }
    if (file == NULL)
        return fail(error, "cannot open %.300s: %.600s", path, reason.text);
    bool good = read_keys(file, path, keys, error);
    fclose(file);
    if (good && keys->n > 0)
        qsort(keys->key, keys->n, sizeof *keys->key, key_order);
    if (!good)
        points_free(keys);
    return good;
}

void points_free(struct keys *keys)
{
    free(keys->key);
    *keys = (struct keys){.n = 0};
}

bool points_hold(const struct keys *keys, const char *key)
{
    return keys->all || (key != NULL && keys->n > 0 && bsearch(key, keys->key, keys->n, sizeof *keys->key, key_order) != NULL);
}
