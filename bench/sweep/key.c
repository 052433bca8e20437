/* The key of a finished round (point_key of point.h): its point and its conditions. Inputs from a file are defined by the bytes
 * of the file, so their hash replaces its name in the key. */
#include "bench/sweep/point.h"

#include "bench/base/build.h"
#include "bench/base/digest.h"
#include "bench/machine/device.h"
#include "bench/sweep/measures.h"
#include "bench/sweep/options.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#define KEY_VERSION "3" /* of what goes into a key, and how: with it RECORD_VERSION of bench/journal/record.h changes */

static const char *identity(const char *name)
{
    const char *known = build_identity(name);
    return known != NULL ? known : "unknown";
}

/* The lines that are hashed: room for every field and a few more. */
struct lines {
    char text[(FIELD_COUNT + 4) * VALUE_TEXT_MAX];
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

static const char *build_of(const struct point *point, int field)
{
    struct options options;
    bool known = point_options(point, field, &options);
    return identity(known ? registry_get(options.implementation, DTYPE_FLOAT32, LEVEL_BASELINE)->name : "");
}

const char *point_build(const struct point *point)
{
    bool has = point->value[FIELD_IMPLEMENTATION].kind == VALUE_TEXT, trains = point->value[FIELD_TRAIN_IMPL].kind == VALUE_TEXT;
    return build_of(point, !has && trains ? FIELD_TRAIN_IMPL : FIELD_IMPLEMENTATION);
}

const char *point_harness(const struct point *point)
{
    return identity(measure_word((int)point->value[FIELD_MEASURE].integer));
}

void point_conditions(const struct point *point, const struct conditions *conditions, char half[KEY_HALF + 1])
{
    struct lines lines = {.size = 0};
    char samples[16];
    bool timed = measures[point->value[FIELD_MEASURE].integer].repeats;
    snprintf(samples, sizeof samples, "%d", timed ? conditions->samples : 0);
    add_line(&lines, "version", KEY_VERSION);
    add_line(&lines, "build", point_build(point));
    add_line(&lines, "harness", point_harness(point));
    if (point->value[FIELD_TRAIN_IMPL].kind == VALUE_TEXT)
        add_line(&lines, "trained by", build_of(point, FIELD_TRAIN_IMPL));
    if (point->value[FIELD_AGAINST].kind == VALUE_TEXT)
        add_line(&lines, "against", build_of(point, FIELD_AGAINST));
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
