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

/* The point of the baseline that a point is compared with: the one that shares most with it; none where two share as much (the baseline
 * was asked for several l, and this implementation knows no l). */
static size_t partner_of(const struct sweep *sweep, const size_t *base, size_t n, const struct point *point)
{
    size_t found = SWEEP_ALONE;
    int least = FIELD_COUNT + 1;
    for (size_t i = 0; i < n; i++) {
        const struct point *other = &sweep->point[base[i]];
        if (!is_partner(point, other))
            continue;
        int differs = unshared(point, other);
        if (differs == least)
            found = SWEEP_ALONE;
        if (differs < least)
            found = base[i], least = differs;
    }
    return found;
}

static bool find_partners(struct sweep *sweep, struct error *error)
{
    const size_t n = sweep->n_points;
    size_t n_base = 0, *base = calloc(n, sizeof *base);
    free(sweep->partner);
    sweep->partner = calloc(n, sizeof *sweep->partner);
    sweep->n_compared = 0;
    if (base == NULL || sweep->partner == NULL) {
        free(base);
        return fail_memory(error);
    }
    for (size_t i = 0; i < n; i++)
        if (is_baseline(sweep, &sweep->point[i]))
            base[n_base++] = i;
    for (size_t i = 0; i < n; i++) {
        const struct point *point = &sweep->point[i];
        bool compares = is_timed(point) && !is_baseline(sweep, point);
        sweep->partner[i] = compares ? partner_of(sweep, base, n_base, point) : SWEEP_ALONE;
        sweep->n_compared += sweep->partner[i] != SWEEP_ALONE;
    }
    free(base);
    if (n_base == 0)
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
