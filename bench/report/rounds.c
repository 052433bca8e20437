/* See rounds.h. */
#include "bench/report/rounds.h"

#include "bench/base/parse.h"
#include "bench/base/statistics.h"

#include <math.h>
#include <string.h>

bool rounds_set(json_t *json, const char *path, json_t *value)
{
    char name[64];
    const char *rest = path;
    for (const char *dot; json && (dot = strchr(rest, '.')); rest = dot + 1) {
        snprintf(name, sizeof name, "%.*s", (int)(dot - rest), rest);
        json = json_object_get(json, name);
    }
    if (json_is_object(json))
        return json_object_set_new(json, rest, value) == 0;
    json_decref(value);
    return true;
}

/* A number, or the least of a list of them; NaN where there is none. */
static double number_of(const json_t *value)
{
    double smallest = json_is_number(value) ? json_number_value(value) : NAN;
    for (size_t i = 0; i < json_array_size(value); i++)
        smallest = fmin(smallest, number_of(json_array_get(value, i)));
    return smallest;
}

/* What a round says of a column. */
static double value_of(const struct record *round, enum column_id id)
{
    const struct column *column = &schema[id];
    return number_of(column_json(round, column->of ? column->of : id)) +
           (column->plus ? number_of(column_json(round, column->plus)) : 0);
}

/* What the rounds say of a column, where they say something, ascending; how many that are. */
static size_t sorted_values(const struct rounds *rounds, enum column_id id)
{
    size_t known = 0;
    for (size_t i = 0; i < rounds->n; i++) {
        rounds->value[known] = value_of(&rounds->record[i], id);
        known += !isnan(rounds->value[known]);
    }
    statistics_sort(rounds->value, known);
    return known;
}

/* The value of the round that has the largest, as it stands there. */
static bool take_largest(const struct rounds *rounds, enum column_id id, json_t *merged)
{
    const struct record *largest = NULL;
    for (size_t i = 0; i < rounds->n; i++)
        if (!isnan(value_of(&rounds->record[i], id)) && (!largest || value_of(&rounds->record[i], id) > value_of(largest, id)))
            largest = &rounds->record[i];
    return !largest || rounds_set(merged, schema[id].path, json_deep_copy(column_json(largest, id)));
}

/* That word where one of the rounds has it, else the other one, unless none says it. */
static bool take_word(const struct rounds *rounds, enum column_id id, bool word, json_t *merged)
{
    bool said = false, found = false;
    for (size_t i = 0; i < rounds->n; i++) {
        const json_t *value = column_json(&rounds->record[i], id);
        said = said || json_is_boolean(value);
        found = found || (json_is_boolean(value) && json_is_true(value) == word);
    }
    return !said || rounds_set(merged, schema[id].path, json_boolean(found == word));
}

/* ---- Statistics over rounds ---------------------------------------------------------------------------------------------- */

static double least(const double *sorted, size_t n)
{
    return n > 0 ? sorted[0] : NAN;
}

static double most(const double *sorted, size_t n)
{
    return n > 0 ? sorted[n - 1] : NAN;
}

static double q1(const double *sorted, size_t n)
{
    return statistics_quantile(sorted, n, 0.25);
}

static double q3(const double *sorted, size_t n)
{
    return statistics_quantile(sorted, n, 0.75);
}

static double low(const double *sorted, size_t n)
{
    double from = NAN, to = NAN;
    statistics_median_interval(sorted, n, &from, &to);
    return from;
}

static double high(const double *sorted, size_t n)
{
    double from = NAN, to = NAN;
    statistics_median_interval(sorted, n, &from, &to);
    return to;
}

static double (*const statistic[MERGE_COUNT])(const double *sorted, size_t n) = {[MERGE_MEDIAN] = statistics_median,
                                                                                 [MERGE_LEAST] = least,
                                                                                 [MERGE_MOST] = most,
                                                                                 [MERGE_Q1] = q1,
                                                                                 [MERGE_Q3] = q3,
                                                                                 [MERGE_LOW] = low,
                                                                                 [MERGE_HIGH] = high,
                                                                                 [MERGE_VARIATION] = statistics_variation};

/* scale: the time of the round that stands for all over that of the point. */
static bool take_column(const struct rounds *rounds, enum column_id id, bool agree, const struct record *base, double scale,
                        json_t *merged)
{
    const struct column *column = &schema[id];
    if (column->merge == MERGE_LARGEST)
        return take_largest(rounds, id, merged);
    if (column->merge == MERGE_ANY || column->merge == MERGE_EVERY)
        return take_word(rounds, id, column->merge == MERGE_ANY, merged);
    if (column->merge == MERGE_RATE)
        return !column_json(base, id) || rounds_set(merged, column->path, json_number(column_number(base, id) * scale));
    if (statistic[column->merge] == NULL)
        return true;
    size_t known = sorted_values(rounds, id), n = agree || !column->agreeing ? known : 0;
    return rounds_set(merged, column->path, json_number(statistic[column->merge](rounds->value, n)));
}

/* ---- What has a rule of its own ------------------------------------------------------------------------------------------ */

static bool take_clock(const struct rounds *rounds, json_t *merged)
{
    double shortest = INFINITY, longest = 0;
    for (size_t i = 0; i < rounds->n; i++) {
        const json_t *pair = column_json(&rounds->record[i], COLUMN_LOAD_ADDITION);
        for (size_t k = 0; k < json_array_size(pair); k++) {
            const json_t *value = json_array_get(pair, k);
            shortest = json_is_number(value) ? fmin(shortest, json_number_value(value)) : shortest;
            longest = json_is_number(value) ? fmax(longest, json_number_value(value)) : longest;
        }
    }
    return shortest > longest || rounds_set(merged, schema[COLUMN_LOAD_ADDITION].path, json_pack("[f,f]", shortest, longest));
}

/* The rounds beyond Tukey's fences of their medians. */
static json_t *outlying_rounds(const struct rounds *rounds, bool agree)
{
    double from, to;
    json_t *numbers = json_array();
    size_t known = sorted_values(rounds, COLUMN_TIME_MEDIAN);
    if (!numbers || !statistics_fences(rounds->value, agree ? known : 0, &from, &to))
        return numbers;
    for (size_t i = 0; i < rounds->n; i++) {
        double median = column_number(&rounds->record[i], COLUMN_TIME_MEDIAN);
        if (median < from || median > to)
            json_array_append_new(numbers, json_deep_copy(column_json(&rounds->record[i], COLUMN_ROUND)));
    }
    return numbers;
}

bool rounds_take_figures(const struct rounds *rounds, bool agree, const struct record *base, json_t *merged)
{
    size_t n = sorted_values(rounds, COLUMN_TIME_MEDIAN);
    double scale = column_number(base, COLUMN_TIME_MEDIAN) / statistics_median(rounds->value, agree ? n : 0);
    bool good = take_clock(rounds, merged) && rounds_set(merged, schema[COLUMN_OUTLIERS].path, outlying_rounds(rounds, agree));
    for (int id = 0; good && id < COLUMN_COUNT; id++)
        good = take_column(rounds, (enum column_id)id, agree, base, scale, merged);
    return good;
}
