/* See groups.h. */
#include "plots/groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool field_varies(struct record *const *record, size_t n, int field)
{
    const struct value *first = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct value *value = &record[i]->point.value[field];
        if (value->kind == VALUE_NONE)
            continue;
        if (!first)
            first = value;
        else if (value_order(first, value))
            return true;
    }
    return false;
}

void label_append(int field, const struct value *value, size_t capacity, char label[capacity])
{
    char text[VALUE_TEXT_MAX];
    size_t used = strlen(label);
    field_print(field, value, sizeof text, text);
    const char *before = used ? ", " : "";
    if (fields[field].kind == VALUE_TEXT)
        snprintf(label + used, capacity - used, "%s%s", before, text);
    else
        snprintf(label + used, capacity - used, "%s%s = %s", before, fields[field].name, text);
}

/* True when a point agrees with a group's in every field; wide: in every field that the point uses. */
static bool agrees(const struct grouping *grouping, const struct point *group, const struct point *point, bool wide)
{
    for (int i = 0; i < grouping->n_fields; i++) {
        const struct value *value = &point->value[grouping->field[i]];
        if (!(wide && value->kind == VALUE_NONE) && value_order(value, &group->value[grouping->field[i]]))
            return false;
    }
    return true;
}

bool grouping_holds(const struct grouping *grouping, int group, const struct point *point)
{
    return agrees(grouping, grouping->group[group].point, point, grouping->wide);
}

bool grouping_owns(const struct grouping *grouping, int group, const struct point *point)
{
    return agrees(grouping, grouping->group[group].point, point, false);
}

static void label_group(struct record *const *record, size_t n, const struct grouping *grouping, struct group *group)
{
    group->label[0] = '\0';
    for (int i = 0; i < grouping->n_fields; i++) {
        int field = grouping->field[i];
        const struct value *value = &group->point->value[field];
        if (value->kind != VALUE_NONE && (field == FIELD_IMPLEMENTATION || field_varies(record, n, field)))
            label_append(field, value, sizeof group->label, group->label);
    }
}

/* Drops groups whose points all belong to a group that says more; two groups never cover each other. */
static void drop_covered(struct grouping *grouping)
{
    int kept = 0;
    for (int g = 0; g < grouping->n; g++) {
        bool covered = false;
        for (int other = 0; other < grouping->n && !covered; other++)
            covered = other != g && agrees(grouping, grouping->group[other].point, grouping->group[g].point, true);
        if (!covered)
            grouping->group[kept++] = grouping->group[g];
    }
    grouping->n = kept;
}

bool grouping_make(struct record *const *record, size_t n, struct grouping *grouping)
{
    grouping->n = 0;
    grouping->group = calloc(n ? n : 1, sizeof *grouping->group);
    if (!grouping->group)
        return false;
    for (size_t i = 0; i < n; i++) {
        bool known = false;
        for (int g = grouping->n - 1; g >= 0 && !known; g--) /* records are in order: mostly the last one */
            known = agrees(grouping, grouping->group[g].point, &record[i]->point, false);
        if (!known)
            grouping->group[grouping->n++].point = &record[i]->point;
    }
    if (grouping->wide)
        drop_covered(grouping);
    for (int g = 0; g < grouping->n; g++)
        label_group(record, n, grouping, &grouping->group[g]);
    return true;
}

void grouping_free(struct grouping *grouping)
{
    free(grouping->group);
    grouping->group = NULL;
    grouping->n = 0;
}
