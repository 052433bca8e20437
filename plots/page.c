/* See page.h. */
#include "plots/page.h"

#include "plots/caption.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct range {
    double low, high;
};

static void widen(struct range *range, double value)
{
    if (!isfinite(value) || value <= 0) /* both axes are logarithmic */
        return;
    range->low = fmin(range->low, value);
    range->high = fmax(range->high, value);
}

/* A logarithmic axis that holds the range with a margin on both sides; whole decades if asked for. */
static struct range axis(struct range range, bool decades)
{
    const double margin = 1.25;
    if (range.low > range.high)
        range = (struct range){1, 10};
    range = (struct range){range.low / margin, range.high * margin};
    return decades ? (struct range){pow(10, floor(log10(range.low))), pow(10, ceil(log10(range.high)))} : range;
}

/* Everything a page shows: one drawing for each panel and curve. */
struct contents {
    struct drawing *drawing;
    int n;
    struct range x, y;
    double edge; /* where an x of 0 stands on an axis that has a place for it */
    unsigned notes;
};

static bool collect_curve(const struct page *page, int panel, int series, struct record **chosen, struct drawing *drawing)
{
    const struct figure *figure = page->figure;
    size_t n = 0;
    for (size_t i = 0; i < figure->n; i++) {
        const struct point *point = &figure->record[i]->point;
        if (grouping_holds(&figure->panels, page->first_panel + panel, point) &&
            grouping_holds(&figure->series, page->first_series + series, point))
            chosen[n++] = figure->record[i];
    }
    return n == 0 || figure->kind->rows(chosen, n, figure->x, drawing);
}

static void measure_axes(const struct plot_kind *kind, struct contents *contents)
{
    struct range x = {INFINITY, 0}, y = {INFINITY, 0};
    for (int i = 0; i < contents->n; i++) {
        const struct drawing *drawing = &contents->drawing[i];
        contents->notes |= drawing->notes;
        for (size_t r = 0; r < drawing->n_rows; r++)
            for (int c = 0; c < ROW_COLUMNS_MAX; c++) {
                if (kind->x_columns >> c & 1)
                    widen(&x, drawing->row[r].value[c]);
                if (kind->y_columns >> c & 1)
                    widen(&y, drawing->row[r].value[c]);
            }
        for (size_t m = 0; m < drawing->n_marks; m++)
            widen(&x, drawing->mark[m].x);
    }
    contents->edge = (x.low > x.high ? 1 : x.low) / 4;
    contents->x = axis(x, kind->decades);
    contents->y = axis(y, true);
}

/* An x of 0 has a place beyond the smallest. */
static void place_at_edge(const struct plot_kind *kind, struct contents *contents)
{
    if (!kind->zero_at_edge)
        return;
    bool used = false;
    for (int i = 0; i < contents->n; i++) {
        struct drawing *drawing = &contents->drawing[i];
        for (size_t r = 0; r < drawing->n_rows; r++)
            for (int c = 0; c < ROW_COLUMNS_MAX; c++)
                if ((kind->x_columns >> c & 1) && drawing->row[r].value[c] == 0)
                    drawing->row[r].value[c] = contents->edge, used = true;
        for (size_t m = 0; m < drawing->n_marks; m++)
            if (drawing->mark[m].x == 0)
                drawing->mark[m].x = contents->edge, used = true;
    }
    if (used)
        contents->x.low = contents->edge / 1.25;
    else
        contents->edge = NAN;
}

static bool collect(const struct page *page, struct contents *contents)
{
    struct record **chosen = calloc(page->figure->n ? page->figure->n : 1, sizeof *chosen);
    contents->n = page->n_panels * page->n_series;
    contents->drawing = calloc((size_t)(contents->n ? contents->n : 1), sizeof *contents->drawing);
    bool done = chosen && contents->drawing;
    if (!contents->drawing)
        contents->n = 0;
    for (int i = 0; done && i < contents->n; i++)
        done = collect_curve(page, i / page->n_series, i % page->n_series, chosen, &contents->drawing[i]);
    free(chosen);
    if (!done)
        return false;
    measure_axes(page->figure->kind, contents);
    place_at_edge(page->figure->kind, contents);
    return true;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------------- */

static void put_number(FILE *out, double value)
{
    if (isnan(value))
        fputs("NaN", out);
    else
        fprintf(out, "%.7g", value);
}

static void put_setting(FILE *out, const char *name, double value)
{
    fprintf(out, "%s\t", name);
    put_number(out, value);
    fputc('\n', out);
}

static void put_page(FILE *out, const struct page *page, const struct contents *contents)
{
    const struct figure *figure = page->figure;
    fprintf(out, "# The page. To redraw: gnuplot -c %s.gp %s.dat %s.svg\n", figure->kind->name, page->name, page->name);
    caption_write(out, page, contents->drawing, contents->n, contents->notes);
    put_setting(out, "x_low", contents->x.low);
    put_setting(out, "x_high", contents->x.high);
    put_setting(out, "y_low", contents->y.low);
    put_setting(out, "y_high", contents->y.high);
    if (figure->kind->zero_at_edge)
        put_setting(out, "edge", contents->edge);
}

static bool same_place(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* How many marks of this panel come before one and share its place: they are stacked. */
static int slot_of(const struct page *page, const struct contents *contents, int i, size_t m)
{
    double x = contents->drawing[i].mark[m].x;
    int slot = 0;
    for (int j = i / page->n_series * page->n_series; j <= i; j++)
        for (size_t k = 0; k < (j < i ? contents->drawing[j].n_marks : m); k++)
            slot += same_place(contents->drawing[j].mark[k].x, x);
    return slot;
}

static void put_place(FILE *out, const struct page *page, int i, const char *place, double x, double y, int slot)
{
    fprintf(out, "%d\t%d\t%s\t", i / page->n_series, i % page->n_series, place);
    put_number(out, x);
    fputc('\t', out);
    put_number(out, y);
    fprintf(out, "\t%d\t", slot);
}

/* The axis that a mask of columns names first. */
static double first_of(unsigned columns, const struct row *row)
{
    return row->value[__builtin_ctz(columns)];
}

static void put_texts(FILE *out, const struct page *page, const struct contents *contents)
{
    const struct plot_kind *kind = page->figure->kind;
    fputs("\n\n# Letters at the edges for points without a figure, and numbers beside points.\n"
          "# panel\tcurve\tplace\tx\ty\tslot\ttext\n0\t0\tnone\tNaN\tNaN\t0\t-\n",
          out); /* a block without a row would not count as one */
    for (int i = 0; i < contents->n; i++) {
        const struct drawing *drawing = &contents->drawing[i];
        for (size_t m = 0; m < drawing->n_marks; m++) {
            double x = drawing->mark[m].x;
            put_place(out, page, i, isnan(x) ? "right" : "edge", x, NAN, slot_of(page, contents, i, m));
            fprintf(out, "%c\n", drawing->mark[m].letter);
        }
        for (size_t r = 0; r < drawing->n_rows; r++) {
            const struct row *row = &drawing->row[r];
            if (isnan(row->label))
                continue;
            put_place(out, page, i, "beside", first_of(kind->x_columns, row), first_of(kind->y_columns, row), 0);
            put_number(out, row->label);
            fputc('\n', out);
        }
    }
}

static void put_row(FILE *out, const struct row *row, int n_columns)
{
    for (int c = 0; c < n_columns; c++) {
        if (c)
            fputc('\t', out);
        put_number(out, row->value[c]);
    }
    fputc('\n', out);
}

static void put_curve(FILE *out, const struct page *page, int i, const struct contents *contents)
{
    const struct figure *figure = page->figure;
    const struct drawing *drawing = &contents->drawing[i];
    int n_columns = 1, panel = page->first_panel + i / page->n_series, series = page->first_series + i % page->n_series;
    for (const char *at = figure->kind->columns; *at; at++)
        n_columns += *at == '\t';
    fputs("\n\n# ", out);
    caption_text(out, figure->series.group[series].label);
    fputs(" | ", out);
    caption_text(out, figure->panels.group[panel].label);
    fprintf(out, "\n# %s\n", figure->kind->columns);
    for (size_t r = 0; r < drawing->n_rows; r++) {
        struct row row = drawing->row[r];
        if (isnan(row.value[0])) { /* does not depend on x: holds over the whole range */
            row.value[0] = contents->x.low;
            put_row(out, &row, n_columns);
            row.value[0] = contents->x.high;
        }
        put_row(out, &row, n_columns);
    }
    if (drawing->n_rows == 0) {
        struct row none;
        for (int c = 0; c < ROW_COLUMNS_MAX; c++)
            none.value[c] = NAN;
        put_row(out, &none, n_columns);
    }
}

bool page_text(const struct page *page, char **text, size_t *length, bool *empty, struct error *error)
{
    struct contents contents = {0};
    *text = NULL;
    *empty = true;
    FILE *out = open_memstream(text, length);
    bool done = out && collect(page, &contents);
    for (int i = 0; i < contents.n; i++)
        *empty = *empty && contents.drawing[i].n_rows == 0 && contents.drawing[i].n_marks == 0;
    if (done) {
        put_page(out, page, &contents);
        put_texts(out, page, &contents);
        for (int i = 0; i < contents.n; i++)
            put_curve(out, page, i, &contents);
        done = !ferror(out);
    }
    if (out && fclose(out))
        done = false;
    for (int i = 0; i < contents.n; i++)
        drawing_free(&contents.drawing[i]);
    free(contents.drawing);
    if (done)
        return true;
    free(*text);
    *text = NULL;
    return fail(error, "out of memory for the plot %s", page->name);
}
