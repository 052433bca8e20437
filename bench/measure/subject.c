/* See subject.h. */
#include "bench/measure/subject.h"

#include "bench/measure/cache.h"
#include "bench/base/clock.h"
#include "bench/base/parse.h"
#include "bench/base/random.h"
#include "bench/machine/machine_memory.h"
#include "bench/problems/disturbance.h"
#include "bench/problems/textbook.h"
#include "impls/contract/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool subject_make(const struct point *point, bool one_by_one, const struct limits *limits, struct subject *subject,
                  struct finding *finding, struct error *error)
{
    struct problem problem = point_problem(point), planned = problem;
    enum level level = point_level(point);
    *subject = (struct subject){.settings = point_settings(point),
                                .regime = point_regime(point),
                                .environment = {.threads = point_threads(point),
                                                .memory_limit = limits->memory_limit,
                                                .cache_bytes = machine_cache_bytes()}};
    if (!level_available(level)) {
        finding_say(finding, (enum result)STATUS_UNSUPPORTED, "this processor does not support %s", level_names[level]);
        return true;
    }
    subject->implementation = point_implementation(point);
    struct support support;
    planned.B = one_by_one ? 1 : problem.B;
    subject->implementation->supports(&planned, &subject->settings, &subject->environment, &support);
    if (!support.yes) {
        finding_say(finding, (enum result)STATUS_UNSUPPORTED, "%s", support.reason);
        return true;
    }
    int64_t n = problem.B * problem.T * problem.d;
    subject->h = memory_allocate(n, dtype_size(problem.dtype));
    if (subject->h == NULL)
        return fail_memory(error);
    double began = clock_seconds();
    bool made = tensors_make(point, limits->cache, limits->digest, &subject->tensors, error);
    finding->seconds[STAGE_INPUTS] = clock_seconds() - began;
    finding->changed = subject->tensors.changed;
    if (made)
        return true;
    if (!subject->tensors.out_of_reach)
        return false;
    finding_say(finding, (enum result)STATUS_UNSUPPORTED, "%s", error->text);
    return true;
}

const struct implementation *subject_tested(const struct subject *subject)
{
    return subject->tensors.problem.dtype == DTYPE_FLOAT64 ? subject->implementation : NULL;
}

int64_t subject_sequence(const struct subject *subject, const struct limits *limits)
{
    const struct regime *regime = &subject->regime;
    int64_t B = subject->tensors.problem.B;
    int64_t first = regime->file == NULL ? (int64_t)(random_uniform(regime->seed, STREAM_SEQUENCE, 0) * (double)B) : 0;
    return (first + limits->round) % B;
}

bool subject_outcome_only(const struct subject *subject)
{
    return !subject->implementation->exact && (subject->implementation->solver || subject->settings.patience > 0);
}

void subject_forget(struct subject *subject)
{
    const struct problem *p = &subject->tensors.problem;
    memset(subject->h, 0xff, (size_t)(p->B * p->T * p->d) * dtype_size(p->dtype)); /* all bits set is a NaN */
}

void subject_free(struct subject *subject)
{
    tensors_free(&subject->tensors);
    free(subject->h);
}

void to_doubles(enum dtype dtype, const void *tensor, int64_t from, int64_t n, double *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = dtype == DTYPE_FLOAT32 ? (double)((const float *)tensor)[from + i] : ((const double *)tensor)[from + i];
}

/* One sequence; its place in the batch is b. */
static bool solve(const struct tensors *tensors, const struct implementation *tested, int64_t b, bool with_spectrum, double *h,
                  struct answers *answers, struct error *error)
{
    struct tensors sequence;
    if (!tensors_sequence(tensors, b, &sequence, error))
        return false;
    const struct problem *p = &sequence.problem;
    struct exact exact;
    struct spectrum spectrum = {NAN, NAN, NAN, NAN};
    bool good = exact_solve(p, &sequence.inputs, tested, h, &exact, error);
    bool readable = good && (exact.status.code == STATUS_OK || (p->cell == CELL_VECTOR && p->feedback == FEEDBACK_NONE));
    if (readable && with_spectrum && !spectrum_sequence(p, &sequence.inputs, h, &spectrum))
        good = fail_memory(error);
    answers->spectrum.rho = spectrum_larger(answers->spectrum.rho, spectrum.rho);
    answers->spectrum.kappa = spectrum_larger(answers->spectrum.kappa, spectrum.kappa);
    answers->spectrum.norm = spectrum_larger(answers->spectrum.norm, spectrum.norm);
    answers->spectrum.norm_inf = spectrum_larger(answers->spectrum.norm_inf, spectrum.norm_inf);
    struct yardstick yardstick = inputs_yardstick(p, &sequence.inputs, tensors->problem.dtype);
    answers->yardstick.tiny = fmax(answers->yardstick.tiny, yardstick.tiny);
    answers->yardstick.scale = fmax(answers->yardstick.scale, yardstick.scale);
    if (sequence.inputs.lambda != NULL)
        answers->lambda_most = fmax(answers->lambda_most, norm_max(sequence.inputs.lambda, p->T * p->d));
    for (int64_t i = 0; sequence.inputs.lambda != NULL && i < p->T * p->d; i++)
        answers->lambda_least = fmin(answers->lambda_least, ((const double *)sequence.inputs.lambda)[i]);
    if (good && answers->worst.status.code == STATUS_OK) {
        answers->worst.status = exact.status;
        if (exact.status.b >= 0)
            answers->worst.status.b = b;
        answers->worst.largest = spectrum_larger(answers->worst.largest, exact.largest);
        answers->worst.residual = spectrum_larger(answers->worst.residual, exact.residual);
    }
    tensors_free(&sequence);
    return good;
}

bool answers_make(const struct tensors *tensors, const struct implementation *tested, int64_t first, int64_t n, bool with_spectrum,
                  struct answers *answers, struct error *error)
{
    int64_t size = tensors->problem.T * tensors->problem.d;
    *answers = (struct answers){
        .n = n, .worst.status = status_ok(), .lambda_least = INFINITY, .h = malloc((size_t)(n * size) * sizeof(double))};
    if (answers->h == NULL)
        return fail_memory(error);
    for (int64_t i = 0; i < n; i++)
        if (!solve(tensors, tested, first + i, with_spectrum, answers->h + i * size, answers, error)) {
            answers_free(answers);
            return false;
        }
    return true;
}

void answers_free(struct answers *answers)
{
    free(answers->h);
    answers->h = NULL;
}

bool answers_usable(const struct answers *answers, double limit, struct finding *finding)
{
    const struct exact *worst = &answers->worst;
    bool judged = worst->status.code == STATUS_OK || worst->status.code == STATUS_INTERNAL;
    if (judged && worst->largest > limit)
        finding_say(finding, RESULT_EXPLODES, "max|h*| = %.3g exceeds the limit of %g", worst->largest, limit);
    else if (worst->status.code != STATUS_OK)
        finding_status(finding, &worst->status);
    else
        return true;
    return false;
}

void subject_end(struct subject *subject, struct answers *answers, struct finding *finding)
{
    double since = clock_seconds();
    answers_free(answers);
    subject_free(subject);
    finding_lap(finding, STAGE_END, &since);
}

json_t *answers_to_json(const struct answers *a)
{
    return json_pack("{so so so so so so}", "rho", json_number(a->spectrum.rho), "kappa", json_number(a->spectrum.kappa), "norm",
                     json_number(a->spectrum.norm), "norm_inf", json_number(a->spectrum.norm_inf), "max_h",
                     json_number(a->worst.largest), "equation_residual", json_number(a->worst.residual));
}
