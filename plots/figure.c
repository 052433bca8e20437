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
    struct drawing drawing = {0};
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

struct drawing *figure_drawing(const struct figure *figure, int panel, int series)
{
    return &figure->drawing[panel * figure->series.n + series];
}

/* Which of the series a record belongs to. */
static int series_of(const struct figure *figure, const struct record *record)
{
    int s = 0;
    while (s < figure->series.n && !grouping_holds(&figure->series, s, &record->point))
        s++;
    return s;
}

static bool draw_panel(struct figure *figure, int panel, const int *series, struct record **chosen)
{
    bool done = true;
    for (int s = 0; done && s < figure->series.n; s++) {
        size_t n = 0;
        for (size_t i = 0; i < figure->n; i++)
            if (series[i] == s && grouping_holds(&figure->panels, panel, &figure->record[i]->point))
                chosen[n++] = figure->record[i];
        done = n == 0 || figure->kind->rows(chosen, n, rows_x(figure), figure->kind, figure_drawing(figure, panel, s));
    }
    return done;
}

static bool draw_curves(struct figure *figure)
{
    struct record **chosen = calloc(figure->n + 1, sizeof *chosen);
    int *series = calloc(figure->n + 1, sizeof *series);
    figure->drawing = calloc((size_t)figure->panels.n * (size_t)figure->series.n + 1, sizeof *figure->drawing);
    bool done = chosen && series && figure->drawing;
    for (size_t i = 0; done && i < figure->n; i++)
        series[i] = series_of(figure, figure->record[i]);
    for (int p = 0; done && p < figure->panels.n; p++)
        done = draw_panel(figure, p, series, chosen);
    free(series);
    free(chosen);
    return done;
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
        done = leave_out_single_x(figure) && (!figure->left_out[0] || group(request, figure)) && draw_curves(figure);
    }
    if (done)
        return true;
    fail(error, "out of memory for the plot %s", figure->name);
    figure_free(figure);
    return false;
}

void figure_free(struct figure *figure)
{
    for (int i = 0; figure->drawing && i < figure->panels.n * figure->series.n; i++)
        drawing_free(&figure->drawing[i]);
    free(figure->drawing);
    grouping_free(&figure->panels);
    grouping_free(&figure->series);
    free(figure->record);
    memset(figure, 0, sizeof *figure);
}
