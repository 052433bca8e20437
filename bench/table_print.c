/* See table.h: the short table at the end of a run. */
#include "bench/table.h"

#include "bench/measure.h"
#include "bench/records.h"
#include "bench/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_WIDTH = 100, PAGE_ROWS = 25, CELL_SIZE = 40, FIGURES_MAX = 4, COLUMNS_MAX = FIELD_COUNT + FIGURES_MAX + 2, GAP = 2 };

/* How a figure is printed. */
enum style { STYLE_SHORT, STYLE_RATE, STYLE_ITERATIONS, STYLE_TIME, STYLE_MILLIONS };

struct figure {
    const char *header, *path;
    enum style style;
};

static const struct {
    const char *measure;
    struct figure figure[FIGURES_MAX];
    int n;
} main_figures[] = {
    {"convergence",
     {{"rate", "convergence.rate", STYLE_RATE},
      {"rho", "inputs.rho", STYLE_RATE},
      {"l to 1e-6", "convergence.error_to.1e-6", STYLE_ITERATIONS},
      {"final error", "convergence.final.error_max", STYLE_SHORT}},
     4},
    {"throughput",
     {{"time", "throughput.median", STYLE_TIME},
      {"Mtok/s", "throughput.tokens_per_s", STYLE_MILLIONS},
      {"error", "throughput.error_exact", STYLE_SHORT}},
     3},
};

/* Columns that are no field: some stay whatever the room, some are the first to go. */
enum { COLUMN_KEPT = -1, COLUMN_SPARE = -2 };

typedef char cell[CELL_SIZE];

struct sheet {
    int n_rows, n_columns;
    int field[COLUMNS_MAX]; /* of a column, or COLUMN_KEPT, COLUMN_SPARE */
    bool left[COLUMNS_MAX]; /* aligned to the left */
    cell header[COLUMNS_MAX];
    cell (*row)[COLUMNS_MAX];
};

/* The records of one row: one point but for the seed. */
struct group {
    const struct record *record;
    size_t n;
};

/* ---- Cells ------------------------------------------------------------------------------------------------------------- */

/* Iterations that were carried out and did not get there are infinitely many. */
static double figure_of(const struct record *record, const struct figure *figure)
{
    double number = record_number(record, figure->path);
    bool measured = record->point.value[FIELD_L].kind != VALUE_NONE && json_is_object(record_at(record, "convergence"));
    return isnan(number) && figure->style == STYLE_ITERATIONS && measured ? INFINITY : number;
}

/* Median and half range of a figure over a group; for a single record the half width of its interval, where there is one. */
static void middle(const struct group *group, const struct figure *figure, double *scratch, double *median, double *half)
{
    size_t n = 0;
    for (size_t i = 0; i < group->n; i++) {
        scratch[n] = figure_of(&group->record[i], figure);
        n += !isnan(scratch[n]);
    }
    statistics_sort(scratch, n);
    *median = n == 0 ? NAN : isinf(scratch[n / 2]) ? INFINITY : statistics_median(scratch, n);
    *half = n > 1 ? (scratch[n - 1] - scratch[0]) / 2
                  : (record_number(group->record, "throughput.high") - record_number(group->record, "throughput.low")) / 2;
}

/* Three significant digits without an exponent; a small number in full. */
static int print_short(double value, cell text)
{
    return snprintf(text, CELL_SIZE, value < 1 ? "%.3g" : value < 9.995 ? "%.2f" : value < 99.95 ? "%.1f" : "%.0f", value);
}

static void print_time(double seconds, double half, cell text)
{
    static const struct {
        double size;
        const char *name;
    } units[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}};
    size_t unit = 0;
    while (unit + 1 < sizeof units / sizeof units[0] && seconds < units[unit].size)
        unit++;
    int length = print_short(seconds / units[unit].size, text);
    length += snprintf(text + length, CELL_SIZE - (size_t)length, " %s", units[unit].name);
    if (!isnan(half))
        snprintf(text + length, CELL_SIZE - (size_t)length, " \u00b1%.0f%%", 100 * half / seconds);
}

static void print_figure(const struct figure *figure, const struct group *group, double *scratch, cell text)
{
    static const char *const formats[] = {[STYLE_SHORT] = "%.1e", [STYLE_RATE] = "%.4f", [STYLE_ITERATIONS] = "%.0f"};
    double median, half;
    middle(group, figure, scratch, &median, &half);
    text[0] = '\0'; /* empty where nothing is known */
    if (isnan(median))
        return;
    if (isinf(median))
        snprintf(text, CELL_SIZE, "never");
    else if (figure->style == STYLE_TIME)
        print_time(median, half, text);
    else if (figure->style == STYLE_MILLIONS)
        print_short(median / 1e6, text);
    else
        snprintf(text, CELL_SIZE, formats[figure->style], median);
}

/* "ok", or "2/3 ok" where the records of a row differ. */
static void print_results(const struct group *group, cell text)
{
    size_t same = 0, ok = 0;
    for (size_t i = 0; i < group->n; i++) {
        same += group->record[i].result == group->record->result;
        ok += group->record[i].result == RESULT_OK;
    }
    if (same == group->n)
        snprintf(text, CELL_SIZE, "%s", result_name(group->record->result));
    else
        snprintf(text, CELL_SIZE, "%zu/%zu ok", ok, group->n);
}

static void print_value(int field, const struct value *value, cell text)
{
    text[0] = '\0';
    if (value->kind != VALUE_NONE)
        field_print(field, value, CELL_SIZE, text);
}

/* ---- The sheet --------------------------------------------------------------------------------------------------------- */

static int add_column(struct sheet *sheet, int field, bool left, const char *header)
{
    snprintf(sheet->header[sheet->n_columns], CELL_SIZE, "%s", header);
    sheet->field[sheet->n_columns] = field;
    sheet->left[sheet->n_columns] = left;
    return sheet->n_columns++;
}

static bool varies(const struct group *group, int n, int field)
{
    const struct value *first = NULL;
    for (int g = 0; g < n; g++) {
        const struct value *value = &group[g].record->point.value[field];
        if (value->kind != VALUE_NONE && first && value_order(first, value))
            return true;
        first = first || value->kind == VALUE_NONE ? first : value;
    }
    return false;
}

static void fill(const struct group *group, int n, const struct figure *figure, int n_figures, double *scratch, struct sheet *sheet)
{
    bool several = false;
    for (int f = 0; f < FIELD_COUNT; f++)
        if (f == FIELD_IMPLEMENTATION || varies(group, n, f))
            add_column(sheet, f, fields[f].kind == VALUE_WORD || fields[f].kind == VALUE_TEXT, fields[f].name);
    for (int g = 0; g < n; g++)
        several = several || group[g].n > 1;
    int n_fields = sheet->n_columns;
    if (several)
        add_column(sheet, COLUMN_SPARE, false, "n");
    add_column(sheet, COLUMN_KEPT, true, "result");
    for (int i = 0; i < n_figures; i++)
        add_column(sheet, COLUMN_KEPT, false, figure[i].header);
    sheet->n_rows = n < PAGE_ROWS ? n : PAGE_ROWS;
    for (int g = 0; g < sheet->n_rows; g++) {
        int c = n_fields;
        for (int f = 0; f < n_fields; f++)
            print_value(sheet->field[f], &group[g].record->point.value[sheet->field[f]], sheet->row[g][f]);
        if (several)
            snprintf(sheet->row[g][c++], CELL_SIZE, "%zu", group[g].n);
        print_results(&group[g], sheet->row[g][c++]);
        for (int i = 0; i < n_figures; i++)
            print_figure(&figure[i], &group[g], scratch, sheet->row[g][c++]);
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

static void print_row(FILE *out, const struct sheet *sheet, const int *width, cell *row)
{
    int blanks = 0; /* owed: printed only when something follows */
    for (int c = 0; c < sheet->n_columns; c++) {
        if (!width[c])
            continue;
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

/* Leaves out fields, the last first, until the rest fits; a width of 0 stands for a column left out. */
static void print_sheet(FILE *out, struct sheet *sheet)
{
    int width[COLUMNS_MAX] = {0}, total = 0;
    char left_out[512] = "";
    for (int c = 0; c < sheet->n_columns; c++)
        total += (width[c] = column_width(sheet, c)) + GAP;
    for (int c = sheet->n_columns - 1; c > 0 && total - GAP > PAGE_WIDTH; c--) /* the spare one stands behind the fields */
        if (sheet->field[c] != COLUMN_KEPT) {
            size_t used = strlen(left_out);
            total -= width[c] + GAP;
            width[c] = 0;
            snprintf(left_out + used, sizeof left_out - used, "%s%s", used ? ", " : "", sheet->header[c]);
        }
    print_row(out, sheet, width, sheet->header);
    for (int r = 0; r < sheet->n_rows; r++)
        print_row(out, sheet, width, sheet->row[r]);
    if (left_out[0])
        fprintf(out, "(no room for %s: see table.csv)\n", left_out);
}

/* ---- A measure --------------------------------------------------------------------------------------------------------- */

static bool same_but_seed(const struct point *a, const struct point *b)
{
    for (int f = 0; f < FIELD_COUNT; f++)
        if (f != FIELD_SEED && value_order(&a->value[f], &b->value[f]))
            return false;
    return true;
}

/* Records are in the order of their points and the seed is the last field, so those of a group stand together. */
static int group_records(const struct records *records, int measure, struct group *group)
{
    int n = 0;
    for (size_t i = 0; i < records->n; i++) {
        const struct record *record = &records->record[i];
        if (record->point.value[FIELD_MEASURE].integer != measure)
            continue;
        if (n && same_but_seed(&group[n - 1].record->point, &record->point))
            group[n - 1].n++;
        else
            group[n++] = (struct group){record, 1};
    }
    return n;
}

static bool print_measure(FILE *out, const struct records *records, int measure)
{
    struct group *group = calloc(records->n, sizeof *group);
    double *scratch = calloc(records->n, sizeof *scratch);
    struct sheet *sheet = calloc(1, sizeof *sheet);
    if (sheet)
        sheet->row = calloc(PAGE_ROWS, sizeof *sheet->row);
    bool done = group && scratch && sheet && sheet->row;
    int n = done ? group_records(records, measure, group) : 0;
    for (size_t i = 0; n && i < sizeof main_figures / sizeof main_figures[0]; i++)
        if (!strcmp(main_figures[i].measure, measure_word(measure))) {
            fill(group, n, main_figures[i].figure, main_figures[i].n, scratch, sheet);
            fprintf(out, "\n%s\n", measure_word(measure));
            print_sheet(out, sheet);
            if (n > PAGE_ROWS)
                fprintf(out, "... %d more rows in table.csv\n", n - PAGE_ROWS);
        }
    if (sheet)
        free(sheet->row);
    free(sheet);
    free(scratch);
    free(group);
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
