/* What the files that read a sweep file's sections share: sections.c has the table of sections, scale.c lays scales over them. */
#ifndef BENCH_SWEEP_READER_H
#define BENCH_SWEEP_READER_H

#include "bench/sweep/expand.h"

struct reader {
    struct source source;
    struct sweep *sweep;
    struct product base;     /* the values of the top level: every grid starts from them */
    struct product *product; /* the one being read: base, or a grid's */
    struct product *grid;
    int n_grids;
    bool whole;                /* what holds for the whole sweep may stand in run: */
    const struct node *chosen; /* the scale that is laid over the top level and over every grid, or NULL */
    const struct node *named;  /* where the file says which, or NULL */
};

/* Reads a mapping into reader->product: the top level of the file (where NULL), or what may stand in a part of it, " in a grid". */
bool reader_entries(struct reader *reader, const struct node *map, const char *where);

/* What the file did not say of a product: the default, none where nobody asks for it, or a complaint at the mark. */
bool reader_complete(struct reader *reader, struct product *product, const struct location *mark);

#endif
