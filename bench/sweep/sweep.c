/* See sweep.h. */
#include "bench/sweep/sweep.h"

#include "bench/base/text.h"
#include "bench/sweep/baseline.h"
#include "bench/sweep/claims.h"
#include "bench/sweep/expand.h"
#include "bench/sweep/reader.h"
#include "bench/sweep/request.h"
#include "bench/sweep/scale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_name(struct reader *reader, const struct node *node)
{
    char *name = reader->sweep->name;
    if (!name_read(&reader->source, node, "name", name))
        return false;
    return strcmp(name, "trained") != 0 || /* the folder of all trainings, beside those of the sweeps */
           fail_at(reader->source.error, &node->mark, "name is \"trained\", where trainings are kept; expected another name");
}

static bool read_baseline(struct reader *reader, const struct node *node)
{
    struct choice choice = {.n = 0};
    if (!choice_read(&reader->source, FIELD_IMPLEMENTATION, node, &choice))
        return false;
    if (choice.n != 1)
        return fail_value(&reader->source, node, "baseline", "one implementation, such as diagonal_scan");
    reader->sweep->baseline = choice.value[0].text;
    return true;
}

static bool read_plots(struct reader *reader, const struct node *node)
{
    return requests_read(&reader->source, node, reader->sweep);
}

static bool read_claims(struct reader *reader, const struct node *node)
{
    return claims_read(&reader->source, node, reader->sweep);
}

static bool read_grids(struct reader *reader, const struct node *node)
{
    if (node->kind != NODE_LIST || node->n == 0)
        return fail_value(&reader->source, node, "grids", "a list of mappings, each a product of its own");
    reader->grid = pool_take(reader->source.pool, (size_t)node->n, sizeof *reader->grid);
    if (reader->grid == NULL)
        return fail_memory(reader->source.error);
    for (const struct node *grid = node->child; grid != NULL; grid = grid->next) {
        if (grid->kind != NODE_MAP)
            return fail_value(&reader->source, grid, "an entry of grids", "a mapping such as {problem: {T: 64}}");
        reader->product = &reader->grid[reader->n_grids++];
        *reader->product = reader->base;
        reader->whole = false;
        if (!reader_part(reader, grid, " in a grid") || !scale_lay(reader, reader->product) ||
            !reader_complete(reader, reader->product, &grid->mark))
            return false;
    }
    return true;
}

/* What may stand at the top level alone, read in this order: the name before the sections, the rest after them. */
static const struct {
    const char *key;
    bool (*read)(struct reader *, const struct node *);
} entries[] = {
    {"name", read_name},        {"baseline", read_baseline}, {"plots", read_plots}, {"paper", read_claims},
    {"scale", scale_read_name}, {"scales", scales_read},     {"grids", read_grids},
};
enum { ENTRIES = sizeof entries / sizeof entries[0] };

static bool read_entry(struct reader *reader, const struct node *root, int i)
{
    const struct node *node = node_find(root, entries[i].key);
    return node == NULL || entries[i].read(reader, node);
}

static bool read_top(struct reader *reader, const struct node *root)
{
    const char *names[READER_SECTIONS + ENTRIES] = {entries[0].key};
    reader_section_names(names + 1);
    for (int i = 1; i < ENTRIES; i++)
        names[READER_SECTIONS + i] = entries[i].key;
    bool good = keys_known(&reader->source, root, "", names, READER_SECTIONS + ENTRIES) && read_entry(reader, root, 0) &&
                reader_sections(reader, root);
    for (int i = 1; good && i < ENTRIES; i++)
        good = read_entry(reader, root, i);
    return good;
}

static bool read_root(struct reader *reader, const struct node *root, bool many)
{
    if (root->kind != NODE_MAP)
        return fail_value(&reader->source, root, "the file", "a mapping that begins with name:");
    if (node_find(root, "name") == NULL)
        return fail_at(reader->source.error, &root->mark, "name is missing; expected name: and a word");
    reader->base.mark = root->mark;
    reader->product = &reader->base;
    reader->whole = true;
    if (!read_top(reader, root))
        return false;
    if (!scale_found(reader, root))
        return false;
    if (reader->n_grids > 0)
        return sweep_expand(reader->grid, reader->n_grids, many, reader->sweep, reader->source.error);
    return reader_complete(reader, &reader->base, &root->mark) &&
           sweep_expand(&reader->base, 1, many, reader->sweep, reader->source.error);
}

/* Only now is it known which points there are. */
static bool compare(struct reader *reader, const struct node *root)
{
    struct error reason;
    const struct node *node = node_find(root, "baseline");
    return baseline_apply(reader->sweep, NULL, &reason) ||
           fail_at(reader->source.error, node != NULL ? &node->mark : &root->mark, "%.900s", reason.text);
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
    bool ok =
        yaml_read(path, &sweep->memory, &root, &sweep->source, error) && read_root(&reader, root, many) && compare(&reader, root);
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
    free(sweep->partner);
    free(sweep->point);
    pool_free(sweep->memory);
    memset(sweep, 0, sizeof *sweep);
}
