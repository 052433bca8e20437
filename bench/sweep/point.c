/* See point.h. */
#include "bench/sweep/point.h"

#include "bench/base/number.h"
#include "bench/base/text.h"
#include "bench/problems/words.h"
#include "bench/sweep/measures.h"
#include "bench/sweep/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void point_canonical(struct point *point)
{
    for (int field = 0; field < FIELD_COUNT; field++) {
        if (!field_used(field, point))
            point->value[field] = (struct value){.kind = VALUE_NONE};
        field_resolve(field, &point->value[field]);
    }
    if (point->value[FIELD_CELL].kind == VALUE_WORD) /* a layer's is no choice */
        point->value[FIELD_CELL].integer = (int64_t)point_cell(point);
}

bool point_equal(const struct point *a, const struct point *b)
{
    for (int field = 0; field < FIELD_COUNT; field++)
        if (!value_equal(&a->value[field], &b->value[field]))
            return false;
    return true;
}

bool point_training(const struct point *point, struct point *training)
{
    bool depends = measures[point->value[FIELD_MEASURE].integer].of == OF_ACCURACY;
    *training = *point;
    for (int i = 0; measure_word(i) != NULL && depends; i++)
        if (measures[i].of == OF_TRAINING)
            training->value[FIELD_MEASURE].integer = i;
    point_canonical(training);
    return depends;
}

/* ---- JSON ----------------------------------------------------------------------------------------------------------------- */

/* Journals hold numbers to 9 digits. One that needs more is written as a text: a point must come back as it was. */
static bool survives(double number)
{
    char text[32];
    double again;
    snprintf(text, sizeof text, "%.9g", number);
    return number_read_real(text, &again) && again == number;
}

static json_t *value_to_json(int field, const struct value *value)
{
    char text[VALUE_TEXT_MAX];
    bool special = value_is_special(field, value);
    if (value->kind == VALUE_NONE)
        return json_null();
    if (value->kind == VALUE_INTEGER && !special)
        return json_integer(value->integer);
    if (value->kind == VALUE_REAL && !special && survives(value->real))
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

/* Null where the field is there and none, or the record is older than the field. */
static bool value_from_json(int field, const json_t *json, struct value *value)
{
    char text[64];
    bool whole = fields[field].kind == VALUE_INTEGER;
    if (json == NULL || json_is_null(json)) {
        *value = (struct value){.kind = VALUE_NONE};
        return true;
    }
    if (json_is_string(json) && fields[field].kind == VALUE_TEXT && fields[field].text != TEXT_FILE) { /* it may have gone */
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

static bool fail_field(int field, struct error *error)
{
    char expected[256];
    field_expected(field, sizeof expected, expected);
    return fail(error, "%s of the point is missing or invalid; expected %s", fields[field].name, expected);
}

/* By the field's name, or the one that it had; NULL where the record is older than the field. */
static json_t *member(const json_t *object, int field)
{
    const struct field *row = &fields[field];
    json_t *json = json_object_get(object, row->name);
    return json != NULL || row->formerly == NULL ? json : json_object_get(object, row->formerly);
}

bool point_from_json(const json_t *object, struct point *point, struct error *error)
{
    for (int field = 0; field < FIELD_COUNT; field++)
        if (!value_from_json(field, member(object, field), &point->value[field]))
            return fail_field(field, error);
    if (point->value[FIELD_MEASURE].kind == VALUE_NONE)
        return fail_field(FIELD_MEASURE, error);
    for (int field = 0; field < FIELD_COUNT; field++) {
        if (fields[field].absent != NULL && member(object, field) == NULL && field_used(field, point))
            field_read(field, fields[field].absent, &point->value[field]);
        /* what a point of its measure may lack is what hangs on other fields */
        bool always = fields[field].used == NULL || fields[field].default_text == NULL;
        if (always && !field_may_be_none(field) && point->value[field].kind == VALUE_NONE && field_used(field, point))
            return fail_field(field, error);
    }
    return true;
}

/* ---- For people ----------------------------------------------------------------------------------------------------------- */

/* What a label says beyond implementation, sizes and mixer: enough to tell the points of a sweep apart at a glance. */
static const struct labelled {
    int field;
    bool always; /* else only where it is not the default */
} labelled[] = {
    {FIELD_R, true},          {FIELD_S, false},        {FIELD_N, true},
    {FIELD_HEADS, true},      {FIELD_FORGET, false},   {FIELD_READS, false},
    {FIELD_NORM, false},      {FIELD_GATE, false},     {FIELD_SCALE, false},
    {FIELD_FORM, false},      {FIELD_FEEDBACK, false}, {FIELD_DTYPE, false},
    {FIELD_PASS, false},      {FIELD_GRADIENT, true},  {FIELD_GRADIENT_STEPS, true},
    {FIELD_KAPPA, true},      {FIELD_L, true},         {FIELD_TOLERANCE, false},
    {FIELD_DAMPING, false},   {FIELD_PATIENCE, false}, {FIELD_THREADS, true},
    {FIELD_AGREEMENT, false}, {FIELD_INITIAL, false},  {FIELD_LAMBDA_MAX, false},
    {FIELD_LIMIT, false},     {FIELD_SEED, false},
};

/* Whether a value is what the field is unless given, on this machine. */
static bool is_default(int field, const struct value *value)
{
    struct value usual;
    if (fields[field].default_text == NULL || !field_read(field, fields[field].default_text, &usual))
        return false;
    field_resolve(field, &usual);
    return value_equal(value, &usual);
}

static void label_trained(const struct point *point, size_t capacity, char text[capacity])
{
    static const struct labelled said[] = {
        {FIELD_MEASURE, true},
        {FIELD_TASK, true},
        {FIELD_LAYER, true},
        {FIELD_D_MODEL, true},
        {FIELD_D, true},
        {FIELD_MIXER, true},
        {FIELD_R, true},
        {FIELD_S, false},
        {FIELD_N, false},
        {FIELD_HEADS, false},
        {FIELD_FORGET, false},
        {FIELD_FEEDBACK, false},
        {FIELD_READS, false},
        {FIELD_NORM, false},
        {FIELD_GATE, false},
        {FIELD_READOUT, false},
        {FIELD_CONVOLUTION, false},
        {FIELD_MIXING, false},
        {FIELD_EIGENVALUES, false},
        {FIELD_OUTPUT_GATE, false},
        {FIELD_FEED_FORWARD, false},
        {FIELD_HANDS_ON, false},
        {FIELD_TRAIN_IMPL, false},
        {FIELD_GRADIENT, true},
        {FIELD_TRAIN_L, true},
        {FIELD_TRAIN_TOLERANCE, true},
        {FIELD_TRAIN_DAMPING, false},
        {FIELD_TRAIN_PATIENCE, false},
        {FIELD_GAMMA, true},
        {FIELD_TRAIN_SEED, true},
        {FIELD_IMPLEMENTATION, true},
        {FIELD_L, true},
        {FIELD_TOLERANCE, true},
        {FIELD_TEST_LENGTH, true},
    };
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof said / sizeof said[0] && used < capacity; i++) {
        char value[VALUE_TEXT_MAX];
        const int field = said[i].field;
        if (point->value[field].kind == VALUE_NONE || (!said[i].always && is_default(field, &point->value[field])))
            continue;
        field_print(field, &point->value[field], sizeof value, value);
        bool word = field == FIELD_MEASURE || field == FIELD_TASK || field == FIELD_LAYER || field == FIELD_MIXER;
        if (strcmp(value, "none") != 0)
            used += (size_t)snprintf(text + used, capacity - used, "%s%s%s%s", used > 0 ? " " : "", word ? "" : fields[field].name,
                                     word ? "" : "=", value);
    }
}

void point_label(const struct point *point, size_t capacity, char text[capacity])
{
    if (point_is_trained(point)) {
        label_trained(point, capacity, text);
        return;
    }
    char value[VALUE_TEXT_MAX];
    struct problem problem = point_problem(point);
    field_print(FIELD_IMPLEMENTATION, &point->value[FIELD_IMPLEMENTATION], sizeof value, value);
    bool mixes = point->value[FIELD_MIXER].kind != VALUE_NONE;
    int used = snprintf(text, capacity, "%s (%" PRId64 ",%" PRId64 ",%" PRId64 ")%s%s", value, problem.B, problem.T, problem.d,
                        mixes ? " " : "", mixes ? mixer_names[problem.mixer] : "");
    for (size_t i = 0; i < sizeof labelled / sizeof labelled[0] && used >= 0 && (size_t)used < capacity; i++) {
        int field = labelled[i].field;
        field_print(field, &point->value[field], sizeof value, value);
        if (point->value[field].kind != VALUE_NONE && (labelled[i].always || !is_default(field, &point->value[field])))
            used += snprintf(text + used, capacity - (size_t)used, " %s=%s", fields[field].name, value);
    }
}

const struct plugin_row *point_plugin(const struct point *point)
{
    const struct implementation *implementation = point_implementation(point);
    return implementation != NULL ? plugin_row(implementation->name) : NULL;
}
