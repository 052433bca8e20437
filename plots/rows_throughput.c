/* See rows.h: the rows of throughput records. */
#include "plots/kinds.h"
#include "plots/samples.h"

#include <math.h>
#include <stdlib.h>

/* Seconds a call, and how far another set of rounds may lie; false where no speed was reported. */
static bool seconds_of(const struct record *record, struct sample *sample)
{
    sample->y = column_number(record, COLUMN_TIME_MEDIAN);
    sample->low = column_number(record, COLUMN_TIME_LOW);
    sample->high = column_number(record, COLUMN_TIME_HIGH);
    sample->note = NOTE_INTERVAL;
    if (isnan(sample->low) || isnan(sample->high)) {
        bool several = column_number(record, COLUMN_ROUNDS) > 1;
        sample->note = several ? NOTE_ROUNDS : NOTE_SINGLE;
        sample->low = several ? column_number(record, COLUMN_TIME_FASTEST) : NAN;
        sample->high = several ? column_number(record, COLUMN_TIME_SLOWEST) : NAN;
    }
    return sample->y > 0;
}

/* One record: its own spread. Several: the range of their medians. */
static bool summarise_spread(const struct sample *sample, size_t n, struct summary *summary, unsigned *notes)
{
    if (n > 1 || !isnan(sample->y))
        *notes |= n > 1 ? NOTE_RANGE : sample->note;
    if (n > 1)
        return samples_summarise(sample, n, offsetof(struct sample, y), summary);
    *summary = (struct summary){sample->y, sample->low, sample->high};
    return true;
}

bool rows_throughput(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing)
{
    enum { X, TOKENS, LOW, HIGH, WHOLE_RANGE };
    bool done = true;
    size_t found = 0;
    struct sample *sample = calloc(n, sizeof *sample);
    for (size_t i = 0; sample && done && i < n; i++) {
        struct sample *at = &sample[found];
        at->x = value_number(&record[i]->point.value[x]);
        double tokens = column_number(record[i], kind->y);
        bool known = seconds_of(record[i], at) && tokens > 0;
        if (!known || record[i]->result != RESULT_OK)
            done = drawing_mark(drawing, at->x, record[i]->result);
        double slow = tokens * at->y / at->high, fast = tokens * at->y / at->low;
        at->y = known ? tokens : NAN, at->low = slow, at->high = fast;
        found += known || !isnan(at->x); /* unknown: a gap in the line */
    }
    done = done && sample;
    if (done)
        samples_sort(sample, found);
    for (size_t i = 0, same; done && i < found; i += same) {
        same = samples_same_x(sample + i, found - i);
        struct summary tokens;
        struct row *row = drawing_row(drawing);
        done = row && summarise_spread(sample + i, same, &tokens, &drawing->notes);
        if (!done)
            break;
        row->value[X] = sample[i].x;
        row->value[TOKENS] = tokens.median;
        row->value[LOW] = tokens.low;
        row->value[HIGH] = tokens.high;
        row->value[WHOLE_RANGE] = isnan(sample[i].x); /* does not depend on x: a level line */
        drawing->notes |= isnan(sample[i].x) ? NOTE_LEVEL : 0;
    }
    free(sample);
    return done;
}

bool rows_error_against_time(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing)
{
    enum { SECONDS, LOW, HIGH, ERROR, ALONG, LABELS = 6 };
    bool done = true;
    size_t found = 0, first = drawing->n_rows;
    struct sample *sample = calloc(n, sizeof *sample);
    for (size_t i = 0; sample && done && i < n; i++) {
        struct sample *at = &sample[found];
        at->x = value_number(&record[i]->point.value[x]);
        at->z = column_number(record[i], kind->y);
        bool timed = seconds_of(record[i], at), known = timed && !isnan(at->z);
        if (!timed || record[i]->result != RESULT_OK) /* timed, but without an error (against itself): just not drawn */
            done = drawing_mark(drawing, timed ? at->y : NAN, record[i]->result);
        found += known;
    }
    done = done && sample;
    if (done)
        samples_sort(sample, found);
    for (size_t i = 0, same; done && i < found; i += same) {
        same = samples_same_x(sample + i, found - i);
        struct summary seconds, error;
        struct row *row = drawing_row(drawing);
        done = row && summarise_spread(sample + i, same, &seconds, &drawing->notes) &&
               samples_summarise(sample + i, same, offsetof(struct sample, z), &error);
        if (!done)
            break;
        row->value[SECONDS] = seconds.median;
        row->value[LOW] = seconds.low;
        row->value[HIGH] = seconds.high;
        row->value[ERROR] = drawing_error(drawing, error.median);
        row->value[ALONG] = sample[i].x;
    }
    size_t n_rows = drawing->n_rows - first, step = (n_rows + LABELS - 1) / LABELS;
    for (size_t i = 0; i < n_rows; i++) {
        struct row *row = &drawing->row[first + i];
        if (i % step == 0 || i + 1 == n_rows)
            row->label = row->value[ALONG];
        drawing->notes |= isnan(row->label) ? 0 : x == FIELD_L ? NOTE_LABELS : NOTE_TOLERANCES;
    }
    free(sample);
    return done;
}
