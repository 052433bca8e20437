/* A point: implementation x problem x settings x environment x measure x inputs, as values of the table of fields. */
#ifndef BENCH_SWEEP_POINT_H
#define BENCH_SWEEP_POINT_H

#include "bench/sweep/translate.h"
#include "impls/registry/plugins.h"

#include <jansson.h>

/* Sets every field that this point does not use to VALUE_NONE, so that points that mean the same compare equal. */
void point_canonical(struct point *point);

bool point_equal(const struct point *a, const struct point *b);

/* The training that an accuracy point depends on: a point of its own, whatever it is evaluated with. False for other points; then
 * *training is the point itself. */
bool point_training(const struct point *point, struct point *training);

/* {"impl": "fixed_point", "B": 4, ..., "kappa": null}: numbers as numbers, words and special words as strings, unused fields
 * as null. NULL when out of memory. And back again; text values then belong to the JSON object, and an implementation that the
 * registry does not know (any more) is kept as a text: point_implementation() is NULL then. */
json_t *point_to_json(const struct point *point);
bool point_from_json(const json_t *object, struct point *point, struct error *error);

/* The key of a finished round, in hexadecimal digits: a hash of every field's canonical spelling, then one of the conditions under
 * which it was measured. Rounds whose keys differ are never taken together. */
enum { KEY_HALF = 16, KEY_SIZE = 2 * KEY_HALF + 1 };

/* What besides the point and the builds of its implementation and measure decides what comes out. */
struct conditions {
    const char *machine;      /* machine_type() */
    const char *surroundings; /* machine_surroundings() */
    int samples;              /* of a measure that takes samples */
};

void point_key(const struct point *point, const struct conditions *conditions, char key[KEY_SIZE]);
void point_identity(const struct point *point, char half[KEY_HALF + 1]); /* the first half */
void point_conditions(const struct point *point, const struct conditions *conditions,
                      char half[KEY_HALF + 1]); /* the second half */

/* False where the key hangs on the bytes of a file, which may have gone since. */
bool point_identifies_itself(const struct point *point);

/* The build of a point's implementation (of a training: of the one that it trains with), and of the code that measures it;
 * "unknown" where this program does not have it. */
const char *point_build(const struct point *point);
const char *point_harness(const struct point *point);

/* The plug-in that a point is measured with; NULL where it is none. */
const struct plugin_row *point_plugin(const struct point *point);

/* A short label for progress lines: "fixed_point (4,256,32) householder r=1 kappa=0.9 l=100". */
void point_label(const struct point *point, size_t capacity, char text[capacity]);

#endif
