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
    const char *against; /* what the reference was */
};

/* True where the settings lead to an outcome that can be validated; else the finding says what is missing. */
bool validate_possible(const struct subject *subject, struct finding *finding);

/* Validates sequence b of subject->h, the outcome of forward() with that trace. answers: the exact answer of that sequence
 * (answers->h NULL: not computed). finding->result becomes wrong, or unsupported for a problem so sensitive that the dtype cannot
 * resolve it, with the reason; else it stays. False: out of memory. */
bool validate(const struct subject *subject, const struct answers *answers, int64_t b, const struct trace *trace,
              struct checks *checks, struct finding *finding, struct error *error);

/* The same for other inputs, after the timed calls: with the tolerance found before, and without the exact answer. */
bool validate_again(const struct subject *subject, int64_t b, const struct trace *trace, const struct checks *before,
                    struct finding *finding, struct error *error);

/* The tolerance: a number of rounding units of the dtype, times the relative change of the reference when every input changes by
 * one unit. The change is measured, with that many disturbances of the inputs of that size. A tolerance above
 * VALIDATE_UNRESOLVED would accept anything. */
double validate_rounding(enum dtype dtype);
double validate_disturbance(enum dtype dtype);
enum { VALIDATE_DISTURBANCES = 2 };
#define VALIDATE_UNRESOLVED 0.05

/* The tensors of one sequence in float64, each element times 1 + size * (a standard normal). theta is also shifted by as much (a
 * raw value of 0 is not an exact value of its sigmoid), and s is scaled likewise. */
bool tensors_disturbed(const struct tensors *tensors, double size, uint64_t seed, struct tensors *disturbed, struct error *error);

#endif
