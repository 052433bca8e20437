/* Implementations on the CUDA device, run on the CPU by the runner (runner.h), over the shared list of cases against the CPU's answer
 * in float64.
 *
 *   kernels WORK NAME [FILE]     WORK: all   every case, in the orders of threads and blocks and with 1, 2, 8 and all blocks resident in turn
 *                                      some  a third of the cases in one of these ways
 *                                      few   a dozen cases in two ways
 *                                NAME: an implementation, of the shared object FILE instead of those linked
 *
 * A mistake ends it with status 1 and the reason; a sanitizer that finds something ends it in its own way. */
#include "tests/cuda/runner_ways.h"
#include "tests/support/gradient_cases.h"
#include "tests/support/pairs.h"

#include "bench/measure/subject.h"
#include "bench/problems/textbook.h"

#include <check.h>
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNRESOLVED 0.05 /* a tolerance above this says nothing: the problem is too sensitive for float32 */
#define UNITS 200.0
#define OPERATIONS_MOST 1e8 /* of a forward(): one thread computes them all */

static const struct implementation *one;
enum amount { ALL, SOME, FEW, WORKS };
static const char *const works[WORKS] = {"all", "some", "few"};
static enum amount work;
static long ran;

static const int residents[] = {1, 2, 8, 0};
enum { RESIDENTS = 4 };

/* So many ways of a case are tried: of small problems without an edge every order, else one, which changes from case to case. */
static bool is_small(const struct problem *p)
{
    return p->B * p->T * p->d <= 120;
}

static int ways(const struct problem *p, enum edge edge)
{
    return work == ALL ? (is_small(p) && edge == EDGE_NONE ? RUNNER_ORDERS : 1) : work == SOME ? 1 : 2;
}

static void choose(int i, int k)
{
    int order = work == FEW ? RUNNER_RANDOM : (i + k) % RUNNER_ORDERS;
    int resident = work == FEW ? (k % 2 ? 2 : 0) : residents[(i / RUNNER_ORDERS + i + k) % RESIDENTS];
    runner_ways_choose(order, resident, (uint64_t)i * RUNNER_ORDERS + (uint64_t)k);
}

/* Cases are left out evenly where few are wanted, and the large ones; of products, which have three times as many, also where some
 * are. */
static bool wanted(const struct problem *p, int i)
{
    if (work == FEW)
        return i % (pairs_full() ? 11 : 4) == 3 && p->B * p->T * p->d < 700;
    return work != SOME || !pairs_full() || i % 3 == i / 36 % 3;
}

/* One case of n of a product is one of half as many of a cover, which is half as long. */
static int thinned(int n)
{
    return pairs_full() ? n : n / 2;
}

static double *doubles(int64_t n)
{
    double *values = calloc((size_t)n + 1, sizeof *values);
    ck_assert_ptr_nonnull(values);
    return values;
}

static bool supported(const struct problem *p, const struct settings *settings)
{
    const struct environment environment = {.threads = 1};
    struct support support;
    one->supports(p, settings, &environment, &support);
    ck_assert_msg(support.yes || support.reason[0] != '\0', "no, without a reason");
    return support.yes;
}

static bool affordable(const struct problem *p, const struct settings *settings)
{
    const struct environment environment = {.threads = 1};
    struct work counted;
    one->count(p, settings, &environment, settings->l_max, &counted);
    return counted.operations <= OPERATIONS_MOST;
}

/* plan, upload, forward, download, destroy. h (B,T,d) and final (B,d) as doubles. */
static struct status run(const struct tensors *tensors, const struct settings *settings, struct trace *trace, double *h,
                         double *final)
{
    const struct problem *p = &tensors->problem;
    const struct environment environment = {.threads = 1};
    int64_t n = p->B * p->T * p->d, last = p->B * p->d;
    float *raw = malloc((size_t)(n + last) * sizeof *raw);
    ck_assert_ptr_nonnull(raw);
    memset(raw, 0xff, (size_t)(n + last) * sizeof *raw); /* NaN */
    const struct outputs outputs = {.h = raw, .final = raw + n};
    struct plan *plan;
    struct status status = one->plan(p, settings, &environment, &plan);
    if (status.code == STATUS_OK)
        status = implementation_forward(one, plan, &tensors->inputs, &outputs, trace);
    one->destroy(plan);
    to_doubles(DTYPE_FLOAT32, raw, 0, n, h);
    to_doubles(DTYPE_FLOAT32, raw, n, last, final);
    free(raw);
    ran++;
    return status;
}

struct comparison {
    const struct test_case *test;
    const struct tensors *tensors;
    const struct settings *settings;
    const double *expected;
    struct status status;
    double tolerance;
    double *first; /* what the first way left: the others must leave the same bits */
};

static void compare(const struct comparison *c, int i, int k)
{
    const struct problem *p = &c->tensors->problem;
    int64_t n = p->B * p->T * p->d, size = p->T * p->d;
    double *h = doubles(n), *final = doubles(p->B * p->d);
    choose(i, k);
    struct status status = run(c->tensors, c->settings, NULL, h, final);
    ck_assert_msg(status.code != STATUS_INTERNAL, "%s: %s", c->test->name, status.message);
    /* A strength that float32 rounds to 1 makes a step singular that float64 still resolves: it may come earlier. */
    bool earlier =
        status.code == STATUS_SINGULAR && (status.b < c->status.b || (status.b == c->status.b && status.t <= c->status.t));
    if ((c->tolerance <= UNRESOLVED || c->status.code != STATUS_OK) && !(c->status.code == STATUS_SINGULAR && earlier))
        ck_assert_msg(status.code == c->status.code && status.b == c->status.b && status.t == c->status.t,
                      "%s l=%lld: status %s at (%lld,%lld), expected %s at (%lld,%lld)", c->test->name,
                      (long long)c->settings->l_max, status_names[status.code], (long long)status.b, (long long)status.t,
                      status_names[c->status.code], (long long)c->status.b, (long long)c->status.t);
    if (c->tolerance <= UNRESOLVED && c->status.code == STATUS_OK) {
        double distance = distance_scaled(c->tensors, h, c->expected);
        ck_assert_msg(distance <= c->tolerance, "%s l=%lld way %d: distance %g, tolerance %g", c->test->name,
                      (long long)c->settings->l_max, k, distance, c->tolerance);
        for (int64_t b = 0; b < p->B; b++)
            ck_assert_msg(memcmp(final + b * p->d, h + b * size + size - p->d, (size_t)p->d * sizeof *h) == 0,
                          "%s: the final state is not the last one", c->test->name);
    }
    if (k > 0 && is_small(p))
        ck_assert_msg(memcmp(c->first, h, (size_t)n * sizeof *h) == 0, "%s: an order of threads changes the bits", c->test->name);
    memcpy(c->first, h, (size_t)n * sizeof *h);
    free(h);
    free(final);
}

/* Iterations of small problems, and of larger ones. */
static const int64_t lengths[] = {1, 2, 7, 19}, few_lengths[] = {3, 2, 1, 5};

static void run_case(int i)
{
    struct test_case test = cases_get(i);
    struct tensors drawn = case_tensors(&test, 17), tensors = tensors_as(&drawn, DTYPE_FLOAT32);
    const struct problem *p = &tensors.problem;
    struct settings settings = fixed_l(one->exact ? 1 : (is_small(&test.problem) ? lengths : few_lengths)[i / 2 % 4]);
    int64_t n = p->B * p->T * p->d;
    double *expected = doubles(n), *first = doubles(n);
    if (one->solver) {
        settings = fixed_l(2 * p->T + 8);
        settings.tolerance = 1e-5;
    }
    if (wanted(p, i) && supported(p, &settings)) {
        struct comparison c = {
            .test = &test, .tensors = &tensors, .settings = &settings, .expected = expected, .status = status_ok(), .first = first};
        if (one->exact || one->solver) {
            c.status = reference_exact(&tensors, expected);
            c.tolerance = c.status.code == STATUS_OK ? tolerance_exact(&tensors, expected, DTYPE_FLOAT32) : 0;
            if (one->solver) /* a residual of this size may be an error that is larger by as much as the answer is sensitive */
                c.tolerance *= 1 + settings.tolerance / 0x1p-24;
        } else {
            reference_iterate(&tensors, settings.l_max, expected);
            c.tolerance = tolerance_iterate(&tensors, settings.l_max, expected, DTYPE_FLOAT32);
        }
        choose_options(one, i / 3, &settings);
        for (int k = 0; k < ways(p, test.edge) && (!one->solver || c.status.code == STATUS_OK || c.status.code == STATUS_SINGULAR);
             k++)
            compare(&c, i, k);
    }
    free(expected);
    free(first);
    tensors_free(&tensors);
    tensors_free(&drawn);
}

START_TEST(cases)
{
    for (int i = 0; i < cases_count(); i++)
        run_case(i);
}
END_TEST

/* ---- Long and wide ------------------------------------------------------------------------------------------------------- */

/* More tokens than a tile of the scan has, more channels than a block has threads, matrices that shared memory is too small for. */
static const struct {
    int64_t B, T, d;
    enum mixer mixer;
    int r;
    enum feedback feedback;
    bool growing; /* the second of two channels has gates above 1 and a state of 0: products of gates overflow */
} large[] = {
    {2, 400, 40, MIXER_NONE, 0, FEEDBACK_NONE, false},       {1, 140, 7, MIXER_DPLR, 1, FEEDBACK_NONE, false},
    {1, 135, 6, MIXER_HOUSEHOLDER, 2, FEEDBACK_RMS, false},  {1, 3, 300, MIXER_DPLR, 2, FEEDBACK_NONE, false},
    {1, 2, 600, MIXER_HOUSEHOLDER, 4, FEEDBACK_NONE, false}, {1, 3, 300, MIXER_HOUSEHOLDER, 1, FEEDBACK_RAW, false},
    {1, 3, 288, MIXER_KRONECKER, 0, FEEDBACK_NONE, false},   {1, 2, 1100, MIXER_DPLR, 1, FEEDBACK_NONE, false},
    {1, 3, 40, MIXER_DPLR, 9, FEEDBACK_NONE, false},         {1, 2, 170, MIXER_DENSE, 0, FEEDBACK_NONE, false},
    {2, 2, 165, MIXER_DPLR, 2, FEEDBACK_RMS, false},         {1, 400, 2, MIXER_NONE, 0, FEEDBACK_NONE, true},
};

static void run_large(int i, enum form form)
{
    struct test_case test = {.name = "large",
                             .initial = i % 2 == 0,
                             .problem = {.B = large[i].B,
                                         .T = large[i].T,
                                         .d = large[i].d,
                                         .mixer = large[i].mixer,
                                         .r = large[i].r,
                                         .s = large[i].mixer == MIXER_NONE || large[i].mixer == MIXER_DENSE ? 0 : 0.7,
                                         .form = form,
                                         .feedback = large[i].feedback,
                                         .dtype = DTYPE_FLOAT64}};
    struct tensors drawn = case_tensors(&test, 23), tensors = tensors_as(&drawn, DTYPE_FLOAT32);
    const struct problem *p = &tensors.problem;
    for (int64_t t = 0; t < p->T && large[i].growing; t++) {
        ((float *)tensors.owned[0])[t * p->d + 1] = 0;
        ((float *)tensors.owned[1])[t * p->d + 1] = 2;
    }
    struct settings settings = fixed_l(one->exact ? 1 : 3);
    int64_t n = p->B * p->T * p->d;
    double *expected = doubles(n), *first = doubles(n);
    if (one->solver) {
        settings = fixed_l(60);
        settings.tolerance = 1e-5;
    }
    problem_print(p, sizeof test.name, test.name);
    if (supported(p, &settings) && affordable(p, &settings)) {
        struct comparison c = {.test = &test,
                               .tensors = &tensors,
                               .settings = &settings,
                               .expected = expected,
                               .status = status_ok(),
                               .first = first,
                               .tolerance = 1e-4}; /* contractive: lambda below 0.95, s = 0.7 */
        if (one->exact || one->solver) {
            const char *other =
                p->mixer == MIXER_KRONECKER || p->mixer == MIXER_DENSE ? "dense_sequential" : "structured_sequential";
            const struct implementation *cpu = registry_get(registry_find(other), DTYPE_FLOAT64, LEVEL_BASELINE);
            struct settings once = fixed_l(1);
            struct tensors as = tensors_as(&tensors, DTYPE_FLOAT64);
            ck_assert_int_eq(run_variant(cpu, &as, &once, 1, expected, NULL, NULL).code, STATUS_OK);
            tensors_free(&as);
        } else {
            reference_iterate(&tensors, settings.l_max, expected);
        }
        int options = choose_options(one, 0, &settings);
        int orders = large[i].mixer == MIXER_NONE && !(one->solver && work == FEW) ? 3 : 1; /* a solver has many launches */
        for (int which = 0; which < (large[i].mixer == MIXER_NONE ? options : 1); which++)
            for (int k = 0; choose_options(one, which, &settings) > 0 && k < orders; k++)
                compare(&c, i, k + which);
    }
    free(expected);
    free(first);
    tensors_free(&tensors);
    tensors_free(&drawn);
}

START_TEST(large_ones)
{
    for (int i = 0; i < (int)(sizeof large / sizeof large[0]); i++)
        for (enum form form = 0; form < FORM_COUNT; form++)
            if (work != FEW || i == 0)
                run_large(i, form);
}
END_TEST

/* ---- Tolerances and traces ------------------------------------------------------------------------------------------------ */

/* What it is like on the processor: iterates of the map are those of fixed_point, a solver's those of its namesake. */
static const struct implementation *of_processor(enum dtype dtype)
{
    char name[64];
    snprintf(name, sizeof name, "%s", one->solver ? one->name : "fixed_point_cuda");
    name[strlen(name) - strlen("_cuda")] = '\0';
    int index = registry_find(name);
    ck_assert_int_ge(index, 0);
    return registry_get(index, dtype, LEVEL_BASELINE);
}

enum { TRACE_L = 40, TRACE_B = 8, TRACE_KEPT = 3 };

/* The trace of a run, and what it points to. */
struct traced {
    int64_t l[TRACE_B];
    double residual[TRACE_L * TRACE_B], *kept; /* kept (TRACE_KEPT,T,d), as doubles */
    struct trace trace;
    struct status status;
};

/* Of an implementation of the processor, or NULL: of the one that is tested. */
static void run_traced(const struct implementation *cpu, const struct tensors *tensors, const struct settings *settings,
                       struct traced *out)
{
    static const int64_t keep[TRACE_KEPT] = {1, 3, 20};
    const struct problem *p = &tensors->problem;
    int64_t n = p->B * p->T * p->d, size = TRACE_KEPT * p->T * p->d, sequences[] = {p->B - 1};
    double *h = doubles(n), *final = doubles(n), *iterates = doubles(size);
    for (int b = 0; b < TRACE_B; b++)
        out->l[b] = cpu != NULL ? -1 : -2; /* where nobody notes one they differ */
    out->kept = doubles(size);
    out->trace = (struct trace){.l = out->l,
                                .residual = out->residual,
                                .keep = keep,
                                .n_keep = TRACE_KEPT,
                                .sequences = sequences,
                                .n_sequences = 1,
                                .iterates = iterates};
    out->status =
        cpu != NULL ? run_variant(cpu, tensors, settings, 1, h, NULL, &out->trace) : run(tensors, settings, &out->trace, h, final);
    to_doubles(p->dtype, iterates, 0, out->trace.n_kept * p->T * p->d, out->kept);
    free(h);
    free(final);
    free(iterates);
}

static double residual_excess(double a, double b)
{
    return isinf(a) && isinf(b) ? 0 : fabs(a - b) / (1e-3 * fabs(b) + 3e-6);
}

static double state_excess(double a, double b)
{
    return fabs(a - b) / (1e-4 * (1 + fabs(b)));
}

/* The largest excess, of residuals (else of kept iterates), of a over b as far as both went. */
static double trace_excess(const struct problem *p, const struct traced *a, const struct traced *b, bool residuals)
{
    int64_t l = a->trace.l_run < b->trace.l_run ? a->trace.l_run : b->trace.l_run;
    int64_t kept = a->trace.n_kept < b->trace.n_kept ? a->trace.n_kept : b->trace.n_kept;
    double most = 0;
    for (int64_t k = 0; k < (residuals ? l * p->B : kept * p->T * p->d); k++) {
        double here = residuals ? residual_excess(a->residual[k], b->residual[k]) : state_excess(a->kept[k], b->kept[k]);
        most = here <= most || most != most ? most : here; /* NaN stays */
    }
    return most;
}

/* l, l_run, residuals and iterates as the processor has them in float32; those of a solver, whose early iterates may be far off, to
 * four times as far as they are from its float64 where that is more. */
static void run_trace(int i)
{
    struct test_case test = gradient_case(i);
    test.problem.T += 3;
    struct tensors drawn = case_tensors(&test, 29 + (uint64_t)i), tensors = tensors_as(&drawn, DTYPE_FLOAT32);
    const struct problem *p = &tensors.problem;
    struct settings settings = fixed_l(TRACE_L);
    settings.tolerance = i % 3 == 0 ? 0 : 2e-3;
    settings.quantile = i % 2 ? 0.5 : 1;
    settings.damping = i % 5 == 1 ? 0.8 : 1;
    settings.patience = i % 5 == 2 ? 2 : 0;
    if (settings.tolerance == 0)
        settings.l_max = 21;
    if (!supported(p, &settings)) {
        settings.damping = 1;
        settings.patience = 0;
    }
    if (p->B <= TRACE_B && supported(p, &settings)) {
        char text[160];
        struct traced found, expected, wide;
        struct tensors as = tensors_as(&tensors, DTYPE_FLOAT64);
        problem_print(p, sizeof text, text);
        choose(i, 0);
        run_traced(NULL, &tensors, &settings, &found);
        run_traced(of_processor(DTYPE_FLOAT32), &tensors, &settings, &expected);
        run_traced(of_processor(DTYPE_FLOAT64), &as, &settings, &wide);
        ck_assert_msg(found.status.code != STATUS_INTERNAL, "%s", found.status.message);
        double most[2] = {1, 1}; /* of states, of residuals */
        for (int k = 0; k < 2 && one->solver; k++)
            most[k] = fmax(1, 4 * trace_excess(p, &expected, &wide, k));
        double off = trace_excess(p, &found, &expected, true);
        ck_assert_msg(off <= most[1], "%s: a residual is off by %g of what is allowed, at most %g", text, off, most[1]);
        bool close = false; /* a residual so near the tolerance that rounding decides */
        for (int64_t k = 0; k < expected.trace.l_run * p->B; k++)
            close = close || fabs(expected.residual[k] - settings.tolerance) < 0.01 * most[1] * settings.tolerance;
        if (!close) {
            ck_assert_msg(found.status.code == expected.status.code, "%s: %s, expected %s", text, status_names[found.status.code],
                          status_names[expected.status.code]);
            ck_assert_msg(found.trace.l_run == expected.trace.l_run && found.trace.n_kept == expected.trace.n_kept,
                          "%s: l_run %lld, expected %lld", text, (long long)found.trace.l_run, (long long)expected.trace.l_run);
            ck_assert_msg(found.trace.applications == expected.trace.applications, "%s: applications %g", text,
                          found.trace.applications);
            for (int64_t b = 0; b < p->B; b++)
                ck_assert_msg(found.l[b] == expected.l[b], "%s: l* %lld, expected %lld", text, (long long)found.l[b],
                              (long long)expected.l[b]);
            off = trace_excess(p, &found, &expected, false);
            ck_assert_msg(off <= most[0], "%s: a kept iterate is off by %g of what is allowed, at most %g", text, off, most[0]);
        }
        free(found.kept);
        free(expected.kept);
        free(wide.kept);
        tensors_free(&as);
    }
    tensors_free(&tensors);
    tensors_free(&drawn);
}

START_TEST(traces)
{
    for (int i = 0; i < gradient_cases() && !one->exact; i++)
        if (work == ALL || (work == SOME && i % thinned(4) == 1) || i % thinned(13) == 2)
            run_trace(i);
}
END_TEST

/* Sweeps of quasi_deer_cuda where many entries of diag(A_t) lie beyond -1 or 1, against those of the processor in float64: after a
 * sweep or two only the cut, and the gate in it, tell them apart from others that lead to the same answer. */
static int swept; /* sweeps that were compared */

static void run_sweeps(int i)
{
    struct test_case test = {.name = "sweeps", .initial = true, .problem = {.B = 2, .T = 8, .d = 4, .r = 1 + i / 4 % 3, .s = 2}};
    test.problem.mixer = i % 2 ? MIXER_HOUSEHOLDER : MIXER_DPLR, test.problem.form = (enum form)(i / 2 % 2);
    test.problem.feedback = (enum feedback)(i % FEEDBACK_COUNT);
    struct tensors drawn = case_tensors(&test, 130 + (uint64_t)i), tensors = tensors_as(&drawn, DTYPE_FLOAT32);
    struct tensors as = tensors_as(&tensors, DTYPE_FLOAT64);
    int64_t n = test.problem.B * test.problem.T * test.problem.d;
    double *h = doubles(n), *final = doubles(test.problem.B * test.problem.d), *wide = doubles(n), *narrow = doubles(n);
    float raw[64];
    ck_assert_int_le(n, 64);
    for (int l = 1; l <= 3; l++) {
        struct settings settings = fixed_l(l);
        choose(i, 0);
        struct status status = run(&tensors, &settings, NULL, h, final);
        run_variant(of_processor(DTYPE_FLOAT64), &as, &settings, 1, wide, NULL, NULL);
        run_variant(of_processor(DTYPE_FLOAT32), &tensors, &settings, 1, raw, NULL, NULL);
        to_doubles(DTYPE_FLOAT32, raw, 0, n, narrow);
        double most = fmax(1e-4, 8 * distance_max(narrow, wide, n));
        if (most > UNRESOLVED)
            continue;
        ck_assert_msg(status.code == STATUS_OK && distance_max(h, wide, n) <= most, "%s %d: sweep %d is off by %g, at most %g",
                      test.name, i, l, distance_max(h, wide, n), most);
        swept++;
    }
    free(h), free(final), free(wide), free(narrow);
    tensors_free(&as);
    tensors_free(&tensors);
    tensors_free(&drawn);
}

START_TEST(sweeps)
{
    static const int problems[WORKS] = {[ALL] = 24, [SOME] = 2, [FEW] = 2};
    if (strcmp(one->name, "quasi_deer_cuda") != 0)
        return;
    for (int i = 0; i < problems[work]; i++)
        run_sweeps(i);
    ck_assert_int_gt(swept, problems[work]);
}
END_TEST

/* ---- Gradients ------------------------------------------------------------------------------------------------------------ */

/* Of the float64 reference, and how far rounding may take float32 from it: as inputs that are moved that much do, or four times as
 * far as the processor's own float32 is. The power steps of a Kronecker factor can lose more than any change of the inputs shows.
 * */
static bool expect_gradient(const struct implementation *cpu, const struct tensors *tensors, const struct settings *settings,
                            const struct loss *loss, struct gradient_values *expected, double *tolerance)
{
    struct tensors as = tensors_as(tensors, DTYPE_FLOAT64);
    struct status status = gradients_from(cpu, &as, settings, 1, loss, expected);
    *tolerance = 0;
    for (uint64_t seed = 0; seed < 2 && status.code == STATUS_OK; seed++) {
        struct gradient_values values;
        int which;
        int64_t sizes[TENSORS_MAX];
        struct tensors moved = tensors_as(tensors, DTYPE_FLOAT64);
        tensor_sizes(&moved.problem, sizes);
        for (int i = 0; i < TENSORS_MAX; i++)
            for (int64_t k = 0; moved.owned[i] != NULL && k < sizes[i]; k++)
                ((double *)moved.owned[i])[k] *= 1 + 1e-7 * (((uint64_t)k * 2654435761u >> (7 + seed)) % 2 ? 1.0 : -1.0);
        if (gradients_from(cpu, &moved, settings, 1, loss, &values).code != STATUS_OK)
            status = status_at(STATUS_INTERNAL, -1, -1, " ");
        else
            *tolerance = fmax(*tolerance, gradient_distance(&as.problem, &values, expected, &which));
        gradient_values_free(&values);
        tensors_free(&moved);
    }
    *tolerance = UNITS * 0x1p-24 * fmax(1, *tolerance / 1e-7);
    if (status.code == STATUS_OK) {
        struct gradient_values values;
        int which;
        const struct implementation *narrow = registry_get(registry_find(cpu->name), DTYPE_FLOAT32, LEVEL_BASELINE);
        if (gradients_from(narrow, tensors, settings, 1, loss, &values).code == STATUS_OK)
            *tolerance = fmax(*tolerance, 4 * gradient_distance(&as.problem, &values, expected, &which));
        gradient_values_free(&values);
    }
    tensors_free(&as);
    return status.code == STATUS_OK;
}

/* forward and backward of the implementation that is tested; the loss goes up and the gradients come down as floats. */
static void run_gradient(int i, enum gradient gradient, int64_t steps)
{
    struct test_case test = gradient_case(i);
    struct tensors drawn = case_tensors(&test, 31 + (uint64_t)i), tensors = tensors_as(&drawn, DTYPE_FLOAT32);
    const struct problem *p = &tensors.problem;
    struct loss loss = loss_draw(p, 37);
    struct settings settings = gradient_settings(gradient, steps), reference = settings;
    struct gradient_values expected = {0}, values = {0};
    if (gradient == GRADIENT_EXACT) { /* iterated until float32 has no more to give */
        settings.l_max = reference.l_max = 400;
        settings.tolerance = 0;
        reference.tolerance = 1e-13;
        settings.l_max = one->exact ? 1 : 30;
        reference.l_max = 20000;
    }
    bool exact = gradient == GRADIENT_EXACT;
    const char *name = !exact ? "fixed_point" : "dense_sequential";
    const struct implementation *cpu = registry_get(registry_find(name), DTYPE_FLOAT64, LEVEL_BASELINE);
    double tolerance;
    if (p->mixer == MIXER_NONE && steps > 1)
        reference = gradient_settings(gradient, steps);
    settings.gradient = reference.gradient = gradient;
    if (supported(p, &settings) && expect_gradient(cpu, &tensors, &reference, &loss, &expected, &tolerance) &&
        tolerance <= UNRESOLVED) {
        choose(i, (int)steps);
        struct status status = gradients_from(one, &tensors, &settings, 1, &loss, &values);
        char text[160];
        int which = 0;
        problem_print(p, sizeof text, text);
        bool converges = one->exact || !exact || status.code == STATUS_OK;
        ck_assert_msg(status.code == STATUS_OK || (!converges && status.code == STATUS_DIVERGED), "%s: %s", text, status.message);
        double distance = converges ? gradient_distance(p, &values, &expected, &which) : 0;
        if (converges && exact && !one->exact &&
            !(distance <= tolerance)) { /* iterates may not lead there: then float64's do not either */
            struct gradient_values iterated;
            const struct implementation *same = registry_get(registry_find("fixed_point"), DTYPE_FLOAT64, LEVEL_BASELINE);
            struct tensors as = tensors_as(&tensors, DTYPE_FLOAT64);
            struct status there = gradients_from(same, &as, &settings, 1, &loss, &iterated);
            if (there.code == STATUS_OK)
                distance = gradient_distance(p, &values, &iterated, &which);
            gradient_values_free(&iterated);
            tensors_free(&as);
        }
        ck_assert_msg(distance <= tolerance, "%s%s, %s, %lld steps: gradient of %s off by %g, tolerance %g", text,
                      tensors.inputs.h0 != NULL ? " h0" : "", exact ? "exact" : "n-step", (long long)steps, tensor_names[which],
                      distance, tolerance);
        ran++;
    }
    gradient_values_free(&expected);
    gradient_values_free(&values);
    loss_free(&loss);
    tensors_free(&tensors);
    tensors_free(&drawn);
}

/* Without a mixer they cost next to nothing, and are always there. */
static bool gradient_wanted(int i, int64_t steps)
{
    struct test_case test = gradient_case(i);
    bool always = test.problem.mixer == MIXER_NONE;
    if (work == ALL)
        return always || one->exact || (steps == 0 ? i % 2 == 0 : i % 3 == steps - 1);
    return always || (work == SOME ? i % 4 == steps : i % thinned(13) == 5);
}

START_TEST(gradients)
{
    for (int i = 0; i < gradient_cases(); i++)
        for (int64_t steps = 0; steps <= 3 && one->backward != NULL; steps++)
            if (gradient_wanted(i, steps) && (one->gradients & (steps == 0 ? GRADIENTS_EXACT : GRADIENTS_STEPS)))
                run_gradient(i, steps == 0 ? GRADIENT_EXACT : GRADIENT_STEPS, steps);
}
END_TEST

/* ---- Too little memory ---------------------------------------------------------------------------------------------------- */

/* A problem that no card here has the memory for is refused with what it takes and what there is. */
START_TEST(memory)
{
    int looked = 0;
    for (int mixer = 0; mixer < MIXER_COUNT; mixer++) {
        struct problem p = {.B = 64, .T = 1 << 20, .d = 16, .mixer = (enum mixer)mixer, .dtype = DTYPE_FLOAT32};
        p.r = mixer_facts[mixer].takes_r;
        p.s = mixer_facts[mixer].takes_s;
        const struct environment environment = {.threads = 1};
        struct settings settings = fixed_l(1);
        struct support support;
        struct problem small = p;
        small.T = 2;
        if (!supported(&small, &settings))
            continue;
        one->supports(&p, &settings, &environment, &support);
        ck_assert_msg(!support.yes && strstr(support.reason, " MB of the device's memory, the tests' runner has 4295.0 MB") != NULL,
                      "%s: %s", mixer_names[mixer], support.reason);
        double needs = strncmp(support.reason, "needs ", 6) == 0 ? strtod(support.reason + 6, NULL) : 0;
        ck_assert_msg(needs > 4295, "%s", support.reason);
        looked++;
    }
    ck_assert_int_gt(looked, 0);
}
END_TEST

static const struct implementation *find(const char *name, const char *file)
{
    if (file == NULL) {
        int index = registry_find(name);
        return index >= 0 ? registry_get(index, DTYPE_FLOAT32, LEVEL_BASELINE) : NULL;
    }
    void *object = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (object == NULL)
        fprintf(stderr, "%s\n", dlerror());
    return object != NULL ? dlsym(object, name) : NULL;
}

int main(int argc, char **argv)
{
    work = WORKS;
    for (int i = 0; argc > 2 && i < WORKS; i++)
        work = strcmp(argv[1], works[i]) == 0 ? (enum amount)i : work;
    one = work < WORKS ? find(argv[2], argc > 3 ? argv[3] : NULL) : NULL;
    if (one == NULL) {
        fprintf(stderr, "usage: kernels all|some|few IMPLEMENTATION [FILE]\n");
        return 2;
    }
    unsetenv("CK_RUN_SUITE"); /* of the tests that started this */
    Suite *suite = suite_create(one->name);
    TCase *tests = tcase_create("kernels");
    tcase_add_test(tests, cases);
    tcase_add_test(tests, large_ones);
    tcase_add_test(tests, traces);
    tcase_add_test(tests, sweeps);
    tcase_add_test(tests, gradients);
    tcase_add_test(tests, memory);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    bool good = srunner_ntests_failed(runner) == 0 && ran > 0;
    srunner_free(runner);
    printf("%s: %ld runs, %lld threads\n", one->name, ran, runner_threads());
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
