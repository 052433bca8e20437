/* See protocol.h. */
#include "bench/report/protocol.h"

#include <stdlib.h>
#include <string.h>

enum { VALUES_SHOWN = 6, VALUES_MAX = 1000 };

/* Values of one field. */
struct values {
    struct value value[VALUES_MAX];
    int n;
};

static void add(struct values *values, const struct value *value)
{
    for (int i = 0; i < values->n; i++)
        if (value_equal(&values->value[i], value))
            return;
    if (values->n < VALUES_MAX)
        values->value[values->n++] = *value;
}

static bool equal(const struct values *a, const struct values *b)
{
    int common = 0;
    for (int i = 0; i < a->n; i++)
        for (int k = 0; k < b->n; k++)
            common += value_equal(&a->value[i], &b->value[k]);
    return a->n == b->n && common == a->n;
}

/* "2, 4, 8", or the first few, the last and how many. */
static void put_values(FILE *out, int field, const struct values *values)
{
    char text[VALUE_TEXT_MAX];
    int first = values->n <= VALUES_SHOWN ? values->n : VALUES_SHOWN / 2;
    for (int i = 0; i < values->n; i++) {
        if (i >= first && i + 1 < values->n)
            continue;
        field_print(field, &values->value[i], sizeof text, text);
        fprintf(out, "%s%s", i == 0 ? "" : i >= first ? ", ..., " : ", ", text);
    }
    if (first < values->n)
        fprintf(out, " (%d values)", values->n);
}

/* What points of the sweep have, and what those at the scale would have of a field that they use. */
static bool compare(const struct sweep *sweep, const struct scale_row *row, struct values *here, struct values *there)
{
    here->n = there->n = 0;
    for (size_t i = 0; i < sweep->n_points; i++)
        if (sweep->point[i].value[row->field].kind != VALUE_NONE)
            add(here, &sweep->point[i].value[row->field]);
    for (int i = 0; i < row->n_values; i++) {
        struct value value = row->value[i];
        field_resolve(row->field, &value);
        add(there, &value);
    }
    return here->n > 0 && !equal(here, there);
}

bool protocol_print(FILE *out, const struct sweep *sweep)
{
    const char *scale = "";
    struct values *values = calloc(2, sizeof *values);
    for (int i = 0; values != NULL && i < sweep->n_scaled; i++) {
        const struct scale_row *row = &sweep->scaled[i];
        if (!compare(sweep, row, &values[0], &values[1]))
            continue;
        if (strcmp(scale, row->scale) != 0)
            fprintf(out, "\nWhat `--scale %s` would change:\n\n| field | here | %s |\n|---|---|---|\n", row->scale, row->scale);
        scale = row->scale;
        fprintf(out, "| %s | ", fields[row->field].name);
        put_values(out, row->field, &values[0]);
        fputs(" | ", out);
        put_values(out, row->field, &values[1]);
        fputs(" |\n", out);
    }
    free(values);
    return values != NULL;
}
