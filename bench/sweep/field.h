/* The one table of the fields that define a point: type, range and default, and which points use it. Parsing, expansion, keys,
 * records, table columns, skip: and the series of plots all use this table, so a new field is one row of fields.def. */
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

#define FIELD(id, ...) FIELD_##id,
enum field_id {
#include "bench/sweep/fields.def"
    FIELD_COUNT
};
#undef FIELD

enum value_kind { VALUE_NONE, VALUE_INTEGER, VALUE_REAL, VALUE_WORD, VALUE_TEXT };

enum { VALUE_TEXT_MAX = 512 };

/* One value: the kind of its field, or VALUE_NONE, "this point does not use the field". A word is an index into its field's words; the
 * special word of a numeric field ("free", "none", "all") is stored as 0. The implementation is a text: its name, then its own options
 * if any ("diagonal_scan split=time"; bench/sweep/options.h reads it apart). A sweep may have a million points of sixty values: they
 * share their room. */
struct value {
    enum value_kind kind;
    union {
        int64_t integer;  /* VALUE_INTEGER; VALUE_WORD: the index; VALUE_NONE: 0, so that the number of a field that is none is 0 */
        double real;      /* VALUE_REAL */
        const char *text; /* VALUE_TEXT; owned by whoever made the value, living as long as the sweep */
    };
};

struct point {
    struct value value[FIELD_COUNT];
};

/* What a text refers to. */
enum text_kind { TEXT_IMPLEMENTATION, TEXT_TASK, TEXT_FILE };

/* Values of fields that are words of the harness alone. What a point means is asked by these names, whatever their order. */
enum pass { PASS_FORWARD, PASS_BACKWARD };
enum initial { INITIAL_ZERO, INITIAL_DRAWN };
enum kappa_tokens { TOKENS_ALL, TOKENS_ONE };
enum curriculum { CURRICULUM_NONE, CURRICULUM_LENGTHS };
enum gradient_word { GRADIENT_WORD_EXACT, GRADIENT_WORD_STEPS };

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
    OF_REACH = 32,   /* likewise */
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
    const char *special;      /* a word that a numeric field takes as well, or NULL; stored as 0, which is outside the range then */
    const char *const *words; /* VALUE_WORD: the spellings, n_words of them ... */
    int n_words;
    const char *(*word)(int index); /* ... or a function that knows them: of an index, NULL past the last */
    enum text_kind text;            /* VALUE_TEXT */
    bool seed; /* says which draw of the same thing a point is: points that differ in it alone are summarised */
    void (*here)(const struct field *, struct value *); /* puts what this machine is for a word that stands for it, or NULL */
    const char *absent;   /* what records meant that are older than the field; NULL: they did not use it */
    const char *formerly; /* how older records and sweep files spell the name, or NULL */
};

extern const struct field fields[FIELD_COUNT];

/* Field by name (names are unique over the whole table), or -1. */
int field_find_any(const char *name);
/* Field by the name that it had formerly, or -1. */
int field_find_former(const char *name);

/* Spelling of a field's i-th word; NULL past the last. */
const char *field_word(int field, int index);

/* Whether a point uses a field: that depends on what is measured, and on other fields. */
bool field_used(int field, const struct point *point);

/* The cell of a point's recurrence: its own field, or its layer's. */
enum cell point_cell(const struct point *point);

/* Texts that name an implementation with its options. */
bool field_is_implementation(int field);

/* Texts that may be "none", and are unless given. */
bool field_may_be_none(int field);

/* Reads one scalar as a sweep file spells it (the whole string, range checked). False: *value is untouched. */
bool field_read(int field, const char *text, struct value *value);

/* What field_read takes, for messages: "a whole number from 1 to 65536". Always terminated. */
void field_expected(int field, size_t capacity, char text[capacity]);

/* Whether a value is the special word of its numeric field, as `free` of kappa. */
bool value_is_special(int field, const struct value *value);

/* Replaces what stands for something of this machine ("all" threads, the "best" level) by what it is here. */
void field_resolve(int field, struct value *value);

/* The canonical spelling of a value: what records, keys, tables and file names show; "none" for VALUE_NONE. Always terminated. */
void field_print(int field, const struct value *value, size_t capacity, char text[capacity]);

bool value_equal(const struct value *a, const struct value *b);

/* Orders two values of one field: numbers ascending, words in the order of their table, texts by letter; unused ones first. */
int value_order(const struct value *a, const struct value *b);

/* Hashes that differ, almost surely, where values do; so as to be chained over several values. */
uint64_t value_hash(const struct value *value, uint64_t seed);

#endif
