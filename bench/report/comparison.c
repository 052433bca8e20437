/* See comparison.h. */
#include "bench/report/comparison.h"

#include "bench/base/exponent.h"
#include "bench/base/files.h"
#include "bench/base/number.h"
#include "bench/base/shown.h"
#include "bench/base/statistics.h"
#include "bench/base/stream.h"
#include "bench/journal/warning.h"
#include "bench/report/groups.h"
#include "bench/report/protocol.h"
#include "bench/report/quantity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS_SHOWN = 16, NUMBER_SIZE = 64 };

/* ---- One group: points that differ in their seeds alone ------------------------------------------------------------------ */

/* "2 diverged", of the records that have no figure; failed: indices of their results. */
static void put_failures(FILE *out, const size_t count[RESULT_COUNT + 1], const char *before)
{
    for (int result = 0; result <= RESULT_COUNT; result++)
        if (count[result] > 0) {
            fprintf(out, "%s%zu %s", before, count[result], result == RESULT_OK ? "without it" : result_name((enum result)result));
            before = ", ";
        }
}

/* How long and on what the trainings went that the points depend on: a layer that was not shown a length is no verdict on it. */
static void put_trainings(FILE *out, const struct records *all, struct record *const *record, size_t n)
{
    double steps[2] = {INFINITY, 0}, length[2] = {INFINITY, 0};
    for (size_t i = 0; i < n; i++) {
        const struct record *training = records_training(all, &record[i]->point);
        if (training == NULL || isnan(column_number(training, COLUMN_TRAINING_LENGTH)))
            continue;
        steps[0] = fmin(steps[0], column_number(training, COLUMN_TRAINING_STEPS));
        steps[1] = fmax(steps[1], column_number(training, COLUMN_TRAINING_STEPS));
        length[0] = fmin(length[0], column_number(training, COLUMN_TRAINING_LENGTH));
        length[1] = fmax(length[1], column_number(training, COLUMN_TRAINING_LENGTH));
    }
    if (steps[1] == 0)
        return;
    fprintf(out, steps[0] < steps[1] ? ", trained %.0f to %.0f steps" : ", trained %.0f steps", steps[0], steps[1]);
    fprintf(out, length[0] < length[1] ? " up to length %.0f to %.0f" : " up to length %.0f", length[0], length[1]);
}

static void put_group(FILE *out, const struct column *quantity, struct record *const *record, size_t n, double *value)
{
    size_t known = 0, count[RESULT_COUNT + 1] = {0};
    struct quantity_value last = {NAN, NAN, NAN};
    char text[NUMBER_SIZE], low[NUMBER_SIZE], high[NUMBER_SIZE];
    for (size_t i = 0; i < n; i++) {
        struct quantity_value found = quantity_value(quantity, record[i]);
        if (isnan(found.value)) {
            count[record[i]->result]++;
            continue;
        }
        last = found;
        value[known++] = found.value;
    }
    if (known == 0) {
        put_failures(out, count, "");
        return;
    }
    statistics_sort(value, known);
    bool endless = isinf(value[known / 2]) || isinf(value[(known - 1) / 2]);
    quantity_print(quantity, endless ? value[known / 2] : statistics_median(value, known), sizeof text, text);
    fputs(text, out);
    quantity_print(quantity, known > 1 ? value[0] : last.low, sizeof low, low);
    quantity_print(quantity, known > 1 ? value[known - 1] : last.high, sizeof high, high);
    if (known > 1)
        fprintf(out, " (%s to %s over %zu seeds)", low, high, known);
    else if (!isnan(last.low) && !isnan(last.high))
        fprintf(out, " (%s to %s, %s)", low, high, quantity->spread);
    put_failures(out, count, ", ");
}

/* ---- The exponent of one group: points that differ in a field, and in their seeds ----------------------------------------- */

/* value has room for two numbers a record. */
static void put_exponent(FILE *out, const struct column *quantity, int along, struct record *const *record, size_t n, double *value)
{
    size_t known = 0, count[RESULT_COUNT + 1] = {0};
    double *x = value, *y = value + n, least = INFINITY, most = 0;
    char low[VALUE_TEXT_MAX], high[VALUE_TEXT_MAX];
    for (size_t i = 0; i < n; i++) {
        double found = quantity_value(quantity, record[i]).value, at = value_number(&record[i]->point.value[along]);
        if (!(found > 0 && at > 0 && isfinite(found))) {
            count[record[i]->result]++;
            continue;
        }
        least = fmin(least, at);
        most = fmax(most, at);
        x[known] = at;
        y[known++] = found;
    }
    struct exponent fit = exponent_fit(x, y, known);
    if (isnan(fit.p)) {
        fputs("too few values for a fit", out);
    } else {
        number_print_real(least, sizeof low, low);
        number_print_real(most, sizeof high, high);
        fprintf(out, "%.2f (", fit.p);
        if (!isnan(fit.low))
            fprintf(out, "%.2f to %.2f, 95 %% interval of the fit; ", fit.low, fit.high);
        fprintf(out, "%zu points from %s to %s)", known, low, high);
    }
    put_failures(out, count, ", ");
}

/* ---- One claim ------------------------------------------------------------------------------------------------------------ */

/* Records that a claim is about, and room for as many again and their values. */
struct selection {
    struct record **record, **member;
    size_t n;
    double *value; /* two a record */
    const struct records *all;
};

static void select_records(const struct records *records, const struct claim *claim, struct selection *selection)
{
    selection->n = 0;
    for (size_t i = 0; i < records->n; i++)
        if (quantity_of_record(quantity_get(claim->here), &records->record[i]) &&
            filter_keeps(&claim->where, &records->record[i].point))
            selection->record[selection->n++] = &records->record[i];
}

/* How many of the points that a time is taken from were disturbed, and by what. */
static void put_warnings(FILE *out, const struct selection *selection)
{
    static const enum warning_code codes[] = {WARNING_BUSY,     WARNING_STEAL, WARNING_CLOCK,
                                              WARNING_THROTTLE, WARNING_QUOTA, WARNING_WIDE};
    for (size_t k = 0; k < sizeof codes / sizeof codes[0]; k++) {
        size_t count = 0;
        for (size_t i = 0; i < selection->n; i++)
            count += record_warned(selection->record[i], codes[k]) != NULL;
        if (count > 0)
            fprintf(out, "; %zu of %zu points %s", count, selection->n, warnings[codes[k]].code);
    }
}

static bool put_here(FILE *out, const struct claim *claim, struct selection *selection)
{
    const struct column *quantity = quantity_get(claim->here);
    struct grouping grouping = {.n_fields = 0};
    for (int f = 0; f < FIELD_COUNT; f++)
        if (!fields[f].seed && f != claim->along)
            grouping.field[grouping.n_fields++] = f;
    if (selection->n == 0) {
        fputs("not measured", out);
        return true;
    }
    if (!grouping_make(selection->record, selection->n, &grouping))
        return false;
    struct varying varying = varying_among(selection->record, selection->n);
    if (claim->along >= 0)
        fprintf(out, "exponent in %s of ", fields[claim->along].name);
    shown_markdown(out, quantity->name);
    for (int g = 0; g < grouping.n && g < GROUPS_SHOWN; g++) {
        char label[GROUP_LABEL_SIZE];
        size_t n = 0;
        for (size_t i = 0; i < selection->n; i++)
            if (grouping_owns(&grouping, g, &selection->record[i]->point))
                selection->member[n++] = selection->record[i];
        grouping_label(&grouping, g, &varying, sizeof label, label);
        fputs(g > 0 ? "; " : ": ", out);
        shown_markdown(out, label);
        fputs(label[0] != '\0' ? ": " : "", out);
        if (claim->along >= 0)
            put_exponent(out, quantity, claim->along, selection->member, n, selection->value);
        else {
            put_group(out, quantity, selection->member, n, selection->value);
            put_trainings(out, selection->all, selection->member, n);
        }
    }
    if (grouping.n > GROUPS_SHOWN)
        fprintf(out, "; and %d more in table.csv", grouping.n - GROUPS_SHOWN);
    if (strcmp(column_measure((enum column_id)(quantity - schema)), "throughput") == 0)
        put_warnings(out, selection);
    grouping_free(&grouping);
    return true;
}

bool comparison_print(FILE *out, const struct sweep *sweep, const struct records *records)
{
    struct selection selection = {.record = calloc(records->n + 1, sizeof(struct record *)),
                                  .member = calloc(records->n + 1, sizeof(struct record *)),
                                  .value = calloc(2 * records->n + 1, sizeof(double)),
                                  .all = records};
    bool done = selection.record && selection.member && selection.value;
    fprintf(out, "# %s: the paper, and here\n\n", sweep->name);
    fputs("What the paper reports, and what this run measured: a column of table.csv, by its name. Several seeds: median and\n"
          "range; one seed: its own spread. `./run.sh draw` rewrites this file.\n\n"
          "| paper | reports | here | what differs |\n|---|---|---|---|\n",
          out);
    for (int i = 0; done && i < sweep->n_claims; i++) {
        const struct claim *claim = &sweep->claim[i];
        select_records(records, claim, &selection);
        fputs("| ", out);
        shown_markdown(out, claim->figure);
        fputs(" | ", out);
        shown_markdown(out, claim->says);
        fputs(" | ", out);
        done = put_here(out, claim, &selection);
        fputs(" | ", out);
        shown_markdown(out, claim->differs);
        fputs(" |\n", out);
    }
    done = done && protocol_print(out, sweep);
    free(selection.record);
    free(selection.member);
    free(selection.value);
    return done;
}

bool comparison_write(const struct sweep *sweep, const struct records *records, const char *path, struct error *error)
{
    struct stream out;
    if (sweep->n_claims == 0)
        return files_remove(path, error);
    if (!stream_open(&out))
        return fail(error, "out of memory for %.900s", path);
    bool done = comparison_print(out.file, sweep, records);
    if (!stream_close(&out))
        return fail(error, "out of memory for %.900s", path);
    done = done ? files_write(path, out.text, out.length, error) : fail(error, "out of memory for %.900s", path);
    free(out.text);
    return done;
}
