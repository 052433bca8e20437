/* The definitions of the channel mixers in double precision, written to be read (paper, Sec. 3.3, App. C.3). They share no arithmetic
 * with impls/. textbook.h has the maps that are made of them. */
#ifndef BENCH_PROBLEMS_TEXTBOOK_MIXER_H
#define BENCH_PROBLEMS_TEXTBOOK_MIXER_H

#include "impls/impl.h"

/* The sum of products of n numbers, in eight sums side by side: of one alone, each addition waits for the one before. */
double textbook_inner(const double *x, const double *y, int64_t n);

/* Doubles of one token's activated parameters, and how they follow from theta (m) (paper, Sec. 3.3, App. C.3). */
int64_t textbook_size(const struct problem *problem);
void textbook_activate(const struct problem *problem, const double *theta, double *q);

/* raw (m) = theta_t, plus W k(before) where the mixer depends on the state before (d). */
void textbook_parameters(const struct problem *problem, const struct inputs *inputs, int64_t t, const double *before, double *raw);

/* y (d) = Q x (d); y must not be x. */
void textbook_mix(const struct problem *problem, const double *q, const double *x, double *y);

#endif
