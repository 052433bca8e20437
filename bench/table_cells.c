/* See table_cells.h. */
#include "bench/table_cells.h"

#include "bench/statistics.h"

#include <math.h>
#include <stdio.h>

/* Iterations that were carried out and did not get there are infinitely many; exact implementations have none. */
static double figure_of(const struct record *record, const struct table_figure *figure)
{
    double number = record_number(record, figure->path);
    if (figure->style != STYLE_ITERATIONS)
        return number;
    if (record->point.value[FIELD_L].kind == VALUE_NONE)
        return NAN;
    return isnan(number) && json_is_object(record_at(record, "convergence")) ? INFINITY : number;
}

/* Median and half range of a figure over a group; for a single record the half width of its interval, where there is one. */
static void middle(const struct table_row *row, const struct table_figure *figure, double *scratch, double *median, double *half)
{
    size_t n = 0;
    for (size_t i = 0; i < row->n; i++) {
        scratch[n] = figure_of(&row->record[i], figure);
        n += !isnan(scratch[n]);
    }
    statistics_sort(scratch, n);
    *median = n == 0 ? NAN : isinf(scratch[n / 2]) ? INFINITY : statistics_median(scratch, n);
    *half = n > 1 ? (scratch[n - 1] - scratch[0]) / 2
                  : (record_number(row->record, "throughput.high") - record_number(row->record, "throughput.low")) / 2;
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

void cell_figure(const struct table_row *row, const struct table_figure *figure, double *scratch, cell text)
{
    static const char *const formats[] = {[STYLE_SHORT] = "%.1e", [STYLE_RATE] = "%.4f", [STYLE_ITERATIONS] = "%.0f"};
    double median, half;
    middle(row, figure, scratch, &median, &half);
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

void cell_result(const struct table_row *row, cell text)
{
    size_t same = 0, ok = 0;
    for (size_t i = 0; i < row->n; i++) {
        same += row->record[i].result == row->record->result;
        ok += row->record[i].result == RESULT_OK;
    }
    if (same == row->n)
        snprintf(text, CELL_SIZE, "%s", result_name(row->record->result));
    else
        snprintf(text, CELL_SIZE, "%zu/%zu ok", ok, row->n);
}

void cell_value(int field, const struct value *value, cell text)
{
    text[0] = '\0';
    if (value->kind != VALUE_NONE)
        field_print(field, value, CELL_SIZE, text);
}
