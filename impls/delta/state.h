/* The state of one head of the cell delta, S (N, width): row n holds state n of all channels of the head, beyond them zeros up to a
 * whole number of vectors. What changes it and what reads it goes over its columns vector by vector, sums in registers. */
#ifndef IMPLS_DELTA_STATE_H
#define IMPLS_DELTA_STATE_H

#include "impls/contract/support.h"
#include "impls/math/lanes.h"

#define delta_width VARIANT(delta_width)
#define delta_load VARIANT(delta_load)
#define delta_store VARIANT(delta_store)
#define delta_read VARIANT(delta_read)
#define delta_run_pass VARIANT(delta_run_pass)

/* Reals of a row: the d / heads channels of a head, rounded up to whole vectors. */
int64_t delta_width(const struct problem *problem);

/* From and to the matrix H (d,N) of a sequence; H NULL: zero. */
void delta_load(const struct problem *problem, int64_t head, const real *H, real *S);
void delta_store(const struct problem *problem, int64_t head, const real *S, real *H);

/* out (width) = S^T k, k (N). */
void delta_read(int64_t N, int64_t width, const real *S, const real *k, real *out);

/* One pass over a state: to = kept from + the sum of k u^T, for one step or two that are written together, k (N), u (width); and
 * what is read of that as soon as it is written: out (width) = to^T by, by (N): the keys of up to two steps that follow, the last
 * step's query and that of the first to follow. `to` may be `from`. */
enum { DELTA_WRITES = 2, DELTA_READINGS = 4 };
struct delta_pass {
    real kept;
    const real *from;
    real *to;
    int writes, readings;
    const real *k[DELTA_WRITES], *u[DELTA_WRITES];
    const real *by[DELTA_READINGS];
    real *out[DELTA_READINGS];
};

void delta_run_pass(int64_t N, int64_t width, const struct delta_pass *pass);

#endif
