/* See rows.h: the rows of accuracy and training records. */
#include "plots/rows.h"
#include "plots/samples.h"

#include <math.h>
#include <stdlib.h>

/* A figure of a record with its own spread, and what that is. */
struct paths {
    const char *middle, *low, *high, *chance;
    enum note own;
};

/* Several seeds: the range of their figures. One: its own spread. */
static bool summarise(const struct sample *sample, size_t n, const struct paths *paths, struct summary *summary, unsigned *notes)
{
    if (n > 1) {
        *notes |= NOTE_RANGE;
        return samples_summarise(sample, n, offsetof(struct sample, y), summary);
    }
    *notes |= isnan(sample->y) ? 0 : paths->own;
    *summary = (struct summary){sample->y, sample->low, sample->high};
    return true;
}

/* A figure against a field. */
static bool rows_against(struct record *const *record, size_t n, int x, const struct paths *paths, struct drawing *drawing)
{
    enum { X, MIDDLE, LOW, HIGH, WHOLE_RANGE, CHANCE };
    size_t found = 0;
    struct sample *sample = calloc(n, sizeof *sample);
    bool done = sample != NULL;
    for (size_t i = 0; done && i < n; i++) {
        struct sample *at = &sample[found];
        *at = (struct sample){.x = value_number(&record[i]->point.value[x]),
                              .y = record_number(record[i], paths->middle),
                              .low = record_number(record[i], paths->low),
                              .high = record_number(record[i], paths->high),
                              .z = paths->chance != NULL ? record_number(record[i], paths->chance) : NAN};
        bool known = !isnan(at->y);
        if (!known || record[i]->result != RESULT_OK)
            done = drawing_mark(drawing, at->x, record[i]->result);
        found += known || !isnan(at->x); /* unknown: a gap in the line */
    }
    if (done)
        samples_sort(sample, found);
    for (size_t i = 0, same; done && i < found; i += same) {
        same = samples_same_x(sample + i, found - i);
        struct summary summary;
        struct row *row = drawing_row(drawing);
        done = row && summarise(sample + i, same, paths, &summary, &drawing->notes);
        if (!done)
            break;
        row->value[X] = sample[i].x;
        row->value[MIDDLE] = summary.median;
        row->value[LOW] = summary.low;
        row->value[HIGH] = summary.high;
        row->value[WHOLE_RANGE] = isnan(sample[i].x); /* does not depend on x: a level line */
        row->value[CHANCE] = sample[i].z;
        drawing->notes |= (isnan(sample[i].x) ? NOTE_LEVEL : 0) | (isnan(sample[i].z) ? 0 : NOTE_CHANCE);
    }
    free(sample);
    return done;
}

bool rows_token_accuracy(struct record *const *record, size_t n, int x, struct drawing *drawing)
{
    static const struct paths paths = {"accuracy.token.share", "accuracy.token.low", "accuracy.token.high", "accuracy.chance",
                                       NOTE_WILSON};
    return rows_against(record, n, x, &paths, drawing);
}

bool rows_sequence_accuracy(struct record *const *record, size_t n, int x, struct drawing *drawing)
{
    static const struct paths paths = {"accuracy.sequence.share", "accuracy.sequence.low", "accuracy.sequence.high", NULL,
                                       NOTE_WILSON};
    return rows_against(record, n, x, &paths, drawing);
}

bool rows_iterations(struct record *const *record, size_t n, int x, struct drawing *drawing)
{
    static const struct paths paths = {"accuracy.l_star.median", "accuracy.l_star.q1", "accuracy.l_star.q3", NULL, NOTE_QUARTILES};
    bool done = true;
    size_t n_judged = 0;
    struct record **judged = calloc(n + 1, sizeof(struct record *));
    for (size_t i = 0; judged && i < n; i++) /* without a tolerance there is no l*, and nothing missing */
        if (record[i]->point.value[FIELD_TOLERANCE].real > 0)
            judged[n_judged++] = record[i];
    done = judged && (n_judged == 0 || rows_against(judged, n_judged, x, &paths, drawing));
    free(judged);
    return done;
}

/* ---- Curves of trainings ------------------------------------------------------------------------------------------------- */

static double element(const json_t *array, size_t i)
{
    const json_t *at = json_array_get(array, i);
    return json_is_number(at) ? json_number_value(at) : NAN;
}

static bool curve_rows(const struct sample *sample, size_t n, size_t n_curves, struct drawing *drawing)
{
    enum { STEP, LOSS, LOW, HIGH, LENGTH };
    for (size_t i = 0, same; i < n; i += same) {
        same = samples_same_x(sample + i, n - i);
        if (2 * same <= n_curves)
            continue; /* half of them ended before: the median of the others would be another curve */
        struct summary loss;
        struct row *row = drawing_row(drawing);
        if (!row || !samples_summarise(sample + i, same, offsetof(struct sample, y), &loss))
            return false;
        row->value[STEP] = sample[i].x;
        row->value[LOSS] = loss.median;
        row->value[LENGTH] = sample[i].z;
        if (same > 1) {
            row->value[LOW] = loss.low;
            row->value[HIGH] = loss.high;
        }
    }
    return true;
}

bool rows_loss(struct record *const *record, size_t n, int x, struct drawing *drawing)
{
    (void)x;
    size_t total = 0, n_curves = 0, found = 0;
    bool done = true;
    for (size_t i = 0; i < n; i++)
        total += json_array_size(record_at(record[i], "training.curve.step"));
    struct sample *sample = calloc(total + 1, sizeof *sample);
    for (size_t i = 0; sample && done && i < n; i++) {
        const json_t *step = record_at(record[i], "training.curve.step"), *loss = record_at(record[i], "training.curve.loss");
        const json_t *length = record_at(record[i], "training.curve.length");
        n_curves += json_array_size(step) > 0;
        for (size_t k = 0; k < json_array_size(step); k++)
            sample[found++] = (struct sample){.x = element(step, k), .y = element(loss, k), .z = element(length, k)};
        bool shown = record[i]->result == RESULT_OK || record[i]->result == RESULT_TARGET_NOT_REACHED; /* the curve says it */
        if (!shown || json_array_size(step) == 0)
            done = drawing_mark(drawing, NAN, record[i]->result);
    }
    done = done && sample;
    if (done) {
        samples_sort(sample, found);
        drawing->notes |= n_curves > 1 ? NOTE_RANGE : 0;
        done = curve_rows(sample, found, n_curves, drawing);
    }
    free(sample);
    return done;
}
