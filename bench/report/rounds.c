/* See rounds.h. */
#include "bench/report/rounds.h"

#include "bench/base/parse.h"
#include "bench/base/statistics.h"

#include <math.h>
#include <string.h>

/* Taken over the rounds; what is in neither list is that of the round that stands for all. */
static const char *const medians[] = {"throughput.calls", "process.wall_s", "process.start_s",
                                      "process.inputs_s", "process.plan_s", "process.validation_s",
                                      "process.timing_s", "process.end_s",  "process.harness_s"};
static const char *const largest_of[] = {"throughput.error_iterate",
                                         "throughput.error_exact",
                                         "throughput.residual",
                                         "throughput.peak_bytes",
                                         "process.peak_bytes",
                                         "load.others",
                                         "load.steal",
                                         "load.switches"};

/* These shrink as the median grows. */
static const char *const rates[] = {"throughput.tokens_per_s", "throughput.GB_per_s", "throughput.GFLOP_per_s",
                                    "throughput.bound.share"};

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

/* What is known of a figure, ascending; how many that are. */
static size_t sorted_values(const struct rounds *rounds, const char *path)
{
    size_t known = 0;
    for (size_t i = 0; i < rounds->n; i++) {
        rounds->value[known] = record_number(&rounds->record[i], path);
        known += !isnan(rounds->value[known]);
    }
    statistics_sort(rounds->value, known);
    return known;
}

/* The figure of the round that has the largest, as it stands there. */
static bool take_largest(const struct rounds *rounds, const char *path, json_t *merged)
{
    const struct record *largest = NULL;
    for (size_t i = 0; i < rounds->n; i++)
        if (!isnan(record_number(&rounds->record[i], path)) &&
            (!largest || record_number(&rounds->record[i], path) > record_number(largest, path)))
            largest = &rounds->record[i];
    return !largest || rounds_set(merged, path, json_deep_copy(record_at(largest, path)));
}

static bool take_plain(const struct rounds *rounds, json_t *merged)
{
    bool good = true;
    for (size_t i = 0; good && i < sizeof largest_of / sizeof largest_of[0]; i++)
        good = take_largest(rounds, largest_of[i], merged);
    for (size_t i = 0; good && i < sizeof medians / sizeof medians[0]; i++) {
        size_t known = sorted_values(rounds, medians[i]);
        good = known == 0 || rounds_set(merged, medians[i], json_number(statistics_median(rounds->value, known)));
    }
    return good;
}

/* The time that a round spends before it can validate and measure anything. */
static bool take_setup(const struct rounds *rounds, json_t *merged)
{
    size_t known = 0;
    for (size_t i = 0; i < rounds->n; i++) {
        const struct record *record = &rounds->record[i];
        rounds->value[known] = record_number(record, "process.inputs_s") + record_number(record, "process.plan_s");
        known += !isnan(rounds->value[known]);
    }
    statistics_sort(rounds->value, known);
    return rounds_set(merged, "process.setup_s", json_number(statistics_median(rounds->value, known)));
}

static bool take_clock(const struct rounds *rounds, json_t *merged)
{
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < rounds->n; i++) {
        const json_t *pair = record_at(&rounds->record[i], "load.addition_s");
        for (size_t k = 0; k < json_array_size(pair); k++) {
            const json_t *value = json_array_get(pair, k);
            least = json_is_number(value) ? fmin(least, json_number_value(value)) : least;
            most = json_is_number(value) ? fmax(most, json_number_value(value)) : most;
        }
    }
    return least > most || rounds_set(merged, "load.addition_s", json_pack("[f,f]", least, most));
}

static json_t *outlying_rounds(const struct rounds *rounds, const double *sorted, size_t n)
{
    double low, high;
    json_t *numbers = json_array();
    if (!numbers || !statistics_fences(sorted, n, &low, &high))
        return numbers;
    for (size_t i = 0; i < rounds->n; i++) {
        double median = record_number(&rounds->record[i], "throughput.median");
        if (median < low || median > high)
            json_array_append_new(numbers, json_deep_copy(record_at(&rounds->record[i], "round")));
    }
    return numbers;
}

/* The median of the rounds' medians, and how far it is known; no speed where the rounds do not agree in their result. */
static bool take_speed(const struct rounds *rounds, bool agree, const struct record *base, json_t *merged)
{
    double low = NAN, high = NAN;
    size_t within = sorted_values(rounds, "throughput.variation");
    double variation = statistics_median(rounds->value, within);
    size_t n = sorted_values(rounds, "throughput.median");
    n = agree ? n : 0;
    const double *sorted = rounds->value;
    double median = statistics_median(sorted, n);
    statistics_median_interval(sorted, n, &low, &high);
    const struct {
        const char *path;
        double value;
    } speed[] = {
        {"throughput.median", median},
        {"throughput.low", low},
        {"throughput.high", high},
        {"throughput.q1", statistics_quantile(sorted, n, 0.25)},
        {"throughput.q3", statistics_quantile(sorted, n, 0.75)},
        {"throughput.least", n ? sorted[0] : NAN},
        {"throughput.most", n ? sorted[n - 1] : NAN},
        {"throughput.between", statistics_variation(sorted, n)},
        {"throughput.within", n ? variation : NAN},
    };
    bool good = true;
    for (size_t i = 0; good && i < sizeof speed / sizeof speed[0]; i++)
        good = rounds_set(merged, speed[i].path, json_number(speed[i].value));
    double scale = record_number(base, "throughput.median") / median;
    for (size_t i = 0; good && i < sizeof rates / sizeof rates[0]; i++)
        good = !record_at(base, rates[i]) || rounds_set(merged, rates[i], json_number(record_number(base, rates[i]) * scale));
    return good && rounds_set(merged, "throughput.outliers", outlying_rounds(rounds, sorted, n));
}

bool rounds_take_figures(const struct rounds *rounds, bool agree, const struct record *base, json_t *merged)
{
    return take_plain(rounds, merged) && take_setup(rounds, merged) && take_clock(rounds, merged) &&
           take_speed(rounds, agree, base, merged);
}
