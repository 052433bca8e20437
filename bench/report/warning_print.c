/* See warning_print.h. */
#include "bench/report/warning_print.h"

#include "bench/base/stream.h"
#include "bench/report/wrap.h"

#include <stdlib.h>
#include <string.h>

enum { INDENT = 4, MEASURES_MAX = 16 };

/* Where a code occurs. */
struct occurrence {
    size_t rounds, points;         /* that have it */
    size_t all_rounds, all_points; /* of the same measures */
    const struct record *worst;
    double figure;
};

static size_t rounds_of(const struct record *record)
{
    double rounds = column_number(record, COLUMN_ROUNDS);
    return rounds > 0 ? (size_t)rounds : 1;
}

static int measure_of(const struct record *record)
{
    int64_t measure = record->point.value[FIELD_MEASURE].integer;
    return measure >= 0 && measure < MEASURES_MAX ? (int)measure : 0;
}

static struct occurrence find_code(const struct records *records, enum warning_code code)
{
    struct occurrence found = {.worst = NULL};
    bool has_it[MEASURES_MAX] = {false};
    for (size_t i = 0; i < records->n; i++) {
        const struct record *record = &records->record[i];
        const struct warned *entry = record_warned(record, code);
        if (entry) {
            has_it[measure_of(record)] = true;
            found.points++;
            found.rounds += (size_t)entry->rounds;
            if (!found.worst || entry->figure > found.figure) {
                found.worst = record;
                found.figure = entry->figure;
            }
        }
    }
    for (size_t i = 0; found.worst && i < records->n; i++)
        if (has_it[measure_of(&records->record[i])]) {
            found.all_points++;
            found.all_rounds += rounds_of(&records->record[i]);
        }
    return found;
}

static void describe_remedies(FILE *out, const struct warning *warning, const struct precautions *precautions)
{
    int named = 0;
    for (int i = 0; i < REMEDIES_MAX && warning->remedy[i].text; i++) {
        const struct remedy *remedy = &warning->remedy[i];
        if (!remedy->settled || !remedy->settled(precautions))
            fprintf(out, "%s%s", named++ ? "; " : " Remedies: ", remedy->text);
    }
    fputs(named ? "." : " No further remedy known.", out);
}

static void describe(FILE *out, const struct warning *warning, const struct occurrence *found,
                     const struct precautions *precautions)
{
    char label[160], figure[64];
    point_label(&found->worst->point, sizeof label, label);
    snprintf(figure, sizeof figure, warning->figure, found->figure * warning->unit);
    fprintf(out, "%s:", warning->code);
    if (found->rounds)
        fprintf(out, " %zu of %zu rounds,", found->rounds, found->all_rounds);
    fprintf(out, " %zu of %zu points; at worst %s: %s. %s", found->points, found->all_points, figure, label, warning->cause);
    if (warning->product && precautions->product[0] != '\0')
        fprintf(out, " %s", precautions->product);
    describe_remedies(out, warning, precautions);
}

bool warnings_print(FILE *out, const struct records *records, const struct precautions *precautions, struct error *error)
{
    bool any = false, good = true;
    for (int code = 0; good && code < WARNING_COUNT; code++) {
        struct occurrence found = find_code(records, (enum warning_code)code);
        if (!found.worst)
            continue;
        struct stream paragraph;
        good = stream_open(&paragraph);
        if (good) {
            describe(paragraph.file, &warnings[code], &found, precautions);
            good = stream_close(&paragraph);
        }
        if (good) {
            fputs(any ? "" : "\nWarnings (explained in docs/reference/messages.md):\n", out);
            wrap_print(out, paragraph.text, PAGE_WIDTH, 0, INDENT);
            free(paragraph.text);
        }
        any = true;
    }
    return good || fail(error, "out of memory for the warnings");
}
