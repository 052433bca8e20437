/* See expand.h. */
#include "bench/sweep/expand.h"

#include "bench/problems/inputs.h"
#include "bench/sweep/check.h"

#include <stdlib.h>
#include <string.h>

#define COMBINATIONS_MAX 1000000 /* what --yes allows: 3 GB of points, and days of measuring */

/* Points seen so far, by hash: slot[] holds index + 1 into the sweep's points, 0 where it is free. */
struct seen {
    size_t *slot, n_slots; /* a power of two, more than twice the points */
    size_t capacity;       /* of the sweep's array of points */
    struct problem finite; /* the problem of the last file of inputs whose numbers were looked at, and that file */
    const char *file;
};

/* Of all products; infinite where a count has no end. */
static double combinations(const struct product *product, int n)
{
    double total = 0;
    for (int i = 0; i < n; i++) {
        double factors = 1;
        for (int field = 0; field < FIELD_COUNT; field++)
            factors *= product[i].choice[field].n;
        total += factors;
    }
    return total;
}

static bool count(const struct product *product, int n, bool many, struct error *error)
{
    double total = combinations(product, n);
    if (total > COMBINATIONS_MAX)
        return fail_at(error, &product[0].mark, "%.15g combinations; expected at most %d, even with --yes", total,
                       COMBINATIONS_MAX);
    if (total > SWEEP_POINTS_UNASKED && !many)
        return fail_at(error, &product[0].mark, "%.0f combinations; expected at most %d, or more with --yes", total,
                       SWEEP_POINTS_UNASKED);
    return true;
}

static uint64_t hash_point(const struct point *point)
{
    uint64_t hash = 0;
    for (int field = 0; field < FIELD_COUNT; field++)
        hash = value_hash(&point->value[field], hash);
    return hash;
}

static size_t *find_slot(const struct seen *seen, const struct sweep *sweep, const struct point *point)
{
    size_t i = (size_t)hash_point(point) & (seen->n_slots - 1);
    while (seen->slot[i] != 0 && !point_equal(&sweep->point[seen->slot[i] - 1], point))
        i = (i + 1) & (seen->n_slots - 1);
    return &seen->slot[i];
}

/* Room for one more point, and a table that stays at most half full. */
static bool grow(struct seen *seen, struct sweep *sweep)
{
    if (sweep->n_points < seen->capacity)
        return true;
    size_t capacity = seen->capacity == 0 ? 64 : 2 * seen->capacity;
    struct point *point = realloc(sweep->point, capacity * sizeof *point);
    if (point == NULL)
        return false;
    sweep->point = point;
    size_t *slot = calloc(2 * capacity, sizeof *slot);
    if (slot == NULL)
        return false;
    free(seen->slot);
    seen->slot = slot;
    seen->n_slots = 2 * capacity;
    seen->capacity = capacity;
    for (size_t i = 0; i < sweep->n_points; i++)
        *find_slot(seen, sweep, &sweep->point[i]) = i + 1;
    return true;
}

static bool skipped(const struct product *product, const struct point *point)
{
    for (int i = 0; i < product->n_skip; i++)
        if (filter_keeps(&product->skip[i], point))
            return true;
    return false;
}

/* Whether a file of inputs fits a problem, and holds numbers alone. These are many, and mostly the ones that were just looked at. */
static bool inputs_check(const char *file, const struct problem *problem, struct seen *seen, struct error *error)
{
    const struct problem *last = &seen->finite;
    if (!tensors_check(file, problem, error))
        return false;
    bool known = seen->file != NULL && strcmp(seen->file, file) == 0 && last->dtype == problem->dtype &&
                 last->mixer == problem->mixer && last->feedback == problem->feedback;
    seen->file = file;
    seen->finite = *problem;
    return known || tensors_finite(file, problem, error);
}

/* Adds a point that is not there; *known: it was. */
static bool add(const struct product *product, const struct point *point, struct seen *seen, struct sweep *sweep, bool *known,
                struct error *error)
{
    enum section section;
    struct error reason;
    if (!point_check(point, &section, &reason)) {
        const struct location *mark = &product->section[section];
        return fail_at(error, mark->line > 0 ? mark : &product->mark, "%s", reason.text);
    }
    if (!grow(seen, sweep))
        return fail_memory(error);
    size_t *slot = find_slot(seen, sweep, point);
    *known = *slot != 0;
    if (*known)
        return true;
    struct problem problem = point_problem(point);
    const char *file = point_regime(point).file;
    if (!sweep->kept && file != NULL && !inputs_check(file, &problem, seen, &reason))
        return fail_at(error, &product->mark, "%s", reason.text);
    sweep->point[sweep->n_points++] = *point;
    *slot = sweep->n_points;
    return true;
}

/* One combination of a product, after what it depends on. */
static bool take(const struct product *product, struct point *point, struct seen *seen, struct sweep *sweep, struct error *error)
{
    struct point training;
    bool known = false;
    point_canonical(point);
    if (skipped(product, point)) {
        sweep->n_skipped++;
        return true;
    }
    if (point_training(point, &training) && !add(product, &training, seen, sweep, &known, error))
        return false;
    if (!add(product, point, seen, sweep, &known, error))
        return false;
    sweep->n_shared += known;
    return true;
}

/* All combinations, the last field turning fastest. */
static bool expand_product(const struct product *product, struct seen *seen, struct sweep *sweep, struct error *error)
{
    int at[FIELD_COUNT] = {0}, field;
    do {
        struct point point;
        for (field = 0; field < FIELD_COUNT; field++)
            point.value[field] = product->choice[field].value[at[field]];
        if (!take(product, &point, seen, sweep, error))
            return false;
        for (field = FIELD_COUNT - 1; field >= 0 && ++at[field] == product->choice[field].n; field--)
            at[field] = 0;
    } while (field >= 0);
    return true;
}

bool sweep_expand(const struct product *product, int n, bool many, struct sweep *sweep, struct error *error)
{
    struct seen seen = {0};
    bool ok = count(product, n, many, error);
    for (int i = 0; i < n && ok; i++)
        ok = expand_product(&product[i], &seen, sweep, error);
    free(seen.slot);
    if (ok && sweep->n_points == 0)
        return fail_at(error, &product[0].mark, "every combination is skipped; expected at least one point");
    return ok;
}
