/* See table.h: the short table at the end of a run, with the columns that have a head in the schema. */
#include "bench/report/table.h"

#include "bench/base/files.h"
#include "bench/base/stream.h"
#include "bench/report/table_sheet.h"
#include "bench/sweep/measures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_ROWS = 40 };

/* ---- Which rows -------------------------------------------------------------------------------------------------------- */

static bool same_but_seed(const struct point *a, const struct point *b)
{
    for (int f = 0; f < FIELD_COUNT; f++)
        if (!fields[f].seed && value_order(&a->value[f], &b->value[f]))
            return false;
    return true;
}

/* Records are in the order of their points and the seed is the last field, so those of a row stand together. */
static int group_records(const struct records *records, int measure, struct table_row *row)
{
    int n = 0;
    for (size_t i = 0; i < records->n; i++) {
        const struct record *record = &records->record[i];
        if (record->point.value[FIELD_MEASURE].integer != measure)
            continue;
        if (n && same_but_seed(&row[n - 1].record->point, &record->point))
            row[n - 1].n++;
        else
            row[n++] = (struct table_row){record, 1};
    }
    return n;
}

/* How many rows in succession are of one implementation. */
static int same_implementation(const struct table_row *row, int n)
{
    int same = 1;
    while (same < n &&
           !value_order(&row[0].record->point.value[FIELD_IMPLEMENTATION], &row[same].record->point.value[FIELD_IMPLEMENTATION]))
        same++;
    return same;
}

/* How many rows are shown with at most so many of each implementation. */
static int rows_shown(const struct table_row *row, int n, int each)
{
    int total = 0;
    for (int i = 0, same; i < n; i += same) {
        same = same_implementation(row + i, n - i);
        total += same < each ? same : each;
    }
    return total;
}

/* The most rows of each implementation with which all have a place on the page; at least one. */
static int rows_each(const struct table_row *row, int n)
{
    int each = PAGE_ROWS;
    while (each > 1 && rows_shown(row, n, each) > PAGE_ROWS)
        each--;
    return each;
}

/* ---- The sheet --------------------------------------------------------------------------------------------------------- */

static bool varies(const struct table_row *row, int n, int field)
{
    const struct value *first = NULL;
    for (int i = 0; i < n; i++) {
        const struct value *value = &row[i].record->point.value[field];
        if (!value_is_used(field, value))
            continue;
        if (first && value_order(first, value))
            return true;
        first = value;
    }
    return false;
}

/* True where some row has a value in the column. */
static bool has_value(const struct table_row *row, int n, enum column_id id)
{
    for (int i = 0; i < n; i++)
        for (size_t k = 0; k < row[i].n; k++)
            if (column_state(&row[i].record[k], id) == COLUMN_THERE)
                return true;
    return false;
}

/* The fewest rounds that a row's time stands on; 0 where it has none. */
static int rounds_of(const struct table_row *row)
{
    double least = NAN;
    for (size_t i = 0; i < row->n; i++)
        if (column_number(&row->record[i], COLUMN_TIME_MEDIAN) > 0)
            least = fmin(least, column_number(&row->record[i], COLUMN_ROUNDS));
    return isnan(least) ? 0 : (int)least;
}

/* The rounds of all rows that have a time, the fewest and the most; 0 and 0 where none has. */
static void range_of_rounds(const struct table_row *row, int n, int *least, int *most)
{
    *least = *most = 0;
    for (int i = 0; i < n; i++) {
        int rounds = rounds_of(&row[i]);
        *least = rounds && (!*least || rounds < *least) ? rounds : *least;
        *most = rounds > *most ? rounds : *most;
    }
}

/* Which columns there are beside the fields. */
struct shown {
    bool seeds, rounds;
    enum column_id figure[SHEET_FIGURES_MAX];
    int n_figures;
};

/* Whether a column is one of the printed table of a measure. */
static bool is_headed(enum column_id id, const char *measure)
{
    const char *of = schema[id].head_measure != NULL ? schema[id].head_measure : column_measure(id);
    return schema[id].head != NULL && strcmp(of, measure) == 0;
}

static struct shown choose_columns(const struct table_row *row, int n, int measure)
{
    int least, most;
    range_of_rounds(row, n, &least, &most);
    struct shown shown = {.rounds = least != most};
    for (int i = 0; i < n; i++)
        shown.seeds = shown.seeds || row[i].n > 1;
    for (int id = 0; id < COLUMN_COUNT && shown.n_figures < SHEET_FIGURES_MAX; id++)
        if (is_headed((enum column_id)id, measure_word(measure)) &&
            (!schema[id].head_optional || has_value(row, n, (enum column_id)id)))
            shown.figure[shown.n_figures++] = (enum column_id)id;
    return shown;
}

/* Why the first record of a row that failed did; NULL where none did, or nothing is said of it. */
static const char *reason_of(const struct table_row *row)
{
    for (size_t i = 0; i < row->n; i++) {
        const char *message = column_text(&row->record[i], COLUMN_MESSAGE);
        if (row->record[i].result != RESULT_OK && message != NULL && message[0] != '\0')
            return message;
    }
    return NULL;
}

static void fill_row(const struct table_row *row, const struct shown *shown, double *scratch, struct sheet *sheet)
{
    cell *cells = sheet->row[sheet->n_rows];
    int c = 0, rounds = rounds_of(row);
    for (; c < sheet->n_fields; c++)
        cell_value(sheet->field[c], &row->record->point.value[sheet->field[c]], cells[c]);
    if (shown->seeds)
        snprintf(cells[c++], CELL_SIZE, "%zu", row->n);
    if (shown->rounds)
        snprintf(cells[c++], CELL_SIZE, rounds ? "%d" : "", rounds);
    cell_result(row, cells[c++]);
    for (int i = 0; i < shown->n_figures; i++)
        cell_figure(row, shown->figure[i], scratch, cells[c++]);
    sheet->reason[sheet->n_rows++] = reason_of(row);
}

/* At most so many rows of one implementation, in their order: before all others those that have something to explain. */
static void fill_implementation(const struct table_row *row, int n, int each, const struct shown *shown, double *scratch,
                                struct sheet *sheet)
{
    int explained = 0, left;
    for (int k = 0; k < n; k++)
        explained += reason_of(&row[k]) != NULL;
    explained = explained < each ? explained : each;
    left = each - explained;
    for (int k = 0; k < n; k++) {
        int *room = reason_of(&row[k]) != NULL ? &explained : &left;
        if (*room > 0)
            fill_row(&row[k], shown, scratch, sheet);
        *room -= *room > 0;
    }
}

static void fill(const struct table_row *row, int n, int each, const struct shown *shown, double *scratch, struct sheet *sheet)
{
    for (int f = 0; f < FIELD_COUNT; f++)
        if (f == FIELD_IMPLEMENTATION || varies(row, n, f))
            sheet->field[sheet_add_column(sheet, fields[f].kind == VALUE_WORD || fields[f].kind == VALUE_TEXT, fields[f].name)] = f;
    sheet->n_fields = sheet->n_columns;
    if (shown->seeds)
        sheet_add_column(sheet, false, "n");
    if (shown->rounds)
        sheet_add_column(sheet, false, "rounds");
    sheet_add_column(sheet, true, "result");
    for (int i = 0; i < shown->n_figures; i++)
        sheet_add_column(sheet, false, schema[shown->figure[i]].head);
    for (int i = 0, same; i < n; i += same) {
        same = same_implementation(row + i, n - i);
        fill_implementation(row + i, same, each, shown, scratch, sheet);
        sheet->n_more[sheet->n_rows - 1] = same > each ? same - each : 0;
    }
}

/* The measure, and what its times stand on. */
static void print_title(FILE *out, const struct table_row *row, int n, int measure)
{
    int least, most;
    range_of_rounds(row, n, &least, &most);
    fprintf(out, "\n%s", measure_word(measure));
    if (most && least == most)
        fprintf(out, ", %d round%s per point", most, most > 1 ? "s" : "");
    if (has_value(row, n, COLUMN_TIME_LOW))
        fputs("; \u00b1: 95 % interval of the median over rounds", out);
    fputc('\n', out);
}

static bool print_measure(FILE *out, const struct records *records, int measure)
{
    struct table_row *row = calloc(records->n, sizeof *row);
    double *scratch = calloc(records->n, sizeof *scratch);
    struct sheet sheet = {0};
    bool done = row && scratch;
    int n = done ? group_records(records, measure, row) : 0, each = rows_each(row, n);
    size_t n_shown = (size_t)rows_shown(row, n, each);
    sheet.row = calloc(n_shown + 1, sizeof *sheet.row);
    sheet.n_more = calloc(n_shown + 1, sizeof *sheet.n_more);
    sheet.reason = calloc(n_shown + 1, sizeof *sheet.reason);
    done = done && sheet.row && sheet.n_more && sheet.reason;
    if (done && n) {
        struct shown shown = choose_columns(row, n, measure);
        fill(row, n, each, &shown, scratch, &sheet);
        print_title(out, row, n, measure);
        sheet_print(out, &sheet);
    }
    free(sheet.reason);
    free(sheet.n_more);
    free(sheet.row);
    free(scratch);
    free(row);
    return done;
}

bool table_print(FILE *out, const struct records *records, struct error *error)
{
    bool done = true;
    for (int measure = 0; done && records->n && measure_word(measure); measure++)
        done = print_measure(out, records, measure) || fail(error, "out of memory for the table");
    return done;
}

bool table_print_to(const char *path, const struct records *records, const struct comparisons *comparisons, struct error *error)
{
    struct stream out;
    if (!stream_open(&out))
        return fail(error, "out of memory for %.900s", path);
    bool done = table_print(out.file, records, error) && comparisons_print(out.file, comparisons, records, error);
    if (!stream_close(&out))
        return fail(error, "out of memory for %.900s", path);
    size_t skip = out.length > 0 ? 1 : 0; /* the empty line that sets it off on a terminal */
    done = done && files_write(path, out.text + skip, out.length - skip, error);
    free(out.text);
    return done;
}
