/* The table of warnings: what can disturb a measurement, from which threshold on, and the remedies. A warning changes no value
 * and no result. */
#ifndef BENCH_JOURNAL_WARNING_H
#define BENCH_JOURNAL_WARNING_H

#include <jansson.h>
#include <stdbool.h>

/* The precautions that a run already takes, so that nobody is told to take them. */
struct precautions {
    int rounds, samples; /* asked for */
    bool until;          /* more rounds until intervals are narrow */
    bool pinned;         /* threads are bound to places */
    char governor[32];   /* of the clock; "" where it is not visible, as in a virtual machine */
    bool turbo;          /* may be switched off, and is not */
    char product[400];   /* what the environment does to matrix products, in a sentence; "" where it does nothing */
};

/* Fills in what machine.json says: pinned, governor, turbo, product. */
void precautions_of_machine(const json_t *facts, struct precautions *precautions);

/* Whether threads are bound, by OMP_PLACES, OMP_PROC_BIND and GOMP_CPU_AFFINITY; NULL where one is not set. */
bool threads_are_pinned(const char *places, const char *bind, const char *affinity);

struct remedy {
    const char *text;
    bool (*settled)(const struct precautions *precautions); /* in use already, or of no use here; NULL: never */
};

enum { REMEDIES_MAX = 4 };

struct warning {
    const char *code;
    double threshold;   /* a figure above it is worth a warning; all figures grow with the harm */
    const char *figure; /* format of the figure, after "at worst" */
    double unit;        /* by which it is multiplied for that */
    const char *cause;
    struct remedy remedy[REMEDIES_MAX];
    bool product; /* what precautions say of matrix products stands below the cause */
};

enum warning_code {
    WARNING_BUSY,
    WARNING_STEAL,
    WARNING_CLOCK,
    WARNING_THROTTLE,
    WARNING_QUOTA,
    WARNING_SMT,
    WARNING_FIRST_SLOW,
    WARNING_WIDE,
    WARNING_FEW_ROUNDS,
    WARNING_MEMORY,
    WARNING_SHARE,
    WARNING_BLAS_FORCED,
    WARNING_COUNT
};

extern const struct warning warnings[WARNING_COUNT];

/* Notes {"code":, "figure":} in a list when the figure is above the threshold (NaN is not); of a code that is there already the
 * larger figure stays. False when out of memory. */
bool warning_note(json_t *list, enum warning_code code, double figure);

/* The entry of a code in a list, or NULL. */
json_t *warning_in(const json_t *list, enum warning_code code);

/* An entry of such a list as records in memory have it (bench/journal/packed.h). */
struct warned {
    double figure;
    int rounds; /* that have it; of a merged record (bench/report/summary.h) */
    enum warning_code code;
};

#endif
