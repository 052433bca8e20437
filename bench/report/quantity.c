/* See quantity.h. */
#include "bench/report/quantity.h"

#include "bench/report/table.h"
#include "bench/sweep/measures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define OVER_EXAMPLES "95 % interval over examples"
#define OVER_POSITIONS "95 % interval over positions, as if independent"
#define OVER_ROUNDS "95 % interval over rounds"

// clang-format off
static const struct quantity quantities[] = {
    {"accuracy", "token accuracy", "token accuracy low 95%", "token accuracy high 95%", OVER_POSITIONS, NULL, NAN, "", 3},
    {"sequence-accuracy", "sequence accuracy", "sequence accuracy low 95%", "sequence accuracy high 95%", OVER_EXAMPLES, NULL, NAN, "", 3},
    {"scaled-accuracy", "scaled token accuracy", "scaled token accuracy low 95%", "scaled token accuracy high 95%", OVER_POSITIONS, NULL, NAN, "", 3},
    {"l-star", "median l* [1]", "q1 of l* [1]", "q3 of l* [1]", "quartiles of the sequences", "never", INFINITY, "", -1},
    {"difference", "difference from against, max (median)", "difference from against, max (q1)", "difference from against, max (q3)", "quartiles of the sequences", NULL, NAN, "", -1},
    {"longest", "longest length with token accuracy above 0.9", NULL, NULL, "", "none", 0, "", -1},
    {"longest-sequence", "longest length with sequence accuracy above 0.9", NULL, NULL, "", "none", 0, "", -1},
    {"training-steps", "training steps", NULL, NULL, "", NULL, NAN, "", -1},
    {"training-time", "training time [s]", NULL, NULL, "", NULL, NAN, " s", -1},
    {"time", "median over rounds [s]", "median low 95% [s]", "median high 95% [s]", OVER_ROUNDS, NULL, NAN, " s", -1},
    {"rate", "rate of convergence", NULL, NULL, "", NULL, NAN, "", -1},
    {"iterations", "iterations to error 1e-6", NULL, NULL, "", "never", INFINITY, "", -1},
    {"applications", "median applications to error 1e-6 [1/token]", "q1 of applications to error 1e-6 [1/token]",
     "q3 of applications to error 1e-6 [1/token]", "quartiles of the problems", "never", INFINITY, "", -1},
    {"tracked", "share of tokens tracked", NULL, NULL, "", NULL, NAN, "", 3},
    {"cosine", "cosine of the gradient of all inputs", NULL, NULL, "", NULL, NAN, "", 3},
};
// clang-format on

const struct quantity *quantity_get(int i)
{
    return i >= 0 && (size_t)i < sizeof quantities / sizeof quantities[0] ? &quantities[i] : NULL;
}

int quantity_find(const char *name)
{
    for (int i = 0; quantity_get(i) != NULL; i++)
        if (strcmp(quantities[i].name, name) == 0)
            return i;
    return -1;
}

const char *quantity_path(const struct quantity *quantity)
{
    return table_path(quantity->header);
}

bool quantity_of_record(const struct quantity *quantity, const struct record *record)
{
    const char *path = quantity_path(quantity), *measure = measure_word((int)record->point.value[FIELD_MEASURE].integer);
    size_t n = strcspn(path, ".");
    return strncmp(measure, path, n) == 0 && measure[n] == '\0';
}

struct quantity_value quantity_value(const struct quantity *quantity, const struct record *record)
{
    struct quantity_value found = {record_number(record, quantity_path(quantity)), NAN, NAN};
    char part[64];
    const char *path = quantity_path(quantity), *last = strrchr(path, '.');
    snprintf(part, sizeof part, "%.*s", (int)(last - path), path);
    if (quantity->low != NULL) {
        found.low = record_number(record, table_path(quantity->low));
        found.high = record_number(record, table_path(quantity->high));
    }
    if (isnan(found.value) && quantity->absent != NULL && json_is_object(record_at(record, part)))
        found.value = quantity->absent_value;
    return found;
}

void quantity_print(const struct quantity *quantity, double value, size_t capacity, char text[capacity])
{
    if (isnan(value))
        snprintf(text, capacity, "not known");
    else if (quantity->absent != NULL && value == quantity->absent_value)
        snprintf(text, capacity, "%s", quantity->absent);
    else if (quantity->decimals >= 0)
        snprintf(text, capacity, "%.*f%s", quantity->decimals, value, quantity->unit);
    else
        snprintf(text, capacity, "%.4g%s", value, quantity->unit);
}
