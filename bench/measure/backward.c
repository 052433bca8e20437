/* See backward.h. */
#include "bench/measure/backward.h"

#include "bench/base/random.h"
#include "bench/measure/place.h"
#include "bench/problems/disturbance.h"
#include "bench/problems/tensor_place.h"
#include "bench/problems/textbook.h"
#include "impls/contract/support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VALIDATION_SECONDS 15 /* a gradient is validated where its reference takes less */

/* ---- What backward() is given and leaves --------------------------------------------------------------------------------- */

/* The loss: a random linear function of h, given by its derivative. */
static bool sample_loss(const struct problem *p, uint64_t seed, struct backward *backward)
{
    int64_t n = p->B * p->T * p->d;
    backward->drawn = memory_allocate(n, sizeof(double));
    backward->adjoints.h = memory_allocate(n, dtype_size(p->dtype));
    if (backward->drawn == NULL || backward->adjoints.h == NULL)
        return false;
    for (int64_t i = 0; i < n; i++) { /* what float32 holds, so that both dtypes get the same one */
        float value = (float)random_normal(seed, STREAM_LOSS, (uint64_t)i);
        backward->drawn[i] = (double)value;
        if (p->dtype == DTYPE_FLOAT32)
            ((float *)backward->adjoints.h)[i] = value;
        else
            ((double *)backward->adjoints.h)[i] = (double)value;
    }
    return true;
}

bool backward_open(const struct subject *subject, struct backward *backward, struct error *error)
{
    const struct problem *p = &subject->tensors.problem;
    struct tensor tensor[TENSORS_MAX];
    size_t n = tensors_list(&subject->tensors, tensor);
    *backward = (struct backward){.dtype = p->dtype};
    bool good = sample_loss(p, subject->regime.file == NULL ? subject->regime.seed : 1, backward);
    for (size_t k = 0; k < n && good; k++)
        for (int i = 0; i < TENSORS_MAX && good; i++) {
            if (strcmp(tensor[k].name, tensor_names[i]) != 0)
                continue;
            backward->n[i] = (int64_t)(tensor[k].bytes / dtype_size(p->dtype));
            backward->sequence[i] = tensor_of_sequence(p, (enum tensor_id)i);
            backward->shared = backward->shared || !tensor_of_batch(p, (enum tensor_id)i);
            backward->gradients.tensor[i] = memory_allocate(backward->n[i], dtype_size(p->dtype));
            good = backward->gradients.tensor[i] != NULL;
        }
    if (good)
        backward_forget(backward);
    return good || fail_memory(error);
}

void backward_close(struct backward *backward)
{
    for (int i = 0; i < TENSORS_MAX; i++)
        free(backward->gradients.tensor[i]);
    free(backward->drawn);
    free(backward->adjoints.h);
}

void backward_forget(struct backward *backward)
{
    for (int i = 0; i < TENSORS_MAX; i++)
        if (backward->n[i] > 0)
            memset(backward->gradients.tensor[i], 0xff, (size_t)backward->n[i] * dtype_size(backward->dtype));
}

bool backward_there(const struct problem *problem, const struct backward *backward, struct finding *finding)
{
    for (int i = 0; i < TENSORS_MAX; i++)
        for (int64_t k = 0; k < backward->n[i]; k++) {
            char place[TENSOR_PLACE_SIZE];
            double given;
            to_doubles(backward->dtype, backward->gradients.tensor[i], k, 1, &given);
            if (isfinite(given))
                continue;
            tensor_place(problem, (enum tensor_id)i, k / backward->sequence[i], k % backward->sequence[i], place);
            finding_say(finding, RESULT_WRONG, "the gradient of %s at %s is not finite, although backward() returned ok",
                        tensor_names[i], place);
            return false;
        }
    return true;
}

/* ---- References ----------------------------------------------------------------------------------------------------------- */

/* Where the gradient of this subject is defined: by whom it is computed in double precision, and how. */
struct definition {
    const struct implementation *implementation;
    struct settings settings;
    const char *name;
};

/* What the adjoint's iteration ends at when its tolerance is reached is defined by the settings to within that tolerance alone. */
static bool is_approached(const struct subject *subject)
{
    return !subject->implementation->exact && subject->settings.gradient == GRADIENT_EXACT && subject->settings.tolerance > 0;
}

/* Where a residual in the subject's dtype can be below its tolerance. */
static double loosened(const struct subject *subject)
{
    return fmin(1.01 * subject->settings.tolerance + rounding_allowed(subject->tensors.problem.dtype), 1);
}

static struct definition iterated(const struct subject *subject)
{
    const struct settings *settings = &subject->settings;
    int index = registry_find("fixed_point");
    enum cell cell = subject->tensors.problem.cell;
    return (struct definition){.implementation = registry_get_for(index, cell, DTYPE_FLOAT64, level_best()),
                               .settings = {.l_max = settings->l_max > 0 ? settings->l_max : 1,
                                            .tolerance = is_approached(subject) ? loosened(subject) : 0,
                                            .quantile = 1,
                                            .damping = 1,
                                            .gradient = settings->gradient,
                                            .gradient_steps = settings->gradient_steps},
                               .name = settings->gradient == GRADIENT_STEPS ? "the n-step gradient" : "the adjoint's l-th iterate"};
}

/* The exact gradient of an iterative implementation without a tolerance is solved, or the adjoint is iterated l times: both are it.
 * */
static bool is_either(const struct subject *subject)
{
    return !subject->implementation->exact && subject->settings.gradient == GRADIENT_EXACT && !is_approached(subject);
}

/* Whether the exact gradient is that of one application of the textbook's map, so that differences of that hold it, whoever computes it. */
static bool is_one_application(const struct problem *p)
{
    return p->cell == CELL_DELTA || p->cell == CELL_SELECTIVE_HEADS;
}

static struct definition defined(const struct subject *subject, const struct problem *sequence, bool by_iteration)
{
    double operations;
    const struct implementation *tested = is_one_application(sequence) ? NULL : subject_tested(subject);
    if (subject->settings.gradient == GRADIENT_STEPS || by_iteration)
        return iterated(subject);
    return (struct definition){.implementation = exact_choose(sequence, tested, GRADIENT_EXACT, &operations),
                               .settings = {.l_max = 1, .quantile = 1, .damping = 1, .gradient = GRADIENT_EXACT},
                               .name = "the exact gradient"};
}

/* Seconds that a definition's gradient of one sequence takes; infinity where it cannot be had. Going back costs up to four times
 * as much as an iteration, or a solution, does; and differences of the textbook (differ()) are four applications of it. */
static double cost(const struct definition *definition, const struct problem *sequence)
{
    const struct environment environment = {.threads = 1};
    bool steps = definition->settings.gradient == GRADIENT_STEPS;
    struct support support = {.yes = false};
    struct work work;
    if (definition->implementation != NULL)
        definition->implementation->supports(sequence, &definition->settings, &environment, &support);
    if (!support.yes)
        return INFINITY;
    definition->implementation->count(sequence, &definition->settings, &environment,
                                      steps ? definition->settings.gradient_steps : definition->settings.l_max, &work);
    double textbook = is_one_application(sequence) ? exact_by_textbook_operations(sequence) : 0;
    return 4 * (work.operations + textbook) / EXACT_OPERATIONS_A_SECOND;
}

/* The gradients of one sequence at h (T,d): none of these implementations keeps anything of a forward pass. Where it ends otherwise
 * than well, what it left is no answer. False: out of memory. */
static bool refer(const struct definition *definition, const struct tensors *sequence, const double *h, const double *adjoint,
                  double *const to[TENSORS_MAX], struct error *error)
{
    const struct environment environment = {.threads = 1};
    const struct outputs outputs = {.h = (double *)(uintptr_t)h}, adjoints = {.h = (double *)(uintptr_t)adjoint};
    struct gradients gradients = {0};
    struct plan *plan;
    for (int i = 0; i < TENSORS_MAX; i++)
        gradients.tensor[i] = to[i];
    struct status status = definition->implementation->plan(&sequence->problem, &definition->settings, &environment, &plan);
    if (status.code != STATUS_OK)
        return fail(error, "%s", status.message);
    status = definition->implementation->backward(plan, &sequence->inputs, &outputs, &adjoints, &gradients);
    definition->implementation->destroy(plan);
    double *driven = to[cell_facts[sequence->problem.cell].driven];
    if (status.code != STATUS_OK && status.code != STATUS_NOT_CONVERGED && driven != NULL)
        driven[0] = NAN;
    return true;
}

/* One sequence of a subject, the gradients that its definition has there, and others to compare those with. */
struct reference {
    struct tensors sequence;
    double *h; /* (T,d) */
    double *value[TENSORS_MAX], *other[TENSORS_MAX];
    struct yardstick yardstick[TENSORS_MAX]; /* what is nothing beside the loss, and what it is relative to */
    double slack[TENSORS_MAX];               /* relative distances that the settings allow beside those of rounding */
};

static bool reference_open(const struct subject *subject, const struct backward *backward, struct reference *reference,
                           struct error *error)
{
    const struct problem *p = &subject->tensors.problem;
    *reference = (struct reference){.h = malloc((size_t)(p->T * p->d) * sizeof(double))};
    bool good = reference->h != NULL;
    for (int i = 0; i < TENSORS_MAX && good; i++) {
        if (backward->n[i] == 0)
            continue;
        reference->value[i] = malloc((size_t)backward->sequence[i] * sizeof(double));
        reference->other[i] = malloc((size_t)backward->sequence[i] * sizeof(double));
        good = reference->value[i] != NULL && reference->other[i] != NULL;
    }
    return good || fail_memory(error);
}

static void reference_close(struct reference *reference)
{
    for (int i = 0; i < TENSORS_MAX; i++) {
        free(reference->value[i]);
        free(reference->other[i]);
    }
    free(reference->h);
}

/* n numbers, each times 1 + size * (a standard normal). */
static void disturb(const double *x, int64_t n, double size, uint64_t seed, uint32_t stream, double *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = x[i] * (1 + size * disturbance_draw(seed, stream, i, n));
}

/* What the rounding of the dtype explains, as for answers (validate.h): inputs, h and the derivative of the loss are disturbed a
 * little. */
static bool measure_tolerances(const struct definition *definition, const struct reference *reference, const double *adjoint,
                               struct backward *backward, struct error *error)
{
    int64_t n = reference->sequence.problem.T * reference->sequence.problem.d;
    double size = rounding_disturbance(backward->dtype), sensitivity[TENSORS_MAX];
    double *h = malloc((size_t)(2 * n) * sizeof *h);
    bool good = h != NULL || fail_memory(error);
    for (int i = 0; i < TENSORS_MAX; i++)
        sensitivity[i] = 1;
    for (uint64_t seed = 1; seed <= ROUNDING_DISTURBANCES && good && h != NULL; seed++) {
        struct tensors disturbed;
        good = tensors_disturbed(&reference->sequence, size, seed, &disturbed, error);
        if (!good)
            break;
        disturb(reference->h, n, size, seed, STREAM_DISTURBANCE_H, h);
        disturb(adjoint, n, size, seed, STREAM_DISTURBANCE_LOSS, h + n);
        good = refer(definition, &disturbed, h, h + n, reference->other, error);
        for (int i = 0; i < TENSORS_MAX && good; i++)
            sensitivity[i] = fmax(
                sensitivity[i],
                distance_max_to(reference->other[i], reference->value[i], backward->sequence[i], &reference->yardstick[i]) / size);
        tensors_free(&disturbed);
    }
    free(h);
    for (int i = 0; i < TENSORS_MAX; i++)
        backward->tolerance[i] = rounding_allowed(backward->dtype) * sensitivity[i];
    return good;
}

/* A gradient times its tensor is what the loss loses without that; where that is within rounding of what the loss is summed from, as where
 * the answer does not depend on the tensor at all, only the loss itself is a measure of it. */
static void measure_loss(const struct backward *backward, const double *adjoint, struct reference *reference)
{
    const struct problem *p = &reference->sequence.problem;
    int64_t n = p->T * p->d;
    double slope = norm_max(adjoint, n), loss = slope * norm_max(reference->h, n);
    for (int i = 0; i < TENSORS_MAX; i++) {
        const double *tensor = reference->sequence.owned[i];
        double size = tensor != NULL ? norm_max(tensor, backward->sequence[i]) : 0, tiny = rounding_tiny(backward->dtype);
        double scale = size > 0 && loss > 0 ? loss / size : slope;
        reference->yardstick[i] = (struct yardstick){fmax(tiny, rounding_nothing(backward->dtype) * scale), scale};
    }
}

/* Sequence b of the subject in double precision, and its gradients into to. */
static bool refer_to(const struct definition *definition, const struct subject *subject, const struct backward *backward, int64_t b,
                     struct reference *reference, double *const to[TENSORS_MAX], struct error *error)
{
    int64_t n = subject->tensors.problem.T * subject->tensors.problem.d;
    if (!tensors_sequence(&subject->tensors, b, &reference->sequence, error))
        return false;
    to_doubles(backward->dtype, subject->h, b * n, n, reference->h);
    measure_loss(backward, backward->drawn + b * n, reference);
    return refer(definition, &reference->sequence, reference->h, backward->drawn + b * n, to, error);
}

/* ---- The reference itself ------------------------------------------------------------------------------------------------- */

/* Relative, of differences. A token's Kronecker factors can turn within 1e-4, and its rows where their norm passes the floor of
 * 1e-5: differences that disagree are taken again with a smaller step. */
static const double STEPS[] = {1e-5, 1e-7};
#define OVERFLOW_NEAR 1e6 /* products on the way may be so much larger than what comes of them */
#define DIFFERENCE 1e-6   /* relative, of what is left of them after extrapolation */

/* The loss after n applications of the textbook's map from h (T,d) on. scratch: (2,T,d). False: out of memory. */
static bool loss_after(const struct tensors *sequence, int64_t n, const double *h, const double *adjoint, double *scratch,
                       double *loss)
{
    int64_t size = sequence->problem.T * sequence->problem.d;
    for (int64_t k = 0; k < n; k++) {
        double *next = scratch + k % 2 * size;
        if (!textbook_apply(&sequence->problem, &sequence->inputs, h, next))
            return false;
        h = next;
    }
    *loss = 0;
    for (int64_t i = 0; i < size; i++)
        *loss += adjoint[i] * h[i];
    return true;
}

/* An n-step gradient in double precision, and an exact one of one application, is that of implementations which share its arithmetic, so it
 * is held to what the textbook says, which shares none: along one random direction of all inputs its product with the direction is the
 * slope of the loss. *apart: their distance over what such a product amounts to, less what differences cannot resolve. */
static bool differ(const struct definition *definition, const struct reference *reference, const double *adjoint,
                   const struct backward *backward, double step, double *apart, struct error *error)
{
    static const int places[] = {-2, -1, 1, 2};
    const struct tensors *sequence = &reference->sequence;
    int64_t n = sequence->problem.T * sequence->problem.d;
    int64_t steps = is_one_application(&sequence->problem) ? 1 : definition->settings.gradient_steps;
    double loss[4] = {0}, product = 0, size = 0;
    struct tensors moved[4] = {0};
    double *scratch = malloc((size_t)(2 * n) * sizeof *scratch);
    bool good = scratch != NULL || fail_memory(error);
    for (int k = 0; k < 4 && good && scratch != NULL; k++) {
        good = tensors_disturbed(sequence, places[k] * step, 1, &moved[k], error);
        if (!good)
            break;
        moved[k].problem.s = sequence->problem.s; /* is no input */
        good = loss_after(&moved[k], steps, reference->h, adjoint, scratch, &loss[k]) || fail_memory(error);
    }
    for (int i = 0; i < TENSORS_MAX && good; i++) {
        const double *before = moved[1].owned[i], *after = moved[2].owned[i];
        for (int64_t k = 0; before != NULL && after != NULL && k < backward->sequence[i]; k++) {
            double one = reference->value[i][k] * (after[k] - before[k]) / 2;
            product += one;
            size += one * one;
        }
    }
    double near = (loss[2] - loss[1]) / 2, slope = (8 * (loss[2] - loss[1]) - (loss[3] - loss[0])) / 12;
    *apart = size > 0 ? (fabs(product - slope) - fabs(slope - near)) / sqrt(size) : 0;
    for (int k = 0; k < 4; k++)
        tensors_free(&moved[k]);
    free(scratch);
    return good;
}

/* ---- Validation ----------------------------------------------------------------------------------------------------------- */

/* Adds to the gradients of tensors that belong to no sequence, in to, those of all sequences but b. */
static bool add_others(const struct definition *definition, const struct subject *subject, const struct backward *backward,
                       int64_t b, double *const to[TENSORS_MAX], struct error *error)
{
    const struct problem *p = &subject->tensors.problem;
    bool good = true;
    double *one[TENSORS_MAX] = {NULL};
    struct reference reference = {.h = malloc((size_t)(p->T * p->d) * sizeof(double))};
    for (int i = 0; i < TENSORS_MAX; i++)
        if (backward->n[i] > 0 && !tensor_of_batch(p, (enum tensor_id)i)) {
            one[i] = malloc((size_t)backward->n[i] * sizeof(double));
            good = good && one[i] != NULL;
        }
    good = (good && reference.h != NULL) || fail_memory(error);
    for (int64_t other = 0; other < p->B && good; other++) {
        if (other == b)
            continue;
        good = refer_to(definition, subject, backward, other, &reference, one, error);
        for (int i = 0; i < TENSORS_MAX && good; i++)
            for (int64_t k = 0; one[i] != NULL && k < backward->n[i]; k++)
                to[i][k] += one[i][k];
        tensors_free(&reference.sequence);
    }
    for (int i = 0; i < TENSORS_MAX; i++)
        free(one[i]);
    free(reference.h);
    return good;
}

/* Lets gradients that are approached be twice as far away as the same iteration in double precision ends. */
static bool allow_approach(const struct subject *subject, const struct backward *backward, int64_t b, struct reference *reference,
                           struct error *error)
{
    struct definition approach = iterated(subject);
    int64_t n = subject->tensors.problem.T * subject->tensors.problem.d;
    if (!refer(&approach, &reference->sequence, reference->h, backward->drawn + b * n, reference->other, error) ||
        (backward->shared && !add_others(&approach, subject, backward, b, reference->other, error)))
        return false;
    for (int i = 0; i < TENSORS_MAX; i++)
        reference->slack[i] =
            2 * distance_max_to(reference->other[i], reference->value[i], backward->sequence[i], &reference->yardstick[i]);
    return true;
}

/* How far the gradients that were left are from the reference: of the one that is nearest to its tolerance, or farthest beyond. */
static bool compare(const struct backward *backward, int64_t b, const struct reference *reference, int *tensor,
                    struct checks *checks, struct error *error)
{
    double worst = -1;
    for (int i = 0; i < TENSORS_MAX; i++) {
        if (backward->n[i] == 0)
            continue;
        to_doubles(backward->dtype, backward->gradients.tensor[i],
                   backward->sequence[i] == backward->n[i] ? 0 : b * backward->sequence[i], backward->sequence[i],
                   reference->other[i]);
        double distance =
                   distance_max_to(reference->other[i], reference->value[i], backward->sequence[i], &reference->yardstick[i]),
               tolerance = backward->tolerance[i] + reference->slack[i];
        if (!(distance / tolerance > worst))
            continue;
        worst = distance / tolerance;
        checks->iterate = distance;
        checks->tolerance = tolerance;
        *tensor = i;
    }
    return worst >= 0 || fail(error, "no gradient to validate");
}

/* Whether all gradients are finite; those that are not are wrong, or what the dtype does not hold. */
static bool is_there(const struct problem *p, const struct reference *reference, const struct backward *backward,
                     struct finding *finding)
{
    if (backward_there(p, backward, finding))
        return true;
    double h = norm_max(reference->h, reference->sequence.problem.T * reference->sequence.problem.d), largest = h * h;
    for (int i = 0; i < TENSORS_MAX; i++)
        if (backward->n[i] > 0)
            largest = fmax(largest, norm_max(reference->value[i], backward->sequence[i]));
    if (largest > (backward->dtype == DTYPE_FLOAT32 ? (double)FLT_MAX : DBL_MAX) / OVERFLOW_NEAR)
        finding_say(finding, (enum result)STATUS_DIVERGED, "the gradient is beyond what %s holds", dtype_names[backward->dtype]);
    return false;
}

/* Where the gradient that compare() found is furthest from its reference. */
static void say_wrong(const struct problem *p, const struct backward *backward, int64_t b, int tensor, bool again,
                      const struct reference *reference, const struct checks *checks, struct finding *finding)
{
    const double *given = reference->other[tensor], *expected = reference->value[tensor];
    int64_t i = place_furthest(given, expected, backward->sequence[tensor]);
    int digits = place_digits(backward->dtype);
    char place[TENSOR_PLACE_SIZE];
    tensor_place(p, (enum tensor_id)tensor, b, i, place);
    finding_say(finding, RESULT_WRONG, "the gradient of %s at %s%s: %.*g for %.*g, differs by %.3g from %s; tolerance %.3g",
                tensor_names[tensor], place, again ? ", after the timed calls" : "", digits, given[i], digits, expected[i],
                checks->iterate, checks->against, checks->tolerance);
}

static bool check(const struct definition *definition, const struct subject *subject, int64_t b, bool again,
                  struct reference *reference, struct backward *backward, struct checks *checks, struct finding *finding,
                  struct error *error)
{
    const struct problem *p = &subject->tensors.problem;
    const double *adjoint = backward->drawn + b * p->T * p->d;
    int tensor = 0;
    if (!refer_to(definition, subject, backward, b, reference, reference->value, error))
        return false;
    if (!again && !measure_tolerances(definition, reference, adjoint, backward, error))
        return false;
    for (int i = 0; i < TENSORS_MAX && !again; i++)
        if (backward->n[i] > 0 && !(backward->tolerance[i] <= VALIDATE_UNRESOLVED)) {
            backward->sensitive = true;
            finding_say(finding, (enum result)STATUS_UNSUPPORTED,
                        "too sensitive for %s: rounding alone moves the gradient of %s by %.2g", dtype_names[backward->dtype],
                        tensor_names[i], backward->tolerance[i]);
            return true;
        }
    if (!is_there(p, reference, backward, finding))
        return true;
    bool held = definition->settings.gradient == GRADIENT_STEPS || is_one_application(&subject->tensors.problem);
    double apart = !again && held ? INFINITY : 0;
    for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0] && !(apart <= DIFFERENCE); i++)
        if (!differ(definition, reference, adjoint, backward, STEPS[i], &apart, error))
            return false;
    if (!(apart <= DIFFERENCE)) {
        finding_say(finding, (enum result)STATUS_INTERNAL,
                    "the reference gradient differs by %.3g from finite differences of the textbook map", apart);
        return true;
    }
    if ((backward->shared && !add_others(definition, subject, backward, b, reference->value, error)) ||
        (is_approached(subject) && !allow_approach(subject, backward, b, reference, error)) ||
        !compare(backward, b, reference, &tensor, checks, error))
        return false;
    checks->against = definition->name;
    checks->exact = checks->apart = NAN; /* these are of answers */
    if (!(checks->iterate <= checks->tolerance))
        say_wrong(p, backward, b, tensor, again, reference, checks, finding);
    return true;
}

/* Whether a reference that nothing else is held to is what is tested. */
static bool is_itself(const struct definition *definition, const struct problem *sequence, const struct implementation *tested)
{
    return tested != NULL && definition->settings.gradient == GRADIENT_EXACT && !is_one_application(sequence) &&
           strcmp(tested->name, definition->implementation->name) == 0;
}

static bool validate_by(const struct definition *definition, const struct problem *sequence, const struct subject *subject,
                        int64_t b, bool again, struct backward *backward, struct checks *checks, struct finding *finding,
                        struct error *error)
{
    double seconds = cost(definition, sequence) * (backward->shared ? (double)subject->tensors.problem.B : 1);
    if (is_approached(subject) && subject->settings.quantile < 1)
        finding_say(finding, (enum result)STATUS_UNSUPPORTED,
                    "an adjoint that stops before all sequences have converged cannot be validated: use quantile 1");
    else if (!(seconds <= VALIDATION_SECONDS))
        finding_say(finding, (enum result)STATUS_UNSUPPORTED, "the gradient cannot be validated: %s in double precision %s",
                    definition->name, isinf(seconds) ? "is not available" : "takes too long");
    else if (is_itself(definition, sequence, subject_tested(subject)))
        finding_say(finding, (enum result)STATUS_UNSUPPORTED,
                    "no other implementation computes the adjoint's l-th iterate in float64: use a tolerance");
    if (finding->result != RESULT_OK)
        return true;
    struct reference reference;
    bool good = reference_open(subject, backward, &reference, error) &&
                check(definition, subject, b, again, &reference, backward, checks, finding, error);
    tensors_free(&reference.sequence);
    reference_close(&reference);
    return good;
}

bool backward_validate(const struct subject *subject, int64_t b, bool again, struct backward *backward, struct checks *checks,
                       struct finding *finding, struct error *error)
{
    const struct finding before = *finding;
    struct problem sequence = subject->tensors.problem;
    sequence.B = 1;
    sequence.dtype = DTYPE_FLOAT64;
    struct definition definition = defined(subject, &sequence, backward->iterated);
    bool good = validate_by(&definition, &sequence, subject, b, again, backward, checks, finding, error);
    /* a gradient that the dtype cannot resolve is nobody's to tell right from wrong, also where another definition would */
    if (!good || finding->result == RESULT_OK || again || !is_either(subject) || backward->sensitive)
        return good;
    *finding = before;
    backward->iterated = true;
    definition = defined(subject, &sequence, true);
    return validate_by(&definition, &sequence, subject, b, false, backward, checks, finding, error);
}
