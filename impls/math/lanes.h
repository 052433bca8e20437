/* Vectors of as many channels as a register of this instruction level holds, for loops that keep many sums in registers: there the
 * compiler does not find the blocking by itself. What is written with them is one source for all levels and both dtypes. */
#ifndef IMPLS_MATH_LANES_H
#define IMPLS_MATH_LANES_H

#include "impls/math/real.h"

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define LANE_BYTES 64
#define LANES_STREAM(to, a) _mm512_stream_si512((void *)(to), (__m512i)(a))
#define LANES_PREFIX _mm512
#elif defined(__AVX2__)
#define LANE_BYTES 32
#define LANES_STREAM(to, a) _mm256_stream_si256((void *)(to), (__m256i)(a))
#define LANES_PREFIX _mm256
#else
#define LANE_BYTES 16
#if defined(__SSE2__)
#define LANES_STREAM(to, a) _mm_stream_si128((void *)(to), (__m128i)(a))
#define LANES_PREFIX _mm
#endif
#endif
#define LANES (LANE_BYTES * 8 / REAL_BITS) /* channels of a vector */

typedef real lanes __attribute__((vector_size(LANE_BYTES)));
typedef real lanes_loose __attribute__((vector_size(LANE_BYTES), aligned(sizeof(real)), may_alias)); /* wherever a row begins */

/* Of a and b, seen as blocks of n lanes: the even blocks of both plus the odd ones. i is the index of a lane of the answer. */
#define LANE_BLOCK(i, n) (2 * (n) * ((i) / (n)) + (i) % (n))
#define LANE_LIST2(i, n) LANE_BLOCK(i, n), LANE_BLOCK((i) + 1, n)
#define LANE_LIST4(i, n) LANE_LIST2(i, n), LANE_LIST2((i) + 2, n)
#define LANE_LIST8(i, n) LANE_LIST4(i, n), LANE_LIST4((i) + 4, n)
#define LANE_LIST16(i, n) LANE_LIST8(i, n), LANE_LIST8((i) + 8, n)
#if LANES == 16
#define LANE_LIST(n) LANE_LIST16(0, n)
#elif LANES == 8
#define LANE_LIST(n) LANE_LIST8(0, n)
#elif LANES == 4
#define LANE_LIST(n) LANE_LIST4(0, n)
#else
#define LANE_LIST(n) LANE_LIST2(0, n)
#endif

#if REAL_BITS == 32
typedef int32_t lane_indices __attribute__((vector_size(LANE_BYTES)));
#else
typedef int64_t lane_indices __attribute__((vector_size(LANE_BYTES)));
#endif

#ifdef __clang__
#define LANES_EVEN(a, b, n) __builtin_shufflevector(a, b, LANE_LIST(n))
#define LANES_ODD(a, b, n) LANES_EVEN(lanes_moved(a, n), lanes_moved(b, n), n)
#else
#define LANES_EVEN(a, b, n) __builtin_shuffle(a, b, (lane_indices){LANE_LIST(n)})
#define LANES_ODD(a, b, n) __builtin_shuffle(a, b, (lane_indices){LANE_LIST(n)} + (n))
#endif

#ifdef __clang__ /* whose shuffle takes literal indices only */
static inline lanes lanes_moved(lanes a, int n)
{
    lanes moved = a;
    for (int i = 0; i + n < LANES; i++)
        moved[i] = a[i + n];
    return moved;
}
#endif

#ifdef LANES_PREFIX /* the instruction op on two vectors */
#if REAL_BITS == 32
#define LANES_SUFFIX ps
#else
#define LANES_SUFFIX pd
#endif
#define LANES_PASTE(prefix, op, suffix) prefix##_##op##_##suffix
#define LANES_EXPAND(prefix, op, suffix) LANES_PASTE(prefix, op, suffix)
#define LANES_INSTRUCTION(op, a, b) ((lanes)LANES_EXPAND(LANES_PREFIX, op, LANES_SUFFIX)(a, b))
#endif

/* Where the mask is set a, else b. */
static inline lanes lanes_choose(lane_indices mask, lanes a, lanes b)
{
    return (lanes)((mask & (lane_indices)a) | (~mask & (lane_indices)b));
}

/* The larger and the smaller of each lane; b where they cannot be compared: one instruction, where the compiler is told which. */
static inline lanes lanes_larger(lanes a, lanes b)
{
#ifdef LANES_PREFIX
    return LANES_INSTRUCTION(max, a, b);
#else
    return lanes_choose(a > b, a, b);
#endif
}

static inline lanes lanes_smaller(lanes a, lanes b)
{
#ifdef LANES_PREFIX
    return LANES_INSTRUCTION(min, a, b);
#else
    return lanes_choose(a < b, a, b);
#endif
}

static inline lanes lanes_abs(lanes a)
{
    return lanes_larger(a, -a);
}

#define LANES_ADD(a, b) ((a) + (b))
#if LANES >= 4
#define LANES_FOLD4(op) LANES_FOLD(2, op)
#else
#define LANES_FOLD4(op)
#endif
#if LANES >= 8
#define LANES_FOLD8(op) LANES_FOLD(4, op)
#else
#define LANES_FOLD8(op)
#endif
#if LANES == 16
#define LANES_FOLD16(op) LANES_FOLD(8, op)
#else
#define LANES_FOLD16(op)
#endif
#define LANES_FOLD(n, op)                                                                                                          \
    _Pragma("GCC unroll 8") for (int i = 0; i < (n); i++) a[i] =                                                                   \
        op(LANES_EVEN(a[2 * i], a[2 * i + 1], n), LANES_ODD(a[2 * i], a[2 * i + 1], n));
#define LANES_FOLDS(op) LANES_FOLD16(op) LANES_FOLD8(op) LANES_FOLD4(op) LANES_FOLD(1, op)

/* Lane i of the answer is the sum, or the largest, of the lanes of a[i]; a (LANES) is overwritten. */
static inline __attribute__((always_inline)) lanes lanes_sums(lanes a[LANES])
{
    LANES_FOLDS(LANES_ADD)
    return a[0];
}

static inline __attribute__((always_inline)) lanes lanes_largest(lanes a[LANES])
{
    LANES_FOLDS(lanes_larger)
    return a[0];
}

static inline lanes lanes_load(const real *from)
{
    return *(const lanes_loose *)from;
}

static inline void lanes_store(real *to, lanes a)
{
    *(lanes_loose *)to = a;
}

/* Past the caches, where the machine can, to a multiple of LANE_BYTES: nothing is read to make room for what is written, and nothing
 * else is driven out. Other threads may see it only after lanes_streamed(). */
static inline void lanes_stream(real *to, lanes a)
{
#ifdef LANES_STREAM
    LANES_STREAM(to, a);
#else
    lanes_store(to, a);
#endif
}

static inline void lanes_streamed(void)
{
#ifdef LANES_STREAM
    _mm_sfence();
#endif
}

/* The first n lanes of a row that ends there, then zeros. */
static inline lanes lanes_load_part(const real *from, int64_t n)
{
    lanes a = {0};
    memcpy(&a, from, (size_t)n * sizeof(real));
    return a;
}

#endif
