/* See packed.h. */
#include "bench/journal/packed.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Where columns stand in a line ------------------------------------------------------------------------------------------ */

enum { OBJECTS_MAX = 64, NAME_MAX_SIZE = 32 };

/* The objects that the paths of the schema name, those that hold others first; the line itself is the first of all. */
static struct {
    int n;
    struct {
        int parent;
        char name[NAME_MAX_SIZE];
    } object[OBJECTS_MAX];
    struct {
        int object;
        const char *name; /* in its object */
    } column[COLUMN_COUNT];
} layout;

static int object_in(int parent, const char *name, size_t length)
{
    for (int i = 1; i < layout.n; i++)
        if (layout.object[i].parent == parent && strncmp(layout.object[i].name, name, length) == 0 &&
            layout.object[i].name[length] == '\0')
            return i;
    return -1;
}

static void make_layout(void)
{
    layout.n = 1;
    for (int id = 0; id < COLUMN_COUNT; id++) {
        const char *name = schema[id].path;
        int object = 0;
        for (const char *dot; (dot = strchr(name, '.')) != NULL; name = dot + 1) {
            size_t length = (size_t)(dot - name);
            int found = object_in(object, name, length);
            if (found < 0) {
                found = layout.n++;
                assert(found < OBJECTS_MAX && length < NAME_MAX_SIZE);
                layout.object[found].parent = object;
                memcpy(layout.object[found].name, name, length);
            }
            object = found;
        }
        layout.column[id].object = object;
        layout.column[id].name = name;
    }
}

static uint64_t bit(int object)
{
    return (uint64_t)1 << object;
}

/* The object that a column is a member of. */
static int object_of(enum column_id id)
{
    if (layout.n == 0)
        make_layout();
    return layout.column[id].object;
}

/* ---- One block -------------------------------------------------------------------------------------------------------------- */

static size_t size_of_list(const struct datum *datum)
{
    return datum->kind == DATUM_LIST       ? datum->n * sizeof(double)
           : datum->kind == DATUM_WARNINGS ? datum->n * sizeof(struct warned)
                                           : 0;
}

/* Room for n values and what their lists hold. */
static bool make_block(struct packed *packed, size_t n, size_t in_lists)
{
    packed->datum = malloc(n * sizeof *packed->datum + in_lists + 1);
    packed->n = 0;
    return packed->datum != NULL;
}

void packed_free(struct packed *packed)
{
    free(packed->datum);
    packed->datum = NULL;
    packed->n = 0;
}

/* ---- From a line ------------------------------------------------------------------------------------------------------------ */

static bool is_warnings(enum column_id id)
{
    return id == COLUMN_WARNINGS;
}

/* The kind of the value of a column, and how many a list holds. */
static struct datum describe(const json_t *json, enum column_id id)
{
    struct datum datum = {.column = (uint16_t)id, .kind = DATUM_NONE};
    if (json_is_integer(json))
        datum.kind = DATUM_INTEGER;
    else if (json_is_real(json))
        datum.kind = DATUM_REAL;
    else if (json_is_boolean(json))
        datum.kind = DATUM_BOOLEAN;
    else if (json_is_string(json))
        datum.kind = DATUM_TEXT;
    else if (json_is_array(json)) {
        datum.kind = is_warnings(id) ? DATUM_WARNINGS : DATUM_LIST;
        datum.n = (uint32_t)json_array_size(json);
    }
    return datum;
}

static void fill_list(const json_t *json, struct datum *datum, double *list)
{
    datum->list = list;
    datum->whole = true;
    for (size_t i = 0; i < datum->n; i++) {
        const json_t *at = json_array_get(json, i);
        datum->whole = datum->whole && json_is_integer(at);
        list[i] = json_is_number(at) ? json_number_value(at) : NAN;
    }
}

/* Those whose code this program knows. */
static void fill_warnings(const json_t *json, struct datum *datum, struct warned *warned)
{
    size_t n = 0;
    datum->warned = warned;
    for (size_t i = 0; i < datum->n; i++) {
        const json_t *entry = json_array_get(json, i);
        const char *word = json_string_value(json_object_get(entry, "code"));
        int code = 0;
        while (word != NULL && code < WARNING_COUNT && strcmp(warnings[code].code, word) != 0)
            code++;
        if (word != NULL && code < WARNING_COUNT)
            warned[n++] = (struct warned){.code = (enum warning_code)code,
                                          .figure = json_number_value(json_object_get(entry, "figure")),
                                          .rounds = (int)json_integer_value(json_object_get(entry, "rounds"))};
    }
    datum->n = (uint32_t)n;
}

/* more: what lists hold goes there. */
static bool fill(const json_t *json, struct texts *texts, struct datum *datum, void *more)
{
    switch ((enum datum_kind)datum->kind) {
    case DATUM_INTEGER:
        datum->integer = json_integer_value(json);
        break;
    case DATUM_REAL:
        datum->real = json_real_value(json);
        break;
    case DATUM_BOOLEAN:
        datum->boolean = json_is_true(json);
        break;
    case DATUM_TEXT:
        datum->text = texts_keep(texts, json_string_value(json));
        return datum->text != NULL;
    case DATUM_LIST:
        fill_list(json, datum, more);
        break;
    case DATUM_WARNINGS:
        fill_warnings(json, datum, more);
        break;
    case DATUM_NONE:
        break;
    }
    return true;
}

/* The objects of a line, NULL where they are not there. */
static uint64_t find_objects(const json_t *line, const json_t *object[OBJECTS_MAX])
{
    uint64_t there = bit(object_of((enum column_id)0));
    object[0] = line;
    for (int i = 1; i < layout.n; i++) {
        const json_t *at = json_object_get(object[layout.object[i].parent], layout.object[i].name);
        object[i] = json_is_object(at) ? at : NULL;
        there |= object[i] != NULL ? bit(i) : 0;
    }
    return there;
}

bool packed_of_line(const json_t *line, struct texts *texts, struct packed *packed)
{
    const json_t *object[OBJECTS_MAX], *at[COLUMN_COUNT];
    struct datum datum[COLUMN_COUNT];
    size_t n = 0, in_lists = 0;
    *packed = (struct packed){.objects = find_objects(line, object)};
    for (int id = 0; id < COLUMN_COUNT; id++) {
        if (object[layout.column[id].object] == NULL || schema[id].journal_only)
            continue;
        at[n] = json_object_get(object[layout.column[id].object], layout.column[id].name);
        datum[n] = describe(at[n], (enum column_id)id);
        in_lists += size_of_list(&datum[n]);
        n += datum[n].kind != DATUM_NONE;
    }
    if (!make_block(packed, n, in_lists))
        return false;
    char *more = (char *)(packed->datum + n);
    bool good = true;
    for (; good && packed->n < n; packed->n++) {
        struct datum *to = &packed->datum[packed->n];
        *to = datum[packed->n];
        good = fill(at[packed->n], texts, to, more);
        more += size_of_list(&datum[packed->n]);
    }
    if (!good)
        packed_free(packed);
    return good;
}

const char *datum_word(const struct datum *datum)
{
    return datum->kind == DATUM_TEXT ? datum->text : datum->kind != DATUM_BOOLEAN ? NULL : datum->boolean ? "true" : "false";
}

/* ---- Reading ---------------------------------------------------------------------------------------------------------------- */

const struct datum *packed_datum(const struct packed *packed, enum column_id id)
{
    static const struct datum none = {.kind = DATUM_NONE};
    size_t low = 0, high = packed->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (packed->datum[middle].column < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < packed->n && packed->datum[low].column == id ? &packed->datum[low] : &none;
}

bool packed_within(const struct packed *packed, enum column_id id)
{
    return (packed->objects & bit(object_of(id))) != 0;
}

bool packed_has(const struct packed *packed, const char *object)
{
    if (layout.n == 0)
        make_layout();
    int found = object_in(0, object, strlen(object));
    return found > 0 && (packed->objects & bit(found)) != 0;
}

/* ---- Changing --------------------------------------------------------------------------------------------------------------- */

void unpacked_of(const struct packed *packed, struct unpacked *unpacked)
{
    unpacked->objects = packed->objects;
    for (int id = 0; id < COLUMN_COUNT; id++)
        unpacked->datum[id] = (struct datum){.column = (uint16_t)id, .kind = DATUM_NONE};
    for (size_t i = 0; i < packed->n; i++)
        unpacked->datum[packed->datum[i].column] = packed->datum[i];
}

bool packed_of(const struct unpacked *unpacked, struct packed *packed)
{
    size_t n = 0, in_lists = 0;
    for (int id = 0; id < COLUMN_COUNT; id++) {
        n += unpacked->datum[id].kind != DATUM_NONE;
        in_lists += size_of_list(&unpacked->datum[id]);
    }
    if (!make_block(packed, n, in_lists))
        return false;
    char *more = (char *)(packed->datum + n);
    packed->objects = unpacked->objects;
    for (int id = 0; id < COLUMN_COUNT; id++) {
        const struct datum *from = &unpacked->datum[id];
        if (from->kind == DATUM_NONE)
            continue;
        struct datum *to = &packed->datum[packed->n++];
        *to = *from;
        size_t size = size_of_list(from);
        if (size > 0)
            memcpy(more, from->list, size);
        if (from->kind == DATUM_LIST)
            to->list = (const double *)more;
        else if (from->kind == DATUM_WARNINGS)
            to->warned = (const struct warned *)more;
        more += size;
    }
    return true;
}

void unpacked_set(struct unpacked *unpacked, enum column_id id, struct datum value)
{
    if ((unpacked->objects & bit(object_of(id))) == 0)
        return;
    unpacked->datum[id] = value;
    unpacked->datum[id].column = (uint16_t)id;
}

void unpacked_open(struct unpacked *unpacked, enum column_id id)
{
    unpacked->objects |= bit(object_of(id));
}

void unpacked_clear(struct unpacked *unpacked, enum column_id id)
{
    unpacked_set(unpacked, id, (struct datum){.kind = DATUM_NONE});
}

void unpacked_set_integer(struct unpacked *unpacked, enum column_id id, int64_t integer)
{
    unpacked_set(unpacked, id, (struct datum){.kind = DATUM_INTEGER, .integer = integer});
}

void unpacked_set_real(struct unpacked *unpacked, enum column_id id, double real)
{
    unpacked_set(unpacked, id, (struct datum){.kind = isfinite(real) ? DATUM_REAL : DATUM_NONE, .real = real});
}

void unpacked_set_text(struct unpacked *unpacked, enum column_id id, const char *text)
{
    unpacked_set(unpacked, id, (struct datum){.kind = text != NULL ? DATUM_TEXT : DATUM_NONE, .text = text});
}
