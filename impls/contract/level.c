/* Instruction levels: which of the compiled variants this machine can execute. */
#include "impls/impl.h"

const char *const level_names[LEVEL_COUNT] = {"baseline", "avx2", "avx512"};

#ifdef LEVELS_X86
/* The features that the Makefile lets the compiler use at each level (LEVEL_FLAGS). */
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#else
static bool has_avx2(void)
{
    return false;
}

static bool has_avx512(void)
{
    return false;
}
#endif

bool level_available(enum level level)
{
    switch (level) {
    case LEVEL_BASELINE:
        return true;
    case LEVEL_AVX2:
        return has_avx2();
    case LEVEL_AVX512:
        return has_avx512();
    default:
        return false;
    }
}

enum level level_best(void)
{
    enum level best = LEVEL_BASELINE;
    for (enum level level = LEVEL_BASELINE; level < LEVEL_COUNT; level++)
        if (level_available(level))
            best = level;
    return best;
}
