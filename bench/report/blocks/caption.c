/* See caption.h. */
#include "bench/report/blocks/caption.h"

#include "bench/base/stream.h"
#include "bench/journal/warning.h"
#include "bench/report/blocks/values.h"
#include "bench/report/wrap.h"

#include <stdlib.h>
#include <string.h>

static bool in_filter(const struct filter *filter, int field)
{
    for (int i = 0; i < filter->n_conditions; i++)
        if (filter->condition[i].field == field)
            return true;
    return false;
}

static bool in_table(const struct block *block, int field)
{
    for (int i = 0; i < block->n_rows; i++)
        if (block->rows[i] == field)
            return true;
    return field == block->across;
}

/* "B = 8, T = 1024, seed = 1": what all the points share and the table does not show, but for what is usual; and their seeds. */
static void put_shared(FILE *out, const struct block *block, struct record *const *record, size_t n)
{
    const char *before = "";
    for (int f = 0; f < FIELD_COUNT; f++) {
        struct value usual;
        const struct value *shared = NULL;
        bool one = true;
        if (f == FIELD_MEASURE || in_table(block, f) || f == block->along)
            continue;
        for (size_t i = 0; i < n; i++) {
            const struct value *value = &record[i]->point.value[f];
            if (value->kind == VALUE_NONE)
                continue;
            one = one && (shared == NULL || value_order(shared, value) == 0);
            shared = value;
        }
        if (shared == NULL || (!one && !fields[f].seed && !in_filter(&block->where, f)))
            continue;
        bool known = fields[f].default_text != NULL && field_read(f, fields[f].default_text, &usual);
        bool said = fields[f].seed || f == FIELD_DTYPE || in_filter(&block->where, f);
        if (one && known && !said && value_equal(&usual, shared))
            continue;
        char text[VALUE_TEXT_MAX];
        block_values(record, n, f, sizeof text, text);
        fprintf(out, field_is_implementation(f) ? "%s%s = `%s`" : "%s%s = %s", before, fields[f].name, text);
        before = ", ";
    }
}

/* "2026-11-28", or "2026-11-24 to 2026-11-28". */
static void put_days(FILE *out, struct record *const *record, size_t n)
{
    char first[11] = "", last[11] = "";
    for (size_t i = 0; i < n; i++) {
        const char *started = column_text(record[i], COLUMN_STARTED);
        const char *ended = column_text(record[i], COLUMN_ENDED);
        if (started != NULL && (first[0] == '\0' || strncmp(started, first, 10) < 0))
            snprintf(first, sizeof first, "%.10s", started);
        if (ended != NULL && strncmp(ended, last, 10) > 0)
            snprintf(last, sizeof last, "%.10s", ended);
    }
    fprintf(out, strcmp(first, last) == 0 ? "%s" : "%s to %s", first, last);
}

/* Rounds a point, of those that are timed: "6", or "3 to 6"; empty where none is. */
static void rounds_of(struct record *const *record, size_t n, size_t capacity, char text[capacity])
{
    int least = 0, most = 0;
    for (size_t i = 0; i < n; i++) {
        int rounds = (int)column_number(record[i], COLUMN_ROUNDS);
        if (!record_has(record[i], "throughput"))
            continue;
        least = least == 0 || rounds < least ? rounds : least;
        most = rounds > most ? rounds : most;
    }
    snprintf(text, capacity, most == 0 ? "" : least == most ? "%d" : "%d to %d", least, most);
}

/* With what figures are compared, where they are. */
static void put_over(FILE *out, const struct block *block)
{
    const char *before = " Each figure over that of the point with ";
    for (int i = 0; i < block->over.n_conditions; i++) {
        char text[VALUE_TEXT_MAX];
        const struct condition *condition = &block->over.condition[i];
        field_print(condition->field, condition->value, sizeof text, text);
        fprintf(out, field_is_implementation(condition->field) ? "%s%s = `%s`" : "%s%s = %s", before, fields[condition->field].name,
                text);
        before = ", ";
    }
    fprintf(out, before[0] == ',' ? "." : "");
}

static void put_brackets(FILE *out, const struct block *block, struct record *const *record, size_t n,
                         const struct block_notes *notes)
{
    char rounds[32];
    rounds_of(record, n, sizeof rounds, rounds);
    if (notes->exponent)
        fprintf(out,
                " Exponents p of figure ~ %s^p; in brackets 95 %% intervals of the fit, as if points scattered about a power law.",
                fields[block->along].name);
    const char *before = " In brackets: ";
    for (int i = 0; i < notes->n_spreads; i++) {
        fprintf(out, "%s%s%s", before, notes->over ? "from the ends of both points' " : "", notes->spread[i]);
        before = "; ";
    }
    if (notes->range) {
        fprintf(out, "%s%srange over rounds", before, notes->over ? "from the ends of both points' " : "");
        before = "; ";
    }
    if (notes->seeds) {
        fprintf(out, "%srange over seeds, after their median", before);
        before = "; ";
    }
    if (notes->any) {
        fprintf(out, "%sleast and most, and of how many, after their median", before);
        before = "; ";
    }
    fprintf(out, before[0] == ';' ? "." : "");
    if (rounds[0] != '\0')
        fprintf(out, " %s round%s a point.", rounds, strcmp(rounds, "1") == 0 ? "" : "s");
}

/* How many of the points that were timed carry which warning. */
static void put_warnings(FILE *out, struct record *const *record, size_t n)
{
    size_t count[WARNING_COUNT] = {0}, timed = 0;
    for (size_t i = 0; i < n; i++) {
        timed += record_has(record[i], "throughput");
        for (int code = 0; code < WARNING_COUNT; code++)
            count[code] += record_warned(record[i], (enum warning_code)code) != NULL;
    }
    const char *before = " Warnings:";
    for (int code = 0; timed > 0 && code < WARNING_COUNT; code++)
        if (count[code] > 0) {
            fprintf(out, "%s %zu of %zu points `%s`", before, count[code], n, warnings[code].code);
            before = ",";
        }
    fprintf(out, before[0] == ',' ? "." : "");
}

bool block_caption(FILE *out, const struct block *block, struct record *const *record, size_t n, const struct block_notes *notes,
                   const char *home)
{
    struct stream text;
    const char *slash = strrchr(block->folder[0], '/');
    if (!stream_open(&text))
        return false;
    fprintf(text.file, "From [%s](%s%s), ", slash != NULL ? slash + 1 : block->folder[0], home, block->folder[0]);
    put_days(text.file, record, n);
    fputs("; ", text.file);
    put_shared(text.file, block, record, n);
    if (block->result != RESULT_COUNT)
        fprintf(text.file, "; only points that are %s", result_name(block->result));
    fputc('.', text.file);
    put_over(text.file, block);
    put_brackets(text.file, block, record, n, notes);
    put_warnings(text.file, record, n);
    if (!stream_close(&text))
        return false;
    wrap_print(out, text.text, BLOCK_WIDTH, 0, 0);
    free(text.text);
    return true;
}
