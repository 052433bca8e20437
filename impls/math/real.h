/* One source for float32 and float64, and for every instruction level: the Makefile compiles each implementation and each file of
 * shared arithmetic once per pair, with REAL_BITS and LEVEL set. VARIANT(name) gives such a function a name of its own per pair
 * ("scan_f32_avx2"), which is also what a profiler shows. Code above this room sees the double-precision baseline variant. */
#ifndef IMPLS_MATH_REAL_H
#define IMPLS_MATH_REAL_H

#include <float.h>
#include <math.h>

#ifndef REAL_BITS
#define REAL_BITS 64
#endif
#ifndef LEVEL
#define LEVEL baseline
#endif

#if REAL_BITS == 32
typedef float real;
#define REAL_EPSILON FLT_EPSILON
#define REAL_MAX FLT_MAX
#define real_exp expf
#define real_sqrt sqrtf
#define real_abs fabsf
#define real_max fmaxf
#else
typedef double real;
#define REAL_EPSILON DBL_EPSILON
#define REAL_MAX DBL_MAX
#define real_exp exp
#define real_sqrt sqrt
#define real_abs fabs
#define real_max fmax
#endif

#define VARIANT_PASTE(name, bits, level) name##_f##bits##_##level
#define VARIANT_EXPAND(name, bits, level) VARIANT_PASTE(name, bits, level)
#define VARIANT(name) VARIANT_EXPAND(name, REAL_BITS, LEVEL)

/* How an implementation's file ends: const struct implementation VARIANT(my_name) = {...}; */

#endif
