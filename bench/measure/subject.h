/* The start of every measure: the implementation of a point, whether it supports the problem, and the drawn problem with its
 * exact answer. */
#ifndef BENCH_MEASURE_SUBJECT_H
#define BENCH_MEASURE_SUBJECT_H

#include "bench/measure/measure.h"
#include "bench/problems/exact.h"
#include "bench/problems/inputs.h"
#include "bench/problems/spectrum.h"
#include "bench/problems/textbook.h"

struct subject {
    const struct implementation *implementation;
    struct settings settings;
    struct regime regime;
    struct environment environment;
    struct tensors tensors;
    void *h; /* (B,T,d) of the problem's dtype: what the implementation leaves */
};

/* Draws the inputs and allocates the outputs. one_by_one: the sequences will be solved separately, each in its own plan. After
 * success finding->result is ok, or unsupported with the reason; then nothing was drawn. False: the harness failed. */
bool subject_make(const struct point *point, bool one_by_one, const struct limits *limits, struct subject *subject,
                  struct finding *finding, struct error *error);
void subject_free(struct subject *subject);

/* What exact.h must not use for this subject: its own implementation in float64. */
const struct implementation *subject_tested(const struct subject *subject);

/* The sequence of the batch that a round validates: drawn with the seed (of a file the first), and the next one from round to round. */
int64_t subject_sequence(const struct subject *subject, const struct limits *limits);

/* True where no reference has the same iterates: only the residual of its answer can be checked. */
bool subject_outcome_only(const struct subject *subject);

/* Fills the outputs with NaN: other values found there later were computed. */
void subject_forget(struct subject *subject);

/* The exact answers of some sequences, from the first on, and what was measured of them. */
struct answers {
    int64_t n;
    double *h;          /* (n,T,d) */
    struct exact worst; /* the first that has no answer, or the largest of each figure */
    struct spectrum spectrum;
    struct yardstick yardstick;       /* of these sequences: what errors of an answer that is next to nothing are relative to */
    double lambda_most, lambda_least; /* max |lambda| and min lambda of these sequences */
};

/* Solves sequences first .. first + n - 1 with another implementation than the tested one (exact.h). Without an answer,
 * worst.status says so, with the place in the whole batch. */
bool answers_make(const struct tensors *tensors, const struct implementation *tested, int64_t first, int64_t n, bool with_spectrum,
                  struct answers *answers, struct error *error);
void answers_free(struct answers *answers);

/* Frees both at the end of a measure, and counts the time: the system frees large memory page by page. */
void subject_end(struct subject *subject, struct answers *answers, struct finding *finding);

/* What they say of the problem: no answer, or one beyond the limit, which an equation that is not met for its size is, too. False: the
 * finding has it, and nothing is to be measured. */
bool answers_usable(const struct answers *answers, double limit, struct finding *finding);

/* The record's "inputs" object. */
json_t *answers_to_json(const struct answers *answers);

/* n elements of a tensor of some dtype, from element `from` on, as doubles. */
void to_doubles(enum dtype dtype, const void *tensor, int64_t from, int64_t n, double *out);

#endif
