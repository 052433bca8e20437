/* Makes a finished run of any size without measuring it, for tests/scale.sh: each point of a sweep gets the record of a point of the
 * same measure that was measured, with its own key, and figures of its own size.
 *
 *   make_run SWEEP MEASURED.jsonl RESULTS */
#include "bench/base/files.h"
#include "bench/command/folder.h"
#include "bench/command/tally.h"
#include "bench/command/vocabulary.h"
#include "bench/journal/records.h"
#include "bench/machine/machine.h"
#include "bench/machine/machine_threads.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEASURES_MAX = 32 };

/* The first record of each measure. */
static bool keep_first(const struct record_line *line, void *context)
{
    json_t **first = context;
    json_t **slot = &first[line->point.value[FIELD_MEASURE].integer];
    if (*slot == NULL)
        *slot = json_incref(line->json);
    return true;
}

/* Seconds that grow with the size of the problem, and vary a little. */
static json_t *made_throughput(const json_t *measured, const struct problem *problem, size_t i)
{
    json_t *made = json_deep_copy(measured);
    double median = 1e-9 * (double)(problem->B * problem->T * problem->d) * (1 + 0.1 * sin((double)i));
    size_t n = json_array_size(json_object_get(made, "seconds"));
    for (size_t k = 0; k < n; k++)
        json_array_set_new(json_object_get(made, "seconds"), k, json_real(median * (1 + 0.01 * (double)k)));
    json_object_set_new(made, "median", json_real(median));
    return made;
}

static json_t *made_record(const json_t *measured, const struct point *point, const char *key, size_t i)
{
    const struct problem problem = point_problem(point);
    json_t *record = json_deep_copy(measured);
    json_object_set_new(record, "key", json_string(key));
    json_object_set_new(record, "build", json_string(point_build(point)));
    json_object_set_new(record, "harness", json_string(point_harness(point)));
    json_object_set_new(record, "point", point_to_json(point));
    const json_t *throughput = json_object_get(record, "throughput");
    if (json_is_object(throughput))
        json_object_set_new(record, "throughput", made_throughput(throughput, &problem, i));
    return record;
}

static bool make(const char *path, const char *measured, const char *results, struct error *error)
{
    char machine[MACHINE_TYPE_SIZE], surroundings[MACHINE_TYPE_SIZE], file[PATH_MAX];
    struct sweep sweep;
    struct folder folder;
    struct tally tally;
    struct journal *journal;
    json_t *first[MEASURES_MAX] = {NULL};
    struct unread unread;
    machine_type(machine);
    if (!sweep_read(&sweep_vocabulary, path, NULL, true, &sweep, error) || !machine_surroundings(surroundings) ||
        !records_each(measured, keep_first, first, &unread, error) ||
        !folder_open(results, sweep.name, true, machine, &folder, error))
        return false;
    const struct conditions conditions = {.machine = machine, .surroundings = surroundings, .samples = sweep.run.samples};
    files_path(folder.path, "journal.jsonl", file);
    if (!tally_make(&sweep, &conditions, false, &tally, error) || !journal_open(file, &journal, error))
        return false;
    bool good = true;
    for (size_t i = 0; i < sweep.n_points && good; i++) {
        const json_t *like = first[sweep.point[i].value[FIELD_MEASURE].integer];
        json_t *record = like != NULL ? made_record(like, &sweep.point[i], tally.point[i].key, i) : NULL;
        good = record != NULL ? journal_append(journal, record, error)
                              : fail(error, "%s: holds no record of the measure of point %zu", measured, i + 1);
        json_decref(record);
    }
    journal_close(journal);
    tally_free(&tally);
    sweep_free(&sweep);
    for (size_t i = 0; i < MEASURES_MAX; i++)
        json_decref(first[i]);
    return good;
}

int main(int argc, char **argv)
{
    struct error error = {.text = ""};
    machine_settle_threads();
    if (argc != 4) {
        fputs("expected make_run SWEEP MEASURED.jsonl RESULTS\n", stderr);
        return 2;
    }
    if (make(argv[1], argv[2], argv[3], &error))
        return EXIT_SUCCESS;
    fprintf(stderr, "%s\n", error.text);
    return EXIT_FAILURE;
}
