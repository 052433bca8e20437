/* See filter.h, and filter_keeps in sweep.h. */
#include "bench/sweep/filter.h"

#include <stdlib.h>
#include <string.h>

/* "none" as a word, as the special word of a number, or because the point does not use the field: all read the same to a user. */
static bool says_none(int field, const struct value *value)
{
    const struct field *row = &fields[field];
    switch (value->kind) {
    case VALUE_NONE:
        return true;
    case VALUE_WORD:
        return strcmp(field_word(field, (int)value->integer), "none") == 0;
    case VALUE_TEXT:
        return false;
    default:
        return value_is_special(field, value) && strcmp(row->special, "none") == 0;
    }
}

static int listed_order(const void *left, const void *right)
{
    return value_order(left, right);
}

/* Of values as the file lists them, which others may share. */
static bool make_condition(const struct source *source, int field, const struct choice *choice, struct condition *condition)
{
    struct value *value = pool_take(source->pool, (size_t)choice->n, sizeof *value);
    if (value == NULL)
        return fail_memory(source->error);
    memcpy(value, choice->value, (size_t)choice->n * sizeof *value);
    qsort(value, (size_t)choice->n, sizeof *value, listed_order);
    *condition = (struct condition){.field = field, .value = value, .n_values = choice->n};
    for (int i = 0; i < choice->n; i++)
        condition->none = condition->none || says_none(field, &value[i]);
    return true;
}

bool filter_read(const struct source *source, const struct node *node, const char *what, struct filter *filter)
{
    const char *names[FIELD_COUNT];
    if (node->kind != NODE_MAP || node->n == 0)
        return fail_value(source, node, what, "{FIELD: value or list, ...}");
    for (int field = 0; field < FIELD_COUNT; field++)
        names[field] = fields[field].name;
    if (!keys_known(source, node, " in a condition", names, FIELD_COUNT))
        return false;
    struct condition *condition = pool_take(source->pool, (size_t)node->n, sizeof *condition);
    if (condition == NULL)
        return fail_memory(source->error);
    *filter = (struct filter){.condition = condition};
    for (const struct node *entry = node->child; entry != NULL; entry = entry->next) {
        struct choice choice;
        int field = field_named(source, entry->key);
        if (!choice_read_condition(source, field, entry, &choice))
            return false;
        if (!make_condition(source, field, &choice, &condition[filter->n_conditions++]))
            return false;
    }
    return true;
}

/* A name of an implementation without options means it with any. */
static bool names_family(const struct value *listed, const struct value *actual)
{
    size_t n = strlen(listed->text);
    return strncmp(listed->text, actual->text, n) == 0 && actual->text[n] == ' ' && strchr(listed->text, ' ') == NULL;
}

/* Lists may be long, and are asked for every point: their values are sorted. */
static bool matches(const struct condition *condition, const struct value *actual)
{
    int field = condition->field;
    if (bsearch(actual, condition->value, (size_t)condition->n_values, sizeof *actual, listed_order) != NULL ||
        (condition->none && says_none(field, actual)))
        return true;
    bool family = false;
    if (field_is_implementation(field) && actual->kind == VALUE_TEXT)
        for (int k = 0; k < condition->n_values && !family; k++)
            family = condition->value[k].kind == VALUE_TEXT && names_family(&condition->value[k], actual);
    return family;
}

bool filter_keeps(const struct filter *filter, const struct point *point)
{
    for (int i = 0; i < filter->n_conditions; i++)
        if (!matches(&filter->condition[i], &point->value[filter->condition[i].field]))
            return false;
    return true;
}
