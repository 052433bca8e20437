/* The contract that every implementation of the recurrence meets, and the public header of this room.
 *
 * A problem says WHAT is computed, inputs hold its tensors, settings say HOW it is iterated, an implementation computes it.
 * Everything that allocates or chooses happens in plan(); forward() and backward() are arithmetic only, so timing them is honest.
 * Nothing here prints, exits, reads files or the environment: errors are returned as a status.
 *
 * B, T, d, r, l are batch, time, width, rank and iterations. Every tensor is row-major and contiguous, of the problem's dtype.
 */
#ifndef IMPLS_IMPL_H
#define IMPLS_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- What is computed ------------------------------------------------------------------------------------------------- */

/* The recurrence of one family of layers: what its state is, and which tensors it takes (impls/contract/cell.c; docs/explanation/cells.md).
 * vector: the state is a vector of d channels. selective: it is a matrix of d channels by N states (Mamba; with a mixer FP-Mamba). delta:
 * likewise, in heads, each token changing it by r rank-1 steps (DeltaNet, Gated DeltaNet, DeltaProduct). selective_heads: as selective, but
 * with one decay a head and token (Mamba-2). */
enum cell { CELL_VECTOR, CELL_SELECTIVE, CELL_DELTA, CELL_SELECTIVE_HEADS, CELL_COUNT };

/* The channel mixer Q of the factored transition (docs/mathematics.md has the definitions). To add one: its name here; what it takes in
 * impls/contract/mixer.c; its arithmetic in impls/math/mixer_<name>.c; its definition, to be validated against, in
 * bench/problems/textbook_mixer.c; how it is drawn in bench/problems/regime.c. */
// clang-format off
#define MIXERS(X)                     \
    X(NONE, none)                     \
    X(DPLR, dplr)                     \
    X(HOUSEHOLDER, householder)       \
    X(KRONECKER, kronecker)           \
    X(DENSE, dense)                   \
    X(KRONECKER_ROWS, kronecker_rows)
// clang-format on
#define MIXER_CONSTANT(NAME, name) MIXER_##NAME,
enum mixer { MIXERS(MIXER_CONSTANT) MIXER_COUNT };

enum form { FORM_NORMALISED, FORM_PLAIN, FORM_COUNT }; /* with, or without, the input gate G = I - Lambda */

/* What of the previous state h_{t-1} the mixer parameters read: nothing, h itself, or h / sqrt(mean h^2 + 1e-6). */
enum feedback { FEEDBACK_NONE, FEEDBACK_RAW, FEEDBACK_RMS, FEEDBACK_COUNT };

enum dtype { DTYPE_FLOAT32, DTYPE_FLOAT64, DTYPE_COUNT };

/* selective: what beside the mixer reads the output before, y_{t-1}: nothing, the step dt, the vectors b and c, or all three. */
enum reads { READS_NONE, READS_DT, READS_BC, READS_DT_BC, READS_COUNT };

/* selective, selective_heads: what is normalised: nothing (Mamba); b and c, each to length 1 over the N states; the output over its d channels, by
 * a LayerNorm, of selective_heads by an RMSNorm (Mamba-2); or both (FP-Mamba). */
enum norm { NORM_NONE, NORM_BC, NORM_OUTPUT, NORM_BOTH, NORM_COUNT };

/* selective, selective_heads: where the output is gated with SiLU(z): outside, by whoever calls, or inside the map. */
enum gate { GATE_OUTSIDE, GATE_INSIDE, GATE_COUNT };

/* delta: what a token forgets of the state beside its steps: nothing, or by a number g of each head, all of it but e^g. */
enum forget { FORGET_NONE, FORGET_HEAD, FORGET_COUNT };

struct problem {
    enum cell cell;
    int64_t B, T, d;
    int64_t N;     /* states a channel; 0 in the cell vector */
    int64_t heads; /* delta, selective_heads: of d / heads channels each; 0 in other cells */
    enum mixer mixer;
    int64_t r; /* rank or number of Householder terms, which may exceed d; delta: rank-1 steps a token; 0 where there is none */
    double s;  /* scale of I - Q; 0 where the mixer has none */
    enum form form;
    enum feedback feedback;
    enum reads reads; /* selective; 0 in others */
    enum norm norm;   /* these two of selective and selective_heads; 0 in others */
    enum gate gate;
    enum forget forget; /* delta; 0 in others */
    enum dtype dtype;
};

/* The words of these enumerations, as sweep files and records spell them. */
extern const char *const cell_names[CELL_COUNT];
extern const char *const mixer_names[MIXER_COUNT];
extern const char *const form_names[FORM_COUNT];
extern const char *const feedback_names[FEEDBACK_COUNT];
extern const char *const reads_names[READS_COUNT];
extern const char *const norm_names[NORM_COUNT];
extern const char *const gate_names[GATE_COUNT];
extern const char *const forget_names[FORGET_COUNT];
extern const char *const dtype_names[DTYPE_COUNT];

/* False, with the reason in words, when no implementation could mean anything by this problem: a size below 1, rank 0, a rank where
 * the mixer has none, ... Every supports() refuses such a problem, and settings and environments alike. */
bool problem_check(const struct problem *problem, size_t capacity, char *reason);

/* One line such as "vector (4,256,32) householder r=1 s=1 normalised float64"; always terminated. */
void problem_print(const struct problem *problem, size_t capacity, char *text);

size_t dtype_size(enum dtype dtype); /* bytes */

/* What is known of a mixer apart from its arithmetic. */
struct mixer_facts {
    int64_t (*m)(const struct problem *);         /* raw parameters a token; NULL: none */
    int64_t (*strengths)(const struct problem *); /* how many of them, at their end, are strengths before a sigmoid; NULL: none */
    bool takes_r, takes_s;
    bool product;  /* of r factors, not a sum of r terms: I - Q = U F^{-1} S U^T, F = I + S tril(U^T U, strict) */
    bool factored; /* I - Q = A x B, a Kronecker product (impls/math/factored.h) */
    bool given;    /* theta is Q itself */
};
extern const struct mixer_facts mixer_facts[MIXER_COUNT];

/* Number m of raw mixer parameters a token (paper, Sec. 3.3 and App. C.3). */
int64_t problem_m(const struct problem *problem);

int64_t problem_strengths(const struct problem *problem);

/* Whether I - Q = U E U^T with r vectors u (MIXERS_LOW_RANK); r = 0 without a mixer. */
bool problem_low_rank(const struct problem *problem);

/* Kronecker factors n1 * n2 = d, n1 the largest divisor of d not above sqrt(d). */
void kronecker_sizes(int64_t d, int64_t *n1, int64_t *n2);

/* Every tensor of every cell. Which of them a problem has, and in which shape, the row of its cell says (impls/contract/cell.c). */
// clang-format off
#define TENSORS(EACH)                                                                                         \
    EACH(V, v)            /* (B,T,d) vector: the driven input B_t x_t; delta: (B,T,r,d) values */             \
    EACH(LAMBDA, lambda)  /* (B,T,d) vector: the diagonal sequence mixer */                                   \
    EACH(THETA, theta)    /* (B,T,m) raw mixer parameters, before activation */                               \
    EACH(W, W)            /* (m,d) what they read: theta_t += W k(h_{t-1}); selective: of y_{t-1} */          \
    EACH(H0, h0)          /* (B,d) vector: initial state */                                                   \
    EACH(X, x)            /* (B,T,d) selective and selective_heads, as all below: what enters the recurrence */ \
    EACH(DT, dt)          /* (B,T,d) step, above 0; where it reads y_{t-1}: before its softplus; in heads (B,T,heads) */ \
    EACH(A, A)            /* (d,N) rates: the decay is exp(-dt A); in heads (heads) */                        \
    EACH(B, b)            /* (B,T,N) input vector, before it is normalised */                                 \
    EACH(C, c)            /* (B,T,N) output vector, before it is normalised */                                \
    EACH(SKIP, skip)      /* (d) what of the input passes by the state; in heads (heads) */                   \
    EACH(GAIN, gain)      /* (d) of the norm */                                                               \
    EACH(BIAS, bias)      /* (d) of the LayerNorm */                                                          \
    EACH(W_B, W_b)        /* (N,d) b_t += W_b y_{t-1} */                                                      \
    EACH(W_C, W_c)        /* (N,d) c_t += W_c y_{t-1} */                                                      \
    EACH(W_DT, W_dt)      /* (d,d) dt_t += W_dt y_{t-1} */                                                    \
    EACH(Z, z)            /* (B,T,d) the gate inside the map, before its SiLU */                              \
    EACH(MATRIX0, H0)     /* (B,d,N) initial state */                                                         \
    EACH(Y0, y0)          /* (B,d) the output before the first token */                                       \
    EACH(Q, q)            /* (B,T,heads,N) delta: queries */                                                  \
    EACH(K, k)            /* (B,T,r,heads,N) keys, of length 1 where steps are to be reflections */           \
    EACH(BETA, beta)      /* (B,T,r,heads) strengths: 0 nothing, 1 a projection, 2 a reflection */            \
    EACH(G, g)            /* (B,T,heads) what is kept of the state, before its exponential */
// clang-format on
#define TENSOR_CONSTANT(NAME, name) TENSOR_##NAME,
enum tensor_id { TENSORS(TENSOR_CONSTANT) TENSORS_MAX };

/* Tensors of one problem, by name or by number; NULL where it has none, and initial states where they are zero. They may overlap
 * one another; what is written, outputs and gradients, may overlap nothing. A pass that is called otherwise is unsupported, and nothing
 * is written. */
#define TENSOR_READ(NAME, name) const void *name;
#define TENSOR_WRITTEN(NAME, name) void *name;
struct inputs {
    union {
        struct {
            TENSORS(TENSOR_READ)
        };
        const void *tensor[TENSORS_MAX];
    };
};

struct outputs {
    union {
        void *h; /* (B,T,d) vector: the state */
        void *y; /* (B,T,d) in other cells: the output, which is what is iterated on */
    };
    void *final; /* the state after the last token, (B,d) or (B,d,N); may be NULL */
    void *start; /* (B,T,d), of settings.further alone: the iterate before these applications; may be NULL */
};

/* Gradients of a scalar loss with respect to the inputs; overwritten, not added to. NULL members are not computed. */
struct gradients {
    union {
        struct {
            TENSORS(TENSOR_WRITTEN)
        };
        void *tensor[TENSORS_MAX];
    };
};

/* ---- How it is computed ------------------------------------------------------------------------------------------------ */

enum { ITERATIONS_MAX = 1000000 }; /* of each number of iterations below */

enum gradient { GRADIENT_NONE, GRADIENT_EXACT, GRADIENT_STEPS };

struct option {
    char name[24], value[24]; /* "split" "time" */
};

enum { OPTIONS_MAX = 8 };

/* Exact implementations read gradient, gradient_steps and options only, and give the same answer whatever the rest is. */
struct settings {
    int64_t l_max;         /* iterations, at least 1: exactly so many without a tolerance, at most so many with one */
    double tolerance;      /* on the residual of a sequence; 0: none, the answer is the l_max-th iterate; never negative */
    double quantile;       /* share of the sequences that must have converged before all stop, in (0,1] */
    double damping;        /* delta of h <- delta f(h) + (1 - delta) h at the start, in (0,1]; 1: undamped */
    double damping_factor; /* delta is multiplied by this, in (0,1], ... */
    int64_t patience;      /* ... when a sequence's residual has not improved for so many iterations; 0: never */
    int64_t further;       /* applications of f after all that, undamped: the answer is f^further of the iterate; 0: none */
    enum gradient gradient;
    int64_t gradient_steps; /* n of the n-step gradient, at least 1 */
    struct option option[OPTIONS_MAX];
    int n_options;
};

/* Value of an implementation's own option, or NULL when it is not set. */
const char *settings_option(const struct settings *settings, const char *name);

/* Whether an option is one of those that a text such as "split=batch|channels|time depth=" lists: a name with the words that it
 * takes, or with none: any value; in a sweep file only whole numbers from 1 on. NULL lists none. */
bool option_allowed(const char *options, const struct option *option);

enum level { LEVEL_BASELINE, LEVEL_AVX2, LEVEL_AVX512, LEVEL_COUNT }; /* instruction level */
extern const char *const level_names[LEVEL_COUNT];

enum level level_best(void); /* the highest that this machine executes */
bool level_available(enum level level);

enum { THREADS_MAX = 1024 };

struct environment {
    int threads;         /* 1 to THREADS_MAX */
    size_t memory_limit; /* bytes that a plan and its tensors may take; 0: not limited */
    size_t cache_bytes;  /* of the largest cache: what exceeds it is not found again; 0: not known */
};

/* ---- What comes back --------------------------------------------------------------------------------------------------- */

enum status_code {
    STATUS_OK,
    STATUS_UNSUPPORTED,
    STATUS_OUT_OF_MEMORY,
    STATUS_NOT_CONVERGED,   /* a tolerance was asked for and l_max came first; the outputs hold the last iterate */
    STATUS_DIVERGED,        /* NaN or Inf at (b,t) */
    STATUS_SINGULAR,        /* no exact answer: Q_t or M_t is singular at (b,t) */
    STATUS_NO_STABLE_POINT, /* selective: no exact answer: the iteration of the token (b,t) alone settles nowhere */
    STATUS_INTERNAL,
    STATUS_COUNT
};
extern const char *const status_names[STATUS_COUNT];

struct status {
    enum status_code code;
    int64_t b, t; /* the place, counted from 0, or -1 */
    char message[160];
};

struct status status_ok(void);
struct status status_at(enum status_code code, int64_t b, int64_t t, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What a status says, with its place where there is one: "sequence 1, t 4: the state is not finite". */
enum { STATUS_SIZE = 224 };
void status_print(const struct status *status, char text[STATUS_SIZE]);

/* What happened on the way. The first group is filled by forward(); every array is the caller's and may be NULL. The second group
 * is the caller's question: the iterates of a few sequences, so that the harness can measure the true error itself. */
struct trace {
    int64_t *l;          /* (B) l*: first iteration whose residual was below the tolerance; 0: never, or none was asked for */
    double *residual;    /* (l_max,B) max over tokens of max|f(h)-h| / max|f(h)|, 0/0 = 0 */
    int64_t l_run;       /* iterations carried out: the outputs are the l_run-th iterate; 0 for exact implementations */
    double applications; /* evaluations of f per token, averaged over tokens; 0 for exact implementations */
    int64_t n_kept;      /* how many of keep[] were reached */

    const int64_t *keep; /* (n_keep) ascending iteration numbers, from 1 */
    int64_t n_keep;
    const int64_t *sequences; /* (n_sequences) indices into the batch */
    int64_t n_sequences;
    void *iterates; /* (n_keep,n_sequences,T,d) */
};

struct support {
    bool yes;
    char reason[160];  /* in words, with the figure, when not */
    size_t host_bytes; /* what plan() would take beside the tensors */
    size_t device_bytes;
};

/* The least traffic and arithmetic of one forward() at l iterations, as this implementation is written, caches ignored. */
struct work {
    double bytes, operations; /* a multiply-add counts 2; exp and the like count 1, but for ... */
    double set;               /* bytes of the smallest working set that this traffic can be served from */
    bool library;             /* much of it is a library's, which chooses its instructions whatever the level */
    double exponentials;      /* those of a cell in which every state decays by one: they have a rate of their own */
};

/* ---- The contract ------------------------------------------------------------------------------------------------------ */

enum device { DEVICE_CPU, DEVICE_CUDA, DEVICE_COUNT };
extern const char *const device_names[DEVICE_COUNT];

enum { GRADIENTS_NONE = 0, GRADIENTS_EXACT = 1, GRADIENTS_STEPS = 2 }; /* bits of implementation.gradients */
enum {
    CELLS_VECTOR = 1 << CELL_VECTOR,
    CELLS_SELECTIVE = 1 << CELL_SELECTIVE,
    CELLS_DELTA = 1 << CELL_DELTA,
    CELLS_SELECTIVE_HEADS = 1 << CELL_SELECTIVE_HEADS
}; /* bits of implementation.cells */

/* Bits of implementation.mixers. Any: of an implementation that knows mixers by the functions of impls/math/mixer.h alone. */
enum {
    MIXERS_NONE = 1 << MIXER_NONE,
    MIXERS_LOW_RANK = MIXERS_NONE | 1 << MIXER_DPLR | 1 << MIXER_HOUSEHOLDER, /* I - Q = U E U^T, E (r,r): impls/math/low_rank.h */
    MIXERS_ANY = (1 << MIXER_COUNT) - 1
};

struct plan; /* each implementation's own; used by one thread at a time, and never sharing mutable state with another */

/* One build of one implementation: for one cell, one dtype and one instruction level. Slots marked optional may be NULL. */
struct implementation {
    const char *name, *summary;
    const char *options; /* its own options, as option_allowed() reads them; NULL: none */
    enum device device;
    bool exact;   /* computes the dense RNN itself, not an iterate on the way to it */
    bool solver;  /* its iterates are its own: only where they lead is defined by the problem (docs/explanation/solvers.md) */
    bool further; /* takes settings.further; exact implementations need not, since f leaves their answer as it is */
    unsigned cells, mixers, gradients; /* what it takes, as bits: supports() refuses all else */

    /* Answers without allocating. */
    void (*supports)(const struct problem *, const struct settings *, const struct environment *, struct support *);
    void (*count)(const struct problem *, const struct settings *, const struct environment *, int64_t l, struct work *);

    /* On success *plan owns everything forward() needs; after a failure it is NULL. What supports() refuses is unsupported here, too. */
    struct status (*plan)(const struct problem *, const struct settings *, const struct environment *, struct plan **plan);

    /* Optional: devices. upload() copies inputs to the device, download() outputs from it; forward() works on the copies that lie
     * there, and has ended when it returns. */
    struct status (*upload)(struct plan *, const struct inputs *);
    struct status (*forward)(struct plan *, const struct inputs *, const struct outputs *, struct trace *); /* trace optional */

    /* Optional. The gradient that the settings ask for (docs/mathematics.md, Gradients), at the outputs that forward() left for
     * these inputs; an n-step one begins at outputs.h (with settings.further: hand over outputs.start there). grad_outputs are the derivatives of the loss with respect to the outputs, either NULL for zero.
     * The gradient of an initial state is computed where it is asked for, also when inputs has none. Statuses are forward()'s. */
    struct status (*backward)(struct plan *, const struct inputs *, const struct outputs *, const struct outputs *grad_outputs,
                              const struct gradients *);

    struct status (*download)(struct plan *, const struct outputs *); /* optional: devices */
    struct status (*flush)(struct plan *); /* optional: devices; nothing of the plan's tensors is found in a cache afterwards */
    double (*elapsed)(struct plan *);      /* optional: seconds the device spent in the last forward or backward */
    void (*destroy)(struct plan *);        /* NULL is allowed */
};

/* forward() for a caller whose tensors are in host memory, whatever the device: upload before and download after it. A trace and its
 * arrays are the host's in any case, as are the tensors that backward() takes and leaves: it carries them over itself. */
struct status implementation_forward(const struct implementation *, struct plan *, const struct inputs *, const struct outputs *,
                                     struct trace *);

/* The table of all implementations, in the order of registry.c. Variants of one index differ in cell, dtype and level. */
int registry_count(void);
int registry_find(const char *name);                                                      /* index, or -1 */
const struct implementation *registry_get(int index, enum dtype dtype, enum level level); /* for the first cell that it takes */

/* For some cell; where it does not take that one, what registry_get() returns, which says so in supports(). */
const struct implementation *registry_get_for(int index, enum cell cell, enum dtype dtype, enum level level);

#ifdef __cplusplus
}
#endif

#endif
