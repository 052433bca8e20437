/* See predict.h. */
#include "bench/command/predict.h"

#include "bench/base/parse.h"
#include "bench/base/process.h"
#include "bench/base/text.h"
#include "bench/command/vocabulary.h"
#include "bench/machine/cards.h"
#include "bench/machine/device.h"
#include "bench/machine/machine_memory.h"
#include "bench/machine/roofs.h"
#include "bench/measure/worker.h"
#include "bench/sweep/sweep.h"
#include "impls/cuda/registry.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 5, NAME = 26, CARD = 15 };

static const double TIME_LIMIT = 120; /* of one measurement */

/* Whether something can be said of a point: nothing is counted of backward passes, nor before it is known when a tolerance is met. */
static bool predictable(const struct point *point)
{
    return point_on_device(point) && point->value[FIELD_MEASURE].kind == VALUE_WORD &&
           strcmp(measure_word((int)point->value[FIELD_MEASURE].integer), "throughput") == 0 &&
           point_settings(point).gradient == GRADIENT_NONE && !(point_real(point, FIELD_TOLERANCE, 0) > 0);
}

static bool supported(const struct point *point)
{
    struct problem problem = point_problem(point);
    struct settings settings = point_settings(point);
    const struct environment environment = {.threads = point_threads(point), .memory_limit = machine_memory_available()};
    struct support support;
    point_implementation(point)->supports(&problem, &settings, &environment, &support);
    return support.yes;
}

/* The seconds of a call, as a worker measures and validates it; NaN with *result in words where it does not come to that. */
static bool measure(const char *program, const struct point *point, double *seconds, char result[32], struct error *error)
{
    const struct limits limits = {.samples = SAMPLES, .time_limit = TIME_LIMIT};
    const char *const argv[] = {program, "worker", NULL};
    char *input = worker_request(point, &limits);
    *seconds = NAN;
    if (input == NULL)
        return fail_memory(error);
    const struct process_request child = {.argv = argv, .input = input, .input_size = strlen(input), .time_limit = TIME_LIMIT};
    struct process_result process;
    json_t *finding = NULL;
    bool good = process_run(&child, &process, error);
    free(input);
    if (!good)
        return false;
    good = json_parse(process.output, process.output_size, 0, &finding, NULL) || fail_memory(error);
    const json_t *median = json_object_get(json_object_get(finding, "throughput"), "median");
    const char *word = json_string_value(json_object_get(finding, "result"));
    if (json_is_number(median))
        *seconds = json_number_value(median);
    snprintf(result, 32, "%s", process.timed_out ? "timed_out" : word != NULL ? word : "crashed");
    json_decref(finding);
    process_result_free(&process);
    return good;
}

static void put_head(FILE *out, const struct cards *cards, bool measured)
{
    fprintf(out,
            "Predicted GPU time: bytes and operations as counted, over the data-sheet peaks in bench/machine/cards.yaml.\n"
            "Launches, waiting and an underfilled GPU are not modelled.\n"
            "GPU implementations: %s.\n\n",
            CUDA_PROOF);
    fprintf(out, "%-*s %4s %6s %5s %3s %3s %7s %7s", NAME, "implementation", "B", "T", "d", "r", "l", "MB", "GFLOP");
    for (int i = 0; i < cards->n; i++)
        fprintf(out, " %*s", CARD, cards->card[i].name);
    fprintf(out, "%s\n", measured ? "     here" : "");
}

static void put_count(FILE *out, int64_t value, int width)
{
    if (value > 0)
        fprintf(out, " %*" PRId64, width, value);
    else
        fprintf(out, " %*s", width, "");
}

static bool put_point(FILE *out, const char *program, const struct cards *cards, const struct point *point, bool measured,
                      struct error *error)
{
    struct problem p = point_problem(point);
    struct settings settings = point_settings(point);
    const struct environment environment = {.threads = point_threads(point)};
    const struct implementation *implementation = point_implementation(point);
    char name[VALUE_TEXT_MAX], text[32], result[32];
    struct work work;
    implementation->count(&p, &settings, &environment, settings.l_max, &work);
    field_print(FIELD_IMPLEMENTATION, &point->value[FIELD_IMPLEMENTATION], sizeof name, name);
    fprintf(out, "%-*s %4" PRId64 " %6" PRId64 " %5" PRId64, NAME, name, p.B, p.T, p.d);
    put_count(out, p.r, 3);
    put_count(out, implementation->exact ? 0 : settings.l_max, 3);
    if (!(work.bytes > 0)) {
        fprintf(out, " no counts in a build without CUDA\n");
        return true;
    }
    fprintf(out, " %7.1f %7.2f", work.bytes / 1e6, work.operations / 1e9);
    for (int i = 0; i < cards->n; i++) {
        struct bound bound;
        const struct roofs roofs = {.device = {cards->card[i].bandwidth, cards->card[i].rate}};
        roofs_device_bound(&roofs, &work, &bound);
        text_seconds(bound.seconds, sizeof text, text);
        fprintf(out, " %*s %s", CARD - 6, text, bound.bytes_bind ? "bytes" : "flops");
    }
    if (measured && supported(point)) {
        double seconds;
        fflush(out);
        if (!measure(program, point, &seconds, result, error))
            return false;
        text_seconds(seconds, sizeof text, text);
        fprintf(out, " %8s", isnan(seconds) ? result : text);
    }
    fputc('\n', out);
    return true;
}

bool predict_print(FILE *out, const char *program, const char *cards_path, const char *sweep_path, struct error *error)
{
    struct sweep *sweep = calloc(1, sizeof *sweep);
    struct cards cards;
    if (sweep == NULL)
        return fail_memory(error);
    bool good = cards_read(cards_path, &cards, error);
    if (good && (good = sweep_read(&sweep_vocabulary, sweep_path, NULL, true, sweep, error))) {
        bool measured = false;
        size_t n = 0;
        for (size_t i = 0; i < sweep->n_points; i++)
            measured = measured || (predictable(&sweep->point[i]) && supported(&sweep->point[i]));
        put_head(out, &cards, measured);
        for (size_t i = 0; i < sweep->n_points && good; i++)
            if (predictable(&sweep->point[i])) {
                good = put_point(out, program, &cards, &sweep->point[i], measured, error);
                n++;
            }
        if (n == 0)
            fprintf(out, "(%s has no forward pass on a GPU)\n", sweep_path);
        for (int i = 0; i < cards.n; i++)
            fprintf(out, "%s%s: %.0f GB/s, %.0f GFLOP/s of float32 (%s)\n", i == 0 ? "\n" : "", cards.card[i].name,
                    cards.card[i].bandwidth / 1e9, cards.card[i].rate / 1e9, cards.card[i].source);
        sweep_free(sweep);
    }
    cards_free(&cards);
    free(sweep);
    return good;
}
