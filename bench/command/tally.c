/* See tally.h. */
#include "bench/command/tally.h"

#include "bench/base/statistics.h"
#include "bench/measure/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* qsort_r hands the points over, so that indices can be sorted. */
static int key_order(const void *left, const void *right, void *context)
{
    const struct point_tally *point = context;
    return strcmp(point[*(const size_t *)left].key, point[*(const size_t *)right].key);
}

/* The point whose key begins with so many of these digits, or NULL. */
static struct point_tally *find(const struct tally *tally, const char *key, size_t digits)
{
    size_t low = 0, high = tally->sweep->n_points;
    while (low < high) {
        size_t middle = (low + high) / 2;
        struct point_tally *point = &tally->point[tally->by_key[middle]];
        int order = strncmp(key, point->key, digits);
        if (order == 0)
            return point;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

bool tally_make(const struct sweep *sweep, const struct conditions *conditions, bool retry, struct tally *tally,
                struct error *error)
{
    const struct sweep_run *run = &sweep->run;
    int rounds = run->relative_interval > 0 && run->at_most > run->rounds ? run->at_most : run->rounds;
    size_t n = sweep->n_points;
    *tally = (struct tally){.sweep = sweep, .rounds = rounds, .retry = retry};
    tally->point = calloc(n, sizeof *tally->point);
    tally->by_key = calloc(n, sizeof *tally->by_key);
    unsigned char *result = calloc(n, (size_t)rounds);
    double *median = calloc(n * (size_t)rounds, sizeof *median);
    if (tally->point != NULL) {
        tally->point[0].result = result;
        tally->point[0].median = median;
    }
    if (tally->point == NULL || tally->by_key == NULL || result == NULL || median == NULL) {
        if (tally->point == NULL) {
            free(result);
            free(median);
        }
        tally_free(tally);
        return fail_memory(error);
    }
    for (size_t i = 0; i < n; i++) {
        tally->point[i].result = result + i * (size_t)rounds;
        tally->point[i].median = median + i * (size_t)rounds;
        tally->by_key[i] = i;
        point_key(&sweep->point[i], conditions, tally->point[i].key);
    }
    if (!pairings_make(sweep, &tally->pairings, error)) {
        tally_free(tally);
        return false;
    }
    for (size_t i = 0; i < tally->pairings.n; i++)
        for (int side = 0; side < SIDES; side++)
            tally->point[tally->pairings.pairing[i].point[side]].paired = true;
    qsort_r(tally->by_key, n, sizeof *tally->by_key, key_order, tally->point);
    for (size_t i = 0; i < n; i++) {
        struct point training;
        char key[KEY_SIZE];
        if (!point_training(&sweep->point[i], &training))
            continue;
        point_key(&training, conditions, key);
        tally->point[i].training = find(tally, key, KEY_SIZE);
    }
    return true;
}

void tally_free(struct tally *tally)
{
    for (size_t i = 0; tally->point != NULL && i < tally->sweep->n_points; i++)
        free(tally->point[i].failed);
    if (tally->point != NULL) {
        free(tally->point[0].result);
        free(tally->point[0].median);
    }
    free(tally->point);
    free(tally->by_key);
    pairings_free(&tally->pairings);
    *tally = (struct tally){.sweep = NULL};
}

/* What ended at a limit says nothing about another limit. */
static bool limit_changed(const struct sweep_run *run, const struct point *measured, enum result result, const json_t *record)
{
    const json_t *limits = json_object_get(record, "limits"), *memory = json_object_get(limits, "memory_bytes");
    if (result == RESULT_TIMED_OUT)
        return json_number_value(json_object_get(limits, "time_s")) < sweep_run_limit(run, measured);
    if (result == (enum result)STATUS_OUT_OF_MEMORY || result == (enum result)STATUS_UNSUPPORTED)
        return (size_t)json_integer_value(memory) != run->memory_limit;
    return false;
}

/* The comparison to which one half of a pair belongs, and which half it is; NULL where its other half is of another build. */
static struct pairing *pairing_of(struct tally *tally, size_t point, const json_t *pair, enum side *side)
{
    const char *role = json_string_value(json_object_get(pair, "side")), *with = json_string_value(json_object_get(pair, "with"));
    const struct point_tally *other = with != NULL ? find(tally, with, KEY_SIZE) : NULL;
    if (role == NULL || other == NULL)
        return NULL;
    *side = strcmp(role, side_names[SIDE_BASELINE]) == 0 ? SIDE_BASELINE : SIDE_NEW;
    const size_t partner = (size_t)(other - tally->point), compared = *side == SIDE_NEW ? point : partner;
    const size_t base = *side == SIDE_NEW ? partner : point, i = tally->pairings.of_point[compared];
    return i != SWEEP_ALONE && tally->pairings.pairing[i].point[SIDE_BASELINE] == base ? &tally->pairings.pairing[i] : NULL;
}

/* The least time of a call in a round: what pairs are compared by (bench/report/paired.h). 0: there is none. */
static double least_sample(const json_t *record)
{
    const json_t *seconds = json_object_get(json_object_get(record, "throughput"), "seconds"), *sample;
    double least = 0;
    size_t i;
    json_array_foreach(seconds, i, sample) least = i == 0 ? json_number_value(sample) : fmin(least, json_number_value(sample));
    return least;
}

/* Whether some round ended otherwise than ok, and stays so. */
static bool has_failed(const struct point_tally *point)
{
    bool failed = false;
    for (size_t i = 0; i < point->n_failed; i++)
        failed = failed || !point->failed[i].again;
    return failed;
}

/* Takes the result of a round, in place of one that it had before. False when out of memory. */
static bool take_result(struct point_tally *point, int round, enum result result, bool again)
{
    size_t kept = 0;
    for (size_t i = 0; i < point->n_failed; i++)
        if (point->failed[i].round != round)
            point->failed[kept++] = point->failed[i];
    point->n_failed = kept;
    point->next = round >= point->next ? round + 1 : point->next;
    point->measured = point->measured || !again;
    if (result == RESULT_OK)
        return true;
    struct failed_round *grown = realloc(point->failed, (kept + 1) * sizeof *grown);
    if (grown == NULL)
        return false;
    point->failed = grown;
    point->failed[point->n_failed++] = (struct failed_round){round, result, again};
    return true;
}

int tally_next(const struct tally *tally, size_t i)
{
    const struct point_tally *point = &tally->point[i];
    for (size_t k = point->n_failed; k-- > 0;)
        if (point->failed[k].again)
            return point->failed[k].round;
    return point->next;
}

/* A round of a point that is compared: it stands in the table whether it belongs to a pair or not. again: it is to be measured anew. */
static void take_half(struct tally *tally, struct point_tally *point, const json_t *record, int round, enum result result,
                      bool again)
{
    enum side side = SIDE_NEW;
    const size_t i = (size_t)(point - tally->point);
    const json_t *pair = json_object_get(record, "pair"), *number = json_object_get(pair, "number");
    struct pairing *pairing = again ? NULL : pairing_of(tally, i, pair, &side);
    const json_int_t n = json_is_integer(number) ? json_integer_value(number) : -1;
    bool good = take_result(point, round, result, again);
    tally->kept += !again;
    if (pairing != NULL && n >= 0 && n <= PAIR_NUMBER_MOST)
        good = pairings_take(pairing, side, (int)n, least_sample(record), result) && good;
    pairings_end(&tally->pairings, i, point->ended || has_failed(point));
    tally->no_memory = tally->no_memory || !good;
}

void tally_record(struct tally *tally, const json_t *record)
{
    const char *key = json_string_value(json_object_get(record, "key"));
    const char *word = json_string_value(json_object_get(record, "result"));
    const json_t *number = json_object_get(record, "round"), *median;
    struct point_tally *point = key != NULL ? find(tally, key, KEY_SIZE) : NULL;
    enum result result = word != NULL ? result_find(word) : RESULT_COUNT;
    json_int_t round = json_integer_value(number);
    if (point == NULL || result == RESULT_COUNT || !json_is_integer(number) || round < 0) {
        bool known = key != NULL && find(tally, key, KEY_HALF) != NULL;
        tally->other_conditions += known;
        tally->other_points += !known;
        return;
    }
    const struct point *measured = &tally->sweep->point[point - tally->point];
    const bool again = limit_changed(&tally->sweep->run, measured, result, record) || (tally->retry && result_failed(result));
    if (point->paired && round <= PAIR_NUMBER_MOST)
        take_half(tally, point, record, (int)round, result, again);
    if (point->paired || again || round >= tally->rounds)
        return;
    tally->kept += point->result[round] == 0;
    point->result[round] = (unsigned char)(1 + result);
    median = json_object_get(json_object_get(record, "throughput"), "median");
    point->median[round] = json_is_number(median) ? json_number_value(median) : 0;
    point->ended = false;
    for (int i = 0; i < tally->rounds; i++)
        point->ended = point->ended || (point->result[i] != 0 && point->result[i] != 1 + RESULT_OK);
}

void tally_forget(struct tally *tally, struct point_tally *point)
{
    tally->kept -= point->result[0] != 0;
    point->result[0] = 0;
    point->ended = false;
}

void tally_settle(struct tally *tally)
{
    for (size_t i = 0; i < tally->sweep->n_points; i++) {
        struct point_tally *point = &tally->point[i];
        if (point->training == NULL || point->result[0] != 1 + RESULT_UNTRAINED)
            continue;
        enum result training = tally_result(tally, (size_t)(point->training - tally->point));
        if (training != RESULT_COUNT && training != RESULT_OK && training != RESULT_TARGET_NOT_REACHED)
            continue;
        tally_forget(tally, point);
    }
}

enum result tally_result(const struct tally *tally, size_t i)
{
    enum result found = RESULT_COUNT;
    if (tally->point[i].paired) {
        const struct point_tally *point = &tally->point[i];
        for (size_t k = 0; k < point->n_failed; k++)
            if (!point->failed[k].again)
                return point->failed[k].result;
        return point->measured ? RESULT_OK : RESULT_COUNT;
    }
    for (int round = tally->rounds; round-- > 0;) {
        int result = tally->point[i].result[round];
        if (result != 0 && (found == RESULT_COUNT || result != 1 + RESULT_OK))
            found = (enum result)(result - 1);
    }
    return found;
}

/* Whether the interval of the median over rounds is as narrow as it should be. */
static bool is_settled(const struct sweep_run *run, int rounds, const struct point_tally *point)
{
    double sorted[ROUNDS_MAX], low, high;
    size_t n = 0;
    for (int i = 0; i < rounds; i++)
        if (point->median[i] > 0)
            sorted[n++] = point->median[i];
    statistics_sort(sorted, n);
    return statistics_median_interval(sorted, n, &low, &high) &&
           (high - low) / 2 <= run->relative_interval * statistics_median(sorted, n);
}

bool tally_wants(const struct tally *tally, size_t i, int round)
{
    const struct sweep_run *run = &tally->sweep->run;
    const struct point_tally *point = &tally->point[i];
    if (point->paired || round >= tally->rounds || point->result[round] != 0 || point->ended)
        return false;
    if (round == 0)
        return true;
    if (!measures[tally->sweep->point[i].value[FIELD_MEASURE].integer].repeats)
        return false;
    return round < run->rounds || (run->relative_interval > 0 && !is_settled(run, tally->rounds, point));
}

size_t tally_planned(const struct tally *tally)
{
    size_t planned = SIDES * pairings_planned(&tally->pairings);
    for (size_t i = 0; i < tally->sweep->n_points; i++) {
        bool further = false; /* of the rounds that its interval may want, the next one is all that is known */
        for (int round = 0; round < tally->rounds && !further; round++)
            if (tally_wants(tally, i, round)) {
                planned++;
                further = round >= tally->sweep->run.rounds;
            }
    }
    return planned;
}
