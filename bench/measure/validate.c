/* See validate.h. */
#include "bench/measure/validate.h"

#include "bench/measure/place.h"
#include "bench/problems/disturbance.h"
#include "bench/problems/exact.h"
#include "bench/problems/textbook.h"

#include <math.h>
#include <stdlib.h>

#define EXACT_SECONDS 10    /* the exact answer is computed where that costs less */
#define BENIGN 10.0         /* what a disturbance moves an application of a map by, where nothing cancels */
#define CONVERGED_MOST 1e-3 /* of its own equation: what is further from it has not converged */
#define APART_MOST 100.0    /* tolerances that an answer may be away from the same fixed point, by its condition, before it parts */
#define MIXING_MOST 3e9     /* operations that its movement with the mixing may take */

/* What a reference is: the exact answer (l = 0), by another implementation than the tested one, or the l-th textbook iterate. */
struct definition {
    const struct implementation *tested;
    enum dtype dtype; /* of what is compared with it */
    double damping;
    int64_t l;
};

static struct definition the_exact(const struct subject *subject)
{
    return (struct definition){.tested = subject_tested(subject), .dtype = subject->tensors.problem.dtype};
}

static struct definition the_iterate(const struct subject *subject, int64_t l)
{
    return (struct definition){.dtype = subject->tensors.problem.dtype, .damping = subject->settings.damping, .l = l};
}

/* One reference, NaN everywhere where there is none; mixing as of textbook_iterate_rounded(). */
static bool refer(const struct tensors *sequence, const struct definition *definition, const double *mixing, double *h,
                  double *residual, struct error *error)
{
    const struct problem *p = &sequence->problem;
    const struct textbook_rounding rounding = {.mixing = mixing, .tiny = rounding_tiny(definition->dtype)};
    if (definition->l > 0)
        return textbook_iterate_rounded(p, &sequence->inputs, &rounding, definition->damping, definition->l, h, residual) ||
               fail_memory(error);
    struct exact exact;
    if (mixing != NULL)
        exact.status = exact_by_textbook(p, &sequence->inputs, mixing, h);
    else if (!exact_solve(p, &sequence->inputs, definition->tested, h, &exact, error))
        return false;
    for (int64_t i = 0; i < p->T * p->d && exact.status.code != STATUS_OK; i++)
        h[i] = NAN;
    return true;
}

/* How far disturbances move a reference h and its last residual, over their size. */
struct movement {
    double answer, residual;
};

static void note_movement(const struct tensors *sequence, enum dtype dtype, double size, const double *h, const double *last,
                          const double *moved, double residual, struct movement *movement)
{
    int64_t n = sequence->problem.T * sequence->problem.d;
    const struct yardstick yardstick = inputs_yardstick(&sequence->problem, &sequence->inputs, dtype);
    movement->answer = fmax(movement->answer, distance_max_to(moved, h, n, &yardstick) / size);
    if (last != NULL)
        movement->residual = fmax(movement->residual, fabs(residual - *last) / size);
}

static bool disturb_mixing(const struct tensors *sequence, const struct definition *definition, const double *h, const double *last,
                           double *moved, struct movement *movement, struct error *error)
{
    const struct problem *p = &sequence->problem;
    double size = rounding_disturbance(definition->dtype), residual = 0;
    if (!disturbance_of_mixing(p) || (definition->l == 0 && exact_by_textbook_operations(p) > MIXING_MOST))
        return true;
    double *mixing = malloc((size_t)(p->T * p->d) * sizeof *mixing);
    if (mixing == NULL)
        return fail_memory(error);
    mixing_disturbed(p, size, mixing);
    bool good = refer(sequence, definition, mixing, moved, &residual, error);
    if (good)
        note_movement(sequence, definition->dtype, size, h, last, moved, residual, movement);
    free(mixing);
    return good;
}

/* The tolerance for one reference h whose last residual is `last` (NULL: none). *slack, NULL without: how far rounding moves that. */
static bool tolerance_of(const struct tensors *sequence, const struct definition *definition, const double *h, const double *last,
                         double *tolerance, double *slack, struct error *error)
{
    double size = rounding_disturbance(definition->dtype), residual = 0;
    struct movement movement = {1, 1};
    double *moved = malloc((size_t)(sequence->problem.T * sequence->problem.d) * sizeof *moved);
    bool good = moved != NULL || fail_memory(error);
    for (uint64_t seed = 1; seed <= ROUNDING_DISTURBANCES && good && moved != NULL; seed++) {
        struct tensors disturbed;
        good = tensors_disturbed(sequence, size, seed, &disturbed, error);
        if (!good)
            break;
        good = refer(&disturbed, definition, NULL, moved, &residual, error);
        if (good)
            note_movement(sequence, definition->dtype, size, h, last, moved, residual, &movement);
        tensors_free(&disturbed);
    }
    good = good && disturb_mixing(sequence, definition, h, last, moved, &movement, error);
    free(moved);
    *tolerance = fmax(rounding_allowed(definition->dtype) * movement.answer,
                      rounding_beside(&sequence->problem, &sequence->inputs, definition->dtype, h));
    if (slack != NULL)
        *slack = rounding_allowed(definition->dtype) * movement.residual;
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

/* An answer of one sequence, and room for what it is compared with. */
struct compared {
    const struct tensors *sequence; /* in float64 */
    enum dtype dtype;               /* of the answer */
    const double *h, *exact;        /* (T,d); exact NULL: was not computed */
    double *next;                   /* (T,d) f(h) */
    double *reference;              /* (T,d) */
    struct yardstick yardstick;     /* of its inputs */
    double equation;                /* the distance of h to f(h) */
    const double *against;          /* (T,d) what h was held to at last, ... */
    int64_t place;                  /* ... and the element that is furthest from it */
};

static void hold(struct compared *c, const double *against)
{
    c->against = against;
    c->place = place_furthest(c->h, against, c->sequence->problem.T * c->sequence->problem.d);
}

/* That the equation is solved, within what rounding moves it by; and that the answer is the exact one where that is known. Each has a
 * tolerance of its own: what is reported is the distance to the exact answer, unless the equation alone fails. */
static bool check_exact(const struct subject *subject, struct compared *c, struct checks *checks, struct error *error)
{
    double moved, tolerance;
    if (!disturbance_of_map(c->sequence, c->dtype, c->h, c->next, &moved, NULL, error))
        return false;
    checks->against = "its own equation";
    hold(c, c->next);
    checks->iterate = c->equation;
    double beside = rounding_beside(&c->sequence->problem, &c->sequence->inputs, c->dtype, c->h);
    checks->tolerance = checks->rounding = fmax(rounding_allowed(c->dtype) * fmax(1, moved), beside);
    if (c->exact == NULL)
        return true;
    const struct definition definition = the_exact(subject);
    if (!tolerance_of(c->sequence, &definition, c->exact, NULL, &tolerance, NULL, error))
        return false;
    checks->rounding = tolerance;
    if (checks->iterate <= checks->tolerance || !(checks->exact <= tolerance)) {
        checks->against = "the exact answer";
        hold(c, c->exact);
        checks->iterate = checks->exact;
        checks->tolerance = tolerance;
    }
    return true;
}

/* The most that rounding_beside() says of any token and its own v; infinity where a state is next to nothing beside that. */
static double tokens_beside(const struct compared *c)
{
    struct problem one = c->sequence->problem;
    int64_t T = one.T;
    double most = 0;
    enum tensor_id driven = cell_facts[one.cell].driven;
    one.T = 1;
    const int64_t drives = tensor_of_sequence(&one, driven);
    for (int64_t t = 0; t < T; t++) {
        const double *h = c->next + t * one.d;
        struct inputs inputs = {
            .lambda = c->sequence->inputs.lambda != NULL ? (const double *)c->sequence->inputs.lambda + t * one.d : NULL};
        inputs.tensor[driven] = (const double *)c->sequence->inputs.tensor[driven] + t * drives;
        const struct yardstick yardstick = inputs_yardstick(&one, &inputs, c->dtype);
        double length = norm_max(h, one.d);
        most = fmax(most, length > 0 && length <= yardstick.tiny ? INFINITY : rounding_beside(&one, &inputs, c->dtype, h));
    }
    return most;
}

/* Whether delta shrinks can hang on a rounding error, and iterates of a solver are its own: only the outcome can be checked. A residual
 * is relative to its token; where rounding alone decides that of a token whose state is next to nothing, the largest state counts. */
static bool check_outcome(const struct subject *subject, struct compared *c, struct checks *checks, struct error *error)
{
    double equation, residual, units = rounding_allowed(c->dtype);
    if (!disturbance_of_map(c->sequence, c->dtype, c->h, c->next, &equation, &residual, error))
        return false;
    int64_t place = place_of_residual(&c->sequence->problem, c->h, c->next);
    double token = tokens_beside(c);
    bool resolved = fmax(units * residual, token) <= VALIDATE_UNRESOLVED;
    double few = resolved && residual < BENIGN ? units / 10 : units; /* an application alone rounds little */
    checks->against = resolved ? "its own residual" : "its own equation";
    hold(c, c->next);
    if (resolved)
        c->place = place;
    checks->iterate = resolved && isfinite(c->equation) ? checks->residual : c->equation;
    checks->rounding = fmax(few * fmax(1, resolved ? residual : equation),
                            resolved ? token : rounding_beside(&c->sequence->problem, &c->sequence->inputs, c->dtype, c->h));
    checks->tolerance = fmin(2 * subject->settings.tolerance, 0.5) + checks->rounding;
    return true;
}

/* Whether an iteration that ends with the residual `last` had reason to stop there: it is below the tolerance, but for what rounding
 * explains. slack: as of the residual of all; a token whose state is next to nothing may have more. */
static bool may_stop(const struct subject *subject, const struct compared *c, double last, double slack, bool *may,
                     struct error *error)
{
    const struct problem *p = &c->sequence->problem;
    double tolerance = 1.01 * subject->settings.tolerance, token;
    *may = last < tolerance + slack;
    if (*may)
        return true;
    if (!textbook_apply(p, &c->sequence->inputs, c->reference, c->next))
        return fail_memory(error);
    bool good = disturbance_of_map(c->sequence, c->dtype, c->reference, c->next, NULL, &token, error);
    *may = last < tolerance + fmax(slack, rounding_allowed(c->dtype) / 10 * token);
    return good;
}

static bool check_iterate(const struct subject *subject, struct compared *c, const struct trace *trace, struct checks *checks,
                          struct error *error)
{
    const struct settings *settings = &subject->settings;
    const struct definition definition = the_iterate(subject, trace->l_run);
    int64_t n = c->sequence->problem.T * c->sequence->problem.d;
    double last = 0, slack;
    bool may = true;
    checks->against = "the textbook iterate";
    if (!refer(c->sequence, &definition, NULL, c->reference, &last, error) ||
        !tolerance_of(c->sequence, &definition, c->reference, &last, &checks->tolerance, &slack, error))
        return false;
    hold(c, c->reference);
    checks->iterate = distance_max_to(c->h, c->reference, n, &c->yardstick);
    checks->rounding = checks->tolerance;
    checks->apart = c->exact != NULL ? distance_max_to(c->reference, c->exact, n, &c->yardstick) : NAN;
    if (settings->tolerance > 0 && settings->quantile == 1 && !may_stop(subject, c, last, slack, &may, error))
        return false;
    if (!may)
        checks->iterate = INFINITY; /* the right iterate, but not one at which to stop */
    return true;
}

static bool check(const struct subject *subject, struct compared *c, const struct trace *trace, struct checks *checks,
                  struct error *error)
{
    const struct problem *p = &c->sequence->problem;
    int64_t n = p->T * p->d;
    c->yardstick = inputs_yardstick(p, &c->sequence->inputs, c->dtype);
    if (!textbook_apply(p, &c->sequence->inputs, c->h, c->next))
        return fail_memory(error);
    c->equation = distance_max_to(c->next, c->h, n, &c->yardstick);
    checks->residual = textbook_residual_above(p, c->h, c->next, rounding_tiny(c->dtype));
    checks->exact = c->exact != NULL ? distance_max_to(c->h, c->exact, n, &c->yardstick) : NAN;
    if (subject->implementation->exact)
        return check_exact(subject, c, checks, error);
    return subject_outcome_only(subject) ? check_outcome(subject, c, checks, error)
                                         : check_iterate(subject, c, trace, checks, error);
}

/* How far h may be from its own equation, where it has converged. */
static bool equation_tolerance(const struct subject *subject, const struct compared *c, double *tolerance, struct error *error)
{
    double moved;
    if (!disturbance_of_map(c->sequence, c->dtype, c->h, c->next, &moved, NULL, error))
        return false;
    *tolerance = fmax(rounding_allowed(c->dtype) * fmax(1, moved),
                      rounding_beside(&c->sequence->problem, &c->sequence->inputs, c->dtype, c->h));
    if (!subject->implementation->exact)
        *tolerance = fmax(*tolerance, fmin(2 * subject->settings.tolerance, CONVERGED_MOST));
    return true;
}

bool validate_parting(const struct subject *subject, const struct tensors *sequence, const double *h, const double *exact,
                      struct parting *parting, struct error *error)
{
    const struct problem *p = &sequence->problem;
    const struct definition definition = the_exact(subject);
    int64_t n = p->T * p->d;
    double tolerance = 0, rounding = 0;
    struct compared c = {.sequence = sequence, .dtype = subject->tensors.problem.dtype, .h = h, .exact = exact};
    *parting = (struct parting){.t = -1};
    if (p->cell != CELL_SELECTIVE || !isfinite(norm_max(h, n)))
        return true;
    c.next = malloc((size_t)n * sizeof *c.next);
    bool good = (c.next != NULL && textbook_apply(p, &sequence->inputs, h, c.next)) || fail_memory(error);
    if (good) {
        c.yardstick = inputs_yardstick(p, &sequence->inputs, c.dtype);
        c.equation = distance_max_to(c.next, h, n, &c.yardstick);
        good = equation_tolerance(subject, &c, &tolerance, error);
    }
    bool converged = good && c.equation <= tolerance;
    if (converged)
        good = tolerance_of(sequence, &definition, exact, NULL, &rounding, NULL, error);
    if (good && converged && rounding <= VALIDATE_UNRESOLVED) {
        double size = norm_max(exact, n), scale = size > c.yardstick.tiny ? size : c.yardstick.scale;
        for (double apart = 1; apart <= APART_MOST && good && !parting->proven; apart *= 10)
            good = token_iteration_part(p, &sequence->inputs, h, exact, apart * fmax(rounding, tolerance) * scale, parting) ||
                   fail_memory(error);
    }
    free(c.next);
    return good;
}

void finding_elsewhere(struct finding *finding, int64_t b, const struct parting *parting)
{
    finding_say(finding, RESULT_ELSEWHERE,
                "sequence %lld, t %lld: from here on it follows another fixed point than the sequential mode, %.3g away",
                (long long)b, (long long)parting->t, parting->apart);
    finding->b = b;
    finding->t = parting->t;
}

bool validate_elsewhere(const struct subject *subject, const struct answers *answers, int64_t *elsewhere, struct finding *finding,
                        struct error *error)
{
    const struct problem *p = &subject->tensors.problem;
    int64_t n = p->T * p->d;
    bool good = true, may = finding->result == RESULT_OK || finding->result == RESULT_INACCURATE;
    *elsewhere = p->cell == CELL_SELECTIVE ? 0 : -1;
    if (*elsewhere < 0)
        return true;
    double *h = malloc((size_t)n * sizeof *h);
    if (h == NULL)
        return fail_memory(error);
    for (int64_t b = 0; b < answers->n && good; b++) {
        struct tensors sequence;
        struct parting parting;
        if (!tensors_sequence(&subject->tensors, b, &sequence, error)) {
            good = false;
            break;
        }
        to_doubles(p->dtype, subject->h, b * n, n, h);
        good = validate_parting(subject, &sequence, h, answers->h + b * n, &parting, error);
        if (good && parting.proven && (*elsewhere)++ == 0 && may)
            finding_elsewhere(finding, b, &parting);
        tensors_free(&sequence);
    }
    free(h);
    return good;
}

static void say_sensitive(const struct subject *subject, double rounding, struct finding *finding)
{
    finding_say(finding, (enum result)STATUS_UNSUPPORTED, "too sensitive for %s: rounding alone moves the answer by %.2g",
                dtype_names[subject->tensors.problem.dtype], rounding);
}

/* later: words for the sentence, or "". */
static bool run_check(const struct subject *subject, const double *exact, int64_t b, bool mirrored, const char *later,
                      const struct trace *trace, struct checks *checks, struct finding *finding, struct error *error)
{
    struct tensors sequence;
    *checks = (struct checks){NAN, NAN, NAN, NAN, NAN, NAN, NULL};
    if (!plausible(subject, trace)) {
        finding_say(finding, RESULT_WRONG, "reports %lld of %lld iterations run", (long long)trace->l_run,
                    (long long)subject->settings.l_max);
        return true;
    }
    if (!tensors_sequence(&subject->tensors, b, &sequence, error))
        return false;
    int64_t n = sequence.problem.T * sequence.problem.d;
    double *h = malloc((size_t)(3 * n) * sizeof *h);
    struct compared compared = {.sequence = &sequence, .dtype = subject->tensors.problem.dtype, .h = h, .exact = exact};
    bool good = h != NULL || fail_memory(error);
    if (good) {
        compared.next = h + n;
        compared.reference = compared.next + n;
        to_doubles(compared.dtype, subject->h, b * n, n, h);
        if (mirrored)
            tensors_mirror(&sequence);
        for (int64_t i = 0; i < n && mirrored; i++)
            h[i] = -h[i];
        good = check(subject, &compared, trace, checks, error);
    }
    struct parting parting = {.proven = false};
    bool right = good && checks->iterate <= checks->tolerance, resolved = good && !(checks->rounding > VALIDATE_UNRESOLVED);
    /* rounding alone may lead an exact implementation of a narrow dtype astray; in float64 it is to find the right fixed point */
    if (resolved && !right && subject->implementation->exact && exact != NULL && compared.dtype == DTYPE_FLOAT32)
        good = validate_parting(subject, &sequence, h, exact, &parting, error);
    if (good && !resolved)
        say_sensitive(subject, checks->rounding, finding);
    else if (good && parting.proven)
        finding_elsewhere(finding, b, &parting);
    else if (good && !right)
        place_say(&sequence.problem, b, compared.place, compared.dtype, h, compared.against, later, checks, finding);
    free(h);
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
    return run_check(subject, answers->h, b, false, "", trace, checks, finding, error);
}

bool validate_again(const struct subject *subject, const struct answers *answers, int64_t b, bool mirrored,
                    const struct trace *trace, struct finding *finding, struct error *error)
{
    struct checks checks;
    return run_check(subject, answers->h, b, mirrored, ", after the timed calls", trace, &checks, finding, error);
}

bool validate_failure(const struct subject *subject, struct finding *finding, struct error *error)
{
    const struct settings *settings = &subject->settings;
    bool exact = subject->implementation->exact, defined = exact || (settings->tolerance <= 0 && !subject_outcome_only(subject));
    bool failed = finding->result == (enum result)STATUS_DIVERGED || finding->result == (enum result)STATUS_SINGULAR ||
                  finding->result == (enum result)STATUS_NO_STABLE_POINT;
    const struct definition definition = exact ? the_exact(subject) : the_iterate(subject, settings->l_max);
    int64_t n = subject->tensors.problem.T * subject->tensors.problem.d;
    double tolerance = 0;
    struct tensors sequence;
    if (!failed || finding->b < 0 || !defined)
        return true;
    if (!tensors_sequence(&subject->tensors, finding->b, &sequence, error))
        return false;
    bool affordable = !exact || exact_cost(&sequence.problem, definition.tested) < EXACT_SECONDS;
    double *h = malloc((size_t)n * sizeof *h);
    bool good = h != NULL || fail_memory(error);
    good = good && (!affordable || refer(&sequence, &definition, NULL, h, NULL, error));
    if (good && affordable && isfinite(norm_max(h, n)))
        good = tolerance_of(&sequence, &definition, h, NULL, &tolerance, NULL, error);
    if (good && tolerance > VALIDATE_UNRESOLVED)
        say_sensitive(subject, tolerance, finding);
    else if (good && exact && affordable && finding->result == (enum result)STATUS_NO_STABLE_POINT && isfinite(norm_max(h, n)))
        finding_say(finding, RESULT_WRONG, "no stable fixed point was found at sequence %lld, t %lld, where there is one",
                    (long long)finding->b, (long long)finding->t);
    free(h);
    tensors_free(&sequence);
    return good;
}

bool validate_problem(const struct subject *subject, int64_t b, bool with_spectrum, struct answers *answers,
                      struct finding *finding, struct error *error)
{
    const struct implementation *tested = subject_tested(subject);
    struct problem one = subject->tensors.problem;
    one.B = 1;
    one.dtype = DTYPE_FLOAT64;
    *answers = (struct answers){.worst = {.largest = NAN, .residual = NAN}, .spectrum = {NAN, NAN, NAN, NAN}};
    bool other = exact_cost(&one, tested) < EXACT_SECONDS;
    if (!other && !(exact_cost(&one, NULL) < EXACT_SECONDS))
        return true;
    if (!answers_make(&subject->tensors, other ? tested : NULL, b, 1, with_spectrum, answers, error))
        return false;
    finding->inputs = answers_to_json(answers);
    /* the iterate is defined and can be validated where there is nothing that it should converge to; and may converge all the same where
     * it is the sequential mode alone that has no answer */
    enum status_code code = answers->worst.status.code;
    bool iterate_exists = !subject->implementation->exact &&
                          (code == STATUS_NO_STABLE_POINT || (code == STATUS_SINGULAR && !(subject->settings.tolerance > 0)));
    if (!iterate_exists)
        answers_usable(answers, subject->regime.limit, finding);
    if (iterate_exists || !other) /* what the tested implementation itself says is enough to know the problem by, no reference */
        answers_free(answers);
    return true;
}
