/* What every implementation's supports() and plan() need alike. */
#ifndef IMPLS_CONTRACT_SUPPORT_H
#define IMPLS_CONTRACT_SUPPORT_H

#include "impls/impl.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Answers no, with the reason. */
void support_no(struct support *support, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Starts the answer of an implementation: yes, unless problem, settings or environment make no sense (the checks below), the
 * problem has a cell or a mixer that is not among its bits, a setting names an option that it does not list (option_allowed()), or
 * asks for a gradient that it does not have. False after a no. */
bool support_begin(struct support *support, const struct problem *problem, const struct settings *settings,
                   const struct environment *environment, const struct implementation *implementation);

/* Ends it: bytes is what plan() takes; no when that and the tensors of the problem, and of its gradient where one is asked for,
 * exceed the environment's limit. */
void support_memory(struct support *support, const struct problem *problem, const struct settings *settings,
                    const struct environment *environment, double bytes);

/* One letter a dimension of a tensor, in a cell's row: "BTd" is (B,T,d). */
struct tensor_row {
    enum tensor_id id;
    char shape[6];                       /* of B, T, d, N, m; r; h: heads */
    bool (*has)(const struct problem *); /* whether a problem of this cell has it; NULL: always */
    const char *needs;                   /* what in a sweep file would give it a use */
    bool initial;                        /* an initial state: may be missing, which is zero */
    bool odd;                            /* with the sign of all odd tensors turned, that of the answer turns */
};

/* A cell: which tensors its problems have, in the order in which everybody lists them; the shape of its final state; and what of a
 * problem it uses. */
struct cell_facts {
    struct tensor_row tensors[TENSORS_MAX];
    int n;
    char final[4];
    const char *output;             /* name of what is iterated on, (B,T,d) */
    enum tensor_id driven, initial; /* what drives it, (B,T,d) or (B,T,r,d); what comes before its first token */
    unsigned mixers, feedbacks;     /* bits of enum mixer and enum feedback that it knows */
    unsigned reads;                 /* bits of enum reads */
    bool has_N;
    bool has_norm;  /* and gate; a family that has mixers, if not in this cell */
    bool has_heads; /* d channels are divided among heads */
    bool has_steps; /* an r of its own, and forget */
    bool has_form;
};
extern const struct cell_facts cell_facts[CELL_COUNT];
extern const char *const tensor_names[TENSORS_MAX];

/* What the problem's cell says of a tensor; NULL where it knows none of that kind. */
const struct tensor_row *tensor_row(const struct problem *problem, enum tensor_id id);

/* Writes the shape and returns its rank; 0 where the cell has no such tensor. */
enum { TENSOR_DIMENSIONS = 5 };
int tensor_shape(const struct problem *problem, enum tensor_id id, int64_t shape[TENSOR_DIMENSIONS]);

/* Elements; 0 where the problem has no such tensor. Initial states count: they are there or not as whoever calls likes. */
int64_t tensor_elements(const struct problem *problem, enum tensor_id id);

/* Whether each sequence has its own, as the first dimension. */
bool tensor_of_batch(const struct problem *problem, enum tensor_id id);

/* Elements that belong to one sequence: all of them where every sequence has the same. */
int64_t tensor_of_sequence(const struct problem *problem, enum tensor_id id);

/* Elements of the final state. */
int64_t final_elements(const struct problem *problem);

/* Whether the final state is the output of the last token, and not a state beside it. */
bool final_is_output(const struct problem *problem);

/* Bytes of the tensors of a problem: inputs and outputs. */
double problem_bytes(const struct problem *problem);

/* Operations of the products of a token's vectors that a low-rank step needs: U^T G U, and U^T U where Q is a product. */
double grams_operations(const struct problem *problem);

/* False, with the reason in words, for what no implementation could mean anything by. One that does not iterate reads only the
 * gradient and the options of its settings, so that only they must make sense. */
bool settings_check(const struct settings *settings, bool iterates, size_t capacity, char *reason);
bool environment_check(const struct environment *environment, size_t capacity, char *reason);

/* What every plan() begins with: nothing is planned yet, and what supports() refuses is unsupported, with its reason. */
struct status plan_begin(const struct implementation *implementation, const struct problem *problem,
                         const struct settings *settings, const struct environment *environment, struct plan **plan);

/* What every forward() and backward() begins with: unsupported, with the reason, where a tensor that the problem needs is missing,
 * one that it does not have is given or asked for, or one that is written shares memory with any other. planned: whether the plan
 * was made with a gradient. */
struct status forward_check(const struct problem *problem, const struct inputs *inputs, const struct outputs *outputs);
struct status backward_check(const struct problem *problem, bool planned, const struct inputs *inputs,
                             const struct outputs *outputs, const struct outputs *grad_outputs, const struct gradients *gradients);

/* Aligned for any vector register; NULL when there is no memory. Freed with free(). */
void *memory_allocate(int64_t count, size_t size);

struct status status_no_memory(void);

/* A whole number from 1 on as the value of an option, or the fallback where it is not set; 0 for what is neither. */
int64_t option_count(const struct settings *settings, const char *name, int64_t fallback);

/* The trace of an implementation that does not iterate. */
void trace_exact(const struct problem *problem, struct trace *trace);

/* Of one that does: before the first iteration, and after iteration l, whose iterate h (B,T,d) is copied where the caller asked for
 * it. trace may be NULL. */
void trace_begin(const struct problem *problem, struct trace *trace);
bool trace_keeps(const struct trace *trace, int64_t l); /* whether it would be copied */
void trace_keep(const struct problem *problem, struct trace *trace, int64_t l, const void *h);

/* not_converged: so many sequences were below the tolerance after the last of l iterations. */
struct status status_not_converged(const struct problem *problem, int64_t converged, int64_t l);

/* Starts the OpenMP team of this thread, so that the first forward() does not, and turns off the threads of OpenBLAS, which would
 * fight with it over the processors. */
void team_start(int threads);

#ifdef __cplusplus
}
#endif

#endif
