/* Whether an answer is right, before it is timed. One sequence of the output is compared with a reference in double precision,
 * within what rounding explains on that problem. docs/explanation/measuring.md describes it. */
#ifndef BENCH_MEASURE_VALIDATE_H
#define BENCH_MEASURE_VALIDATE_H

#include "bench/measure/subject.h"

struct checks {
    double iterate;  /* relative max-norm distance to the reference; what is held to the tolerance */
    double exact;    /* the same to the exact answer, NaN where that was not computed */
    double residual; /* of the answer, as a tolerance counts it */
    double tolerance;
    double rounding;     /* how much of it rounding explains; above VALIDATE_UNRESOLVED the problem is too sensitive */
    double apart;        /* of the reference iterate from the exact answer: below the tolerance nothing tells them apart; or NaN */
    const char *against; /* what the reference was */
};

/* Whether sequence b is a problem at all, before anything is run, and the same for every implementation: its exact answer, where that
 * takes seconds, exists and is within the limit of the regime. answers (h NULL: there is none) is what the others need of it. Without
 * one the finding says why, unless the iterates are defined all the same. False: the harness failed. */
bool validate_problem(const struct subject *subject, int64_t b, bool with_spectrum, struct answers *answers,
                      struct finding *finding, struct error *error);

/* True where the settings lead to an outcome that can be validated; else the finding says what is missing. */
bool validate_possible(const struct subject *subject, struct finding *finding);

/* Validates sequence b of subject->h, the outcome of forward() with that trace. answers: the exact answer of that sequence
 * (answers->h NULL: not computed). finding->result becomes wrong, or unsupported for a problem so sensitive that the dtype cannot
 * resolve it, with the reason; else it stays. False: out of memory. */
bool validate(const struct subject *subject, const struct answers *answers, int64_t b, const struct trace *trace,
              struct checks *checks, struct finding *finding, struct error *error);

/* The same after the timed calls. mirrored: the tensors are (tensors_mirror()), and subject->h is the answer to that: the answer's
 * sign is changed, the tolerance is the same. */
bool validate_again(const struct subject *subject, const struct answers *answers, int64_t b, bool mirrored,
                    const struct trace *trace, struct finding *finding, struct error *error);

/* Of a call that ended as diverged or singular: of a problem that the dtype cannot resolve the finding becomes unsupported, as it is
 * for those whose call ended. */
bool validate_failure(const struct subject *subject, struct finding *finding, struct error *error);

/* A tolerance (bench/problems/disturbance.h) above this would accept anything. */
#define VALIDATE_UNRESOLVED 0.05

#endif
