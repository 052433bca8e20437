/* See machine_limits.h. */
#include "plots/machine_limits.h"

#include "bench/machine/machine_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define GIGA 1e9

static void read_caches(const json_t *list, struct machine_limits *limits)
{
    for (size_t i = 0; i < json_array_size(list) && limits->n_caches < LIMITS_CACHES_MAX; i++) {
        const json_t *cache = json_array_get(list, i);
        const char *kind = json_string_value(json_object_get(cache, "kind"));
        double level = json_number_value(json_object_get(cache, "level")),
               bytes = json_number_value(json_object_get(cache, "bytes")),
               sharing = json_number_value(json_object_get(cache, "sharing"));
        if ((kind && !strcmp(kind, "Instruction")) || !(level >= 1 && level <= LIMITS_CACHES_MAX) || !(bytes > 0 && bytes < 1e15))
            continue;
        limits->cache[limits->n_caches].level = (int)level;
        limits->cache[limits->n_caches].bytes = bytes;
        limits->cache[limits->n_caches++].sharing = sharing >= 1 && sharing <= 1e6 ? (int)sharing : 0;
    }
}

/* Whether one of the records was measured under limits of this name, or none names its own, as in older journals. */
static bool are_of(const struct records *records, const char *name)
{
    bool named = false;
    for (size_t i = 0; i < records->n; i++) {
        const char *own = column_text(&records->record[i], COLUMN_BOUND_ROOFS);
        if (own != NULL && strcmp(own, name) == 0)
            return true;
        named = named || own != NULL;
    }
    return !named;
}

bool machine_limits_read(const char *folder, const struct records *records, struct machine_limits *limits, struct error *error)
{
    struct error ignored;
    json_t *machine;
    char name[SEAL_DIGITS + 1];
    bool changed;
    memset(limits, 0, sizeof *limits);
    if (!machine_file_read(folder, &machine, &changed))
        return fail(error, "out of memory for the machine limits");
    const json_t *roofs = json_object_get(machine, "roofs");
    limits->known = roofs_from_json(roofs, &limits->roofs, &ignored);
    bool good = !limits->known || machine_limits_name(roofs, name) || fail(error, "out of memory for the machine limits");
    if (changed)
        limits->other = "machine.json changed since it was written: neither the machine nor its limits are known.";
    else if (good && limits->known && !are_of(records, name))
        limits->other = "The machine limits in machine.json are not those of these rounds: their lines are not drawn.";
    limits->known = limits->known && limits->other == NULL;
    read_caches(json_object_get(json_object_get(machine, "cpu"), "caches"), limits);
    json_decref(machine);
    return good;
}

static void add_line(struct roof_lines *lines, const struct machine_limits *limits, const struct roof *roof, int step,
                     const char *name)
{
    lines->line[lines->n].bandwidth = roof_bandwidth(roof, step) / GIGA;
    lines->line[lines->n].set = limits->roofs.set[step];
    snprintf(lines->line[lines->n].name, sizeof lines->line->name, "%s", name);
    lines->n += lines->line[lines->n].bandwidth > 0;
}

/* A working set lies well inside a cache when it takes half of it at the most, and does not fit into the cache before; of those the
 * largest. Each thread has the cache of its processor, which others may share. */
static void add_caches(struct roof_lines *lines, const struct machine_limits *limits, const struct roof *roof)
{
    double before = 0;
    for (int i = 0; i < limits->n_caches; i++) {
        int sharing = limits->cache[i].sharing, step = -1;
        double bytes = limits->cache[i].bytes * (sharing > 0 ? ceil((double)roof->threads / sharing) : 1);
        for (int k = 0; k < limits->roofs.n_sets && limits->roofs.set[k] <= bytes / 2; k++)
            if (limits->roofs.set[k] > before)
                step = k;
        char name[sizeof lines->line->name];
        snprintf(name, sizeof name, "L%d", limits->cache[i].level);
        if (step >= 0)
            add_line(lines, limits, roof, step, name);
        before = fmax(before, bytes);
    }
    int last = limits->roofs.n_sets - 1;
    add_line(lines, limits, roof, last, limits->roofs.set[last] >= 2 * before ? "memory" : "largest set");
}

static void raise_ceiling(struct roof_lines *lines, const struct roof *roof, enum dtype dtype)
{
    for (int level = 0; level < LEVEL_COUNT; level++)
        if (roof->rate[dtype][level] / GIGA > lines->ceiling) {
            lines->ceiling = roof->rate[dtype][level] / GIGA;
            lines->dtype = dtype;
        }
}

/* Of points that a device computes: they have no threads. */
static bool on_device(struct record *const *record, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (record[i]->point.value[FIELD_THREADS].kind != VALUE_NONE)
            return false;
    return n > 0;
}

static bool device_lines_make(const struct device_limits *device, struct roof_lines *lines)
{
    lines->line[0].bandwidth = device->bandwidth / GIGA;
    snprintf(lines->line[0].name, sizeof lines->line->name, "device memory");
    lines->n = lines->line[0].bandwidth > 0;
    lines->ceiling = device->rate / GIGA;
    return lines->n && lines->ceiling > 0;
}

bool roof_lines_make(const struct machine_limits *limits, struct record *const *record, size_t n, struct roof_lines *lines)
{
    int threads = 0;
    memset(lines, 0, sizeof *lines);
    if (on_device(record, n))
        return limits->known && device_lines_make(&limits->roofs.device, lines);
    for (size_t i = 0; i < n; i++)
        threads = point_threads(&record[i]->point) > threads ? point_threads(&record[i]->point) : threads;
    const struct roof *roof = limits->known ? roofs_find(&limits->roofs, threads) : NULL;
    if (!roof)
        return false;
    add_caches(lines, limits, roof);
    for (size_t i = 0; i < n; i++)
        raise_ceiling(lines, roof, point_problem(&record[i]->point).dtype);
    return lines->n && lines->ceiling > 0;
}

double machine_limits_exponential(const struct machine_limits *limits, const struct record *record)
{
    const struct point *point = &record->point;
    double rate = column_number(record, COLUMN_BOUND_GFLOP_PER_S) * GIGA;
    bool known =
        limits != NULL && limits->known && point->value[FIELD_THREADS].kind != VALUE_NONE; /* of the processor, not a device */
    const struct roof *roof = known ? roofs_find(&limits->roofs, point_threads(point)) : NULL;
    double exponentials = roof != NULL ? roof->exponentials[point_problem(point).dtype][point_level(point)] : 0;
    return rate > 0 && exponentials > 0 ? rate / exponentials : NAN;
}
