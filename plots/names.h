/* File names of one drawing: each used once; files of the same plots from an earlier drawing are removed. */
#ifndef PLOTS_NAMES_H
#define PLOTS_NAMES_H

#include "bench/sweep/sweep.h"

enum { PLOT_NAME_SIZE = SWEEP_NAME_MAX + 64 };

typedef char plot_name[PLOT_NAME_SIZE];

struct names {
    plot_name *figure; /* what figures wanted to be called */
    plot_name *taken;  /* by pages, without the ending */
    size_t n_figures, n_taken;
};

void names_free(struct names *names);

/* Notes that a figure of this name is part of the drawing, whether or not it has anything to show. False when out of memory. */
bool names_note(struct names *names, const char *figure);

/* The wanted name, with a number where that is taken. A name reaches the file system, so anything but letters, digits, "_", "-" and
 * "." becomes "_". False when out of memory. */
bool names_take(struct names *names, const char *wanted, plot_name name);

/* Removes NAME.svg, NAME.dat, NAME-1.svg and the like of the noted figures from a folder, but for those taken. */
void names_remove_others(const struct names *names, const char *folder);

#endif
