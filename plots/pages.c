/* See pages.h. */
#include "plots/pages.h"

#include <stdlib.h>
#include <string.h>

const struct drawing *page_drawing(const struct page *page, int panel, int series)
{
    return figure_drawing(page->figure, page->panel[panel], page->series[series]);
}

struct record **page_records(const struct page *page, int first_panel, int n_panels, size_t *n)
{
    const struct figure *figure = page->figure;
    struct record **record = calloc(figure->n + 1, sizeof *record);
    *n = 0;
    for (size_t i = 0; record && i < figure->n; i++) {
        const struct point *point = &figure->record[i]->point;
        bool in_panel = false, in_series = false;
        for (int p = first_panel; p < first_panel + n_panels && !in_panel; p++)
            in_panel = grouping_holds(&figure->panels, page->panel[p], point);
        for (int s = 0; s < page->n_series && in_panel && !in_series; s++)
            in_series = grouping_holds(&figure->series, page->series[s], point);
        if (in_series)
            record[(*n)++] = figure->record[i];
    }
    return record;
}

static bool has_curve(const struct figure *figure, int panel, int series)
{
    const struct drawing *drawing = figure_drawing(figure, panel, series);
    return drawing->n_rows || drawing->n_marks;
}

/* The first of the series not yet taken that has a curve in one of the panels; the number of series where there is none. */
static int next_series(const struct figure *figure, const int *panel, int n_panels, const int at[PAGE_PANELS_MAX])
{
    int next = figure->series.n;
    for (int p = 0; p < n_panels; p++) {
        const struct panel *shown = &figure->panel[panel[p]];
        if (at[p] < shown->n && shown->series[at[p]] < next)
            next = shown->series[at[p]];
    }
    return next;
}

/* The series of a page: at most so many of those that have a curve in one of the panels; at[]: how many each panel has behind it. */
static int take_series(const struct figure *figure, const int *panel, int n_panels, int at[PAGE_PANELS_MAX],
                       int series[PAGE_SERIES_MAX])
{
    int n = 0;
    while (n < PAGE_SERIES_MAX) {
        int next = next_series(figure, panel, n_panels, at);
        if (next == figure->series.n)
            break;
        for (int p = 0; p < n_panels; p++) {
            const struct panel *shown = &figure->panel[panel[p]];
            at[p] += at[p] < shown->n && shown->series[at[p]] == next;
        }
        series[n++] = next;
    }
    return n;
}

/* Panels from *first on that have a curve, at most a page of them. False when out of memory. */
static bool take_panels(struct figure *figure, int *first, int panel[PAGE_PANELS_MAX], int *n)
{
    *n = 0;
    for (; *first < figure->panels.n && *n < PAGE_PANELS_MAX; ++*first) {
        if (!figure_draw(figure, *first))
            return false;
        if (figure->panel[*first].n > 0)
            panel[(*n)++] = *first;
    }
    return true;
}

static void keep_panels(struct page *page, const int *panel, int n_panels)
{
    page->n_panels = 0;
    for (int i = 0; i < n_panels; i++)
        for (int k = 0; k < page->n_series; k++)
            if (has_curve(page->figure, panel[i], page->series[k])) {
                page->panel[page->n_panels++] = panel[i];
                break;
            }
}

static bool find_varying(struct page *page)
{
    size_t n;
    struct record **record = page_records(page, 0, page->n_panels, &n);
    if (record)
        page->varying = varying_among(record, n);
    free(record);
    return record != NULL;
}

/* A page more; NULL when out of memory. */
static struct page *add_page(struct page **pages, int n)
{
    struct page *grown = realloc(*pages, (size_t)(n + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    *pages = grown;
    memset(&grown[n], 0, sizeof grown[n]);
    return &grown[n];
}

/* All pages of some panels, of which those count that are one too many. */
static bool add_pages(struct figure *figure, const int *panel, int n_panels, int most, struct page **pages, int *n, int *left_out)
{
    int at[PAGE_PANELS_MAX] = {0};
    for (;;) {
        struct page page = {.figure = figure};
        page.n_series = take_series(figure, panel, n_panels, at, page.series);
        if (page.n_series == 0)
            return true;
        keep_panels(&page, panel, n_panels);
        if (*n == most) {
            *left_out += page.n_panels;
            continue;
        }
        struct page *added = find_varying(&page) ? add_page(pages, *n) : NULL;
        if (!added)
            return false;
        *added = page;
        ++*n;
    }
}

struct page *pages_make(struct figure *figure, int most, int *n, int *left_out)
{
    struct page *pages = calloc(1, sizeof *pages);
    int panel[PAGE_PANELS_MAX], n_panels, first = 0;
    bool done = pages != NULL;
    *n = *left_out = 0;
    while (done && first < figure->panels.n && *n < most)
        done = take_panels(figure, &first, panel, &n_panels) && add_pages(figure, panel, n_panels, most, &pages, n, left_out);
    *left_out += done ? figure->panels.n - first : 0;
    for (int i = 0; done && i < *n; i++)
        pages[i].number = *n > 1 || *left_out > 0 ? i + 1 : 0;
    if (done)
        return pages;
    free(pages);
    return NULL;
}
