/* Groups of as many channels as a register holds: how a state of d channels by N lies in memory, (groups,N,lanes), and rows of channels
 * of which the last group may be a part only. */
#ifndef IMPLS_MATH_GROUPS_H
#define IMPLS_MATH_GROUPS_H

#include "impls/math/lanes.h"

#include <stdbool.h>

typedef real lanes_kept __attribute__((vector_size(LANE_BYTES), may_alias)); /* of an array of reals that memory_allocate() made */

/* The N registers of group g of a state. */
static inline lanes_kept *group_lanes(real *state, int64_t g, int64_t N)
{
    return (lanes_kept *)(state + g * N * LANES);
}

/* Channels of group g. */
static inline int64_t group_width(int64_t d, int64_t g)
{
    return d - g * LANES < LANES ? d - g * LANES : LANES;
}

/* The channels of a row that begin there, then zeros; and back. A width that the compiler knows to be LANES costs nothing. */
static inline __attribute__((always_inline)) lanes group_load(const real *from, int64_t width)
{
    return width == LANES ? lanes_load(from) : lanes_load_part(from, width);
}

static inline __attribute__((always_inline)) void group_store(real *to, lanes a, int64_t width)
{
    if (width == LANES)
        lanes_store(to, a);
    else
        memcpy(to, &a, (size_t)width * sizeof(real));
}

/* Whether all lanes are 0. */
static inline bool group_still(lanes a)
{
    int ok = 1;
    for (int i = 0; i < LANES; i++)
        ok &= a[i] == 0;
    return ok;
}

#endif
