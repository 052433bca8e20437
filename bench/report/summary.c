/* See summary.h. */
#include "bench/report/summary.h"

#include "bench/report/rounds.h"
#include "bench/report/warning_points.h"
#include "bench/sweep/measures.h"

#include <stdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* From the worst on. */
static const int severity[] = {
    RESULT_WRONG,     RESULT_CRASHED,    STATUS_INTERNAL,  RESULT_TIMED_OUT,          STATUS_OUT_OF_MEMORY,
    RESULT_EXPLODES,  STATUS_DIVERGED,   STATUS_SINGULAR,  STATUS_NO_STABLE_POINT,    STATUS_NOT_CONVERGED,
    RESULT_ELSEWHERE, RESULT_INACCURATE, RESULT_UNTRAINED, RESULT_TARGET_NOT_REACHED, STATUS_UNSUPPORTED,
    RESULT_OK};

static int rank_of(enum result result)
{
    int rank = (int)(sizeof severity / sizeof severity[0]) - 1;
    while (rank >= 0 && severity[rank] != (int)result)
        rank--;
    return rank; /* -1, worst of all, for a word that nobody knows */
}

/* ---- One point --------------------------------------------------------------------------------------------------------- */

static int64_t samples_of(const struct rounds *rounds)
{
    int64_t samples = 0;
    for (size_t i = 0; i < rounds->n; i++)
        samples += (int64_t)column_count(rounds->record[i], COLUMN_SECONDS);
    return samples;
}

/* The first round with the worst result; *with: how many have that result. */
static const struct record *worst_round(const struct rounds *rounds, size_t *with)
{
    const struct record *worst = rounds->record[0];
    *with = 0;
    for (size_t i = 0; i < rounds->n; i++)
        if (rank_of(rounds->record[i]->result) < rank_of(worst->result))
            worst = rounds->record[i];
    for (size_t i = 0; i < rounds->n; i++)
        *with += rounds->record[i]->result == worst->result;
    return worst;
}

static bool take_message(const struct rounds *rounds, const struct record *base, size_t with, struct texts *texts,
                         struct unpacked *merged)
{
    const char *said = column_text(base, COLUMN_MESSAGE);
    if (with == rounds->n)
        return true;
    said = said != NULL && said[0] != '\0' ? said : result_name(base->result);
    size_t size = strlen(said) + 64;
    char *text = malloc(size);
    if (text == NULL)
        return false;
    snprintf(text, size, "%zu of %zu rounds: %s", with, rounds->n, said);
    const char *kept = texts_keep(texts, text);
    free(text);
    unpacked_set_text(merged, COLUMN_MESSAGE, kept);
    return kept != NULL;
}

/* By the clock: the texts are in ISO 8601, so the order of letters is that of time. */
static void take_times(const struct rounds *rounds, struct unpacked *merged)
{
    const char *first = NULL, *last = NULL;
    for (size_t i = 0; i < rounds->n; i++) {
        const char *started = column_text(rounds->record[i], COLUMN_STARTED);
        first = started && (!first || strcmp(started, first) < 0) ? started : first;
        last = started && (!last || strcmp(started, last) > 0) ? started : last;
    }
    unpacked_set_text(merged, COLUMN_STARTED, first);
    unpacked_set_text(merged, COLUMN_ENDED, last);
}

/* What only a round has. */
static const enum column_id of_rounds[] = {COLUMN_ROUND,       COLUMN_SECONDS,   COLUMN_VARIATION,
                                           COLUMN_PAIR_NUMBER, COLUMN_PAIR_SIDE, COLUMN_PAIR_WITH};

static bool merge_point(struct rounds *rounds, struct texts *texts, struct record *merged)
{
    size_t with;
    struct unpacked values;
    struct warned warned[WARNING_COUNT];
    const struct record *base = worst_round(rounds, &with);
    *merged = *base;
    unpacked_of(&base->packed, &values);
    for (size_t i = 0; i < sizeof of_rounds / sizeof of_rounds[0]; i++)
        unpacked_clear(&values, of_rounds[i]);
    unpacked_set_integer(&values, COLUMN_ROUNDS, (int64_t)rounds->n);
    unpacked_set_integer(&values, COLUMN_SAMPLES, samples_of(rounds));
    take_times(rounds, &values);
    if (!take_message(rounds, base, with, texts, &values))
        return false;
    rounds_take_figures(rounds, with == rounds->n, base, &values);
    warnings_of_rounds(rounds, &values, warned);
    return packed_of(&values, &merged->packed);
}

/* ---- All points -------------------------------------------------------------------------------------------------------- */

static bool same_key(const struct record *a, const struct record *b)
{
    const char *key_a = column_text(a, COLUMN_KEY), *key_b = column_text(b, COLUMN_KEY);
    return key_a == key_b || (key_a != NULL && key_b != NULL && strcmp(key_a, key_b) == 0);
}

/* A number of both, or of neither. */
static bool same_number(const struct record *a, const struct record *b, enum column_id id)
{
    double one = column_number(a, id), other = column_number(b, id);
    return one == other || (isnan(one) && isnan(other));
}

/* A round that was ok is measured again only where it is a training whose weights were lost. The same line may be there twice: no two
 * rounds take the same time to the nanosecond. */
static bool is_repeat(const struct record *before, const struct record *record)
{
    return before->result == RESULT_OK && record->result == RESULT_OK &&
           measures[record->point.value[FIELD_MEASURE].integer].of != OF_TRAINING &&
           !(same_number(before, record, COLUMN_PROCESS_WALL) && same_number(before, record, COLUMN_TIME_MEDIAN));
}

/* Which of n records of one point count, in order: those under the conditions of the last line, and of each round the last line. */
static size_t choose_rounds(const struct record *record, size_t n, const struct record **chosen, struct unread *unread)
{
    const struct record *last = record;
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        last = record[i].line > last->line ? &record[i] : last;
    for (size_t i = 0; i < n; i++) {
        if (!same_key(&record[i], last))
            continue;
        bool again = found && column_number(chosen[found - 1], COLUMN_ROUND) == column_number(&record[i], COLUMN_ROUND);
        if (again && is_repeat(chosen[found - 1], &record[i])) {
            unread->repeat = unread->repeats == 0 || record[i].line + 1 < unread->repeat ? record[i].line + 1 : unread->repeat;
            unread->repeats++;
        }
        chosen[again ? found - 1 : found++] = &record[i];
    }
    return found;
}

static size_t same_point(const struct record *record, size_t n)
{
    size_t same = 1;
    while (same < n && point_equal(&record[0].point, &record[same].point))
        same++;
    return same;
}

/* The most rounds that a point has. */
static size_t most_rounds(const struct records *records)
{
    size_t most = 0;
    for (size_t i = 0, same; i < records->n; i += same) {
        same = same_point(&records->record[i], records->n - i);
        most = same > most ? same : most;
    }
    return most;
}

/* In place: there is no room for a second copy. */
bool records_merge(struct records *records, struct error *error)
{
    size_t room = most_rounds(records) + 1, merged = 0, i = 0;
    const struct record **chosen = calloc(room, sizeof *chosen);
    double *value = calloc(room, sizeof *value);
    bool good = chosen != NULL && value != NULL;
    for (size_t same; good && i < records->n; i += same) {
        struct record point;
        same = same_point(&records->record[i], records->n - i);
        struct rounds rounds = {
            .record = chosen, .n = choose_rounds(&records->record[i], same, chosen, &records->unread), .value = value};
        good = merge_point(&rounds, &records->texts, &point);
        for (size_t k = 0; k < same; k++)
            packed_free(&records->record[i + k].packed);
        if (good)
            records->record[merged++] = point;
    }
    free(chosen);
    free(value);
    if (!good) {
        records_free(records);
        return fail(error, "out of memory for the rounds of the points");
    }
    records->n = merged;
    return true;
}
