/* See figure.h. */
#include "plots/figure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool select_records(const struct records *records, const struct plot_request *request, struct figure *figure)
{
    figure->record = calloc(records->n ? records->n : 1, sizeof *figure->record);
    if (!figure->record)
        return false;
    for (size_t i = 0; i < records->n; i++) {
        char measure[VALUE_TEXT_MAX];
        const struct point *point = &records->record[i].point;
        field_print(FIELD_MEASURE, &point->value[FIELD_MEASURE], sizeof measure, measure);
        if (!strcmp(measure, figure->kind->measure) && point->value[figure->kind->only_with].kind != VALUE_NONE &&
            filter_keeps(&request->where, point))
            figure->record[figure->n++] = &records->record[i];
    }
    return true;
}

static bool contains(const int *list, int n, int wanted)
{
    for (int i = 0; i < n; i++)
        if (list[i] == wanted)
            return true;
    return false;
}

static void add_fields(struct grouping *grouping, const int *field, int n)
{
    for (int i = 0; i < n; i++)
        if (!contains(grouping->field, grouping->n_fields, field[i]))
            grouping->field[grouping->n_fields++] = field[i];
}

/* Whatever varies and is neither named, nor an axis, nor the seed, becomes a panel: nothing else is summarised. */
static void choose_fields(const struct plot_request *request, struct figure *figure)
{
    const struct plot_kind *kind = figure->kind;
    struct grouping *series = &figure->series, *panels = &figure->panels;
    add_fields(panels, request->panel, request->n_panel);
    const int *wanted = request->n_series ? request->series : kind->series;
    int n_wanted = request->n_series ? request->n_series : kind->n_series;
    for (int i = 0; i < n_wanted; i++)
        if (wanted[i] != figure->x && wanted[i] != kind->along && !contains(panels->field, panels->n_fields, wanted[i]))
            add_fields(series, &wanted[i], 1);
    for (int f = 0; f < FIELD_COUNT; f++)
        if (f != figure->x && f != kind->along && f != FIELD_SEED && !contains(series->field, series->n_fields, f) &&
            field_varies(figure->record, figure->n, f))
            add_fields(panels, &f, 1);
    panels->wide = true;
}

static bool x_varies(const struct figure *figure, int panel)
{
    const struct value *first = NULL;
    for (size_t i = 0; i < figure->n; i++) {
        const struct value *value = &figure->record[i]->point.value[figure->x];
        if (value->kind == VALUE_NONE || !grouping_owns(&figure->panels, panel, &figure->record[i]->point))
            continue;
        if (!first)
            first = value;
        else if (value_order(first, value))
            return true;
    }
    return false;
}

/* Three lines through one point, as sweeps often are, leave many panels with a single x beside the one that was meant. */
static void leave_out_single_x(struct figure *figure)
{
    if (figure->x < 0 || !field_varies(figure->record, figure->n, figure->x))
        return;
    struct grouping *panels = &figure->panels;
    int kept = 0;
    for (int p = 0; p < panels->n; p++)
        kept += x_varies(figure, p);
    if (kept == 0)
        return;
    figure->n_left_out = panels->n - kept;
    kept = 0;
    for (int p = 0; p < panels->n; p++)
        if (x_varies(figure, p))
            panels->group[kept++] = panels->group[p];
    panels->n = kept;
}

/* Curves of which no panel is left would only fill the key. */
static void leave_out_unseen(struct figure *figure)
{
    struct grouping *series = &figure->series;
    int kept = 0;
    for (int s = 0; s < series->n; s++) {
        bool seen = false;
        for (size_t i = 0; i < figure->n && !seen; i++)
            for (int p = 0; p < figure->panels.n && !seen; p++)
                seen = grouping_holds(series, s, &figure->record[i]->point) &&
                       grouping_holds(&figure->panels, p, &figure->record[i]->point);
        if (seen)
            series->group[kept++] = series->group[s];
    }
    series->n = kept;
}

static void name_figure(const struct plot_request *request, struct figure *figure)
{
    const char *kind = figure->kind->name;
    bool against = figure->x >= 0;
    snprintf(figure->name, sizeof figure->name, "%s%s%s", kind, against ? "-against-" : "", against ? fields[figure->x].name : "");
    figure->named = request->name[0] != '\0' && strcmp(request->name, kind) != 0 && strcmp(request->name, figure->name) != 0;
    if (figure->named)
        snprintf(figure->name, sizeof figure->name, "%s", request->name);
}

bool figure_make(const struct sweep *sweep, const struct plot_request *request, const struct records *records,
                 struct figure *figure, struct error *error)
{
    memset(figure, 0, sizeof *figure);
    int kind = plot_kind_find(request->kind);
    if (kind < 0)
        return fail(error, "no kind of plot is called %.64s", request->kind);
    figure->kind = plot_kind_get(kind);
    figure->sweep_name = sweep->name;
    figure->x = figure->kind->n_x == 0 ? -1 : request->x < 0 ? figure->kind->x[0].field : request->x;
    if (figure->x >= 0 && !plot_kind_takes_x(kind, figure->x))
        return fail(error, "a plot of kind %s cannot have %s on its x axis", figure->kind->name, fields[figure->x].name);
    name_figure(request, figure);
    if (!select_records(records, request, figure))
        return fail(error, "out of memory for the plot %s", figure->name);
    choose_fields(request, figure);
    if (!grouping_make(figure->record, figure->n, &figure->panels) || !grouping_make(figure->record, figure->n, &figure->series)) {
        fail(error, "out of memory for the plot %s", figure->name);
        figure_free(figure);
        return false;
    }
    leave_out_single_x(figure);
    leave_out_unseen(figure);
    return true;
}

void figure_free(struct figure *figure)
{
    grouping_free(&figure->panels);
    grouping_free(&figure->series);
    free(figure->record);
    memset(figure, 0, sizeof *figure);
}
