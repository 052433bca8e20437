/* See cells.h. */
#include "bench/report/blocks/cells.h"

#include "bench/report/quantity.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void block_text_add(struct block_text *text, const char *format, ...)
{
    size_t used = strlen(text->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text->text + used, sizeof text->text - used, format, arguments);
    va_end(arguments);
}

/* ---- One point ----------------------------------------------------------------------------------------------------------- */

/* The number, infinite where it was not reached; NaN where there is none. */
static double number_of(const struct column *column, const struct record *record)
{
    return quantity_value(column, record).value;
}

struct block_figure block_figure_of(const struct block_shown *shown, const struct record *record)
{
    const struct column *column = shown->column, *low = &schema[column->low], *high = &schema[column->high];
    bool whole = column_datum(record, column_id_of(column))->kind == DATUM_INTEGER;
    struct block_figure figure = {.value = shown->scale * number_of(column, record), .low = NAN, .high = NAN};
    if (shown->divisor != NULL) {
        figure.value /= number_of(shown->divisor, record);
        return figure;
    }
    bool counted =
        strcmp(column->unit, "iterations") == 0 || strcmp(column->unit, "1/token") == 0; /* a whole one may be stored as 27.0 */
    figure.whole = whole || isinf(figure.value) || (counted && figure.value == round(figure.value));
    figure.range = column == &schema[COLUMN_TIME_MEDIAN] && isnan(column_number(record, column->low)) &&
                   column_number(record, COLUMN_ROUNDS) > 1;
    if (figure.range) {
        low = &schema[COLUMN_TIME_FASTEST];
        high = &schema[COLUMN_TIME_SLOWEST];
    }
    if (column->spread != NULL) {
        figure.low = shown->scale * number_of(low, record);
        figure.high = shown->scale * number_of(high, record);
    }
    return figure;
}

bool block_text_of(const struct column *column, struct record *const *record, size_t n, struct block_text *cell)
{
    const char *word = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct datum *value = column_datum(record[i], column_id_of(column));
        const char *own = datum_word(value);
        if (value->kind == DATUM_INTEGER || value->kind == DATUM_REAL)
            return false;
        if (own != NULL)
            word = word == NULL || strcmp(word, own) == 0 ? own : "mixed";
    }
    if (word != NULL)
        block_text_add(cell, "%s", word);
    return word != NULL;
}

void block_results(struct record *const *record, size_t n, struct block_text *cell)
{
    size_t count[RESULT_COUNT + 1] = {0};
    const char *before = "";
    for (size_t i = 0; i < n; i++)
        count[record[i]->result]++;
    for (int result = 0; result <= RESULT_COUNT; result++) {
        const char *name = result < RESULT_COUNT ? result_name((enum result)result) : "unknown";
        if (count[result] == n)
            block_text_add(cell, "%s", name);
        else if (count[result] > 0) {
            block_text_add(cell, "%s%zu %s", before, count[result], name);
            before = ", ";
        }
    }
}

/* ---- Numbers ------------------------------------------------------------------------------------------------------------- */

/* So many significant digits; an exponent for what is tiny or huge alone. */
static void put_number(double value, bool whole, int digits, struct block_text *cell)
{
    char text[64];
    if (isinf(value)) {
        block_text_add(cell, "never");
        return;
    }
    if (value == 0 || (whole && value == round(value) && fabs(value) < 1e15)) {
        block_text_add(cell, "%.0f", value);
        return;
    }
    do /* what is less than 1 does not read as 1 */
        snprintf(text, sizeof text, "%#.*g", digits, value);
    while (value > 0.5 && value < 1 && text[0] == '1' && digits++ < 9);
    char *exponent = strchr(text, 'e');
    if (exponent != NULL && fabs(value) >= 1 && fabs(value) < 1e7) {
        block_text_add(cell, "%.0f", value);
        return;
    }
    if (exponent != NULL) /* 1.4e-06 is 1.4e-6 */
        snprintf(exponent, sizeof text - (size_t)(exponent - text), "e%d", (int)strtol(exponent + 1, NULL, 10));
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '.')
        text[length - 1] = '\0';
    block_text_add(cell, "%s", text);
}

void block_cell(const struct block_figure *figure, bool whole, int digits, struct block_text *cell)
{
    if (isnan(figure->value))
        return;
    put_number(figure->value, whole, digits, cell);
    if (whole && figure->low == figure->value && figure->high == figure->value)
        return;
    if (isnan(figure->low) || isnan(figure->high) || (isinf(figure->value) && isinf(figure->low)))
        return;
    block_text_add(cell, " (");
    put_number(figure->low, whole, digits, cell);
    block_text_add(cell, " to ");
    put_number(figure->high, whole, digits, cell);
    block_text_add(cell, ")");
}

/* ---- What brackets mean -------------------------------------------------------------------------------------------------- */

void block_notes_take(struct block_notes *notes, const struct block_shown *shown, const struct block_figure *figure, size_t known,
                      const struct block *block)
{
    const char *spread = shown->column->spread;
    int i = 0;
    notes->any = notes->any || (known > 1 && block->any);
    notes->seeds = notes->seeds || (known > 1 && !block->any);
    if (known != 1 || isnan(figure->low) || isnan(figure->high))
        return;
    notes->over = notes->over || block->over.n_conditions > 0;
    notes->range = notes->range || figure->range;
    while (i < notes->n_spreads && strcmp(notes->spread[i], spread) != 0)
        i++;
    if (!figure->range && i == notes->n_spreads && spread != NULL)
        notes->spread[notes->n_spreads++] = spread;
}
