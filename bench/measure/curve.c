/* See curve.h. */
#include "bench/measure/curve.h"

#include "bench/base/parse.h"

#include <math.h>

const char *const curve_columns[CURVE_COLUMNS] = {"step", "length", "loss", "accuracy", "norm", "iterations", "checked", "seconds"};

void curve_begin(struct curve *curve, int64_t steps)
{
    *curve = (struct curve){.every = (steps + CURVE_ROWS_MAX - 1) / CURVE_ROWS_MAX};
}

/* What an open row stands for. */
static void close_row(const struct curve *curve, double row[CURVE_COLUMNS])
{
    for (int c = 0; c < CURVE_COLUMNS; c++) {
        bool mean = c == CURVE_LOSS || c == CURVE_ACCURACY || c == CURVE_ITERATIONS;
        row[c] = mean ? curve->open[c] / (double)curve->open_n : curve->open[c];
    }
}

void curve_add(struct curve *curve, const struct step *step, double checked, double seconds)
{
    double *open = curve->open;
    bool first = curve->open_n == 0;
    if (curve->n == CURVE_ROWS_MAX)
        return;
    open[CURVE_STEP] = (double)step->step;
    open[CURVE_LENGTH] = (double)step->length;
    open[CURVE_LOSS] = (first ? 0 : open[CURVE_LOSS]) + step->loss;
    open[CURVE_ACCURACY] = (first ? 0 : open[CURVE_ACCURACY]) + step->accuracy;
    open[CURVE_NORM] = first ? step->norm : fmax(open[CURVE_NORM], step->norm);
    open[CURVE_ITERATIONS] = (first ? 0 : open[CURVE_ITERATIONS]) + step->iterations;
    open[CURVE_CHECKED] = !isnan(checked) ? checked : first ? NAN : open[CURVE_CHECKED];
    open[CURVE_SECONDS] = seconds;
    if (++curve->open_n < curve->every)
        return;
    close_row(curve, curve->row[curve->n++]);
    curve->open_n = 0;
}

json_t *curve_to_json(const struct curve *curve, bool last)
{
    double open[CURVE_COLUMNS] = {0};
    bool more = last && curve->open_n > 0 && curve->n < CURVE_ROWS_MAX;
    json_t *object = json_pack("{sI}", "every", (json_int_t)curve->every);
    if (more)
        close_row(curve, open);
    for (int c = 0; c < CURVE_COLUMNS; c++) {
        json_t *column = json_array();
        bool whole = c == CURVE_STEP || c == CURVE_LENGTH;
        for (int i = 0; i < curve->n + more; i++) {
            double value = i < curve->n ? curve->row[i][c] : open[c];
            json_array_append_new(column, whole ? json_integer((json_int_t)value) : json_number(value));
        }
        json_object_set_new(object, curve_columns[c], column);
    }
    return object;
}

json_t *curve_to_state(const struct curve *curve)
{
    json_t *object = curve_to_json(curve, false), *open = json_array();
    for (int c = 0; c < CURVE_COLUMNS; c++)
        json_array_append_new(open, json_number(curve->open[c]));
    json_object_set_new(object, "open", open);
    json_object_set_new(object, "open_n", json_integer((json_int_t)curve->open_n));
    return object;
}

static double element(const json_t *array, size_t i)
{
    const json_t *at = json_array_get(array, i);
    return json_is_number(at) ? json_number_value(at) : NAN;
}

bool curve_from_state(const json_t *state, struct curve *curve)
{
    size_t n = json_array_size(json_object_get(state, curve_columns[0]));
    const json_t *open = json_object_get(state, "open"), *open_n = json_object_get(state, "open_n");
    int64_t every = json_integer_value(json_object_get(state, "every"));
    if (n > CURVE_ROWS_MAX || every != curve->every || json_array_size(open) != CURVE_COLUMNS || !json_is_integer(open_n))
        return false;
    *curve = (struct curve){.every = every, .n = (int)n, .open_n = json_integer_value(open_n)};
    for (size_t c = 0; c < CURVE_COLUMNS; c++) {
        const json_t *column = json_object_get(state, curve_columns[c]);
        if (json_array_size(column) != n)
            return false;
        for (size_t i = 0; i < n; i++)
            curve->row[i][c] = element(column, i);
        curve->open[c] = element(open, c);
    }
    return true;
}
