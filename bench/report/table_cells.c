/* See table_cells.h. */
#include "bench/report/table_cells.h"

#include "bench/base/statistics.h"
#include "bench/base/text.h"

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
    return isnan(number) && (json_is_object(record_at(record, "convergence")) || json_is_object(record_at(record, "reach")))
               ? INFINITY
               : number;
}

/* A figure over the records of a row, and how far it is known: half the width of a time's interval over rounds, or of a range. */
struct middle {
    double median, half;
    bool range; /* of the seeds, or of fewer rounds than an interval takes */
};

static double half_width(const struct record *record, const char *low, const char *high)
{
    return (record_number(record, high) - record_number(record, low)) / 2;
}

static struct middle middle_of(const struct table_row *row, const struct table_figure *figure, double *scratch)
{
    struct middle middle;
    size_t n = 0;
    for (size_t i = 0; i < row->n; i++) {
        scratch[n] = figure_of(&row->record[i], figure);
        n += !isnan(scratch[n]);
    }
    statistics_sort(scratch, n);
    middle.median = n == 0 ? NAN : isinf(scratch[n / 2]) ? INFINITY : statistics_median(scratch, n);
    middle.half = n > 1 ? (scratch[n - 1] - scratch[0]) / 2 : half_width(row->record, "throughput.low", "throughput.high");
    middle.range = n > 1 || isnan(middle.half);
    if (n == 1 && middle.range)
        middle.half =
            record_number(row->record, "rounds") > 1 ? half_width(row->record, "throughput.least", "throughput.most") : NAN;
    return middle;
}

static void print_time(const struct middle *time, cell text)
{
    int length = text_seconds(time->median, CELL_SIZE, text);
    if (!isnan(time->half))
        snprintf(text + length, CELL_SIZE - (size_t)length, " \u00b1%.0f%%%s", 100 * time->half / time->median,
                 time->range ? " range" : "");
}

void cell_figure(const struct table_row *row, const struct table_figure *figure, double *scratch, cell text)
{
    static const char *const formats[] = {
        [STYLE_SHORT] = "%.1e", [STYLE_RATE] = "%.4f", [STYLE_ITERATIONS] = "%.0f", [STYLE_COUNT] = "%.0f"};
    struct middle middle = middle_of(row, figure, scratch);
    double median = middle.median;
    text[0] = '\0'; /* empty where nothing is known */
    if (isnan(median))
        return;
    if (isinf(median))
        snprintf(text, CELL_SIZE, "never");
    else if (figure->style == STYLE_TIME)
        print_time(&middle, text);
    else if (figure->style == STYLE_MILLIONS)
        text_short(median / 1e6, CELL_SIZE, text);
    else if (figure->style == STYLE_PLAIN)
        text_short(median, CELL_SIZE, text);
    else if (figure->style == STYLE_SHARE)
        snprintf(text, CELL_SIZE, "%.0f%%", 100 * median);
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
