/* See field.h: the table, and how its kinds of values are read and printed. */
#include "bench/sweep/field.h"

#include "bench/base/number.h"
#include "bench/base/text.h"
#include "bench/machine/machine_threads.h"
#include "bench/problems/words.h"
#include "bench/sweep/measures.h"
#include "bench/sweep/options.h"
#include "impls/contract/support.h"
#include "tasks/task.h"
#include "train/sequence.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

const char *const section_names[SECTION_COUNT] = {"", "problem", "regime", "model", "recipe", "test", "settings", "run"};

/* ---- Words ------------------------------------------------------------------------------------------------------------- */

static const char *const initial_names[] = {[INITIAL_ZERO] = "zero", [INITIAL_DRAWN] = "drawn"};
static const char *const tokens_names[] = {[TOKENS_ALL] = "all", [TOKENS_ONE] = "one"};
static const char *const curriculum_names[] = {[CURRICULUM_NONE] = "none", [CURRICULUM_LENGTHS] = "lengths"};
static const char *const gradient_names[] = {[GRADIENT_WORD_EXACT] = "exact", [GRADIENT_WORD_STEPS] = "steps"};
static const char *const pass_names[] = {[PASS_FORWARD] = "forward", [PASS_BACKWARD] = "backward"};

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

/* NULL of what is not trained. */
static const struct sequence_layer *layer_of(const struct point *point)
{
    const struct value *layer = &point->value[FIELD_LAYER];
    return is_trained(point) && layer->kind == VALUE_WORD ? sequence_layer_get((int)layer->integer, DTYPE_FLOAT32, LEVEL_BASELINE)
                                                          : NULL;
}

static bool is_layer(const struct point *point, const char *name)
{
    const struct sequence_layer *layer = layer_of(point);
    return layer != NULL && strcmp(layer->name, name) == 0;
}

/* Whether there is a recurrence of the contract's kind to carry out. */
static bool recurs(const struct point *point)
{
    const struct sequence_layer *layer = layer_of(point);
    return !is_trained(point) || (layer != NULL && layer->recurrent);
}

/* Whether it is a layer that has such a choice. */
static bool takes(const struct point *point, unsigned choice)
{
    const struct sequence_layer *layer = layer_of(point);
    return layer != NULL && (layer->takes & choice) != 0;
}

static const struct cell_facts *cell_of(const struct point *point)
{
    return &cell_facts[point_cell(point)];
}

static bool mixes(const struct point *point)
{
    const struct cell_facts *cell = cell_of(point);
    return (!is_trained(point) || takes(point, TAKES_MIXER)) && (cell->mixers != MIXERS_NONE || cell->has_norm);
}

static bool reads_out(const struct point *point)
{
    return takes(point, TAKES_READOUT) && point->value[FIELD_GATE].integer != GATE_INSIDE;
}

static bool convolves(const struct point *point)
{
    return takes(point, TAKES_CONVOLUTION);
}

static bool feeds_forward(const struct point *point)
{
    return takes(point, TAKES_FEED_FORWARD);
}

static bool is_delta(const struct point *point)
{
    return is_layer(point, "delta");
}

/* Whether the mixer reads the token and the output before it. */
static bool reads_both(const struct point *point)
{
    return convolves(point) && point->value[FIELD_FEEDBACK].integer != FEEDBACK_NONE;
}

static bool has_width(const struct point *point)
{
    return !is_trained(point) || !is_layer(point, "attention");
}

/* Whether each token changes the state by r steps. */
static bool steps(const struct point *point)
{
    return recurs(point) && cell_of(point)->has_steps;
}

static bool has_heads(const struct point *point)
{
    return (recurs(point) && cell_of(point)->has_heads) || is_layer(point, "attention");
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

/* A layer whose recurrence is iterated, and differentiated in steps. */
static bool hands_on(const struct point *point)
{
    return takes(point, TAKES_MIXER) && has_gradient_steps(point);
}

static bool has_mixer(const struct point *point)
{
    return mixer_of(point) != MIXER_NONE;
}

static bool has_rank(const struct point *point)
{
    return mixer_facts[mixer_of(point)].takes_r || steps(point);
}

static bool has_scale(const struct point *point)
{
    return mixer_facts[mixer_of(point)].takes_s;
}

static bool is_drawn(const struct point *point)
{
    return point->value[FIELD_INPUTS].kind == VALUE_NONE;
}

enum cell point_cell(const struct point *point)
{
    const struct value *cell = &point->value[FIELD_CELL];
    const struct sequence_layer *layer = layer_of(point);
    return layer != NULL ? layer->cell : cell->kind == VALUE_WORD ? (enum cell)cell->integer : CELL_VECTOR;
}

static bool has_states(const struct point *point)
{
    return recurs(point) && cell_of(point)->has_N;
}

/* Whether reads, norm and gate are a choice. */
static bool chooses(const struct point *point)
{
    return recurs(point) && cell_of(point)->has_norm && mixes(point);
}

static bool has_form(const struct point *point)
{
    return recurs(point) && cell_of(point)->has_form;
}

/* Where gates are drawn. */
static bool has_lambda(const struct point *point)
{
    return is_drawn(point) && has_form(point);
}

/* Where tensors are drawn as a fresh layer has them. */
static bool is_fresh(const struct point *point)
{
    return is_drawn(point) && has_states(point);
}

static bool has_words(const struct point *point)
{
    return has_lambda(point) && mixer_facts[mixer_of(point)].given && point->value[FIELD_FORM].integer == FORM_PLAIN &&
           point->value[FIELD_FEEDBACK].integer == FEEDBACK_NONE;
}

static bool has_kappa(const struct point *point)
{
    bool words = has_words(point) && point->value[FIELD_WORDS].integer != 0;
    return has_lambda(point) && has_mixer(point) && point->value[FIELD_FEEDBACK].integer == FEEDBACK_NONE && !words;
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

static bool trains_waiting(const struct point *point)
{
    return trains_iterating(point) && point->value[FIELD_TRAIN_PATIENCE].integer > 0;
}

static bool tolerates(const struct point *point)
{
    return iterates(point) && point->value[FIELD_TOLERANCE].real > 0;
}

static bool waits(const struct point *point)
{
    return iterates(point) && point->value[FIELD_PATIENCE].integer > 0;
}

/* ---- What stands for something of this machine ------------------------------------------------------------------------------ */

static void threads_here(const struct field *row, struct value *value)
{
    if (value->integer == 0)
        value->integer = (int64_t)fmin(machine_threads(), row->high);
}

static void level_here(const struct field *row, struct value *value)
{
    (void)row;
    if (value->integer == LEVEL_COUNT)
        value->integer = level_best();
}

/* ---- The table ---------------------------------------------------------------------------------------------------------- */

#define SEED_MAX 9007199254740991.0 /* 2^53 - 1: what a JSON number holds exactly everywhere */

#define INT(least, most) .kind = VALUE_INTEGER, .low = (least), .high = (most)
#define REAL(least, most) .kind = VALUE_REAL, .low = (least), .high = (most)
#define ABOVE(least, most) REAL(least, most), .open_low = true
#define WORD(list) .kind = VALUE_WORD, .words = (list), .n_words = (int)(sizeof(list) / sizeof(list)[0])
#define WORD_OF(function) .kind = VALUE_WORD, .word = (function)
#define IMPL .kind = VALUE_TEXT, .text = TEXT_IMPLEMENTATION
#define TASK .kind = VALUE_TEXT, .text = TEXT_TASK
#define FILENAME .kind = VALUE_TEXT, .text = TEXT_FILE
#define SEED INT(0, SEED_MAX), .seed = true
#define OR(word) .special = (word)
#define HERE(function) .here = (function)
#define ABSENT(word) .absent = (word)
#define FORMERLY(spelling) .formerly = (spelling)

#define FIELD(id, name_, section_, of_, default_, unit_, used_, ...)                                                               \
    [FIELD_##id] = {.name = (name_),                                                                                               \
                    .section = SECTION_##section_,                                                                                 \
                    .of = OF_##of_,                                                                                                \
                    .default_text = (default_),                                                                                    \
                    .unit = (unit_),                                                                                               \
                    .used = (used_),                                                                                               \
                    __VA_ARGS__},

const struct field fields[FIELD_COUNT] = {
#include "bench/sweep/fields.def"
};

bool field_used(int field, const struct point *point)
{
    return belongs(field, point) && (fields[field].used == NULL || fields[field].used(point));
}

bool field_is_implementation(int field)
{
    return fields[field].kind == VALUE_TEXT && fields[field].text == TEXT_IMPLEMENTATION;
}

bool field_may_be_none(int field)
{
    const struct field *row = &fields[field];
    return row->kind == VALUE_TEXT && row->default_text != NULL && strcmp(row->default_text, "none") == 0;
}

int field_find_any(const char *name)
{
    for (int field = 0; field < FIELD_COUNT; field++)
        if (strcmp(fields[field].name, name) == 0)
            return field;
    return -1;
}

int field_find_former(const char *name)
{
    for (int field = 0; field < FIELD_COUNT; field++)
        if (fields[field].formerly != NULL && strcmp(fields[field].formerly, name) == 0)
            return field;
    return -1;
}

const char *field_word(int field, int index)
{
    const struct field *row = &fields[field];
    if (row->word != NULL)
        return row->word(index);
    return index >= 0 && index < row->n_words ? row->words[index] : NULL;
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
    const char *word;
    for (int i = 0; (word = field_word((int)(row - fields), i)) != NULL; i++) {
        if (strcmp(word, text) == 0) {
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

static const struct {
    bool (*taken)(const char *text);
    const char *expected;
} texts[] = {
    [TEXT_IMPLEMENTATION] = {is_implementation, "the name of an implementation, then its options"},
    [TEXT_TASK] = {is_task, "a task that ./run.sh list shows"},
    [TEXT_FILE] = {is_path, "the name of a file"},
};

static bool read_text(const struct field *row, const char *text, struct value *value)
{
    bool none = field_may_be_none((int)(row - fields)) && strcmp(text, "none") == 0;
    if (!none && !texts[row->text].taken(text))
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
    if (fields[field].here != NULL && value->kind == fields[field].kind)
        fields[field].here(&fields[field], value);
}

/* ---- Printing ------------------------------------------------------------------------------------------------------------ */

void field_expected(int field, size_t capacity, char text[capacity])
{
    const struct field *row = &fields[field];
    char low[32], high[32];
    const char *names[16], *comma = row->special ? ", or " : "", *special = row->special ? row->special : "";
    int n = 0;
    number_print_real(row->low, sizeof low, low);
    number_print_real(row->high, sizeof high, high);
    switch (row->kind) {
    case VALUE_INTEGER:
        snprintf(text, capacity, "a whole number from %.0f to %.0f%s%s", row->low, row->high, comma, special);
        break;
    case VALUE_REAL:
        snprintf(text, capacity, row->open_low ? "a number above %s, at most %s%s%s" : "a number from %s to %s%s%s", low, high,
                 comma, special);
        break;
    case VALUE_WORD:
        while (n < 16 && (names[n] = field_word(field, n)) != NULL)
            n++;
        text_list(names, n, capacity, text);
        break;
    default:
        snprintf(text, capacity, "%s%s", texts[row->text].expected, field_may_be_none(field) ? ", or none" : "");
    }
}

bool value_is_special(int field, const struct value *value)
{
    bool zero = (value->kind == VALUE_INTEGER && value->integer == 0) || (value->kind == VALUE_REAL && value->real == 0);
    return zero && fields[field].special != NULL;
}

void field_print(int field, const struct value *value, size_t capacity, char text[capacity])
{
    const struct field *row = &fields[field];
    const char *word = value->kind == VALUE_WORD ? field_word(field, (int)value->integer) : NULL;
    if (value_is_special(field, value))
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

int value_order(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->kind == VALUE_TEXT)
        return strcmp(a->text, b->text);
    if (a->kind == VALUE_REAL)
        return (a->real > b->real) - (a->real < b->real);
    return a->kind == VALUE_NONE ? 0 : (a->integer > b->integer) - (a->integer < b->integer);
}

uint64_t value_hash(const struct value *value, uint64_t seed)
{
    double real = value->kind == VALUE_REAL ? value->real + 0.0 : 0; /* -0 equals 0 */
    bool is_text = value->kind == VALUE_TEXT, is_real = value->kind == VALUE_REAL, is_none = value->kind == VALUE_NONE;
    const void *bytes = is_text ? (const void *)value->text : is_real ? (const void *)&real : &value->integer;
    return XXH3_64bits_withSeed(bytes, is_text ? strlen(value->text) : is_none ? 0 : 8, seed + (uint64_t)value->kind);
}
