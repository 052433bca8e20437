/* Length generalisation: of the accuracy points of one training, evaluated in one way at several lengths, the longest length up
 * to which the accuracy stays above LONGEST_ABOVE at every tested length. */
#ifndef BENCH_REPORT_LONGEST_H
#define BENCH_REPORT_LONGEST_H

#include "bench/journal/records.h"

#define LONGEST_ABOVE 0.9

/* Adds "longest_token" and "longest_sequence" to the "accuracy" of every record that has one: a length, or null where even the
 * shortest one is not above. False when out of memory. */
bool longest_add(struct records *records, struct error *error);

#endif
