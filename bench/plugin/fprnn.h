/* fprnn.h: a kernel of your own for the benchmark of Fixed-Point RNNs, as a shared library outside its source tree.
 *
 * Build a shared library that exports one function, fprnn_plugin(), and name its file in a sweep: impls: [./my_kernel.so,
 * diagonal_scan]. This header stands alone: C11 or C++11, no other header of the project, no symbol of the host.
 *
 * The policy of this interface
 *   - Version: FPRNN_MAJOR.FPRNN_MINOR. A host refuses another major, and says both. A minor adds and takes nothing away: a
 *     plug-in of an earlier minor loads in every later host, and one of a later minor in an earlier host, which does not know
 *     what was added.
 *   - Every struct begins with its size in bytes, as whoever filled it knows it. Fields are only ever appended. A field that
 *     lies beyond the size is not there: FPRNN_HAS() asks. Arrays of structs are arrays of pointers, so that a struct may grow.
 *   - What there may one day be more of travels as words: cells, mixers, dtypes, options, tensors. A word that you do not know
 *     is nothing you can compute: say unsupported. The numbers of the constants below never change.
 *   - The host asks for nothing that you did not list: cells, mixers, dtypes, gradients, options and tensors. A problem with a
 *     tensor that you did not list is unsupported, and you are not called: a tensor that a later version adds to a cell is never
 *     silently ignored.
 *   - Memory: whoever allocates frees. What the host hands over stays its own: problem, settings and environment until destroy()
 *     returns, all else until the call returns. What fprnn_plugin() returns must stay as it is for ever (a static const struct).
 *   - plan() may allocate, choose and start threads. forward() and backward() are what is timed: arithmetic only. They are
 *     called many times with one plan, by the thread that made it; several plans may be alive at once.
 *   - Inputs lie in pages that cannot be written, outputs between pages that cannot be touched: whoever writes beyond ends at
 *     once.
 *   - The floating-point environment and signal handlers are the host's: whoever changes them for a while puts them back.
 *   - You print nothing and end nothing. What you print all the same goes to log.txt of the run.
 *   - B, T, d, N, r, m are batch, time, width, states of a channel, rank, and raw mixer parameters of a token. Equations:
 *     docs/mathematics.md and docs/explanation/cells.md of the benchmark. Every number is of the problem's dtype.
 */
#ifndef FPRNN_H
#define FPRNN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FPRNN_MAGIC UINT32_C(0x4e525046) /* "FPRN" */
#define FPRNN_MAJOR 1
#define FPRNN_MINOR 0

/* Whether a struct that one was given is large enough to have a field. */
#define FPRNN_HAS(object, type, field) ((object)->size >= offsetof(type, field) + sizeof((object)->field))

#if defined(__GNUC__)
#define FPRNN_EXPORT __attribute__((visibility("default")))
#else
#define FPRNN_EXPORT
#endif

/* ---- What is computed ------------------------------------------------------------------------------------------------------- */

/* The host's. Words that a cell has no use for are "none" or "outside", sizes 0. */
struct fprnn_problem {
    size_t size;
    const char *cell;     /* "vector": the state h is (B,T,d); "selective", "selective_heads", "delta": it is (d,N) a token */
    int64_t B, T, d;      /* each at least 1 */
    int64_t N;            /* all but vector: states of a channel; else 0 */
    int64_t heads;        /* selective_heads, delta: of d / heads channels each; else 0 */
    const char *mixer;    /* "none", "dplr", "householder", "kronecker", "dense", "kronecker_rows" */
    int64_t r;            /* rank, or number of Householder terms; delta: rank-1 steps of a token; 0 where there is none */
    int64_t m;            /* raw mixer parameters of a token: the last dimension of theta; 0 without a mixer */
    double s;             /* scale of I - Q; 0 where the mixer has none */
    const char *form;     /* vector: "normalised" (h = Lambda h + (1 - Lambda) v) or "plain" (h = Lambda h + v) */
    const char *feedback; /* what of the state before the mixer reads: "none", "raw" or "rms" */
    const char *reads;    /* selective: what beside the mixer reads y_{t-1}: "none", "dt", "bc", "dt+bc" */
    const char *norm;     /* selective: "none", "bc", "output" or "both" */
    const char *gate;     /* selective: "outside" or "inside" */
    const char *forget;   /* delta: "none" or "head" */
    const char *dtype;    /* "float32" or "float64": of every tensor */
};

/* A tensor: row-major and contiguous as of this version; the strides say so. At least 64-byte aligned. */
struct fprnn_tensor {
    size_t size;
    const char *name;      /* "v", "lambda", ... as in docs/howto/write-a-plugin.md; outputs "h" or "y", and "final" */
    const char *dtype;     /* that of the problem */
    const char *device;    /* "cpu": data is an address of the host's memory */
    int32_t rank;          /* dimensions */
    int32_t reserved;      /* 0 */
    const int64_t *shape;  /* (rank) elements along each dimension */
    const int64_t *stride; /* (rank) elements from one to the next along each dimension */
    void *data;            /* inputs must not be written */
};

/* A list of them, in no order that means anything: find them by name. What is missing is not there; an initial state that is not
 * there is zero. */
struct fprnn_tensors {
    size_t size;
    int64_t n;
    const struct fprnn_tensor *const *tensor; /* (n) */
};

/* ---- How it is computed ----------------------------------------------------------------------------------------------------- */

struct fprnn_option {
    size_t size;
    const char *name, *value; /* "chunk" "64" */
};

/* Of an exact plug-in only gradient, gradient_steps and the options mean anything. */
struct fprnn_settings {
    size_t size;
    int64_t l_max;          /* iterations: exactly so many without a tolerance, at most so many with one */
    double tolerance;       /* of the residual of a sequence, max over tokens of max|f(h)-h| / max|f(h)|; 0: none */
    double quantile;        /* share of the sequences that must be below it before all stop, in (0,1] */
    double damping;         /* delta of h <- delta f(h) + (1 - delta) h, in (0,1] */
    double damping_factor;  /* delta is multiplied by this ... */
    int64_t patience;       /* ... when a sequence's residual has not improved for so many iterations; 0: never */
    const char *gradient;   /* which backward() is asked for: "none", "exact" or "steps" */
    int64_t gradient_steps; /* "steps": how many */
    int64_t n_options;
    const struct fprnn_option *const *option; /* (n_options) those of the sweep, each of your list */
};

struct fprnn_environment {
    size_t size;
    int32_t threads;       /* to compute with, at least 1 */
    int32_t reserved;      /* 0 */
    uint64_t memory_limit; /* bytes; 0: none */
    uint64_t cache_bytes;  /* of the largest cache; 0: not known */
};

/* ---- What comes back -------------------------------------------------------------------------------------------------------- */

enum fprnn_code {
    FPRNN_OK = 0,
    FPRNN_UNSUPPORTED = 1,
    FPRNN_OUT_OF_MEMORY = 2,
    FPRNN_NOT_CONVERGED = 3,   /* a tolerance was asked for and l_max came first; the outputs hold the last iterate */
    FPRNN_DIVERGED = 4,        /* NaN or infinity at (b,t) */
    FPRNN_SINGULAR = 5,        /* no exact answer: singular at (b,t) */
    FPRNN_NO_STABLE_POINT = 6, /* selective: the iteration of the token (b,t) alone settles nowhere */
    FPRNN_INTERNAL = 7
};

/* The host's struct, which says FPRNN_OK when you get it. */
struct fprnn_status {
    size_t size;
    int32_t code;      /* enum fprnn_code */
    int32_t reserved;  /* 0 */
    int64_t b, t;      /* the place, counted from 0, or -1 */
    char message[160]; /* why, terminated */
};

/* The host's struct, which says yes when you get it. */
struct fprnn_support {
    size_t size;
    int32_t yes;         /* 0: no, with a reason */
    int32_t reserved;    /* 0 */
    char reason[160];    /* in words, with the figure: "d = 100 is not a multiple of 8" */
    uint64_t host_bytes; /* what plan() will take beside the tensors */
};

/* The least traffic and arithmetic of one forward(), caches ignored: for the share of the machine's limits. The host's struct,
 * whose numbers are NaN when you get it: what you leave is not known. */
struct fprnn_work {
    size_t size;
    double bytes, operations; /* a multiply-add counts 2; exp and the like 1 */
    double set;               /* bytes of the smallest working set that this traffic can be served from */
    double exponentials;      /* those of a decay that all states share; else leave it */
};

/* What happened on the way: filled by forward(). Arrays may be NULL, and then are not asked for. An exact plug-in leaves it
 * alone. */
struct fprnn_trace {
    size_t size;
    int64_t l_run;       /* iterations carried out: the outputs are the l_run-th iterate */
    double applications; /* evaluations of f a token, averaged over tokens */
    int64_t *l;          /* (B) first iteration whose residual was below the tolerance; 0: never, or none was asked for */
    double *residual;    /* (l_max,B) residuals */
    const int64_t *keep; /* (n_keep) ascending numbers of iterations, from 1, whose iterates are wanted */
    int64_t n_keep;
    const int64_t *sequences; /* (n_sequences) of which sequences */
    int64_t n_sequences;
    void *iterates; /* (n_keep,n_sequences,T,d) to be filled */
    int64_t n_kept; /* how many of keep[] were reached */
};

/* ---- The plug-in ------------------------------------------------------------------------------------------------------------ */

struct fprnn_plan; /* yours */

struct fprnn_plugin {
    uint32_t magic;        /* FPRNN_MAGIC; these four stay where they are in every version */
    uint32_t major, minor; /* FPRNN_MAJOR, FPRNN_MINOR: of the header that it was built with */
    uint32_t size;         /* sizeof(struct fprnn_plugin) */

    const char *name;    /* letters, digits and _ */
    const char *summary; /* one line */
    const char
        *kind; /* "exact": computes the answer itself; "iterative": its l-th iterate is that of the definition, and checked as
                          * such; "solver": its iterates are its own, and where they lead is checked */

    /* What it takes: lists of words that end with NULL. */
    const char *const *cells;     /* "vector" */
    const char *const *mixers;    /* "none": without a mixer */
    const char *const *dtypes;    /* "float32" */
    const char *const *gradients; /* "exact", "steps"; NULL: none. With any, there is a backward() */
    const char *const *tensors;   /* "v", "lambda", "h0": every tensor that it reads, initial states too */
    const char *options; /* its own options: "split=time|batch chunk=": one of two words, a whole number from 1 on; NULL: none */

    /* Optional: no, with a reason, for what the lists cannot say. Allocates nothing. */
    void (*supports)(const struct fprnn_problem *, const struct fprnn_settings *, const struct fprnn_environment *,
                     struct fprnn_support *);
    /* Optional: of one forward() with l iterations. */
    void (*count)(const struct fprnn_problem *, const struct fprnn_settings *, const struct fprnn_environment *, int64_t l,
                  struct fprnn_work *);
    /* Allocates and chooses; leaves a plan, or a status that is not ok and nothing to free. */
    void (*plan)(const struct fprnn_problem *, const struct fprnn_settings *, const struct fprnn_environment *,
                 struct fprnn_plan **, struct fprnn_status *);
    /* Outputs: "h" (vector) or "y" (others), (B,T,d), and where it is asked for "final", the state after the last token, (B,d) or
     * (B,d,N). The trace is NULL where nobody wants one. */
    void (*forward)(struct fprnn_plan *, const struct fprnn_tensors *inputs, const struct fprnn_tensors *outputs,
                    struct fprnn_trace *, struct fprnn_status *);
    /* Optional: the gradient of a scalar loss, at the outputs that forward() left for these inputs. grad_outputs: its
     * derivatives by the outputs, those that are not there zero. gradients: to be written, not added to, named and shaped as the
     * inputs; what is not there is not asked for. */
    void (*backward)(struct fprnn_plan *, const struct fprnn_tensors *inputs, const struct fprnn_tensors *outputs,
                     const struct fprnn_tensors *grad_outputs, const struct fprnn_tensors *gradients, struct fprnn_status *);
    void (*destroy)(struct fprnn_plan *);
};

/* The one symbol that a plug-in exports. host: major << 16 | minor of the host's header. NULL: it cannot work with that one. */
FPRNN_EXPORT const struct fprnn_plugin *fprnn_plugin(uint32_t host);

/* ---- Help, for plug-ins; nothing here is needed ------------------------------------------------------------------ */

static inline int fprnn_is(const char *word, const char *other)
{
    return word != NULL && strcmp(word, other) == 0;
}

/* The address of a tensor's numbers; NULL where it is not there. */
static inline void *fprnn_data(const struct fprnn_tensors *tensors, const char *name)
{
    for (int64_t i = 0; tensors != NULL && i < tensors->n; i++)
        if (strcmp(tensors->tensor[i]->name, name) == 0)
            return tensors->tensor[i]->data;
    return NULL;
}

/* The value of an option; NULL where the sweep does not give it. */
static inline const char *fprnn_option_value(const struct fprnn_settings *settings, const char *name)
{
    for (int64_t i = 0; i < settings->n_options; i++)
        if (strcmp(settings->option[i]->name, name) == 0)
            return settings->option[i]->value;
    return NULL;
}

/* Says why it did not work, at no place in particular. */
static inline void fprnn_fail(struct fprnn_status *status, enum fprnn_code code, const char *message)
{
    status->code = (int32_t)code;
    status->b = status->t = -1;
    strncpy(status->message, message, sizeof status->message - 1);
    status->message[sizeof status->message - 1] = '\0';
}

/* Says why a problem is unsupported. */
static inline void fprnn_refuse(struct fprnn_support *support, const char *reason)
{
    support->yes = 0;
    strncpy(support->reason, reason, sizeof support->reason - 1);
    support->reason[sizeof support->reason - 1] = '\0';
}

#ifdef __cplusplus
}
#endif

#endif
