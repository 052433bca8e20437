/* The key of a finished round (point_key of point.h): its point and its conditions. Inputs from a file are defined by the bytes
 * of the file, so their hash replaces its name in the key. */
#include "bench/sweep/point.h"

#include "bench/base/build.h"
#include "bench/base/digest.h"
#include "bench/machine/device.h"
#include "bench/sweep/measures.h"
#include "bench/sweep/options.h"
#include "impls/registry/plugins.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#define KEY_VERSION "3" /* of what goes into a key, and how: with it RECORD_VERSION of bench/journal/record.h changes */

/* Of what computes a cell: CELL/NAME, where that has an identity of its own. */
static const char *identity_for(enum cell cell, const char *name)
{
    char text[80];
    snprintf(text, sizeof text, "%s/%s", cell_names[cell], name);
    const char *known = build_identity(text);
    return known != NULL ? known : build_identity(name);
}

static const char *identity(const struct point *point, const char *name)
{
    const struct value *cell = &point->value[FIELD_CELL];
    const struct plugin_row *plugin = plugin_row(name);
    if (plugin != NULL && plugin->build[0] != '\0')
        return plugin->build;
    const char *known = identity_for(cell->kind != VALUE_NONE ? (enum cell)cell->integer : CELL_VECTOR, name);
    return known != NULL ? known : "unknown";
}

/* The lines that are hashed: room for every field and a few more. */
struct lines {
    char text[(FIELD_COUNT + 8) * VALUE_TEXT_MAX];
    size_t size;
};

static void add_line(struct lines *lines, const char *name, const char *value)
{
    char line[VALUE_TEXT_MAX];
    int length = snprintf(line, sizeof line, "%s=%s\n", name, value);
    size_t size = length < (int)sizeof line ? (size_t)length : sizeof line - 1;
    memcpy(lines->text + lines->size, line, size);
    lines->size += size;
}

static void print_half(const struct lines *lines, char half[KEY_HALF + 1])
{
    snprintf(half, KEY_HALF + 1, "%016llx", (unsigned long long)XXH3_64bits(lines->text, lines->size));
}

static const char *implementation_of(const struct point *point, int field)
{
    struct options options;
    bool known = point_options(point, field, &options);
    return known ? registry_get(options.implementation, DTYPE_FLOAT32, LEVEL_BASELINE)->name : "";
}

static const char *build_of(const struct point *point, int field)
{
    return identity(point, implementation_of(point, field));
}

/* Which cell a training computes is its layer's: what computes the others counts as well. */
static void add_build(struct lines *lines, const char *what, const struct point *point, int field)
{
    const char *name = implementation_of(point, field), *first = build_identity(name);
    add_line(lines, what, build_of(point, field));
    for (int cell = 0; cell < CELL_COUNT && point->value[FIELD_CELL].kind == VALUE_NONE; cell++) {
        const char *other = identity_for((enum cell)cell, name);
        if (other != NULL && other != first)
            add_line(lines, cell_names[cell], other);
    }
}

static int built_field(const struct point *point)
{
    bool has = point->value[FIELD_IMPLEMENTATION].kind == VALUE_TEXT, trains = point->value[FIELD_TRAIN_IMPL].kind == VALUE_TEXT;
    return !has && trains ? FIELD_TRAIN_IMPL : FIELD_IMPLEMENTATION;
}

const char *point_build(const struct point *point)
{
    return build_of(point, built_field(point));
}

const char *point_harness(const struct point *point)
{
    return identity(point, measure_word((int)point->value[FIELD_MEASURE].integer));
}

void point_conditions(const struct point *point, const struct conditions *conditions, char half[KEY_HALF + 1])
{
    struct lines lines = {.size = 0};
    char samples[16];
    bool timed = measures[point->value[FIELD_MEASURE].integer].repeats;
    snprintf(samples, sizeof samples, "%d", timed ? conditions->samples : 0);
    add_line(&lines, "version", KEY_VERSION);
    add_build(&lines, "build", point, built_field(point));
    add_line(&lines, "harness", point_harness(point));
    if (point->value[FIELD_TRAIN_IMPL].kind == VALUE_TEXT)
        add_build(&lines, "trained by", point, FIELD_TRAIN_IMPL);
    if (point->value[FIELD_AGAINST].kind == VALUE_TEXT)
        add_build(&lines, "against", point, FIELD_AGAINST);
    add_line(&lines, "machine", conditions->machine);
    add_line(&lines, "surroundings", conditions->surroundings);
    add_line(&lines, "samples", samples);
    if (point_on_device(point)) {
        char device[VALUE_TEXT_MAX / 2];
        device_conditions(sizeof device, device);
        add_line(&lines, "device", device);
    }
    print_half(&lines, half);
}

/* What a point does not use is not in its key, nor what records that are older than the field meant: a new field leaves the keys of
 * points that it does not change. */
static bool says_nothing(int field, const struct value *value)
{
    struct value absent;
    const char *text = fields[field].absent;
    return value->kind == VALUE_NONE || (text != NULL && field_read(field, text, &absent) && value_equal(value, &absent));
}

void point_identity(const struct point *point, char half[KEY_HALF + 1])
{
    struct lines lines = {.size = 0};
    char value[VALUE_TEXT_MAX];
    add_line(&lines, "version", KEY_VERSION);
    for (int field = 0; field < FIELD_COUNT; field++) {
        if (says_nothing(field, &point->value[field]))
            continue;
        field_print(field, &point->value[field], sizeof value, value);
        if (point->value[field].kind == VALUE_TEXT && fields[field].text == TEXT_FILE)
            digest_file(point->value[field].text, value);
        add_line(&lines, fields[field].name, value);
    }
    print_half(&lines, half);
}

bool point_identifies_itself(const struct point *point)
{
    for (int field = 0; field < FIELD_COUNT; field++)
        if (point->value[field].kind == VALUE_TEXT && fields[field].text == TEXT_FILE)
            return false;
    return true;
}

void point_key(const struct point *point, const struct conditions *conditions, char key[KEY_SIZE])
{
    point_identity(point, key);
    point_conditions(point, conditions, key + KEY_HALF);
}
