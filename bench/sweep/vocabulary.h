/* The words of a sweep file to which rooms above this one give their meaning: kinds of plots, and quantities that stand beside the
 * paper's. Whoever reads a sweep hands them in; bench/command/vocabulary.h has those of the program. */
#ifndef BENCH_SWEEP_VOCABULARY_H
#define BENCH_SWEEP_VOCABULARY_H

#include <stdbool.h>

struct vocabulary {
    const char *(*plot)(int i);            /* the name of the i-th kind of plot, NULL past the last */
    bool (*takes_x)(int i, int field);     /* whether a field may be on its x axis */
    bool (*takes_along)(int i, int field); /* whether a field may vary along its curves */
    const char *(*quantity)(int i);        /* the name of the i-th quantity, NULL past the last */
};

/* Index of a name in such a list, or -1. */
int vocabulary_find(const char *(*name)(int i), const char *text);

/* The names of such a list, at most n of them; returns how many there are. */
int vocabulary_names(const char *(*name)(int i), int n, const char *names[]);

#endif
