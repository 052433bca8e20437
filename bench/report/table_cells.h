/* The cells of the printed table: one figure, result or value of the records that share a row. */
#ifndef BENCH_REPORT_TABLE_CELLS_H
#define BENCH_REPORT_TABLE_CELLS_H

#include "bench/journal/records.h"

enum { CELL_SIZE = 40 };

typedef char cell[CELL_SIZE];

/* The merged records (summary.h) of one row: one point but for the seed. */
struct table_row {
    const struct record *record;
    size_t n;
};

/* How a figure is printed. */
enum table_style { STYLE_SHORT, STYLE_RATE, STYLE_ITERATIONS, STYLE_TIME, STYLE_MILLIONS, STYLE_SHARE, STYLE_COUNT, STYLE_PLAIN };

struct table_figure {
    const char *header, *path;
    enum table_style style;
    bool optional; /* no column where no row has it */
};

/* The median over the records; empty where nothing is known. scratch: room for a number of each. */
void cell_figure(const struct table_row *row, const struct table_figure *figure, double *scratch, cell text);

/* "ok", or "2/3 ok" where the records differ. */
void cell_result(const struct table_row *row, cell text);

/* Empty where the point does not use the field. */
void cell_value(int field, const struct value *value, cell text);

#endif
