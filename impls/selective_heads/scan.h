/* The scan over time of the cell selective_heads: of a part of the channels of one sequence,
 *
 *     H_t = a_t H_{t-1} + (dt_t . x_t) b~_t^T        out_t = H_t c~_t
 *
 * Lanes go over channels, so that nothing is summed across them. Time goes in chunks, and in each of them a block of a few states
 * of a few groups of channels goes through all tokens before the next block does: it lies in registers meanwhile, and a token costs
 * one product and two multiply-adds a state. A decay belongs to a head: it is computed once, and spread over the lanes of its
 * channels. */
#ifndef IMPLS_SELECTIVE_HEADS_SCAN_H
#define IMPLS_SELECTIVE_HEADS_SCAN_H

#include "impls/math/groups.h"
#include "impls/selective_heads/rows.h"

#define heads_scan_scratch VARIANT(heads_scan_scratch)
#define heads_scan VARIANT(heads_scan)

/* Groups of channels; two of them go together. */
static inline int64_t heads_groups(const struct problem *p)
{
    return (p->d + LANES - 1) / LANES;
}

/* Reals that a scan works in. */
int64_t heads_scan_scratch(const struct problem *problem);

/* Groups from ... to - 1 of sequence b, from its initial state: y (B,T,d) of these channels is H c~, or, where they are all there
 * are, the output (heads_finish()); final (B,d,N) may be NULL. False: some output is not finite. */
bool heads_scan(const struct problem *problem, const struct inputs *inputs, int64_t b, int64_t from, int64_t to, real *y,
                real *final, real *scratch);

#endif
