/* The table of all implementations: one line each, those of a CUDA device in impls/cuda/registry.h. Their order here is their order in
 * lists, tables and plots. Plug-ins come behind them. */
#include "impls/cuda/absent/absent.h"
#include "impls/cuda/registry.h"
#include "impls/registry/plugins.h"

#include <string.h>

// clang-format off
#define IMPLEMENTATIONS(X)   \
    X(structured_sequential) \
    X(structured_chunked)    \
    X(dense_sequential)      \
    X(diagonal_scan)         \
    X(fixed_point)           \
    X(fixed_point_fused)     \
    X(fixed_point_chunked)   \
    X(quasi_deer)            \
    X(anderson)              \
    X(gmres)                 \
    X(delta_sequential)      \
    X(delta_chunked)         \
    X(chunked_scan)
// clang-format on

/* Those of them that take the selective cell, too, by a file of their own in impls/selective/. */
// clang-format off
#define SELECTIVE_IMPLEMENTATIONS(X) \
    X(structured_sequential)         \
    X(dense_sequential)              \
    X(diagonal_scan)                 \
    X(fixed_point)                   \
    X(fixed_point_fused)
// clang-format on

/* The same of the cell selective_heads. */
// clang-format off
#define SELECTIVE_HEADS_IMPLEMENTATIONS(X) \
    X(diagonal_scan)
// clang-format on

#ifndef MORE_IMPLEMENTATIONS /* the tests' own, which crash, hang and lie on purpose */
#define MORE_IMPLEMENTATIONS(X)
#endif

#ifdef LEVELS_X86
#define DECLARE(name)                                                                                                              \
    extern const struct implementation name##_f32_baseline, name##_f32_avx2, name##_f32_avx512, name##_f64_baseline,               \
        name##_f64_avx2, name##_f64_avx512;
#define ROW(name)                                                                                                                  \
    {{&name##_f32_baseline, &name##_f32_avx2, &name##_f32_avx512}, {&name##_f64_baseline, &name##_f64_avx2, &name##_f64_avx512}},
#else
#define DECLARE(name) extern const struct implementation name##_f32_baseline, name##_f64_baseline;
#define ROW(name) {{&name##_f32_baseline}, {&name##_f64_baseline}},
#endif

/* A device computes in one dtype and knows no instruction levels: one entry for all of them, which refuses what it cannot do. */
#ifdef WITH_CUDA
#define DECLARE_CUDA(name, kind_, mixers_, gradients_, options_, summary_) extern const struct implementation name;
#else
#define DECLARE_CUDA(name_, kind_, mixers_, gradients_, options_, summary_)                                                        \
    static const struct implementation name_ = {.name = #name_,                                                                    \
                                                .summary = summary_,                                                               \
                                                .options = options_,                                                               \
                                                .device = DEVICE_CUDA,                                                             \
                                                .exact = (kind_) == CUDA_EXACT,                                                    \
                                                .solver = (kind_) == CUDA_SOLVER,                                                  \
                                                .cells = CELLS_VECTOR,                                                             \
                                                .mixers = mixers_,                                                                 \
                                                .gradients = gradients_,                                                           \
                                                .supports = cuda_absent_supports,                                                  \
                                                .count = cuda_absent_count,                                                        \
                                                .plan = cuda_absent_plan,                                                          \
                                                .forward = cuda_absent_forward,                                                    \
                                                .destroy = cuda_absent_destroy};
#endif
#ifdef LEVELS_X86
#define ROW_CUDA(name, kind_, mixers_, gradients_, options_, summary_) {{&name, &name, &name}, {&name, &name, &name}},
#else
#define ROW_CUDA(name, kind_, mixers_, gradients_, options_, summary_) {{&name}, {&name}},
#endif

#define DECLARE_SELECTIVE(name) DECLARE(selective_##name)
#define ROW_SELECTIVE(name) ROW(selective_##name)
#define DECLARE_SELECTIVE_HEADS(name) DECLARE(selective_heads_##name)
#define ROW_SELECTIVE_HEADS(name) ROW(selective_heads_##name)

IMPLEMENTATIONS(DECLARE)
SELECTIVE_IMPLEMENTATIONS(DECLARE_SELECTIVE)
SELECTIVE_HEADS_IMPLEMENTATIONS(DECLARE_SELECTIVE_HEADS)
CUDA_IMPLEMENTATIONS(DECLARE_CUDA)
MORE_IMPLEMENTATIONS(DECLARE)

static const struct implementation *const table[][DTYPE_COUNT][LEVEL_COUNT] = {IMPLEMENTATIONS(ROW) CUDA_IMPLEMENTATIONS(ROW_CUDA)
                                                                                   MORE_IMPLEMENTATIONS(ROW)};

/* Builds for other cells than the first. */
static const struct implementation *const more[][DTYPE_COUNT][LEVEL_COUNT] = {
    SELECTIVE_IMPLEMENTATIONS(ROW_SELECTIVE) SELECTIVE_HEADS_IMPLEMENTATIONS(ROW_SELECTIVE_HEADS)};

enum { BUILT_IN = sizeof table / sizeof table[0] };

int registry_count(void)
{
    return BUILT_IN + plugin_count();
}

int registry_find(const char *name)
{
    for (int i = 0; i < BUILT_IN; i++)
        if (strcmp(table[i][DTYPE_FLOAT32][LEVEL_BASELINE]->name, name) == 0)
            return i;
    int plugin = plugin_find(name);
    return plugin >= 0 ? BUILT_IN + plugin : -1;
}

const struct implementation *registry_get(int index, enum dtype dtype, enum level level)
{
    return index < BUILT_IN ? table[index][dtype][level] : plugin_get(index - BUILT_IN);
}

const struct implementation *registry_get_for(int index, enum cell cell, enum dtype dtype, enum level level)
{
    const struct implementation *first = registry_get(index, dtype, level);
    for (size_t i = 0; i < sizeof more / sizeof more[0] && index < BUILT_IN; i++) {
        const struct implementation *one = more[i][dtype][level];
        if (one != NULL && one->cells >> cell & 1 && strcmp(one->name, first->name) == 0)
            return one;
    }
    return first;
}
