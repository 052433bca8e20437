/* The one table of everything that defines a point: what a sweep file may say, its type, range and default, which points use it.
 * Parsing, expansion, keys, records, table columns, skip: and the plots' series all walk this table, so a new field is one row. */
#ifndef BENCH_SWEEP_FIELD_H
#define BENCH_SWEEP_FIELD_H

#include "bench/base/error.h"
#include "impls/impl.h"

enum section {
    SECTION_TOP,
    SECTION_PROBLEM,
    SECTION_REGIME,
    SECTION_MODEL,
    SECTION_RECIPE,
    SECTION_TEST,
    SECTION_SETTINGS,
    SECTION_RUN,
    SECTION_COUNT
};
extern const char *const section_names[SECTION_COUNT]; /* "" for the top level */

// clang-format off
enum field_id {
    FIELD_IMPLEMENTATION,
    FIELD_MEASURE, FIELD_PASS,
    FIELD_CELL, FIELD_B, FIELD_T, FIELD_D, FIELD_MIXER, FIELD_R, FIELD_S, FIELD_FORM, FIELD_FEEDBACK, FIELD_DTYPE,
    FIELD_INITIAL, FIELD_WORDS, FIELD_KAPPA, FIELD_TOKENS, FIELD_LAMBDA_MAX, FIELD_LIMIT,
    FIELD_INPUTS,
    FIELD_TASK,
    FIELD_LAYER, FIELD_D_MODEL, FIELD_BLOCKS, FIELD_HEADS, FIELD_READOUT,
    FIELD_STEPS, FIELD_BATCH, FIELD_TRAIN_LENGTH, FIELD_RATE, FIELD_WARMUP, FIELD_SCHEDULE, FIELD_DECAY, FIELD_CLIP,
    FIELD_CURRICULUM, FIELD_CURRICULUM_ACCURACY, FIELD_CURRICULUM_WINDOW, FIELD_TARGET, FIELD_CHECK_EVERY, FIELD_CHECK_EXAMPLES,
    FIELD_TRAIN_DTYPE, FIELD_TRAIN_IMPL, FIELD_GRADIENT, FIELD_GRADIENT_STEPS, FIELD_TRAIN_L, FIELD_TRAIN_TOLERANCE,
    FIELD_TRAIN_QUANTILE, FIELD_GAMMA,
    FIELD_TEST_LENGTH, FIELD_EXAMPLES, FIELD_TEST_BATCH, FIELD_AGAINST,
    FIELD_L, FIELD_TOLERANCE, FIELD_QUANTILE, FIELD_DAMPING, FIELD_DAMPING_FACTOR, FIELD_PATIENCE,
    FIELD_THREADS, FIELD_LEVEL, FIELD_SEED, FIELD_TRAIN_SEED, FIELD_TEST_SEED,
    FIELD_COUNT
};
// clang-format on

enum value_kind { VALUE_NONE, VALUE_INTEGER, VALUE_REAL, VALUE_WORD, VALUE_TEXT };

enum { VALUE_TEXT_MAX = 512 };

/* One value. VALUE_NONE is "this point does not use the field". A word is an index into its field's words; the special word of a
 * numeric field ("free", "none", "all") is stored as 0. The implementation is a text: its name, then its own options if any
 * ("diagonal_scan split=time"; bench/sweep/options.h reads it apart). */
struct value {
    enum value_kind kind;
    int64_t integer;  /* VALUE_INTEGER; VALUE_WORD: the index */
    double real;      /* VALUE_REAL */
    const char *text; /* VALUE_TEXT; owned by whoever made the value, living as long as the sweep */
};

struct point {
    struct value value[FIELD_COUNT];
};

enum pass { PASS_FORWARD, PASS_BACKWARD }; /* values of the field pass */

/* Which points a field belongs to, by what is measured of them; a bit mask. */
enum {
    OF_RECURRENCE = 1, /* the recurrence by itself */
    OF_TRAINING = 2,
    OF_ACCURACY = 4,
    OF_TRAINED = OF_TRAINING | OF_ACCURACY, /* an accuracy point holds all that defines the training it depends on */
    OF_COMPUTED = OF_RECURRENCE | OF_ACCURACY,
    OF_ALL = OF_RECURRENCE | OF_TRAINED,
    OF_GRADIENT = 8, /* of the recurrence, together with OF_RECURRENCE */
    OF_TIMED = 16,   /* likewise */
    OF_DIFFERENTIATED = OF_TRAINED | OF_GRADIENT | OF_TIMED
};

struct field {
    const char *name; /* as sweep files, records and table columns spell it */
    enum section section;
    unsigned of;              /* the points it belongs to */
    const char *default_text; /* as a sweep file would say it; NULL: must be given */
    const char *unit;         /* for headers and axes; "" where there is none */
    bool (*used)(
        const struct point *); /* by which of these points; NULL: all. Asked in table order: a rule may read earlier fields */
    enum value_kind kind;      /* what it holds when it is used */
    double low, high;          /* inclusive range of a number */
    bool open_low;             /* low itself is excluded */
    const char *special; /* a word that a numeric field takes as well, or NULL; stored as 0, which is outside the range then */
    const char *(*word)(int index); /* VALUE_WORD: the spelling of an index, NULL past the last */
};

extern const struct field fields[FIELD_COUNT];

/* Field by name within a section, or -1. */
int field_find(enum section section, const char *name);
/* Field by name in any section (names are unique over the whole table), or -1. */
int field_find_any(const char *name);

/* Whether a point uses a field: that depends on what is measured, and on other fields. */
bool field_used(int field, const struct point *point);

/* A field that says which draw of the same thing a point is: points that differ in it alone are summarised. */
bool field_is_seed(int field);

/* Texts that name an implementation with its options. */
bool field_is_implementation(int field);

/* Texts that may be "none", and are unless given. */
bool field_may_be_none(int field);

/* Reads one scalar as a sweep file spells it (the whole string, range checked). False: *value is untouched. */
bool field_read(int field, const char *text, struct value *value);

/* What field_read takes, for messages: "a whole number from 1 to 65536". Always terminated. */
void field_expected(int field, size_t capacity, char text[capacity]);

/* Replaces what stands for something of this machine ("all" threads, the "best" level) by what it is here. */
void field_resolve(int field, struct value *value);

/* The canonical spelling of a value: what records, keys, tables and file names show; "none" for VALUE_NONE. Always terminated. */
void field_print(int field, const struct value *value, size_t capacity, char text[capacity]);

bool value_equal(const struct value *a, const struct value *b);

#endif
