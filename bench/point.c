/* See point.h. */
#include "bench/point.h"

#include "bench/options.h"
#include "bench/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const double elements_max = 0x1p40; /* of W, as problem_check has it for the tensors of (B,T) */

void point_canonical(struct point *point)
{
    for (int field = 0; field < FIELD_COUNT; field++) {
        if (fields[field].used != NULL && !fields[field].used(point))
            point->value[field] = (struct value){.kind = VALUE_NONE};
        field_resolve(field, &point->value[field]);
    }
}

bool point_equal(const struct point *a, const struct point *b)
{
    for (int field = 0; field < FIELD_COUNT; field++)
        if (!value_equal(&a->value[field], &b->value[field]))
            return false;
    return true;
}

bool point_check(const struct point *point, struct error *error)
{
    char reason[200], text[200];
    struct problem problem = point_problem(point);
    if (!problem_check(&problem, sizeof reason, reason)) {
        problem_print(&problem, sizeof text, text);
        return fail(error, "%s: %s", text, reason);
    }
    double m = (double)problem_m(&problem), d = (double)problem.d;
    if (problem.feedback != FEEDBACK_NONE && m * d > elements_max) {
        problem_print(&problem, sizeof text, text);
        return fail(error, "%s: W (m,d) of more than 2^40 elements", text);
    }
    return true;
}

/* ---- As the contract wants it --------------------------------------------------------------------------------------------- */

/* An unused field holds no number: then what the contract says for "none". */
static int64_t integer_of(const struct point *point, int field, int64_t otherwise)
{
    const struct value *value = &point->value[field];
    return value->kind == VALUE_INTEGER || value->kind == VALUE_WORD ? value->integer : otherwise;
}

static double real_of(const struct point *point, int field, double otherwise)
{
    const struct value *value = &point->value[field];
    return value->kind == VALUE_REAL ? value->real : otherwise;
}

static bool options_of(const struct point *point, struct options *options)
{
    struct error ignored;
    const struct value *value = &point->value[FIELD_IMPLEMENTATION];
    return value->kind == VALUE_TEXT && options_read(value->text, options, &ignored);
}

struct problem point_problem(const struct point *point)
{
    return (struct problem){
        .cell = (enum cell)integer_of(point, FIELD_CELL, CELL_VECTOR),
        .B = integer_of(point, FIELD_B, 1),
        .T = integer_of(point, FIELD_T, 1),
        .d = integer_of(point, FIELD_D, 1),
        .mixer = (enum mixer)integer_of(point, FIELD_MIXER, MIXER_NONE),
        .r = integer_of(point, FIELD_R, 0),
        .s = real_of(point, FIELD_S, 0),
        .form = (enum form)integer_of(point, FIELD_FORM, FORM_NORMALISED),
        .feedback = (enum feedback)integer_of(point, FIELD_FEEDBACK, FEEDBACK_NONE),
        .dtype = (enum dtype)integer_of(point, FIELD_DTYPE, DTYPE_FLOAT32),
    };
}

struct settings point_settings(const struct point *point)
{
    struct settings settings = {
        .l_max = integer_of(point, FIELD_L, 0),
        .tolerance = real_of(point, FIELD_TOLERANCE, 0),
        .quantile = real_of(point, FIELD_QUANTILE, 1),
        .damping = real_of(point, FIELD_DAMPING, 1),
        .damping_factor = real_of(point, FIELD_DAMPING_FACTOR, 1),
        .patience = integer_of(point, FIELD_PATIENCE, 0),
        .gradient = GRADIENT_NONE,
    };
    struct options options;
    if (options_of(point, &options)) {
        memcpy(settings.option, options.option, sizeof settings.option);
        settings.n_options = options.n;
    }
    return settings;
}

int point_threads(const struct point *point)
{
    return (int)integer_of(point, FIELD_THREADS, 1);
}

enum level point_level(const struct point *point)
{
    return (enum level)integer_of(point, FIELD_LEVEL, LEVEL_BASELINE);
}

const struct implementation *point_implementation(const struct point *point)
{
    struct options options;
    enum dtype dtype = (enum dtype)integer_of(point, FIELD_DTYPE, DTYPE_FLOAT32);
    return options_of(point, &options) ? registry_get(options.implementation, dtype, point_level(point)) : NULL;
}

/* ---- JSON ----------------------------------------------------------------------------------------------------------------- */

static json_t *value_to_json(int field, const struct value *value)
{
    char text[VALUE_TEXT_MAX];
    bool special = fields[field].special != NULL && value->integer == 0 && value->real == 0;
    if (value->kind == VALUE_NONE)
        return json_null();
    if (value->kind == VALUE_INTEGER && !special)
        return json_integer(value->integer);
    if (value->kind == VALUE_REAL && !special)
        return json_real(value->real);
    field_print(field, value, sizeof text, text);
    return json_string(text);
}

json_t *point_to_json(const struct point *point)
{
    json_t *object = json_object();
    for (int field = 0; object != NULL && field < FIELD_COUNT; field++) {
        if (json_object_set_new(object, fields[field].name, value_to_json(field, &point->value[field])) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static bool value_from_json(int field, const json_t *json, struct value *value)
{
    char text[64];
    bool whole = fields[field].kind == VALUE_INTEGER;
    if (json_is_null(json)) {
        *value = (struct value){.kind = VALUE_NONE};
        return fields[field].used != NULL || field == FIELD_INPUTS; /* every point uses the others */
    }
    if (json_is_string(json) && field == FIELD_IMPLEMENTATION) { /* it may have gone since the record was written */
        *value = (struct value){.kind = VALUE_TEXT, .text = json_string_value(json)};
        return json_string_length(json) < VALUE_TEXT_MAX && text_is_plain(value->text);
    }
    if (json_is_string(json))
        return field_read(field, json_string_value(json), value);
    if (json_is_integer(json) && whole)
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
    else if (json_is_number(json) && fields[field].kind == VALUE_REAL)
        snprintf(text, sizeof text, "%.17g", json_number_value(json));
    else
        return false;
    return field_read(field, text, value);
}

bool point_from_json(const json_t *object, struct point *point, struct error *error)
{
    char expected[256];
    for (int field = 0; field < FIELD_COUNT; field++) {
        if (!value_from_json(field, json_object_get(object, fields[field].name), &point->value[field])) {
            field_expected(field, sizeof expected, expected);
            return fail(error, "a point whose %s is missing or wrong; expected %s", fields[field].name, expected);
        }
    }
    return true;
}

/* ---- For people ----------------------------------------------------------------------------------------------------------- */

/* What a label says beyond implementation, sizes and mixer: enough to tell the points of a sweep apart at a glance. */
static const struct {
    int field;
    bool always; /* else only where it is not the default */
} labelled[] = {
    {FIELD_R, true},        {FIELD_S, false},        {FIELD_FORM, false},   {FIELD_FEEDBACK, false},
    {FIELD_DTYPE, false},   {FIELD_KAPPA, true},     {FIELD_L, true},       {FIELD_TOLERANCE, false},
    {FIELD_DAMPING, false}, {FIELD_PATIENCE, false}, {FIELD_THREADS, true},
};

void point_label(const struct point *point, size_t capacity, char text[capacity])
{
    char value[VALUE_TEXT_MAX];
    struct problem problem = point_problem(point);
    field_print(FIELD_IMPLEMENTATION, &point->value[FIELD_IMPLEMENTATION], sizeof value, value);
    int used = snprintf(text, capacity, "%s (%" PRId64 ",%" PRId64 ",%" PRId64 ") %s", value, problem.B, problem.T, problem.d,
                        mixer_names[problem.mixer]);
    for (size_t i = 0; i < sizeof labelled / sizeof labelled[0] && used >= 0 && (size_t)used < capacity; i++) {
        int field = labelled[i].field;
        field_print(field, &point->value[field], sizeof value, value);
        if (point->value[field].kind != VALUE_NONE && (labelled[i].always || strcmp(value, fields[field].default_text) != 0))
            used += snprintf(text + used, capacity - (size_t)used, " %s=%s", fields[field].name, value);
    }
}
