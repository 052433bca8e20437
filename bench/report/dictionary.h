/* docs/columns.md: what each column of table.csv is, from the tables of fields (bench/sweep/field.h) and columns
 * (bench/journal/schema.h). */
#ifndef BENCH_REPORT_DICTIONARY_H
#define BENCH_REPORT_DICTIONARY_H

#include <stdio.h>

/* Writes the page, in Markdown. */
void dictionary_print(FILE *out);

#endif
