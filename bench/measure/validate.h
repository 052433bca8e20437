/* Whether an answer is right, before it is timed. One sequence of the output is compared with a reference in double precision,
 * within what rounding explains on that problem. docs/explanation/measuring.md describes it. */
#ifndef BENCH_MEASURE_VALIDATE_H
#define BENCH_MEASURE_VALIDATE_H

#include "bench/measure/subject.h"
#include "bench/problems/token_iteration.h"

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
 * (answers->h NULL: not computed). finding->result becomes wrong; or unsupported for a problem so sensitive that the dtype cannot
 * resolve it, with the reason; or elsewhere, of an exact implementation that is right but for the fixed point it followed; else it stays.
 * False: out of memory. */
bool validate(const struct subject *subject, const struct answers *answers, int64_t b, const struct trace *trace,
              struct checks *checks, struct finding *finding, struct error *error);

/* The same after the timed calls. mirrored: the tensors are (tensors_mirror()), and subject->h is the answer to that: the answer's
 * sign is changed, the tolerance is the same. */
bool validate_again(const struct subject *subject, const struct answers *answers, int64_t b, bool mirrored,
                    const struct trace *trace, struct finding *finding, struct error *error);

/* Whether h (T,d), an answer to one sequence in float64 that is not the exact one, has converged to another fixed point than the sequential
 * mode: it satisfies its own equation, within what rounding explains or what the tolerance of the settings left, and the first token at
 * which the two differ proves it (token_iteration.h). Never of the vector cell. False: out of memory. */
bool validate_parting(const struct subject *subject, const struct tensors *sequence, const double *h, const double *exact,
                      struct parting *parting, struct error *error);

/* The same of all sequences of answers, the first of the batch, as they lie in subject->h: how many of them there are, or -1 in cells
 * where none can be. What is ok, or inaccurate, becomes elsewhere, with the place where the first one parts. */
bool validate_elsewhere(const struct subject *subject, const struct answers *answers, int64_t *elsewhere, struct finding *finding,
                        struct error *error);

/* elsewhere, with its place. */
void finding_elsewhere(struct finding *finding, int64_t b, const struct parting *parting);

/* Of a call that ended as diverged, singular or without a stable point: of a problem that the dtype cannot resolve the finding becomes unsupported, as it is
 * for those whose call ended. */
bool validate_failure(const struct subject *subject, struct finding *finding, struct error *error);

/* A tolerance (bench/problems/disturbance.h) above this would accept anything. */
#define VALIDATE_UNRESOLVED 0.05

#endif
