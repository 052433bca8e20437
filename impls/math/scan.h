/* The diagonal recurrence over time, the part of every implementation that is parallel in T. */
#ifndef IMPLS_MATH_SCAN_H
#define IMPLS_MATH_SCAN_H

#include "impls/impl.h"
#include "impls/math/real.h"

/* What the threads of a scan divide: whole sequences, channels, or chunks of time. Chunks cost a second pass over all but the
 * first, so they are for few thin sequences. */
enum split { SPLIT_BATCH, SPLIT_CHANNELS, SPLIT_TIME, SPLIT_COUNT };

#define scan_split VARIANT(scan_split)
#define scan_stream VARIANT(scan_stream)
#define scan_carry VARIANT(scan_carry)
#define scan_count VARIANT(scan_count)
#define scan_run VARIANT(scan_run)
#define scan_run_reversed VARIANT(scan_run_reversed)

struct scan {
    int64_t B, T, d;
    bool gated; /* h_t = lambda h_{t-1} + (1 - lambda) x_t, else + x_t */
    int threads;
    enum split split;
    bool stream; /* scan_run() writes past the caches, where it can: for results that no cache holds */
    real *carry; /* scan_carry() reals */
};

/* Option of every implementation that scans: forces what the threads divide. */
#define SCAN_OPTIONS "split=batch|channels|time"

/* The split that suits a shape, or the one that a word of SCAN_OPTIONS names. */
enum split scan_split(const struct problem *problem, int threads, const char *word);

/* Whether to stream the result of a scan that reads lambda and x and writes elsewhere: "stream" and "keep" force it, NULL leaves it
 * to the size of the three beside the largest cache. */
bool scan_stream(const struct problem *problem, const struct environment *environment, const char *word);

/* Reals of scratch that a scan needs. */
int64_t scan_carry(const struct problem *problem, int threads);

/* What scan_run() reads, writes and computes. */
void scan_count(const struct problem *problem, int threads, enum split split, struct work *work);

/* out (B,T,d) from lambda (B,T,d), x (B,T,d) and the initial state h0 (B,d; NULL: zero). out may be x. */
void scan_run(const struct scan *scan, const real *lambda, const real *x, const real *h0, real *out);

/* Its transpose, backwards in time: out_t = x_t + lambda_{t+1} out_{t+1}, nothing coming after the last token. out may be x. The
 * scan's `gated` plays no part. */
void scan_run_reversed(const struct scan *scan, const real *lambda, const real *x, real *out);

#endif
