/* See record_json.h. */
#include "tests/support/record_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static json_t *warnings_json(const struct datum *datum)
{
    json_t *list = json_array();
    for (size_t i = 0; i < datum->n; i++)
        json_array_append_new(list, json_pack("{ss sf si}", "code", warnings[datum->warned[i].code].code, "figure",
                                              datum->warned[i].figure, "rounds", datum->warned[i].rounds));
    return list;
}

static json_t *list_json(const struct datum *datum)
{
    json_t *list = json_array();
    for (size_t i = 0; i < datum->n; i++)
        json_array_append_new(list, isnan(datum->list[i]) ? json_null()
                                    : datum->whole        ? json_integer((json_int_t)datum->list[i])
                                                          : json_real(datum->list[i]));
    return list;
}

/* NULL where there is none. */
static json_t *datum_json(const struct datum *datum)
{
    switch ((enum datum_kind)datum->kind) {
    case DATUM_INTEGER:
        return json_integer(datum->integer);
    case DATUM_REAL:
        return json_real(datum->real);
    case DATUM_BOOLEAN:
        return json_boolean(datum->boolean);
    case DATUM_TEXT:
        return json_string(datum->text);
    case DATUM_LIST:
        return list_json(datum);
    case DATUM_WARNINGS:
        return warnings_json(datum);
    case DATUM_NONE:
        break;
    }
    return NULL;
}

json_t *record_json(const struct record *record)
{
    json_t *json = json_object();
    for (int id = 0; id < COLUMN_COUNT; id++) {
        char name[64];
        const char *rest = schema[id].path;
        json_t *object = json;
        if (!packed_within(&record->packed, (enum column_id)id))
            continue;
        for (const char *dot; (dot = strchr(rest, '.')) != NULL; rest = dot + 1) {
            snprintf(name, sizeof name, "%.*s", (int)(dot - rest), rest);
            if (json_object_get(object, name) == NULL)
                json_object_set_new(object, name, json_object());
            object = json_object_get(object, name);
        }
        json_object_set_new(object, rest, datum_json(column_datum(record, (enum column_id)id))); /* NULL sets nothing */
    }
    json_object_set_new(json, "point", point_to_json(&record->point));
    return json;
}

const json_t *record_at(const struct record *record, const char *path)
{
    static json_t *kept;
    json_t *at = record_json(record);
    if (kept == NULL)
        kept = json_array();
    json_array_append_new(kept, at);
    for (const char *rest = path; at != NULL && *rest != '\0';) {
        char name[64];
        size_t length = strcspn(rest, ".");
        snprintf(name, sizeof name, "%.*s", (int)length, rest);
        at = json_object_get(at, name);
        rest += length + (rest[length] == '.');
    }
    return at;
}

double record_number(const struct record *record, const char *path)
{
    const json_t *at = record_at(record, path);
    return json_is_number(at) ? json_number_value(at) : NAN;
}

struct wanted {
    size_t line;
    json_t *json;
};

static bool look_at(const struct record_line *line, void *context)
{
    struct wanted *wanted = context;
    if (line->line == wanted->line)
        wanted->json = json_incref(line->json);
    return true;
}

json_t *record_line(const struct record *record, const char *journal)
{
    struct wanted wanted = {.line = record->line};
    struct unread unread;
    struct error error;
    records_each(journal, look_at, &wanted, &unread, &error);
    return wanted.json;
}

static bool same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool same_datum(const struct datum *a, const struct datum *b)
{
    if (a->column != b->column || a->kind != b->kind || a->n != b->n)
        return false;
    switch ((enum datum_kind)a->kind) {
    case DATUM_INTEGER:
        return a->integer == b->integer;
    case DATUM_REAL:
        return a->real == b->real;
    case DATUM_BOOLEAN:
        return a->boolean == b->boolean;
    case DATUM_TEXT:
        return strcmp(a->text, b->text) == 0;
    case DATUM_LIST:
        for (size_t i = 0; i < a->n; i++)
            if (!same_number(a->list[i], b->list[i]))
                return false;
        return a->whole == b->whole;
    case DATUM_WARNINGS:
        for (size_t i = 0; i < a->n; i++)
            if (a->warned[i].code != b->warned[i].code || !same_number(a->warned[i].figure, b->warned[i].figure) ||
                a->warned[i].rounds != b->warned[i].rounds)
                return false;
        return true;
    case DATUM_NONE:
        break;
    }
    return true;
}

bool record_same(const struct record *a, const struct record *b)
{
    bool same = a->packed.n == b->packed.n && a->packed.objects == b->packed.objects && point_equal(&a->point, &b->point);
    for (size_t i = 0; same && i < a->packed.n; i++)
        same = same_datum(&a->packed.datum[i], &b->packed.datum[i]);
    return same;
}
