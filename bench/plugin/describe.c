/* See describe.h. */
#include "bench/plugin/describe.h"

#include "bench/base/build.h"
#include "bench/base/digest.h"
#include "bench/base/files.h"
#include "bench/base/parse.h"
#include "bench/base/process.h"
#include "bench/plugin/guard.h"
#include "bench/plugin/open.h"

#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double TIME_LIMIT = 10; /* seconds that loading and describing may take */

#define FILE_NAME "plugins.json"

/* ---- The process that loads it ---------------------------------------------------------------------------------------------- */

/* Libraries that a plug-in brings, by the bytes of their files; those of the system are part of the surroundings of a run. */
static bool of_system(const char *path)
{
    static const char *const folders[] = {"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (strncmp(path, folders[i], strlen(folders[i])) == 0)
            return true;
    return false;
}

static int note_path(struct dl_phdr_info *about, size_t size, void *context)
{
    (void)size;
    json_t *paths = context;
    if (about->dlpi_name != NULL && about->dlpi_name[0] == '/')
        json_object_set_new(paths, about->dlpi_name, json_true());
    return 0;
}

/* {path: digest} of the libraries that came with it. */
static json_t *libraries(const char *path, const json_t *before)
{
    json_t *after = json_object(), *found = json_object();
    const char *library;
    json_t *ignored;
    dl_iterate_phdr(note_path, after);
    json_object_foreach(after, library, ignored)
    {
        char digest[DIGEST_SIZE];
        if (json_object_get(before, library) != NULL || of_system(library) || strcmp(library, path) == 0)
            continue;
        digest_file(library, digest);
        json_object_set_new(found, library, json_string(digest));
    }
    json_decref(after);
    return found;
}

static json_t *words(const char *const *list)
{
    json_t *array = json_array();
    for (; list != NULL && *list != NULL; list++)
        json_array_append_new(array, json_text(*list));
    return array;
}

static json_t *describe(const char *path, const struct fprnn_plugin *plugin, const struct plugin_row *row, json_t *brought)
{
    char digest[DIGEST_SIZE], interface[32];
    digest_file(path, digest);
    snprintf(interface, sizeof interface, "%u.%u", plugin->major, plugin->minor);
    return json_pack("{ss ss so so so ss si si si so so ss so}", "digest", digest, "interface", interface, "title",
                     json_text(plugin->name), "summary", json_text(row->summary), "options", json_text(row->options), "kind",
                     plugin->kind, "cells", (int)row->cells, "mixers", (int)row->mixers, "gradients", (int)row->gradients, "dtypes",
                     words(plugin->dtypes), "tensors", words(plugin->tensors), "path", path, "libraries", brought);
}

bool plugin_describe_command(const char *path, struct error *error)
{
    struct plugin_row row;
    FILE *out = plugin_move_output(error);
    json_t *before = json_object();
    guard_watch();
    dl_iterate_phdr(note_path, before);
    const struct fprnn_plugin *plugin = out != NULL ? plugin_open(path, error) : NULL;
    bool good = plugin != NULL && plugin_facts(plugin, &row, error);
    json_t *description = good ? describe(path, plugin, &row, libraries(path, before)) : NULL;
    if (good && (description == NULL || json_dumpf(description, out, JSON_COMPACT) != 0 || fflush(out) != 0))
        good = fail(error, "%s: its description cannot be written", path);
    json_decref(description);
    json_decref(before);
    if (out != NULL)
        fclose(out);
    return good;
}

/* ---- The process that does not ----------------------------------------------------------------------------------------------- */

static json_t *described; /* [...] with a "name" each; NULL: none */

static bool take_text(const json_t *description, const char *key, size_t capacity, char text[capacity])
{
    const char *value = json_string_value(json_object_get(description, key));
    bool fits = value != NULL && strlen(value) < capacity;
    snprintf(text, capacity, "%s", fits ? value : "");
    return fits;
}

/* What decides its numbers: its file, the libraries that it brings, and what calls it. */
static void identify(const json_t *description, struct plugin_row *row)
{
    const char *path, *adapter = build_identity("plugin");
    char text[4096] = "", digest[DIGEST_SIZE];
    const json_t *value;
    size_t used = (size_t)snprintf(text, sizeof text, "%s %s", row->digest, adapter != NULL ? adapter : "unknown");
    json_object_foreach(json_object_get(description, "libraries"), path, value)
    {
        digest_bytes(text, used, digest); /* however many there are */
        used =
            (size_t)snprintf(text, sizeof text, "%s %s", digest, json_string_value(value) != NULL ? json_string_value(value) : "");
    }
    digest_bytes(text, used, digest);
    snprintf(row->build, sizeof row->build, "%s", digest);
}

/* False where it is not what describe() makes. */
static bool read_row(const json_t *description, struct plugin_row *row)
{
    char kind[16];
    const unsigned cells = (1u << CELL_COUNT) - 1, gradients = GRADIENTS_EXACT | GRADIENTS_STEPS;
    *row = (struct plugin_row){.cells = (unsigned)json_integer_value(json_object_get(description, "cells")) & cells,
                               .mixers = (unsigned)json_integer_value(json_object_get(description, "mixers")) & MIXERS_ANY,
                               .gradients = (unsigned)json_integer_value(json_object_get(description, "gradients")) & gradients};
    bool good = take_text(description, "name", sizeof row->name, row->name) && plugin_named(row->name) &&
                take_text(description, "summary", sizeof row->summary, row->summary) &&
                take_text(description, "options", sizeof row->options, row->options) &&
                take_text(description, "path", sizeof row->path, row->path) &&
                take_text(description, "digest", sizeof row->digest, row->digest) &&
                take_text(description, "kind", sizeof kind, kind);
    row->exact = strcmp(kind, "exact") == 0;
    row->solver = strcmp(kind, "solver") == 0;
    identify(description, row);
    return good && row->cells != 0 && row->mixers != 0;
}

/* What became of the process that was to describe it. */
static bool fail_process(const char *name, const struct process_result *process, struct error *error)
{
    const char *said = strstr(process->errors, GUARD_SAYS), *why = said != NULL ? said + strlen(GUARD_SAYS) : "";
    const int length = (int)strcspn(why, "\n");
    const char *colon = length > 0 ? ": " : "";
    if (process->timed_out)
        return fail(error, "%s: hangs when it is loaded: no description after %g s%s%.*s", name, TIME_LIMIT, colon, length, why);
    if (process->signal != 0)
        return fail(error, "%s: crashes when it is loaded: signal %d (%s)%s%.*s", name, process->signal, strsignal(process->signal),
                    colon, length, why);
    if (said != NULL || process->exit_status == 0)
        return fail(error, "%s: ends the process when it is loaded: exit status %d%s%.*s", name, process->exit_status, colon,
                    length, why);
    return fail(error, "%s: %.900s", name, process->errors[0] != '\0' ? process->errors : "cannot be described");
}

static bool ask(const char *name, const char *path, json_t **description, struct error *error)
{
    const char *const argv[] = {PROCESS_SELF, "describe", path, NULL};
    const struct process_request request = {.argv = argv, .time_limit = TIME_LIMIT};
    struct process_result process;
    *description = NULL;
    if (!process_run(&request, &process, error))
        return false;
    size_t length = strlen(process.errors);
    while (length > 0 && process.errors[length - 1] == '\n')
        process.errors[--length] = '\0';
    bool good = json_parse(process.output, process.output_size, 0, description, NULL) || fail_memory(error);
    if (good && (process.timed_out || process.signal != 0 || process.exit_status != 0 || !json_is_object(*description)))
        good = fail_process(name, &process, error);
    process_result_free(&process);
    return good;
}

/* Adds it to the registry and to the list of those that are kept. */
static bool add(const char *name, json_t *description, struct error *error)
{
    struct plugin_row row;
    if (described == NULL)
        described = json_array();
    json_object_set_new(description, "name", json_string(name));
    if (!read_row(description, &row))
        return fail(error, "%s: its description is not one that this program made", name);
    if (!plugin_add(&row))
        return fail(error, "%s: too many plug-ins; expected at most %d", name, PLUGINS_MAX);
    return json_array_append(described, description) == 0 || fail_memory(error);
}

bool plugin_describe(const char *name, const char *path, struct error *error)
{
    const struct plugin_row *known = plugin_row(name);
    if (known != NULL && known->path[0] != '\0')
        return true;
    struct error reason;
    int file = files_open(path, FILES_READ, &reason);
    char *whole = file >= 0 ? realpath(path, NULL) : NULL;
    if (file >= 0)
        close(file);
    else
        return fail(error, "%s: %.600s; expected the file of a plug-in", name, reason.text);
    json_t *representable = whole != NULL ? json_string(whole) : NULL, *description = NULL;
    bool good = representable != NULL && strlen(whole) < PLUGIN_PATH_SIZE;
    json_decref(representable);
    if (!good)
        fail(error, "%s: its whole path is not UTF-8, or too long; expected at most %d bytes", name, PLUGIN_PATH_SIZE - 1);
    good = good && ask(name, whole, &description, error) && add(name, description, error);
    json_decref(description);
    free(whole);
    return good;
}

bool plugins_write(const char *folder, struct error *error)
{
    char path[PATH_MAX];
    files_path(folder, FILE_NAME, path);
    if (described == NULL)
        return files_remove(path, error);
    struct json_watch watch;
    json_watch_begin(&watch);
    char *text = json_watch_print(&watch, described, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    bool good = text != NULL ? files_write(path, text, strlen(text), error) : fail_memory(error);
    free(text);
    return good;
}

void plugins_read(const char *folder)
{
    char path[PATH_MAX];
    json_t *list;
    enum seal seal;
    size_t i;
    const json_t *description;
    struct plugin_row row;
    files_path(folder, FILE_NAME, path);
    if (!json_parse_file(path, &list, &seal))
        return;
    json_array_foreach(list, i, description) if (read_row(description, &row)) plugin_add(&row);
    json_decref(list);
}
