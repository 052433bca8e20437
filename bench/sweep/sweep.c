/* See sweep.h. */
#include "bench/sweep/sweep.h"

#include "bench/base/text.h"
#include "bench/sweep/expand.h"
#include "bench/sweep/reader.h"
#include "bench/sweep/request.h"
#include "bench/sweep/scale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_root(struct reader *reader, const struct node *root, bool many)
{
    if (root->kind != NODE_MAP)
        return fail_value(&reader->source, root, "the file", "a mapping that begins with name:");
    if (node_find(root, "name") == NULL)
        return fail_at(reader->source.error, &root->mark, "name is missing; expected name: and a word");
    reader->base.mark = root->mark;
    reader->product = &reader->base;
    reader->whole = true;
    if (!reader_entries(reader, root, NULL))
        return false;
    if (!scale_found(reader, root))
        return false;
    if (reader->n_grids > 0)
        return sweep_expand(reader->grid, reader->n_grids, many, reader->sweep, reader->source.error);
    return reader_complete(reader, &reader->base, &root->mark) &&
           sweep_expand(&reader->base, 1, many, reader->sweep, reader->source.error);
}

static bool read_file(const struct vocabulary *vocabulary, const char *path, const char *scale, bool many, bool kept,
                      struct sweep *sweep, struct error *error)
{
    struct node *root;
    char quoted[QUOTED_SIZE];
    *sweep = (struct sweep){.run = sweep_run_default, .kept = kept};
    if (scale != NULL && !name_good(scale))
        return fail(error, "scale %s; expected " NAME_EXPECTED, text_quote(scale, quoted));
    snprintf(sweep->scale, sizeof sweep->scale, "%s", scale != NULL ? scale : "");
    struct reader reader = {.source = {.pool = &sweep->memory, .error = error, .vocabulary = vocabulary, .kept = kept},
                            .sweep = sweep};
    char *folder = pool_text(&sweep->memory, path);
    if (folder == NULL)
        return fail_memory(error);
    char *slash = strrchr(folder, '/');
    *(slash != NULL ? slash + 1 : folder) = '\0';
    reader.source.folder = folder;
    bool ok = yaml_read(path, &sweep->memory, &root, &sweep->source, error) && read_root(&reader, root, many);
    if (!ok)
        sweep_free(sweep);
    return ok;
}

bool sweep_read(const struct vocabulary *vocabulary, const char *path, const char *scale, bool many, struct sweep *sweep,
                struct error *error)
{
    return read_file(vocabulary, path, scale, many, false, sweep, error);
}

bool sweep_read_kept(const struct vocabulary *vocabulary, const char *path, const char *scale, struct sweep *sweep,
                     struct error *error)
{
    return read_file(vocabulary, path, scale, true, true, sweep, error);
}

void sweep_free(struct sweep *sweep)
{
    free(sweep->point);
    pool_free(sweep->memory);
    memset(sweep, 0, sizeof *sweep);
}
