/* See rows.h: the curves of training records. */
#include "plots/kinds.h"
#include "plots/samples.h"

#include <math.h>
#include <stdlib.h>

/* What the curves show at each of their steps: the y of `figure`, and the z of `beside`. */
struct curves {
    enum column_id figure, beside; /* lists of the record */
    struct sample *sample;         /* x: the step */
    size_t n, n_curves;
};

/* All rows of all records that have the figure there; records that ended otherwise than trainings do are letters. */
static bool collect(struct record *const *record, size_t n, struct curves *curves, struct drawing *drawing)
{
    size_t total = 0;
    bool done = true;
    for (size_t i = 0; i < n; i++)
        total += column_count(record[i], COLUMN_CURVE_STEP);
    curves->n = curves->n_curves = 0;
    curves->sample = calloc(total + 1, sizeof *curves->sample);
    for (size_t i = 0; curves->sample && done && i < n; i++) {
        size_t before = curves->n, steps = column_count(record[i], COLUMN_CURVE_STEP);
        for (size_t k = 0; k < steps; k++)
            if (!isnan(column_element(record[i], curves->figure, k)))
                curves->sample[curves->n++] = (struct sample){.x = column_element(record[i], COLUMN_CURVE_STEP, k),
                                                              .y = column_element(record[i], curves->figure, k),
                                                              .z = column_element(record[i], curves->beside, k)};
        curves->n_curves += curves->n > before;
        bool shown = record[i]->result == RESULT_OK || record[i]->result == RESULT_TARGET_NOT_REACHED; /* the curve says it */
        if (!shown || steps == 0)
            done = drawing_mark(drawing, NAN, record[i]->result);
    }
    if (curves->sample)
        samples_sort(curves->sample, curves->n);
    drawing->notes |= curves->n_curves > 1 ? NOTE_RANGE : 0;
    return done && curves->sample;
}

/* A row a step: median and range of the figure, and what stands beside it; by_beside: the median of that is the x. */
static bool curve_rows(const struct curves *curves, bool by_beside, struct drawing *drawing)
{
    enum { X, FIGURE, LOW, HIGH, BESIDE };
    for (size_t i = 0, same; i < curves->n; i += same) {
        const struct sample *sample = &curves->sample[i];
        same = samples_same_x(sample, curves->n - i);
        if (2 * same <= curves->n_curves)
            continue; /* half of them ended before: the median of the others would be another curve */
        struct summary figure, beside;
        struct row *row = drawing_row(drawing);
        if (!row || !samples_summarise(sample, same, offsetof(struct sample, y), &figure) ||
            !samples_summarise(sample, same, offsetof(struct sample, z), &beside))
            return false;
        row->value[X] = by_beside ? beside.median : sample->x;
        row->value[FIGURE] = figure.median;
        row->value[BESIDE] = by_beside ? sample->x : sample->z;
        if (same > 1) {
            row->value[LOW] = figure.low;
            row->value[HIGH] = figure.high;
        }
    }
    return true;
}

static bool draw_curves(struct record *const *record, size_t n, const struct plot_kind *kind, bool by_beside,
                        struct drawing *drawing)
{
    struct curves curves = {.figure = kind->y, .beside = kind->beside};
    bool done = collect(record, n, &curves, drawing) && curve_rows(&curves, by_beside, drawing);
    free(curves.sample);
    return done;
}

bool rows_curve(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing)
{
    (void)x;
    return draw_curves(record, n, kind, false, drawing);
}

bool rows_curve_over(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing)
{
    (void)x;
    return draw_curves(record, n, kind, true, drawing);
}
