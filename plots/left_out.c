/* See left_out.h. */
#include "plots/left_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED_MAX = 4 };

/* Of each panel: its first x, NULL where none of its points has one, and whether there are others. */
struct panel_x {
    const struct value *first;
    bool several;
};

static void find_x(const struct figure *figure, struct panel_x *x)
{
    for (size_t i = 0; i < figure->n; i++) {
        const struct value *value = &figure->record[i]->point.value[figure->x];
        int owner = value->kind != VALUE_NONE ? grouping_owner(&figure->panels, &figure->record[i]->point) : -1;
        if (owner < 0)
            continue;
        x[owner].several = x[owner].several || (x[owner].first && value_order(x[owner].first, value));
        x[owner].first = x[owner].first ? x[owner].first : value;
    }
}

/* "diagonal_scan (has no l)" or "d = 4 (only T = 16)". */
static void describe(const struct figure *figure, const struct varying *varying, int panel, const struct value *x, size_t capacity,
                     char text[capacity])
{
    char value[VALUE_TEXT_MAX], label[GROUP_LABEL_SIZE];
    const char *name = fields[figure->x].name;
    const struct point *point = figure->panels.group[panel];
    field_print(x ? figure->x : FIELD_IMPLEMENTATION, x ? x : &point->value[FIELD_IMPLEMENTATION], sizeof value, value);
    grouping_label(&figure->panels, panel, varying, sizeof label, label);
    if (x)
        snprintf(text, capacity, "%s (only %s = %s)", label, name, value);
    else
        snprintf(text, capacity, "%s (has no %s)", value, name);
}

static void name_panels(struct figure *figure, const struct panel_x *x)
{
    char entry[GROUP_LABEL_SIZE + VALUE_TEXT_MAX], *text = figure->left_out;
    struct varying varying = varying_among(figure->record, figure->n);
    int n = 0;
    for (int p = 0; p < figure->panels.n; p++) {
        if (x[p].several)
            continue;
        describe(figure, &varying, p, x[p].first, sizeof entry, entry);
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

/* Whether a point is in a panel that is kept: in its own, or, where it does not use a field, in one of several. */
static bool is_kept(const struct figure *figure, const struct panel_x *x, const struct point *point)
{
    int owner = grouping_owner(&figure->panels, point);
    bool kept = owner >= 0 && x[owner].several;
    for (int p = 0; owner < 0 && p < figure->panels.n && !kept; p++)
        kept = x[p].several && grouping_holds(&figure->panels, p, point);
    return kept;
}

static void drop_records(struct figure *figure, const struct panel_x *x)
{
    size_t n = 0;
    for (size_t i = 0; i < figure->n; i++)
        if (is_kept(figure, x, &figure->record[i]->point))
            figure->record[n++] = figure->record[i];
    figure->n = n;
}

bool leave_out_single_x(struct figure *figure)
{
    if (figure->x < 0 || !figure->x_varies)
        return true;
    bool any = false, all = true;
    struct panel_x *x = calloc((size_t)figure->panels.n + 1, sizeof *x);
    if (!x)
        return false;
    find_x(figure, x);
    for (int p = 0; p < figure->panels.n; p++) {
        any = any || x[p].several;
        all = all && x[p].several;
    }
    if (any && !all) {
        name_panels(figure, x);
        drop_records(figure, x);
    }
    free(x);
    return true;
}
