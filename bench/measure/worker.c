/* See worker.h. */
#include "bench/measure/worker.h"

#include "bench/base/clock.h"
#include "bench/base/fence.h"
#include "bench/base/parse.h"

#include <string.h>

static json_t *path_or_null(const char *path)
{
    return path != NULL ? json_string(path) : json_null();
}

char *worker_request(const struct point *point, const struct limits *limits)
{
    struct json_watch watch;
    json_watch_begin(&watch);
    json_t *request = json_pack(
        "{so si sI sf sf sI so so so so sb}", "point", point_to_json(point), "samples", limits->samples, "round",
        (json_int_t)limits->round, "time_limit", limits->time_limit, "checkpoint_every", limits->checkpoint_every, "memory_limit",
        (json_int_t)limits->memory_limit, "results", path_or_null(limits->results), "cache", path_or_null(limits->cache), "digest",
        path_or_null(limits->digest), "trained", path_or_null(limits->trained), "locked", (int)limits->locked);
    char *text = json_watch_print(&watch, request, JSON_COMPACT);
    json_decref(request);
    return text;
}

static json_t *place(const struct finding *finding)
{
    return finding->b < 0 ? json_null() : json_pack("{sI sI}", "b", (json_int_t)finding->b, "t", (json_int_t)finding->t);
}

static json_t *stages(const struct finding *finding)
{
    json_t *object = json_object();
    for (int i = 0; i < STAGE_COUNT; i++)
        json_object_set_new(object, stage_names[i], json_number(finding->seconds[i]));
    return object;
}

static bool answer(const char *measure, struct finding *finding, double began, FILE *out, struct error *error)
{
    json_t *object = json_pack("{ss so so so? so? so? so? so* sf so}", "result", result_name(finding->result), "message",
                               json_text(finding->message), "place", place(finding), "inputs", finding->inputs, measure,
                               finding->data, "load", finding->load, "warnings", finding->warnings, "changed",
                               finding->changed ? json_true() : NULL, "began", began, "stages", stages(finding));
    bool written = object != NULL && json_dumpf(object, out, JSON_COMPACT) == 0 && fflush(out) == 0;
    json_decref(object);
    return written || fail(error, "cannot write the result of the point");
}

/* What failed outside is no result, whatever was found before: whoever asked gets the sentence. */
static bool answer_outside(const struct error *reason, struct finding *finding, FILE *out, struct error *error)
{
    json_t *const found[] = {finding->inputs, finding->data, finding->load, finding->warnings};
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++)
        json_decref(found[i]);
    json_t *object = json_pack("{so}", WORKER_OUTSIDE, json_text(reason->text));
    bool written = object != NULL && json_dumpf(object, out, JSON_COMPACT) == 0 && fflush(out) == 0;
    json_decref(object);
    return written || fail(error, "%s", reason->text);
}

bool worker_run(FILE *in, FILE *out, struct error *error)
{
    double began = clock_seconds();
    json_error_t parse;
    json_t *request = json_loadf(in, 0, &parse);
    struct point point;
    struct limits limits = {.samples = (int)json_integer_value(json_object_get(request, "samples")),
                            .round = json_integer_value(json_object_get(request, "round")),
                            .time_limit = json_number_value(json_object_get(request, "time_limit")),
                            .checkpoint_every = json_number_value(json_object_get(request, "checkpoint_every")),
                            .memory_limit = (size_t)json_integer_value(json_object_get(request, "memory_limit")),
                            .results = json_string_value(json_object_get(request, "results")),
                            .cache = json_string_value(json_object_get(request, "cache")),
                            .digest = json_string_value(json_object_get(request, "digest")),
                            .trained = json_string_value(json_object_get(request, "trained")),
                            .locked = json_is_true(json_object_get(request, "locked"))};
    struct finding finding = {.result = RESULT_OK, .b = -1, .t = -1};
    if (request == NULL)
        return fail(error, "expected a point on standard input: %s", parse.text);
    bool good = point_from_json(json_object_get(request, "point"), &point, error);
    if (limits.results != NULL)
        fence_set(limits.results);
    if (good && limits.samples < 1)
        good = fail(error, "the request has no number of samples");
    if (good && limits.round < 0)
        good = fail(error, "the request has round %lld; expected 0 or more", (long long)limits.round);
    if (good) {
        struct error reason;
        bool measured = measure_run(&point, &limits, &finding, &reason);
        if (!measured && !reason.outside)
            finding_say(&finding, (enum result)STATUS_INTERNAL, "%s", reason.text);
        good = measured || !reason.outside
                   ? answer(measure_word((int)point.value[FIELD_MEASURE].integer), &finding, began, out, error)
                   : answer_outside(&reason, &finding, out, error);
    }
    json_decref(request);
    return good;
}
