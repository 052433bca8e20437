/* See conclude.h. */
#include "bench/conclude.h"

#include "bench/folder.h"
#include "bench/journal.h"
#include "bench/points.h"
#include "bench/table.h"
#include "plots/plot.h"

#include <errno.h>
#include <string.h>

/* How many points ended how. */
struct results {
    size_t count[RESULT_COUNT], measured;
};

/* Counts the records of a journal by their results. */
static bool count_record(json_t *record, void *context)
{
    struct results *results = context;
    const char *word = json_string_value(json_object_get(record, "result"));
    enum result result = word != NULL ? result_find(word) : RESULT_COUNT;
    if (result < RESULT_COUNT) {
        results->count[result]++;
        results->measured++;
    }
    return true;
}

static void print_results(const struct results *results, const struct keys *keys, const char *folder, FILE *out)
{
    fprintf(out, "\nResults:");
    for (enum result result = 0; result < RESULT_COUNT; result++)
        if (results->count[result] > 0)
            fprintf(out, " %zu %s%s", results->count[result], result_name(result), result_failed(result) ? " (!)" : "");
    if (results->measured < keys->n)
        fprintf(out, "; %zu of %zu points were not measured", keys->n - results->measured, keys->n);
    fprintf(out, "\n\n  %s/\n    journal.jsonl  every record, raw samples included\n    machine.json   what it was measured on\n",
            folder);
}

bool conclude(const struct sweep *sweep, const char *folder, FILE *out, struct error *error)
{
    char table[PATH_MAX], journal[PATH_MAX];
    struct plots_drawn drawn;
    struct keys keys;
    struct results results = {.measured = 0};
    size_t torn;
    folder_file(folder, "table.csv", table);
    folder_file(folder, "journal.jsonl", journal);
    if (!points_read(folder, &keys, error))
        return false;
    bool good = journal_read(journal, count_record, &results, &torn, error) && table_print(out, journal, error);
    if (good)
        print_results(&results, &keys, folder, out);
    points_free(&keys);
    if (!good || !table_write(journal, table, error))
        return false;
    fprintf(out, "    table.csv      one row a record, units in the header\n");
    if (!plots_draw(sweep, journal, folder, &drawn, error))
        return false;
    fprintf(out, "    plots/*.svg    %zu pictures, each with its script and data\n", drawn.pictures);
    if (drawn.note[0] != '\0')
        fprintf(out, "\n%s\n", drawn.note);
    return (fflush(out) == 0 && !ferror(out)) || fail(error, "the summary could not be written: %s", strerror(errno));
}

bool conclude_again(const char *folder, FILE *out, struct error *error)
{
    char path[PATH_MAX], trimmed[FOLDER_SIZE];
    struct sweep sweep;
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    if (length == 0 || length >= sizeof trimmed)
        return fail(error, "expected the folder of a run, such as results/quick/run-1");
    snprintf(trimmed, sizeof trimmed, "%.*s", (int)length, folder);
    folder_file(trimmed, "sweep.yaml", path);
    if (!sweep_read(path, true, &sweep, error))
        return false;
    bool good = conclude(&sweep, trimmed, out, error);
    sweep_free(&sweep);
    return good;
}
