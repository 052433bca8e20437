/* The tables of a run, made from its merged records (summary.h) alone: table.csv for programs, a short one for people. */
#ifndef BENCH_REPORT_TABLE_H
#define BENCH_REPORT_TABLE_H

#include "bench/journal/records.h"

#include <stdio.h>

/* Writes one row a point, tidy: every field of the point (none where it does not use one: empty), the result, how many rounds and
 * samples its figures stand on, and every single figure (exact implementations have neither iterations nor applications), units in
 * the header, quoted as RFC 4180 says. */
bool table_write(const struct records *records, const char *csv_path, struct error *error);

/* Where records have what a column of table.csv shows ("throughput.median"), by its header; NULL where there is no such column. */
const char *table_path(const char *header);

/* Prints a short table a measure: the fields that vary, the result, the main figures; seeds of a point share a row (their median).
 * A time has the 95 % interval of its median over rounds, or a range, called so, of fewer than 6 rounds or of seeds. At most 100
 * columns: fields without room head the rows that share them. At most 40 rows, some of every implementation. */
bool table_print(FILE *out, const struct records *records, struct error *error);

#endif
