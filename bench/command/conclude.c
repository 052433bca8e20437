/* See conclude.h. */
#include "bench/command/conclude.h"

#include "bench/base/fence.h"
#include "bench/base/files.h"
#include "bench/base/shown.h"
#include "bench/command/folder.h"
#include "bench/command/points.h"
#include "bench/command/vocabulary.h"
#include "bench/machine/machine_file.h"
#include "bench/measure/measure.h"
#include "bench/plugin/describe.h"
#include "bench/report/comparison.h"
#include "bench/report/longest.h"
#include "bench/report/overhead.h"
#include "bench/report/paired.h"
#include "bench/report/summary.h"
#include "bench/report/table.h"
#include "bench/report/warning_print.h"
#include "plots/plot.h"

#include <errno.h>
#include <string.h>

/* How many points ended how. */
struct results {
    size_t count[RESULT_COUNT], measured;
    size_t lacking; /* rounds that the sweep asks for */
};

static bool lacks_rounds(const struct record *record, int rounds)
{
    const bool paired = packed_within(&record->packed, COLUMN_VERDICT); /* as many as its verdict takes */
    return record->result == RESULT_OK && !paired && measures[record->point.value[FIELD_MEASURE].integer].repeats &&
           column_number(record, COLUMN_ROUNDS) < rounds;
}

static struct results count_points(const struct records *records, int rounds)
{
    struct results results = {.measured = 0};
    for (size_t i = 0; i < records->n; i++)
        if (records->record[i].result < RESULT_COUNT) {
            results.count[records->record[i].result]++;
            results.measured++;
            results.lacking += lacks_rounds(&records->record[i], rounds);
        }
    return results;
}

static bool is_current(const struct record *record, void *keys)
{
    return points_hold(keys, column_text(record, COLUMN_KEY));
}

/* One record a point, of those that the run is about, and what its rounds cost. */
static bool read_points(const struct sweep *sweep, const char *folder, const struct keys *keys, struct records *records,
                        struct overhead *overhead, struct comparisons *comparisons, struct error *error)
{
    char journal[PATH_MAX];
    struct keys held = *keys;
    files_path(folder, "journal.jsonl", journal);
    if (!records_read(journal, records, error))
        return false;
    records_keep(records, is_current, &held);
    if (!overhead_of(records, overhead, error) ||
        !comparisons_of(records, sweep->baseline, sweep->run.margin, comparisons, error)) {
        records_free(records);
        return false;
    }
    if (records_merge(records, error) && longest_add(records, error) && comparisons_add(comparisons, records, error))
        return true;
    comparisons_free(comparisons);
    records_free(records);
    return false;
}

/* What the run did against disturbances, by its sweep and the machine that measured it. */
static bool precautions_of(const struct sweep *sweep, const char *folder, struct precautions *precautions, struct error *error)
{
    bool ignored; /* plots_draw() says it */
    const struct sweep_run *run = &sweep->run;
    *precautions = (struct precautions){.rounds = run->rounds, .samples = run->samples, .until = run->relative_interval > 0};
    json_t *facts;
    if (!machine_file_read(folder, &facts, &ignored))
        return fail_memory(error);
    precautions_of_machine(facts, precautions);
    json_decref(facts);
    return true;
}

static void print_results(const struct results *results, const struct overhead *overhead, const struct keys *keys,
                          const char *folder, FILE *out)
{
    fprintf(out, "\nResults:");
    for (enum result result = 0; result < RESULT_COUNT; result++)
        if (results->count[result] > 0)
            fprintf(out, " %zu %s%s", results->count[result], result_name(result), result_failed(result) ? " (!)" : "");
    if (results->measured < keys->n)
        fprintf(out, "; %zu of %zu points were not measured", keys->n - results->measured, keys->n);
    if (results->lacking > 0)
        fprintf(out, "; of %zu points some rounds are missing", results->lacking);
    fprintf(out, "\n");
    overhead_print(overhead, out);
    fputs("\n  ", out);
    shown_line(out, folder);
    fputs("/\n    journal.jsonl  every record, raw samples included\n    machine.json   the machine and the command\n", out);
}

/* Points that the baseline has no counterpart of, or several. */
static void say_alone(const struct sweep *sweep, FILE *out)
{
    size_t alone = 0;
    for (size_t i = 0; sweep->partner != NULL && sweep->baseline != NULL && i < sweep->n_points; i++) {
        const struct value *values = sweep->point[i].value;
        alone += sweep->partner[i] == SWEEP_ALONE && measures[values[FIELD_MEASURE].integer].repeats &&
                 strcmp(values[FIELD_IMPLEMENTATION].text, sweep->baseline) != 0;
    }
    if (alone > 0)
        fprintf(out, "Not compared: %zu points, of which the baseline has no counterpart, or several.\n", alone);
}

/* Whatever can be said without writing a file. */
static bool say(const struct sweep *sweep, const struct records *records, const struct comparisons *comparisons,
                const struct overhead *overhead, const struct keys *keys, const char *folder, FILE *out, struct error *error)
{
    char journal[PATH_MAX], passed_over[UNREAD_SIZE];
    files_path(folder, "journal.jsonl", journal);
    if (unread_say(&records->unread, journal, passed_over)) {
        shown_lines(out, passed_over);
        fputc('\n', out);
    }
    struct precautions precautions;
    struct results results = count_points(records, sweep->run.rounds);
    bool good = precautions_of(sweep, folder, &precautions, error) && table_print(out, records, error) &&
                comparisons_print(out, comparisons, records, error);
    if (good)
        say_alone(sweep, out);
    good = good && warnings_print(out, records, &precautions, error);
    if (good)
        print_results(&results, overhead, keys, folder, out);
    return good;
}

static void clear_leftovers(const char *folder)
{
    char plots[PATH_MAX];
    files_path(folder, "plots", plots);
    files_clear_leftovers(folder);
    files_clear_leftovers(plots);
}

bool conclude(const struct sweep *sweep, const char *folder, FILE *out, struct error *error)
{
    char csv[PATH_MAX], table[PATH_MAX], comparison[PATH_MAX];
    struct plots_drawn drawn;
    struct keys keys;
    struct records records;
    struct comparisons comparisons;
    struct overhead overhead;
    files_path(folder, "table.csv", csv);
    files_path(folder, "table.txt", table);
    files_path(folder, "comparison.md", comparison);
    clear_leftovers(folder);
    if (!points_read(folder, &keys, error))
        return false;
    if (!read_points(sweep, folder, &keys, &records, &overhead, &comparisons, error)) {
        points_free(&keys);
        return false;
    }
    bool good = say(sweep, &records, &comparisons, &overhead, &keys, folder, out, error) && table_write(&records, csv, error) &&
                table_print_to(table, &records, &comparisons, error);
    if (good)
        fprintf(out, "    table.csv      one row per point (columns: docs/columns.md)\n    table.txt      the tables above\n");
    good = good && comparison_write(sweep, &records, comparison, error);
    if (good && sweep->n_claims > 0)
        fprintf(out, "    comparison.md  the paper's figures beside those of this run\n");
    good = good && plots_draw(sweep, &records, folder, &drawn, error);
    comparisons_free(&comparisons);
    records_free(&records);
    points_free(&keys);
    if (!good)
        return false;
    fprintf(out, "    plots/*.svg    %zu plots, each with its script and data\n", drawn.pictures);
    if (drawn.note[0] != '\0') {
        fputc('\n', out);
        shown_lines(out, drawn.note);
        fputc('\n', out);
    }
    return true;
}

bool conclude_again(const char *folder, FILE *out, struct error *error)
{
    char path[PATH_MAX], trimmed[FOLDER_SIZE], scale[SWEEP_NAME_MAX];
    struct sweep sweep;
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    if (length == 0 || length >= sizeof trimmed)
        return fail(error, "expected the folder of a run, such as results/quick/run-1");
    snprintf(trimmed, sizeof trimmed, "%.*s", (int)length, folder);
    fence_set(trimmed);
    files_path(trimmed, "sweep.yaml", path);
    folder_scale(trimmed, sizeof scale, scale);
    plugins_read(trimmed);
    if (!sweep_read_kept(&sweep_vocabulary, path, scale[0] != '\0' ? scale : NULL, &sweep, error))
        return false;
    sweep.baseline = NULL; /* the command line may have named another one: that of the last pair */
    bool good = conclude(&sweep, trimmed, out, error);
    sweep_free(&sweep);
    return good;
}
