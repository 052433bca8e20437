/* See checkpoint.h. */
#include "bench/measure/checkpoint.h"

#include "bench/base/files.h"
#include "bench/base/parse.h"
#include "bench/base/safetensors_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char POINT[] = "point", STANDING[] = "standing", KEY[] = "key", FORMAT[] = "format", FORMAT_HERE[] = "training-2";

const char *spent_name(int spent)
{
    static const char *const others[] = {"checks", "checkpoints", "all"};
    return spent >= SPENT_CHECKS && spent < SPENT_COUNT ? others[spent - SPENT_CHECKS] : part_names[spent];
}

void checkpoint_file(const char *folder, char path[PATH_MAX])
{
    files_path(folder, "checkpoint.safetensors", path);
}

/* The key of a training is the name of its folder. */
static const char *key_of(const char *folder)
{
    const char *slash = strrchr(folder, '/');
    return slash != NULL ? slash + 1 : folder;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------------- */

static char *standing_text(const struct standing *standing)
{
    const struct training_state *state = &standing->state;
    struct json_watch watch;
    json_watch_begin(&watch);
    json_t *spent = json_object();
    for (int i = 0; i < SPENT_COUNT; i++)
        json_object_set_new(spent, spent_name(i), json_number(standing->spent[i]));
    json_t *object = json_pack("{sI sI sf sI so so so sI sI sb ss so}", "step", (json_int_t)state->step, "stage",
                               (json_int_t)state->stage, "window_sum", state->window_sum, "window_n", (json_int_t)state->window_n,
                               "curve", curve_to_state(&standing->curve), "spent", spent, "checked", json_number(standing->checked),
                               "sittings", (json_int_t)standing->sittings, "parameters", (json_int_t)standing->parameters, "done",
                               standing->done, "result", result_name(standing->result), "message", json_text(standing->message));
    char *text = json_watch_print(&watch, object, JSON_COMPACT); /* 17 digits: every number comes back as it was */
    json_decref(object);
    return text;
}

static size_t describe(const struct named_tensor *named, size_t n, struct tensor *tensor)
{
    for (size_t i = 0; i < n; i++) {
        tensor[i] = (struct tensor){.name = named[i].name, .dtype = named[i].dtype, .rank = named[i].rank, .data = named[i].data};
        tensor[i].bytes = dtype_size(named[i].dtype);
        for (int k = 0; k < named[i].rank; k++) {
            tensor[i].shape[k] = named[i].shape[k];
            tensor[i].bytes *= (size_t)named[i].shape[k];
        }
    }
    return n;
}

bool checkpoint_write(const char *folder, const struct point *point, const struct training *training,
                      const struct standing *standing, struct error *error)
{
    const struct named_tensor *named;
    char path[PATH_MAX];
    size_t n = training_tensors(training, &named);
    struct json_watch watch;
    json_watch_begin(&watch);
    struct tensor *tensor = calloc(n, sizeof *tensor);
    json_t *described = point_to_json(point);
    char *point_text = described != NULL ? json_dumps(described, JSON_COMPACT) : NULL, *standing_is = standing_text(standing);
    json_t *metadata =
        point_text != NULL && standing_is != NULL
            ? json_pack("{ss ss ss ss}", FORMAT, FORMAT_HERE, KEY, key_of(folder), POINT, point_text, STANDING, standing_is)
            : NULL;
    checkpoint_file(folder, path);
    bool good = json_watch_end(&watch) && tensor != NULL && metadata != NULL;
    good = good ? safetensors_write(path, tensor, describe(named, n, tensor), metadata, error) : fail_memory(error);
    json_decref(metadata);
    json_decref(described);
    free(standing_is);
    free(point_text);
    free(tensor);
    return good;
}

/* ---- Reading ----------------------------------------------------------------------------------------------------------- */

struct checkpoint {
    struct safetensors *file;
    json_t *point, *standing;
    char path[PATH_MAX];
};

static bool parse_text(const struct safetensors *file, const char *key, json_t **json)
{
    const char *text = safetensors_metadata(file, key);
    *json = NULL;
    return text != NULL && json_parse(text, strlen(text), 0, json, NULL) && json_is_object(*json);
}

enum checkpoint_found checkpoint_open(const char *path, struct checkpoint **checkpoint, struct error *error)
{
    *checkpoint = NULL;
    if (!files_is_there(path)) {
        fail(error, "%.900s: no such file", path);
        return CHECKPOINT_NONE;
    }
    struct checkpoint *found = calloc(1, sizeof *found);
    if (found == NULL) {
        fail_memory(error);
        return CHECKPOINT_BAD;
    }
    bool good = safetensors_open(path, &found->file, error);
    if (good) {
        const char *format = safetensors_metadata(found->file, FORMAT);
        snprintf(found->path, sizeof found->path, "%s", path);
        good = (format != NULL && strcmp(format, FORMAT_HERE) == 0 && safetensors_sealed(found->file) &&
                parse_text(found->file, POINT, &found->point) && parse_text(found->file, STANDING, &found->standing)) ||
               fail(error, "%.900s: not a checkpoint of a training", path);
    }
    if (good) {
        *checkpoint = found;
        return CHECKPOINT_THERE;
    }
    checkpoint_close(found);
    return CHECKPOINT_BAD;
}

enum checkpoint_found checkpoint_open_in(const char *folder, struct checkpoint **checkpoint, struct error *error)
{
    char path[PATH_MAX];
    checkpoint_file(folder, path);
    enum checkpoint_found found = checkpoint_open(path, checkpoint, error);
    if (found != CHECKPOINT_THERE)
        return found;
    const char *key = safetensors_metadata((*checkpoint)->file, KEY);
    if (key != NULL && strcmp(key, key_of(folder)) == 0)
        return CHECKPOINT_THERE;
    fail(error, "%.900s: the checkpoint of another training", path);
    checkpoint_close(*checkpoint);
    *checkpoint = NULL;
    return CHECKPOINT_BAD;
}

void checkpoint_close(struct checkpoint *checkpoint)
{
    if (checkpoint == NULL)
        return;
    json_decref(checkpoint->point);
    json_decref(checkpoint->standing);
    safetensors_close(checkpoint->file);
    free(checkpoint);
}

static bool take_integer(const json_t *object, const char *name, int64_t *value)
{
    const json_t *at = json_object_get(object, name);
    *value = json_integer_value(at);
    return json_is_integer(at) && *value >= 0;
}

bool checkpoint_standing(const struct checkpoint *checkpoint, int64_t steps, struct standing *standing, struct error *error)
{
    const json_t *from = checkpoint->standing, *spent = json_object_get(from, "spent"), *checked = json_object_get(from, "checked");
    const char *result = json_string_value(json_object_get(from, "result"));
    const char *message = json_string_value(json_object_get(from, "message"));
    struct training_state *state = &standing->state;
    *standing = (struct standing){.checked = json_is_number(checked) ? json_number_value(checked) : NAN};
    curve_begin(&standing->curve, steps);
    bool good = take_integer(from, "step", &state->step) && take_integer(from, "stage", &state->stage) &&
                take_integer(from, "window_n", &state->window_n) && take_integer(from, "sittings", &standing->sittings) &&
                take_integer(from, "parameters", &standing->parameters) && json_is_number(json_object_get(from, "window_sum")) &&
                result != NULL && message != NULL && state->step <= steps &&
                curve_from_state(json_object_get(from, "curve"), &standing->curve);
    if (!good)
        return fail(error, "%.900s: the state of the training cannot be read", checkpoint->path);
    state->window_sum = json_number_value(json_object_get(from, "window_sum"));
    standing->done = json_is_true(json_object_get(from, "done"));
    standing->result = result_find(result);
    snprintf(standing->message, sizeof standing->message, "%s", message);
    for (int i = 0; i < SPENT_COUNT; i++)
        standing->spent[i] = json_number_value(json_object_get(spent, spent_name(i)));
    return true;
}

bool checkpoint_point(const struct checkpoint *checkpoint, struct point *point, struct error *error)
{
    return point_from_json(checkpoint->point, point, error);
}

static void copy(enum dtype to_dtype, void *to, enum dtype from_dtype, const void *from, int64_t n)
{
    if (to_dtype == from_dtype) {
        memcpy(to, from, (size_t)n * dtype_size(to_dtype));
        return;
    }
    for (int64_t i = 0; i < n; i++)
        if (to_dtype == DTYPE_FLOAT32)
            ((float *)to)[i] = (float)((const double *)from)[i];
        else
            ((double *)to)[i] = ((const float *)from)[i];
}

static bool same_shape(const struct named_tensor *named, const struct tensor *tensor)
{
    bool same = tensor != NULL && tensor->rank == named->rank;
    for (int k = 0; k < named->rank && same; k++)
        same = tensor->shape[k] == named->shape[k];
    return same;
}

bool checkpoint_restore(const struct checkpoint *checkpoint, bool moments, struct training *training, struct error *error)
{
    const struct named_tensor *named;
    size_t n = training_tensors(training, &named);
    for (size_t i = 0; i < n; i++) /* all of them before any is copied: a training that begins anew does so from its own weights */
        if ((named[i].weight || moments) && !same_shape(&named[i], safetensors_find(checkpoint->file, named[i].name)))
            return fail(error, "%.800s: tensor %s is missing or has another shape", checkpoint->path, named[i].name);
    for (size_t i = 0; i < n; i++) {
        const struct tensor *tensor = safetensors_find(checkpoint->file, named[i].name);
        int64_t elements = 1;
        for (int k = 0; k < named[i].rank; k++)
            elements *= named[i].shape[k];
        if (named[i].weight || moments)
            copy(named[i].dtype, named[i].data, tensor->dtype, tensor->data, elements);
    }
    return true;
}
