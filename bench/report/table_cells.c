/* See table_cells.h. */
#include "bench/report/table_cells.h"

#include "bench/base/statistics.h"
#include "bench/base/text.h"

#include <math.h>
#include <stdio.h>

static double figure_of(const struct record *record, enum column_id id)
{
    enum column_state state = column_state(record, id);
    return state == COLUMN_THERE ? column_number(record, id) : state == COLUMN_ABSENT ? schema[id].absent_number : NAN;
}

/* A figure over the records of a row, and how far it is known: half the width of a time's interval over rounds, or of a range. */
struct middle {
    double median, half;
    bool range; /* of the seeds, or of fewer rounds than an interval takes */
};

static double half_width(const struct record *record, enum column_id low, enum column_id high)
{
    return (column_number(record, high) - column_number(record, low)) / 2;
}

static struct middle middle_of(const struct table_row *row, enum column_id id, double *scratch)
{
    struct middle middle;
    size_t n = 0;
    for (size_t i = 0; i < row->n; i++) {
        scratch[n] = figure_of(&row->record[i], id);
        n += !isnan(scratch[n]);
    }
    statistics_sort(scratch, n);
    middle.median = n == 0 ? NAN : isinf(scratch[n / 2]) ? INFINITY : statistics_median(scratch, n);
    middle.half = n > 1 ? (scratch[n - 1] - scratch[0]) / 2 : half_width(row->record, COLUMN_TIME_LOW, COLUMN_TIME_HIGH);
    middle.range = n > 1 || isnan(middle.half);
    if (n == 1 && middle.range)
        middle.half =
            column_number(row->record, COLUMN_ROUNDS) > 1 ? half_width(row->record, COLUMN_TIME_FASTEST, COLUMN_TIME_SLOWEST) : NAN;
    return middle;
}

static void print_time(const struct middle *time, cell text)
{
    int length = text_seconds(time->median, CELL_SIZE, text);
    if (!isnan(time->half))
        snprintf(text + length, CELL_SIZE - (size_t)length, " \u00b1%.0f%%%s", 100 * time->half / time->median,
                 time->range ? " range" : "");
}

void cell_figure(const struct table_row *row, enum column_id id, double *scratch, cell text)
{
    static const char *const formats[] = {[STYLE_SHORT] = "%.1e", [STYLE_RATE] = "%.4f", [STYLE_COUNT] = "%.0f"};
    struct middle middle = middle_of(row, id, scratch);
    double median = middle.median;
    text[0] = '\0'; /* empty where nothing is known */
    if (isnan(median))
        return;
    if (schema[id].absent != NULL && median == schema[id].absent_number)
        snprintf(text, CELL_SIZE, "%s", schema[id].absent);
    else if (schema[id].style == STYLE_TIME)
        print_time(&middle, text);
    else if (schema[id].style == STYLE_MILLIONS)
        text_short(median / 1e6, CELL_SIZE, text);
    else if (schema[id].style == STYLE_PLAIN)
        text_short(median, CELL_SIZE, text);
    else if (schema[id].style == STYLE_SHARE)
        snprintf(text, CELL_SIZE, "%.0f%%", 100 * median);
    else
        snprintf(text, CELL_SIZE, formats[schema[id].style], median);
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
