/* See page.h. */
#include "plots/page.h"

#include "bench/base/shown.h"
#include "bench/base/stream.h"
#include "plots/caption.h"
#include "plots/layout.h"
#include "plots/letters.h"
#include "plots/page_roofs.h"
#include "plots/ticks.h"

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

/* Everything a page shows beside its curves. */
struct contents {
    struct record **record;
    size_t n_records;
    struct letters *letters;
    size_t n_letters;
    int n_slots;
    struct range x, y;
    struct roof_lines *roofs; /* one for each panel; NULL where the kind has none */
    double edge;              /* where an x of 0 stands on an axis that has a place for it, NaN where there is none */
    unsigned notes;
};

/* The drawing of a block: panel after panel, one for each curve. */
static const struct drawing *block(const struct page *page, int i)
{
    return page_drawing(page, i / page->n_series, i % page->n_series);
}

/* Room for texts at the upper or the lower end: shares of the axis that no point may enter. */
static struct range with_room(struct range data, struct range shown, double below, double above)
{
    shown.high = fmax(shown.high, exp((log(data.high) - above * log(shown.low)) / (1 - above)));
    shown.low = fmin(shown.low, exp((log(data.low) - below * log(shown.high)) / (1 - below)));
    return shown;
}

static void measure_axes(const struct page *page, struct contents *contents)
{
    const struct plot_kind *kind = page->figure->kind;
    struct range x = {INFINITY, 0}, y = {INFINITY, 0};
    bool at_edge = false;
    for (int i = 0; i < page->n_panels * page->n_series; i++) {
        const struct drawing *drawing = block(page, i);
        contents->notes |= drawing->notes;
        for (size_t r = 0; r < drawing->n_rows; r++)
            for (int c = 0; c < ROW_COLUMNS_MAX; c++) {
                double value = drawing->row[r].value[c];
                if (kind->y_columns >> c & 1)
                    widen(&y, value);
                if (!(kind->x_columns >> c & 1))
                    continue;
                widen(&x, value);
                at_edge = at_edge || value == 0;
            }
        for (size_t m = 0; m < drawing->n_marks; m++) {
            widen(&x, drawing->mark[m].x);
            at_edge = at_edge || drawing->mark[m].x == 0;
        }
    }
    for (int p = 0; p < page->n_panels && contents->roofs; p++)
        widen(&x, roof_lines_reach(&contents->roofs[p]));
    contents->edge = kind->along_is_x && at_edge ? (x.low > x.high ? 1 : x.low) / 4 : NAN;
    contents->x = axis(x, kind->decades);
    if (!isnan(contents->edge))
        contents->x.low = contents->edge / 1.25;
    for (int p = 0; p < page->n_panels && contents->roofs; p++) {
        widen(&y, contents->roofs[p].ceiling);
        widen(&y, roof_lines_lowest(&contents->roofs[p], contents->x.low));
    }
    const double number_height = 0.06;
    double axis_height = layout_of(page->n_panels).panel_height - MARGIN_TOP - MARGIN_BOTTOM,
           letters = contents->n_slots * LETTER_HEIGHT / axis_height, numbers = contents->notes & NOTE_LABELS ? number_height : 0;
    if (kind->share) {
        contents->y = (struct range){-0.03 - 1.06 * letters / (1 - letters), 1.03};
        return;
    }
    contents->y = axis(y, !kind->roofs); /* lines that are close to each other need all the height */
    contents->y = with_room(y.low <= y.high ? y : contents->y, contents->y, kind->letters_low ? letters : 0,
                            numbers + (kind->letters_low ? 0 : letters));
}

static bool collect(const struct page *page, struct contents *contents)
{
    bool roofs = page->figure->kind->roofs;
    contents->record = page_records(page, 0, page->n_panels, &contents->n_records);
    contents->letters = letters_make(page, &contents->n_letters, &contents->n_slots);
    contents->roofs = roofs ? page_roofs_make(page, &contents->notes) : NULL;
    bool done = contents->record && contents->letters && (contents->roofs || !roofs);
    if (done)
        measure_axes(page, contents);
    return done;
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

static void put_ticks(FILE *out, const struct page *page, const struct contents *contents)
{
    struct tick tick[TICKS_MAX];
    int n = ticks_make(page, contents->record, contents->n_records, contents->x.low, contents->x.high, contents->edge, tick);
    for (int i = 0; i < n; i++) {
        fputs("tick\t", out);
        put_number(out, tick[i].at);
        fputc('\t', out);
        shown_plot(out, tick[i].text);
        fputc('\n', out);
    }
}

/* Half of the number below the right end of a roofline's axis stands beyond it. */
static int margin_right(const struct plot_kind *kind, const struct contents *contents)
{
    int half = kind->roofs ? (snprintf(NULL, 0, "%g", contents->x.high) * DIGIT_WIDTH + 1) / 2 : 0;
    return half + EDGE > MARGIN_RIGHT ? half + EDGE : MARGIN_RIGHT;
}

static void put_page(FILE *out, const struct page *page, const struct contents *contents)
{
    const struct figure *figure = page->figure;
    struct layout layout = layout_of(page->n_panels);
    fprintf(out, "# The page. To redraw: gnuplot -c %s.gp %s.dat %s.svg\n", figure->kind->script, page->name, page->name);
    fprintf(out, "columns\t%d\nwidth\t%d\npanel_height\t%d\n", layout.columns, layout.width, layout.panel_height);
    fprintf(out, "margins\t%d\t%d\t%d\t%d\n", MARGIN_LEFT, margin_right(page->figure->kind, contents), MARGIN_TOP, MARGIN_BOTTOM);
    fprintf(out, "letters\t%d\t%s\n", LETTER_HEIGHT, figure->kind->letters_low ? "low" : "high");
    caption_write(out, page, contents->record, contents->n_records, contents->notes);
    put_setting(out, "x_low", contents->x.low);
    put_setting(out, "x_high", contents->x.high);
    if (figure->kind->share)
        fputs("y_axis\tlinear\n", out);
    put_setting(out, "y_low", contents->y.low);
    put_setting(out, "y_high", contents->y.high);
    put_ticks(out, page, contents);
}

static void put_place(FILE *out, int panel, int series, const char *place, double x, double y, int slot)
{
    fprintf(out, "%d\t%d\t%s\t", panel, series, place);
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
    fputs("\n\n# Letters at the edges for points without a figure (curve -1: of several), and numbers beside points.\n"
          "# panel\tcurve\tplace\tx\ty\tslot\ttext\n0\t0\tnone\tNaN\tNaN\t0\t-\n",
          out); /* a block without a row would not count as one */
    for (size_t k = 0; k < contents->n_letters; k++) {
        const struct letters *letters = &contents->letters[k];
        double x = letters->x == 0 ? contents->edge : letters->x;
        put_place(out, letters->panel, letters->series, isnan(x) ? "right" : "edge", x, NAN, letters->slot);
        shown_plot(out, letters->text);
        fputc('\n', out);
    }
    for (int i = 0; i < page->n_panels * page->n_series; i++)
        for (size_t r = 0; r < block(page, i)->n_rows; r++) {
            const struct row *row = &block(page, i)->row[r];
            if (isnan(row->label))
                continue;
            double x = first_of(kind->x_columns, row), y = first_of(kind->y_columns, row);
            put_place(out, i / page->n_series, i % page->n_series, "beside", x, y, 0);
            put_number(out, row->label);
            fputc('\n', out);
        }
    for (int p = 0; p < page->n_panels && contents->roofs; p++)
        page_roofs_texts(out, &contents->roofs[p], p, contents->x.high);
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
    const struct plot_kind *kind = page->figure->kind;
    const struct drawing *drawing = block(page, i);
    int n_columns = 1;
    for (const char *at = kind->columns; *at; at++)
        n_columns += *at == '\t';
    fputs("\n\n# ", out);
    caption_curve(out, page, i % page->n_series, contents->record, contents->n_records);
    fputs(" | ", out);
    caption_panel(out, page, i / page->n_series);
    fprintf(out, "\n# %s\n", kind->columns);
    for (size_t r = 0; r < drawing->n_rows; r++) {
        struct row row = drawing->row[r];
        for (int c = 0; c < n_columns; c++)
            if ((kind->x_columns >> c & 1) && row.value[c] == 0)
                row.value[c] = contents->edge;
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

bool page_text(const struct page *page, char **text, size_t *length, struct error *error)
{
    struct contents contents = {0};
    struct stream out;
    bool done = collect(page, &contents) && stream_open(&out);
    if (done) {
        put_page(out.file, page, &contents);
        put_texts(out.file, page, &contents);
        for (int i = 0; i < page->n_panels * page->n_series; i++)
            put_curve(out.file, page, i, &contents);
        for (int p = 0; p < page->n_panels && contents.roofs; p++)
            page_roofs_block(out.file, &contents.roofs[p], contents.x.low, contents.x.high);
        done = stream_close(&out);
    }
    free(contents.record);
    free(contents.letters);
    free(contents.roofs);
    *text = done ? out.text : NULL;
    *length = done ? out.length : 0;
    return done || fail(error, "out of memory for the plot %s", page->name);
}
