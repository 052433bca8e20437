/* docs/columns.md: the columns of table.csv, from the tables of fields (bench/sweep/field.h) and columns
 * (bench/journal/schema.h). */
#ifndef BENCH_REPORT_DICTIONARY_H
#define BENCH_REPORT_DICTIONARY_H

#include <stdio.h>

/* Writes the page, in Markdown. */
void dictionary_print(FILE *out);

#endif
