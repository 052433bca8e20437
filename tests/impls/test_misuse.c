/* What makes no sense is refused by every implementation, with a reason, before anything is allocated or written: problems, settings,
 * environments, tensors that are missing, not wanted, or that share memory. And what only looks odd is answered. */
#include "tests/support/reference.h"

#include "bench/problems/textbook.h"
#include "impls/contract/support.h"

#include <check.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { B = 2, T = 6, D = 4, TENSORS = 5 };

struct call {
    struct problem problem;
    struct settings settings;
    struct environment environment;
};

/* Those of the registry that are asked: what takes the first cell, on the CPU. The suites of the other cells ask theirs. */
static bool asked(const struct implementation *one)
{
    return one->device == DEVICE_CPU && (one->cells & CELLS_VECTOR) != 0;
}

/* A problem that the implementation takes, state-dependent where it can be. */
static struct call good_call(const struct implementation *one, enum dtype dtype)
{
    struct call call = {.settings = fixed_l(3), .environment = {.threads = 2}};
    struct support support;
    for (int mixer = MIXER_COUNT; mixer-- > 0;)
        for (int feedback = 1; feedback >= 0; feedback--) {
            const struct mixer_facts *facts = &mixer_facts[mixer];
            call.problem = (struct problem){.B = B,
                                            .T = T,
                                            .d = D,
                                            .mixer = (enum mixer)mixer,
                                            .r = facts->takes_r ? 2 : 0,
                                            .s = facts->takes_s ? 1 : 0,
                                            .feedback = feedback ? FEEDBACK_RAW : FEEDBACK_NONE,
                                            .dtype = dtype};
            one->supports(&call.problem, &call.settings, &call.environment, &support);
            if (support.yes)
                return call;
        }
    ck_abort_msg("%s takes nothing", one->name);
}

/* ---- Problems, settings, environments ---------------------------------------------------------------------------------------- */

enum spoilt { ALL, ITERATING, RANKED, SCALED, UNRANKED, UNSCALED };

struct fault {
    const char *name;
    enum spoilt of;
    void (*spoil)(struct call *);
};

#define SPOIL(name, expression)                                                                                                    \
    static void name(struct call *c)                                                                                               \
    {                                                                                                                              \
        expression;                                                                                                                \
    }
SPOIL(no_B, c->problem.B = 0)
SPOIL(negative_B, c->problem.B = -1)
SPOIL(no_T, c->problem.T = 0)
SPOIL(negative_T, c->problem.T = INT64_MIN)
SPOIL(no_d, c->problem.d = 0)
SPOIL(negative_d, c->problem.d = -4)
SPOIL(huge_d, c->problem.d = INT64_MAX)
SPOIL(huge_B, c->problem.B = INT64_MAX)
SPOIL(huge_T, c->problem.T = INT64_MAX / 2)
SPOIL(huge_product, (c->problem.B = 1 << 20, c->problem.T = 1 << 20))
SPOIL(no_r, c->problem.r = 0)
SPOIL(negative_r, c->problem.r = -1)
SPOIL(huge_r, c->problem.r = INT64_MAX)
SPOIL(needless_r, c->problem.r = 1)
SPOIL(needless_s, c->problem.s = 1)
SPOIL(no_s, c->problem.s = 0)
SPOIL(nan_s, c->problem.s = NAN)
SPOIL(huge_W, (c->problem = (struct problem){.B = 1, .T = 1, .d = 65536, .mixer = MIXER_DENSE, .feedback = FEEDBACK_RAW}))
SPOIL(no_such_mixer, c->problem.mixer = MIXER_COUNT)
SPOIL(no_such_cell, c->problem.cell = CELL_COUNT)
SPOIL(no_such_form, c->problem.form = (enum form)100)
SPOIL(no_such_feedback, c->problem.feedback = (enum feedback)100)
SPOIL(no_such_dtype, c->problem.dtype = DTYPE_COUNT)
SPOIL(no_l, c->settings.l_max = 0)
SPOIL(negative_l, c->settings.l_max = -1)
SPOIL(huge_l, c->settings.l_max = INT64_MAX)
SPOIL(nan_tolerance, c->settings.tolerance = NAN)
SPOIL(negative_tolerance, c->settings.tolerance = -1e-3)
SPOIL(endless_tolerance, c->settings.tolerance = INFINITY)
SPOIL(no_quantile, c->settings.quantile = 0)
SPOIL(nan_quantile, c->settings.quantile = NAN)
SPOIL(large_quantile, c->settings.quantile = 1.01)
SPOIL(no_damping, c->settings.damping = 0)
SPOIL(nan_damping, c->settings.damping = NAN)
SPOIL(negative_damping, c->settings.damping = -0.5)
SPOIL(large_damping, c->settings.damping = 1.5)
SPOIL(negative_patience, c->settings.patience = -1)
SPOIL(huge_patience, c->settings.patience = INT64_MAX)
SPOIL(no_damping_factor, (c->settings.patience = 2, c->settings.damping_factor = 0))
SPOIL(nan_damping_factor, (c->settings.patience = 2, c->settings.damping_factor = NAN))
SPOIL(no_such_gradient, c->settings.gradient = (enum gradient)100)
SPOIL(no_steps, c->settings.gradient = GRADIENT_STEPS)
SPOIL(huge_steps, (c->settings.gradient = GRADIENT_STEPS, c->settings.gradient_steps = INT64_MAX))
SPOIL(negative_options, c->settings.n_options = -1)
SPOIL(too_many_options, c->settings.n_options = OPTIONS_MAX + 1)
SPOIL(endless_option, (c->settings.n_options = 1, memset(&c->settings.option[0], 'x', sizeof c->settings.option[0])))
SPOIL(no_threads, c->environment.threads = 0)
SPOIL(negative_threads, c->environment.threads = -1)
SPOIL(huge_threads, c->environment.threads = INT_MAX)

static const struct fault faults[] = {
    {"B = 0", ALL, no_B},
    {"B < 0", ALL, negative_B},
    {"T = 0", ALL, no_T},
    {"T < 0", ALL, negative_T},
    {"d = 0", ALL, no_d},
    {"d < 0", ALL, negative_d},
    {"d huge", ALL, huge_d},
    {"B huge", ALL, huge_B},
    {"T huge", ALL, huge_T},
    {"B T d huge", ALL, huge_product},
    {"r = 0", RANKED, no_r},
    {"r < 0", RANKED, negative_r},
    {"r huge", RANKED, huge_r},
    {"r without a use", UNRANKED, needless_r},
    {"s without a use", UNSCALED, needless_s},
    {"s = 0", SCALED, no_s},
    {"s NaN", SCALED, nan_s},
    {"W huge", ALL, huge_W},
    {"mixer", ALL, no_such_mixer},
    {"cell", ALL, no_such_cell},
    {"form", ALL, no_such_form},
    {"feedback", ALL, no_such_feedback},
    {"dtype", ALL, no_such_dtype},
    {"l = 0", ITERATING, no_l},
    {"l < 0", ITERATING, negative_l},
    {"l huge", ITERATING, huge_l},
    {"tolerance NaN", ITERATING, nan_tolerance},
    {"tolerance < 0", ITERATING, negative_tolerance},
    {"tolerance infinite", ITERATING, endless_tolerance},
    {"quantile 0", ITERATING, no_quantile},
    {"quantile NaN", ITERATING, nan_quantile},
    {"quantile > 1", ITERATING, large_quantile},
    {"damping 0", ITERATING, no_damping},
    {"damping NaN", ITERATING, nan_damping},
    {"damping < 0", ITERATING, negative_damping},
    {"damping > 1", ITERATING, large_damping},
    {"patience < 0", ITERATING, negative_patience},
    {"patience huge", ITERATING, huge_patience},
    {"damping factor 0", ITERATING, no_damping_factor},
    {"damping factor NaN", ITERATING, nan_damping_factor},
    {"gradient", ALL, no_such_gradient},
    {"no gradient steps", ALL, no_steps},
    {"gradient steps huge", ALL, huge_steps},
    {"n_options < 0", ALL, negative_options},
    {"n_options > 8", ALL, too_many_options},
    {"option not terminated", ALL, endless_option},
    {"threads = 0", ALL, no_threads},
    {"threads < 0", ALL, negative_threads},
    {"threads huge", ALL, huge_threads},
};
enum { FAULTS = sizeof faults / sizeof faults[0] };

static bool concerns(enum spoilt of, const struct implementation *one, const struct problem *p)
{
    const struct mixer_facts *facts = &mixer_facts[p->mixer];
    const bool holds[] = {[ALL] = true,
                          [ITERATING] = !one->exact,
                          [RANKED] = facts->takes_r,
                          [SCALED] = facts->takes_s,
                          [UNRANKED] = !facts->takes_r,
                          [UNSCALED] = !facts->takes_s};
    return holds[of];
}

static void refused(const struct implementation *one, const struct call *call, const char *what)
{
    struct support support = {.yes = true};
    struct plan *plan = (struct plan *)&support;
    one->supports(&call->problem, &call->settings, &call->environment, &support);
    ck_assert_msg(!support.yes && support.reason[0] != '\0', "%s supports %s", one->name, what);
    struct status status = one->plan(&call->problem, &call->settings, &call->environment, &plan);
    ck_assert_msg(status.code == STATUS_UNSUPPORTED && plan == NULL, "%s plans %s: %s", one->name, what, status_names[status.code]);
    ck_assert_str_eq(status.message, support.reason);
}

/* Every fault in every implementation: with the mixer of good_call(), and with mixer none, which most of them take. */
START_TEST(nonsense_is_refused)
{
    const struct fault *fault = &faults[_i];
    int met = 0;
    for (int i = 0; i < registry_count(); i++)
        for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++)
            for (enum level level = 0; level <= level_best(); level++)
                for (int plain = 0; plain < 2; plain++) {
                    const struct implementation *one = registry_get(i, dtype, level);
                    if (!asked(one) || (plain && !(one->mixers & MIXERS_NONE)))
                        continue;
                    struct call call = good_call(one, dtype);
                    if (plain) {
                        call.problem.mixer = MIXER_NONE;
                        call.problem.feedback = FEEDBACK_NONE;
                        call.problem.r = 0;
                        call.problem.s = 0;
                    }
                    if (!concerns(fault->of, one, &call.problem))
                        continue;
                    fault->spoil(&call);
                    refused(one, &call, fault->name);
                    met++;
                }
    ck_assert_msg(met > 0, "nothing was asked about %s", fault->name);
}
END_TEST

/* The largest that the contract allows, in a little memory: an answer in words, and no overflow on the way (the sanitizers see that). */
START_TEST(the_largest_sizes_are_answered)
{
    static const struct {
        int64_t B, T, d, r;
    } sizes[] = {{1, (int64_t)1 << 40, 1, 1},
                 {(int64_t)1 << 40, 1, 1, 1},
                 {1, (int64_t)1 << 24, 65536, 64},
                 {(int64_t)1 << 24, 1, 65536, 64},
                 {(int64_t)1 << 17, (int64_t)1 << 17, 64, 64}};
    for (int i = 0; i < registry_count(); i++)
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++)
            for (int gradient = 0; gradient <= GRADIENT_STEPS; gradient++) {
                const struct implementation *one = registry_get(i, DTYPE_FLOAT64, LEVEL_BASELINE);
                if (!asked(one))
                    continue;
                struct call call = good_call(one, DTYPE_FLOAT64);
                call.problem.B = sizes[k].B;
                call.problem.T = sizes[k].T;
                call.problem.d = sizes[k].d;
                call.problem.r = call.problem.r > 0 ? sizes[k].r : 0;
                call.settings.l_max = call.settings.gradient_steps = ITERATIONS_MAX;
                call.settings.gradient = (enum gradient)gradient;
                call.environment = (struct environment){.threads = THREADS_MAX, .memory_limit = 1 << 30};
                refused(one, &call, "more than there is memory for");
            }
}
END_TEST

/* What an exact implementation does not read changes nothing. */
START_TEST(exact_implementations_ignore_the_iteration)
{
    for (int i = 0; i < registry_count(); i++) {
        const struct implementation *one = registry_get(i, DTYPE_FLOAT64, LEVEL_BASELINE);
        if (!one->exact || !asked(one))
            continue;
        struct call call = good_call(one, DTYPE_FLOAT64);
        const struct test_case test = {.problem = call.problem, .initial = true};
        struct tensors tensors = case_tensors(&test, 3);
        double h[B * T * D], again[B * T * D];
        const struct settings odd = {.l_max = -1, .tolerance = NAN, .quantile = -1, .damping = 0, .patience = -1};
        ck_assert_int_eq(run_variant(one, &tensors, &call.settings, 2, h, NULL, NULL).code, STATUS_OK);
        ck_assert_int_eq(run_variant(one, &tensors, &odd, 2, again, NULL, NULL).code, STATUS_OK);
        ck_assert_msg(memcmp(h, again, sizeof h) == 0, "%s reads settings of iterations", one->name);
        tensors_free(&tensors);
    }
}
END_TEST

/* ---- Tensors of a pass --------------------------------------------------------------------------------------------------------- */

/* Everything that a forward and a backward pass are given, each in memory of its own; room for float64. */
struct pass {
    struct tensors tensors;
    struct inputs inputs;
    struct outputs outputs, derivatives;
    struct gradients gradients;
    double h[B * T * D], final[B * D], dh[B * T * D], dfinal[B * D], gradient[TENSORS][B * T * D * D * D];
    int64_t size[TENSORS_MAX];
};

static void **gradient_slot(struct pass *pass, int i)
{
    void **const slot[TENSORS] = {&pass->gradients.v, &pass->gradients.lambda, &pass->gradients.theta, &pass->gradients.W,
                                  &pass->gradients.h0};
    return slot[i];
}

static const void **input_slot(struct pass *pass, int i)
{
    const void **const slot[TENSORS] = {&pass->inputs.v, &pass->inputs.lambda, &pass->inputs.theta, &pass->inputs.W,
                                        &pass->inputs.h0};
    return slot[i];
}

static struct pass *pass_make(const struct problem *problem)
{
    struct problem wide = *problem;
    struct pass *pass = calloc(1, sizeof *pass);
    ck_assert_ptr_nonnull(pass);
    wide.dtype = DTYPE_FLOAT64;
    const struct test_case test = {.problem = wide, .initial = true};
    struct tensors drawn = case_tensors(&test, 5);
    pass->tensors = tensors_as(&drawn, problem->dtype);
    tensors_free(&drawn);
    pass->inputs = pass->tensors.inputs;
    pass->outputs = (struct outputs){.h = pass->h, .final = pass->final};
    pass->derivatives = (struct outputs){.h = pass->dh, .final = pass->dfinal};
    tensor_sizes(problem, pass->size);
    for (int i = 0; i < TENSORS; i++)
        *gradient_slot(pass, i) = *input_slot(pass, i) != NULL ? pass->gradient[i] : NULL;
    return pass;
}

static void pass_free(struct pass *pass)
{
    tensors_free(&pass->tensors);
    free(pass);
}

/* Whatever is written would change one of these bytes. */
static void forward_refused(const struct implementation *one, struct plan *plan, struct pass *pass, const char *what)
{
    static double before[B * T * D];
    memset(pass->h, 0x5a, sizeof pass->h);
    memcpy(before, pass->h, sizeof before);
    struct status status = one->forward(plan, &pass->inputs, &pass->outputs, NULL);
    ck_assert_msg(status.code == STATUS_UNSUPPORTED && status.message[0] != '\0', "%s: forward() with %s: %s", one->name, what,
                  status_names[status.code]);
    ck_assert_msg(memcmp(before, pass->h, sizeof before) == 0, "%s: forward() with %s writes", one->name, what);
}

static void backward_refused(const struct implementation *one, struct plan *plan, struct pass *pass, const char *what)
{
    struct status status = one->backward(plan, &pass->inputs, &pass->outputs, &pass->derivatives, &pass->gradients);
    ck_assert_msg(status.code == STATUS_UNSUPPORTED && status.message[0] != '\0', "%s: backward() with %s: %s", one->name, what,
                  status_names[status.code]);
}

static void check_forward(const struct implementation *one, struct plan *plan, const struct problem *p)
{
    static double other[B * T * D * D * D];
    struct pass *pass = pass_make(p);
    const struct pass right = *pass;
    int64_t bytes = (int64_t)dtype_size(p->dtype), last = (B * T * D - 1) * bytes;
    for (int i = 0; i < TENSORS; i++) {
        if (pass->size[i] == 0) {
            *input_slot(pass, i) = other;
            forward_refused(one, plan, pass, "a tensor that the problem does not have");
        } else if (i != 4) {
            *input_slot(pass, i) = NULL;
            forward_refused(one, plan, pass, "a tensor that is missing");
        }
        pass->inputs = right.inputs;
        if (pass->size[i] == 0)
            continue;
        *input_slot(pass, i) = pass->h;
        forward_refused(one, plan, pass, "h in the place of an input");
        *input_slot(pass, i) = (char *)pass->h + last; /* one element is enough */
        forward_refused(one, plan, pass, "h that ends in an input");
        *input_slot(pass, i) = (char *)pass->h + bytes - pass->size[i] * bytes;
        forward_refused(one, plan, pass, "h that begins in an input");
        *input_slot(pass, i) = pass->final;
        forward_refused(one, plan, pass, "final in the place of an input");
        pass->inputs = right.inputs;
    }
    pass->outputs.final = (char *)pass->h + last;
    forward_refused(one, plan, pass, "final in h");
    pass->outputs = (struct outputs){.final = pass->final};
    forward_refused(one, plan, pass, "no h");
    pass->outputs = right.outputs;
    pass->inputs.lambda = pass->inputs.v; /* inputs may overlap */
    struct status status = one->forward(plan, &pass->inputs, &pass->outputs, NULL);
    ck_assert_msg(status.code != STATUS_UNSUPPORTED, "%s: %s", one->name, status.message);
    pass->inputs = right.inputs;
    pass->outputs.final = NULL;
    status = one->forward(plan, &pass->inputs, &pass->outputs, NULL);
    ck_assert_msg(status.code == STATUS_OK, "%s: %s", one->name, status.message);
    pass_free(pass);
}

static void check_backward(const struct implementation *one, struct plan *plan, const struct problem *p)
{
    struct pass *pass = pass_make(p);
    const struct pass right = *pass;
    void *const not_to_be_written[] = {
        (void *)(uintptr_t)pass->inputs.v, (void *)(uintptr_t)pass->inputs.lambda, pass->h, pass->final, pass->dh, pass->dfinal};
    for (int i = 0; i < TENSORS; i++) {
        if (pass->size[i] == 0) {
            *gradient_slot(pass, i) = pass->gradient[i];
            backward_refused(one, plan, pass, "a gradient that the problem does not have");
        }
        for (size_t k = 0; k < sizeof not_to_be_written / sizeof not_to_be_written[0] && pass->size[i] > 0; k++) {
            *gradient_slot(pass, i) = not_to_be_written[k];
            backward_refused(one, plan, pass, "a gradient that overlaps what is read");
        }
        for (int k = 0; k < TENSORS && pass->size[i] > 0; k++)
            if (k != i && pass->size[k] > 0) {
                *gradient_slot(pass, i) = pass->gradient[k];
                backward_refused(one, plan, pass, "two gradients in one place");
            }
        pass->gradients = right.gradients;
        if (pass->size[i] > 0 && i != 4) {
            *input_slot(pass, i) = NULL;
            backward_refused(one, plan, pass, "a tensor that is missing");
        }
        pass->inputs = right.inputs;
    }
    pass->outputs.h = NULL;
    backward_refused(one, plan, pass, "no h");
    pass->outputs = right.outputs;
    ck_assert_int_eq(one->forward(plan, &pass->inputs, &pass->outputs, NULL).code, STATUS_OK);
    struct status status = one->backward(plan, &pass->inputs, &pass->outputs, &pass->derivatives, &pass->gradients);
    ck_assert_msg(status.code == STATUS_OK, "%s: %s", one->name, status.message);
    pass_free(pass);
}

static void check_passes(const struct implementation *one, enum dtype dtype)
{
    struct call call = good_call(one, dtype);
    struct plan *plan;
    struct status status = one->plan(&call.problem, &call.settings, &call.environment, &plan);
    ck_assert_msg(status.code == STATUS_OK, "%s: %s", one->name, status.message);
    check_forward(one, plan, &call.problem);
    if (one->backward != NULL) {
        struct pass *pass = pass_make(&call.problem);
        backward_refused(one, plan, pass, "a plan without a gradient");
        pass_free(pass);
    }
    one->destroy(plan);
    if (one->backward == NULL)
        return;
    call.settings.gradient = one->gradients & GRADIENTS_EXACT ? GRADIENT_EXACT : GRADIENT_STEPS;
    call.settings.gradient_steps = 1;
    status = one->plan(&call.problem, &call.settings, &call.environment, &plan);
    ck_assert_msg(status.code == STATUS_OK, "%s: %s", one->name, status.message);
    check_backward(one, plan, &call.problem);
    one->destroy(plan);
}

START_TEST(tensors_are_checked)
{
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++)
        for (enum level level = 0; level <= level_best(); level++) {
            const struct implementation *one = registry_get(_i, dtype, level);
            if (asked(one))
                check_passes(one, dtype);
        }
}
END_TEST

Suite *suite_misuse(void);

Suite *suite_misuse(void)
{
    Suite *suite = suite_create("misuse");
    TCase *tests = tcase_create("misuse");
    tcase_add_loop_test(tests, nonsense_is_refused, 0, FAULTS);
    tcase_add_test(tests, the_largest_sizes_are_answered);
    tcase_add_test(tests, exact_implementations_ignore_the_iteration);
    tcase_add_loop_test(tests, tensors_are_checked, 0, registry_count());
    suite_add_tcase(suite, tests);
    return suite;
}
