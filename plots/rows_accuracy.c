/* See rows.h: what accuracy and training records say against a field. */
#include "plots/rows.h"
#include "plots/samples.h"

#include <math.h>
#include <stdlib.h>

/* A figure of a record with its own spread, and what that is. */
struct paths {
    const char *middle, *low, *high, *chance; /* NULL: none */
    enum note own;
    double (*middle_of)(const struct record *); /* where the middle is no number of the record, but computed from some */
    bool error;                                 /* a distance, which may be 0 */
};

static double number_at(const struct record *record, const char *path)
{
    return path != NULL ? record_number(record, path) : NAN;
}

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
                              .y = paths->middle_of ? paths->middle_of(record[i]) : number_at(record[i], paths->middle),
                              .low = number_at(record[i], paths->low),
                              .high = number_at(record[i], paths->high),
                              .z = number_at(record[i], paths->chance)};
        bool known = !isnan(at->y),
             missed = record[i]->result == RESULT_TARGET_NOT_REACHED; /* which takes nothing from its times */
        if (!known || (record[i]->result != RESULT_OK && !missed))
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
        row->value[MIDDLE] = paths->error ? drawing_error(drawing, summary.median) : summary.median;
        row->value[LOW] = paths->error ? drawing_error(drawing, summary.low) : summary.low;
        row->value[HIGH] = paths->error ? drawing_error(drawing, summary.high) : summary.high;
        row->value[WHOLE_RANGE] = isnan(sample[i].x); /* does not depend on x: a level line */
        row->value[CHANCE] = sample[i].z;
        drawing->notes |= (isnan(sample[i].x) ? NOTE_LEVEL : 0) | (isnan(sample[i].z) ? 0 : NOTE_CHANCE);
    }
    free(sample);
    return done;
}

bool rows_token_accuracy(struct record *const *record, size_t n, int x, struct drawing *drawing)
{
    static const struct paths paths = {.middle = "accuracy.token.share",
                                       .low = "accuracy.token.low",
                                       .high = "accuracy.token.high",
                                       .chance = "accuracy.chance",
                                       .own = NOTE_WILSON};
    return rows_against(record, n, x, &paths, drawing);
}

bool rows_sequence_accuracy(struct record *const *record, size_t n, int x, struct drawing *drawing)
{
    static const struct paths paths = {
        .middle = "accuracy.sequence.share", .low = "accuracy.sequence.low", .high = "accuracy.sequence.high", .own = NOTE_WILSON};
    return rows_against(record, n, x, &paths, drawing);
}

bool rows_iterations(struct record *const *record, size_t n, int x, struct drawing *drawing)
{
    static const struct paths paths = {
        .middle = "accuracy.l_star.median", .low = "accuracy.l_star.q1", .high = "accuracy.l_star.q3", .own = NOTE_QUARTILES};
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

bool rows_difference(struct record *const *record, size_t n, int x, struct drawing *drawing)
{
    static const struct paths paths = {.middle = "accuracy.difference.max.median",
                                       .low = "accuracy.difference.max.q1",
                                       .high = "accuracy.difference.max.q3",
                                       .own = NOTE_QUARTILES,
                                       .error = true};
    return rows_against(record, n, x, &paths, drawing);
}

/* ---- Where the time of a training goes ------------------------------------------------------------------------------------- */

/* Seconds of all its steps: without checks and checkpoints, which are no part of one. */
static double seconds_of_steps(const struct record *record)
{
    static const char *const parts[] = {"training.seconds.data", "training.seconds.iterations", "training.seconds.forward",
                                        "training.seconds.backward", "training.seconds.optimiser"};
    double seconds = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        seconds += record_number(record, parts[i]);
    return seconds > 0 ? seconds : NAN;
}

static double share_of_iterations(const struct record *record)
{
    return record_number(record, "training.seconds.iterations") / seconds_of_steps(record);
}

static double milliseconds_a_step(const struct record *record)
{
    double steps = record_number(record, "training.steps");
    return steps > 0 ? 1e3 * seconds_of_steps(record) / steps : NAN;
}

bool rows_step_share(struct record *const *record, size_t n, int x, struct drawing *drawing)
{
    static const struct paths paths = {.middle_of = share_of_iterations, .own = NOTE_ONE_TRAINING};
    return rows_against(record, n, x, &paths, drawing);
}

bool rows_step_time(struct record *const *record, size_t n, int x, struct drawing *drawing)
{
    static const struct paths paths = {.middle_of = milliseconds_a_step, .own = NOTE_ONE_TRAINING};
    return rows_against(record, n, x, &paths, drawing);
}
