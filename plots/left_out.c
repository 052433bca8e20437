/* See left_out.h. */
#include "plots/left_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED_MAX = 4 };

/* The first x of a panel, NULL where none of its points has one; *several where there are others. */
static const struct value *first_x(const struct figure *figure, int panel, bool *several)
{
    const struct value *first = NULL;
    *several = false;
    for (size_t i = 0; i < figure->n; i++) {
        const struct value *value = &figure->record[i]->point.value[figure->x];
        if (value->kind == VALUE_NONE || !grouping_owns(&figure->panels, panel, &figure->record[i]->point))
            continue;
        *several = *several || (first && value_order(first, value));
        first = first ? first : value;
    }
    return first;
}

/* "diagonal_scan (has no l)" or "d = 4 (only T = 16)". */
static void describe(const struct figure *figure, int panel, const struct value *x, size_t capacity, char text[capacity])
{
    char value[VALUE_TEXT_MAX], label[GROUP_LABEL_SIZE];
    const char *name = fields[figure->x].name;
    const struct point *point = figure->panels.group[panel];
    field_print(x ? figure->x : FIELD_IMPLEMENTATION, x ? x : &point->value[FIELD_IMPLEMENTATION], sizeof value, value);
    grouping_label(&figure->panels, panel, figure->record, figure->n, sizeof label, label);
    if (x)
        snprintf(text, capacity, "%s (only %s = %s)", label, name, value);
    else
        snprintf(text, capacity, "%s (has no %s)", value, name);
}

static void name_panels(struct figure *figure, const bool *kept)
{
    char entry[GROUP_LABEL_SIZE + VALUE_TEXT_MAX], *text = figure->left_out;
    int n = 0;
    for (int p = 0; p < figure->panels.n; p++) {
        bool several;
        if (kept[p])
            continue;
        describe(figure, p, first_x(figure, p, &several), sizeof entry, entry);
        size_t used = strlen(text);
        if (strstr(text, entry))
            continue;
        if (n++ < NAMED_MAX)
            snprintf(text + used, sizeof figure->left_out - used, "%s%s", used ? "; " : "", entry);
    }
    size_t used = strlen(text);
    if (n > NAMED_MAX)
        snprintf(text + used, sizeof figure->left_out - used, "; and %d more", n - NAMED_MAX);
}

static void drop_records(struct figure *figure, const bool *kept)
{
    size_t n = 0;
    for (size_t i = 0; i < figure->n; i++) {
        bool shown = false;
        for (int p = 0; p < figure->panels.n && !shown; p++)
            shown = kept[p] && grouping_holds(&figure->panels, p, &figure->record[i]->point);
        if (shown)
            figure->record[n++] = figure->record[i];
    }
    figure->n = n;
}

bool leave_out_single_x(struct figure *figure)
{
    if (figure->x < 0 || !figure->x_varies)
        return true;
    bool any = false, all = true, *kept = calloc((size_t)figure->panels.n + 1, sizeof *kept);
    if (!kept)
        return false;
    for (int p = 0; p < figure->panels.n; p++) {
        first_x(figure, p, &kept[p]);
        any = any || kept[p];
        all = all && kept[p];
    }
    if (any && !all) {
        name_panels(figure, kept);
        drop_records(figure, kept);
    }
    free(kept);
    return true;
}
