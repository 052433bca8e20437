/* What every measure starts with: the implementation of a point, whether it can, and the drawn problem beside its exact answer. */
#ifndef BENCH_MEASURE_SUBJECT_H
#define BENCH_MEASURE_SUBJECT_H

#include "bench/measure/measure.h"
#include "bench/problems/exact.h"
#include "bench/problems/inputs.h"
#include "bench/problems/spectrum.h"

struct subject {
    const struct implementation *implementation;
    struct settings settings;
    struct regime regime;
    struct environment environment;
    struct tensors tensors;
    void *h; /* (B,T,d) of the problem's dtype: what the implementation leaves */
};

/* Draws the inputs and makes room for the outputs. one_by_one: its sequences will be solved by themselves, each in a plan of its own.
 * After success finding->result is ok, or unsupported with the reason, and then nothing was drawn. False: the harness failed. */
bool subject_make(const struct point *point, bool one_by_one, const struct limits *limits, struct subject *subject,
                  struct finding *finding, struct error *error);
void subject_free(struct subject *subject);

/* What exact.h must not compare this subject with: its own implementation, in float64. */
const struct implementation *subject_tested(const struct subject *subject);

/* Whether no reference has the same iterates: its answer can be held to its own residual alone. */
bool subject_outcome_only(const struct subject *subject);

/* Fills the outputs with NaN: what is found there afterwards was computed. */
void subject_forget(struct subject *subject);

/* The exact answers of some sequences, from the first on, and what was measured of them. */
struct answers {
    int64_t n;
    double *h;          /* (n,T,d) */
    struct exact worst; /* the first that has no answer, or the largest of each figure */
    struct spectrum spectrum;
    double lambda_most, lambda_least; /* max |lambda| and min lambda of these sequences */
};

/* Solves sequences first .. first + n - 1, by another implementation than the one that is tested (exact.h). Without an answer
 * worst.status says so, with the place in the whole batch. */
bool answers_make(const struct tensors *tensors, const struct implementation *tested, int64_t first, int64_t n, bool with_spectrum,
                  struct answers *answers, struct error *error);
void answers_free(struct answers *answers);

/* Frees both at a measure's end, and counts how long that takes: the system takes large memory back page by page. */
void subject_end(struct subject *subject, struct answers *answers, struct finding *finding);

/* The record's "inputs" object. */
json_t *answers_to_json(const struct answers *answers);

/* n elements of a tensor of some dtype, from element `from` on, as doubles. */
void to_doubles(enum dtype dtype, const void *tensor, int64_t from, int64_t n, double *out);

#endif
