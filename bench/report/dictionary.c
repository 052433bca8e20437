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
          "`make columns` writes this page from `bench/sweep/fields.def` (the fields of a point) and\n"
          "`bench/journal/schema.def` (what was measured). [Numbers](reference/numbers.md) says how to read the numbers.\n\n"
          "`table.csv` has one row per point, and only the columns that its run fills: first the fields, then the others, in\n"
          "the order below. The header has names only; units are on this page.\n\n"
          "| cell | meaning |\n|---|---|\n"
          "| a value | what was measured, merged over the rounds of the point as the tables below say |\n"
          "| `never`, `none` | it was measured and did not occur |\n"
          "| `" TABLE_NOT_MEASURED
          "` | it applies but has no value: the point failed, has too few rounds, or it was not measured |\n"
          "| empty | it does not apply: another measure, a field that the point does not use, an exact implementation |\n\n"
          "pandas reads the last two as missing, and tells them apart with `keep_default_na=False`. R reads both as missing\n"
          "with `na.strings = c(\"" TABLE_NOT_MEASURED "\", \"\")`.\n",
          out);
}

static void put_fields(FILE *out)
{
    fputs("\n## Fields of the point\n\n"
          "The names of [sweep files](reference/sweep-files.md). In the journal they are below `point`.\n\n"
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
        fputs("; none if the rounds have different results", out);
    if (column->absent != NULL)
        fprintf(out, "; or `%s`", column->absent);
    if (column->name != NULL)
        fprintf(out, " | `%s`", column->path);
    fputs(" |\n", out);
}

/* The columns of a measure; NULL: those of points of every measure. */
static void put_measure(FILE *out, const char *measure)
{
    fprintf(out, "\n## %s\n\n| column | unit | merged over rounds | meaning | in the journal |\n|---|---|---|---|---|\n",
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
    fputs("\n## Only in the journal\n\n"
          "Curves, samples of a round, and values that a row has in another form.\n\n"
          "| in the journal | unit | meaning |\n|---|---|---|\n",
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
