/* See table.h: the short table at the end of a run. */
#include "bench/table.h"

#include "bench/measure.h"
#include "bench/table_cells.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_WIDTH = 100, PAGE_ROWS = 40, FIGURES_MAX = 4, COLUMNS_MAX = FIELD_COUNT + FIGURES_MAX + 2, GAP = 2 };

static const struct {
    const char *measure;
    struct table_figure figure[FIGURES_MAX];
    int n;
} main_figures[] = {
    {"convergence",
     {{"rate", "convergence.rate", STYLE_RATE},
      {"rho", "inputs.rho", STYLE_RATE},
      {"l to 1e-6", "convergence.error_to.1e-6", STYLE_ITERATIONS},
      {"final error (max)", "convergence.final.error_max", STYLE_SHORT}},
     4},
    {"throughput",
     {{"time", "throughput.median", STYLE_TIME},
      {"Mtok/s", "throughput.tokens_per_s", STYLE_MILLIONS},
      {"error to exact", "throughput.error_exact", STYLE_SHORT}},
     3},
};

struct sheet {
    int n_rows, n_columns;
    int n_fields;           /* the first columns; those without room head the rows that share them */
    int n_headed;           /* how many of them do: the first ones, which change least from row to row */
    int field[FIELD_COUNT]; /* of a column */
    bool left[COLUMNS_MAX]; /* aligned to the left */
    cell header[COLUMNS_MAX];
    cell (*row)[COLUMNS_MAX];
    int *n_more; /* rows of the same implementation that are left out after this one */
};

/* ---- Which rows -------------------------------------------------------------------------------------------------------- */

static bool same_but_seed(const struct point *a, const struct point *b)
{
    for (int f = 0; f < FIELD_COUNT; f++)
        if (f != FIELD_SEED && value_order(&a->value[f], &b->value[f]))
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

static int add_column(struct sheet *sheet, bool left, const char *header)
{
    snprintf(sheet->header[sheet->n_columns], CELL_SIZE, "%s", header);
    sheet->left[sheet->n_columns] = left;
    return sheet->n_columns++;
}

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

static void fill_row(const struct table_row *row, const struct table_figure *figure, int n_figures, bool several, double *scratch,
                     struct sheet *sheet)
{
    cell *cells = sheet->row[sheet->n_rows++];
    int c = 0;
    for (; c < sheet->n_fields; c++)
        cell_value(sheet->field[c], &row->record->point.value[sheet->field[c]], cells[c]);
    if (several)
        snprintf(cells[c++], CELL_SIZE, "%zu", row->n);
    cell_result(row, cells[c++]);
    for (int i = 0; i < n_figures; i++)
        cell_figure(row, &figure[i], scratch, cells[c++]);
}

static void fill(const struct table_row *row, int n, int each, const struct table_figure *figure, int n_figures, double *scratch,
                 struct sheet *sheet)
{
    bool several = false;
    for (int f = 0; f < FIELD_COUNT; f++)
        if (f == FIELD_IMPLEMENTATION || varies(row, n, f))
            sheet->field[add_column(sheet, fields[f].kind == VALUE_WORD || fields[f].kind == VALUE_TEXT, fields[f].name)] = f;
    sheet->n_fields = sheet->n_columns;
    for (int i = 0; i < n; i++)
        several = several || row[i].n > 1;
    if (several)
        add_column(sheet, false, "n");
    add_column(sheet, true, "result");
    for (int i = 0; i < n_figures; i++)
        add_column(sheet, false, figure[i].header);
    for (int i = 0, same; i < n; i += same) {
        same = same_implementation(row + i, n - i);
        for (int k = 0; k < same && k < each; k++)
            fill_row(&row[i + k], figure, n_figures, several, scratch, sheet);
        sheet->n_more[sheet->n_rows - 1] = same > each ? same - each : 0;
    }
}

/* Columns on the screen: bytes that do not continue a letter. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static int column_width(const struct sheet *sheet, int c)
{
    int width = width_of(sheet->header[c]);
    for (int r = 0; r < sheet->n_rows; r++)
        width = width_of(sheet->row[r][c]) > width ? width_of(sheet->row[r][c]) : width;
    return width;
}

/* ---- Printing ---------------------------------------------------------------------------------------------------------- */

static void print_row(FILE *out, const struct sheet *sheet, const int *width, cell *row)
{
    int blanks = sheet->n_headed ? GAP : 0; /* owed: printed only when something follows */
    for (int c = sheet->n_headed; c < sheet->n_columns; c++) {
        int pad = width[c] - width_of(row[c]);
        blanks += sheet->left[c] ? 0 : pad;
        if (row[c][0]) {
            fprintf(out, "%*s%s", blanks, "", row[c]);
            blanks = 0;
        }
        blanks += GAP + (sheet->left[c] ? pad : 0);
    }
    fputc('\n', out);
}

/* What the rows from here on share, where that is not what it was above; over several lines where it is long. */
static void print_heading(FILE *out, const struct sheet *sheet, int r)
{
    int length = 0;
    bool same = r > 0;
    for (int c = 0; c < sheet->n_headed && same; c++)
        same = !strcmp(sheet->row[r][c], sheet->row[r - 1][c]);
    if (same)
        return;
    for (int c = 0; c < sheet->n_headed; c++) {
        char text[2 * CELL_SIZE + 8];
        if (!sheet->row[r][c][0])
            continue;
        snprintf(text, sizeof text, "%s%s%s", c ? sheet->header[c] : "", c ? " = " : "", sheet->row[r][c]);
        const char *before = length == 0 ? "" : length + 2 + width_of(text) > PAGE_WIDTH ? ",\n" : ", ";
        length = before[0] && before[1] == '\n' ? 0 : length + (int)strlen(before);
        fprintf(out, "%s%s", before, text);
        length += width_of(text);
    }
    fputc('\n', out);
}

static void print_sheet(FILE *out, struct sheet *sheet)
{
    int width[COLUMNS_MAX] = {0}, total = 0;
    for (int c = 0; c < sheet->n_columns; c++)
        total += (width[c] = column_width(sheet, c)) + GAP;
    for (; sheet->n_headed < sheet->n_fields && total - (sheet->n_headed ? 0 : GAP) > PAGE_WIDTH; sheet->n_headed++)
        total -= width[sheet->n_headed] + GAP;
    print_row(out, sheet, width, sheet->header);
    for (int r = 0; r < sheet->n_rows; r++) {
        if (sheet->n_headed)
            print_heading(out, sheet, r);
        print_row(out, sheet, width, sheet->row[r]);
        if (sheet->n_more[r])
            fprintf(out, "... %d more rows of %s in table.csv\n", sheet->n_more[r], sheet->row[r][0]);
    }
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
    done = done && sheet.row && sheet.n_more;
    for (size_t i = 0; done && n && i < sizeof main_figures / sizeof main_figures[0]; i++)
        if (!strcmp(main_figures[i].measure, measure_word(measure))) {
            fill(row, n, each, main_figures[i].figure, main_figures[i].n, scratch, &sheet);
            fprintf(out, "\n%s\n", measure_word(measure));
            print_sheet(out, &sheet);
        }
    free(sheet.n_more);
    free(sheet.row);
    free(scratch);
    free(row);
    return done;
}

bool table_print(FILE *out, const char *journal_path, struct error *error)
{
    struct records records;
    if (!records_read(journal_path, &records, error))
        return false;
    bool done = true;
    for (int measure = 0; done && records.n && measure_word(measure); measure++)
        done = print_measure(out, &records, measure) || fail(error, "out of memory for the table");
    records_free(&records);
    return done;
}
