/* See table.h: table.csv. */
#include "bench/report/table.h"

#include "bench/base/files.h"
#include "bench/base/shown.h"
#include "bench/base/stream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Which columns the records fill. */
struct filled {
    bool field[FIELD_COUNT], column[COLUMN_COUNT];
};

/* The elements of a list stand in a cell one after the other; of warnings their codes. */
static void put_datum(FILE *out, const struct datum *datum)
{
    switch ((enum datum_kind)datum->kind) {
    case DATUM_INTEGER:
        fprintf(out, "%" PRId64, datum->integer);
        break;
    case DATUM_REAL:
        fprintf(out, "%.9g", datum->real);
        break;
    case DATUM_TEXT:
    case DATUM_BOOLEAN:
        shown_cell(out, datum_word(datum));
        break;
    case DATUM_LIST:
        for (size_t i = 0; i < datum->n; i++)
            fprintf(out, datum->whole ? "%s%.0f" : "%s%.9g", i > 0 ? " " : "", datum->list[i]);
        break;
    case DATUM_WARNINGS:
        for (size_t i = 0; i < datum->n; i++)
            fprintf(out, "%s%s", i > 0 ? " " : "", warnings[datum->warned[i].code].code);
        break;
    case DATUM_NONE:
        break;
    }
}

static void put_cell(FILE *out, const struct record *record, enum column_id id)
{
    switch (column_state(record, id)) {
    case COLUMN_THERE:
        put_datum(out, column_datum(record, id));
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
    const struct datum *datum = column_datum(record, id);
    enum column_state state = schema[id].name == NULL ? COLUMN_NOT_APPLICABLE : column_state(record, id);
    bool empty = schema[id].list ? datum->n == 0 : datum->kind == DATUM_TEXT && datum->text[0] == '\0';
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
