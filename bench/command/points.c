/* See points.h. */
#include "bench/command/points.h"

#include "bench/base/files.h"
#include "bench/base/seal.h"
#include "bench/base/stream.h"
#include "bench/command/folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char NAME[] = "points.txt", CHECKSUM[] = "checksum ";

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
    char digits[SEAL_DIGITS + 1], head[96];
    seal_digits(out.text, out.length, digits);
    size_t length = (size_t)snprintf(head, sizeof head, "%s%s of the lines below: key and label of each point\n", CHECKSUM, digits);
    const struct files_part part[] = {{head, length}, {out.text, out.length}};
    bool written = files_write_parts(path, part, 2, error);
    free(out.text);
    return written;
}

static int key_order(const void *left, const void *right)
{
    return strcmp(left, right);
}

static bool add_key(struct keys *keys, size_t *capacity, const char *line)
{
    if (keys->n == *capacity) {
        *capacity = *capacity > 0 ? 2 * *capacity : 256;
        void *grown = realloc(keys->key, *capacity * sizeof *keys->key);
        if (grown == NULL)
            return false;
        keys->key = grown;
    }
    snprintf(keys->key[keys->n++], KEY_SIZE, "%s", line);
    return true;
}

/* The keys, the lines that the checksum is of, and its digits: "" where there is none. */
static bool read_lines(FILE *file, const char *path, struct keys *keys, FILE *lines, char digits[SEAL_DIGITS + 1],
                       struct error *error)
{
    char *line = NULL;
    size_t line_capacity = 0, capacity = 0, number = 0;
    ssize_t length;
    bool good = true;
    digits[0] = '\0';
    while (good && (errno = 0, length = getline(&line, &line_capacity, file)) >= 0) {
        if (number++ == 0 && strncmp(line, CHECKSUM, strlen(CHECKSUM)) == 0) {
            snprintf(digits, SEAL_DIGITS + 1, "%s", line + strlen(CHECKSUM));
            continue;
        }
        fwrite(line, 1, (size_t)length, lines);
        if (strspn(line, "0123456789abcdef") != KEY_SIZE - 1)
            good = fail(error, "%.900s: line %zu does not begin with a key of %d hexadecimal digits", path, number, KEY_SIZE - 1);
        else
            good = add_key(keys, &capacity, line) || fail_memory(error);
    }
    if (good && (ferror(file) || errno == ENOMEM))
        good = fail(error, "cannot read %.900s: %s", path, strerror(errno));
    free(line);
    return good;
}

static bool read_keys(FILE *file, const char *path, struct keys *keys, struct error *error)
{
    struct stream lines;
    char expected[SEAL_DIGITS + 1], found[SEAL_DIGITS + 1];
    if (!stream_open(&lines))
        return fail_memory(error);
    bool good = read_lines(file, path, keys, lines.file, expected, error);
    if (!stream_close(&lines))
        return good ? fail_memory(error) : false;
    seal_digits(lines.text, lines.length, found);
    free(lines.text);
    if (good && expected[0] != '\0' && strcmp(expected, found) != 0)
        good = fail(
            error, "%.900s: changed since it was written, its checksum does not fit; running its sweep again writes it anew", path);
    if (good && keys->n == 0)
        good = fail(error, "%.900s: holds no key; running its sweep again writes it anew", path);
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
