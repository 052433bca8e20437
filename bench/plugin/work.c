/* See work.h. */
#include "bench/plugin/work.h"

#include "bench/base/digest.h"
#include "bench/base/parse.h"
#include "bench/plugin/adapter.h"
#include "bench/plugin/guard.h"
#include "bench/plugin/open.h"

#include <stdlib.h>
#include <string.h>

char *plugin_request(const char *name)
{
    const struct plugin_row *row = plugin_row(name);
    struct json_watch watch;
    json_watch_begin(&watch);
    json_t *request = json_pack("{ss ss ss}", "name", name, "path", row->path, "digest", row->digest);
    char *text = json_watch_print(&watch, request, JSON_COMPACT);
    json_decref(request);
    return text;
}

static bool check_bytes(const char *path, const char *digest, struct error *error)
{
    char now[DIGEST_SIZE];
    digest_file(path, now);
    return strcmp(now, digest) == 0 || fail(error, "%s is no longer the file that was described", path);
}

/* The bytes are looked at before and after: what was loaded had them. */
static bool load(const char *name, const char *path, const char *digest, struct error *error)
{
    static struct adapted adapted;
    struct plugin_row row;
    if (!check_bytes(path, digest, error))
        return false;
    struct error reason;
    adapted.plugin = plugin_open(path, &reason);
    if (adapted.plugin == NULL || !plugin_facts(adapted.plugin, &row, &reason))
        return fail(error, "%s: %.900s", name, reason.text);
    if (!check_bytes(path, digest, error))
        return false;
    snprintf(row.name, sizeof row.name, "%s", name);
    snprintf(row.path, sizeof row.path, "%s", path);
    snprintf(row.digest, sizeof row.digest, "%s", digest);
    if (!plugin_add(&row))
        return fail(error, "%s: too many plug-ins", name);
    adapted.name = plugin_row(name)->name;
    adapter_load(&adapted);
    return true;
}

bool plugin_work(const char *request, FILE **out, struct error *error)
{
    json_t *json;
    if (!json_parse(request, strlen(request), 0, &json, NULL))
        return fail_memory(error);
    const char *name = json_string_value(json_object_get(json, "name")), *path = json_string_value(json_object_get(json, "path")),
               *digest = json_string_value(json_object_get(json, "digest"));
    bool good = (name != NULL && path != NULL && digest != NULL) || fail(error, "expected the name, path and digest of a plug-in");
    if (good)
        *out = plugin_move_output(error);
    good = good && *out != NULL;
    if (good)
        guard_watch();
    good = good && load(name, path, digest, error);
    json_decref(json);
    return good;
}
