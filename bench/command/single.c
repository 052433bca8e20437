/* See single.h. */
#include "bench/command/single.h"

#include "bench/base/clock.h"
#include "bench/base/fence.h"
#include "bench/base/files.h"
#include "bench/base/inherited.h"
#include "bench/base/process.h"
#include "bench/base/shown.h"
#include "bench/base/text.h"
#include "bench/command/folder.h"
#include "bench/command/key_search.h"
#include "bench/command/round.h"
#include "bench/journal/records.h"
#include "bench/machine/machine.h"
#include "bench/measure/measure.h"
#include "bench/measure/trained.h"
#include "bench/plugin/describe.h"
#include "bench/plugin/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct search {
    struct key_search key;
    const char *results;
    char folder[PATH_MAX];    /* of the sweep that is being read */
    int number;               /* of the run that is being read, */
    const char *name;         /* and the name of its folder */
    json_t *record;           /* the latest record found */
    int found_in;             /* number of its run, */
    char found_run[PATH_MAX]; /* and its folder */
};

/* Later records and higher numbers of runs replace what was found: they are what the user saw last. */
static bool look_at(const struct record_line *line, void *context)
{
    struct search *search = context;
    const char *key = line_text(line->json, COLUMN_KEY);
    if (key == NULL || !key_search_takes(&search->key, key))
        return true;
    if (search->record == NULL || search->number >= search->found_in) {
        json_decref(search->record);
        search->record = json_incref(line->json);
        search->found_in = search->number;
        snprintf(search->found_run, sizeof search->found_run, "%.*s/%s", PATH_MAX - 300, search->folder, search->name);
    }
    return true;
}

/* The journal of one run. What cannot be read holds nothing that could be found, and is said. */
static void search_run(const char *name, void *context)
{
    struct search *search = context;
    char journal[PATH_MAX], passed_over[UNREAD_SIZE];
    struct unread unread;
    struct error reason;
    search->number = folder_number(name);
    search->name = name;
    int length = snprintf(journal, sizeof journal, "%s/%s/journal.jsonl", search->folder, name);
    if (search->number == 0 || length >= (int)sizeof journal || !files_is_there(journal))
        return;
    bool read = records_each(journal, look_at, search, &unread, &reason);
    if (read && !unread_say(&unread, journal, passed_over))
        return;
    fputs(read ? "" : "passed over: ", stderr);
    shown_lines(stderr, read ? passed_over : reason.text);
    fputc('\n', stderr);
}

/* Every run of one sweep. */
static void search_sweep(const char *name, void *context)
{
    struct search *search = context;
    struct error ignored;
    files_path(search->results, name, search->folder);
    if (name[0] != '.')
        files_list(search->folder, search_run, search, &ignored);
}

static bool find(const char *results, const char *digits, struct search *search, struct error *error)
{
    struct error reason;
    *search = (struct search){.results = results};
    if (!key_search_begin(&search->key, digits, "point", KEY_HALF, "as in points.txt of a run", error))
        return false;
    if (!files_list(results, search_sweep, search, &reason))
        return fail(error, "cannot read folder %.300s: %.600s", results, reason.text);
    return key_search_end(&search->key, results, error);
}

/* A file without a name that the worker can open as /dev/fd/N, whoever starts it. */
static bool hold_request(const char *text, char name[32], struct error *error)
{
    int file = memfd_create("point", 0);
    size_t length = strlen(text);
    if (file < 0 || write(file, text, length) != (ssize_t)length) {
        fail(error, "cannot pass the point on: %s", strerror(errno));
        if (file >= 0)
            close(file);
        return false;
    }
    snprintf(name, 32, "/dev/fd/%d", file);
    return true;
}

/* Does not come back unless something is wrong. */
static bool become(char *const wrapper[], const char *program, const char *request, const char *plugin, struct error *error)
{
    size_t n = 0;
    while (wrapper[n] != NULL)
        n++;
    const char **argv = calloc(n + 6, sizeof *argv);
    if (argv == NULL)
        return fail_memory(error);
    memcpy(argv, wrapper, n * sizeof *argv);
    argv[n] = program;
    argv[n + 1] = "worker";
    argv[n + 2] = request;
    argv[n + 3] = plugin != NULL ? "--plugin" : NULL;
    argv[n + 4] = plugin;
    inherited_restore();
    execvp(argv[0], (char *const *)argv);
    fail(error, "cannot run %s: %s", wrapper[0], strerror(errno));
    free(argv);
    return false;
}

/* The file of inputs may have changed since: then this is another problem under the old name. */
static void say_if_changed(const struct point *point, const struct conditions *conditions, const char *recorded)
{
    char now[KEY_SIZE];
    point_key(point, conditions, now);
    if (point->value[FIELD_INPUTS].kind == VALUE_TEXT && strncmp(now, recorded, KEY_HALF) != 0) {
        shown_line(stderr, point->value[FIELD_INPUTS].text);
        fputs(": its bytes are not those that the record was measured on\n", stderr);
    }
}

/* Waits where a run works on the training of this very point: before its worker begins, whose time is limited. The lock ends with
 * this process. */
static bool take_training(struct round_request *request, struct error *error)
{
    int lock;
    if (measures[request->point->value[FIELD_MEASURE].integer].of != OF_TRAINING)
        return true;
    enum trained_lock end = trained_lock(request->trained, false, &lock, error);
    if (end == TRAINED_TAKEN) {
        fprintf(stderr, "a run works on this training; waiting for it\n");
        end = trained_lock(request->trained, true, &lock, error);
    }
    request->locked = end == TRAINED_LOCKED;
    return request->locked;
}

static bool measure(const struct round_request *request, FILE *out, bool *failed, struct error *error)
{
    enum result result;
    bool changed;
    json_t *record = round_measure(request, &result, &changed, error);
    if (record == NULL)
        return false;
    bool printed =
        json_dumpf(record, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9) | JSON_ENSURE_ASCII) == 0 && fputc('\n', out) != EOF;
    *failed = result_failed(result);
    json_decref(record);
    return printed || ferror(out) || fail_memory(error);
}

bool single_run(const char *results, const char *key, const char *program, char *const wrapper[], FILE *out, bool *failed,
                struct error *error)
{
    struct search search;
    struct point point;
    struct sweep_run run = sweep_run_default;
    const struct calibration none = {.json = NULL};
    char label[200], name[32], machine[MACHINE_TYPE_SIZE], surroundings[MACHINE_TYPE_SIZE], trained[PATH_MAX];
    fence_set(results);
    bool good = find(results, key, &search, error) && point_from_json(json_object_get(search.record, "point"), &point, error) &&
                (machine_surroundings(surroundings) || fail_memory(error));
    const struct value *implementation = &point.value[FIELD_IMPLEMENTATION];
    if (good)
        plugins_read(search.found_run);
    const struct plugin_row *plugin = good ? point_plugin(&point) : NULL;
    if (good && implementation->kind == VALUE_TEXT && point_implementation(&point) == NULL)
        good = fail(error, "this program has no implementation %s", implementation->text);
    if (plugin != NULL && plugin->path[0] == '\0')
        good = fail(error, "%s: nothing is known of this plug-in; expected plugins.json in %.500s", plugin->name, search.found_run);
    if (good) {
        const json_t *limits = json_object_get(search.record, "limits");
        if (json_integer_value(json_object_get(limits, "samples")) > 0)
            run.samples = (int)json_integer_value(json_object_get(limits, "samples"));
        if (json_number_value(json_object_get(limits, "time_s")) > 0)
            run.time_limit = run.training_limit = json_number_value(json_object_get(limits, "time_s"));
        run.memory_limit = (size_t)json_integer_value(json_object_get(limits, "memory_bytes"));
        machine_type(machine);
        const struct conditions conditions = {.machine = machine, .surroundings = surroundings, .samples = run.samples};
        bool trains = trained_folder(results, &point, &conditions, trained);
        struct round_request request = {.point = &point,
                                        .key = json_string_value(json_object_get(search.record, "key")),
                                        .run = &run,
                                        .machine = json_string_value(json_object_get(search.record, "machine")),
                                        .program = PROCESS_SELF,
                                        .results = results,
                                        .trained = trains ? trained : NULL,
                                        .calibration = &none,
                                        .round = (int)json_integer_value(json_object_get(search.record, "round")),
                                        .since = clock_seconds()};
        say_if_changed(&point, &conditions, request.key);
        point_label(&point, sizeof label, label);
        shown_line(stderr, label);
        fputc('\n', stderr);
        char *text = wrapper != NULL ? round_worker_request(&request) : NULL;
        char *with = wrapper != NULL && plugin != NULL ? plugin_request(plugin->name) : NULL;
        if (wrapper == NULL)
            good = (!trains || take_training(&request, error)) && measure(&request, out, failed, error);
        else
            good =
                text != NULL ? hold_request(text, name, error) && become(wrapper, program, name, with, error) : fail_memory(error);
        free(text);
        free(with);
    }
    json_decref(search.record);
    return good;
}
