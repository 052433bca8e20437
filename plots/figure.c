/* See figure.h. */
#include "plots/figure.h"

#include "bench/sweep/measures.h"
#include "plots/left_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The field that tells the points of a curve apart, where there is one. */
static int rows_x(const struct figure *figure)
{
    return figure->x >= 0 ? figure->x : figure->along;
}

/* A record without anything to draw (an exact implementation has no error against itself) would only fill the key. */
static bool is_seen(const struct figure *figure, struct record *record, bool *done)
{
    struct drawing drawing = {.limits = figure->limits};
    *done = figure->kind->rows(&record, 1, rows_x(figure), figure->kind, &drawing);
    bool seen = drawing.n_rows || drawing.n_marks;
    drawing_free(&drawing);
    return seen;
}

static bool select_records(const struct records *records, const struct plot_request *request, struct figure *figure)
{
    bool done = true;
    figure->record = calloc(records->n ? records->n : 1, sizeof *figure->record);
    if (!figure->record)
        return false;
    for (size_t i = 0; i < records->n && done; i++) {
        const struct point *point = &records->record[i].point;
        if (!strcmp(measure_word((int)point->value[FIELD_MEASURE].integer), column_measure(figure->kind->y)) &&
            point->value[figure->kind->only_with].kind != VALUE_NONE && filter_keeps(&request->where, point) &&
            is_seen(figure, &records->record[i], &done))
            figure->record[figure->n++] = &records->record[i];
    }
    return done;
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

/* Whatever varies and is neither named, nor an axis, nor the seed, becomes a panel: nothing else is summarised. A kind whose points
 * stand for themselves says which fields are worth a panel. */
static void choose_fields(const struct plot_request *request, struct figure *figure)
{
    const struct plot_kind *kind = figure->kind;
    struct grouping *series = &figure->series, *panels = &figure->panels;
    panels->n_fields = series->n_fields = 0;
    add_fields(panels, request->panel, request->n_panel);
    const int *wanted = request->n_series ? request->series : kind->series;
    int n_wanted = request->n_series ? request->n_series : kind->n_series;
    for (int i = 0; i < n_wanted; i++)
        if (wanted[i] != figure->x && wanted[i] != figure->along && !contains(panels->field, panels->n_fields, wanted[i]))
            add_fields(series, &wanted[i], 1);
    for (int f = 0; f < FIELD_COUNT; f++)
        if ((kind->n_panels == 0 || contains(kind->panels, kind->n_panels, f)) && f != figure->x && f != figure->along &&
            !fields[f].seed && !contains(series->field, series->n_fields, f) && field_varies(figure->record, figure->n, f))
            add_fields(panels, &f, 1);
    panels->wide = true;
}

/* A second time where records were left out: what varied may not vary any more. */
static bool group(const struct plot_request *request, struct figure *figure)
{
    grouping_free(&figure->panels);
    grouping_free(&figure->series);
    choose_fields(request, figure);
    return grouping_make(figure->record, figure->n, &figure->panels) && grouping_make(figure->record, figure->n, &figure->series);
}

const struct drawing *figure_drawing(const struct figure *figure, int panel, int series)
{
    static const struct drawing nothing;
    const struct panel *shown = &figure->panel[panel];
    for (int low = 0, high = shown->n; low < high;) {
        int middle = (low + high) / 2;
        if (shown->series[middle] == series)
            return &shown->drawing[middle];
        if (shown->series[middle] < series)
            low = middle + 1;
        else
            high = middle;
    }
    return &nothing;
}

/* A record of a panel, and the series that it belongs to. */
struct member {
    int series;
    size_t at; /* in the figure's records, whose order it keeps */
};

static int member_order(const void *left, const void *right)
{
    const struct member *a = left, *b = right;
    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

/* Adds a curve of n records to a panel that has room for it, unless nothing would be seen of it. */
static bool draw_curve(const struct figure *figure, const struct member *member, size_t n, struct record **chosen,
                       struct panel *panel)
{
    struct drawing drawing = {.limits = figure->limits};
    for (size_t i = 0; i < n; i++)
        chosen[i] = figure->record[member[i].at];
    bool done = figure->kind->rows(chosen, n, rows_x(figure), figure->kind, &drawing);
    drawing_settle_marks(&drawing);
    if (!done || (drawing.n_rows == 0 && drawing.n_marks == 0)) {
        drawing_free(&drawing);
        return done;
    }
    panel->series[panel->n] = member->series;
    panel->drawing[panel->n++] = drawing;
    return true;
}

static bool draw_members(const struct figure *figure, struct member *member, size_t n, struct panel *panel)
{
    size_t n_series = 0, same;
    qsort(member, n, sizeof *member, member_order);
    for (size_t i = 0; i < n; i++)
        n_series += i == 0 || member[i].series != member[i - 1].series;
    struct record **chosen = calloc(n + 1, sizeof *chosen);
    panel->series = calloc(n_series + 1, sizeof *panel->series);
    panel->drawing = calloc(n_series + 1, sizeof *panel->drawing);
    bool done = chosen && panel->series && panel->drawing;
    for (size_t i = 0; done && i < n; i += same) {
        same = 1;
        while (i + same < n && member[i + same].series == member[i].series)
            same++;
        done = draw_curve(figure, member + i, same, chosen, panel);
    }
    free(chosen);
    return done;
}

bool figure_draw(struct figure *figure, int panel)
{
    if (figure->panel[panel].drawn)
        return true;
    struct member *member = calloc(figure->n + 1, sizeof *member);
    size_t n = 0;
    for (size_t i = 0; member && i < figure->n; i++)
        if (figure->series_of[i] >= 0 && grouping_holds(&figure->panels, panel, &figure->record[i]->point))
            member[n++] = (struct member){figure->series_of[i], i};
    figure->panel[panel].drawn = member && draw_members(figure, member, n, &figure->panel[panel]);
    free(member);
    return figure->panel[panel].drawn;
}

/* Which of the series each record belongs to, and room for the panels. */
static bool prepare_panels(struct figure *figure)
{
    figure->series_of = calloc(figure->n + 1, sizeof *figure->series_of);
    figure->panel = calloc((size_t)figure->panels.n + 1, sizeof *figure->panel);
    for (size_t i = 0; figure->series_of && i < figure->n; i++)
        figure->series_of[i] = grouping_owner(&figure->series, &figure->record[i]->point);
    return figure->series_of && figure->panel;
}

static void name_figure(const struct plot_request *request, struct figure *figure)
{
    const char *kind = figure->kind->name;
    bool against = figure->x >= 0;
    snprintf(figure->name, sizeof figure->name, "%s%s%s", kind, against ? "-against-" : "", against ? fields[figure->x].name : "");
    if (request->name[0] != '\0' && strcmp(request->name, kind) != 0)
        snprintf(figure->name, sizeof figure->name, "%s", request->name);
}

bool figure_make(const struct sweep *sweep, const struct plot_request *request, const struct records *records,
                 struct figure *figure, struct error *error)
{
    memset(figure, 0, sizeof *figure);
    int kind = plot_kind_find(request->kind);
    if (kind < 0)
        return fail(error, "unknown kind of plot %.64s", request->kind);
    figure->kind = plot_kind_get(kind);
    figure->sweep_name = sweep->name;
    figure->x = figure->kind->n_x == 0 ? -1 : request->x < 0 ? figure->kind->x[0].field : request->x;
    figure->along = request->along < 0 ? figure->kind->along : request->along;
    if (figure->x >= 0 && !plot_kind_takes_x(kind, figure->x))
        return fail(error, "a plot of kind %s cannot have %s on its x axis", figure->kind->name, fields[figure->x].name);
    name_figure(request, figure);
    bool done = select_records(records, request, figure) && group(request, figure);
    if (done) {
        int x = figure->x >= 0 || figure->kind->along_is_x ? rows_x(figure) : -1;
        figure->x_varies = x < 0 || field_varies(figure->record, figure->n, x);
        done = leave_out_single_x(figure) && (!figure->left_out[0] || group(request, figure)) && prepare_panels(figure);
    }
    if (done)
        return true;
    fail(error, "out of memory for the plot %s", figure->name);
    figure_free(figure);
    return false;
}

static void panel_free(struct panel *panel)
{
    for (int i = 0; i < panel->n; i++)
        drawing_free(&panel->drawing[i]);
    free(panel->drawing);
    free(panel->series);
}

void figure_free(struct figure *figure)
{
    for (int p = 0; figure->panel && p < figure->panels.n; p++)
        panel_free(&figure->panel[p]);
    free(figure->panel);
    free(figure->series_of);
    grouping_free(&figure->panels);
    grouping_free(&figure->series);
    free(figure->record);
    memset(figure, 0, sizeof *figure);
}
