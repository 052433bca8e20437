/* See blocks.h. */
#include "bench/command/blocks.h"

#include "bench/base/files.h"
#include "bench/base/stream.h"
#include "bench/command/points.h"
#include "bench/command/vocabulary.h"
#include "bench/machine/machine_file.h"
#include "bench/report/blocks/page.h"
#include "bench/report/blocks/print.h"
#include "bench/report/longest.h"
#include "bench/report/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Folders, each read once ----------------------------------------------------------------------------------------------- */

struct folder_data {
    char *name;
    struct block_data data;
};

struct pages {
    const char *root;
    char home[PATH_MAX]; /* from the page at hand to root */
    struct folder_data *folder;
    size_t n;
};

static bool counts(const struct record *record, void *keys)
{
    return points_hold(keys, column_text(record, COLUMN_KEY));
}

static bool read_rounds(const char *folder, struct keys *keys, struct records *records, struct error *error)
{
    char journal[PATH_MAX];
    char passed_over[UNREAD_SIZE];
    files_path(folder, "journal.jsonl", journal);
    if (!records_read(journal, records, error))
        return false;
    if (unread_say(&records->unread, journal, passed_over))
        return fail(error, "%s", passed_over);
    records_keep(records, counts, keys);
    return true;
}

static bool read_data(const char *folder, struct block_data *data, struct error *error)
{
    bool changed = false;
    struct keys keys;
    if (!points_read(folder, &keys, error))
        return false;
    bool good = read_rounds(folder, &keys, &data->rounds, error) && read_rounds(folder, &keys, &data->points, error) &&
                records_merge(&data->points, error) && longest_add(&data->points, error) &&
                (machine_file_read(folder, &data->machine, &changed) || fail_memory(error)) &&
                (!changed || fail(error, "%.900s/machine.json: changed since it was written", folder));
    points_free(&keys);
    return good;
}

static void free_data(struct block_data *data)
{
    records_free(&data->rounds);
    records_free(&data->points);
    json_decref(data->machine);
}

/* What the folder of a block holds; NULL with an error. */
static struct block_data *data_of(struct pages *pages, const char *name, struct error *error)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < pages->n; i++)
        if (strcmp(pages->folder[i].name, name) == 0)
            return &pages->folder[i].data;
    struct folder_data *grown = realloc(pages->folder, (pages->n + 1) * sizeof *grown);
    if (grown == NULL) {
        fail(error, "out of memory for %.900s", name);
        return NULL;
    }
    pages->folder = grown;
    struct folder_data *folder = &grown[pages->n];
    *folder = (struct folder_data){.name = strdup(name)};
    files_path(pages->root, name, path);
    if (folder->name == NULL || !read_data(path, &folder->data, error)) {
        free_data(&folder->data);
        free(folder->name);
        return NULL;
    }
    pages->n++;
    return &folder->data;
}

/* ---- Pages ----------------------------------------------------------------------------------------------------------------- */

static bool write_block(FILE *out, const struct block *block, void *context, struct error *error)
{
    struct pages *pages = context;
    struct block_data *data[BLOCK_FOLDERS_MAX];
    for (int i = 0; i < block->n_folders; i++) { /* the list of folders may move while it grows */
        struct error reason;
        if (data_of(pages, block->folder[i], &reason) == NULL)
            return fail_at(error, &block->mark, "%.900s", reason.text);
    }
    for (int i = 0; i < block->n_folders; i++)
        data[i] = data_of(pages, block->folder[i], error);
    return block_print(out, block, data, pages->home, error);
}

/* "../" for each folder between root and the page. */
static bool find_home(struct pages *pages, const char *page, struct error *error)
{
    char path[PATH_MAX], root[PATH_MAX];
    if (realpath(page, path) == NULL)
        return fail(error, "%s: %s; expected a markdown page", page, strerror(errno));
    size_t length = realpath(pages->root, root) != NULL ? strlen(root) : 0;
    if (length == 0 || strncmp(path, root, length) != 0 || path[length] != '/')
        return fail(error, "%s: expected a page below %s", page, pages->root);
    pages->home[0] = '\0';
    for (const char *at = path + length + 1; (at = strchr(at, '/')) != NULL; at++)
        strncat(pages->home, "../", sizeof pages->home - strlen(pages->home) - 1);
    return true;
}

/* The whole text, to be freed; NULL with an error. */
static char *read_page(const char *path, struct error *error)
{
    struct stream text;
    char part[4096];
    size_t length;
    struct error reason = {.text = "out of memory"};
    FILE *file = files_stream(path, &reason);
    if (file == NULL || !stream_open(&text)) {
        fail(error, "%.300s: cannot be read: %.600s", path, reason.text);
        if (file != NULL)
            fclose(file);
        return NULL;
    }
    while ((length = fread(part, 1, sizeof part, file)) > 0)
        fwrite(part, 1, length, text.file);
    bool whole = !ferror(file);
    fclose(file);
    if (stream_close(&text)) {
        if (whole)
            return text.text;
        free(text.text);
    }
    fail(error, "%s: cannot be read", path);
    return NULL;
}

static bool do_page(struct pages *pages, const char *path, const char *text, bool check, FILE *out, bool *stale,
                    struct error *error)
{
    struct stream made;
    int line, n;
    if (!find_home(pages, path, error))
        return false;
    if (!stream_open(&made))
        return fail(error, "out of memory for %s", path);
    bool good = block_page(path, text, &sweep_vocabulary, write_block, pages, made.file, &line, &n, error);
    if (!stream_close(&made))
        return good ? fail(error, "out of memory for %s", path) : false;
    if (good && line > 0 && check)
        fprintf(out, "%s:%d: this block is stale; make docs updates it\n", path, line);
    if (good && line > 0 && !check) {
        good = files_write(path, made.text, made.length, error);
        fprintf(out, good ? "%s: written\n" : "", path);
    }
    *stale = *stale || line > 0;
    free(made.text);
    return good;
}

bool blocks_run(FILE *out, const char *root, char *const files[], bool check, bool *stale, struct error *error)
{
    struct pages pages = {.root = root};
    bool good = true;
    *stale = false;
    for (size_t i = 0; good && files[i] != NULL; i++) {
        char *text = read_page(files[i], error);
        good = text != NULL && do_page(&pages, files[i], text, check, out, stale, error);
        free(text);
    }
    for (size_t i = 0; i < pages.n; i++) {
        free_data(&pages.folder[i].data);
        free(pages.folder[i].name);
    }
    free(pages.folder);
    return good;
}
