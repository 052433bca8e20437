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

/* Which of the series from the first on have a curve in one of the panels, at most a page of them; *first: the one after. */
static int take_series(const struct figure *figure, const int *panel, int n_panels, int *first, int series[PAGE_SERIES_MAX])
{
    int n = 0;
    for (; *first < figure->series.n && n < PAGE_SERIES_MAX; ++*first)
        for (int p = 0; p < n_panels; p++)
            if (has_curve(figure, panel[p], *first)) {
                series[n++] = *first;
                break;
            }
    return n;
}

/* The same of the panels, for any curve. */
static int take_panels(const struct figure *figure, int *first, int panel[PAGE_PANELS_MAX])
{
    int n = 0;
    for (; *first < figure->panels.n && n < PAGE_PANELS_MAX; ++*first)
        for (int s = 0; s < figure->series.n; s++)
            if (has_curve(figure, *first, s)) {
                panel[n++] = *first;
                break;
            }
    return n;
}

struct page *pages_make(const struct figure *figure, int *n)
{
    int most_panels = figure->panels.n / PAGE_PANELS_MAX + 1, most_series = figure->series.n / PAGE_SERIES_MAX + 1;
    struct page *pages = calloc((size_t)most_panels * (size_t)most_series, sizeof *pages);
    *n = 0;
    for (int p = 0; pages && p < figure->panels.n;) {
        int panel[PAGE_PANELS_MAX], n_panels = take_panels(figure, &p, panel);
        for (int s = 0; n_panels && s < figure->series.n;) {
            struct page *page = &pages[*n];
            page->figure = figure;
            page->n_series = take_series(figure, panel, n_panels, &s, page->series);
            page->n_panels = 0;
            for (int i = 0; i < n_panels; i++)
                for (int k = 0; k < page->n_series; k++)
                    if (has_curve(figure, panel[i], page->series[k])) {
                        page->panel[page->n_panels++] = panel[i];
                        break;
                    }
            *n += page->n_series > 0;
        }
    }
    for (int i = 0; *n > 1 && i < *n; i++)
        pages[i].number = i + 1;
    return pages;
}
