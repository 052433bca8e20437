/* The table of measures: what can be measured of a point. How is in bench/measure/, one file a measure, named after it. */
#ifndef BENCH_SWEEP_MEASURES_H
#define BENCH_SWEEP_MEASURES_H

#include <stdbool.h>

/* X(name, which fields its points use, whether its figures differ from process to process: it is measured in several rounds) */
// clang-format off
#define MEASURES(X)                                       \
    X(convergence, OF_RECURRENCE,               false)    \
    X(throughput,  OF_RECURRENCE | OF_TIMED,    true)     \
    X(gradient,    OF_RECURRENCE | OF_GRADIENT, false)    \
    X(reach,       OF_RECURRENCE | OF_REACH,    false)    \
    X(training,    OF_TRAINING,                 false)    \
    X(accuracy,    OF_ACCURACY,                 false)    \
    X(memory,      OF_RECURRENCE | OF_GRADIENT, false)    \
    X(roots,       OF_RECURRENCE,               false)
// clang-format on

struct measure {
    const char *name;
    unsigned of;  /* one of OF_RECURRENCE, ... of field.h */
    bool repeats; /* its figures differ from process to process */
};

extern const struct measure measures[];

/* Spelling of the i-th measure, NULL past the last. */
const char *measure_word(int index);

#endif
