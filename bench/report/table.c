/* See table.h: table.csv. */
#include "bench/report/table.h"

#include "bench/base/files.h"
#include "bench/base/shown.h"
#include "bench/base/stream.h"

#include <stdlib.h>
#include <string.h>

/* Which columns the records fill. */
struct filled {
    bool field[FIELD_COUNT], column[COLUMN_COUNT];
};

static void put_json(FILE *out, const json_t *value)
{
    if (json_is_string(value))
        shown_cell(out, json_string_value(value));
    else if (json_is_integer(value))
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        fprintf(out, "%.9g", json_real_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "true" : "false", out);
}

static void put_list(FILE *out, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i), *code = json_object_get(entry, "code");
        fputs(i ? " " : "", out);
        put_json(out, code ? code : entry);
    }
}

static void put_cell(FILE *out, const struct record *record, enum column_id id)
{
    switch (column_state(record, id)) {
    case COLUMN_THERE:
        (schema[id].list ? put_list : put_json)(out, column_json(record, id));
        break;
    case COLUMN_ABSENT:
        fputs(schema[id].absent, out);
        break;
    case COLUMN_NOT_MEASURED:
        fputs(TABLE_NOT_MEASURED, out);
        break;
    case COLUMN_NOT_APPLICABLE:
        break;
    }
}

/* Whether a record says anything in a column: a value that is not empty, or that there is none. */
static bool is_filled(const struct record *record, enum column_id id)
{
    const json_t *value = column_json(record, id);
    enum column_state state = schema[id].name == NULL ? COLUMN_NOT_APPLICABLE : column_state(record, id);
    bool empty = schema[id].list ? json_array_size(value) == 0 : json_is_string(value) && json_string_length(value) == 0;
    return state == COLUMN_ABSENT || (state == COLUMN_THERE && !empty);
}

static struct filled filled_by(const struct records *records)
{
    struct filled filled = {{false}, {false}};
    for (size_t i = 0; i < records->n; i++) {
        const struct record *record = &records->record[i];
        for (int f = 0; f < FIELD_COUNT; f++)
            filled.field[f] = filled.field[f] || record->point.value[f].kind != VALUE_NONE;
        for (int c = 0; c < COLUMN_COUNT; c++)
            filled.column[c] = filled.column[c] || is_filled(record, (enum column_id)c);
    }
    return filled;
}

static void put_header(FILE *out, const struct filled *filled)
{
    const char *before = "";
    for (int f = 0; f < FIELD_COUNT; f++)
        if (filled->field[f]) {
            fprintf(out, "%s%s", before, fields[f].name);
            before = ",";
        }
    for (int c = 0; c < COLUMN_COUNT; c++)
        if (filled->column[c]) {
            fprintf(out, "%s%s", before, schema[c].name);
            before = ",";
        }
    fputc('\n', out);
}

static void put_record(FILE *out, const struct record *record, const struct filled *filled)
{
    const char *before = "";
    for (int f = 0; f < FIELD_COUNT; f++) {
        char text[VALUE_TEXT_MAX] = "";
        const struct value *value = &record->point.value[f];
        if (!filled->field[f])
            continue;
        if (value->kind != VALUE_NONE)
            field_print(f, value, sizeof text, text);
        fputs(before, out);
        shown_cell(out, text);
        before = ",";
    }
    for (int c = 0; c < COLUMN_COUNT; c++)
        if (filled->column[c]) {
            fputs(before, out);
            put_cell(out, record, (enum column_id)c);
            before = ",";
        }
    fputc('\n', out);
}

bool table_write(const struct records *records, const char *csv_path, struct error *error)
{
    struct stream out;
    struct filled filled = filled_by(records);
    if (!stream_open(&out))
        return fail(error, "out of memory for %.900s", csv_path);
    put_header(out.file, &filled);
    for (size_t i = 0; i < records->n; i++)
        put_record(out.file, &records->record[i], &filled);
    if (!stream_close(&out))
        return fail(error, "out of memory for %.900s", csv_path);
    bool done = files_write(csv_path, out.text, out.length, error);
    free(out.text);
    return done;
}
