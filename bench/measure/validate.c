/* See validate.h. */
#include "bench/measure/validate.h"

#include "bench/base/random.h"
#include "bench/measure/place.h"
#include "bench/problems/textbook.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNITS 200.0

static double unit(enum dtype dtype)
{
    return dtype == DTYPE_FLOAT32 ? 0x1p-24 : 0x1p-53;
}

double validate_rounding(enum dtype dtype)
{
    return UNITS * unit(dtype);
}

/* A problem may be chaotic, so near the dtype's rounding; but above the rounding of double itself. */
double validate_disturbance(enum dtype dtype)
{
    return 2 * unit(dtype) * (dtype == DTYPE_FLOAT64 ? 1000 : 1);
}

bool tensors_disturbed(const struct tensors *tensors, double size, uint64_t seed, struct tensors *disturbed, struct error *error)
{
    if (!tensors_sequence(tensors, 0, disturbed, error))
        return false;
    const struct problem *p = &disturbed->problem;
    int64_t m = problem_m(p);
    const int64_t n[5] = {p->T * p->d, p->T * p->d, p->T * m, m * p->d, p->d};
    disturbed->problem.s *= 1 + size * random_normal(seed, STREAM_DISTURBANCE + 5, 0);
    for (int i = 0; i < 5; i++) {
        double *x = disturbed->owned[i];
        for (int64_t k = 0; x != NULL && k < n[i]; k++) {
            double change = size * random_normal(seed, STREAM_DISTURBANCE + (uint32_t)i, (uint64_t)k);
            x[k] += i == 2 ? change * (1 + fabs(x[k])) : change * x[k];
        }
    }
    return true;
}

/* One reference: the exact answer (l = 0), or a textbook iterate. NaN everywhere where there is none. */
static bool refer(const struct tensors *sequence, const struct implementation *tested, double damping, int64_t l, double *h,
                  double *residual, struct error *error)
{
    const struct problem *p = &sequence->problem;
    if (l > 0)
        return textbook_iterate(p, &sequence->inputs, damping, l, h, residual) || fail_memory(error);
    struct exact exact;
    if (!exact_solve(p, &sequence->inputs, tested, h, &exact, error))
        return false;
    for (int64_t i = 0; i < p->T * p->d && exact.status.code != STATUS_OK; i++)
        h[i] = NAN;
    return true;
}

/* The tolerance for one reference h. */
static bool tolerance_of(const struct tensors *sequence, const struct implementation *tested, enum dtype dtype, double damping,
                         int64_t l, const double *h, double *tolerance, struct error *error)
{
    double size = validate_disturbance(dtype), sensitivity = 1;
    int64_t n = sequence->problem.T * sequence->problem.d;
    double *moved = malloc((size_t)n * sizeof *moved);
    bool good = moved != NULL || fail_memory(error);
    for (uint64_t seed = 1; seed <= VALIDATE_DISTURBANCES && good; seed++) {
        struct tensors disturbed;
        good = tensors_disturbed(sequence, size, seed, &disturbed, error);
        if (good) {
            good = refer(&disturbed, tested, damping, l, moved, NULL, error);
            sensitivity = fmax(sensitivity, distance_max(moved, h, n) / size);
            tensors_free(&disturbed);
        }
    }
    free(moved);
    *tolerance = validate_rounding(dtype) * sensitivity;
    return good;
}

/* The number of iterations that an answer claims to be must be one that was asked for. */
static bool plausible(const struct subject *subject, const struct trace *trace)
{
    const struct settings *settings = &subject->settings;
    if (subject->implementation->exact)
        return true;
    return settings->tolerance > 0 ? trace->l_run >= 1 && trace->l_run <= settings->l_max : trace->l_run == settings->l_max;
}

/* An answer h (T,d) against its reference. *i: the element that is furthest from it. again: the tolerance and kind of checks are known already. */
static bool check(const struct subject *subject, const struct tensors *sequence, const double *exact, const struct trace *trace,
                  bool again, const double *h, double *reference, int64_t *i, struct checks *checks, struct error *error)
{
    const struct problem *p = &sequence->problem;
    const struct settings *settings = &subject->settings;
    enum dtype dtype = subject->tensors.problem.dtype;
    int64_t n = p->T * p->d;
    if (!textbook_apply(p, &sequence->inputs, h, reference))
        return fail_memory(error);
    double equation = distance_max(h, reference, n), last = 0;
    checks->residual = textbook_residual(p, h, reference);
    checks->exact = exact != NULL ? distance_max(h, exact, n) : NAN;
    *i = place_furthest(h, reference, n);

    if (subject->implementation->exact) {
        checks->against = exact != NULL ? "the exact answer, and its own equation" : "its own equation";
        checks->iterate = exact != NULL ? spectrum_larger(checks->exact, equation) : equation;
        if (exact != NULL && !(checks->exact < equation)) {
            memcpy(reference, exact, (size_t)n * sizeof *reference);
            *i = place_furthest(h, reference, n);
        }
        checks->tolerance = again ? checks->tolerance : validate_rounding(dtype);
        return again || exact == NULL ||
               tolerance_of(sequence, subject_tested(subject), dtype, 1, 0, exact, &checks->tolerance, error);
    }
    /* whether delta shrinks can hang on a rounding error, and iterates of a solver are its own: only the outcome can be checked */
    if (subject_outcome_only(subject)) {
        checks->against = "its own residual";
        *i = place_of_residual(p, h, reference);
        checks->iterate = isfinite(equation) ? checks->residual : INFINITY;
        checks->tolerance = fmin(2 * settings->tolerance, 0.5);
        return true;
    }
    checks->against = "the textbook iterate";
    if (!refer(sequence, NULL, settings->damping, trace->l_run, reference, &last, error))
        return false;
    checks->iterate = distance_max(h, reference, n);
    *i = place_furthest(h, reference, n);
    if (settings->tolerance > 0 && settings->quantile == 1 && !(last < 1.01 * settings->tolerance + validate_rounding(dtype)))
        checks->iterate = INFINITY; /* the right iterate, but not one at which to stop */
    return again || tolerance_of(sequence, NULL, dtype, settings->damping, trace->l_run, reference, &checks->tolerance, error);
}

static bool run_check(const struct subject *subject, const double *exact, int64_t b, const struct trace *trace, bool again,
                      struct checks *checks, struct finding *finding, struct error *error)
{
    struct tensors sequence;
    if (!plausible(subject, trace)) {
        finding_say(finding, RESULT_WRONG, "reports %lld of %lld iterations run", (long long)trace->l_run,
                    (long long)subject->settings.l_max);
        return true;
    }
    if (!tensors_sequence(&subject->tensors, b, &sequence, error))
        return false;
    int64_t n = sequence.problem.T * sequence.problem.d;
    double *h = malloc((size_t)n * sizeof *h), *reference = malloc((size_t)n * sizeof *h);
    bool good = (h != NULL && reference != NULL) || fail_memory(error);
    int64_t i = 0;
    if (good) {
        to_doubles(subject->tensors.problem.dtype, subject->h, b * n, n, h);
        good = check(subject, &sequence, exact, trace, again, h, reference, &i, checks, error);
    }
    if (good && checks->tolerance > VALIDATE_UNRESOLVED && !subject_outcome_only(subject))
        finding_say(finding, (enum result)STATUS_UNSUPPORTED, "too sensitive for %s: rounding alone moves the answer by %.2g",
                    dtype_names[subject->tensors.problem.dtype], checks->tolerance);
    else if (good && !(checks->iterate <= checks->tolerance))
        place_say(&sequence.problem, b, i, subject->tensors.problem.dtype, h, reference, again ? ", after the timed calls" : "",
                  checks, finding);
    free(h);
    free(reference);
    tensors_free(&sequence);
    return good;
}

bool validate_possible(const struct subject *subject, struct finding *finding)
{
    const struct settings *settings = &subject->settings;
    const char *missing = !(settings->tolerance > 0) ? "a fixed number of iterations: use a tolerance"
                          : settings->quantile < 1   ? "sequences that need not have converged: use quantile 1"
                                                     : NULL;
    if (!subject_outcome_only(subject) || missing == NULL)
        return true;
    finding_say(finding, (enum result)STATUS_UNSUPPORTED, "%s cannot be validated by %s",
                subject->implementation->solver ? "a solver" : "damping with patience", missing);
    return false;
}

bool validate(const struct subject *subject, const struct answers *answers, int64_t b, const struct trace *trace,
              struct checks *checks, struct finding *finding, struct error *error)
{
    *checks = (struct checks){NAN, NAN, NAN, NAN, NULL};
    return run_check(subject, answers->h, b, trace, false, checks, finding, error);
}

bool validate_again(const struct subject *subject, int64_t b, const struct trace *trace, const struct checks *before,
                    struct finding *finding, struct error *error)
{
    struct checks checks = *before;
    return run_check(subject, NULL, b, trace, true, &checks, finding, error);
}
