/* See paired.h. */
#include "bench/report/paired.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const side_names[SIDES] = {"new", "baseline"};

/* ---- From rounds to pairs -------------------------------------------------------------------------------------------------------- */

struct half {
    const char *key[SIDES]; /* of both points */
    const struct record *record;
    int64_t number;
    enum side side;
};

static int half_order(const void *left, const void *right)
{
    const struct half *a = left, *b = right;
    for (int side = 0; side < SIDES; side++) {
        int order = strcmp(a->key[side], b->key[side]);
        if (order != 0)
            return order;
    }
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    if (a->side != b->side)
        return (int)a->side - (int)b->side;
    return (a->record->line > b->record->line) - (a->record->line < b->record->line);
}

static bool half_of(const struct record *record, struct half *half)
{
    const char *side = column_text(record, COLUMN_PAIR_SIDE), *with = column_text(record, COLUMN_PAIR_WITH);
    const char *key = column_text(record, COLUMN_KEY);
    const double number = column_number(record, COLUMN_PAIR_NUMBER);
    if (side == NULL || with == NULL || key == NULL || !(number >= 0 && number < 1e9))
        return false;
    *half = (struct half){.record = record, .number = (int64_t)number};
    half->side = strcmp(side, side_names[SIDE_BASELINE]) == 0 ? SIDE_BASELINE : SIDE_NEW;
    half->key[half->side] = key;
    half->key[1 - half->side] = with;
    return true;
}

/* The statistic by which pairs are compared: the least time of a call in a process. What disturbs a process makes it slower, never
 * faster. NaN where it has none. */
static double seconds_of(const struct record *record)
{
    double least = NAN;
    for (size_t i = 0; record->result == RESULT_OK && i < column_count(record, COLUMN_SECONDS); i++)
        least = fmin(least, column_element(record, COLUMN_SECONDS, i));
    return least > 0 ? least : NAN;
}

/* The halves of one comparison, in the order of the numbers: its logarithms go into x. */
static void compare(const struct half *half, size_t n, double *x, struct comparison *comparison)
{
    const struct half *at[SIDES] = {NULL, NULL};
    size_t seen[SIDES] = {0, 0};
    comparison->contest = (struct contest){.x = x, .margin = column_number(half[n - 1].record, COLUMN_PAIR_MARGIN)};
    comparison->result[SIDE_NEW] = comparison->result[SIDE_BASELINE] = RESULT_OK;
    snprintf(comparison->key, KEY_SIZE, "%s", half->key[SIDE_NEW]);
    for (size_t i = 0; i < n; i++) {
        const enum side side = half[i].side;
        comparison->line = half[i].record->line > comparison->line ? half[i].record->line : comparison->line;
        at[side] = &half[i];
        seen[side]++;
        if (comparison->result[side] == RESULT_OK)
            comparison->result[side] = half[i].record->result;
        if (side == SIDE_BASELINE)
            comparison->baseline = half[i].record->point.value[FIELD_IMPLEMENTATION].text;
        const bool last = i + 1 == n || half[i + 1].number != half[i].number;
        if (!last || at[SIDE_NEW] == NULL || at[SIDE_BASELINE] == NULL || at[SIDE_NEW]->number != at[SIDE_BASELINE]->number)
            continue;
        const double ratio = log(seconds_of(at[SIDE_NEW]->record) / seconds_of(at[SIDE_BASELINE]->record));
        if (isfinite(ratio))
            x[comparison->contest.n++] = ratio;
    }
    if (seen[SIDE_NEW] == 0 || seen[SIDE_BASELINE] == 0)
        comparison->baseline = NULL; /* none */
}

static bool same_comparison(const struct half *a, const struct half *b)
{
    return strcmp(a->key[SIDE_NEW], b->key[SIDE_NEW]) == 0 && strcmp(a->key[SIDE_BASELINE], b->key[SIDE_BASELINE]) == 0;
}

/* Only what both halves computed rightly is compared. */
static bool is_fair(const struct comparison *comparison)
{
    return comparison->result[SIDE_NEW] == RESULT_OK && comparison->result[SIDE_BASELINE] == RESULT_OK;
}

static bool judge(struct comparisons *comparisons)
{
    struct contest *contest = calloc(comparisons->n + 1, sizeof *contest);
    for (size_t i = 0; contest != NULL && i < comparisons->n; i++) {
        contest[i] = comparisons->comparison[i].contest;
        contest[i].n = is_fair(&comparisons->comparison[i]) ? contest[i].n : 0;
    }
    if (contest != NULL)
        verdicts_find(contest, comparisons->n);
    for (size_t i = 0; contest != NULL && i < comparisons->n; i++)
        comparisons->comparison[i].contest = contest[i];
    free(contest);
    return contest != NULL;
}

/* Counts the comparison that was just made; of two of one point the later one, where a run got another baseline. */
static void keep(struct comparisons *comparisons)
{
    struct comparison *next = &comparisons->comparison[comparisons->n], *before = next - 1;
    if (next->baseline == NULL)
        return;
    if (comparisons->n == 0 || strcmp(before->key, next->key) != 0)
        comparisons->n++;
    else if (next->line > before->line)
        *before = *next;
}

/* A run has one baseline: that of its last pair. What was compared with another one before is left out. */
static void keep_last_baseline(struct comparisons *comparisons)
{
    const struct comparison *last = comparisons->comparison;
    size_t kept = 0;
    for (size_t i = 0; i < comparisons->n; i++)
        last = comparisons->comparison[i].line > last->line ? &comparisons->comparison[i] : last;
    const char *baseline = comparisons->n > 0 ? last->baseline : "";
    for (size_t i = 0; i < comparisons->n; i++)
        if (strcmp(comparisons->comparison[i].baseline, baseline) == 0)
            comparisons->comparison[kept++] = comparisons->comparison[i];
    comparisons->n = kept;
}

bool comparisons_of(const struct records *records, struct comparisons *comparisons, struct error *error)
{
    struct half *half = calloc(records->n + 1, sizeof *half);
    size_t n = 0;
    *comparisons = (struct comparisons){.comparison = calloc(records->n + 1, sizeof *comparisons->comparison),
                                        .x = calloc(records->n + 1, sizeof *comparisons->x)};
    bool good = half != NULL && comparisons->comparison != NULL && comparisons->x != NULL;
    for (size_t i = 0; good && i < records->n; i++)
        n += half_of(&records->record[i], &half[n]);
    if (good && n > 1)
        qsort(half, n, sizeof *half, half_order);
    for (size_t i = 0, same; good && i < n; i += same) {
        struct comparison *next = &comparisons->comparison[comparisons->n];
        for (same = 1; i + same < n && same_comparison(&half[i], &half[i + same]);)
            same++;
        compare(half + i, same, comparisons->x + i, next);
        keep(comparisons);
    }
    free(half);
    if (good)
        keep_last_baseline(comparisons);
    good = good && judge(comparisons);
    if (!good)
        comparisons_free(comparisons);
    return good || fail(error, "out of memory for %zu records", records->n);
}

void comparisons_free(struct comparisons *comparisons)
{
    free(comparisons->comparison);
    free(comparisons->x);
    *comparisons = (struct comparisons){.n = 0};
}

/* ---- Into the rows of the table ---------------------------------------------------------------------------------------------------- */

static const char *word_of(const struct comparison *comparison, struct texts *texts)
{
    char text[80];
    if (comparison->result[SIDE_NEW] != RESULT_OK)
        return texts_keep(texts, result_name(comparison->result[SIDE_NEW]));
    if (comparison->result[SIDE_BASELINE] == RESULT_OK)
        return texts_keep(texts, verdict_names[comparison->contest.verdict]);
    snprintf(text, sizeof text, "baseline %s", result_name(comparison->result[SIDE_BASELINE]));
    return texts_keep(texts, text);
}

static bool add(const struct comparison *comparison, struct texts *texts, struct record *record)
{
    struct unpacked values;
    struct packed packed;
    const struct contest *contest = &comparison->contest;
    const char *word = word_of(comparison, texts);
    unpacked_of(&record->packed, &values);
    unpacked_open(&values, COLUMN_VERDICT);
    unpacked_set_text(&values, COLUMN_BASELINE, comparison->baseline);
    unpacked_set_text(&values, COLUMN_VERDICT, word);
    unpacked_set_real(&values, COLUMN_RATIO, contest->estimate);
    unpacked_set_real(&values, COLUMN_RATIO_LOW, contest->low);
    unpacked_set_real(&values, COLUMN_RATIO_HIGH, contest->high);
    unpacked_set_integer(&values, COLUMN_PAIRS, (int64_t)contest->pairs);
    unpacked_set_real(&values, COLUMN_VERDICT_PROBABILITY, contest->probability);
    if (word == NULL || !packed_of(&values, &packed))
        return false;
    packed_free(&record->packed);
    record->packed = packed;
    return true;
}

static int key_order(const void *key, const void *comparison)
{
    return strcmp(key, ((const struct comparison *)comparison)->key);
}

/* That of a point; NULL where it is not compared. */
static const struct comparison *comparison_of(const struct comparisons *comparisons, const struct record *record)
{
    const char *key = column_text(record, COLUMN_KEY);
    return key == NULL || comparisons->n == 0
               ? NULL
               : bsearch(key, comparisons->comparison, comparisons->n, sizeof *comparisons->comparison, key_order);
}

bool comparisons_add(const struct comparisons *comparisons, struct records *merged, struct error *error)
{
    for (size_t i = 0; i < merged->n; i++) {
        const struct comparison *comparison = comparison_of(comparisons, &merged->record[i]);
        if (comparison != NULL && !add(comparison, &merged->texts, &merged->record[i]))
            return fail(error, "out of memory for %zu comparisons", comparisons->n);
    }
    return true;
}
