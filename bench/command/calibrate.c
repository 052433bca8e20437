/* See calibrate.h. */
#include "bench/command/calibrate.h"

#include "bench/base/files.h"
#include "bench/base/shown.h"
#include "bench/command/folder.h"
#include "bench/journal/warning.h"
#include "bench/machine/device.h"
#include "bench/measure/measure.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* The distinct numbers of threads of points that are timed; no more than can be measured, the rest has no bound, nor more than
 * OpenMP lets work here, for those points are not timed. *device: some are timed on a device that is there; those have no threads.
 * */
static int thread_counts(const struct sweep *sweep, int counts[ROOF_COUNTS_MAX], bool *device)
{
    int n = 0;
    *device = false;
    for (size_t i = 0; i < sweep->n_points; i++) {
        int threads = point_threads(&sweep->point[i]), k = 0;
        if (!measures[sweep->point[i].value[FIELD_MEASURE].integer].repeats || threads > ROOF_THREADS_MAX ||
            threads > omp_get_thread_limit())
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
    if (changed || !own) {
        fputs(changed ? "" : "No round was measured under the machine limits in ", out);
        shown_line(out, folder);
        fprintf(out, "/machine.json%s measured again.\n",
                changed ? " changed since it was written: the machine limits are" : ": they are");
    }
    if (!enough || !own) {
        json_decref(json);
        json = NULL;
    }
    return json;
}

/* Matrix products, where something is timed against limits or where the environment says how they are computed. */
static bool measure_product(bool timed, const char *program, struct calibration *calibration, struct error *error)
{
    struct product product;
    product_forced(product.forced);
    if (!timed && product.forced[0] == '\0')
        return true;
    if (!product_run(program, &product, error))
        return false;
    calibration->loss = product_loss(&product);
    calibration->product = product_to_json(&product);
    return calibration->product != NULL || fail_memory(error);
}

static bool measure_limits(const int *counts, int n, bool device, const char *program, const char *folder,
                           const struct limits_names *names, FILE *out, struct calibration *calibration, struct error *error)
{
    struct roofs *roofs = malloc(sizeof *roofs);
    if (roofs == NULL)
        return fail_memory(error);
    json_t *json = left_over(folder, names, out, counts, n, device, roofs);
    if (json == NULL && (!roofs_run(program, counts, n, device, &json, error) || !roofs_from_json(json, roofs, error))) {
        json_decref(json);
        free(roofs);
        return false;
    }
    calibration->json = json;
    calibration->roofs = roofs;
    return machine_limits_name(json, calibration->name) || fail_memory(error);
}

bool calibrate(const struct sweep *sweep, const char *program, const char *folder, const struct limits_names *names, FILE *out,
               struct calibration *calibration, struct error *error)
{
    bool device;
    int counts[ROOF_COUNTS_MAX], n = thread_counts(sweep, counts, &device);
    bool timed = n > 0 && !sweep->run.uncalibrated;
    *calibration = (struct calibration){.json = NULL};
    return measure_product(timed, program, calibration, error) &&
           (!timed || measure_limits(counts, n, device, program, folder, names, out, calibration, error));
}

void calibration_free(struct calibration *calibration)
{
    json_decref(calibration->json);
    json_decref(calibration->product);
    free(calibration->roofs);
    *calibration = (struct calibration){.json = NULL};
}

/* The work of a record that has a speed; false for any other. A plug-in is not loaded here: what its worker counted is in the record. */
static bool work_of(const struct point *point, const json_t *record, struct work *work)
{
    const json_t *throughput = json_object_get(record, "throughput");
    const struct implementation *implementation = point_implementation(point);
    if (!json_is_number(json_object_get(throughput, "median")) || implementation == NULL)
        return false;
    if (point_plugin(point) != NULL) {
        *work = (struct work){.bytes = json_number_value(json_object_get(throughput, "bytes")),
                              .operations = json_number_value(json_object_get(throughput, "operations")),
                              .set = json_number_value(json_object_get(throughput, "set")),
                              .exponentials = json_number_value(json_object_get(throughput, "exponentials"))};
        return true;
    }
    struct problem problem = point_problem(point);
    struct settings settings = point_settings(point);
    struct environment environment = {.threads = point_threads(point)};
    implementation->count(&problem, &settings, &environment, json_integer_value(json_object_get(throughput, "l_run")), work);
    return true;
}

bool calibration_bound(const struct calibration *calibration, const struct point *point, json_t *record)
{
    json_t *throughput = json_object_get(record, "throughput");
    struct work work;
    struct bound bound;
    if (calibration->roofs == NULL || !work_of(point, record, &work))
        return true;
    if (!json_is_number(json_object_get(throughput, "bytes"))) /* nothing was counted */
        return true;
    bool known = point_on_device(point) ? roofs_device_bound(calibration->roofs, &work, &bound)
                                        : roofs_bound(calibration->roofs, &work, point_threads(point), point_level(point),
                                                      point_problem(point).dtype, &bound);
    if (!known)
        return true;
    json_t *json = bound_to_json(&bound, json_number_value(json_object_get(throughput, "median")));
    return json_object_set_new(json, "roofs", json_string(calibration->name)) == 0 &&
           json_object_set_new(throughput, "bound", json) == 0;
}

/* Layers multiply matrices whatever their recurrence is computed by. */
static bool uses_library(const struct point *point, const json_t *record)
{
    struct work work;
    if (measures[point->value[FIELD_MEASURE].integer].of == OF_TRAINING)
        return json_is_object(json_object_get(record, "training"));
    return !point_on_device(point) && work_of(point, record, &work) && work.library;
}

bool calibration_warn(const struct calibration *calibration, const struct point *point, json_t *record)
{
    if (!(calibration->loss > 0) || !uses_library(point, record))
        return true;
    json_t *list = json_object_get(record, "warnings");
    if (!json_is_array(list) && json_object_set_new(record, "warnings", json_array()) != 0)
        return false;
    return warning_note(json_object_get(record, "warnings"), WARNING_BLAS_FORCED, calibration->loss);
}
