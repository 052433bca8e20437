/* The loops that find out what the machine can do: arrays copied, combined and read, and multiply-adds in registers. Built once a
 * dtype and instruction level, as implementations are (impls/math/real.h). */
#ifndef BENCH_MACHINE_KERNELS_ROOF_KERNELS_H
#define BENCH_MACHINE_KERNELS_ROOF_KERNELS_H

#include "impls/impl.h"

/* What is done with arrays. NT: with stores that pass by the caches, which spares memory the reading of what is overwritten. */
enum roof_kernel { ROOF_COPY, ROOF_COPY_NT, ROOF_TRIAD, ROOF_TRIAD_NT, ROOF_READ, ROOF_KERNEL_COUNT };

extern const char *const roof_kernel_names[ROOF_KERNEL_COUNT]; /* "copy", "copy_nt", ... */
extern const int roof_kernel_arrays[ROOF_KERNEL_COUNT];        /* that each reads or writes */

#define ROOF_TRIAD_FACTOR 3.0

enum { ROOF_ALIGNMENT = 64 }; /* bytes */

struct roof_kernels {
    /* copy: a = b; triad: a = b + ROOF_TRIAD_FACTOR c; read: the sum of b, which is returned (0 by the others). n elements of the
     * dtype each, any n; the arrays are aligned to ROOF_ALIGNMENT, and those that a kernel does not use may be NULL. A kernel
     * is NULL where this level has no such stores. */
    double (*pass[ROOF_KERNEL_COUNT])(void *a, const void *b, const void *c, int64_t n);

    /* x = factor x + term, so many steps long, for every one of fma_numbers x, which start at 0. Returns their sum. */
    double (*fma)(int64_t steps, double factor, double term);
    int fma_numbers;

    /* exp() of exponential_numbers numbers between -4 and 0, so many times over. Returns their sum. */
    double (*exponentials)(int64_t steps);
    int exponential_numbers;
};

/* NULL where the program has no build for this level. */
const struct roof_kernels *roof_kernels_get(enum dtype dtype, enum level level);

#endif
