/* The tables of a run, made from its merged records (summary.h) alone: table.csv for programs, a short one for people. */
#ifndef BENCH_REPORT_TABLE_H
#define BENCH_REPORT_TABLE_H

#include "bench/journal/records.h"
#include "bench/report/paired.h"

#include <stdio.h>

/* The cell of table.csv for a value that applies but was not measured or is unknown. */
#define TABLE_NOT_MEASURED "NA"

/* Writes one row a point, tidy and quoted as RFC 4180 says: the fields of the point, then the columns of the schema
 * (bench/journal/schema.h), of both only those that some record fills, named as in the journal. A cell is empty where the column does
 * not apply to the point, TABLE_NOT_MEASURED, or the column's own word ("never") where what was measured never came to be. */
bool table_write(const struct records *records, const char *csv_path, struct error *error);

/* Prints a short table a measure: the fields that vary, the result, the columns that have a head in the schema; seeds of a point share
 * a row (their median). A time has the 95 % interval of its median over rounds, or a range, called so, of fewer than 6 rounds or of
 * seeds. At most 80 columns: fields without room head the rows that share them. At most 40 rows, some of every implementation. What
 * failed has its reason below the row, once where rows in succession share it. */
bool table_print(FILE *out, const struct records *records, struct error *error);

/* The same into a file, and the table of verdicts below it. */
bool table_print_to(const char *path, const struct records *records, const struct comparisons *comparisons, struct error *error);

#endif
