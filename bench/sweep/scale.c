/* See scale.h. */
#include "bench/sweep/scale.h"

#include "bench/base/text.h"
#include "bench/sweep/request.h"

#include <stdio.h>
#include <string.h>

bool scale_read_name(struct reader *reader, const struct node *node)
{
    char name[SWEEP_NAME_MAX];
    if (!name_read(&reader->source, node, "scale", name))
        return false;
    if (reader->sweep->scale[0] != '\0') /* the command line's wins */
        return true;
    reader->named = node;
    memcpy(reader->sweep->scale, name, sizeof name);
    return true;
}

bool scale_lay(struct reader *reader, struct product *product)
{
    reader->product = product;
    reader->whole = true;
    return reader->chosen == NULL || reader_part(reader, reader->chosen, " in a scale");
}

/* The fields that a product says otherwise than the top level does. */
static void remember(struct reader *reader, const char *scale, const struct product *product)
{
    struct sweep *sweep = reader->sweep;
    for (int f = 0; f < FIELD_COUNT; f++) {
        const struct choice *choice = &product->choice[f];
        if (choice->value != reader->base.choice[f].value)
            sweep->scaled[sweep->n_scaled++] = (struct scale_row){scale, f, choice->value, choice->n};
    }
}

/* As if it were laid over the top level, which stays as it is. */
static bool try_scale(struct reader *reader, const struct node *scale)
{
    struct product product = reader->base;
    struct sweep_run run = reader->sweep->run;
    if (!name_good(scale->key))
        return fail_at(reader->source.error, &scale->key_mark, "invalid name of a scale; expected " NAME_EXPECTED);
    if (scale->kind != NODE_MAP || scale->n == 0)
        return fail_value(&reader->source, scale, "a scale", "a mapping such as {recipe: {steps: 10000}}");
    reader->product = &product;
    bool good = reader_part(reader, scale, " in a scale");
    reader->product = &reader->base;
    if (good && strcmp(scale->key, reader->sweep->scale) != 0)
        remember(reader, scale->key, &product);
    reader->sweep->run = run;
    return good;
}

static bool fail_unknown(const struct reader *reader, const struct location *mark, const struct node *scales)
{
    const char *names[YAML_ENTRIES_MAX] = {NULL};
    char quoted[QUOTED_SIZE], list[400];
    int n = 0;
    for (const struct node *one = scales != NULL ? scales->child : NULL; one != NULL; one = one->next)
        names[n++] = one->key;
    text_list(names, n, sizeof list, list);
    return fail_at(reader->source.error, reader->named != NULL ? &reader->named->mark : mark, "no scale is called %s; expected %s",
                   text_quote(reader->sweep->scale, quoted), n > 0 ? list : "it under scales:");
}

bool scale_found(struct reader *reader, const struct node *root)
{
    return reader->sweep->scale[0] == '\0' || reader->chosen != NULL || fail_unknown(reader, &root->mark, NULL);
}

bool scales_read(struct reader *reader, const struct node *node)
{
    struct sweep *sweep = reader->sweep;
    size_t n = strlen(sweep->name);
    if (node->kind != NODE_MAP || node->n == 0)
        return fail_value(&reader->source, node, "scales", "{NAME: {recipe: {steps: 10000}, ...}, ...}");
    sweep->scaled = pool_take(reader->source.pool, (size_t)node->n * FIELD_COUNT, sizeof *sweep->scaled);
    if (sweep->scaled == NULL)
        return fail_memory(reader->source.error);
    for (const struct node *scale = node->child; scale != NULL; scale = scale->next)
        if (!try_scale(reader, scale))
            return false;
    if (sweep->scale[0] == '\0')
        return true;
    reader->chosen = node_find(node, sweep->scale);
    if (reader->chosen == NULL)
        return fail_unknown(reader, &node->mark, node);
    if (n + 1 + strlen(sweep->scale) >= SWEEP_NAME_MAX)
        return fail_at(reader->source.error, &reader->chosen->key_mark, "NAME-SCALE is too long; expected at most %d letters",
                       SWEEP_NAME_MAX - 1);
    snprintf(sweep->name + n, sizeof sweep->name - n, "-%s", sweep->scale);
    return scale_lay(reader, &reader->base);
}
