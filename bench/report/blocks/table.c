/* See table.h. */
#include "bench/report/blocks/table.h"

#include "bench/base/exponent.h"
#include "bench/base/statistics.h"
#include "bench/report/blocks/caption.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Which points, rows and columns -------------------------------------------------------------------------------------- */

/* The points that a block is about, its rows (a point of each) and its columns (a point of each; one NULL without across:). */
struct table {
    const struct block *block;
    const struct records *all;
    struct record **record, **member; /* member: room for those of a cell */
    size_t n;
    const struct record **row, **column;
    size_t n_rows, n_columns;
    double *value; /* room for two numbers a point */
    struct block_notes notes;
    struct error *error;
};

static int order_by(const int *field, int n, const struct record *a, const struct record *b)
{
    int order = 0;
    for (int i = 0; i < n && order == 0; i++)
        order = value_order(&a->point.value[field[i]], &b->point.value[field[i]]);
    return order;
}

/* One point for each combination of the fields, in their order. */
static size_t distinct(const struct table *table, const int *field, int n_fields, const struct record **found)
{
    size_t n = 0;
    for (size_t i = 0; i < table->n; i++) {
        size_t at = n;
        while (at > 0 && order_by(field, n_fields, found[at - 1], table->record[i]) > 0)
            at--;
        if (at > 0 && order_by(field, n_fields, found[at - 1], table->record[i]) == 0)
            continue;
        memmove(found + at + 1, found + at, (n - at) * sizeof *found);
        found[at] = table->record[i];
        n++;
    }
    return n;
}

static bool table_make(struct table *table)
{
    const struct block *block = table->block;
    size_t room = table->all->n + 1;
    table->record = calloc(room, sizeof *table->record);
    table->member = calloc(room, sizeof *table->member);
    table->row = calloc(room, sizeof *table->row);
    table->column = calloc(room, sizeof *table->column);
    table->value = calloc(2 * room, sizeof *table->value);
    if (!table->record || !table->member || !table->row || !table->column || !table->value)
        return fail_memory(table->error);
    for (size_t i = 0; i < table->all->n; i++)
        if (filter_keeps(&block->where, &table->all->record[i].point) &&
            (block->result == RESULT_COUNT || block->result == table->all->record[i].result))
            table->record[table->n++] = &table->all->record[i];
    if (table->n == 0)
        return fail_at(table->error, &block->mark, "no point of %s matches; expected a where: that keeps some", block->folder[0]);
    table->n_rows = distinct(table, block->rows, block->n_rows, table->row);
    table->n_columns = block->across >= 0 ? distinct(table, &block->across, 1, table->column) : 1;
    return true;
}

static void table_free(struct table *table)
{
    free(table->record);
    free(table->member);
    free(table->row);
    free(table->column);
    free(table->value);
}

/* The points of one cell, into table->member, with a NULL after them; how many they are. */
static size_t members_of(const struct table *table, const struct record *row, const struct record *column)
{
    const struct block *block = table->block;
    size_t n = 0;
    for (size_t i = 0; i < table->n; i++)
        if (order_by(block->rows, block->n_rows, row, table->record[i]) == 0 &&
            (column == NULL || order_by(&block->across, 1, column, table->record[i]) == 0))
            table->member[n++] = table->record[i];
    table->member[n] = NULL;
    return n;
}

/* False where points of a cell differ in more than seeds and the field along which an exponent is taken. */
static bool are_one(const struct table *table, size_t n)
{
    const struct block *block = table->block;
    for (size_t i = 1; i < n && !block->any; i++)
        for (int f = 0; f < FIELD_COUNT; f++)
            if (!fields[f].seed && f != block->along &&
                value_order(&table->member[0]->point.value[f], &table->member[i]->point.value[f]) != 0)
                return fail_at(table->error, &block->mark,
                               "%zu points share a cell but differ in %s; expected it in where:, rows: or across:", n,
                               fields[f].name);
    return true;
}

/* What a column is of: a point, or the training that it depends on; NULL where that is not there. */
static const struct record *source_of(const struct table *table, const struct column *column, const struct record *record)
{
    struct point ignored;
    bool of_training = strncmp(column->path, "training.", 9) == 0 && point_training(&record->point, &ignored);
    return of_training ? records_training(table->all, &record->point) : record;
}

/* ---- Figures ------------------------------------------------------------------------------------------------------------- */

static bool named(const struct filter *filter, int field)
{
    for (int i = 0; i < filter->n_conditions; i++)
        if (filter->condition[i].field == field)
            return true;
    return false;
}

/* Whether b is the point that a is compared with: the same but for the fields of over:, and for those that one of them does not use. */
static bool pairs(const struct filter *over, const struct record *a, const struct record *b)
{
    if (!filter_keeps(over, &b->point))
        return false;
    for (int f = 0; f < FIELD_COUNT; f++) {
        const struct value *left = &a->point.value[f], *right = &b->point.value[f];
        if (!named(over, f) && left->kind != VALUE_NONE && right->kind != VALUE_NONE && value_order(left, right) != 0)
            return false;
    }
    return true;
}

static bool divide(const struct table *table, const struct block_shown *shown, const struct record *record,
                   struct block_figure *figure)
{
    const struct record *other = NULL;
    size_t n = 0;
    for (size_t i = 0; i < table->all->n; i++)
        if (pairs(&table->block->over, record, &table->all->record[i])) {
            other = &table->all->record[i];
            n++;
        }
    if (n != 1) {
        char label[200];
        point_label(&record->point, sizeof label, label);
        return fail_at(table->error, &table->block->mark, "%zu points of %s to compare with; expected over: to leave one", n,
                       label);
    }
    struct block_figure divisor = block_figure_of(shown, other);
    *figure = (struct block_figure){.value = figure->value / divisor.value,
                                    .low = figure->low / divisor.high,
                                    .high = figure->high / divisor.low,
                                    .range = figure->range || divisor.range};
    return true;
}

static void put_exponent(struct table *table, const struct block_shown *shown, size_t n, struct block_text *cell)
{
    size_t known = 0;
    double *x = table->value, *y = table->value + table->n;
    for (size_t i = 0; i < n; i++) {
        double at = value_number(&table->member[i]->point.value[table->block->along]);
        double found = block_figure_of(shown, table->member[i]).value;
        if (at > 0 && found > 0 && isfinite(found)) {
            x[known] = at;
            y[known++] = found;
        }
    }
    struct exponent fit = exponent_fit(x, y, known);
    if (isnan(fit.p))
        return;
    block_text_add(cell, "%.2f", fit.p);
    if (!isnan(fit.low))
        block_text_add(cell, " (%.2f to %.2f)", fit.low, fit.high);
    table->notes.exponent = true;
}

/* One cell, of the n points in table->member. */
static bool put_cell(struct table *table, const struct block_shown *shown, size_t n, struct block_text *cell)
{
    const struct block *block = table->block;
    struct block_figure figure = {.value = NAN};
    size_t known = 0, failed = 0;
    bool whole = true;
    cell->text[0] = '\0';
    if (!are_one(table, n))
        return false;
    if (block->along >= 0) {
        put_exponent(table, shown, n, cell);
        return true;
    }
    if (n > 0 && block_text_of(shown->column, table->member, n, cell))
        return true;
    for (size_t i = 0; table->member[i] != NULL; i++) {
        const struct record *source = source_of(table, shown->column, table->member[i]);
        struct block_figure one = {.value = NAN};
        if (source != NULL)
            one = block_figure_of(shown, source);
        if (block->over.n_conditions > 0 && !divide(table, shown, table->member[i], &one))
            return false;
        if (isnan(one.value)) { /* inf / inf is one as well */
            failed += table->member[i]->result != RESULT_OK;
            continue;
        }
        figure = one;
        whole = whole && one.whole;
        table->value[known++] = one.value;
    }
    if (known > 1) {
        statistics_sort(table->value, known);
        figure.value = isinf(table->value[known / 2]) ? INFINITY : statistics_median(table->value, known);
        figure.low = table->value[0];
        figure.high = table->value[known - 1];
    }
    block_cell(&figure, whole, block->digits, cell);
    if (known > 1 && block->any)
        block_text_add(cell, "; %zu", known);
    block_notes_take(&table->notes, shown, &figure, known, block);
    if (known == 0 && n > 0 && failed > 0)
        block_results(table->member, n, cell);
    else if (failed > 0)
        block_text_add(cell, ", %zu failed", failed);
    return true;
}

/* ---- The table ----------------------------------------------------------------------------------------------------------- */

static void put_field(FILE *out, int field, const struct value *value)
{
    char text[VALUE_TEXT_MAX] = "";
    if (value->kind != VALUE_NONE)
        field_print(field, value, sizeof text, text);
    fprintf(out, field_is_implementation(field) && text[0] != '\0' ? " `%s` |" : " %s |", text);
}

static void put_head(FILE *out, const struct table *table)
{
    const struct block *block = table->block;
    fputc('|', out);
    for (int i = 0; i < block->n_rows; i++)
        fprintf(out, " %s |", fields[block->rows[i]].name);
    for (size_t c = 0; c < table->n_columns; c++)
        for (int s = 0; s < block->n_shown; s++) {
            char text[VALUE_TEXT_MAX] = "";
            const char *head = block->shown[s].head;
            if (block->across < 0) {
                fprintf(out, " %s |", head);
                continue;
            }
            field_print(block->across, &table->column[c]->point.value[block->across], sizeof text, text);
            if (field_is_implementation(block->across))
                fprintf(out, " `%s`", text);
            else
                fprintf(out, " %s = %s", fields[block->across].name, text);
            fprintf(out, block->n_shown > 1 ? ", %s |" : " |", head);
        }
    fputs("\n|", out);
    for (int i = 0; i < block->n_rows; i++)
        fputs("---|", out);
    for (size_t c = 0; c < table->n_columns * (size_t)block->n_shown; c++)
        fputs("---:|", out);
    fputc('\n', out);
}

static bool put_rows(FILE *out, struct table *table)
{
    const struct block *block = table->block;
    struct block_text cell;
    for (size_t r = 0; r < table->n_rows; r++) {
        fputc('|', out);
        for (int i = 0; i < block->n_rows; i++)
            put_field(out, block->rows[i], &table->row[r]->point.value[block->rows[i]]);
        for (size_t c = 0; c < table->n_columns; c++) {
            size_t n = members_of(table, table->row[r], table->column[c]);
            for (int s = 0; s < block->n_shown; s++) {
                if (!put_cell(table, &block->shown[s], n, &cell))
                    return false;
                fprintf(out, " %s |", cell.text);
            }
        }
        fputc('\n', out);
    }
    return true;
}

/* ---- Counts -------------------------------------------------------------------------------------------------------------- */

enum { WORDS_MAX = 32 };

/* The i-th word that a point has in a column: of a list its codes; NULL past the last. */
static const char *word_of(const struct column *column, const struct record *record, size_t i)
{
    const struct datum *value = column_datum(record, column_id_of(column));
    if (value->kind == DATUM_WARNINGS)
        return i < value->n ? warnings[value->warned[i].code].code : NULL;
    if (value->kind == DATUM_LIST || i > 0)
        return NULL;
    const char *word = datum_word(value);
    return word != NULL ? word : "none";
}

static bool has_word(const struct column *column, const struct record *record, const char *word)
{
    const char *one;
    for (size_t i = 0; (one = word_of(column, record, i)) != NULL; i++)
        if (strcmp(one, word) == 0)
            return true;
    return false;
}

static size_t find_words(const struct table *table, const char *word[WORDS_MAX])
{
    size_t n = 0;
    const char *one;
    for (size_t i = 0; i < table->n; i++)
        for (size_t k = 0; (one = word_of(table->block->of, table->record[i], k)) != NULL; k++) {
            size_t at = 0;
            while (at < n && strcmp(word[at], one) < 0)
                at++;
            if (n == WORDS_MAX || (at < n && strcmp(word[at], one) == 0))
                continue;
            memmove(word + at + 1, word + at, (n - at) * sizeof *word);
            word[at] = one;
            n++;
        }
    return n;
}

static void put_counts(FILE *out, const struct table *table)
{
    const struct block *block = table->block;
    const char *word[WORDS_MAX + 1];
    size_t n_words = find_words(table, word);
    fputc('|', out);
    for (int i = 0; i < block->n_rows; i++)
        fprintf(out, " %s |", fields[block->rows[i]].name);
    fputs(" points |", out);
    for (size_t w = 0; w < n_words; w++)
        if (strcmp(block->of->name, "result") == 0)
            fprintf(out, " `%s` |", word[w]);
        else
            fprintf(out, " %s: %s |", block->of->name, word[w]);
    fputs("\n|", out);
    for (int i = 0; i < block->n_rows; i++)
        fputs("---|", out);
    for (size_t w = 0; w <= n_words; w++)
        fputs("---:|", out);
    fputc('\n', out);
    for (size_t r = 0; r < table->n_rows; r++) {
        size_t n = members_of(table, table->row[r], NULL);
        fputc('|', out);
        for (int i = 0; i < block->n_rows; i++)
            put_field(out, block->rows[i], &table->row[r]->point.value[block->rows[i]]);
        fprintf(out, " %zu |", n);
        for (size_t w = 0; w < n_words; w++) {
            size_t count = 0;
            for (size_t i = 0; i < n; i++)
                count += has_word(block->of, table->member[i], word[w]);
            fprintf(out, " %zu |", count);
        }
        fputc('\n', out);
    }
}

bool block_print_table(FILE *out, const struct block *block, const struct block_data *data, const char *home, struct error *error)
{
    struct table table = {.block = block, .all = &data->points, .error = error};
    bool good = table_make(&table);
    if (good && block->kind == BLOCK_COUNT)
        put_counts(out, &table);
    else if (good) {
        put_head(out, &table);
        good = put_rows(out, &table);
    }
    if (good) {
        fputc('\n', out);
        good = block_caption(out, block, table.record, table.n, &table.notes, home) || fail_memory(error);
    }
    table_free(&table);
    return good;
}
