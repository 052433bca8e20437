/* See filter.h, and filter_keeps in sweep.h. */
#include "bench/sweep/filter.h"

#include <string.h>

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
        condition[filter->n_conditions++] = (struct condition){.field = field, .value = choice.value, .n_values = choice.n};
    }
    return true;
}

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
        return row->special != NULL && strcmp(row->special, "none") == 0 && value->integer == 0 && value->real == 0;
    }
}

static bool matches(int field, const struct value *listed, const struct value *actual)
{
    if (value_equal(listed, actual) || (says_none(field, listed) && says_none(field, actual)))
        return true;
    if (!field_is_implementation(field) || listed->kind != VALUE_TEXT || actual->kind != VALUE_TEXT)
        return false;
    size_t n = strlen(listed->text); /* a name without options means it with any */
    return strncmp(listed->text, actual->text, n) == 0 && actual->text[n] == ' ' && strchr(listed->text, ' ') == NULL;
}

bool filter_keeps(const struct filter *filter, const struct point *point)
{
    for (int i = 0; i < filter->n_conditions; i++) {
        const struct condition *condition = &filter->condition[i];
        bool any = false;
        for (int k = 0; k < condition->n_values && !any; k++)
            any = matches(condition->field, &condition->value[k], &point->value[condition->field]);
        if (!any)
            return false;
    }
    return true;
}
