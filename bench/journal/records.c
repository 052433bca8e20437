/* See records.h. */
#include "bench/journal/records.h"

#include "bench/journal/journal.h"
#include "bench/sweep/measures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool value_is_used(int field, const struct value *value)
{
    return value->kind != VALUE_NONE || fields[field].used == NULL;
}

double value_number(const struct value *value)
{
    return value->kind == VALUE_INTEGER ? (double)value->integer : value->kind == VALUE_REAL ? value->real : NAN;
}

static int record_order(const void *left, const void *right)
{
    const struct record *a = left, *b = right;
    for (int f = 0; f < FIELD_COUNT; f++) {
        int order = value_order(&a->point.value[f], &b->point.value[f]);
        if (order)
            return order;
    }
    double round_a = column_number(a, COLUMN_ROUND), round_b = column_number(b, COLUMN_ROUND);
    if (round_a != round_b)
        return round_a < round_b ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line); /* not by the clock, which jumps */
}

struct reading {
    const char *path;
    struct records *records;
    struct error *error;
};

static bool take(json_t *json, void *context)
{
    struct reading *reading = context;
    struct records *records = reading->records;
    if (records->n == records->capacity) {
        size_t capacity = records->capacity ? 2 * records->capacity : 256;
        struct record *grown = realloc(records->record, capacity * sizeof *grown);
        if (!grown)
            return fail_memory(reading->error);
        records->record = grown;
        records->capacity = capacity;
    }
    struct record *record = &records->record[records->n];
    memset(record, 0, sizeof *record);
    record->json = json;
    double version = column_number(record, COLUMN_VERSION);
    if (version > RECORD_VERSION)
        return fail(reading->error, "%.900s: record %zu has schema version %g; this program reads versions up to %d", reading->path,
                    records->n + 1, version, RECORD_VERSION);
    const char *word = column_text(record, COLUMN_RESULT);
    record->result = word ? result_find(word) : RESULT_COUNT;
    if (!point_from_json(json_object_get(json, "point"), &record->point, reading->error))
        return false;
    record->json = json_incref(json);
    record->line = records->n;
    records->n++;
    return true;
}

bool records_read(const char *path, struct records *records, struct error *error)
{
    memset(records, 0, sizeof *records);
    struct reading reading = {path, records, error};
    if (!journal_read(path, take, &reading, &records->torn, error)) {
        records_free(records);
        return false;
    }
    if (records->n)
        qsort(records->record, records->n, sizeof *records->record, record_order);
    return true;
}

void records_free(struct records *records)
{
    for (size_t i = 0; i < records->n; i++)
        json_decref(records->record[i].json);
    free(records->record);
    memset(records, 0, sizeof *records);
}

size_t records_keep(struct records *records, bool (*keep)(const struct record *record, void *context), void *context)
{
    size_t kept = 0, n = records->n;
    for (size_t i = 0; i < n; i++) {
        if (keep(&records->record[i], context))
            records->record[kept++] = records->record[i];
        else
            json_decref(records->record[i].json);
    }
    records->n = kept;
    return n - kept;
}

const struct record *records_training(const struct records *records, const struct point *point)
{
    struct point training;
    if (!point_training(point, &training))
        return NULL;
    for (size_t i = 0; i < records->n; i++)
        if (point_equal(&records->record[i].point, &training))
            return &records->record[i];
    return NULL;
}

const json_t *record_at(const struct record *record, const char *path)
{
    const json_t *at = record->json;
    while (at && *path) {
        size_t length = strcspn(path, ".");
        char name[64];
        if (length >= sizeof name)
            return NULL;
        memcpy(name, path, length);
        name[length] = '\0';
        at = json_object_get(at, name);
        path += length + (path[length] == '.');
    }
    return at;
}

double record_number(const struct record *record, const char *path)
{
    const json_t *at = record_at(record, path);
    return json_is_number(at) ? json_number_value(at) : NAN;
}

const json_t *column_json(const struct record *record, enum column_id id)
{
    return record_at(record, schema[id].path);
}

double column_number(const struct record *record, enum column_id id)
{
    return record_number(record, schema[id].path);
}

const char *column_text(const struct record *record, enum column_id id)
{
    return json_string_value(column_json(record, id));
}

/* Whether points such as this one have the column at all. */
static bool column_applies(const struct record *record, enum column_id id)
{
    const char *measure = column_measure(id);
    const struct value *needed = &record->point.value[schema[id].only_with];
    if (measure != NULL && strcmp(measure, measure_word((int)record->point.value[FIELD_MEASURE].integer)) != 0)
        return false;
    return schema[id].only_with == 0 || needed->kind != VALUE_NONE;
}

/* Whether the object that a column is a member of is there. */
static bool is_within(const struct record *record, const char *path)
{
    char object[64];
    const char *last = strrchr(path, '.');
    snprintf(object, sizeof object, "%.*s", (int)(last != NULL ? last - path : 0), path);
    return json_is_object(record_at(record, object));
}

enum column_state column_state(const struct record *record, enum column_id id)
{
    const json_t *value = column_json(record, id);
    if (!column_applies(record, id))
        return COLUMN_NOT_APPLICABLE;
    if (value != NULL && !json_is_null(value))
        return COLUMN_THERE;
    if (schema[id].absent != NULL && is_within(record, schema[id].path))
        return COLUMN_ABSENT;
    return schema[id].optional ? COLUMN_NOT_APPLICABLE : COLUMN_NOT_MEASURED;
}
