/* See ticks.h. */
#include "plots/ticks.h"

#include "plots/layout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEASURED_MAX = 10 };

/* Where too many, or none, were asked for. */
static const char *const usual_kappas[] = {"0.5", "0.8", "0.9", "0.95", "0.98", "0.99", "0.995", "0.999", "0.9999", "0.99999"};

static int tick_order(const void *left, const void *right)
{
    const struct tick *a = left, *b = right;
    return (a->at > b->at) - (a->at < b->at);
}

/* The place of a field's value on the axis; NaN where it has none. */
static double place_of(const struct plot_kind *kind, const struct value *value, double edge)
{
    double number = value_number(value);
    if (!kind->along_is_x)
        return number;
    return number == 0 ? NAN : number >= 1 ? edge : 1 - number; /* "free" is 0; by 1 - kappa */
}

/* The distinct values among the records, at most MEASURED_MAX; one more when there are others. */
static int measured(const struct page *page, int field, struct record *const *record, size_t n, double edge, struct tick *tick)
{
    const struct plot_kind *kind = page->figure->kind;
    int found = 0;
    for (size_t i = 0; i < n && found <= MEASURED_MAX; i++) {
        const struct value *value = &record[i]->point.value[field];
        double at = place_of(kind, value, edge);
        bool known = isnan(at) || at == edge;
        for (int k = 0; k < found && !known; k++)
            known = tick[k].at == at;
        if (known)
            continue;
        char text[VALUE_TEXT_MAX];
        field_print(field, value, sizeof text, text);
        tick[found].at = at;
        snprintf(tick[found++].text, sizeof tick->text, "%s", text);
    }
    return found;
}

static int usual(const struct plot_kind *kind, double low, double high, struct tick *tick)
{
    int n = 0;
    if (kind->along_is_x) {
        for (size_t i = 0; i < sizeof usual_kappas / sizeof usual_kappas[0]; i++, n++) {
            tick[n].at = 1 - strtod(usual_kappas[i], NULL);
            snprintf(tick[n].text, sizeof tick->text, "%s", usual_kappas[i]);
        }
        return n;
    }
    for (double at = exp2(ceil(log2(low))); at <= high && n + 1 < TICKS_MAX; at *= 2, n++) {
        tick[n].at = at;
        snprintf(tick[n].text, sizeof tick->text, "%.0f", at);
    }
    return n;
}

/* Drops what lies outside, then, from the left, what would touch the one before. */
static int thin(const struct page *page, double low, double high, struct tick *tick, int n)
{
    struct layout layout = layout_of(page->n_panels);
    double pixels = (double)layout.width / layout.columns - MARGIN_LEFT - MARGIN_RIGHT, last = -INFINITY;
    int kept = 0;
    for (int i = 0; i < n; i++) {
        double half = LETTER_WIDTH * ((double)strlen(tick[i].text) + 1) / 2, at = pixels * log(tick[i].at / low) / log(high / low);
        if (tick[i].at < low || tick[i].at > high || at - half < last)
            continue;
        last = at + half;
        tick[kept++] = tick[i];
    }
    return kept;
}

int ticks_make(const struct page *page, struct record *const *record, size_t n, double low, double high, double edge,
               struct tick tick[TICKS_MAX])
{
    const struct figure *figure = page->figure;
    int field = figure->kind->along_is_x ? figure->along : figure->x;
    if (field < 0)
        return 0;
    int found = measured(page, field, record, n, edge, tick);
    if (found == 0 || found > MEASURED_MAX)
        found = usual(figure->kind, low, high, tick);
    if (!isnan(edge)) {
        tick[found].at = edge;
        snprintf(tick[found++].text, sizeof tick->text, ">= 1");
    }
    qsort(tick, (size_t)found, sizeof *tick, tick_order);
    return thin(page, low, high, tick, found);
}
