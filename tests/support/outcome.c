/* See outcome.h. */
#include "tests/support/outcome.h"

#include "bench/journal/records.h"
#include "tests/support/program.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char outcome_sweep[] = "name: tiny\nmeasure: [convergence, throughput]\nimpls: fixed_point\nproblem: {T: 2, d: 2}\n"
                             "settings: {l: 2}\nrun: {threads: 1, samples: 1, rounds: 1, time_limit: 1 h, calibration: none}\n";

const char outcome_trained_sweep[] =
    "name: tiny\nmeasure: [training, accuracy]\ntask: [parity labels=all]\nmodel: {layer: [lstm], d: 4, d_model: 4}\n"
    "recipe: {steps: 4, batch: 2, train_length: 4, warmup: 1}\ntest: {test_length: 4, examples: 4}\n"
    "run: {rounds: 1, threads: 1, time_limit: 1 h, training_limit: 1 h, checkpoint_every: 1 s, calibration: none}\n";

static off_t size_of(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat about;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return stat(path, &about) == 0 ? about.st_size : 0;
}

static size_t count_files(const char *folder, const char *pattern)
{
    char path[PATH_MAX];
    glob_t found;
    snprintf(path, sizeof path, "%s/%s", folder, pattern);
    size_t n = glob(path, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    globfree(&found);
    return n;
}

/* Of a run in which nothing failed. */
static json_t *reference[OUTCOME_POINTS];
static size_t reference_pictures;

/* Whether a record has every member that another one has: values may differ, and so may how many samples there are. */
static bool has_members(const json_t *record, const json_t *other)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)other, name, value)
    {
        const json_t *same = json_object_get(record, name);
        if (same == NULL || !has_members(same, value))
            return false;
    }
    return true;
}

/* The first records that are asked about are the reference. */
static bool is_whole(size_t point, json_t *record)
{
    if (reference[point] == NULL)
        reference[point] = json_incref(record);
    return has_members(record, reference[point]);
}

/* The valid lines of a journal, by their numbers; null for the others. */
static bool keep_line(const struct record_line *line, void *lines)
{
    while (json_array_size(lines) < line->line)
        json_array_append_new(lines, json_null());
    return json_array_append(lines, line->json) == 0;
}

static void look_at_journal(const char *path, struct outcome *outcome, size_t *ok)
{
    struct records records;
    struct unread unread;
    struct error error;
    size_t point = 0;
    json_t *lines = json_array();
    if (!records_each(path, keep_line, lines, &unread, &error) || !records_read(path, &records, &error)) {
        outcome->unsound = "a journal that cannot be read";
        json_decref(lines);
        return;
    }
    for (size_t i = 0; i < records.n; i++) {
        const struct record *record = &records.record[i];
        /* Of a point that is measured again the records follow each other. */
        if (i + 1 < records.n && point_equal(&record->point, &record[1].point)) {
            if (!result_failed(record->result))
                outcome->unsound = "a round that was finished and measured again";
            continue;
        }
        outcome->failed = outcome->failed || result_failed(record->result);
        *ok += record->result == RESULT_OK && point < OUTCOME_POINTS && is_whole(point, json_array_get(lines, record->line));
        point++;
    }
    outcome->records = records.n > outcome->records ? records.n : outcome->records;
    if (point > OUTCOME_POINTS)
        outcome->unsound = "more points than the sweep has";
    if (records.unread.torn > 0) /* the next run cuts it off */
        *ok = 0;
    json_decref(lines);
    records_free(&records);
}

static void look_at_facts(const char *path, struct outcome *outcome)
{
    json_t *facts = json_load_file(path, 0, NULL);
    if (!json_is_object(facts))
        outcome->unsound = "a machine.json that cannot be read";
    json_decref(facts);
}

static void look_at_folder(const char *folder, struct outcome *outcome)
{
    char path[PATH_MAX];
    size_t ok = 0;
    if (count_files(folder, "*.new") + count_files(folder, "plots/*.new*") > 0)
        outcome->unsound = "a file that was not finished";
    snprintf(path, sizeof path, "%s/machine.json", folder);
    if (access(path, F_OK) == 0)
        look_at_facts(path, outcome);
    snprintf(path, sizeof path, "%s/journal.jsonl", folder);
    if (access(path, F_OK) == 0)
        look_at_journal(path, outcome, &ok);
    size_t pictures = count_files(folder, "plots/*.svg");
    if (reference_pictures == 0)
        reference_pictures = pictures;
    if (ok == OUTCOME_POINTS && size_of(folder, "table.csv") > 0 && pictures > 0 && pictures == reference_pictures)
        outcome->complete = true;
}

static void look_at(const char *results, struct outcome *outcome)
{
    char pattern[PATH_MAX];
    glob_t folders;
    snprintf(pattern, sizeof pattern, "%s/tiny/*", results);
    if (glob(pattern, GLOB_ONLYDIR, NULL, &folders) == 0)
        for (size_t i = 0; i < folders.gl_pathc; i++)
            look_at_folder(folders.gl_pathv[i], outcome);
    globfree(&folders);
}

struct outcome outcome_run(const char *const *argv, const char *results)
{
    struct outcome outcome = {0};
    const struct process_request request = {.argv = argv, .time_limit = HANG};
    struct process_result process;
    struct error error;
    if (!process_run(&request, &process, &error)) {
        outcome.unsound = "no process at all";
        return outcome;
    }
    outcome.ended = !process.timed_out && process.signal == 0;
    outcome.status = process.exit_status;
    memcpy(outcome.errors, process.errors, sizeof outcome.errors);
    process_result_free(&process);
    look_at(results, &outcome);
    return outcome;
}
