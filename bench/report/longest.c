/* See longest.h. */
#include "bench/report/longest.h"

#include <stdlib.h>
#include <string.h>

/* All that tells two points apart but the length, then the length. */
static int length_order(const struct record *a, const struct record *b, bool with_length)
{
    for (int f = 0; f < FIELD_COUNT; f++) {
        int order = f == FIELD_TEST_LENGTH ? 0 : value_order(&a->point.value[f], &b->point.value[f]);
        if (order != 0)
            return order;
    }
    return with_length ? value_order(&a->point.value[FIELD_TEST_LENGTH], &b->point.value[FIELD_TEST_LENGTH]) : 0;
}

static int order(const void *left, const void *right)
{
    return length_order(*(struct record *const *)left, *(struct record *const *)right, true);
}

static void set_longest(struct record *const *record, size_t n, enum column_id share, enum column_id id, struct unpacked *values)
{
    int64_t longest = 0;
    for (size_t i = 0; i < n && column_number(record[i], share) > LONGEST_ABOVE; i++)
        longest = record[i]->point.value[FIELD_TEST_LENGTH].integer;
    if (longest > 0)
        unpacked_set_integer(values, id, longest);
    else
        unpacked_clear(values, id);
}

/* The records of one training, evaluated in one way, the shortest length first. */
static bool add(struct record *const *record, size_t n)
{
    bool good = true;
    for (size_t i = 0; i < n && good; i++) {
        struct unpacked values;
        struct packed packed;
        unpacked_of(&record[i]->packed, &values);
        set_longest(record, n, COLUMN_TOKEN_ACCURACY, COLUMN_LONGEST_TOKEN, &values);
        set_longest(record, n, COLUMN_SEQUENCE_ACCURACY, COLUMN_LONGEST_SEQUENCE, &values);
        good = packed_of(&values, &packed);
        if (good) {
            packed_free(&record[i]->packed);
            record[i]->packed = packed;
        }
    }
    return good;
}

/* One that diverged or was stopped has no accuracy, and ends what came before it. */
static bool is_accuracy(const struct record *record)
{
    const char *measure = column_text(record, COLUMN_MEASURE);
    return measure != NULL && strcmp(measure, "accuracy") == 0;
}

bool longest_add(struct records *records, struct error *error)
{
    struct record **known = calloc(records->n + 1, sizeof(struct record *));
    size_t n = 0;
    bool good = known != NULL;
    for (size_t i = 0; good && i < records->n; i++)
        if (is_accuracy(&records->record[i]))
            known[n++] = &records->record[i];
    if (good && n > 0)
        qsort(known, n, sizeof *known, order);
    for (size_t i = 0, same; good && i < n; i += same) {
        same = 1;
        while (i + same < n && length_order(known[i], known[i + same], false) == 0)
            same++;
        good = add(known + i, same);
    }
    free(known);
    return good || fail(error, "out of memory for %zu records", records->n);
}
