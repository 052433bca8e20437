/* See calibrate.h. */
#include "bench/command/calibrate.h"

#include "bench/base/files.h"
#include "bench/command/folder.h"
#include "bench/machine/device.h"
#include "bench/measure/measure.h"

#include <stdlib.h>
#include <string.h>

/* The distinct numbers of threads of points that are timed; no more than can be measured, the rest has no bound. *device: some are
 * timed on a device that is there; those have no threads. */
static int thread_counts(const struct sweep *sweep, int counts[ROOF_COUNTS_MAX], bool *device)
{
    int n = 0;
    *device = false;
    for (size_t i = 0; i < sweep->n_points; i++) {
        int threads = point_threads(&sweep->point[i]), k = 0;
        if (!measures[sweep->point[i].value[FIELD_MEASURE].integer].repeats || threads > ROOF_THREADS_MAX)
            continue;
        if (point_on_device(&sweep->point[i])) {
            *device = device_get()->there;
            continue;
        }
        while (k < n && counts[k] != threads)
            k++;
        if (k == n && n < ROOF_COUNTS_MAX)
            counts[n++] = threads;
    }
    if (n == 0 && *device) /* there is no figure without one of the processor */
        counts[n++] = 1;
    return n;
}

void limits_names_add(struct limits_names *names, const json_t *record)
{
    const char *name = line_text(record, COLUMN_BOUND_ROOFS);
    if (name == NULL || names->n == LIMITS_NAMES_MAX)
        return;
    for (int i = names->n; i-- > 0;)
        if (strcmp(names->name[i], name) == 0)
            return;
    snprintf(names->name[names->n++], sizeof names->name[0], "%s", name);
}

/* Rounds of older programs name none. */
static bool are_of(const struct limits_names *names, const char *name)
{
    for (int i = 0; i < names->n; i++)
        if (strcmp(names->name[i], name) == 0)
            return true;
    return names->n == 0;
}

/* What an earlier execution left, if it has all that is needed. */
static json_t *left_over(const char *folder, const struct limits_names *names, FILE *out, const int *counts, int n, bool device,
                         struct roofs *roofs)
{
    json_t *facts;
    bool changed;
    char name[SEAL_DIGITS + 1];
    struct error ignored;
    if (!machine_file_read(folder, &facts, &changed))
        return NULL;
    json_t *json = json_incref(json_object_get(facts, "roofs"));
    json_decref(facts);
    bool enough = json != NULL && roofs_from_json(json, roofs, &ignored) && machine_limits_name(json, name), own = true;
    for (int i = 0; i < n && enough; i++)
        enough = roofs_find(roofs, counts[i]) != NULL;
    enough = enough && (!device || roofs->device.rate > 0);
    if (enough)
        own = are_of(names, name);
    if (changed)
        fprintf(out, "%s/machine.json changed since it was written: the machine limits are measured again.\n", folder);
    else if (!own)
        fprintf(out, "No round was measured under the machine limits in %s/machine.json: they are measured again.\n", folder);
    if (!enough || !own) {
        json_decref(json);
        json = NULL;
    }
    return json;
}

bool calibrate(const struct sweep *sweep, const char *program, const char *folder, const struct limits_names *names, FILE *out,
               struct calibration *calibration, struct error *error)
{
    bool device;
    int counts[ROOF_COUNTS_MAX], n = thread_counts(sweep, counts, &device);
    *calibration = (struct calibration){.json = NULL};
    if (n == 0 || sweep->run.uncalibrated)
        return true;
    struct roofs *roofs = malloc(sizeof *roofs);
    if (roofs == NULL)
        return fail_memory(error);
    json_t *json = left_over(folder, names, out, counts, n, device, roofs);
    if (json == NULL && (!roofs_run(program, counts, n, device, &json, error) || !roofs_from_json(json, roofs, error))) {
        json_decref(json);
        free(roofs);
        return false;
    }
    *calibration = (struct calibration){.json = json, .roofs = roofs};
    return machine_limits_name(json, calibration->name) || fail_memory(error);
}

void calibration_free(struct calibration *calibration)
{
    json_decref(calibration->json);
    free(calibration->roofs);
    *calibration = (struct calibration){.json = NULL};
}

bool calibration_bound(const struct calibration *calibration, const struct point *point, json_t *record)
{
    json_t *throughput = json_object_get(record, "throughput");
    const json_t *median = json_object_get(throughput, "median");
    const struct implementation *implementation = point_implementation(point);
    if (calibration->roofs == NULL || !json_is_number(median) || implementation == NULL)
        return true;
    if (!json_is_number(json_object_get(throughput, "bytes"))) /* nothing was counted */
        return true;
    struct problem problem = point_problem(point);
    struct settings settings = point_settings(point);
    struct environment environment = {.threads = point_threads(point)};
    struct work work;
    struct bound bound;
    implementation->count(&problem, &settings, &environment, json_integer_value(json_object_get(throughput, "l_run")), &work);
    bool known = point_on_device(point)
                     ? roofs_device_bound(calibration->roofs, &work, &bound)
                     : roofs_bound(calibration->roofs, &work, environment.threads, point_level(point), problem.dtype, &bound);
    if (!known)
        return true;
    json_t *json = bound_to_json(&bound, json_number_value(median));
    return json_object_set_new(json, "roofs", json_string(calibration->name)) == 0 &&
           json_object_set_new(throughput, "bound", json) == 0;
}
