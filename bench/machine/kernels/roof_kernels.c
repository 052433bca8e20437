/* See roof_kernels.h. Vectors are written out, for a compiler left alone would make one dependent chain of the sum and a call of
 * memcpy(), with a mind of its own about which stores to use, of the copy. */
#include "bench/machine/kernels/roof_kernels.h"
#include "impls/math/lanes.h"
#include "impls/math/power.h"

/* How many numbers keep the multiply-adds of a level busy: latency times units, as its registers allow. */
#if defined __AVX512F__ || !defined __SSE2__
#define EACH SIXTEEN
#else
#define EACH TWELVE
#endif

#define TWELVE(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define SIXTEEN(X) TWELVE(X) X(12) X(13) X(14) X(15)
#define COUNT(k) +1

enum { UNROLLED = 8, BLOCK = UNROLLED * LANES, ACCUMULATORS = EACH(COUNT) };

/* The way to store is a function rather than a flag: compilers may take two stores to one place for the same, and keep either. */
static inline __attribute__((always_inline)) double copy_or_triad(real *a, const real *b, const real *c, int64_t n, bool triad,
                                                                  void (*put)(real *, lanes))
{
    const real factor = (real)ROOF_TRIAD_FACTOR;
    int64_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
#pragma GCC unroll 8
        for (int k = 0; k < BLOCK; k += LANES)
            put(a + i + k, triad ? lanes_load(b + i + k) + factor * lanes_load(c + i + k) : lanes_load(b + i + k));
        __asm__ volatile("" ::: "memory"); /* no instruction: keeps the loop from becoming a memcpy() */
    }
    for (; i < n; i++)
        a[i] = triad ? b[i] + factor * c[i] : b[i];
    return 0;
}

static double copy(void *a, const void *b, const void *c, int64_t n)
{
    return copy_or_triad(a, b, c, n, false, lanes_store);
}

static double triad(void *a, const void *b, const void *c, int64_t n)
{
    return copy_or_triad(a, b, c, n, true, lanes_store);
}

#ifdef LANES_STREAM
static double copy_nt(void *a, const void *b, const void *c, int64_t n)
{
    copy_or_triad(a, b, c, n, false, lanes_stream);
    lanes_streamed();
    return 0;
}

static double triad_nt(void *a, const void *b, const void *c, int64_t n)
{
    copy_or_triad(a, b, c, n, true, lanes_stream);
    lanes_streamed();
    return 0;
}
#else
#define copy_nt NULL
#define triad_nt NULL
#endif

static double sum_lanes(lanes x)
{
    double sum = 0;
    for (int k = 0; k < LANES; k++)
        sum += (double)x[k];
    return sum;
}

static double read(void *a, const void *from, const void *c, int64_t n)
{
    const real *b = from;
    lanes s0 = {0}, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
    int64_t i = 0;
    (void)a, (void)c;
    for (; i + BLOCK <= n; i += BLOCK) {
        const real *at = b + i;
        s0 += lanes_load(at), s1 += lanes_load(at + LANES), s2 += lanes_load(at + 2 * LANES), s3 += lanes_load(at + 3 * LANES);
        s4 += lanes_load(at + 4 * LANES), s5 += lanes_load(at + 5 * LANES), s6 += lanes_load(at + 6 * LANES),
            s7 += lanes_load(at + 7 * LANES);
    }
    double sum = sum_lanes(((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)));
    for (; i < n; i++)
        sum += (double)b[i];
    return sum;
}

/* Named variables rather than an array, which compilers leave in memory. */
static double multiply_add(int64_t steps, double factor, double term)
{
    const lanes zero = {0}, a = zero + (real)factor, b = zero + (real)term;
#define DECLARE(k) lanes x##k = zero;
#define STEP(k) x##k = x##k * a + b;
#define APART(k) __asm__("" : "+m"(x##k)); /* else they are all one number, computed once */
#define ADD(k) sum += x##k;
    EACH(DECLARE)
    EACH(APART)
    for (int64_t i = 0; i < steps; i++) {
        EACH(STEP)
    }
    lanes sum = zero;
    EACH(ADD)
    return sum_lanes(sum);
}

enum { EXPONENTIALS = 1024 };

/* As a decay exp(-dt A) is computed: a product, and a power of 2. */
static double exponentials(int64_t steps)
{
    real x[EXPONENTIALS], y[EXPONENTIALS];
    double sum = 0;
    for (int i = 0; i < EXPONENTIALS; i++) {
        x[i] = -4 * (real)i / EXPONENTIALS;
        y[i] = 0;
    }
    for (int64_t step = 0; step < steps; step++) {
        for (int i = 0; i < EXPONENTIALS; i += LANES)
            lanes_store(y + i, lanes_power(lanes_load(x + i) * LOG2_E));
        __asm__ volatile("" ::"r"(x), "r"(y) : "memory"); /* else all steps are one */
    }
    for (int i = 0; i < EXPONENTIALS; i++)
        sum += (double)y[i];
    return sum;
}

const struct roof_kernels VARIANT(roof_kernels) = {
    .pass = {[ROOF_COPY] = copy, [ROOF_COPY_NT] = copy_nt, [ROOF_TRIAD] = triad, [ROOF_TRIAD_NT] = triad_nt, [ROOF_READ] = read},
    .fma = multiply_add,
    .fma_numbers = ACCUMULATORS * LANES,
    .exponentials = exponentials,
    .exponential_numbers = EXPONENTIALS,
};
