/* Where an answer went wrong: the sequence, the token and the channel that a reason names, so that a reader can look there. All are
 * counted from 0. */
#ifndef BENCH_MEASURE_PLACE_H
#define BENCH_MEASURE_PLACE_H

#include "bench/measure/validate.h"

/* The element of a (n) that is furthest from b (n): the first that is not finite in either, or the first with the largest |a - b|.
 * n is at least 1. */
int64_t place_furthest(const double *a, const double *b, int64_t n);

/* The same of h (T,d) and next = f(h), as a residual counts: where the worst token, by max|next - h| / max|next|, differs most. */
int64_t place_of_residual(const struct problem *problem, const double *h, const double *next);

/* Significant digits that tell any two numbers of a dtype apart. */
int place_digits(enum dtype dtype);

/* wrong, for element i of h (T,d) of sequence b against its reference: "sequence 3, t 17, channel 5: 0.42 for 0.37, differs by 0.12
 * from the textbook iterate; tolerance 1e-05". dtype is that of the answer; after: when, or "". */
void place_say(const struct problem *problem, int64_t b, int64_t i, enum dtype dtype, const double *h, const double *reference,
               const char *after, const struct checks *checks, struct finding *finding);

/* Adds the channel to the reason of a subject that diverged, where subject->h shows it. */
void place_channel(const struct subject *subject, struct finding *finding);

#endif
