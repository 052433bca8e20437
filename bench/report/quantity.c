/* See quantity.h. */
#include "bench/report/quantity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is_quantity(int id)
{
    return schema[id].name != NULL && !schema[id].text && !schema[id].list && column_measure((enum column_id)id) != NULL;
}

const struct column *quantity_get(int i)
{
    for (int id = 0; id < COLUMN_COUNT; id++)
        if (is_quantity(id) && i-- == 0)
            return &schema[id];
    return NULL;
}

bool quantity_of_record(const struct column *quantity, const struct record *record)
{
    return strcmp(column_measure(column_id_of(quantity)), column_text(record, COLUMN_MEASURE)) == 0;
}

struct quantity_value quantity_value(const struct column *quantity, const struct record *record)
{
    struct quantity_value found = {column_number(record, column_id_of(quantity)), NAN, NAN};
    if (quantity->spread != NULL) {
        found.low = column_number(record, quantity->low);
        found.high = column_number(record, quantity->high);
    }
    if (column_state(record, column_id_of(quantity)) == COLUMN_ABSENT)
        found.value = quantity->absent_number;
    return found;
}

void quantity_print(const struct column *quantity, double value, size_t capacity, char text[capacity])
{
    bool seconds = strcmp(quantity->unit, "s") == 0;
    if (isnan(value))
        snprintf(text, capacity, "not known");
    else if (quantity->absent != NULL && value == quantity->absent_number)
        snprintf(text, capacity, "%s", quantity->absent);
    else if (quantity->decimals > 0)
        snprintf(text, capacity, "%.*f", quantity->decimals, value);
    else
        snprintf(text, capacity, "%.4g%s", value, seconds ? " s" : "");
}
