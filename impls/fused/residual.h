/* Residuals of a tile of iterates at one token, of the fused iteration (fixed_point_fused.c): the states are still in the cache. */
#ifndef IMPLS_FUSED_RESIDUAL_H
#define IMPLS_FUSED_RESIDUAL_H

#include "impls/math/lanes.h"

#define fused_residual VARIANT(fused_residual)

/* worst (L) <- the larger of it and max|h^l - h^{l-1}| / max|h^l|, 0/0 = 0. states (n,L,LANES); before (n,LANES) is the iterate before
 * the first of them, and then the last of them. */
void fused_residual(int64_t L, int64_t n, const lanes *states, lanes *before, real *worst);

#endif
