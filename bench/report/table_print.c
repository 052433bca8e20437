/* See table.h: the short table at the end of a run. */
#include "bench/report/table.h"

#include "bench/report/table_sheet.h"
#include "bench/sweep/measures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_ROWS = 40 };

static const struct {
    const char *measure;
    struct table_figure figure[SHEET_FIGURES_MAX];
    int n;
} main_figures[] = {
    {"convergence",
     {{"rate", "convergence.rate", STYLE_RATE, false},
      {"rho", "inputs.rho", STYLE_RATE, false},
      {"l to 1e-6", "convergence.error_to.1e-6", STYLE_ITERATIONS, false},
      {"final error (max)", "convergence.final.error_max", STYLE_SHORT, false}},
     4},
    {"throughput",
     {{"time", "throughput.median", STYLE_TIME, false},
      {"Mtok/s", "throughput.tokens_per_s", STYLE_MILLIONS, false},
      {"of bound", "throughput.bound.share", STYLE_SHARE, true},
      {"error to exact", "throughput.error_exact", STYLE_SHORT, false}},
     4},
    {"reach",
     {{"to 1e-3", "reach.to.1e-3.median", STYLE_ITERATIONS, false},
      {"to 1e-6", "reach.to.1e-6.median", STYLE_ITERATIONS, false},
      {"in T/4", "reach.to.1e-6.within", STYLE_SHARE, false},
      {"set aside", "reach.set_aside", STYLE_COUNT, false},
      {"tracked", "reach.tracked", STYLE_SHARE, true}},
     5},
    {"gradient",
     {{"cosine", "gradient.all.cosine", STYLE_RATE, false},
      {"distance", "gradient.all.distance", STYLE_SHORT, false},
      {"theta", "gradient.theta.cosine", STYLE_RATE, true},
      {"lambda", "gradient.lambda.cosine", STYLE_RATE, false}},
     4},
    {"training",
     {{"steps", "training.steps", STYLE_COUNT, false},
      {"loss", "training.loss", STYLE_RATE, false},
      {"checked", "training.checked", STYLE_RATE, true},
      {"ms a step", "training.ms_a_step", STYLE_PLAIN, false},
      {"time [s]", "training.seconds.all", STYLE_COUNT, false}},
     5},
    {"accuracy",
     {{"token", "accuracy.token.share", STYLE_RATE, false},
      {"sequence", "accuracy.sequence.share", STYLE_RATE, false},
      {"longest", "accuracy.longest_token", STYLE_COUNT, true},
      {"median l*", "accuracy.l_star.median", STYLE_COUNT, true}},
     4},
};

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

/* True where some row has the figure. */
static bool has_figure(const struct table_row *row, int n, const char *path)
{
    for (int i = 0; i < n; i++)
        for (size_t k = 0; k < row[i].n; k++)
            if (!isnan(record_number(&row[i].record[k], path)))
                return true;
    return false;
}

/* The fewest rounds that a row's time stands on; 0 where it has none. */
static int rounds_of(const struct table_row *row)
{
    double least = NAN;
    for (size_t i = 0; i < row->n; i++)
        if (record_number(&row->record[i], "throughput.median") > 0)
            least = fmin(least, record_number(&row->record[i], "rounds"));
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
struct columns {
    bool seeds, rounds;
    const struct table_figure *figure[SHEET_FIGURES_MAX];
    int n_figures;
};

static void choose_columns(const struct table_row *row, int n, const struct table_figure *figure, int n_figures,
                           struct columns *columns)
{
    int least, most;
    range_of_rounds(row, n, &least, &most);
    *columns = (struct columns){.rounds = least != most};
    for (int i = 0; i < n; i++)
        columns->seeds = columns->seeds || row[i].n > 1;
    for (int i = 0; i < n_figures; i++)
        if (!figure[i].optional || has_figure(row, n, figure[i].path))
            columns->figure[columns->n_figures++] = &figure[i];
}

static void fill_row(const struct table_row *row, const struct columns *columns, double *scratch, struct sheet *sheet)
{
    cell *cells = sheet->row[sheet->n_rows++];
    int c = 0, rounds = rounds_of(row);
    for (; c < sheet->n_fields; c++)
        cell_value(sheet->field[c], &row->record->point.value[sheet->field[c]], cells[c]);
    if (columns->seeds)
        snprintf(cells[c++], CELL_SIZE, "%zu", row->n);
    if (columns->rounds)
        snprintf(cells[c++], CELL_SIZE, rounds ? "%d" : "", rounds);
    cell_result(row, cells[c++]);
    for (int i = 0; i < columns->n_figures; i++)
        cell_figure(row, columns->figure[i], scratch, cells[c++]);
}

static void fill(const struct table_row *row, int n, int each, const struct columns *columns, double *scratch, struct sheet *sheet)
{
    for (int f = 0; f < FIELD_COUNT; f++)
        if (f == FIELD_IMPLEMENTATION || varies(row, n, f))
            sheet->field[sheet_add_column(sheet, fields[f].kind == VALUE_WORD || fields[f].kind == VALUE_TEXT, fields[f].name)] = f;
    sheet->n_fields = sheet->n_columns;
    if (columns->seeds)
        sheet_add_column(sheet, false, "n");
    if (columns->rounds)
        sheet_add_column(sheet, false, "rounds");
    sheet_add_column(sheet, true, "result");
    for (int i = 0; i < columns->n_figures; i++)
        sheet_add_column(sheet, false, columns->figure[i]->header);
    for (int i = 0, same; i < n; i += same) {
        same = same_implementation(row + i, n - i);
        for (int k = 0; k < same && k < each; k++)
            fill_row(&row[i + k], columns, scratch, sheet);
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
        fprintf(out, ", %d round%s a point", most, most > 1 ? "s" : "");
    if (has_figure(row, n, "throughput.low"))
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
    done = done && sheet.row && sheet.n_more;
    for (size_t i = 0; done && n && i < sizeof main_figures / sizeof main_figures[0]; i++)
        if (!strcmp(main_figures[i].measure, measure_word(measure))) {
            struct columns columns;
            choose_columns(row, n, main_figures[i].figure, main_figures[i].n, &columns);
            fill(row, n, each, &columns, scratch, &sheet);
            print_title(out, row, n, measure);
            sheet_print(out, &sheet);
        }
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
