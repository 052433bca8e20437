/* See baseline.h. */
#include "bench/sweep/baseline.h"

#include "bench/base/text.h"
#include "bench/sweep/measures.h"
#include "bench/sweep/options.h"

#include <stdlib.h>
#include <string.h>

static bool is_timed(const struct point *point)
{
    return measures[point->value[FIELD_MEASURE].integer].repeats;
}

static bool is_baseline(const struct sweep *sweep, const struct point *point)
{
    return is_timed(point) && strcmp(point->value[FIELD_IMPLEMENTATION].text, sweep->baseline) == 0;
}

/* Whether two points differ in nothing but their implementation, and in what only one of them uses. */
static bool is_partner(const struct point *point, const struct point *base)
{
    for (int field = 0; field < FIELD_COUNT; field++) {
        const struct value *a = &point->value[field], *b = &base->value[field];
        if (field != FIELD_IMPLEMENTATION && a->kind != VALUE_NONE && b->kind != VALUE_NONE && !value_equal(a, b))
            return false;
    }
    return true;
}

/* How many fields one of them uses and the other one does not. */
static int unshared(const struct point *point, const struct point *base)
{
    int n = 0;
    for (int field = 0; field < FIELD_COUNT; field++)
        n += (point->value[field].kind == VALUE_NONE) != (base->value[field].kind == VALUE_NONE);
    return n;
}

/* Points of the baseline by a hash of the fields that every timed point uses: of these a point shares all with its partner. */
struct entry {
    uint64_t hash;
    size_t point;
};

struct index {
    bool common[FIELD_COUNT];
    struct entry *entry; /* by hash, then point */
    size_t n;
};

static uint64_t hash_of(const struct index *index, const struct point *point)
{
    uint64_t hash = 0;
    for (int field = 0; field < FIELD_COUNT; field++)
        if (index->common[field])
            hash = value_hash(&point->value[field], hash);
    return hash;
}

static int entry_order(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    return a->hash != b->hash ? (a->hash > b->hash) - (a->hash < b->hash) : (a->point > b->point) - (a->point < b->point);
}

static bool index_make(const struct sweep *sweep, struct index *index)
{
    *index = (struct index){.entry = calloc(sweep->n_points + 1, sizeof *index->entry)};
    if (index->entry == NULL)
        return false;
    for (int field = 0; field < FIELD_COUNT; field++)
        index->common[field] = field != FIELD_IMPLEMENTATION;
    for (size_t i = 0; i < sweep->n_points; i++)
        for (int field = 0; field < FIELD_COUNT && is_timed(&sweep->point[i]); field++)
            index->common[field] = index->common[field] && sweep->point[i].value[field].kind != VALUE_NONE;
    for (size_t i = 0; i < sweep->n_points; i++)
        if (is_baseline(sweep, &sweep->point[i]))
            index->entry[index->n++] = (struct entry){hash_of(index, &sweep->point[i]), i};
    if (index->n > 1)
        qsort(index->entry, index->n, sizeof *index->entry, entry_order);
    return true;
}

/* The first entry whose hash is not below this one. */
static size_t first_of(const struct index *index, uint64_t hash)
{
    size_t low = 0, high = index->n;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (index->entry[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The point of the baseline that a point is compared with: the one that shares most with it; none where two share as much (the baseline
 * was asked for several l, and this implementation knows no l). */
static size_t partner_of(const struct sweep *sweep, const struct index *index, const struct point *point)
{
    const uint64_t hash = hash_of(index, point);
    size_t found = SWEEP_ALONE;
    int least = FIELD_COUNT + 1;
    for (size_t i = first_of(index, hash); i < index->n && index->entry[i].hash == hash; i++) {
        const struct point *other = &sweep->point[index->entry[i].point];
        if (!is_partner(point, other))
            continue;
        int differs = unshared(point, other);
        if (differs == least)
            found = SWEEP_ALONE;
        if (differs < least)
            found = index->entry[i].point, least = differs;
    }
    return found;
}

static bool find_partners(struct sweep *sweep, struct error *error)
{
    const size_t n = sweep->n_points;
    struct index index;
    free(sweep->partner);
    sweep->partner = calloc(n, sizeof *sweep->partner);
    sweep->n_compared = 0;
    if (!index_make(sweep, &index) || sweep->partner == NULL) {
        free(index.entry);
        return fail_memory(error);
    }
    for (size_t i = 0; i < n; i++) {
        const struct point *point = &sweep->point[i];
        bool compares = is_timed(point) && !is_baseline(sweep, point);
        sweep->partner[i] = compares ? partner_of(sweep, &index, point) : SWEEP_ALONE;
        sweep->n_compared += sweep->partner[i] != SWEEP_ALONE;
    }
    free(index.entry);
    if (index.n == 0)
        return fail(error, "baseline %s: the sweep has no point of measure throughput of it; expected one of its impls",
                    sweep->baseline);
    return sweep->n_compared > 0 ||
           fail(error, "baseline %s: no point can be compared with it; expected another implementation on the same problem",
                sweep->baseline);
}

bool baseline_apply(struct sweep *sweep, const char *name, struct error *error)
{
    struct options options;
    if (name != NULL) {
        char text[VALUE_TEXT_MAX];
        struct error reason;
        if (!options_read(name, &options, &reason))
            return fail(error, "baseline: %.900s", reason.text);
        options_print(&options, sizeof text, text);
        sweep->baseline = pool_text(&sweep->memory, text);
        if (sweep->baseline == NULL)
            return fail_memory(error);
    }
    return sweep->baseline == NULL || find_partners(sweep, error);
}
