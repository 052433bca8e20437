/* See rows.h: a column against a field. */
#include "plots/kinds.h"
#include "plots/samples.h"

#include <math.h>
#include <stdlib.h>

/* Several seeds: the range of their figures. One: its own spread. */
static bool summarise(const struct sample *sample, size_t n, enum note own, struct summary *summary, unsigned *notes)
{
    if (n > 1) {
        *notes |= NOTE_RANGE;
        return samples_summarise(sample, n, offsetof(struct sample, y), summary);
    }
    *notes |= isnan(sample->y) ? 0 : own;
    *summary = (struct summary){sample->y, sample->low, sample->high};
    return true;
}

/* The value of a column in a record. */
typedef double value_in(const struct record *record, enum column_id id);

/* 0: no column. */
static double number_of(const struct record *record, enum column_id id)
{
    return id > 0 ? column_number(record, id) : NAN;
}

/* What stands in the place of a figure: a point that is ok and never came to have one is no unknown. */
static enum result mark_of(const struct record *record, enum column_id id)
{
    bool never = record->result == RESULT_OK && column_state(record, id) == COLUMN_ABSENT;
    return never ? (enum result)STATUS_NOT_CONVERGED : record->result;
}

/* y: of a record what is shown, where that is not just the column. */
static bool draw(struct record *const *record, size_t n, int x, const struct plot_kind *kind, value_in *y, struct drawing *drawing)
{
    enum { X, MIDDLE, LOW, HIGH, WHOLE_RANGE, BESIDE };
    size_t found = 0;
    struct sample *sample = calloc(n, sizeof *sample);
    bool done = sample != NULL;
    for (size_t i = 0; done && i < n; i++) {
        struct sample *at = &sample[found];
        *at = (struct sample){.x = value_number(&record[i]->point.value[x]),
                              .y = y(record[i], kind->y),
                              .low = number_of(record[i], schema[kind->y].low),
                              .high = number_of(record[i], schema[kind->y].high),
                              .z = number_of(record[i], kind->beside)};
        bool known = !isnan(at->y),
             missed = record[i]->result == RESULT_TARGET_NOT_REACHED; /* which takes nothing from its times */
        if (!known || (record[i]->result != RESULT_OK && !missed))
            done = drawing_mark(drawing, at->x, mark_of(record[i], kind->y));
        found += known || !isnan(at->x); /* unknown: a gap in the line */
    }
    if (done)
        samples_sort(sample, found);
    for (size_t i = 0, same; done && i < found; i += same) {
        same = samples_same_x(sample + i, found - i);
        struct summary summary;
        struct row *row = drawing_row(drawing);
        done = row && summarise(sample + i, same, kind->own_bars, &summary, &drawing->notes);
        if (!done)
            break;
        row->value[X] = sample[i].x;
        row->value[MIDDLE] = kind->error ? drawing_error(drawing, summary.median) : summary.median;
        row->value[LOW] = kind->error ? drawing_error(drawing, summary.low) : summary.low;
        row->value[HIGH] = kind->error ? drawing_error(drawing, summary.high) : summary.high;
        row->value[WHOLE_RANGE] = isnan(sample[i].x); /* does not depend on x: a level line */
        row->value[BESIDE] = sample[i].z;
        drawing->notes |= (isnan(sample[i].x) ? kind->level_note : 0) | (isnan(sample[i].z) ? 0 : NOTE_CHANCE);
    }
    free(sample);
    return done;
}

bool rows_against(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing)
{
    return draw(record, n, x, kind, column_number, drawing);
}

/* ---- Where the time of a training goes ------------------------------------------------------------------------------------- */

/* Seconds of all its steps: without checks and checkpoints, which are no part of one. */
static double seconds_of_steps(const struct record *record)
{
    static const enum column_id parts[] = {COLUMN_TRAINING_SECONDS_DATA, COLUMN_TRAINING_SECONDS_ITERATIONS,
                                           COLUMN_TRAINING_SECONDS_FORWARD, COLUMN_TRAINING_SECONDS_BACKWARD,
                                           COLUMN_TRAINING_SECONDS_OPTIMISER};
    double seconds = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        seconds += column_number(record, parts[i]);
    return seconds > 0 ? seconds : NAN;
}

static double share_of_steps(const struct record *record, enum column_id id)
{
    return column_number(record, id) / seconds_of_steps(record);
}

static double milliseconds_a_step(const struct record *record, enum column_id id)
{
    (void)id; /* which counts checks and checkpoints, too */
    double steps = column_number(record, COLUMN_TRAINING_STEPS);
    return steps > 0 ? 1e3 * seconds_of_steps(record) / steps : NAN;
}

bool rows_step_share(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing)
{
    return draw(record, n, x, kind, share_of_steps, drawing);
}

bool rows_step_time(struct record *const *record, size_t n, int x, const struct plot_kind *kind, struct drawing *drawing)
{
    return draw(record, n, x, kind, milliseconds_a_step, drawing);
}
