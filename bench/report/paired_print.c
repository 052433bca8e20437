/* See paired.h: the table of verdicts. */
#include "bench/report/paired.h"

#include "bench/report/groups.h"
#include "bench/report/table_sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MOST = 60, NOTE_SIZE = 120 };

/* One line of the table: the comparison and the merged record of its point. */
struct line {
    const struct comparison *comparison;
    struct record *record;
};

/* In the order of the points. */
static size_t find_lines(const struct comparisons *comparisons, const struct records *merged, struct line *line)
{
    size_t n = 0;
    for (size_t i = 0; i < merged->n; i++) {
        line[n].comparison = comparison_of(comparisons, &merged->record[i]);
        line[n].record = &merged->record[i];
        n += line[n].comparison != NULL;
    }
    return n;
}

static const char *implementation_of(const struct line *line)
{
    return line->record->point.value[FIELD_IMPLEMENTATION].text;
}

/* What an undecided comparison, of n, would take; an empty text where nothing is to be said. */
static void note_of(const struct comparison *comparison, size_t n, char note[NOTE_SIZE])
{
    const struct contest *contest = &comparison->contest;
    note[0] = '\0';
    if (contest->verdict != VERDICT_UNDECIDED || contest->n == 0)
        return;
    if (contest->pairs < VERDICT_LEAST) {
        snprintf(note, NOTE_SIZE, "a verdict needs at least %d pairs", VERDICT_LEAST);
        return;
    }
    if (contest->probability <= VERDICT_LEVEL) {
        snprintf(note, NOTE_SIZE, "%s by itself, not among %zu comparisons", verdict_names[contest->surest], n);
        return;
    }
    const size_t wanted = verdict_pairs_wanted(contest);
    if (wanted > 0)
        snprintf(note, NOTE_SIZE, "about %zu pairs would tell, if they go on as they began", wanted);
    else
        snprintf(note, NOTE_SIZE, "so near the margin that it would take more than %d pairs", VERDICT_PAIRS_NAMED);
}

static void fill_row(const struct sheet *sheet, const struct line *line, const char *word, cell *cells)
{
    const struct contest *contest = &line->comparison->contest;
    int c = 0;
    for (; c < sheet->n_fields; c++)
        cell_value(sheet->field[c], &line->record->point.value[sheet->field[c]], cells[c]);
    snprintf(cells[c++], CELL_SIZE, isnan(contest->estimate) ? "" : "%.3f", contest->estimate);
    snprintf(cells[c++], CELL_SIZE, isnan(contest->low) ? "" : "%.3f .. %.3f", contest->low, contest->high);
    snprintf(cells[c++], CELL_SIZE, contest->pairs > 0 ? "%zu" : "", contest->pairs);
    snprintf(cells[c++], CELL_SIZE, "%s", word != NULL ? word : "");
}

/* The table, of the first rows where there are too many for a page. */
static bool print_rows(FILE *out, const struct line *line, size_t n)
{
    const size_t shown = n < ROWS_MOST ? n : ROWS_MOST;
    struct record **record = calloc(n, sizeof(struct record *));
    char(*note)[NOTE_SIZE] = calloc(shown, sizeof *note);
    struct sheet sheet = {.row = calloc(shown, sizeof *sheet.row),
                          .n_more = calloc(shown, sizeof *sheet.n_more),
                          .reason = calloc(shown, sizeof *sheet.reason)};
    bool good = record != NULL && note != NULL && sheet.row != NULL && sheet.n_more != NULL && sheet.reason != NULL;
    for (size_t i = 0; good && i < n; i++)
        record[i] = line[i].record;
    for (int f = 0; good && f < FIELD_COUNT; f++)
        if (f == FIELD_IMPLEMENTATION || field_varies(record, n, f))
            sheet.field[sheet_add_column(&sheet, fields[f].kind == VALUE_WORD || fields[f].kind == VALUE_TEXT, fields[f].name)] = f;
    if (good) {
        sheet.n_fields = sheet.n_columns;
        sheet_add_column(&sheet, false, "ratio");
        sheet_add_column(&sheet, false, "interval");
        sheet_add_column(&sheet, false, "pairs");
        sheet_add_column(&sheet, true, "verdict");
    }
    for (size_t i = 0; good && i < shown; i++) {
        note_of(line[i].comparison, n, note[i]);
        fill_row(&sheet, &line[i], column_text(line[i].record, COLUMN_VERDICT), sheet.row[i]);
        sheet.reason[sheet.n_rows++] = note[i][0] != '\0' ? note[i] : NULL;
    }
    if (good)
        sheet_print(out, &sheet);
    if (good && shown < n)
        fprintf(out, "  ... %zu more in table.csv\n", n - shown);
    free(sheet.reason);
    free(sheet.n_more);
    free(sheet.row);
    free(note);
    free(record);
    return good;
}

/* "Verdicts: 3 faster, 1 undecided", and other words where something was not right. */
static void print_count(FILE *out, const struct line *line, size_t n)
{
    const char *said[RESULT_COUNT + VERDICT_COUNT];
    int words = 0;
    fputs("Verdicts:", out);
    for (size_t i = 0; i < n; i++) {
        const char *word = column_text(line[i].record, COLUMN_VERDICT);
        size_t same = 0;
        bool before = word == NULL;
        for (int k = 0; k < words; k++)
            before = before || strcmp(said[k], word) == 0;
        for (size_t k = i; k < n && !before; k++) {
            const char *other = column_text(line[k].record, COLUMN_VERDICT);
            same += other != NULL && strcmp(other, word) == 0;
        }
        if (before || words == (int)(sizeof said / sizeof said[0]))
            continue;
        fprintf(out, "%s %zu %s", words > 0 ? "," : "", same, word);
        said[words++] = word;
    }
    fputc('\n', out);
}

/* Of every implementation that is compared at several points: over those that have been looked at. */
static void print_means(FILE *out, const struct line *line, size_t n, struct contest *contest)
{
    for (size_t i = 0, same; i < n; i += same) {
        struct geometric_mean mean;
        size_t looked = 0;
        for (same = 0; i + same < n && strcmp(implementation_of(&line[i]), implementation_of(&line[i + same])) == 0; same++)
            if (line[i + same].comparison->contest.n >= VERDICT_LEAST)
                contest[looked++] = line[i + same].comparison->contest;
        if (looked > 1 && geometric_mean_find(contest, looked, 1, &mean))
            fprintf(out, "%s: geometric mean of %zu of %zu points %.3f (95 %%: %.3f .. %.3f)\n", implementation_of(&line[i]),
                    looked, same, mean.ratio, mean.low, mean.high);
    }
}

bool comparisons_print(FILE *out, const struct comparisons *comparisons, const struct records *merged, struct error *error)
{
    if (comparisons->n == 0)
        return true;
    struct line *line = calloc(merged->n + 1, sizeof *line);
    struct contest *contest = calloc(merged->n + 1, sizeof *contest);
    size_t n = line != NULL && contest != NULL ? find_lines(comparisons, merged, line) : 0;
    bool good = line != NULL && contest != NULL;
    if (n > 0) {
        const struct comparison *first = line[0].comparison;
        fprintf(out, "\ntime over that of %s (least sample of each process, pairs of processes); same: within %g %% of it\n",
                first->baseline, 100 * first->contest.margin);
        good = print_rows(out, line, n);
        print_means(out, line, n, contest);
        print_count(out, line, n);
    }
    free(contest);
    free(line);
    return good || fail(error, "out of memory for %zu comparisons", comparisons->n);
}
