/* See paired.h. */
#include "bench/report/paired.h"

#include "bench/report/signed_rank.h"

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
    if (side == NULL || with == NULL || key == NULL || !(number >= 0 && number <= PAIR_NUMBER_MOST))
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

/* The statistic that is shown beside it. */
static double median_of(const struct record *record)
{
    const double median = record->result == RESULT_OK ? column_number(record, COLUMN_TIME_MEDIAN) : NAN;
    return median > 0 ? median : NAN;
}

/* The halves of one comparison, in the order of the numbers: its logarithms go into x and medians. */
static void compare(const struct half *half, size_t n, double margin, double *x, double *medians, struct comparison *comparison)
{
    const struct half *at[SIDES] = {NULL, NULL};
    size_t seen[SIDES] = {0, 0}, pairs = 0;
    *comparison = (struct comparison){.medians = medians};
    snprintf(comparison->key, KEY_SIZE, "%s", half->key[SIDE_NEW]);
    snprintf(comparison->baseline_key, KEY_SIZE, "%s", half->key[SIDE_BASELINE]);
    for (size_t i = 0; i < n; i++) {
        const enum side side = half[i].side;
        comparison->line = half[i].record->line > comparison->line ? half[i].record->line : comparison->line;
        at[side] = &half[i];
        seen[side]++;
        if (side == SIDE_BASELINE)
            comparison->baseline = half[i].record->point.value[FIELD_IMPLEMENTATION].text;
        const bool last = i + 1 == n || half[i + 1].number != half[i].number;
        if (!last || at[SIDE_NEW] == NULL || at[SIDE_BASELINE] == NULL || at[SIDE_NEW]->number != at[SIDE_BASELINE]->number)
            continue;
        const struct record *new = at[SIDE_NEW]->record, *base = at[SIDE_BASELINE]->record;
        x[pairs] = log(seconds_of(new) / seconds_of(base));
        medians[pairs] = log(median_of(new) / median_of(base));
        pairs += isfinite(x[pairs]) && isfinite(medians[pairs]);
    }
    comparison->contest = (struct contest){.x = x, .n = pairs, .margin = margin};
    if (seen[SIDE_NEW] == 0)
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
    const bool good = contest != NULL && verdicts_find(contest, comparisons->n);
    for (size_t i = 0; good && i < comparisons->n; i++) {
        struct comparison *comparison = &comparisons->comparison[i];
        comparison->contest = contest[i];
        comparison->ratio_of_medians = exp(signed_rank_estimate(comparison->medians, contest[i].pairs));
    }
    free(contest);
    return good;
}

/* ---- Which rounds count, and with which results ------------------------------------------------------------------------------------ */

/* Records stand in the order of their points, of these by round and line: the later line of a round counts. */
static bool is_superseded(const struct records *records, size_t i)
{
    const struct record *record = &records->record[i], *next = record + 1;
    if (i + 1 == records->n || column_number(record, COLUMN_ROUND) != column_number(next, COLUMN_ROUND))
        return false;
    const char *key = column_text(record, COLUMN_KEY), *other = column_text(next, COLUMN_KEY);
    return key != NULL && other != NULL && strcmp(key, other) == 0;
}

/* The rounds that failed, by their keys. */
struct failures {
    const struct record **record;
    size_t n;
};

static int failure_order(const void *left, const void *right)
{
    const struct record *a = *(const struct record *const *)left, *b = *(const struct record *const *)right;
    const int order = strcmp(column_text(a, COLUMN_KEY), column_text(b, COLUMN_KEY));
    return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

static bool failures_of(const struct records *records, struct failures *failures)
{
    *failures = (struct failures){.record = calloc(records->n + 1, sizeof(struct record *))};
    for (size_t i = 0; failures->record != NULL && i < records->n; i++)
        if (records->record[i].result != RESULT_OK && column_text(&records->record[i], COLUMN_KEY) != NULL &&
            !is_superseded(records, i))
            failures->record[failures->n++] = &records->record[i];
    if (failures->n > 1)
        qsort(failures->record, failures->n, sizeof *failures->record, failure_order);
    return failures->record != NULL;
}

/* The first result of a point other than ok, in whatever pair or without one. */
static enum result result_of(const struct failures *failures, const char *key)
{
    size_t low = 0, high = failures->n;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (strcmp(column_text(failures->record[middle], COLUMN_KEY), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    const bool found = low < failures->n && strcmp(column_text(failures->record[low], COLUMN_KEY), key) == 0;
    return found ? failures->record[low]->result : RESULT_OK;
}

/* That of the last pair. */
static const char *last_baseline(const struct comparisons *comparisons)
{
    const char *baseline = "";
    size_t line = 0;
    for (size_t i = 0; i < comparisons->n; i++) {
        const struct comparison *one = &comparisons->comparison[i];
        if (one->line >= line)
            baseline = one->baseline, line = one->line;
    }
    return baseline;
}

/* A run has one baseline: what was compared with another one before is left out. Of two comparisons of a point with it, with two of its
 * points, the later one counts. */
static void keep_baseline(struct comparisons *comparisons, const char *baseline)
{
    size_t kept = 0;
    for (size_t i = 0; i < comparisons->n; i++) {
        const struct comparison *one = &comparisons->comparison[i];
        struct comparison *before = kept > 0 ? &comparisons->comparison[kept - 1] : NULL;
        if (strcmp(one->baseline, baseline) != 0)
            continue;
        if (before == NULL || strcmp(before->key, one->key) != 0)
            comparisons->comparison[kept++] = *one;
        else if (one->line > before->line)
            *before = *one;
    }
    comparisons->n = kept;
}

static size_t halves_of(const struct records *records, struct half *half)
{
    size_t n = 0;
    for (size_t i = 0; i < records->n; i++)
        n += !is_superseded(records, i) && half_of(&records->record[i], &half[n]);
    if (n > 1)
        qsort(half, n, sizeof *half, half_order);
    return n;
}

bool comparisons_of(const struct records *records, const char *baseline, double margin, struct comparisons *comparisons,
                    struct error *error)
{
    const size_t room = records->n + 1;
    struct half *half = calloc(room, sizeof *half);
    struct failures failures;
    *comparisons = (struct comparisons){.comparison = calloc(room, sizeof *comparisons->comparison),
                                        .x = calloc(room, sizeof *comparisons->x),
                                        .medians = calloc(room, sizeof *comparisons->medians)};
    bool good = failures_of(records, &failures) && half != NULL && comparisons->comparison != NULL && comparisons->x != NULL &&
                comparisons->medians != NULL;
    const size_t n = good ? halves_of(records, half) : 0;
    for (size_t i = 0, same; i < n; i += same) {
        for (same = 1; i + same < n && same_comparison(&half[i], &half[i + same]);)
            same++;
        struct comparison *next = &comparisons->comparison[comparisons->n];
        compare(half + i, same, margin, comparisons->x + i, comparisons->medians + i, next);
        comparisons->n += next->baseline != NULL;
    }
    if (good)
        keep_baseline(comparisons, baseline != NULL ? baseline : last_baseline(comparisons));
    for (size_t i = 0; i < comparisons->n; i++) {
        struct comparison *comparison = &comparisons->comparison[i];
        comparison->result[SIDE_NEW] = result_of(&failures, comparison->key);
        comparison->result[SIDE_BASELINE] = result_of(&failures, comparison->baseline_key);
    }
    good = good && judge(comparisons);
    free(failures.record);
    free(half);
    if (!good)
        comparisons_free(comparisons);
    return good || fail(error, "out of memory for %zu records", records->n);
}

void comparisons_free(struct comparisons *comparisons)
{
    free(comparisons->comparison);
    free(comparisons->x);
    free(comparisons->medians);
    *comparisons = (struct comparisons){.n = 0};
}

/* ---- Into the rows of the table ---------------------------------------------------------------------------------------------------- */

static const char *word_of(const struct comparison *comparison, const struct record *record, struct texts *texts)
{
    char text[80];
    if (record->result != RESULT_OK) /* the worst of its rounds, as the table has it */
        return texts_keep(texts, result_name(record->result));
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
    const char *word = word_of(comparison, record, texts);
    unpacked_of(&record->packed, &values);
    unpacked_open(&values, COLUMN_VERDICT);
    unpacked_set_text(&values, COLUMN_BASELINE, comparison->baseline);
    unpacked_set_text(&values, COLUMN_VERDICT, word);
    unpacked_set_real(&values, COLUMN_RATIO, contest->estimate);
    unpacked_set_real(&values, COLUMN_RATIO_LOW, contest->low);
    unpacked_set_real(&values, COLUMN_RATIO_HIGH, contest->high);
    unpacked_set_real(&values, COLUMN_RATIO_OF_MEDIANS, comparison->ratio_of_medians);
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

const struct comparison *comparison_of(const struct comparisons *comparisons, const struct record *record)
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
