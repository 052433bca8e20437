/* Tables of what is compiled once per dtype and instruction level (impls/math/real.h), for files that are compiled once. */
#ifndef TRAIN_VARIANTS_H
#define TRAIN_VARIANTS_H

#ifdef LEVELS_X86
#define VARIANTS_DECLARE(type, name)                                                                                               \
    extern const type name##_f32_baseline, name##_f32_avx2, name##_f32_avx512, name##_f64_baseline, name##_f64_avx2,               \
        name##_f64_avx512;
#define VARIANTS_ROW(name)                                                                                                         \
    {                                                                                                                              \
        {&name##_f32_baseline, &name##_f32_avx2, &name##_f32_avx512},                                                              \
        {                                                                                                                          \
            &name##_f64_baseline, &name##_f64_avx2, &name##_f64_avx512                                                             \
        }                                                                                                                          \
    }
#else
#define VARIANTS_DECLARE(type, name) extern const type name##_f32_baseline, name##_f64_baseline;
#define VARIANTS_ROW(name)                                                                                                         \
    {                                                                                                                              \
        {&name##_f32_baseline},                                                                                                    \
        {                                                                                                                          \
            &name##_f64_baseline                                                                                                   \
        }                                                                                                                          \
    }
#endif

#endif
