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

static double number_of(const struct unpacked *values, enum column_id id)
{
    const struct datum *datum = &values->datum[id];
    return datum->kind == DATUM_INTEGER ? (double)datum->integer : datum->kind == DATUM_REAL ? datum->real : NAN;
}

/* What only the point shows; NaN for the other codes. */
static void figures_of_point(const struct unpacked *merged, double figure[WARNING_COUNT])
{
    double median = number_of(merged, COLUMN_TIME_MEDIAN);
    double half = (number_of(merged, COLUMN_TIME_HIGH) - number_of(merged, COLUMN_TIME_LOW)) / 2;
    const struct datum *additions = &merged->datum[COLUMN_LOAD_ADDITION];
    bool paired = additions->kind == DATUM_LIST && additions->n >= 2;
    for (int code = 0; code < WARNING_COUNT; code++)
        figure[code] = NAN;
    figure[WARNING_CLOCK] = paired ? apart(additions->list[0], additions->list[1]) : NAN;
    figure[WARNING_WIDE] = half / median;
    figure[WARNING_FEW_ROUNDS] = median > 0 ? STATISTICS_INTERVAL_LEAST - number_of(merged, COLUMN_ROUNDS) : NAN;
}

/* What the rounds and the point say of a code; its figure is 0 where it is no warning. */
static struct warned warned_of(const struct rounds *rounds, enum warning_code code, double of_point)
{
    struct warned worst = {.code = code, .figure = of_point > warnings[code].threshold ? of_point : 0};
    for (size_t i = 0; i < rounds->n; i++) {
        const struct warned *one = record_warned(rounds->record[i], code);
        if (one == NULL || !(one->figure > warnings[code].threshold))
            continue;
        worst.rounds++;
        worst.figure = fmax(worst.figure, one->figure);
    }
    return worst;
}

void warnings_of_rounds(const struct rounds *rounds, struct unpacked *merged, struct warned warned[WARNING_COUNT])
{
    double figure[WARNING_COUNT];
    struct datum list = {.kind = DATUM_WARNINGS, .warned = warned};
    figures_of_point(merged, figure);
    for (int code = 0; code < WARNING_COUNT; code++) {
        struct warned one = warned_of(rounds, (enum warning_code)code, figure[code]);
        if (one.figure > warnings[code].threshold)
            warned[list.n++] = one;
    }
    unpacked_set(merged, COLUMN_WARNINGS, list);
}
