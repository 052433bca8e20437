/* See rows.h: the rows of convergence records. */
#include "plots/kinds.h"
#include "plots/samples.h"

#include <math.h>
#include <stdlib.h>

/* ---- error against iteration ------------------------------------------------------------------------------------------- */

/* At the k-th iterate that was kept; NaN where the record has no such curve. */
static double at_iterate(const struct record *record, enum column_id curve, size_t k)
{
    double value = column_element(record, curve, k);
    bool curved = column_datum(record, curve)->kind == DATUM_LIST;
    return isnan(value) && curved ? INFINITY : value; /* null: no longer finite */
}

/* The iterates that were kept, of all records; *n_curves of them have any. NULL when out of memory. */
static struct sample *kept_iterates(struct record *const *record, size_t n, const struct plot_kind *kind, size_t *n_samples,
                                    size_t *n_curves)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += column_count(record[i], COLUMN_CURVE_L);
    struct sample *sample = calloc(total + 1, sizeof *sample);
    *n_samples = *n_curves = 0;
    for (size_t i = 0; sample && i < n; i++) {
        size_t kept = column_count(record[i], COLUMN_CURVE_L);
        *n_curves += kept > 0;
        for (size_t k = 0; k < kept; k++)
            sample[(*n_samples)++] = (struct sample){.x = at_iterate(record[i], COLUMN_CURVE_L, k),
                                                     .y = at_iterate(record[i], kind->y, k),
                                                     .z = at_iterate(record[i], COLUMN_CURVE_RESIDUAL, k)};
    }
    if (sample)
        samples_sort(sample, *n_samples);
    return sample;
}

static bool median_rho(struct record *const *record, size_t n, double *rho)
{
    struct sample *sample = calloc(n, sizeof *sample);
    if (!sample)
        return false;
    for (size_t i = 0; i < n; i++)
        sample[i].y = column_number(record[i], COLUMN_RHO);
    struct summary summary = {NAN, NAN, NAN};
    bool done = samples_summarise(sample, n, offsetof(struct sample, y), &summary);
    *rho = summary.median;
    free(sample);
    return done;
}

static bool iterates_to_rows(const struct sample *sample, size_t n, size_t n_curves, double rho, struct drawing *drawing)
{
    enum { L, RESIDUAL, ERROR, LOW, HIGH, PREDICTED, MARKED };
    const double apart = 1.35; /* factor between marked iterations: every iterate has a row, but points must not touch */
    double last_marked = 0;
    for (size_t i = 0, same; i < n; i += same) {
        same = samples_same_x(sample + i, n - i);
        if (2 * same <= n_curves)
            continue; /* half of them stopped before: the median of the others would be another curve */
        struct summary error, residual;
        struct row *row = drawing_row(drawing);
        if (!row || !samples_summarise(sample + i, same, offsetof(struct sample, y), &error) ||
            !samples_summarise(sample + i, same, offsetof(struct sample, z), &residual))
            return false;
        double *value = row->value, predicted = pow(rho, sample[i].x);
        value[L] = sample[i].x;
        value[RESIDUAL] = drawing_error(drawing, residual.median);
        value[ERROR] = drawing_error(drawing, error.median);
        if (same > 1) {
            value[LOW] = drawing_error(drawing, error.low);
            value[HIGH] = drawing_error(drawing, error.high);
        }
        if (predicted >= ERROR_FLOOR && predicted <= 1 / ERROR_FLOOR)
            value[PREDICTED] = predicted;
        if (sample[i].x >= apart * last_marked || i + same == n) {
            value[MARKED] = value[ERROR];
            last_marked = sample[i].x;
        }
    }
    return true;
}

/* An exact implementation has no iterates: its error, where it has one (not against itself), is a level line. */
static bool is_exact(const struct record *record)
{
    return record->point.value[FIELD_L].kind == VALUE_NONE && record_has(record, column_measure(COLUMN_FINAL_ERROR_MAX));
}

static bool exact_to_row(struct record *const *record, size_t n, struct drawing *drawing)
{
    enum { L, RESIDUAL, ERROR };
    struct sample *sample = calloc(n, sizeof *sample);
    struct summary error = {NAN, NAN, NAN};
    for (size_t i = 0; sample && i < n; i++)
        sample[i].y = is_exact(record[i]) ? column_number(record[i], COLUMN_FINAL_ERROR_MAX) : NAN;
    bool done = sample && samples_summarise(sample, n, offsetof(struct sample, y), &error);
    if (done && !isnan(error.median)) {
        struct row *row = drawing_row(drawing);
        done = row != NULL;
        if (done) {
            row->value[ERROR] = drawing_error(drawing, error.median);
            drawing->notes |= NOTE_LEVEL;
        }
    }
    free(sample);
    return done;
}

bool rows_error_against_iteration(struct record *const *record, size_t n, int x, const struct plot_kind *kind,
                                  struct drawing *drawing)
{
    (void)x;
    size_t n_samples, n_curves;
    double rho;
    struct sample *sample = kept_iterates(record, n, kind, &n_samples, &n_curves);
    bool done = sample && median_rho(record, n, &rho) && iterates_to_rows(sample, n_samples, n_curves, rho, drawing);
    free(sample);
    done = done && exact_to_row(record, n, drawing);
    if (n_curves > 1)
        drawing->notes |= NOTE_RANGE;
    for (size_t i = 0; done && i < n; i++) {
        bool drawn = column_count(record[i], COLUMN_CURVE_L) > 0 || is_exact(record[i]);
        bool shown = record[i]->result == RESULT_OK || record[i]->result == RESULT_INACCURATE; /* the curve says it */
        if (!drawn || !shown)
            done = drawing_mark(drawing, NAN, record[i]->result);
    }
    return done;
}

/* ---- iterations against kappa ------------------------------------------------------------------------------------------ */

/* True, with kappa, where the point asked for one; else what was measured, NaN if that is not known. */
static bool kappa_of(const struct record *record, double *kappa)
{
    const struct value *asked = &record->point.value[FIELD_KAPPA];
    *kappa = column_number(record, COLUMN_KAPPA);
    if (asked->kind == VALUE_NONE || value_is_special(FIELD_KAPPA, asked))
        return false;
    *kappa = asked->real;
    return true;
}

static bool kappa_rows(const struct sample *sample, size_t n, bool asked, struct drawing *drawing)
{
    enum { KAPPA, POSITION, ITERATIONS, LOW, HIGH, ASKED };
    for (size_t i = 0, same; i < n; i += same) {
        same = asked ? samples_same_x(sample + i, n - i) : n; /* each seed measures another kappa: one point at their median */
        struct summary kappa, iterations;
        if (!samples_summarise(sample + i, same, offsetof(struct sample, x), &kappa) ||
            !samples_summarise(sample + i, same, offsetof(struct sample, y), &iterations))
            return false;
        double position = 1 - kappa.median;
        struct row *row = drawing_row(drawing); /* with NaN where nothing got there: a gap in the line */
        if (!row)
            return false;
        if (!asked)
            drawing->notes |= NOTE_MEASURED;
        row->value[KAPPA] = kappa.median;
        row->value[POSITION] = position > 0 ? position : 0; /* 0: the edge for kappa >= 1, where the page puts it */
        row->value[ITERATIONS] = iterations.median;
        row->value[LOW] = iterations.low;
        row->value[HIGH] = iterations.high;
        row->value[ASKED] = asked;
        if (same > 1)
            drawing->notes |= NOTE_RANGE;
    }
    return true;
}

bool rows_against_kappa(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing)
{
    (void)x;
    bool done = true;
    struct sample *sample = calloc(n, sizeof *sample);
    for (int asked = 1; sample && done && asked >= 0; asked--) {
        size_t found = 0;
        for (size_t i = 0; done && i < n; i++) {
            double kappa, iterations = column_number(record[i], kind->y);
            if (kappa_of(record[i], &kappa) != asked)
                continue;
            double position = isnan(kappa) ? NAN : fmax(1 - kappa, 0);
            bool measured = record_has(record[i], column_measure(kind->y));
            if (isnan(iterations))
                done =
                    drawing_mark(drawing, position, record[i]->result == RESULT_OK ? RESULT_TARGET_NOT_REACHED : record[i]->result);
            else if (isnan(kappa))
                done = drawing_mark(drawing, NAN, RESULT_OK);
            if (!isnan(kappa)) /* a seed that was measured and did not get there counts as infinitely many */
                sample[found++] = (struct sample){.x = kappa, .y = isnan(iterations) && measured ? INFINITY : iterations};
        }
        samples_sort(sample, found);
        done = done && kappa_rows(sample, found, asked, drawing);
    }
    done = done && sample;
    free(sample);
    return done;
}
