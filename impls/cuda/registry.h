/* The table of all implementations on a CUDA device: one row each, in the order of lists, tables and plots, after those of the CPU.
 *
 *     X(name, kind, mixers, gradients, options, summary)      see struct implementation
 *
 * The row X(my_kernel_cuda, CUDA_EXACT, MIXERS_LOW_RANK, GRADIENTS_NONE, NULL, "...") belongs to the file my_kernel_cuda.cu, which ends with
 * CUDA_IMPLEMENTATION(my_kernel_cuda) and has above it a struct plan that holds a session (session.h), and the functions that differ from
 * one to the next. What can be said of an implementation without it
 * stands here rather than there: a build without the CUDA Toolkit knows the rows as well, and says of each why it cannot run. */
#ifndef IMPLS_CUDA_REGISTRY_H
#define IMPLS_CUDA_REGISTRY_H

#include "impls/impl.h"

/* The mixers that impls/cuda/mixer.h has kernels for. */
enum { MIXERS_KERNELS = MIXERS_LOW_RANK | 1 << MIXER_KRONECKER | 1 << MIXER_DENSE };

// clang-format off
#define CUDA_IMPLEMENTATIONS(X) \
    X(diagonal_scan_cuda, CUDA_EXACT, MIXERS_NONE, GRADIENTS_EXACT | GRADIENTS_STEPS, "split=channels|time", "diagonal linear RNN (Q = I), one scan on the GPU") \
    X(fixed_point_cuda, CUDA_ITERATIVE, MIXERS_KERNELS, GRADIENTS_EXACT | GRADIENTS_STEPS, "split=channels|time", "the paper's iteration on the GPU: l times channel mixing, then a scan over time") \
    X(fixed_point_fused_cuda, CUDA_ITERATIVE, MIXERS_KERNELS, GRADIENTS_EXACT | GRADIENTS_STEPS, "split=channels|time", "the same iterates on the GPU, many in one pass over the tokens") \
    X(structured_sequential_cuda, CUDA_EXACT, MIXERS_LOW_RANK, GRADIENTS_EXACT, NULL, "exact dense RNN on the GPU, diagonal-plus-low-rank steps, a block a sequence") \
    X(dense_sequential_cuda, CUDA_EXACT, MIXERS_KERNELS, GRADIENTS_NONE, NULL, "dense RNN on the GPU, A_t of every token materialised by LU in a block, O(d^3) a token") \
    X(quasi_deer_cuda, CUDA_SOLVER, MIXERS_LOW_RANK, GRADIENTS_NONE, "split=channels|time", "Newton with a diagonal Jacobian on the GPU, low-rank steps of all tokens, then a scan; exact after T sweeps")
// clang-format on

/* What these implementations have been run on so far. It stands in every record of theirs and in the README, until the results of a
 * card are in results/reference/: then it names that card. */
#define CUDA_PROOF "executed on the CPU in tests, not yet run on hardware"

enum cuda_kind { CUDA_ITERATIVE, CUDA_EXACT, CUDA_SOLVER };

#ifdef __cplusplus

#include "impls/cuda/device.h"

struct cuda_row {
    const char *name;
    enum cuda_kind kind;
    unsigned mixers, gradients;
    const char *options, *summary;
};

#define CUDA_INDEX(name, kind, mixers, gradients, options, summary) CUDA_INDEX_##name,
enum { CUDA_IMPLEMENTATIONS(CUDA_INDEX) CUDA_ROWS };

#define CUDA_ROW(name, kind, mixers, gradients, options, summary) {#name, kind, mixers, gradients, options, summary},
static constexpr struct cuda_row cuda_rows[CUDA_ROWS + 1] = {CUDA_IMPLEMENTATIONS(CUDA_ROW){}};

/* The row that an implementation takes all of this from. */
#define CUDA_ROW_OF(name) (cuda_rows[CUDA_INDEX_##name])

#define CUDA_DECLARE(name, kind, mixers, gradients, options, summary) extern const struct implementation name;
extern "C" {
CUDA_IMPLEMENTATIONS(CUDA_DECLARE)
}

/* Puts the functions supports, count, forward and destroy under a name of the table, and those that are alike in all of them: a
 * plan is made by open(plan, problem, settings), which may fail half-way, passes begin with the contract's checks, and copies and
 * the clock are the session's. backward is a function or nullptr. */
#define CUDA_IMPLEMENTATION_WITH(name_, backward_)                                                                                 \
    const struct implementation name_ = {                                                                                          \
        .name = CUDA_ROW_OF(name_).name,                                                                                           \
        .summary = CUDA_ROW_OF(name_).summary,                                                                                     \
        .options = CUDA_ROW_OF(name_).options,                                                                                     \
        .device = DEVICE_CUDA,                                                                                                     \
        .exact = CUDA_ROW_OF(name_).kind == CUDA_EXACT,                                                                            \
        .solver = CUDA_ROW_OF(name_).kind == CUDA_SOLVER,                                                                          \
        .further = false,                                                                                                          \
        .cells = CELLS_VECTOR,                                                                                                     \
        .mixers = CUDA_ROW_OF(name_).mixers,                                                                                       \
        .gradients = CUDA_ROW_OF(name_).gradients,                                                                                 \
        .supports = supports,                                                                                                      \
        .count = count,                                                                                                            \
        .plan = [](const struct problem *p, const struct settings *settings, const struct environment *environment,                \
                   struct plan **out) {                                                                                            \
            struct status status = plan_begin(&name_, p, settings, environment, out);                                              \
            return status.code == STATUS_OK ? session_plan(p, settings, open, destroy, out) : status;                              \
        },                                                                                                                         \
        .upload = [](struct plan *plan, const struct inputs *inputs) { return session_upload(&plan->session, inputs); },           \
        .forward = [](struct plan *plan, const struct inputs *inputs, const struct outputs *outputs, struct trace *trace) {         \
            struct status given = forward_check(&plan->session.problem, inputs, outputs);                                          \
            return given.code == STATUS_OK ? forward(plan, inputs, outputs, trace) : given;                                        \
        },                                                                                                                         \
        .backward = backward_,                                                                                                     \
        .download = [](struct plan *plan, const struct outputs *outputs) { return session_download(&plan->session, outputs); },    \
        .flush = device_flush,                                                                                                     \
        .elapsed = [](struct plan *plan) { return device_timer_seconds(plan->session.timer); },                                    \
        .destroy = destroy,                                                                                                        \
    };
#define CUDA_IMPLEMENTATION(name)                                                                                                  \
    CUDA_IMPLEMENTATION_WITH(                                                                                                      \
        name, ([](struct plan *plan, const struct inputs *inputs, const struct outputs *outputs,                                   \
                  const struct outputs *grad_outputs, const struct gradients *gradients) {                                         \
            const struct session *s = &plan->session;                                                                              \
            struct status given = backward_check(&s->problem, s->settings.gradient != GRADIENT_NONE, inputs, outputs,              \
                                                 grad_outputs, gradients);                                                         \
            return given.code == STATUS_OK ? backward(plan, inputs, outputs, grad_outputs, gradients) : given;                     \
        }))
#define CUDA_IMPLEMENTATION_FORWARD(name) CUDA_IMPLEMENTATION_WITH(name, nullptr)

#endif

#endif
