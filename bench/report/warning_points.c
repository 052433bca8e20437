/* See warning_points.h. */
#include "bench/report/warning_points.h"

#include "bench/base/statistics.h"
#include "bench/journal/warning.h"

#include <math.h>

/* By how much the larger of two times exceeds the smaller, as a share of it. */
static double apart(double a, double b)
{
    return fmin(a, b) > 0 ? fmax(a, b) / fmin(a, b) - 1 : NAN;
}

/* What only the point shows; NaN for the other codes. */
static void figures_of_point(const struct record *merged, double figure[WARNING_COUNT])
{
    double median = column_number(merged, COLUMN_TIME_MEDIAN);
    double half = (column_number(merged, COLUMN_TIME_HIGH) - column_number(merged, COLUMN_TIME_LOW)) / 2;
    const json_t *additions = column_json(merged, COLUMN_LOAD_ADDITION); /* 0 where there are none */
    for (int code = 0; code < WARNING_COUNT; code++)
        figure[code] = NAN;
    figure[WARNING_CLOCK] = apart(json_number_value(json_array_get(additions, 0)), json_number_value(json_array_get(additions, 1)));
    figure[WARNING_WIDE] = half / median;
    figure[WARNING_FEW_ROUNDS] = median > 0 ? STATISTICS_INTERVAL_LEAST - column_number(merged, COLUMN_ROUNDS) : NAN;
}

/* Notes a code of the rounds that have it, or of the point. */
static bool take_code(const struct record *round, size_t n, enum warning_code code, double of_point, json_t *list)
{
    json_int_t rounds = 0;
    bool good = warning_note(list, code, of_point);
    for (size_t i = 0; good && i < n; i++) {
        const json_t *entry = warning_in(column_json(&round[i], COLUMN_WARNINGS), code);
        double figure = json_number_value(json_object_get(entry, "figure")); /* 0 where there is no entry */
        rounds += figure > warnings[code].threshold;
        good = warning_note(list, code, figure);
    }
    json_t *entry = warning_in(list, code);
    return good && (entry == NULL || json_object_set_new(entry, "rounds", json_integer(rounds)) == 0);
}

json_t *warnings_of_rounds(const struct record *round, size_t n, const struct record *merged)
{
    double figure[WARNING_COUNT];
    json_t *list = json_array();
    bool good = list != NULL;
    figures_of_point(merged, figure);
    for (int code = 0; good && code < WARNING_COUNT; code++)
        good = take_code(round, n, (enum warning_code)code, figure[code], list);
    if (good)
        return list;
    json_decref(list);
    return NULL;
}
