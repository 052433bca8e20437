/* See roofs.h: a calibration in a child process. */
#include "bench/machine/roofs.h"

#include "bench/base/parse.h"
#include "bench/base/process.h"
#include "bench/machine/machine_memory.h"

#include <stdlib.h>
#include <string.h>

static const double seconds_each = 600; /* for the child, and for each number of threads: some hundred times what it takes */

static bool read_threads(const json_t *list, int threads[ROOF_COUNTS_MAX], int *n, struct error *error)
{
    *n = (int)json_array_size(list);
    if (*n < 1 || *n > ROOF_COUNTS_MAX)
        return fail(error, "machine limits: expected {\"threads\": [1 to %d numbers]} on standard input", ROOF_COUNTS_MAX);
    for (int i = 0; i < *n; i++) {
        json_int_t number = json_integer_value(json_array_get(list, (size_t)i));
        if (number < 1 || number > ROOF_THREADS_MAX)
            return fail(error, "machine limits: a number of threads must be from 1 to %d", ROOF_THREADS_MAX);
        threads[i] = (int)number;
    }
    return true;
}

bool roofs_command(FILE *in, FILE *out, struct error *error)
{
    json_error_t parse;
    int threads[ROOF_COUNTS_MAX], n;
    json_t *request = json_loadf(in, 0, &parse), *answer = NULL;
    struct roofs *roofs = malloc(sizeof *roofs);
    bool good = (request != NULL || fail(error, "machine limits: standard input is not JSON: %s", parse.text)) &&
                (roofs != NULL || fail_memory(error)) && read_threads(json_object_get(request, "threads"), threads, &n, error);
    if (good) {
        roofs_ladder((double)machine_cache_bytes(), (double)machine_memory_available(), roofs);
        good = roofs_measure(threads, n, roofs, error);
    }
    if (good && json_is_true(json_object_get(request, "device"))) {
        struct status status = device_limits_measure(&roofs->device);
        good = status.code == STATUS_OK || fail(error, "machine limits of the device: %s", status.message);
    }
    if (good) {
        answer = roofs_to_json(roofs);
        good = (answer != NULL && json_dumpf(answer, out, JSON_COMPACT) == 0 && fflush(out) == 0) ||
               fail(error, "machine limits: cannot write the results");
    }
    json_decref(answer);
    json_decref(request);
    free(roofs);
    return good;
}

static char *request_text(const int *threads, int n, bool device)
{
    struct json_watch watch;
    json_watch_begin(&watch);
    json_t *list = json_array(), *request = json_pack("{s:o, s:b}", "threads", list, "device", (int)device);
    for (int i = 0; request != NULL && i < n; i++)
        json_array_append_new(list, json_integer(threads[i]));
    char *text = json_watch_print(&watch, request, JSON_COMPACT);
    json_decref(request);
    return text;
}

/* What the child wrote, if it makes sense. */
static bool read_answer(const struct process_result *process, json_t **answer, struct error *error)
{
    struct error reason;
    struct roofs *roofs = malloc(sizeof *roofs);
    json_t *json;
    bool good = (json_parse(process->output, process->output_size, 0, &json, NULL) && roofs != NULL) || fail_memory(error);
    if (good && process->timed_out)
        good = fail(error, "measuring the machine limits took more than %.0f s", process->wall);
    else if (good && (process->signal != 0 || process->exit_status != 0))
        good = fail(error, "measuring the machine limits failed: %s %d: %.400s", process->signal ? "signal" : "exit status",
                    process->signal ? process->signal : process->exit_status, process->errors);
    else if (good && !roofs_from_json(json, roofs, &reason))
        good = fail(error, "measuring the machine limits returned no results: %.400s", reason.text);
    free(roofs);
    if (good)
        *answer = json;
    else
        json_decref(json);
    return good;
}

bool roofs_run(const char *program, const int *threads, int n, bool device, json_t **roofs, struct error *error)
{
    *roofs = NULL;
    const char *const argv[] = {program, "roofs", NULL};
    char *input = request_text(threads, n, device);
    if (input == NULL)
        return fail_memory(error);
    const struct process_request request = {
        .argv = argv, .input = input, .input_size = strlen(input), .time_limit = seconds_each * (1 + n)};
    struct process_result process;
    bool good = process_run(&request, &process, error);
    free(input);
    if (!good)
        return false;
    good = read_answer(&process, roofs, error);
    process_result_free(&process);
    return good;
}
