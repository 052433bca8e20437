/* The widest registers of the instruction level, written out, and stores that go past the caches: for the few loops in which it
 * matters what a compiler would make of plain C. */
#ifndef IMPLS_WIDE_H
#define IMPLS_WIDE_H

#include "impls/real.h"

#if defined __SSE2__
#include <immintrin.h>
#endif

#if defined __AVX512F__
enum { WIDE_BYTES = 64 };
#define WIDE_STREAM(to, x) _mm512_stream_si512((void *)(to), (__m512i)(x))
#elif defined __AVX__
enum { WIDE_BYTES = 32 };
#define WIDE_STREAM(to, x) _mm256_stream_si256((void *)(to), (__m256i)(x))
#elif defined __SSE2__
enum { WIDE_BYTES = 16 };
#define WIDE_STREAM(to, x) _mm_stream_si128((void *)(to), (__m128i)(x))
#else
enum { WIDE_BYTES = 16 };
#endif

typedef real wide __attribute__((vector_size(WIDE_BYTES)));

enum { LANES = WIDE_BYTES / sizeof(real) };

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* The addresses are multiples of WIDE_BYTES. */
ALWAYS_INLINE wide wide_load(const real *from)
{
    return *(const wide *)from;
}

ALWAYS_INLINE void wide_store(real *to, wide x)
{
    *(wide *)to = x;
}

/* Past the caches, where the machine can: nothing is read to make room for what is written, and nothing else is driven out. Other
 * threads may see it only after wide_streamed(). */
ALWAYS_INLINE void wide_stream(real *to, wide x)
{
#ifdef WIDE_STREAM
    WIDE_STREAM(to, x);
#else
    wide_store(to, x);
#endif
}

ALWAYS_INLINE void wide_streamed(void)
{
#ifdef WIDE_STREAM
    _mm_sfence();
#endif
}

#endif
