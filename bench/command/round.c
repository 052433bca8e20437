/* See round.h. */
#include "bench/command/round.h"

#include "bench/base/clock.h"
#include "bench/base/parse.h"
#include "bench/base/process.h"
#include "bench/journal/journal.h"
#include "bench/machine/device.h"
#include "bench/machine/machine_memory.h"
#include "bench/measure/warning_find.h"
#include "bench/measure/worker.h"
#include "bench/plugin/guard.h"
#include "bench/plugin/work.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a training that has used up its time needs to write its last checkpoint. */
static const double GRACE = 30;

#define MEMORY_SHARE 0.9 /* of what is free, so that measuring a point does not start the system swapping */

static void utc_now(size_t capacity, char text[capacity])
{
    time_t now = time(NULL);
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(text, capacity, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

static size_t memory_limit(const struct sweep_run *run)
{
    return run->memory_limit > 0 ? run->memory_limit : (size_t)(MEMORY_SHARE * (double)machine_memory_available());
}

char *round_worker_request(const struct round_request *request)
{
    const struct limits limits = {.samples = request->run->samples,
                                  .round = request->round,
                                  .time_limit = sweep_run_limit(request->run, request->point),
                                  .checkpoint_every = request->run->checkpoint_every,
                                  .memory_limit = memory_limit(request->run),
                                  .results = request->results,
                                  .cache = request->cache,
                                  .digest = request->digest,
                                  .trained = request->trained,
                                  .locked = request->locked};
    return worker_request(request->point, &limits);
}

/* ": in forward(): wrote to the input v", where a plug-in was at work when a process ended; "" else. */
static void say_plugin(const struct process_result *process, size_t capacity, char text[capacity])
{
    const char *said = NULL, *next = process->errors;
    while ((next = strstr(next, GUARD_SAYS)) != NULL) {
        next += strlen(GUARD_SAYS);
        said = next;
    }
    snprintf(text, capacity, "%s%.*s", said != NULL ? ": plug-in " : "", said != NULL ? (int)strcspn(said, "\n") : 0,
             said != NULL ? said : "");
}

/* What the child said, or what became of it. The object belongs to the caller; NULL when out of memory. */
static json_t *outcome(const struct process_result *process, const struct process_request *limits)
{
    char message[512], plugin[200];
    enum result result = RESULT_CRASHED;
    json_t *finding;
    if (!json_parse(process->output, process->output_size, 0, &finding, NULL))
        return NULL;
    if (!process->timed_out && process->signal == 0 && process->exit_status == 0 && json_is_object(finding))
        return finding;
    json_decref(finding);
    say_plugin(process, sizeof plugin, plugin);
    if (process->timed_out) {
        result = RESULT_TIMED_OUT;
        snprintf(message, sizeof message, "time limit reached: %g s%s", limits->time_limit, plugin);
    } else if (process->over_memory > 0) {
        result = (enum result)STATUS_OUT_OF_MEMORY;
        snprintf(message, sizeof message, "memory limit reached: the process held %.1f MB, the limit is %.1f MB",
                 (double)process->over_memory / 1e6, (double)limits->memory_limit / 1e6);
    } else if (process->flooded) {
        snprintf(message, sizeof message, "output limit reached: the process wrote more than %d MiB", PROCESS_OUTPUT_MAX >> 20);
    } else if (process->signal != 0) {
        snprintf(message, sizeof message, "ended by signal %d (%s)%s", process->signal, strsignal(process->signal), plugin);
    } else if (plugin[0] == '\0' && process->errors[0] == '\0') {
        snprintf(message, sizeof message, "exit status %d: ended without an answer", process->exit_status);
    } else if (plugin[0] != '\0') {
        snprintf(message, sizeof message, "exit status %d%s", process->exit_status, plugin);
    } else {
        snprintf(message, sizeof message, "exit status %d: %.400s", process->exit_status, process->errors);
    }
    return json_pack("{ss so sn sn}", "result", result_name(result), "message", json_text(message), "place", "inputs");
}

/* Where the seconds went. Takes what the worker says of that out of its finding. */
static json_t *account(const struct process_result *process, const struct round_request *request, json_t *finding)
{
    const json_t *stages = json_object_get(finding, "stages"), *began = json_object_get(finding, "began");
    double start = json_is_number(began) ? json_number_value(began) - process->started : NAN, known = fmax(start, 0);
    json_t *account = json_pack("{sf sI si si so}", "wall_s", process->wall, "peak_bytes", (json_int_t)process->peak_bytes,
                                "signal", process->signal, "exit", process->exit_status, "start_s", json_number(start));
    bool told = stages != NULL; /* a process that crashed did not say what it did */
    double silent =
        process->spoke > 0 ? fmax(process->started + process->wall - process->spoke, 0) : 0; /* its memory is taken back */
    for (int i = 0; i < STAGE_COUNT && account != NULL; i++) {
        char name[32];
        const json_t *seconds = json_object_get(stages, stage_names[i]);
        snprintf(name, sizeof name, "%s_s", stage_names[i]);
        double stage = json_is_number(seconds) ? json_number_value(seconds) + (i == STAGE_END ? silent : 0) : NAN;
        known += isnan(stage) ? 0 : stage;
        json_object_set_new(account, name, json_number(stage));
    }
    json_object_set_new(account, "harness_s", json_number(clock_seconds() - request->since - (told ? known : process->wall)));
    json_object_del(finding, "stages");
    json_object_del(finding, "began");
    return account;
}

static json_t *compose(const struct round_request *request, const char *started)
{
    const struct sweep_run *run = request->run;
    json_t *order = json_pack("{sI sI}", "seed", (json_int_t)run->order_seed, "place", (json_int_t)request->place);
    json_t *limits = json_pack("{si sf so}", "samples", run->samples, "time_s", sweep_run_limit(run, request->point),
                               "memory_bytes", run->memory_limit > 0 ? json_integer((json_int_t)run->memory_limit) : json_null());
    const struct round_pair *half = request->pair;
    json_t *pair =
        half != NULL ? json_pack("{si ss ss}", "number", half->number, "side", half->side, "with", half->with) : json_null();
    json_t *device = point_on_device(request->point) ? device_of_record() : json_null();
    return json_pack("{si ss si so so ss ss so ss ss so so}", "version", RECORD_VERSION, "key", request->key, "round",
                     request->round, "order", order, "pair", pair, "started", started, "machine", request->machine, "device",
                     device, "build", point_build(request->point), "harness", point_harness(request->point), "limits", limits,
                     "point", point_to_json(request->point));
}

json_t *round_measure(const struct round_request *request, enum result *result, bool *changed, struct error *error)
{
    static const char *const parts[] = {"load", "warnings"};
    const struct plugin_row *with = point_plugin(request->point);
    char started[32];
    utc_now(sizeof started, started);
    char *input = round_worker_request(request), *plugin = with != NULL ? plugin_request(with->name) : NULL;
    const char *const argv[] = {request->program, "worker", plugin != NULL ? "--plugin" : NULL, plugin, NULL};
    if (input == NULL || (with != NULL && plugin == NULL)) {
        free(input);
        free(plugin);
        fail_memory(error);
        return NULL;
    }
    bool trains = measures[request->point->value[FIELD_MEASURE].integer].of == OF_TRAINING;
    const struct process_request child = {.argv = argv,
                                          .input = input,
                                          .input_size = strlen(input),
                                          .log = request->log,
                                          .time_limit = sweep_run_limit(request->run, request->point) + (trains ? GRACE : 0),
                                          .memory_limit = memory_limit(request->run),
                                          .meanwhile = request->meanwhile,
                                          .context = request->context};
    struct process_result process;
    bool good = process_run(&child, &process, error);
    free(input);
    free(plugin);
    if (!good)
        return NULL;

    struct json_watch watch;
    json_watch_begin(&watch);
    json_t *finding = outcome(&process, &child), *record = compose(request, started);
    const char *outside = json_string_value(json_object_get(finding, WORKER_OUTSIDE));
    if (process.signal == SIGBUS) /* a page of a file that it had mapped is not there any more */
        outside = "a file that a worker had open was cut short, or its disk fails (see dmesg): mend that, then give the same "
                  "command again";
    for (int i = 0; measure_word(i) != NULL; i++)
        if (json_object_get(finding, measure_word(i)) == NULL)
            json_object_set_new(finding, measure_word(i), json_null());
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (json_object_get(finding, parts[i]) == NULL)
            json_object_set_new(finding, parts[i], json_null());
    json_t *timed = json_object_get(finding, "throughput");
    if (with != NULL && json_is_object(timed)) /* its copies are the harness's own, and no transfers to a device */
        json_object_set_new(timed, "transfers", json_null());
    json_t *accounted = account(&process, request, finding);
    *changed = json_is_true(json_object_get(finding, "changed"));
    json_object_del(finding, "changed");
    const char *word = json_string_value(json_object_get(finding, "result"));
    *result = word != NULL ? result_find(word) : RESULT_COUNT;
    if (outside != NULL)
        good = fail_outside(error, "%s", outside);
    else if (record == NULL || finding == NULL || json_object_update(record, finding) != 0 ||
             json_object_set(record, "process", accounted) != 0)
        good = fail_memory(error);
    else if (*result == RESULT_COUNT)
        good = fail(error, "a worker returned an unknown result");
    else if (!calibration_bound(request->calibration, request->point, record) || !warnings_of_record(record) ||
             !calibration_warn(request->calibration, request->point, record))
        good = fail_memory(error);
    json_decref(accounted);
    json_decref(finding);
    process_result_free(&process);
    good = (json_watch_end(&watch) || fail_memory(error)) && good;
    if (!good) {
        json_decref(record);
        record = NULL;
    }
    return record;
}
