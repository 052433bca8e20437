/* See field.h: the table, and how its kinds of values are read and printed. */
#include "bench/field.h"

#include "bench/machine.h"
#include "bench/measure.h"
#include "bench/number.h"
#include "bench/options.h"
#include "bench/text.h"
#include "tasks/task.h"
#include "train/sequence.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const section_names[SECTION_COUNT] = {"", "problem", "regime", "model", "recipe", "test", "settings", "run"};

/* ---- Words ------------------------------------------------------------------------------------------------------------- */

static const char *const initial_names[] = {"zero", "drawn"}, *const tokens_names[] = {"all", "one"};
static const char *const curriculum_names[] = {"none", "lengths"}, *const gradient_names[] = {"exact", "steps"};

#define WORDS(function, names)                                                                                                     \
    static const char *function(int index)                                                                                         \
    {                                                                                                                              \
        return (size_t)index < sizeof(names) / sizeof(names)[0] ? (names)[index] : NULL;                                           \
    }

WORDS(cell_word, cell_names)
WORDS(mixer_word, mixer_names)
WORDS(form_word, form_names)
WORDS(feedback_word, feedback_names)
WORDS(dtype_word, dtype_names)
WORDS(initial_word, initial_names)
WORDS(tokens_word, tokens_names)
WORDS(readout_word, readout_names)
WORDS(schedule_word, schedule_names)
WORDS(curriculum_word, curriculum_names)
WORDS(gradient_word, gradient_names)

static const char *layer_word(int index)
{
    return index >= 0 && index < sequence_layer_count() ? sequence_layer_get(index, DTYPE_FLOAT32, LEVEL_BASELINE)->name : NULL;
}

/* The levels of the contract, and after them the best that this machine has. */
static const char *level_word(int index)
{
    return index == LEVEL_COUNT ? "best" : index >= 0 && index < LEVEL_COUNT ? level_names[index] : NULL;
}

/* ---- Which points use a field ------------------------------------------------------------------------------------------- */

static enum mixer mixer_of(const struct point *point)
{
    return (enum mixer)point->value[FIELD_MIXER].integer;
}

/* By what is measured alone. */
static bool belongs(int field, const struct point *point)
{
    return (fields[field].of & measures[point->value[FIELD_MEASURE].integer].of) != 0;
}

static bool is_trained(const struct point *point)
{
    return (measures[point->value[FIELD_MEASURE].integer].of & OF_TRAINED) != 0;
}

static bool is_layer(const struct point *point, const char *name)
{
    const struct value *layer = &point->value[FIELD_LAYER];
    return layer->kind == VALUE_WORD && strcmp(layer_word((int)layer->integer), name) == 0;
}

/* Whether there is a recurrence of the contract's kind to carry out. */
static bool recurs(const struct point *point)
{
    const struct value *layer = &point->value[FIELD_LAYER];
    return !is_trained(point) ||
           (layer->kind == VALUE_WORD && sequence_layer_get((int)layer->integer, DTYPE_FLOAT32, LEVEL_BASELINE)->recurrent);
}

static bool mixes(const struct point *point)
{
    return !is_trained(point) || is_layer(point, "fp_rnn");
}

static bool has_width(const struct point *point)
{
    return !is_trained(point) || !is_layer(point, "attention");
}

static bool attends(const struct point *point)
{
    return is_layer(point, "attention");
}

static bool has_curriculum(const struct point *point)
{
    return point->value[FIELD_CURRICULUM].integer != 0;
}

static bool has_target(const struct point *point)
{
    return point->value[FIELD_TARGET].real > 0;
}

static bool has_gradient_steps(const struct point *point)
{
    return point->value[FIELD_GRADIENT].kind == VALUE_WORD && point->value[FIELD_GRADIENT].integer != 0;
}

static bool has_mixer(const struct point *point)
{
    return mixer_of(point) != MIXER_NONE;
}

static bool has_rank(const struct point *point)
{
    return mixer_of(point) == MIXER_DPLR || mixer_of(point) == MIXER_HOUSEHOLDER;
}

static bool has_scale(const struct point *point)
{
    return has_rank(point) || mixer_of(point) == MIXER_KRONECKER;
}

static bool is_drawn(const struct point *point)
{
    return point->value[FIELD_INPUTS].kind == VALUE_NONE;
}

static bool has_kappa(const struct point *point)
{
    return is_drawn(point) && has_mixer(point) && point->value[FIELD_FEEDBACK].integer == FEEDBACK_NONE;
}

static bool is_asked(const struct point *point)
{
    return has_kappa(point) && point->value[FIELD_KAPPA].real > 0;
}

/* Whether an implementation that a point names has iterations; one that nobody knows (any more) may have. */
static bool iterates_by(const struct value *implementation)
{
    struct options options;
    struct error ignored;
    return implementation->kind == VALUE_TEXT && (!options_read(implementation->text, &options, &ignored) ||
                                                  !registry_get(options.implementation, DTYPE_FLOAT32, LEVEL_BASELINE)->exact);
}

static bool iterates(const struct point *point)
{
    const struct value *implementation = &point->value[FIELD_IMPLEMENTATION];
    return implementation->kind == VALUE_NONE ? !is_trained(point) : iterates_by(implementation);
}

static bool trains_iterating(const struct point *point)
{
    return iterates_by(&point->value[FIELD_TRAIN_IMPL]);
}

static bool trains_tolerating(const struct point *point)
{
    return trains_iterating(point) && point->value[FIELD_TRAIN_TOLERANCE].real > 0;
}

static bool tolerates(const struct point *point)
{
    return iterates(point) && point->value[FIELD_TOLERANCE].real > 0;
}

static bool waits(const struct point *point)
{
    return iterates(point) && point->value[FIELD_PATIENCE].integer > 0;
}

/* ---- The table ---------------------------------------------------------------------------------------------------------- */

#define SEED_MAX 9007199254740991.0 /* 2^53 - 1: what a JSON number holds exactly everywhere */

// clang-format off
#define INT(least, most)        .kind = VALUE_INTEGER, .low = (least), .high = (most)
#define REAL(least, most)       .kind = VALUE_REAL, .low = (least), .high = (most)
#define ABOVE(least, most)      REAL(least, most), .open_low = true
#define WORD(words)             .kind = VALUE_WORD, .word = (words)
#define TEXT                    .kind = VALUE_TEXT
#define OR(text)                .special = (text)

const struct field fields[FIELD_COUNT] = {
    /*                            name                   section           of             default                  unit          used by             takes */
    [FIELD_IMPLEMENTATION] =    {"impl",                SECTION_TOP,      OF_COMPUTED,   NULL,                    "",           recurs,             TEXT},
    [FIELD_MEASURE] =           {"measure",             SECTION_TOP,      OF_ALL,        NULL,                    "",           NULL,               WORD(measure_word)},
    [FIELD_CELL] =              {"cell",                SECTION_PROBLEM,  OF_ALL,        "vector",                "",           recurs,             WORD(cell_word)},
    [FIELD_B] =                 {"B",                   SECTION_PROBLEM,  OF_RECURRENCE, "1",                     "sequences",  NULL,               INT(1, 65536)},
    [FIELD_T] =                 {"T",                   SECTION_PROBLEM,  OF_RECURRENCE, NULL,                    "tokens",     NULL,               INT(1, 16777216)},
    [FIELD_D] =                 {"d",                   SECTION_PROBLEM,  OF_ALL,        NULL,                    "channels",   has_width,          INT(1, 65536)},
    [FIELD_MIXER] =             {"mixer",               SECTION_PROBLEM,  OF_ALL,        "householder",           "",           mixes,              WORD(mixer_word)},
    [FIELD_R] =                 {"r",                   SECTION_PROBLEM,  OF_ALL,        "1",                     "",           has_rank,           INT(1, 64)},
    [FIELD_S] =                 {"s",                   SECTION_PROBLEM,  OF_ALL,        "1",                     "",           has_scale,          ABOVE(0, 4)},
    [FIELD_FORM] =              {"form",                SECTION_PROBLEM,  OF_ALL,        "normalised",            "",           recurs,             WORD(form_word)},
    [FIELD_FEEDBACK] =          {"feedback",            SECTION_PROBLEM,  OF_ALL,        "none",                  "",           has_mixer,          WORD(feedback_word)},
    [FIELD_DTYPE] =             {"dtype",               SECTION_PROBLEM,  OF_COMPUTED,   "float32",               "",           NULL,               WORD(dtype_word)},
    [FIELD_INITIAL] =           {"initial",             SECTION_PROBLEM,  OF_RECURRENCE, "zero",                  "",           is_drawn,           WORD(initial_word)},
    [FIELD_KAPPA] =             {"kappa",               SECTION_REGIME,   OF_RECURRENCE, "free",                  "",           has_kappa,          ABOVE(0, 16), OR("free")},
    [FIELD_TOKENS] =            {"tokens",              SECTION_REGIME,   OF_RECURRENCE, "all",                   "",           is_asked,           WORD(tokens_word)},
    [FIELD_LAMBDA_MAX] =        {"lambda_max",          SECTION_REGIME,   OF_RECURRENCE, "0.999",                 "",           is_drawn,           REAL(0, 1)},
    [FIELD_LIMIT] =             {"limit",               SECTION_REGIME,   OF_RECURRENCE, "1000",                  "",           NULL,               ABOVE(0, 1e300)},
    [FIELD_INPUTS] =            {"inputs",              SECTION_TOP,      OF_RECURRENCE, "none",                  "",           NULL,               TEXT},
    [FIELD_TASK] =              {"task",                SECTION_TOP,      OF_TRAINED,    NULL,                    "",           NULL,               TEXT},
    [FIELD_LAYER] =             {"layer",               SECTION_MODEL,    OF_TRAINED,    NULL,                    "",           NULL,               WORD(layer_word)},
    [FIELD_D_MODEL] =           {"d_model",             SECTION_MODEL,    OF_TRAINED,    "128",                   "channels",   NULL,               INT(1, 65536)},
    [FIELD_BLOCKS] =            {"blocks",              SECTION_MODEL,    OF_TRAINED,    "1",                     "",           NULL,               INT(1, 64)},
    [FIELD_HEADS] =             {"heads",               SECTION_MODEL,    OF_TRAINED,    "4",                     "",           attends,            INT(1, 1024)},
    [FIELD_READOUT] =           {"readout",             SECTION_MODEL,    OF_TRAINED,    "input",                 "",           recurs,             WORD(readout_word)},
    [FIELD_STEPS] =             {"steps",               SECTION_RECIPE,   OF_TRAINED,    "4000",                  "",           NULL,               INT(1, 1e8)},
    [FIELD_BATCH] =             {"batch",               SECTION_RECIPE,   OF_TRAINED,    "256",                   "sequences",  NULL,               INT(1, 65536)},
    [FIELD_TRAIN_LENGTH] =      {"train_length",        SECTION_RECIPE,   OF_TRAINED,    "16",                    "",           NULL,               INT(1, 65536)},
    [FIELD_RATE] =              {"rate",                SECTION_RECIPE,   OF_TRAINED,    "0.003",                 "",           NULL,               ABOVE(0, 10)},
    [FIELD_WARMUP] =            {"warmup",              SECTION_RECIPE,   OF_TRAINED,    "200",                   "steps",      NULL,               INT(0, 1e8)},
    [FIELD_SCHEDULE] =          {"schedule",            SECTION_RECIPE,   OF_TRAINED,    "cosine",                "",           NULL,               WORD(schedule_word)},
    [FIELD_DECAY] =             {"decay",               SECTION_RECIPE,   OF_TRAINED,    "0.01",                  "",           NULL,               REAL(0, 10)},
    [FIELD_CLIP] =              {"clip",                SECTION_RECIPE,   OF_TRAINED,    "1",                     "",           NULL,               ABOVE(0, 1e6), OR("none")},
    [FIELD_CURRICULUM] =        {"curriculum",          SECTION_RECIPE,   OF_TRAINED,    "none",                  "",           NULL,               WORD(curriculum_word)},
    [FIELD_CURRICULUM_ACCURACY] = {"curriculum_accuracy", SECTION_RECIPE,   OF_TRAINED,    "0.9",                   "",           has_curriculum,     ABOVE(0, 1)},
    [FIELD_CURRICULUM_WINDOW] = {"curriculum_window",   SECTION_RECIPE,   OF_TRAINED,    "200",                   "steps",      has_curriculum,     INT(1, 1e6)},
    [FIELD_TARGET] =            {"target",              SECTION_RECIPE,   OF_TRAINED,    "none",                  "",           NULL,               ABOVE(0, 1), OR("none")},
    [FIELD_CHECK_EVERY] =       {"check_every",         SECTION_RECIPE,   OF_TRAINED,    "100",                   "steps",      has_target,         INT(1, 1e6)},
    [FIELD_CHECK_EXAMPLES] =    {"check_examples",      SECTION_RECIPE,   OF_TRAINED,    "1000",                  "sequences",  has_target,         INT(1, 1e6)},
    [FIELD_TRAIN_DTYPE] =       {"train_dtype",         SECTION_RECIPE,   OF_TRAINED,    "float32",               "",           NULL,               WORD(dtype_word)},
    [FIELD_TRAIN_IMPL] =        {"train_impl",          SECTION_RECIPE,   OF_TRAINED,    "structured_sequential", "",           recurs,             TEXT},
    [FIELD_GRADIENT] =          {"gradient",            SECTION_RECIPE,   OF_TRAINED,    "exact",                 "",           recurs,             WORD(gradient_word)},
    [FIELD_GRADIENT_STEPS] =    {"gradient_steps",      SECTION_RECIPE,   OF_TRAINED,    "1",                     "iterations", has_gradient_steps, INT(1, 1024)},
    [FIELD_TRAIN_L] =           {"train_l",             SECTION_RECIPE,   OF_TRAINED,    "16",                    "iterations", trains_iterating,   INT(1, 1e6)},
    [FIELD_TRAIN_TOLERANCE] =   {"train_tolerance",     SECTION_RECIPE,   OF_TRAINED,    "none",                  "",           trains_iterating,   ABOVE(0, 1), OR("none")},
    [FIELD_TRAIN_QUANTILE] =    {"train_quantile",      SECTION_RECIPE,   OF_TRAINED,    "1",                     "",           trains_tolerating,  ABOVE(0, 1)},
    [FIELD_GAMMA] =             {"gamma",               SECTION_RECIPE,   OF_TRAINED,    "none",                  "",           trains_iterating,   ABOVE(0, 1e4), OR("none")},
    [FIELD_TEST_LENGTH] =       {"test_length",         SECTION_TEST,     OF_ACCURACY,   NULL,                    "",           NULL,               INT(1, 65536)},
    [FIELD_EXAMPLES] =          {"examples",            SECTION_TEST,     OF_ACCURACY,   "1000",                  "sequences",  NULL,               INT(1, 1e7)},
    [FIELD_TEST_BATCH] =        {"test_batch",          SECTION_TEST,     OF_ACCURACY,   "100",                   "sequences",  NULL,               INT(1, 65536)},
    [FIELD_L] =                 {"l",                   SECTION_SETTINGS, OF_COMPUTED,   "16",                    "iterations", iterates,           INT(1, 1e6)},
    [FIELD_TOLERANCE] =         {"tolerance",           SECTION_SETTINGS, OF_COMPUTED,   "none",                  "",           iterates,           ABOVE(0, 1), OR("none")},
    [FIELD_QUANTILE] =          {"quantile",            SECTION_SETTINGS, OF_COMPUTED,   "1",                     "",           tolerates,          ABOVE(0, 1)},
    [FIELD_DAMPING] =           {"damping",             SECTION_SETTINGS, OF_COMPUTED,   "1",                     "",           iterates,           ABOVE(0, 1)},
    [FIELD_DAMPING_FACTOR] =    {"damping_factor",      SECTION_SETTINGS, OF_COMPUTED,   "0.9",                   "",           waits,              ABOVE(0, 1)},
    [FIELD_PATIENCE] =          {"patience",            SECTION_SETTINGS, OF_COMPUTED,   "none",                  "iterations", iterates,           INT(1, 1e6), OR("none")},
    [FIELD_THREADS] =           {"threads",             SECTION_RUN,      OF_ALL,        "all",                   "",           NULL,               INT(1, 1024), OR("all")},
    [FIELD_LEVEL] =             {"level",               SECTION_RUN,      OF_RECURRENCE, "best",                  "",           NULL,               WORD(level_word)},
    [FIELD_SEED] =              {"seed",                SECTION_RUN,      OF_RECURRENCE, "1",                     "",           is_drawn,           INT(0, SEED_MAX)},
    [FIELD_TRAIN_SEED] =        {"train_seed",          SECTION_RECIPE,   OF_TRAINED,    "1",                     "",           NULL,               INT(0, SEED_MAX)},
    [FIELD_TEST_SEED] =         {"test_seed",           SECTION_TEST,     OF_ACCURACY,   "1",                     "",           NULL,               INT(0, SEED_MAX)},
};
// clang-format on

bool field_used(int field, const struct point *point)
{
    return belongs(field, point) && (fields[field].used == NULL || fields[field].used(point));
}

bool field_is_seed(int field)
{
    return field == FIELD_SEED || field == FIELD_TRAIN_SEED || field == FIELD_TEST_SEED;
}

bool field_is_implementation(int field)
{
    return field == FIELD_IMPLEMENTATION || field == FIELD_TRAIN_IMPL;
}

int field_find(enum section section, const char *name)
{
    int field = field_find_any(name);
    return field >= 0 && fields[field].section == section ? field : -1;
}

int field_find_any(const char *name)
{
    for (int field = 0; field < FIELD_COUNT; field++)
        if (strcmp(fields[field].name, name) == 0)
            return field;
    return -1;
}

/* ---- Reading, one function a kind ---------------------------------------------------------------------------------------- */

static bool in_range(const struct field *row, double number)
{
    return number >= row->low && number <= row->high && !(row->open_low && number == row->low);
}

static bool is_special(const struct field *row, const char *text)
{
    return row->special != NULL && strcmp(row->special, text) == 0;
}

static bool read_integer(const struct field *row, const char *text, struct value *value)
{
    int64_t integer = 0;
    if (!is_special(row, text) && (!number_read_integer(text, &integer) || !in_range(row, (double)integer)))
        return false;
    *value = (struct value){.kind = VALUE_INTEGER, .integer = integer};
    return true;
}

static bool read_real(const struct field *row, const char *text, struct value *value)
{
    double real = 0;
    if (!is_special(row, text) && (!number_read_real(text, &real) || !in_range(row, real)))
        return false;
    *value = (struct value){.kind = VALUE_REAL, .real = real};
    return true;
}

static bool read_word(const struct field *row, const char *text, struct value *value)
{
    for (int i = 0; row->word(i) != NULL; i++) {
        if (strcmp(row->word(i), text) == 0) {
            *value = (struct value){.kind = VALUE_WORD, .integer = i};
            return true;
        }
    }
    return false;
}

/* A file's name. */
static bool is_path(const char *text)
{
    return text_is_plain(text) && !text_reserved(text) && strlen(text) < VALUE_TEXT_MAX;
}

static bool is_task(const char *text)
{
    struct task *task;
    char reason[256];
    bool known = task_open(text, &task, sizeof reason, reason);
    task_close(task);
    return known;
}

static bool is_implementation(const char *text)
{
    struct options options;
    struct error ignored;
    return options_read(text, &options, &ignored);
}

static bool read_text(const struct field *row, const char *text, struct value *value)
{
    int field = (int)(row - fields);
    bool none = field == FIELD_INPUTS && strcmp(text, "none") == 0;
    if (!none && !(field == FIELD_INPUTS ? is_path(text) : field == FIELD_TASK ? is_task(text) : is_implementation(text)))
        return false;
    *value = (struct value){.kind = none ? VALUE_NONE : VALUE_TEXT, .text = none ? NULL : text};
    return true;
}

bool field_read(int field, const char *text, struct value *value)
{
    static bool (*const read[])(const struct field *, const char *, struct value *) = {
        [VALUE_INTEGER] = read_integer, [VALUE_REAL] = read_real, [VALUE_WORD] = read_word, [VALUE_TEXT] = read_text};
    return read[fields[field].kind](&fields[field], text, value);
}

void field_resolve(int field, struct value *value)
{
    if (field == FIELD_THREADS && value->kind == VALUE_INTEGER && value->integer == 0)
        value->integer = (int64_t)fmin(machine_threads(), fields[field].high);
    if (field == FIELD_LEVEL && value->kind == VALUE_WORD && value->integer == LEVEL_COUNT)
        value->integer = level_best();
}

/* ---- Printing ------------------------------------------------------------------------------------------------------------ */

void field_expected(int field, size_t capacity, char text[capacity])
{
    const struct field *row = &fields[field];
    char low[32], high[32];
    const char *names[16], * or = row->special ? ", or " : "", *special = row->special ? row->special : "";
    int n = 0;
    number_print_real(row->low, sizeof low, low);
    number_print_real(row->high, sizeof high, high);
    switch (row->kind) {
    case VALUE_INTEGER:
        snprintf(text, capacity, "a whole number from %.0f to %.0f%s%s", row->low, row->high, or, special);
        break;
    case VALUE_REAL:
        snprintf(text, capacity, row->open_low ? "a number above %s, at most %s%s%s" : "a number from %s to %s%s%s", low, high, or,
                 special);
        break;
    case VALUE_WORD:
        while (n < 16 && (names[n] = row->word(n)) != NULL)
            n++;
        text_list(names, n, capacity, text);
        break;
    default:
        snprintf(text, capacity, "%s",
                 field == FIELD_INPUTS ? "the name of a file, or none"
                 : field == FIELD_TASK ? "a task, as ./run.sh list shows them"
                                       : "the name of an implementation, then its options");
    }
}

void field_print(int field, const struct value *value, size_t capacity, char text[capacity])
{
    const struct field *row = &fields[field];
    bool special = row->special != NULL &&
                   ((value->kind == VALUE_INTEGER && value->integer == 0) || (value->kind == VALUE_REAL && value->real == 0));
    const char *word = value->kind == VALUE_WORD ? row->word((int)value->integer) : NULL;
    if (special)
        snprintf(text, capacity, "%s", row->special);
    else if (value->kind == VALUE_INTEGER)
        snprintf(text, capacity, "%" PRId64, value->integer);
    else if (value->kind == VALUE_REAL)
        number_print_real(value->real, capacity, text);
    else
        snprintf(text, capacity, "%s", word ? word : value->kind == VALUE_TEXT ? value->text : "none");
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case VALUE_REAL:
        return a->real == b->real;
    case VALUE_TEXT:
        return strcmp(a->text, b->text) == 0;
    case VALUE_NONE:
        return true;
    default:
        return a->integer == b->integer;
    }
}
