/* See summary.h. */
#include "bench/report/summary.h"

#include "bench/base/parse.h"
#include "bench/report/rounds.h"
#include "bench/report/warning_points.h"
#include "bench/sweep/measures.h"

#include <stdlib.h>
#include <string.h>

/* From the worst on. */
static const int severity[] = {RESULT_WRONG,         RESULT_CRASHED,    STATUS_INTERNAL,  RESULT_TIMED_OUT,
                               STATUS_OUT_OF_MEMORY, RESULT_EXPLODES,   STATUS_DIVERGED,  STATUS_SINGULAR,
                               STATUS_NOT_CONVERGED, RESULT_INACCURATE, RESULT_UNTRAINED, RESULT_TARGET_NOT_REACHED,
                               STATUS_UNSUPPORTED,   RESULT_OK};

static int rank_of(enum result result)
{
    int rank = (int)(sizeof severity / sizeof severity[0]) - 1;
    while (rank >= 0 && severity[rank] != (int)result)
        rank--;
    return rank; /* -1, worst of all, for a word that nobody knows */
}

/* ---- One point --------------------------------------------------------------------------------------------------------- */

static size_t samples_of(const struct rounds *rounds)
{
    size_t samples = 0;
    for (size_t i = 0; i < rounds->n; i++)
        samples += json_array_size(column_json(&rounds->record[i], COLUMN_SECONDS));
    return samples;
}

/* The first round with the worst result; *with: how many have that result. */
static const struct record *worst_round(const struct rounds *rounds, size_t *with)
{
    const struct record *worst = rounds->record;
    *with = 0;
    for (size_t i = 0; i < rounds->n; i++)
        if (rank_of(rounds->record[i].result) < rank_of(worst->result))
            worst = &rounds->record[i];
    for (size_t i = 0; i < rounds->n; i++)
        *with += rounds->record[i].result == worst->result;
    return worst;
}

static bool take_message(const struct rounds *rounds, const struct record *base, size_t with, json_t *merged)
{
    const char *message = column_text(base, COLUMN_MESSAGE);
    if (with == rounds->n)
        return true;
    return rounds_set(
        merged, schema[COLUMN_MESSAGE].path,
        json_sprintf("%zu of %zu rounds: %s", with, rounds->n, message && message[0] ? message : result_name(base->result)));
}

/* By the clock: the texts are in ISO 8601, so the order of letters is that of time. */
static bool take_times(const struct rounds *rounds, json_t *merged)
{
    const char *first = NULL, *last = NULL;
    for (size_t i = 0; i < rounds->n; i++) {
        const char *started = column_text(&rounds->record[i], COLUMN_STARTED);
        first = started && (!first || strcmp(started, first) < 0) ? started : first;
        last = started && (!last || strcmp(started, last) > 0) ? started : last;
    }
    return rounds_set(merged, schema[COLUMN_STARTED].path, json_text(first)) &&
           rounds_set(merged, schema[COLUMN_ENDED].path, json_text(last));
}

/* A record whose changing parts are its own: the others it shares with the round. */
static json_t *copy_of(const struct record *round)
{
    static const char *const changing[] = {"throughput", "accuracy", "load", "process"};
    json_t *copy = json_copy(round->json);
    bool good = copy != NULL;
    for (size_t i = 0; good && i < sizeof changing / sizeof changing[0]; i++) {
        json_t *part = json_object_get(copy, changing[i]);
        good = !part || json_object_set_new(copy, changing[i], json_deep_copy(part)) == 0;
    }
    json_object_del(copy, "round");
    json_object_del(copy, "order");
    json_object_del(json_object_get(copy, "throughput"), "seconds");
    json_object_del(json_object_get(copy, "throughput"), "variation");
    if (good)
        return copy;
    json_decref(copy);
    return NULL;
}

static bool merge_point(const struct rounds *rounds, struct record *merged)
{
    size_t with;
    const struct record *base = worst_round(rounds, &with);
    *merged = *base;
    merged->json = copy_of(base);
    bool good = merged->json && rounds_set(merged->json, schema[COLUMN_ROUNDS].path, json_integer((json_int_t)rounds->n)) &&
                rounds_set(merged->json, schema[COLUMN_SAMPLES].path, json_integer((json_int_t)samples_of(rounds))) &&
                take_times(rounds, merged->json) && take_message(rounds, base, with, merged->json) &&
                rounds_take_figures(rounds, with == rounds->n, base, merged->json) &&
                rounds_set(merged->json, schema[COLUMN_WARNINGS].path, warnings_of_rounds(rounds->record, rounds->n, merged));
    if (!good)
        json_decref(merged->json);
    return good;
}

/* ---- All points -------------------------------------------------------------------------------------------------------- */

static bool same_key(const struct record *a, const struct record *b)
{
    return json_equal(column_json(a, COLUMN_KEY), column_json(b, COLUMN_KEY)) ||
           (!column_json(a, COLUMN_KEY) && !column_json(b, COLUMN_KEY));
}

/* A round that was ok is measured again only where it is a training whose weights were lost. The same line may be there twice. */
static bool is_repeat(const struct record *before, const struct record *record)
{
    return before->result == RESULT_OK && record->result == RESULT_OK &&
           measures[record->point.value[FIELD_MEASURE].integer].of != OF_TRAINING && !json_equal(before->json, record->json);
}

/* Which of n records of one point count, in order: those under the conditions of the last line, and of each round the last line. */
static size_t choose_rounds(const struct record *record, size_t n, struct record *chosen, struct unread *unread)
{
    const struct record *last = record;
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        last = record[i].line > last->line ? &record[i] : last;
    for (size_t i = 0; i < n; i++) {
        if (!same_key(&record[i], last))
            continue;
        bool again = found && column_number(&chosen[found - 1], COLUMN_ROUND) == column_number(&record[i], COLUMN_ROUND);
        if (again && is_repeat(&chosen[found - 1], &record[i])) {
            unread->repeat = unread->repeats == 0 || record[i].line + 1 < unread->repeat ? record[i].line + 1 : unread->repeat;
            unread->repeats++;
        }
        chosen[again ? found - 1 : found++] = record[i];
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

bool records_merge(struct records *records, struct error *error)
{
    struct records merged = {
        .record = calloc(records->n + 1, sizeof(struct record)), .capacity = records->n + 1, .unread = records->unread};
    struct record *chosen = calloc(records->n + 1, sizeof *chosen);
    double *value = calloc(records->n + 1, sizeof *value);
    bool good = merged.record && chosen && value;
    for (size_t i = 0, same; good && i < records->n; i += same) {
        same = same_point(&records->record[i], records->n - i);
        const struct rounds rounds = {chosen, choose_rounds(&records->record[i], same, chosen, &merged.unread), value};
        good = merge_point(&rounds, &merged.record[merged.n]);
        merged.n += good;
    }
    free(chosen);
    free(value);
    if (good) {
        records_free(records);
        *records = merged;
        return true;
    }
    records_free(&merged);
    return fail(error, "out of memory for the rounds of the points");
}
