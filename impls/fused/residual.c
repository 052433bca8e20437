/* See residual.h. */
#include "impls/fused/residual.h"

#define INLINE static inline __attribute__((always_inline))

enum { SOME = LANES < 4 ? LANES : 4 }; /* iterates gone through together: two maxima of each stay in registers */

INLINE void residual_some(const int count, int64_t L, int64_t n, const lanes *states, lanes *before, real *worst)
{
    lanes change[LANES], size[LANES];
    real changes[LANES], sizes[LANES];
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++)
        change[i] = size[i] = (lanes){0};
    for (int64_t j = 0; j < n; j++, states += L) {
        lanes last = before[j];
#pragma GCC unroll 4
        for (int i = 0; i < count; i++) {
            lanes h = states[i];
            change[i] = lanes_larger(lanes_abs(h - last), change[i]);
            size[i] = lanes_larger(lanes_abs(h), size[i]);
            last = h;
        }
        before[j] = last;
    }
    lanes_store(changes, lanes_largest(change));
    lanes_store(sizes, lanes_largest(size));
    for (int i = 0; i < count; i++) {
        real ratio = changes[i] == 0 ? 0 : changes[i] / sizes[i];
        worst[i] = ratio > worst[i] ? ratio : worst[i];
    }
}

void fused_residual(int64_t L, int64_t n, const lanes *states, lanes *before, real *worst)
{
    int64_t l = 0;
    for (; l + SOME <= L; l += SOME)
        residual_some(SOME, L, n, states + l, before, worst + l);
    for (; l < L; l++)
        residual_some(1, L, n, states + l, before, worst + l);
}
