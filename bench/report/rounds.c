/* See rounds.h. */
#include "bench/report/rounds.h"

#include "bench/base/statistics.h"

#include <math.h>

/* A number, or the least of a list of them; NaN where there is none. */
static double number_of(const struct record *round, enum column_id id)
{
    double smallest = column_number(round, id);
    for (size_t i = 0, n = column_count(round, id); i < n; i++)
        smallest = fmin(smallest, column_element(round, id, i));
    return smallest;
}

/* What a round says of a column. */
static double value_of(const struct record *round, enum column_id id)
{
    const struct column *column = &schema[id];
    return number_of(round, column->of ? column->of : id) + (column->plus ? number_of(round, column->plus) : 0);
}

/* What the rounds say of a column, where they say something, ascending; how many that are. */
static size_t sorted_values(const struct rounds *rounds, enum column_id id)
{
    size_t known = 0;
    for (size_t i = 0; i < rounds->n; i++) {
        rounds->value[known] = value_of(rounds->record[i], id);
        known += !isnan(rounds->value[known]);
    }
    statistics_sort(rounds->value, known);
    return known;
}

/* The value of the round that has the largest, as it stands there. */
static void take_largest(const struct rounds *rounds, enum column_id id, struct unpacked *merged)
{
    const struct record *largest = NULL;
    for (size_t i = 0; i < rounds->n; i++)
        if (!isnan(value_of(rounds->record[i], id)) && (!largest || value_of(rounds->record[i], id) > value_of(largest, id)))
            largest = rounds->record[i];
    if (largest != NULL)
        unpacked_set(merged, id, *column_datum(largest, id));
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
static void take_column(const struct rounds *rounds, enum column_id id, bool agree, const struct record *base, double scale,
                        struct unpacked *merged)
{
    const struct column *column = &schema[id];
    if (column->merge == MERGE_LARGEST)
        take_largest(rounds, id, merged);
    else if (column->merge == MERGE_RATE)
        unpacked_set_real(merged, id, column_number(base, id) * scale);
    else if (statistic[column->merge] != NULL) {
        size_t known = sorted_values(rounds, id), n = agree || !column->agreeing ? known : 0;
        unpacked_set_real(merged, id, statistic[column->merge](rounds->value, n));
    }
}

/* ---- What has a rule of its own ------------------------------------------------------------------------------------------ */

static void take_clock(struct rounds *rounds, struct unpacked *merged)
{
    double *clock = rounds->clock;
    clock[0] = INFINITY, clock[1] = 0;
    for (size_t i = 0; i < rounds->n; i++)
        for (size_t k = 0; k < column_count(rounds->record[i], COLUMN_LOAD_ADDITION); k++) {
            double value = column_element(rounds->record[i], COLUMN_LOAD_ADDITION, k);
            clock[0] = fmin(clock[0], value); /* NaN: the other */
            clock[1] = fmax(clock[1], value);
        }
    if (clock[0] <= clock[1])
        unpacked_set(merged, COLUMN_LOAD_ADDITION, (struct datum){.kind = DATUM_LIST, .n = 2, .list = clock});
}

/* The numbers of the rounds beyond Tukey's fences of their medians: an empty list where there are none. */
static void take_outliers(const struct rounds *rounds, bool agree, struct unpacked *merged)
{
    double from, to;
    struct datum numbers = {.kind = DATUM_LIST, .whole = true, .list = rounds->value};
    size_t known = sorted_values(rounds, COLUMN_TIME_MEDIAN);
    bool fenced = statistics_fences(rounds->value, agree ? known : 0, &from, &to);
    for (size_t i = 0; fenced && i < rounds->n; i++) {
        double median = column_number(rounds->record[i], COLUMN_TIME_MEDIAN);
        const struct datum *number = column_datum(rounds->record[i], COLUMN_ROUND);
        if ((median < from || median > to) && number->kind == DATUM_INTEGER)
            rounds->value[numbers.n++] = (double)number->integer;
    }
    unpacked_set(merged, COLUMN_OUTLIERS, numbers);
}

void rounds_take_figures(struct rounds *rounds, bool agree, const struct record *base, struct unpacked *merged)
{
    size_t n = sorted_values(rounds, COLUMN_TIME_MEDIAN);
    double scale = column_number(base, COLUMN_TIME_MEDIAN) / statistics_median(rounds->value, agree ? n : 0);
    for (int id = 0; id < COLUMN_COUNT; id++)
        take_column(rounds, (enum column_id)id, agree, base, scale, merged);
    take_clock(rounds, merged);
    take_outliers(rounds, agree, merged); /* last: they lie in rounds->value */
}
