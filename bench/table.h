/* The tables of a run, made from its journal alone: table.csv for programs, a short one for people. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include "bench/error.h"

#include <stdio.h>

/* Writes one row a record, tidy: every field of the point (none where it does not use one: empty), then the result and every single
 * figure of the record (exact implementations have neither iterations nor applications), units in the header, quoted as RFC 4180
 * says. */
bool table_write(const char *journal_path, const char *csv_path, struct error *error);

/* Prints a short table a measure: the fields that vary, the result, the main figures; seeds and rounds of a point share a row
 * (their median). At most 100 columns: fields without room head the rows that share them. At most 40 rows, some of every
 * implementation. */
bool table_print(FILE *out, const char *journal_path, struct error *error);

#endif
