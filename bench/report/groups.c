/* See groups.h. */
#include "bench/report/groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool field_varies(struct record *const *record, size_t n, int field)
{
    const struct value *first = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct value *value = &record[i]->point.value[field];
        if (!value_is_used(field, value))
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
    if (field == FIELD_IMPLEMENTATION)
        snprintf(label + used, capacity - used, "%s%s", before, text);
    else
        snprintf(label + used, capacity - used, "%s%s = %s", before, fields[field].name, text);
}

/* True when a point agrees with a group's in every field; wide: in every field that the point uses. */
static bool agrees(const struct grouping *grouping, const struct point *group, const struct point *point, bool wide)
{
    for (int i = 0; i < grouping->n_fields; i++) {
        int field = grouping->field[i];
        const struct value *value = &point->value[field];
        if ((!wide || value_is_used(field, value)) && value_order(value, &group->value[field]))
            return false;
    }
    return true;
}

bool grouping_holds(const struct grouping *grouping, int group, const struct point *point)
{
    return agrees(grouping, grouping->group[group], point, grouping->wide);
}

bool grouping_owns(const struct grouping *grouping, int group, const struct point *point)
{
    return agrees(grouping, grouping->group[group], point, false);
}

void grouping_label(const struct grouping *grouping, int group, struct record *const *record, size_t n, size_t capacity,
                    char label[capacity])
{
    int missing = -1;
    label[0] = '\0';
    for (int i = 0; i < grouping->n_fields; i++) {
        int field = grouping->field[i];
        const struct value *value = &grouping->group[group]->value[field];
        if (!field_varies(record, n, field))
            continue;
        if (value_is_used(field, value))
            label_append(field, value, capacity, label);
        else
            missing = field;
    }
    if (!label[0] && missing >= 0)
        snprintf(label, capacity, "no %s", fields[missing].name);
}

/* Drops groups whose points all belong to a group that says more; two groups never cover each other. */
static void drop_covered(struct grouping *grouping)
{
    int kept = 0;
    for (int g = 0; g < grouping->n; g++) {
        bool covered = false;
        for (int other = 0; other < grouping->n && !covered; other++)
            covered = other != g && agrees(grouping, grouping->group[other], grouping->group[g], true);
        if (!covered)
            grouping->group[kept++] = grouping->group[g];
    }
    grouping->n = kept;
}

bool grouping_make(struct record *const *record, size_t n, struct grouping *grouping)
{
    int n_fields = 0;
    for (int i = 0; i < grouping->n_fields; i++)
        if (field_varies(record, n, grouping->field[i]))
            grouping->field[n_fields++] = grouping->field[i];
    grouping->n_fields = n_fields;
    grouping->n = 0;
    grouping->group = calloc(n ? n : 1, sizeof(const struct point *));
    if (!grouping->group)
        return false;
    for (size_t i = 0; i < n; i++) {
        bool known = false;
        for (int g = grouping->n - 1; g >= 0 && !known; g--) /* records are in order: mostly the last one */
            known = agrees(grouping, grouping->group[g], &record[i]->point, false);
        if (!known)
            grouping->group[grouping->n++] = &record[i]->point;
    }
    if (grouping->wide)
        drop_covered(grouping);
    return true;
}

void grouping_free(struct grouping *grouping)
{
    free(grouping->group);
    grouping->group = NULL;
    grouping->n = 0;
}
