/* Shared by the readers of a sweep file: sections.c reads what may stand anywhere, sweep.c what may stand at the top level only,
 * scale.c applies scales. */
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

enum { READER_SECTIONS = 13 }; /* that may stand at the top level of a file, in a grid and in a scale */

/* Their keys. */
void reader_section_names(const char *names[READER_SECTIONS]);

/* Reads those that a mapping has into reader->product. */
bool reader_sections(struct reader *reader, const struct node *map);

/* The same of a mapping that may have nothing else: " in a grid", " in a scale". */
bool reader_part(struct reader *reader, const struct node *map, const char *where);

/* What the file did not say of a product: the default, none where nobody asks for it, or a complaint at the mark. */
bool reader_complete(struct reader *reader, struct product *product, const struct location *mark);

#endif
