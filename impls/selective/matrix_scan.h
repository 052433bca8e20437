/* The scan over time of the matrix state, the part of the selective cell that is parallel in T:
 *
 *     H_t = exp(-dt_t A) . H_{t-1} + (dt_t . x_t) b_t^T       out_t = H_t c_t + skip . x_t
 *
 * Lanes go over channels: a group is as many channels as a register holds, its states are N registers, and nothing is summed across lanes.
 * Time goes in chunks, so that a group's states lie in the first cache for a whole chunk; the decays are computed where they are used and
 * kept nowhere: reading B T d N numbers takes longer than computing them. */
#ifndef IMPLS_SELECTIVE_MATRIX_SCAN_H
#define IMPLS_SELECTIVE_MATRIX_SCAN_H

#include "impls/math/scan.h"

#define matrix_scan_reals VARIANT(matrix_scan_reals)
#define matrix_scan_kept VARIANT(matrix_scan_kept)
#define matrix_scan_open VARIANT(matrix_scan_open)
#define matrix_scan_close VARIANT(matrix_scan_close)
#define matrix_scan_begin VARIANT(matrix_scan_begin)
#define matrix_scan_run VARIANT(matrix_scan_run)
#define matrix_scan_count VARIANT(matrix_scan_count)
#define matrix_scan_states VARIANT(matrix_scan_states)
#define matrix_scan_lengthwise VARIANT(matrix_scan_lengthwise)
#define matrix_scan_pass VARIANT(matrix_scan_pass)
#define matrix_scan_divisible VARIANT(matrix_scan_divisible)

enum { MATRIX_CHUNK = 32 }; /* tokens */

struct matrix_scan {
    int64_t B, T, d, N;
    int64_t groups, size; /* of channels; reals of one state, (groups,N,lanes) */
    int threads;
    enum split split;
    bool shrinking; /* A >= 0: with dt >= 0 no decay is above 1 */
    real *rates;    /* (groups,N,lanes) -log2(e) A, 0 beyond the last channel */
    real *memory;   /* states of all threads, and what a split of time needs */
};

/* Rows of tokens i = b T + t that one scan reads and writes. */
struct matrix_rows {
    const real *dt, *x; /* (B,T,d) */
    const real *b, *c;  /* (B,T,N) */
    const real *skip;   /* (d) */
    const real *H0;     /* (B,d,N); NULL: zero */
    real *out;          /* (B,T,d), may be x */
    real *final;        /* (B,d,N) the last states; NULL: not wanted */
    real *kept;         /* matrix_scan_kept() reals: the states before each chunk; NULL: not wanted */
    /* What is done to the rows from ... to - 1 once they are there, by one thread; NULL: nothing. False: something is not finite. */
    bool (*finish)(const void *context, int64_t from, int64_t to);
    const void *context;
};

/* Reals that matrix_scan_open() allocates, and those of the states before all chunks. */
double matrix_scan_reals(const struct problem *problem, const char *split, int threads);
int64_t matrix_scan_kept(const struct problem *problem);

/* `split` is a word of SCAN_OPTIONS or NULL. False: no memory; nothing is left then. */
bool matrix_scan_open(const struct problem *problem, const char *split, int threads, struct matrix_scan *scan);
void matrix_scan_close(struct matrix_scan *scan);

/* Before the first scan with rates A (d,N). */
void matrix_scan_begin(struct matrix_scan *scan, const real *A);

/* False: something of `out` is not finite. */
bool matrix_scan_run(const struct matrix_scan *scan, const struct matrix_rows *rows);

/* What one scan reads, writes and computes. */
void matrix_scan_count(const struct problem *problem, int threads, const char *split, struct work *work);

/* state (groups,N,lanes) from H (d,N; NULL: zero); and back, overwritten or added to. */
void matrix_scan_states(const struct matrix_scan *scan, const real *H, real *state);
void matrix_scan_lengthwise(const struct matrix_scan *scan, const real *state, bool add, real *H);

/* Over a part of time whose steps add up to sums (groups,lanes), the product of its decays being one exponential: after = exp(-A sums)
 * before + more, all (groups,N,lanes). after may be any of them. */
void matrix_scan_pass(const struct matrix_scan *scan, const real *sums, const real *before, const real *more, real *after);

/* Whether no decay is above 1, with steps dt (B,T,d): products of many may overflow else, where no state does. */
bool matrix_scan_divisible(const struct matrix_scan *scan, const real *dt);

#endif
