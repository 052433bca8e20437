/* The words of a sweep file whose meaning rooms above this one define: kinds of plots, and quantities to compare with the paper.
 * Whoever reads a sweep passes them in; bench/command/vocabulary.h has those of the program. */
#ifndef BENCH_SWEEP_VOCABULARY_H
#define BENCH_SWEEP_VOCABULARY_H

#include "bench/base/error.h"

#include <stdbool.h>

struct vocabulary {
    const char *(*plot)(int i);            /* the name of the i-th kind of plot, NULL past the last */
    bool (*takes_x)(int i, int field);     /* whether a field may be on its x axis */
    bool (*takes_along)(int i, int field); /* whether a field may vary along its curves */
    const char *(*quantity)(int i);        /* the name of the i-th quantity, NULL past the last */

    /* Makes the plug-in of a file an implementation of that name (bench/plugin/describe.h); NULL: there are none. */
    bool (*plugin)(const char *name, const char *path, struct error *error);
};

/* Index of a name in such a list, or -1. */
int vocabulary_find(const char *(*name)(int i), const char *text);

/* The names of such a list, at most n of them; returns how many there are. */
int vocabulary_names(const char *(*name)(int i), int n, const char *names[]);

#endif
