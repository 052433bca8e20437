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

struct varying varying_among(struct record *const *record, size_t n)
{
    struct varying varying;
    for (int f = 0; f < FIELD_COUNT; f++)
        varying.field[f] = field_varies(record, n, f);
    return varying;
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

int grouping_owner(const struct grouping *grouping, const struct point *point)
{
    return point_index_find(&grouping->index, point);
}

void grouping_label(const struct grouping *grouping, int group, const struct varying *varying, size_t capacity,
                    char label[capacity])
{
    int missing = -1;
    label[0] = '\0';
    for (int i = 0; i < grouping->n_fields; i++) {
        int field = grouping->field[i];
        const struct value *value = &grouping->group[group]->value[field];
        if (!varying->field[field])
            continue;
        if (value_is_used(field, value))
            label_append(field, value, capacity, label);
        else
            missing = field;
    }
    if (!label[0] && missing >= 0)
        snprintf(label, capacity, "no %s", fields[missing].name);
}

/* ---- Which groups there are ---------------------------------------------------------------------------------------------- */

/* Which of a grouping's fields a point uses. */
struct used {
    int field[FIELD_COUNT], n;
};

static struct used used_by(const struct grouping *grouping, const struct point *point)
{
    struct used used = {.n = 0};
    for (int i = 0; i < grouping->n_fields; i++)
        if (value_is_used(grouping->field[i], &point->value[grouping->field[i]]))
            used.field[used.n++] = grouping->field[i];
    return used;
}

static bool same_used(const struct used *a, const struct used *b)
{
    return a->n == b->n && memcmp(a->field, b->field, (size_t)a->n * sizeof a->field[0]) == 0;
}

/* Marks the groups whose points use just these fields, and agree in them with one that uses others, too. */
static bool mark_covered(const struct point_index *all, const struct grouping *grouping, const struct used *used, bool *covered)
{
    struct point_index others;
    if (!point_index_make(&others, used->field, used->n, (size_t)all->n))
        return false;
    for (int pass = 0; pass <= 1; pass++) /* those first that may cover */
        for (int g = 0; g < all->n; g++) {
            struct used of_group = used_by(grouping, all->point[g]);
            bool same = same_used(&of_group, used);
            if (pass == 0 && !same)
                point_index_add(&others, all->point[g]);
            else if (pass == 1 && same)
                covered[g] = point_index_find(&others, all->point[g]) >= 0;
        }
    point_index_free(&others);
    return true;
}

/* Points that do not use a field belong to all groups that agree in the others: they have a group of their own only where there is
 * none. Two groups never cover each other. */
static bool find_covered(const struct point_index *all, const struct grouping *grouping, bool *covered)
{
    struct used *seen = NULL; /* few: what points use hangs on measure, implementation and mixer */
    int n_seen = 0;
    bool good = true;
    for (int g = 0; g < all->n && good; g++) {
        struct used used = used_by(grouping, all->point[g]);
        bool known = used.n == grouping->n_fields;
        for (int i = 0; i < n_seen && !known; i++)
            known = same_used(&seen[i], &used);
        if (known)
            continue;
        struct used *more = realloc(seen, (size_t)(n_seen + 1) * sizeof *seen);
        good = more != NULL;
        if (good) {
            seen = more;
            seen[n_seen++] = used;
            good = mark_covered(all, grouping, &used, covered);
        }
    }
    free(seen);
    return good;
}

static bool keep_uncovered(const struct point_index *all, struct grouping *grouping)
{
    bool *covered = calloc((size_t)all->n + 1, sizeof *covered);
    bool good = covered != NULL && (!grouping->wide || find_covered(all, grouping, covered)) &&
                point_index_make(&grouping->index, grouping->field, grouping->n_fields, (size_t)all->n);
    for (int g = 0; g < all->n && good; g++)
        if (!covered[g])
            point_index_add(&grouping->index, all->point[g]);
    free(covered);
    return good;
}

bool grouping_make(struct record *const *record, size_t n, struct grouping *grouping)
{
    struct point_index all;
    int n_fields = 0;
    for (int i = 0; i < grouping->n_fields; i++)
        if (field_varies(record, n, grouping->field[i]))
            grouping->field[n_fields++] = grouping->field[i];
    grouping->n_fields = n_fields;
    grouping->n = 0;
    grouping->group = NULL;
    if (!point_index_make(&all, grouping->field, n_fields, n))
        return false;
    for (size_t i = 0; i < n; i++)
        point_index_add(&all, &record[i]->point);
    bool good = keep_uncovered(&all, grouping);
    point_index_free(&all);
    if (good) {
        grouping->group = grouping->index.point;
        grouping->n = grouping->index.n;
    }
    return good;
}

void grouping_free(struct grouping *grouping)
{
    point_index_free(&grouping->index);
    grouping->group = NULL;
    grouping->n = 0;
}
