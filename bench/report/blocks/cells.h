/* The cells of the table of a block. */
#ifndef BENCH_REPORT_BLOCKS_CELLS_H
#define BENCH_REPORT_BLOCKS_CELLS_H

#include "bench/report/blocks/block.h"

struct block_text {
    char text[4096];
};

/* Appends; what has no room is cut. */
void block_text_add(struct block_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A figure of one point in the unit of its head, and how far it is known: NaN where that is not known. */
struct block_figure {
    double value, low, high;
    bool whole; /* a count */
    bool range; /* low and high are the rounds' range: too few for an interval */
};

struct block_figure block_figure_of(const struct block_shown *shown, const struct record *record);

/* "28.6 (22.7 to 33.0)"; empty where there is none. */
void block_cell(const struct block_figure *figure, bool whole, int digits, struct block_text *cell);

/* False for a column of numbers; else the word that the points share, or "mixed". */
bool block_text_of(const struct column *column, struct record *const *record, size_t n, struct block_text *cell);

/* "diverged", or "2 diverged, 1 ok". */
void block_results(struct record *const *record, size_t n, struct block_text *cell);

/* What brackets mean in a table. */
struct block_notes {
    const char *spread[BLOCK_SHOWN_MAX]; /* of single points, in words */
    int n_spreads;
    bool range, seeds, any, exponent, over;
};

/* Notes what the brackets of a cell mean that stands on so many points. */
void block_notes_take(struct block_notes *notes, const struct block_shown *shown, const struct block_figure *figure, size_t known,
                      const struct block *block);

#endif
