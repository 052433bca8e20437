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

/* The median of a column over the records, printed in its style, or its word for none ("never"); empty where nothing is known. scratch:
 * room for a number of each. */
void cell_figure(const struct table_row *row, enum column_id id, double *scratch, cell text);

/* "ok", or "2/3 ok" where the records differ. */
void cell_result(const struct table_row *row, cell text);

/* Empty where the point does not use the field. */
void cell_value(int field, const struct value *value, cell text);

#endif
