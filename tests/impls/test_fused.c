/* fixed_point_fused against fixed_point, iterate by iterate: every kind of mixer, lengths that fill its tiles of iterates and that do
 * not, widths that fill vectors and that do not, fewer sequences than threads, blocks of tokens that are not full. */
#include "tests/support/reference.h"
#include "tests/support/room.h"

#include "bench/measure/subject.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct {
    enum mixer mixer;
    int r;
    double s;
} mixers[] = {
    {MIXER_DPLR, 1, 1},        {MIXER_DPLR, 3, 1},           {MIXER_DPLR, 9, 1},        {MIXER_HOUSEHOLDER, 1, 1},
    {MIXER_HOUSEHOLDER, 1, 2}, {MIXER_HOUSEHOLDER, 2, 1},    {MIXER_HOUSEHOLDER, 3, 2}, {MIXER_HOUSEHOLDER, 4, 1},
    {MIXER_HOUSEHOLDER, 5, 1}, {MIXER_HOUSEHOLDER, 8, 1},    {MIXER_KRONECKER, 0, 1},   {MIXER_NONE, 0, 0},
    {MIXER_DENSE, 0, 0},       {MIXER_KRONECKER_ROWS, 0, 1},
};

/* T beyond a block of tokens, sequences for one, two and three threads. */
static const struct {
    int64_t B, T, d;
    bool initial;
} shapes[] = {{1, 1, 3, true}, {3, 5, 16, false}, {1, 140, 8, true}, {2, 9, 37, true}, {5, 3, 19, false}};

static const int64_t lengths[] = {1, 2, 5, 16, 37};

static struct test_case case_at(int index)
{
    int form = index % FORM_COUNT, feedback = index / FORM_COUNT % FEEDBACK_COUNT, mixer = index / FORM_COUNT / FEEDBACK_COUNT;
    const int shape = (index / FORM_COUNT + form + mixer) % LENGTH(shapes);
    struct test_case test = {.problem = {.B = shapes[shape].B,
                                         .T = shapes[shape].T,
                                         .d = shapes[shape].d,
                                         .mixer = mixers[mixer].mixer,
                                         .r = mixers[mixer].r,
                                         .s = mixers[mixer].s,
                                         .form = (enum form)form,
                                         .feedback = mixers[mixer].mixer == MIXER_NONE ? FEEDBACK_NONE : (enum feedback)feedback,
                                         .dtype = DTYPE_FLOAT64},
                             .initial = shapes[shape].initial};
    problem_print(&test.problem, sizeof test.name, test.name);
    return test;
}

enum { CASES = LENGTH(mixers) * FORM_COUNT * FEEDBACK_COUNT };

static const struct implementation *find(const char *name, enum dtype dtype, enum level level)
{
    return registry_get(registry_find(name), dtype, level);
}

/* One forward() with all that a trace can tell. */
struct told {
    struct status status;
    struct trace trace;
    int64_t *keep, *sequences;
    double *h, *iterates; /* of the tensors' dtype; then doubles */
};

static struct told tell(const char *name, enum level level, const struct tensors *tensors, const struct settings *settings,
                        int threads)
{
    const struct problem *p = &tensors->problem;
    int64_t size = p->T * p->d, L = settings->l_max;
    struct told told = {.keep = room(L, sizeof(int64_t)), .sequences = room(p->B, sizeof(int64_t))};
    for (int64_t l = 0; l < L; l++)
        told.keep[l] = l + 1;
    for (int64_t b = 0; b < p->B; b++)
        told.sequences[b] = p->B - 1 - b;
    void *h = room(p->B * size, sizeof(double)), *iterates = room(L * p->B * size, sizeof(double));
    told.trace = (struct trace){.l = room(p->B, sizeof(int64_t)),
                                .residual = room(L * p->B, sizeof(double)),
                                .keep = told.keep,
                                .n_keep = L,
                                .sequences = told.sequences,
                                .n_sequences = p->B,
                                .iterates = iterates};
    told.status = run_variant(find(name, p->dtype, level), tensors, settings, threads, h, NULL, &told.trace);
    told.h = room(p->B * size, sizeof(double));
    told.iterates = room(L * p->B * size, sizeof(double));
    to_doubles(p->dtype, h, 0, p->B * size, told.h);
    to_doubles(p->dtype, iterates, 0, told.trace.n_kept * p->B * size, told.iterates);
    free(h);
    free(iterates);
    return told;
}

static void told_free(struct told *told)
{
    free(told->keep);
    free(told->sequences);
    free(told->trace.l);
    free(told->trace.residual);
    free(told->h);
    free(told->iterates);
}

static bool supported(const struct problem *p, const struct settings *settings)
{
    const struct environment environment = {.threads = 2};
    struct support support;
    find("fixed_point_fused", p->dtype, LEVEL_BASELINE)->supports(p, settings, &environment, &support);
    return support.yes;
}

/* Where the l-th iterate is further off than `near`: what rounding may do to it, by how sensitive that very iterate is. Some problems
 * enlarge what was rounded for many iterations, before they contract. */
static double near_of(const struct tensors *tensors, int64_t l, double distance, double near)
{
    if (distance <= near)
        return near;
    double *h = room(tensors->problem.B * tensors->problem.T * tensors->problem.d, sizeof *h);
    reference_iterate(tensors, l, h);
    double tolerance = tolerance_iterate(tensors, l, h, tensors->problem.dtype);
    free(h);
    return fmax(near, tolerance);
}

/* What both say of the same call; `near` is how far rounding takes iterates of most problems apart. */
static void compare(const char *what, const struct tensors *tensors, const struct told *a, const struct told *b, double near)
{
    const struct problem *p = &tensors->problem;
    int64_t size = p->B * p->T * p->d;
    ck_assert_msg(a->status.code == b->status.code && a->status.b == b->status.b && a->status.t == b->status.t,
                  "%s: %s (%lld,%lld), fixed_point says %s (%lld,%lld)", what, status_names[b->status.code], (long long)b->status.b,
                  (long long)b->status.t, status_names[a->status.code], (long long)a->status.b, (long long)a->status.t);
    ck_assert_msg(a->trace.l_run == b->trace.l_run, "%s: l_run %lld, not %lld", what, (long long)b->trace.l_run,
                  (long long)a->trace.l_run);
    ck_assert_int_eq(a->trace.n_kept, b->trace.n_kept);
    ck_assert_double_eq(a->trace.applications, b->trace.applications);
    if (a->status.code == STATUS_DIVERGED)
        return;
    int64_t steady = a->trace.l_run; /* until here no iterate was taken apart further than `near`, and so no residual */
    for (int64_t l = 0; l < a->trace.n_kept; l++) {
        double distance = distance_scaled(tensors, b->iterates + l * size, a->iterates + l * size);
        double allowed = near_of(tensors, l + 1, distance, near);
        ck_assert_msg(distance <= allowed, "%s: iterate %lld is off by %g, tolerance %g", what, (long long)l + 1, distance,
                      allowed);
        steady = distance > near && l < steady ? l : steady;
    }
    double returned = distance_scaled(tensors, b->h, a->h), allowed = near_of(tensors, a->trace.l_run, returned, near);
    ck_assert_msg(returned <= allowed, "%s: what is returned is off by %g, tolerance %g", what, returned, allowed);
    for (int64_t i = 0; i < p->B; i++)
        ck_assert_msg(a->trace.l[i] == b->trace.l[i], "%s: l* of %lld is %lld, not %lld", what, (long long)i,
                      (long long)b->trace.l[i], (long long)a->trace.l[i]);
    for (int64_t i = 0; i < p->B * steady && p->dtype == DTYPE_FLOAT64; i++) {
        double x = a->trace.residual[i], y = b->trace.residual[i];
        ck_assert_msg(fabs(x - y) <= 1e-9 + 1e-6 * fabs(x), "%s: residual %lld is %g, not %g", what, (long long)i, y, x);
    }
}

START_TEST(iterates)
{
    struct test_case test = case_at(_i);
    struct tensors drawn = case_tensors(&test, 91);
    int64_t n = test.problem.B * test.problem.T * test.problem.d, L = lengths[_i % LENGTH(lengths)];
    double *expected = room(n, sizeof *expected);
    struct settings settings = fixed_l(L);
    ck_assert(supported(&test.problem, &settings));
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++) {
        struct tensors tensors = tensors_as(&drawn, dtype);
        reference_iterate(&tensors, L, expected);
        double near = fmax(tolerance_iterate(&tensors, L, expected, dtype), dtype == DTYPE_FLOAT64 ? 1e-12 : 1e-5);
        for (enum level level = 0; level <= level_best() && near < 0.05; level++) {
            struct told a = tell("fixed_point", level, &tensors, &settings, 1);
            for (int threads = 1; threads <= 3; threads++) {
                struct told b = tell("fixed_point_fused", level, &tensors, &settings, threads);
                char what[256];
                snprintf(what, sizeof what, "%s l=%lld %s %s, %d threads", test.name, (long long)L, dtype_names[dtype],
                         level_names[level], threads);
                compare(what, &tensors, &a, &b, near);
                told_free(&b);
            }
            told_free(&a);
        }
        tensors_free(&tensors);
    }
    free(expected);
    tensors_free(&drawn);
}
END_TEST

/* The same l* and iterate, with one converged sequence and with all, before and after the end of a pass, and without reaching it. */
START_TEST(tolerances)
{
    static const struct settings rows[] = {
        {.l_max = 60, .tolerance = 1e-1, .quantile = 1, .damping = 1},
        {.l_max = 60, .tolerance = 1e-3, .quantile = 0.3, .damping = 1},
        {.l_max = 60, .tolerance = 1e-8, .quantile = 1, .damping = 1},
        {.l_max = 200, .tolerance = 1e-12, .quantile = 0.6, .damping = 1},
        {.l_max = 3, .tolerance = 1e-9, .quantile = 1, .damping = 1},
    };
    struct test_case test = case_at(_i);
    struct tensors tensors = case_tensors(&test, 92);
    for (int k = 0; k < LENGTH(rows); k++)
        for (int threads = 1; threads <= 3; threads++) {
            struct told a = tell("fixed_point", level_best(), &tensors, &rows[k], 1);
            struct told b = tell("fixed_point_fused", level_best(), &tensors, &rows[k], threads);
            char what[256];
            snprintf(what, sizeof what, "%s, tolerance %g, %d threads", test.name, rows[k].tolerance, threads);
            compare(what, &tensors, &a, &b, 1e-8);
            told_free(&a);
            told_free(&b);
        }
    tensors_free(&tensors);
}
END_TEST

/* Iterates that grow without bound: the first that is not finite ends the run, where it first is not. */
START_TEST(growth)
{
    struct test_case test = case_at(_i);
    test.problem.s = test.problem.s > 0 ? 4 : 0;
    test.problem.form = FORM_PLAIN;
    struct tensors drawn = case_tensors(&test, 93);
    struct settings settings = fixed_l(400), tolerant = settings;
    tolerant.tolerance = 1e-6;
    struct tensors tensors = tensors_as(&drawn, DTYPE_FLOAT32);
    for (int threads = 1; threads <= 3; threads++) {
        struct told a = tell("fixed_point", level_best(), &tensors, &settings, 1);
        struct told b = tell("fixed_point_fused", level_best(), &tensors, &settings, threads);
        struct told c = tell("fixed_point_fused", level_best(), &tensors, &tolerant, threads);
        if (a.status.code == STATUS_DIVERGED) { /* not at the same l: rounding decides when the largest number is passed */
            ck_assert_int_eq(b.status.code, STATUS_DIVERGED);
            ck_assert_int_eq(c.status.code, STATUS_DIVERGED);
            ck_assert_int_le(llabs(a.trace.l_run - b.trace.l_run), 1);
            ck_assert_int_eq(b.trace.l_run, c.trace.l_run);
            ck_assert_int_eq(b.trace.n_kept, b.trace.l_run);
            ck_assert(isinf(b.trace.residual[(b.trace.l_run - 1) * test.problem.B]));
        }
        told_free(&a);
        told_free(&b);
        told_free(&c);
    }
    tensors_free(&tensors);
    tensors_free(&drawn);
}
END_TEST

/* Threads that each have sequences of their own compute the same bits, however many they are. */
START_TEST(bits)
{
    struct test_case test = case_at(_i);
    test.problem.B = 6;
    struct tensors tensors = case_tensors(&test, 94);
    struct settings settings = fixed_l(21);
    int64_t n = test.problem.B * test.problem.T * test.problem.d;
    double *h[2] = {room(n, sizeof(double)), room(n, sizeof(double))};
    for (enum level level = 0; level <= level_best(); level++) {
        for (int k = 0; k < 2; k++)
            run_variant(find("fixed_point_fused", DTYPE_FLOAT64, level), &tensors, &settings, 1 + k, h[k], NULL, NULL);
        ck_assert_msg(memcmp(h[0], h[1], (size_t)n * sizeof(double)) == 0, "%s", test.name);
    }
    free(h[0]);
    free(h[1]);
    tensors_free(&tensors);
}
END_TEST

START_TEST(unsupported)
{
    struct test_case test = case_at(0);
    struct settings damped = fixed_l(3), patient = fixed_l(3);
    damped.damping = 0.9;
    patient.patience = 2;
    ck_assert(!supported(&test.problem, &damped));
    ck_assert(!supported(&test.problem, &patient));
}
END_TEST

Suite *suite_fused(void);

Suite *suite_fused(void)
{
    Suite *suite = suite_create("fused");
    TCase *tests = tcase_create("fused");
    tcase_add_loop_test(tests, iterates, 0, CASES);
    tcase_add_loop_test(tests, tolerances, 0, CASES);
    tcase_add_loop_test(tests, growth, 0, CASES);
    tcase_add_loop_test(tests, bits, 0, CASES);
    tcase_add_test(tests, unsupported);
    suite_add_tcase(suite, tests);
    return suite;
}
