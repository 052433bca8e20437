/* See about.h. */
#include "bench/report/blocks/about.h"

#include "bench/base/shown.h"
#include "bench/base/statistics.h"
#include "bench/base/stream.h"
#include "bench/journal/warning.h"
#include "bench/report/blocks/values.h"
#include "bench/report/wrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- What happened ------------------------------------------------------------------------------------------------------- */

/* The first and the last start of a round. */
static void span_of(const struct records *rounds, const char **first, const char **last)
{
    *first = *last = "";
    for (size_t i = 0; i < rounds->n; i++) {
        const char *started = column_text(&rounds->record[i], COLUMN_STARTED);
        if (started == NULL)
            continue;
        *first = (*first)[0] == '\0' || strcmp(started, *first) < 0 ? started : *first;
        *last = strcmp(started, *last) > 0 ? started : *last;
    }
}

/* "2026-11-28 07:17 to 07:39 UTC", of texts in ISO 8601. */
static void put_span(FILE *out, const struct records *rounds)
{
    const char *first, *last;
    span_of(rounds, &first, &last);
    if (strlen(first) < 16)
        return;
    fprintf(out, "%.10s %.5s to ", first, first + 11);
    if (strncmp(first, last, 10) != 0)
        fprintf(out, "%.10s ", last);
    fprintf(out, "%.5s UTC", last + 11);
}

static void put_results(FILE *out, const struct records *points)
{
    size_t count[RESULT_COUNT + 1] = {0};
    const char *before = "";
    for (size_t i = 0; i < points->n; i++)
        count[points->record[i].result]++;
    for (int result = 0; result < RESULT_COUNT; result++)
        if (count[result] > 0) {
            fprintf(out, "%s%zu %s", before, count[result], result_name((enum result)result));
            before = ", ";
        }
}

/* Rounds a point: "1", "6", or "1 to 6". */
static void put_rounds(FILE *out, const struct records *points)
{
    int least = 0, most = 0;
    for (size_t i = 0; i < points->n; i++) {
        int rounds = (int)column_number(&points->record[i], COLUMN_ROUNDS);
        least = least == 0 || rounds < least ? rounds : least;
        most = rounds > most ? rounds : most;
    }
    fprintf(out, least == most ? "%d" : "%d to %d", least, most);
}

/* Different texts of the rounds in a column, cut to eight letters, in the order in which they come. */
static void put_texts(FILE *out, const struct records *rounds, enum column_id id, const char *one, const char *several)
{
    enum { SHOWN_MAX = 8 };
    const char *found[SHOWN_MAX];
    int n = 0;
    for (size_t i = 0; i < rounds->n; i++) {
        const char *text = column_text(&rounds->record[i], id);
        int at = 0;
        while (text != NULL && at < n && strcmp(found[at], text) != 0)
            at++;
        if (text != NULL && at == n && n < SHOWN_MAX)
            found[n++] = text;
    }
    for (int i = 0; i < n; i++)
        fprintf(out, "%s%.8s", i > 0 ? ", " : n > 1 ? several : one, found[i]);
}

static void put_seeds(FILE *out, const struct records *points)
{
    struct record **record = calloc(points->n + 1, sizeof *record);
    for (size_t i = 0; record != NULL && i < points->n; i++)
        record[i] = &points->record[i];
    for (int f = 0; record != NULL && f < FIELD_COUNT; f++) {
        char text[VALUE_TEXT_MAX];
        if (!fields[f].seed)
            continue;
        block_values(record, points->n, f, sizeof text, text);
        if (text[0] != '\0')
            fprintf(out, ", %s %s", fields[f].name, text);
    }
    free(record);
}

/* ---- How busy the machine was --------------------------------------------------------------------------------------------- */

static bool put_load(FILE *out, const struct records *rounds)
{
    double *others = calloc(rounds->n + 1, sizeof *others);
    size_t n = 0, busy = 0;
    if (others == NULL)
        return false;
    for (size_t i = 0; i < rounds->n; i++) {
        others[n] = column_number(&rounds->record[i], COLUMN_LOAD_OTHERS);
        n += !isnan(others[n]);
        busy += record_warned(&rounds->record[i], WARNING_BUSY) != NULL;
    }
    statistics_sort(others, n);
    if (n == 0)
        fprintf(out, " What else the machine did was not recorded.");
    else
        fprintf(out,
                " While it was timed, other processes kept %.2f processors busy in the median round and %.2f in the busiest, of "
                "%zu rounds "
                "that recorded it; %zu rounds are `busy`.",
                statistics_median(others, n), others[n - 1], n, busy);
    if (n > 0 && n < rounds->n)
        fprintf(out, " %zu rounds did not record it: those are short, or not timed.", rounds->n - n);
    free(others);
    return true;
}

static void put_warnings(FILE *out, const struct records *points)
{
    const char *before = " Warnings:";
    for (int code = 0; code < WARNING_COUNT; code++) {
        size_t count = 0;
        for (size_t i = 0; i < points->n; i++)
            count += record_warned(&points->record[i], (enum warning_code)code) != NULL;
        if (count > 0) {
            fprintf(out, "%s %zu points `%s`", before, count, warnings[code].code);
            before = ",";
        }
    }
    fprintf(out, before[0] == ',' ? "." : "");
}

/* ---- Where ---------------------------------------------------------------------------------------------------------------- */

static const char *text_at(const json_t *machine, const char *name, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(machine, name));
    return text != NULL ? text : otherwise;
}

static void put_machine(FILE *out, const json_t *machine)
{
    const json_t *cpu = json_object_get(machine, "cpu");
    long long usable = (long long)json_integer_value(json_object_get(cpu, "usable"));
    long long online = (long long)json_integer_value(json_object_get(cpu, "online"));
    shown_markdown(out, text_at(cpu, "model", "a processor that is not named"));
    fprintf(out, online > usable ? ", %lld of %lld " : ", %lld ", usable, online);
    fprintf(out, "%sprocessors, %.0f GiB, ", json_is_true(json_object_get(cpu, "virtualised")) ? "virtual " : "",
            json_number_value(json_object_get(machine, "memory_bytes")) / (1 << 30));
    shown_markdown(out, text_at(machine, "distribution", "Linux"));
    fputs(", ", out);
    shown_markdown(out, text_at(machine, "compiler", "a compiler that is not named"));
}

/* Bandwidth of the largest working set and rate of multiply-adds, of the most threads that were measured. */
static void put_limits(FILE *out, const json_t *machine)
{
    const json_t *roofs = json_object_get(machine, "roofs"), *all = json_object_get(roofs, "threads");
    json_t *values;
    const json_t *most = json_array_get(all, json_array_size(all) - 1);
    const char *kernel, *level = text_at(roofs, "level", "");
    double bandwidth = 0;
    if (most == NULL)
        return;
    json_object_foreach((json_t *)json_object_get(most, "MB_per_s"), kernel, values) bandwidth =
        fmax(bandwidth, json_number_value(json_array_get(values, json_array_size(values) - 1)));
    double rate = json_number_value(json_object_get(json_object_get(json_object_get(most, "MFLOP_per_s"), "float32"), level));
    long long threads = json_integer_value(json_object_get(most, "threads"));
    fprintf(out, " The limits that it measured of its machine, with %lld thread%s: %.1f GB/s from memory, %.0f GFLOP/s in float32.",
            threads, threads == 1 ? "" : "s", bandwidth / 1e3, rate / 1e3);
}

static bool put_paragraph(FILE *out, const struct block *block, const struct block_data *data, const char *home)
{
    struct stream text;
    const char *slash = strrchr(block->folder[0], '/');
    if (!stream_open(&text))
        return false;
    fprintf(text.file, "Measured ");
    put_span(text.file, &data->rounds);
    fputs(" on ", text.file);
    put_machine(text.file, data->machine);
    fprintf(text.file, ". [%s](%s%s) has %zu points (", slash != NULL ? slash + 1 : block->folder[0], home, block->folder[0],
            data->points.n);
    put_results(text.file, &data->points);
    fputs("), rounds a point: ", text.file);
    put_rounds(text.file, &data->points);
    put_seeds(text.file, &data->points);
    fputs("; commit ", text.file);
    shown_markdown(text.file, text_at(data->machine, "commit", "not recorded"));
    put_texts(text.file, &data->rounds, COLUMN_HARNESS, ", harness ", ", harnesses ");
    fputc('.', text.file);
    put_limits(text.file, data->machine);
    bool good = put_load(text.file, &data->rounds);
    put_warnings(text.file, &data->points);
    if (!stream_close(&text))
        return false;
    if (good)
        wrap_print(out, text.text, BLOCK_WIDTH, 0, 0);
    free(text.text);
    return good;
}

static void put_row(FILE *out, const char *folder, const struct block_data *data, const char *home)
{
    const char *slash = strrchr(folder, '/');
    fprintf(out, "| [%s](%s%s) | ", slash != NULL ? slash + 1 : folder, home, folder);
    put_span(out, &data->rounds);
    fprintf(out, " | %zu | ", data->points.n);
    put_rounds(out, &data->points);
    fputs(" | ", out);
    put_results(out, &data->points);
    fputs(" | ", out);
    put_texts(out, &data->rounds, COLUMN_HARNESS, "", "");
    fputs(" |\n", out);
}

bool block_print_about(FILE *out, const struct block *block, struct block_data *const data[], const char *home, struct error *error)
{
    if (!block->listed)
        return put_paragraph(out, block, data[0], home) || fail_memory(error);
    fputs("| folder | rounds started | points | rounds a point | results | harness |\n|---|---|---:|---:|---|---|\n", out);
    for (int i = 0; i < block->n_folders; i++)
        put_row(out, block->folder[i], data[i], home);
    return true;
}
