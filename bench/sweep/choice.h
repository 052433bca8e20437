/* The values of one field in a sweep file: a scalar, a list of scalars, or a range; read with the table of fields. */
#ifndef BENCH_SWEEP_CHOICE_H
#define BENCH_SWEEP_CHOICE_H

#include "bench/base/yaml.h"
#include "bench/sweep/field.h"
#include "bench/sweep/vocabulary.h"

/* The context of reading a sweep file. */
struct source {
    const char *folder; /* of the sweep file, "" or ending in '/': names of files are relative to it */
    struct pool **pool;
    struct error *error;
    const struct vocabulary *vocabulary;
    bool kept; /* of an earlier run: files of inputs need not be there, fields may have their former names, options need not be numbers */
};

struct choice {
    const struct value *value; /* distinct, in the order of the file */
    int n;
};

bool choice_read(const struct source *source, int field, const struct node *node, struct choice *choice);

/* The same for a condition of skip: or where:, whose values are resolved, and where "none" may stand for "not used". */
bool choice_read_condition(const struct source *source, int field, const struct node *node, struct choice *choice);

/* The default of a field that has one. */
bool choice_default(const struct source *source, int field, struct choice *choice);

/* fail_at() with "NAME is WHAT THE NODE HOLDS; expected EXPECTED". */
bool fail_value(const struct source *source, const struct node *node, const char *name, const char *expected);

/* The field of a name, or -1. */
int field_named(const struct source *source, const char *name);

/* False, with the first key of a mapping that is not among the n names. where: "" or " in problem". */
bool keys_known(const struct source *source, const struct node *map, const char *where, const char *const names[], int n);

#endif
