/* See records.h. */
#include "bench/journal/records.h"

#include "bench/sweep/measures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double value_number(const struct value *value)
{
    return value->kind == VALUE_INTEGER ? (double)value->integer : value->kind == VALUE_REAL ? value->real : NAN;
}

static int point_order(const struct point *a, const struct point *b)
{
    int order = 0;
    for (int f = 0; f < FIELD_COUNT && order == 0; f++)
        order = value_order(&a->value[f], &b->value[f]);
    return order;
}

static int record_order(const void *left, const void *right)
{
    const struct record *a = left, *b = right;
    int order = point_order(&a->point, &b->point);
    if (order != 0)
        return order;
    double round_a = column_number(a, COLUMN_ROUND), round_b = column_number(b, COLUMN_ROUND);
    if (round_a != round_b)
        return round_a < round_b ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line); /* not by the clock, which jumps */
}

/* ---- Line by line -------------------------------------------------------------------------------------------------------- */

const json_t *line_column(const json_t *json, enum column_id id)
{
    char name[64];
    const char *rest = schema[id].path;
    for (const char *dot; (dot = strchr(rest, '.')) != NULL; rest = dot + 1) {
        snprintf(name, sizeof name, "%.*s", (int)(dot - rest), rest);
        json = json_object_get(json, name);
    }
    return json_object_get(json, rest);
}

double line_number(const json_t *json, enum column_id id)
{
    const json_t *at = line_column(json, id);
    return json_is_number(at) ? json_number_value(at) : NAN;
}

const char *line_text(const json_t *json, enum column_id id)
{
    return json_string_value(line_column(json, id));
}

struct reading {
    const char *path;
    bool (*each)(const struct record_line *, void *);
    void *context;
    struct unread *unread;
    struct error *error;
};

static bool check_version(const struct reading *reading, const json_t *json)
{
    const json_t *version = json_object_get(json, schema[COLUMN_VERSION].path);
    if (json_is_integer(version) && json_integer_value(version) > RECORD_VERSION)
        return fail(reading->error,
                    "journal %.900s: line %zu has schema version %" JSON_INTEGER_FORMAT
                    "; this program reads versions up to %d: a newer one wrote it",
                    reading->path, reading->unread->at, json_integer_value(version), RECORD_VERSION);
    return (json_is_integer(version) && json_integer_value(version) >= 1) ||
           fail(reading->error,
                "journal %.900s: line %zu has no schema version; expected a whole number from 1 to %d. Cut that line: the others "
                "count",
                reading->path, reading->unread->at, RECORD_VERSION);
}

/* Records of older versions have the keys of their time. */
static bool has_its_key(const struct record_line *line)
{
    char identity[KEY_HALF + 1];
    const char *key = line_text(line->json, COLUMN_KEY);
    if (line_number(line->json, COLUMN_VERSION) < RECORD_CHECKED)
        return true;
    if (key == NULL || strlen(key) != KEY_SIZE - 1)
        return false;
    point_identity(&line->point, identity);
    return strncmp(key, identity, KEY_HALF) == 0 || !point_identifies_itself(&line->point);
}

static bool take(json_t *json, void *context)
{
    struct reading *reading = context;
    struct record_line line = {.json = json, .line = reading->unread->at - 1};
    struct error reason;
    if (!check_version(reading, json))
        return false;
    if (!point_from_json(json_object_get(json, "point"), &line.point, &reason))
        return fail(reading->error, "journal %.900s: line %zu: %.500s", reading->path, reading->unread->at, reason.text);
    const char *word = line_text(json, COLUMN_RESULT);
    line.result = word ? result_find(word) : RESULT_COUNT;
    if (has_its_key(&line))
        return reading->each(&line, reading->context);
    unread_aside(reading->unread, "its key is not that of its point");
    return true;
}

bool records_each(const char *path, bool (*each)(const struct record_line *line, void *context), void *context,
                  struct unread *unread, struct error *error)
{
    struct reading reading = {path, each, context, unread, error};
    return journal_read(path, take, &reading, unread, error);
}

/* ---- All of them in memory ---------------------------------------------------------------------------------------------- */

struct keeping {
    struct records *records;
    struct error *error;
};

static bool make_room(struct records *records)
{
    if (records->n < records->capacity)
        return true;
    size_t capacity = records->capacity ? 2 * records->capacity : 256;
    struct record *grown = realloc(records->record, capacity * sizeof *grown);
    if (!grown)
        return false;
    records->record = grown;
    records->capacity = capacity;
    return true;
}

/* The texts of a point, so that they outlive its line. */
static bool keep_texts(struct texts *texts, struct point *point)
{
    bool good = true;
    for (int f = 0; f < FIELD_COUNT && good; f++)
        if (point->value[f].kind == VALUE_TEXT) {
            point->value[f].text = texts_keep(texts, point->value[f].text);
            good = point->value[f].text != NULL;
        }
    return good;
}

static bool keep_record(const struct record_line *line, void *context)
{
    const struct keeping *keeping = context;
    struct records *records = keeping->records;
    if (!make_room(records))
        return fail_memory(keeping->error);
    struct record *record = &records->record[records->n];
    record->point = line->point;
    record->result = line->result;
    record->line = line->line;
    if (!keep_texts(&records->texts, &record->point) || !packed_of_line(line->json, &records->texts, &record->packed))
        return fail_memory(keeping->error);
    records->n++;
    return true;
}

bool records_read(const char *path, struct records *records, struct error *error)
{
    memset(records, 0, sizeof *records);
    struct keeping keeping = {records, error};
    if (!records_each(path, keep_record, &keeping, &records->unread, error)) {
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
        packed_free(&records->record[i].packed);
    free(records->record);
    texts_free(&records->texts);
    memset(records, 0, sizeof *records);
}

size_t records_keep(struct records *records, bool (*keep)(const struct record *record, void *context), void *context)
{
    size_t kept = 0, n = records->n;
    for (size_t i = 0; i < n; i++) {
        if (keep(&records->record[i], context))
            records->record[kept++] = records->record[i];
        else
            packed_free(&records->record[i].packed);
    }
    records->n = kept;
    return n - kept;
}

const struct record *records_training(const struct records *records, const struct point *point)
{
    struct point training;
    size_t low = 0, high = records->n;
    if (!point_training(point, &training))
        return NULL;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (point_order(&records->record[middle].point, &training) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < records->n && point_equal(&records->record[low].point, &training) ? &records->record[low] : NULL;
}

/* ---- What a record holds ------------------------------------------------------------------------------------------------- */

const struct datum *column_datum(const struct record *record, enum column_id id)
{
    return packed_datum(&record->packed, id);
}

double column_number(const struct record *record, enum column_id id)
{
    const struct datum *datum = column_datum(record, id);
    return datum->kind == DATUM_INTEGER ? (double)datum->integer : datum->kind == DATUM_REAL ? datum->real : NAN;
}

const char *column_text(const struct record *record, enum column_id id)
{
    const struct datum *datum = column_datum(record, id);
    return datum->kind == DATUM_TEXT ? datum->text : NULL;
}

size_t column_count(const struct record *record, enum column_id id)
{
    const struct datum *datum = column_datum(record, id);
    return datum->kind == DATUM_LIST ? datum->n : 0;
}

double column_element(const struct record *record, enum column_id id, size_t i)
{
    return i < column_count(record, id) ? column_datum(record, id)->list[i] : NAN;
}

bool record_has(const struct record *record, const char *object)
{
    return packed_has(&record->packed, object);
}

const struct warned *record_warned(const struct record *record, enum warning_code code)
{
    const struct datum *datum = column_datum(record, COLUMN_WARNINGS);
    for (size_t i = 0; datum->kind == DATUM_WARNINGS && i < datum->n; i++)
        if (datum->warned[i].code == code)
            return &datum->warned[i];
    return NULL;
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

enum column_state column_state(const struct record *record, enum column_id id)
{
    if (!column_applies(record, id))
        return COLUMN_NOT_APPLICABLE;
    if (column_datum(record, id)->kind != DATUM_NONE)
        return COLUMN_THERE;
    if (schema[id].absent != NULL && packed_within(&record->packed, id))
        return COLUMN_ABSENT;
    return schema[id].optional ? COLUMN_NOT_APPLICABLE : COLUMN_NOT_MEASURED;
}
