/* The state of one head of the cell delta, S (N, width): row n holds state n of all channels of the head, beyond them zeros up to a whole
 * number of vectors. What changes it and what reads it goes over its columns vector by vector, sums in registers. */
#ifndef IMPLS_DELTA_STATE_H
#define IMPLS_DELTA_STATE_H

#include "impls/contract/support.h"
#include "impls/math/lanes.h"

#define delta_width VARIANT(delta_width)
#define delta_load VARIANT(delta_load)
#define delta_store VARIANT(delta_store)
#define delta_read VARIANT(delta_read)
#define delta_step VARIANT(delta_step)

/* Reals of a row: the d / heads channels of a head, rounded up to whole vectors. */
int64_t delta_width(const struct problem *problem);

/* From and to the matrix H (d,N) of a sequence; H NULL: zero. */
void delta_load(const struct problem *problem, int64_t head, const real *H, real *S);
void delta_store(const struct problem *problem, int64_t head, const real *S, real *H);

/* out (width) = S^T k, k (N). */
void delta_read(int64_t N, int64_t width, const real *S, const real *k, real *out);

/* What is read of a state as soon as it is written: out (width) = S^T by, by (N); `by` NULL: nothing. */
struct delta_reading {
    const real *by;
    real *out;
};

/* to = kept from + k u^T, u (width), and of that two readings; `to` may be `from`. */
void delta_step(int64_t N, int64_t width, real kept, const real *from, const real *k, const real *u, real *to,
                struct delta_reading one, struct delta_reading other);

#endif
