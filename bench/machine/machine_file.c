/* See machine_file.h. */
#include "bench/machine/machine_file.h"

#include "bench/base/files.h"
#include "bench/base/parse.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void path_of(const char *folder, char path[PATH_MAX])
{
    files_path(folder, "machine.json", path);
}

bool machine_file_write(const char *folder, const json_t *facts, struct error *error)
{
    char path[PATH_MAX];
    struct json_watch watch;
    json_watch_begin(&watch);
    char *text = json_watch_print(&watch, facts, JSON_INDENT(2));
    size_t length = text != NULL ? strlen(text) : 0;
    char *sealed = text != NULL ? realloc(text, length + SEAL_SIZE) : NULL;
    if (sealed == NULL) {
        free(text);
        return fail_memory(error);
    }
    path_of(folder, path);
    bool written = files_write(path, sealed, seal_put(sealed, length, true), error);
    free(sealed);
    return written;
}

bool machine_file_read(const char *folder, json_t **facts, bool *changed)
{
    char path[PATH_MAX];
    enum seal seal;
    path_of(folder, path);
    if (!json_parse_file(path, facts, &seal))
        return false;
    bool good = json_is_object(*facts) && seal != SEAL_BROKEN;
    *changed = !good && access(path, F_OK) == 0;
    if (!good) {
        json_decref(*facts);
        *facts = NULL;
    }
    return true;
}

bool machine_limits_name(const json_t *roofs, char name[SEAL_DIGITS + 1])
{
    struct json_watch watch;
    json_watch_begin(&watch);
    char *text = json_watch_print(&watch, roofs, JSON_COMPACT | JSON_SORT_KEYS);
    if (text != NULL)
        seal_digits(text, strlen(text), name);
    bool known = text != NULL;
    free(text);
    return known;
}
