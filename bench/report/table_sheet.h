/* A table of cells that fits a page: columns as wide as needed; fields without room become headings above the rows that share
 * them. */
#ifndef BENCH_REPORT_TABLE_SHEET_H
#define BENCH_REPORT_TABLE_SHEET_H

#include "bench/report/table_cells.h"

#include <stdio.h>

enum { SHEET_FIGURES_MAX = 5, SHEET_COLUMNS_MAX = FIELD_COUNT + SHEET_FIGURES_MAX + 3 };

struct sheet {
    int n_rows, n_columns;
    int n_fields;                 /* the first columns; those without room head the rows that share them */
    int n_headed;                 /* how many of them do: the first ones, which change least from row to row */
    int field[FIELD_COUNT];       /* of a column */
    bool left[SHEET_COLUMNS_MAX]; /* aligned to the left */
    cell header[SHEET_COLUMNS_MAX];
    cell (*row)[SHEET_COLUMNS_MAX];
    const char **reason; /* below a row, NULL: nothing */
    int *n_more;         /* rows of the same implementation that are left out after this one */
};

/* Returns the number of the new column. */
int sheet_add_column(struct sheet *sheet, bool left, const char *header);

void sheet_print(FILE *out, struct sheet *sheet);

#endif
