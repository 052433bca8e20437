/* See reader.h: the sections of a sweep file. */
#include "bench/sweep/reader.h"

#include "bench/base/text.h"
#include "bench/sweep/filter.h"

#include <stdio.h>
#include <string.h>

/* What may stand at the top level of a file, in a grid and in a scale, read in this order whatever the order of the file. */
struct entry {
    const char *key;
    bool (*read)(struct reader *, const struct entry *, const struct node *);
    int what; /* a field or a section, for those that need to know */
};

static bool read_field(struct reader *, const struct entry *, const struct node *);
static bool read_section(struct reader *, const struct entry *, const struct node *);
static bool read_skip(struct reader *, const struct entry *, const struct node *);

static const struct entry entries[READER_SECTIONS] = {
    {"measure", read_field, FIELD_MEASURE},
    {"pass", read_field, FIELD_PASS},
    {"impls", read_field, FIELD_IMPLEMENTATION},
    {"inputs", read_field, FIELD_INPUTS},
    {"task", read_field, FIELD_TASK},
    {"problem", read_section, SECTION_PROBLEM},
    {"regime", read_section, SECTION_REGIME},
    {"model", read_section, SECTION_MODEL},
    {"recipe", read_section, SECTION_RECIPE},
    {"test", read_section, SECTION_TEST},
    {"settings", read_section, SECTION_SETTINGS},
    {"run", read_section, SECTION_RUN},
    {"skip", read_skip, 0},
};

void reader_section_names(const char *names[READER_SECTIONS])
{
    for (int i = 0; i < READER_SECTIONS; i++)
        names[i] = entries[i].key;
}

bool reader_sections(struct reader *reader, const struct node *map)
{
    for (int i = 0; i < READER_SECTIONS; i++) {
        const struct node *node = node_find(map, entries[i].key);
        if (node != NULL && !entries[i].read(reader, &entries[i], node))
            return false;
    }
    return true;
}

bool reader_part(struct reader *reader, const struct node *map, const char *where)
{
    const char *names[READER_SECTIONS];
    reader_section_names(names);
    return keys_known(&reader->source, map, where, names, READER_SECTIONS) && reader_sections(reader, map);
}

static bool read_field(struct reader *reader, const struct entry *entry, const struct node *node)
{
    return choice_read(&reader->source, entry->what, node, &reader->product->choice[entry->what]);
}

/* A trained layer has a recurrence, too: model: takes what describes that beside its own fields. */
static bool in_section(int field, int section)
{
    static const int shared[] = {FIELD_D,    FIELD_N,        FIELD_HEADS, FIELD_MIXER, FIELD_R,    FIELD_S,
                                 FIELD_FORM, FIELD_FEEDBACK, FIELD_READS, FIELD_NORM,  FIELD_GATE, FIELD_FORGET};
    for (size_t i = 0; i < sizeof shared / sizeof shared[0] && section == SECTION_MODEL; i++)
        if (shared[i] == field)
            return true;
    return (int)fields[field].section == section;
}

static bool read_section(struct reader *reader, const struct entry *entry, const struct node *node)
{
    const char *names[FIELD_COUNT + SWEEP_RUN_KEYS];
    char where[32];
    int n = 0;
    if (node->kind != NODE_MAP)
        return fail_value(&reader->source, node, entry->key, "{FIELD: value, list or range, ...}");
    for (int field = 0; field < FIELD_COUNT; field++)
        if (in_section(field, entry->what))
            names[n++] = fields[field].name;
    for (int i = 0; i < SWEEP_RUN_KEYS && entry->what == SECTION_RUN && reader->whole; i++)
        names[n++] = sweep_run_keys[i];
    snprintf(where, sizeof where, " in %s", entry->key);
    if (!keys_known(&reader->source, node, where, names, n))
        return false;
    if (entry->what == SECTION_PROBLEM)
        reader->product->mark = node->key_mark;
    reader->product->section[entry->what] = node->key_mark;
    for (const struct node *value = node->child; value != NULL; value = value->next) {
        int field = field_named(&reader->source, value->key);
        if (field >= 0 && !in_section(field, entry->what))
            field = -1;
        if (field >= 0 && !choice_read(&reader->source, field, value, &reader->product->choice[field]))
            return false;
        if (field < 0 && !sweep_run_read(&reader->source, value, &reader->sweep->run))
            return false;
    }
    return true;
}

static bool read_skip(struct reader *reader, const struct entry *entry, const struct node *node)
{
    if (node->kind != NODE_LIST || node->n == 0)
        return fail_value(&reader->source, node, entry->key, "a list of {FIELD: value or list, ...}");
    struct filter *skip = pool_take(reader->source.pool, (size_t)node->n, sizeof *skip);
    if (skip == NULL)
        return fail_memory(reader->source.error);
    reader->product->skip = skip;
    reader->product->n_skip = 0;
    for (const struct node *condition = node->child; condition != NULL; condition = condition->next)
        if (!filter_read(&reader->source, condition, "an entry of skip", &skip[reader->product->n_skip++]))
            return false;
    return true;
}

/* ---- Products ------------------------------------------------------------------------------------------------------------- */

/* Whether any point of a product uses a field. Whether one uses what has no default hangs on its measure and layer alone. */
static bool anyone_uses(const struct product *product, int field)
{
    static const struct value none = {.kind = VALUE_NONE};
    const struct choice *measure = &product->choice[FIELD_MEASURE], *layer = &product->choice[FIELD_LAYER];
    if (measure->n == 0)
        return true;
    for (int m = 0; m < measure->n; m++)
        for (int l = 0; l < layer->n || l == 0; l++) {
            struct point point = {.value[FIELD_MEASURE] = measure->value[m]};
            point.value[FIELD_LAYER] = layer->n > 0 ? layer->value[l] : none;
            if (field_used(field, &point))
                return true;
        }
    return false;
}

bool reader_complete(struct reader *reader, struct product *product, const struct location *mark)
{
    static const struct value none = {.kind = VALUE_NONE};
    for (int field = 0; field < FIELD_COUNT; field++) {
        const struct field *row = &fields[field];
        char expected[256];
        if (product->choice[field].n > 0)
            continue;
        if (row->default_text != NULL) {
            if (!choice_default(&reader->source, field, &product->choice[field]))
                return false;
            continue;
        }
        if (!anyone_uses(product, field)) {
            product->choice[field] = (struct choice){.value = &none, .n = 1};
            continue;
        }
        field_expected(field, sizeof expected, expected);
        for (int i = 0; i < READER_SECTIONS; i++)
            if (row->section == SECTION_TOP && entries[i].read == read_field && entries[i].what == field)
                return fail_at(reader->source.error, mark, "%s is missing; expected %s", entries[i].key, expected);
        bool trained = product->choice[FIELD_LAYER].n > 0 && in_section(field, SECTION_MODEL);
        return fail_at(reader->source.error, mark, "%s is missing in %s; expected %s", row->name,
                       section_names[trained ? SECTION_MODEL : row->section], expected);
    }
    return true;
}
