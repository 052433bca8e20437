/* The one table of everything that defines a point: what a sweep file may say, its type, range and default, which points use it.
 * Parsing, expansion, keys, records, table columns, skip: and the plots' series all walk this table, so a new field is one row. */
#ifndef BENCH_FIELD_H
#define BENCH_FIELD_H

#include "bench/error.h"
#include "impls/impl.h"

enum section { SECTION_TOP, SECTION_PROBLEM, SECTION_REGIME, SECTION_SETTINGS, SECTION_RUN, SECTION_COUNT };
extern const char *const section_names[SECTION_COUNT]; /* "" for the top level */

// clang-format off
enum field_id {
    FIELD_IMPLEMENTATION,
    FIELD_MEASURE,
    FIELD_CELL, FIELD_B, FIELD_T, FIELD_D, FIELD_MIXER, FIELD_R, FIELD_S, FIELD_FORM, FIELD_FEEDBACK, FIELD_DTYPE,
    FIELD_INITIAL, FIELD_KAPPA, FIELD_TOKENS, FIELD_LAMBDA_MAX, FIELD_LIMIT,
    FIELD_INPUTS,
    FIELD_L, FIELD_TOLERANCE, FIELD_QUANTILE, FIELD_DAMPING, FIELD_DAMPING_FACTOR, FIELD_PATIENCE,
    FIELD_THREADS, FIELD_LEVEL, FIELD_SEED,
    FIELD_COUNT
};
// clang-format on

enum value_kind { VALUE_NONE, VALUE_INTEGER, VALUE_REAL, VALUE_WORD, VALUE_TEXT };

enum { VALUE_TEXT_MAX = 512 };

/* One value. VALUE_NONE is "this point does not use the field". A word is an index into its field's words; the special word of a
 * numeric field ("free", "none", "all") is stored as 0. The implementation is a text: its name, then its own options if any
 * ("diagonal_scan split=time"; bench/options.h reads it apart). */
struct value {
    enum value_kind kind;
    int64_t integer;  /* VALUE_INTEGER; VALUE_WORD: the index */
    double real;      /* VALUE_REAL */
    const char *text; /* VALUE_TEXT; owned by whoever made the value, living as long as the sweep */
};

struct point {
    struct value value[FIELD_COUNT];
};

struct field {
    const char *name; /* as sweep files, records and table columns spell it */
    enum section section;
    const char *default_text;           /* as a sweep file would say it; NULL: must be given */
    const char *unit;                   /* for headers and axes; "" where there is none */
    bool (*used)(const struct point *); /* NULL: always. Asked in table order, so a rule may read earlier fields */
    enum value_kind kind;               /* what it holds when it is used */
    double low, high;                   /* inclusive range of a number */
    bool open_low;                      /* low itself is excluded */
    const char *special; /* a word that a numeric field takes as well, or NULL; stored as 0, which is outside the range then */
    const char *(*word)(int index); /* VALUE_WORD: the spelling of an index, NULL past the last */
};

extern const struct field fields[FIELD_COUNT];

/* Field by name within a section, or -1. */
int field_find(enum section section, const char *name);
/* Field by name in any section (names are unique over the whole table), or -1. */
int field_find_any(const char *name);

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
