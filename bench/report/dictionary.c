/* See dictionary.h. */
#include "bench/report/dictionary.h"

#include "bench/journal/schema.h"
#include "bench/report/table.h"
#include "bench/sweep/field.h"
#include "bench/sweep/measures.h"

#include <string.h>

static void put_intro(FILE *out)
{
    fputs("# Columns of table.csv\n\n"
          "Written by `make columns` from the tables that the program itself reads: `bench/sweep/fields.def` for the fields of\n"
          "a point, `bench/journal/schema.def` for what was measured. [Numbers](reference/numbers.md) says how to read the "
          "numbers.\n\n"
          "`table.csv` has one row a point and only those of these columns that its run fills. Fields come first, then the\n"
          "others in the order below. Units are those of this page; the header has names alone. A cell is\n\n"
          "| cell | meaning |\n|---|---|\n"
          "| a value | what was measured, merged over the rounds of the point as the tables below say |\n"
          "| `never`, `none` | it was measured, and what was looked for did not happen |\n"
          "| `" TABLE_NOT_MEASURED
          "` | the point could have such a value, but it was not measured, or is not known: the point failed, or has too "
          "few rounds |\n"
          "| empty | does not apply to the point: another measure, a field that it does not use, an exact implementation |\n\n"
          "pandas reads both of the last two as missing, R does with `na.strings = c(\"" TABLE_NOT_MEASURED "\", \"\")`; with\n"
          "`keep_default_na=False` pandas tells them apart.\n",
          out);
}

static void put_fields(FILE *out)
{
    fputs("\n## Fields of the point\n\n"
          "Named as in a sweep file ([sweep files](reference/sweep-files.md)) and, below `point`, in the journal.\n\n"
          "| column | unit |\n|---|---|\n",
          out);
    for (int f = 0; f < FIELD_COUNT; f++)
        fprintf(out, "| `%s` | %s |\n", fields[f].name, fields[f].unit);
}

static void put_column(FILE *out, const struct column *column)
{
    if (column->name != NULL)
        fprintf(out, "| `%s` | %s | %s | %s", column->name, column->unit, merge_meaning(column->merge), column->description);
    else
        fprintf(out, "| `%s` | %s | %s", column->path, column->unit, column->description);
    if (column->only_with != 0)
        fprintf(out, "; of points with `%s`", fields[column->only_with].name);
    if (column->agreeing)
        fputs("; none where rounds have different results", out);
    if (column->absent != NULL)
        fprintf(out, "; or `%s`", column->absent);
    if (column->name != NULL)
        fprintf(out, " | `%s`", column->path);
    fputs(" |\n", out);
}

/* The columns of a measure; NULL: those of points of every measure. */
static void put_measure(FILE *out, const char *measure)
{
    fprintf(out, "\n## %s\n\n| column | unit | rounds | what it is | in the journal |\n|---|---|---|---|---|\n",
            measure != NULL ? measure : "Points of every measure");
    for (int id = 0; id < COLUMN_COUNT; id++) {
        const char *of = column_measure((enum column_id)id);
        bool same = measure == NULL || of == NULL ? measure == of : strcmp(measure, of) == 0;
        if (schema[id].name != NULL && same)
            put_column(out, &schema[id]);
    }
}

static void put_journal_alone(FILE *out)
{
    fputs("\n## In the journal alone\n\n"
          "Curves, samples of a round, and what a row has in another form. A merged record has no `round` and no `order`.\n\n"
          "| in the journal | unit | what it is |\n|---|---|---|\n",
          out);
    for (int id = 0; id < COLUMN_COUNT; id++)
        if (schema[id].name == NULL)
            put_column(out, &schema[id]);
}

void dictionary_print(FILE *out)
{
    put_intro(out);
    put_fields(out);
    put_measure(out, NULL);
    for (int i = 0; measure_word(i) != NULL; i++)
        put_measure(out, measure_word(i));
    put_journal_alone(out);
}
