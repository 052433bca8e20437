/* See field.h: the table, and how its kinds of values are read and printed. */
#include "bench/sweep/field.h"

#include "bench/base/number.h"
#include "bench/base/text.h"
#include "bench/machine/machine.h"
#include "bench/measure/measure.h"
#include "bench/problems/words.h"
#include "bench/sweep/options.h"
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
static const char *const pass_names[] = {[PASS_FORWARD] = "forward", [PASS_BACKWARD] = "backward"};

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
WORDS(words_word, words_names)
WORDS(readout_word, readout_names)
WORDS(schedule_word, schedule_names)
WORDS(curriculum_word, curriculum_names)
WORDS(gradient_word, gradient_names)
WORDS(pass_word, pass_names)

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

/* What only goes forward has no gradient. */
static bool differentiates(const struct point *point)
{
    const struct value *pass = &point->value[FIELD_PASS];
    return recurs(point) && !(pass->kind == VALUE_WORD && pass->integer == PASS_FORWARD);
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
    return mixer_facts[mixer_of(point)].takes_r;
}

static bool has_scale(const struct point *point)
{
    return mixer_facts[mixer_of(point)].takes_s;
}

static bool is_drawn(const struct point *point)
{
    return point->value[FIELD_INPUTS].kind == VALUE_NONE;
}

static bool has_words(const struct point *point)
{
    return is_drawn(point) && mixer_facts[mixer_of(point)].given && point->value[FIELD_FORM].integer == FORM_PLAIN &&
           point->value[FIELD_FEEDBACK].integer == FEEDBACK_NONE;
}

static bool has_kappa(const struct point *point)
{
    return is_drawn(point) && has_mixer(point) && point->value[FIELD_FEEDBACK].integer == FEEDBACK_NONE && !words_asked(point);
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

/* Whether the processor computes the recurrence: a device has neither threads nor instruction levels to choose from. */
static bool on_processor(const struct point *point)
{
    const struct value *implementation = &point->value[FIELD_IMPLEMENTATION];
    struct options options;
    struct error ignored;
    return is_trained(point) || implementation->kind != VALUE_TEXT || !options_read(implementation->text, &options, &ignored) ||
           registry_get(options.implementation, DTYPE_FLOAT32, LEVEL_BASELINE)->device == DEVICE_CPU;
}

static bool iterates(const struct point *point)
{
    const struct value *implementation = &point->value[FIELD_IMPLEMENTATION], *against = &point->value[FIELD_AGAINST];
    bool itself = implementation->kind == VALUE_NONE ? !is_trained(point) : iterates_by(implementation);
    return itself || (field_used(FIELD_AGAINST, point) && iterates_by(against));
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

#define ROW(id, name_, section_, of_, default_, unit_, used_, ...)                                                          \
    [FIELD_##id] = {.name = name_, .section = SECTION_##section_, .of = OF_##of_, .default_text = default_, .unit = unit_,  \
                    .used = used_, __VA_ARGS__}

const struct field fields[FIELD_COUNT] = {
    /*                       name                   section  of          default        unit          used by   takes */
    ROW(IMPLEMENTATION,      "impl",                TOP,     COMPUTED,   NULL,          "",           recurs,   TEXT),
    ROW(MEASURE,             "measure",             TOP,     ALL,        NULL,          "",           NULL,     WORD(measure_word)),
    ROW(PASS,                "pass",                TOP,     TIMED,      "forward",     "",           NULL,     WORD(pass_word)),
    ROW(CELL,                "cell",                PROBLEM, ALL,        "vector",      "",           recurs,   WORD(cell_word)),
    ROW(B,                   "B",                   PROBLEM, RECURRENCE, "1",           "sequences",  NULL,     INT(1, 65536)),
    ROW(T,                   "T",                   PROBLEM, RECURRENCE, NULL,          "tokens",     NULL,     INT(1, 16777216)),
    ROW(D,                   "d",                   PROBLEM, ALL,        NULL,          "channels",   has_width, INT(1, 65536)),
    ROW(MIXER,               "mixer",               PROBLEM, ALL,        "householder", "",           mixes,    WORD(mixer_word)),
    ROW(R,                   "r",                   PROBLEM, ALL,        "1",           "",           has_rank, INT(1, 64)),
    ROW(S,                   "s",                   PROBLEM, ALL,        "1",           "",           has_scale, ABOVE(0, 4)),
    ROW(FORM,                "form",                PROBLEM, ALL,        "normalised",  "",           recurs,   WORD(form_word)),
    ROW(FEEDBACK,            "feedback",            PROBLEM, ALL,        "none",        "",           has_mixer, WORD(feedback_word)),
    ROW(DTYPE,               "dtype",               PROBLEM, COMPUTED,   "float32",     "",           NULL,     WORD(dtype_word)),
    ROW(INITIAL,             "initial",             PROBLEM, RECURRENCE, "zero",        "",           is_drawn, WORD(initial_word)),
    ROW(WORDS,               "words",               REGIME,  RECURRENCE, "none",        "",           has_words, WORD(words_word)),
    ROW(KAPPA,               "kappa",               REGIME,  RECURRENCE, "free",        "",           has_kappa, ABOVE(0, 16), OR("free")),
    ROW(TOKENS,              "tokens",              REGIME,  RECURRENCE, "all",         "",           is_asked, WORD(tokens_word)),
    ROW(LAMBDA_MAX,          "lambda_max",          REGIME,  RECURRENCE, "0.999",       "",           is_drawn, REAL(0, 1)),
    ROW(LIMIT,               "limit",               REGIME,  RECURRENCE, "1000",        "",           NULL,     ABOVE(0, 1e300)),
    ROW(INPUTS,              "inputs",              TOP,     RECURRENCE, "none",        "",           NULL,     TEXT),
    ROW(TASK,                "task",                TOP,     TRAINED,    NULL,          "",           NULL,     TEXT),
    ROW(LAYER,               "layer",               MODEL,   TRAINED,    NULL,          "",           NULL,     WORD(layer_word)),
    ROW(D_MODEL,             "d_model",             MODEL,   TRAINED,    "128",         "channels",   NULL,     INT(1, 65536)),
    ROW(BLOCKS,              "blocks",              MODEL,   TRAINED,    "1",           "",           NULL,     INT(1, 64)),
    ROW(HEADS,               "heads",               MODEL,   TRAINED,    "4",           "",           attends,  INT(1, 1024)),
    ROW(READOUT,             "readout",             MODEL,   TRAINED,    "input",       "",           recurs,   WORD(readout_word)),
    ROW(STEPS,               "steps",               RECIPE,  TRAINED,    "4000",        "",           NULL,     INT(1, 1e8)),
    ROW(BATCH,               "batch",               RECIPE,  TRAINED,    "256",         "sequences",  NULL,     INT(1, 65536)),
    ROW(TRAIN_LENGTH,        "train_length",        RECIPE,  TRAINED,    "16",          "",           NULL,     INT(1, 65536)),
    ROW(RATE,                "rate",                RECIPE,  TRAINED,    "0.003",       "",           NULL,     ABOVE(0, 10)),
    ROW(WARMUP,              "warmup",              RECIPE,  TRAINED,    "200",         "steps",      NULL,     INT(0, 1e8)),
    ROW(SCHEDULE,            "schedule",            RECIPE,  TRAINED,    "cosine",      "",           NULL,     WORD(schedule_word)),
    ROW(DECAY,               "decay",               RECIPE,  TRAINED,    "0.01",        "",           NULL,     REAL(0, 10)),
    ROW(CLIP,                "clip",                RECIPE,  TRAINED,    "1",           "",           NULL,     ABOVE(0, 1e6), OR("none")),
    ROW(CURRICULUM,          "curriculum",          RECIPE,  TRAINED,    "none",        "",           NULL,     WORD(curriculum_word)),
    ROW(CURRICULUM_ACCURACY, "curriculum_accuracy", RECIPE,  TRAINED,    "0.9",         "",           has_curriculum, ABOVE(0, 1)),
    ROW(CURRICULUM_WINDOW,   "curriculum_window",   RECIPE,  TRAINED,    "200",         "steps",      has_curriculum, INT(1, 1e6)),
    ROW(TARGET,              "target",              RECIPE,  TRAINED,    "none",        "",           NULL,     ABOVE(0, 1), OR("none")),
    ROW(CHECK_EVERY,         "check_every",         RECIPE,  TRAINED,    "100",         "steps",      has_target, INT(1, 1e6)),
    ROW(CHECK_EXAMPLES,      "check_examples",      RECIPE,  TRAINED,    "1000",        "sequences",  has_target, INT(1, 1e6)),
    ROW(TRAIN_DTYPE,         "train_dtype",         RECIPE,  TRAINED,    "float32",     "",           NULL,     WORD(dtype_word)),
    ROW(TRAIN_IMPL,          "train_impl",          RECIPE,  TRAINED,    "structured_sequential", "",           recurs,   TEXT),
    ROW(GRADIENT,            "gradient",            RECIPE,  DIFFERENTIATED, "exact",    "",           differentiates,   WORD(gradient_word)),
    ROW(GRADIENT_STEPS,      "gradient_steps",      RECIPE,  DIFFERENTIATED, "1",        "iterations", has_gradient_steps, INT(1, 1024)),
    ROW(TRAIN_L,             "train_l",             RECIPE,  TRAINED,    "16",          "iterations", trains_iterating, INT(1, 1e6)),
    ROW(TRAIN_TOLERANCE,     "train_tolerance",     RECIPE,  TRAINED,    "none",        "",           trains_iterating, ABOVE(0, 1), OR("none")),
    ROW(TRAIN_QUANTILE,      "train_quantile",      RECIPE,  TRAINED,    "1",           "",           trains_tolerating, ABOVE(0, 1)),
    ROW(GAMMA,               "gamma",               RECIPE,  TRAINED,    "none",        "",           trains_iterating, ABOVE(0, 1e4), OR("none")),
    ROW(TEST_LENGTH,         "test_length",         TEST,    ACCURACY,   NULL,          "",           NULL,     INT(1, 65536)),
    ROW(EXAMPLES,            "examples",            TEST,    ACCURACY,   "1000",        "sequences",  NULL,     INT(1, 1e7)),
    ROW(TEST_BATCH,          "test_batch",          TEST,    ACCURACY,   "100",         "sequences",  NULL,     INT(1, 65536)),
    ROW(AGAINST,             "against",             TEST,    ACCURACY,   "none",        "",           recurs,   TEXT),
    ROW(L,                   "l",                   SETTINGS, COMPUTED,  "16",          "iterations", iterates, INT(1, 1e6)),
    ROW(TOLERANCE,           "tolerance",           SETTINGS, COMPUTED,  "none",        "",           iterates, ABOVE(0, 1), OR("none")),
    ROW(QUANTILE,            "quantile",            SETTINGS, COMPUTED,  "1",           "",           tolerates, ABOVE(0, 1)),
    ROW(DAMPING,             "damping",             SETTINGS, COMPUTED,  "1",           "",           iterates, ABOVE(0, 1)),
    ROW(DAMPING_FACTOR,      "damping_factor",      SETTINGS, COMPUTED,  "0.9",         "",           waits,    ABOVE(0, 1)),
    ROW(PATIENCE,            "patience",            SETTINGS, COMPUTED,  "none",        "iterations", iterates, INT(1, 1e6), OR("none")),
    ROW(THREADS,             "threads",             RUN,     ALL,        "all",         "",           on_processor,   INT(1, 1024), OR("all")),
    ROW(LEVEL,               "level",               RUN,     RECURRENCE, "best",        "",           on_processor,   WORD(level_word)),
    ROW(SEED,                "seed",                RUN,     RECURRENCE, "1",           "",           is_drawn, INT(0, SEED_MAX)),
    ROW(TRAIN_SEED,          "train_seed",          RECIPE,  TRAINED,    "1",           "",           NULL,     INT(0, SEED_MAX)),
    ROW(TEST_SEED,           "test_seed",           TEST,    ACCURACY,   "1",           "",           NULL,     INT(0, SEED_MAX)),
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
    return field == FIELD_IMPLEMENTATION || field == FIELD_TRAIN_IMPL || field == FIELD_AGAINST;
}

bool field_may_be_none(int field)
{
    const struct field *row = &fields[field];
    return row->kind == VALUE_TEXT && row->default_text != NULL && strcmp(row->default_text, "none") == 0;
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
    bool none = field_may_be_none(field) && strcmp(text, "none") == 0;
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
                 field == FIELD_INPUTS      ? "the name of a file, or none"
                 : field == FIELD_TASK      ? "a task, as ./run.sh list shows them"
                 : field_may_be_none(field) ? "the name of an implementation, then its options, or none"
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
