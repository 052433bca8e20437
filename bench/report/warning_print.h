/* Prints the warnings of a run at its end. */
#ifndef BENCH_REPORT_WARNING_PRINT_H
#define BENCH_REPORT_WARNING_PRINT_H

#include "bench/journal/records.h"
#include "bench/journal/warning.h"

#include <stdio.h>

/* A short paragraph a code, of merged records (summary.h): how many rounds and points have it, the worst figure and its point, the
 * cause, and the remedies that are not in use yet. Nothing where there is no warning. False when out of memory. */
bool warnings_print(FILE *out, const struct records *records, const struct precautions *precautions, struct error *error);

#endif
