/* dense_sequential and structured_sequential of the selective cell: answers against the textbook's own equation and an iteration of each
 * token that shares nothing with them, gradients against complex steps, the map in r numbers iterate by iterate, and where it lands. */
#include "tests/support/gradient_cases.h"
#include "tests/support/selective_cases.h"
#include "tests/support/room.h"

#include "bench/base/random.h"
#include "bench/measure/subject.h"
#include "bench/problems/textbook.h"
#include "bench/problems/textbook_mixer.h"
#include "bench/problems/textbook_selective.h"
#include "impls/selective/rank.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_selective_sequential(void);

static const char *const names[] = {"dense_sequential", "structured_sequential"};
enum { NAMES = 2 };

static const struct implementation *variant(int which, enum dtype dtype, enum level level)
{
    const struct implementation *one = registry_get_for(registry_find(names[which]), CELL_SELECTIVE, dtype, level);
    ck_assert_msg(one->cells & CELLS_SELECTIVE, "%s does not take the cell", names[which]);
    return one;
}

/* ---- An iteration of each token, from the textbook's map of it ------------------------------------------------------------------ */

#define EXPLODES 1e4
enum { PLAIN = 60000 };

/* y (T,d) and the last state H (d,N) of one sequence, token by token, each iterated from 0 with the textbook's map of it. Returns the first
 * token whose iteration does not come to rest, or T. linear: the token's equation is solved by elimination instead. */
static int64_t iterate_tokens(const struct tensors *one, double *y, double *H)
{
    const struct problem *p = &one->problem;
    int64_t d = p->d;
    double *scratch = doubles(textbook_selective_scratch(p)), *next = doubles(d), *zero = doubles(d);
    struct selective_token token = textbook_selective_token(p, scratch);
    int64_t failed = p->T;
    for (int64_t i = 0; i < d * p->N; i++)
        H[i] = one->inputs.H0 != NULL ? ((const double *)one->inputs.H0)[i] : 0;
    for (int64_t t = 0; t < p->T && failed == p->T; t++) {
        const double *before = t > 0 ? y + (t - 1) * d : one->inputs.y0 != NULL ? one->inputs.y0 : zero;
        double *here = y + t * d, change = INFINITY, least = INFINITY, size = 0;
        int k = 0, since = 0;
        textbook_selective_begin(p, &one->inputs, t, before, &token);
        memset(here, 0, (size_t)d * sizeof *here);
        for (; k < PLAIN && change > 1e-16 * size && !(since > 60 && least < 1e-12 * size); k++) {
            textbook_selective_apply(p, &one->inputs, NULL, t, &token, H, here, next, NULL);
            change = size = 0;
            for (int64_t c = 0; c < d; c++) {
                change = fmax(change, fabs(next[c] - here[c]));
                size = fmax(size, fabs(next[c]));
                here[c] = next[c];
            }
            since = change < least ? 0 : since + 1;
            least = fmin(change, least);
        }
        if (k == PLAIN || !(size < 1e100))
            failed = t;
        textbook_selective_apply(p, &one->inputs, NULL, t, &token, H, here, next, H);
    }
    free(scratch), free(next), free(zero);
    return failed;
}

static bool norms(const struct problem *p)
{
    return p->norm == NORM_OUTPUT || p->norm == NORM_BOTH;
}

/* ---- Answers ------------------------------------------------------------------------------------------------------------------- */

/* Runs one variant; y (B,T,d) and H (B,d,N) in double precision. */
static struct status run(const struct implementation *one, const struct tensors *tensors, int threads, double *y, double *H)
{
    const struct problem *p = &tensors->problem;
    int64_t n = p->B * p->T * p->d;
    struct settings settings = fixed_l(1);
    void *raw = room(n, dtype_size(p->dtype)), *final = room(final_elements(p), dtype_size(p->dtype));
    struct status status = run_variant(one, tensors, &settings, threads, raw, final, NULL);
    to_doubles(p->dtype, raw, 0, n, y);
    to_doubles(p->dtype, final, 0, final_elements(p), H);
    free(raw), free(final);
    return status;
}

/* The residual of the textbook's map at y, and how far the last state is from that of the map. */
static void hold(const struct tensors *tensors, const double *y, const double *H, double *residual, double *apart)
{
    const struct problem *p = &tensors->problem;
    int64_t size = p->T * p->d, each = final_elements(p) / p->B;
    *residual = *apart = 0;
    for (int64_t b = 0; b < p->B; b++) {
        struct tensors one;
        struct error error;
        double *next = doubles(size), *scratch = doubles(textbook_selective_scratch(p)), *state = doubles(each),
               *zero = doubles(p->d);
        ck_assert(tensors_sequence(tensors, b, &one, &error));
        ck_assert(textbook_apply(&one.problem, &one.inputs, y + b * size, next));
        *residual = fmax(*residual, distance_max(next, y + b * size, size));
        struct selective_token token = textbook_selective_token(&one.problem, scratch);
        if (one.inputs.H0 != NULL)
            memcpy(state, one.inputs.H0, (size_t)each * sizeof *state);
        for (int64_t t = 0; t < p->T; t++) {
            const double *here = y + b * size + t * p->d;
            const double *before = t > 0 ? here - p->d : one.inputs.y0 != NULL ? one.inputs.y0 : zero;
            textbook_selective_begin(&one.problem, &one.inputs, t, before, &token);
            textbook_selective_apply(&one.problem, &one.inputs, NULL, t, &token, state, here, next, state);
        }
        *apart = fmax(*apart, distance_max(H + b * each, state, each));
        free(next), free(scratch), free(state), free(zero);
        tensors_free(&one);
    }
}

static struct {
    int answered, compared, none, wide;
} seen;

/* One case: both implementations satisfy the equation and agree with the iteration of each token, or say with it that there is none. */
static void answer(const struct test_case *test, uint64_t seed)
{
    struct tensors tensors = selective_tensors(test, seed);
    const struct problem *p = &test->problem;
    int64_t n = p->B * p->T * p->d, size = p->T * p->d, each = final_elements(p) / p->B;
    double *y = doubles(n), *H = doubles(each * p->B), *expected = doubles(n), *state = doubles(each);
    int64_t failed_b = -1, failed_t = -1;
    bool settles = norms(p); /* else it may have an answer that its iteration does not reach */
    for (int64_t b = 0; b < p->B && (settles || p->mixer == MIXER_NONE); b++) {
        struct tensors one;
        struct error error;
        ck_assert(tensors_sequence(&tensors, b, &one, &error));
        int64_t failed = iterate_tokens(&one, expected + b * size, state);
        if (failed < p->T && failed_b < 0)
            failed_b = b, failed_t = failed;
        tensors_free(&one);
    }
    for (int which = 0; which < NAMES; which++) {
        struct support support;
        const struct settings settings = fixed_l(1);
        const struct environment environment = {.threads = test->threads};
        const struct implementation *one = variant(which, DTYPE_FLOAT64, level_best());
        one->supports(p, &settings, &environment, &support);
        ck_assert_msg(support.yes == (which == 0 || problem_low_rank(p)), "%s: %s", one->name, support.reason);
        if (!support.yes)
            continue;
        struct status status = run(one, &tensors, test->threads, y, H);
        if (failed_b >= 0) {
            ck_assert_msg(status.code == STATUS_NO_STABLE_POINT && status.b == failed_b && status.t == failed_t,
                          "%s, %s: %s at (%lld,%lld), none at (%lld,%lld)", one->name, test->name, status_names[status.code],
                          (long long)status.b, (long long)status.t, (long long)failed_b, (long long)failed_t);
            seen.none++;
            continue;
        }
        int64_t answered = status.code == STATUS_OK ? n : (status.b * p->T + status.t) * p->d;
        if (!norms(p) && norm_max(y, answered) > EXPLODES) /* dt reads y: a step as large as that leaves nothing but rounding */
            continue;
        ck_assert_msg(status.code == STATUS_OK, "%s, %s: %s", one->name, test->name, status.message);
        double residual, apart;
        hold(&tensors, y, H, &residual, &apart);
        ck_assert_msg(residual < 1e-11 && apart < 1e-11, "%s, %s: residual %g, state off by %g", one->name, test->name, residual,
                      apart);
        seen.answered++;
        if (settles) {
            double distance = distance_max(y, expected, n);
            ck_assert_msg(distance < 1e-9, "%s, %s: off by %g", one->name, test->name, distance);
            seen.compared++;
        }
    }
    free(y), free(H), free(expected), free(state);
    tensors_free(&tensors);
}

START_TEST(answers)
{
    struct test_case test = selective_cases_get(_i);
    for (uint64_t seed = 0; seed < 3; seed++)
        answer(&test, 300 + seed);
}
END_TEST

/* Every switch with every low-rank mixer at s 1 and 2, on small problems. */
/* Every switch with every mixer at s 1 and 2, on small problems. */
START_TEST(answers_of_small_problems)
{
    memset(&seen, 0, sizeof seen);
    for (int i = 0; i < selective_cases_count(); i++) {
        struct test_case test = selective_cases_small(i);
        answer(&test, 310);
        test.problem.s = test.problem.s > 0 ? 3 - test.problem.s : 0;
        answer(&test, 311);
    }
    ck_assert_msg(seen.answered > 200 && seen.compared > 100 && seen.none > 1, "answered %d, compared %d, none %d", seen.answered,
                  seen.compared, seen.none);
}
END_TEST

/* The other builds: float32, and every level. Where the equation is one of few answers, rounding may choose another one than float64 does,
 * so it is the equation that they are held to. */
START_TEST(other_builds)
{
    struct test_case test = selective_cases_get(_i);
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++) {
        struct tensors wide = selective_tensors(&test, 320), tensors = tensors_as(&wide, dtype);
        const struct problem *p = &tensors.problem;
        int64_t n = p->B * p->T * p->d;
        double *y = doubles(n), *H = doubles(final_elements(p)), residual, apart;
        for (int which = 0; which < NAMES; which++)
            for (enum level level = 0; level < LEVEL_COUNT; level++) {
                if (!level_available(level) || (which == 1 && !problem_low_rank(p)))
                    continue;
                const struct implementation *one = variant(which, dtype, level);
                struct status status = run(one, &tensors, test.threads, y, H);
                int64_t answered = status.code == STATUS_OK ? n : (status.b * p->T + status.t) * p->d;
                if (status.code == STATUS_NO_STABLE_POINT || (!norms(p) && norm_max(y, answered) > EXPLODES / 100))
                    continue;
                ck_assert_msg(status.code == STATUS_OK, "%s, %s: %s", one->name, test.name, status.message);
                hold(&tensors, y, H, &residual, &apart);
                double tolerance = dtype == DTYPE_FLOAT32 ? 1e-4 : 1e-11;
                ck_assert_msg(residual < tolerance && apart < tolerance, "%s, %s, %s, %s: residual %g, state off by %g", one->name,
                              test.name, dtype_names[dtype], level_names[level], residual, apart);
            }
        free(y), free(H);
        tensors_free(&wide);
        tensors_free(&tensors);
    }
}
END_TEST

/* The same number of threads gives the same bits, another the same answer. */
START_TEST(threads)
{
    struct test_case test = selective_cases_get(_i);
    test.problem.B = 7;
    if (!norms(&test.problem))
        return;
    struct tensors tensors = selective_tensors(&test, 330);
    const struct problem *p = &test.problem;
    int64_t n = p->B * p->T * p->d;
    double *y = doubles(n), *again = doubles(n), *H = doubles(final_elements(p)), *H_again = doubles(final_elements(p));
    for (int which = 0; which < (problem_low_rank(p) ? NAMES : 1); which++) {
        const struct implementation *one = variant(which, DTYPE_FLOAT64, level_best());
        struct status status = run(one, &tensors, 1, y, H);
        for (int count = 1; count <= 3 && status.code == STATUS_OK; count++) {
            ck_assert_int_eq(run(one, &tensors, count, again, H_again).code, STATUS_OK);
            ck_assert_double_lt(distance_max(again, y, n), 1e-9);
            run(one, &tensors, count, y, H);
            ck_assert(memcmp(y, again, (size_t)n * sizeof *y) == 0);
            ck_assert(memcmp(H, H_again, (size_t)final_elements(p) * sizeof *H) == 0);
        }
    }
    free(y), free(again), free(H), free(H_again);
    tensors_free(&tensors);
}
END_TEST

/* ---- Gradients ----------------------------------------------------------------------------------------------------------------- */

static int gradients_compared;

static void compare_gradients(const struct test_case *test, uint64_t seed)
{
    struct tensors tensors = selective_tensors(test, seed);
    struct loss loss = loss_draw(&test->problem, seed);
    struct settings settings = gradient_settings(GRADIENT_EXACT, 0);
    struct gradient_values expected = {0}, values;
    bool there = gradient_settles(&tensors);
    if (there)
        gradient_expect_exact(&tensors, &loss, &expected);
    for (int which = 0; which < (problem_low_rank(&test->problem) ? NAMES : 1) && there; which++) {
        const struct implementation *one = variant(which, DTYPE_FLOAT64, level_best());
        struct status status = gradients_from(one, &tensors, &settings, test->threads, &loss, &values);
        ck_assert_msg(status.code == STATUS_OK, "%s, %s: %s", one->name, test->name, status.message);
        int at;
        double error = gradient_error(&test->problem, &values, &expected, &at);
        ck_assert_msg(error < 1e-9, "%s, %s: gradient of %s off by %g", one->name, test->name, tensor_names[at], error);
        gradient_values_free(&values);
        gradients_compared++;
    }
    gradient_values_free(&expected);
    loss_free(&loss);
    tensors_free(&tensors);
}

/* Every tensor, through every switch, with or without initial states. */
START_TEST(gradients)
{
    gradients_compared = 0;
    for (int i = _i; i < selective_cases_count(); i += 8) {
        struct test_case test = selective_cases_small(i);
        compare_gradients(&test, 340);
        test.problem.B = 2, test.problem.T = 9; /* several stretches */
        test.initial = !test.initial;
        compare_gradients(&test, 341);
    }
    ck_assert_int_gt(gradients_compared, 10);
}
END_TEST

/* In float32, at shapes that fill no vector, they are those of float64. */
START_TEST(gradients_of_other_builds)
{
    struct test_case test = selective_cases_get(_i);
    if (!norms(&test.problem) || test.problem.s == 2)
        return;
    struct tensors drawn = selective_tensors(&test, 350), narrow = tensors_as(&drawn, DTYPE_FLOAT32),
                   wide = tensors_as(&narrow, DTYPE_FLOAT64);
    struct loss loss = loss_draw(&test.problem, 350);
    struct settings settings = gradient_settings(GRADIENT_EXACT, 0);
    struct gradient_values expected, values;
    int at, which = problem_low_rank(&test.problem);
    struct status status = gradients_from(variant(0, DTYPE_FLOAT64, level_best()), &wide, &settings, 1, &loss, &expected);
    for (enum level level = 0; level < LEVEL_COUNT && status.code == STATUS_OK; level++) {
        if (!level_available(level))
            continue;
        for (int k = 0; k <= which; k++) {
            const struct implementation *one = variant(k, DTYPE_FLOAT64, level);
            ck_assert_int_eq(gradients_from(one, &wide, &settings, test.threads, &loss, &values).code, STATUS_OK);
            double error = gradient_error(&test.problem, &values, &expected, &at);
            ck_assert_msg(error < 1e-8, "%s, %s: gradient of %s off by %g", one->name, test.name, tensor_names[at], error);
            gradient_values_free(&values);
            one = variant(k, DTYPE_FLOAT32, level);
            if (gradients_from(one, &narrow, &settings, test.threads, &loss, &values).code == STATUS_OK) {
                error = gradient_error(&test.problem, &values, &expected, &at);
                ck_assert_msg(error < 2e-2, "%s, %s, float32: gradient of %s off by %g", one->name, test.name, tensor_names[at],
                              error);
            }
            gradient_values_free(&values);
        }
    }
    gradient_values_free(&expected);
    loss_free(&loss);
    tensors_free(&drawn);
    tensors_free(&narrow);
    tensors_free(&wide);
}
END_TEST

/* ---- The map in r numbers ---------------------------------------------------------------------------------------------------- */

enum { WIDE = 64, MOST = 6 };

/* A token's equation as a fresh layer has it, of d channels. */
struct drawn {
    struct problem problem;
    double q[MOST * (WIDE + 1)], x[WIDE], base[WIDE], response[WIDE], gain[WIDE], bias[WIDE];
};

static void draw(enum mixer mixer, int r, double s, int d, double scale, uint64_t seed, struct drawn *to)
{
    to->problem = (struct problem){.cell = CELL_SELECTIVE,
                                   .B = 1,
                                   .T = 1,
                                   .d = d,
                                   .N = 1,
                                   .mixer = mixer,
                                   .r = r,
                                   .s = s,
                                   .norm = NORM_BOTH,
                                   .dtype = DTYPE_FLOAT64};
    double theta[MOST * (WIDE + 1)];
    uint64_t i = 0;
    for (int k = 0; k < r * (d + 1); k++)
        theta[k] = scale * random_normal(seed, 1, i++);
    textbook_activate(&to->problem, theta, to->q);
    for (int k = 0; k < r; k++)
        to->q[r * d + k] *= s; /* as mixer.h has them */
    for (int c = 0; c < d; c++) {
        to->x[c] = scale * random_normal(seed, 2, (uint64_t)c);
        to->base[c] = 0.3 * scale * random_normal(seed, 3, (uint64_t)c);
        to->response[c] = 1 + 0.1 * random_normal(seed, 4, (uint64_t)c);
        to->gain[c] = 1 + 0.1 * random_normal(seed, 5, (uint64_t)c);
        to->bias[c] = 0.1 * random_normal(seed, 6, (uint64_t)c);
    }
}

/* y (d) <- LayerNorm(base + response . (Q (x - y) + y)), by the textbook's mixer. */
static void step(const struct drawn *e, double *y)
{
    const struct problem *p = &e->problem;
    int d = (int)p->d;
    double apart[WIDE] = {0}, mixed[WIDE], mean = 0, variance = 0, q[MOST * (WIDE + 1)];
    memcpy(q, e->q, sizeof q);
    for (int64_t k = p->r * d; k < p->r * (d + 1); k++)
        q[k] /= p->s;
    for (int c = 0; c < d; c++)
        apart[c] = e->x[c] - y[c];
    textbook_mix(p, q, apart, mixed);
    for (int c = 0; c < d; c++) {
        y[c] = e->base[c] + e->response[c] * (mixed[c] + y[c]);
        mean += y[c] / d;
    }
    for (int c = 0; c < d; c++)
        variance += (y[c] - mean) * (y[c] - mean) / d;
    for (int c = 0; c < d; c++)
        y[c] = e->bias[c] + e->gain[c] * (y[c] - mean) / sqrt(variance + 1e-5);
}

static struct equation equation_of(const struct drawn *e)
{
    return (struct equation){e->q, e->x, e->base, e->response, e->gain, e->bias, 0};
}

/* y of g: LayerNorm(p - V g). */
static void output(const struct drawn *e, const double *g, double *y)
{
    int64_t d = e->problem.d;
    for (int64_t c = 0; c < d; c++) {
        y[c] = e->x[c];
        for (int64_t i = 0; i < e->problem.r; i++)
            y[c] -= e->q[i * d + c] * g[i];
        y[c] = e->base[c] + e->response[c] * y[c];
    }
    norm_row_f64_baseline(y, e->gain, e->bias, y, d);
}

/* Iterate by iterate the map in r numbers is the iteration of the token in d numbers. */
START_TEST(iterates_are_the_same)
{
    struct drawn e;
    for (uint64_t seed = 0; seed < 100; seed++) {
        double y[WIDE] = {0}, by_rank[WIDE];
        int r = 1 + (int)(seed % 4);
        draw(seed % 2 ? MIXER_DPLR : MIXER_HOUSEHOLDER, r, 1 + (double)(seed / 2 % 2), 8 + (int)(seed % 57), 0.56, 400 + seed, &e);
        const struct equation equation = equation_of(&e);
        double *scratch = doubles(rank_scratch_f64_baseline(&e.problem)), *numbers = doubles(rank_numbers_f64_baseline(&e.problem));
        struct rank_map map = rank_map_make(&e.problem, &equation, scratch, numbers);
        double g[MOST], next[MOST], growth = 1;
        memcpy(g, map.start, (size_t)r * sizeof *g);
        for (int l = 1; l <= 30; l++) {
            step(&e, y);
            output(&e, g, by_rank);
            ck_assert_double_lt(distance_max(by_rank, y, e.problem.d), 1e-12 * growth);
            rank_map_apply(&map, g, next);
            memcpy(g, next, (size_t)r * sizeof *g);
            growth *= e.problem.s == 2 && r > 1 ? 2 : 1; /* where no fixed point is stable rounding grows */
        }
        free(scratch), free(numbers);
    }
}
END_TEST

/* With at_most=N what is not at rest is the N-th iterate, and what mixes is what the next would be made of; the rest is as it was. */
START_TEST(at_most)
{
    int moving = 0, found = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct drawn e;
        int r = 1 + (int)(seed % 4), limit = 1 + (int)(seed % 12);
        double y[WIDE], xt[WIDE], free_y[WIDE], expected[WIDE] = {0};
        draw(seed % 2 ? MIXER_DPLR : MIXER_HOUSEHOLDER, r, 2, 8 + (int)(seed % 57), 0.56, 900 + seed, &e);
        int64_t d = e.problem.d;
        struct equation equation = equation_of(&e);
        double *scratch = doubles(rank_scratch_f64_baseline(&e.problem)), *numbers = doubles(rank_numbers_f64_baseline(&e.problem));
        enum answer without = rank_solve(&e.problem, &equation, free_y, xt, scratch, numbers);
        equation.at_most = limit;
        enum answer answer = rank_solve(&e.problem, &equation, y, xt, scratch, numbers);
        ck_assert(answer == ANSWER_FOUND || answer == ANSWER_ITERATE);
        if (answer == ANSWER_FOUND) {
            ck_assert_int_eq(without, ANSWER_FOUND);
            ck_assert_double_lt(distance_max(y, free_y, d), 1e-12);
            found++;
        } else {
            for (int l = 0; l < limit; l++)
                step(&e, expected);
            ck_assert_double_lt(distance_max(y, expected, d), 1e-9);
            for (int64_t c = 0; c < d; c++)
                xt[c] = e.base[c] + e.response[c] * xt[c];
            norm_row_f64_baseline(xt, e.gain, e.bias, xt, d);
            step(&e, expected);
            ck_assert_double_lt(distance_max(xt, expected, d), 1e-9);
            moving++;
        }
        free(scratch), free(numbers);
    }
    ck_assert(moving > 50 && found > 20);
}
END_TEST

/* A whole pass with a limit: it has an output everywhere, its gradient too, and says that not all of it is at rest. */
START_TEST(at_most_of_a_pass)
{
    const struct problem problem = {.cell = CELL_SELECTIVE,
                                    .B = 3,
                                    .T = 7,
                                    .d = 12,
                                    .N = 3,
                                    .mixer = MIXER_HOUSEHOLDER,
                                    .r = 2,
                                    .s = 2,
                                    .feedback = FEEDBACK_RAW,
                                    .reads = READS_BC,
                                    .norm = NORM_BOTH,
                                    .dtype = DTYPE_FLOAT64};
    struct settings settings = {.gradient = GRADIENT_EXACT, .n_options = 1, .option = {{"at_most", "5"}}};
    const struct environment environment = {.threads = 2};
    const struct regime regime = {.seed = 7, .scale = 0.56, .limit = 1e3};
    struct tensors drawn;
    double y[3 * 7 * 12], y_adjoint[3 * 7 * 12], x[3 * 7 * 12];
    struct error error;
    ck_assert_msg(tensors_sample(&problem, &regime, &drawn, &error), "%s", error.text);
    for (int k = 0; k < 2; k++) {
        const struct implementation *one = variant(k, DTYPE_FLOAT64, LEVEL_BASELINE);
        struct plan *plan;
        struct support support;
        const struct outputs outputs = {.y = y}, grad_outputs = {.y = y_adjoint};
        const struct gradients wanted = {.x = x};
        for (int i = 0; i < 3 * 7 * 12; i++)
            y_adjoint[i] = random_normal(7, 1, (uint64_t)i);
        ck_assert_int_eq(one->plan(&problem, &settings, &environment, &plan).code, STATUS_OK);
        struct status status = one->forward(plan, &drawn.inputs, &outputs, NULL);
        ck_assert_int_eq(status.code, STATUS_NOT_CONVERGED);
        ck_assert_ptr_nonnull(strstr(status.message, "after 5 iterations"));
        ck_assert_int_eq(one->backward(plan, &drawn.inputs, &outputs, &grad_outputs, &wanted).code, STATUS_OK);
        ck_assert(isfinite(norm_max(y, 3 * 7 * 12)) && isfinite(norm_max(x, 3 * 7 * 12)) && norm_max(x, 3 * 7 * 12) > 0);
        one->destroy(plan);
        for (int i = 0; i < 3; i++) {
            static const char *const wrong[] = {"0", "many", "-1"};
            struct settings refused = settings;
            snprintf(refused.option[0].value, sizeof refused.option[0].value, "%s", wrong[i]);
            one->supports(&problem, &refused, &environment, &support);
            ck_assert(!support.yes && strstr(support.reason, "at_most") != NULL);
        }
    }
    tensors_free(&drawn);
}
END_TEST

/* Where a token has several fixed points, the faster way lands on the one that its own iteration leads to. */
static struct {
    int settled, none;
} landed[2];

static void land(const struct drawn *e, double *apart)
{
    const struct equation equation = equation_of(e);
    int64_t d = e->problem.d, r = e->problem.r;
    double *scratch = doubles(rank_scratch_f64_baseline(&e->problem)), *numbers = doubles(rank_numbers_f64_baseline(&e->problem));
    struct rank_map map = rank_map_make(&e->problem, &equation, scratch, numbers);
    double plain[MOST], fast[MOST], y[WIDE], xt[WIDE], expected[WIDE];
    bool settles = rank_map_settle(&map, plain), lands = rank_map_land(&map, fast);
    ck_assert_msg(settles == lands, "r %lld: plain iteration %s, the faster way %s", (long long)r, settles ? "settles" : "does not",
                  lands ? "lands" : "does not");
    enum answer answer = rank_solve(&e->problem, &equation, y, xt, scratch, numbers);
    ck_assert_int_eq(answer, settles ? ANSWER_FOUND : ANSWER_NONE);
    output(e, plain, expected);
    *apart = settles ? distance_max(y, expected, d) : 0;
    landed[r > 1].settled += settles;
    landed[r > 1].none += !settles;
    free(scratch), free(numbers);
}

enum { LANDINGS = 400 };

START_TEST(landing)
{
    static const int ranks[] = {1, 1, 2, 3, 4, 6};
    static const double scales[] = {0.21, 0.56, 2.3};
    struct drawn e;
    int off = 0, none = 0;
    double most = 0, apart;
    for (uint64_t seed = 0; seed < LANDINGS; seed++) {
        int d = seed % 3 == 0 ? 64 : 6 + (int)(seed % 50), r = ranks[_i % 6];
        draw(seed % 2 ? MIXER_DPLR : MIXER_HOUSEHOLDER, r, 1 + _i / 6 % 2, d, scales[_i / 12],
             1000 * (uint64_t)_i + seed + (r == 1), &e);
        land(&e, &apart);
        off += apart > 1e-6;
        most = fmax(most, apart);
    }
    none = landed[0].none + landed[1].none;
    ck_assert_msg(off == 0, "r %d, s %d: %d of %d elsewhere, by as much as %g; none %d", ranks[_i % 6], 1 + _i / 6 % 2, off,
                  LANDINGS, most, none);
}
END_TEST

/* ---- Singular ---------------------------------------------------------------------------------------------------------------- */

/* Under at_most a singular token has the gradient of its last application: where nothing follows it, that of fixed_point by one step. */
static void under_a_limit(const struct implementation *one, const struct tensors *tensors, double *y, const struct loss *loss,
                          int64_t token)
{
    const struct problem *p = &tensors->problem;
    const struct implementation *of[] = {
        one, registry_get_for(registry_find("fixed_point"), CELL_SELECTIVE, DTYPE_FLOAT64, level_best())};
    int64_t d = p->d, n = p->B * p->T * d;
    double *x[] = {doubles(n), doubles(n)}, *weights = doubles(n);
    memcpy(weights + token * d, loss->h + token * d, (size_t)d * sizeof *weights);
    for (int k = 0; k < 2; k++) {
        struct settings settings = k == 0 ? gradient_settings(GRADIENT_EXACT, 0) : gradient_settings(GRADIENT_STEPS, 1);
        const struct environment environment = {.threads = 2};
        struct plan *plan;
        settings.n_options = k == 0;
        settings.option[0] = (struct option){"at_most", "100"};
        settings.l_max = 1;
        ck_assert_int_eq(of[k]->plan(p, &settings, &environment, &plan).code, STATUS_OK);
        struct status status = of[k]->backward(plan, &tensors->inputs, &(struct outputs){.y = y}, &(struct outputs){.y = weights},
                                               &(struct gradients){.x = x[k]});
        ck_assert_msg(status.code == STATUS_OK, "%s: %s", of[k]->name, status_names[status.code]);
        of[k]->destroy(plan);
    }
    ck_assert_double_lt(distance_max(x[0] + token * d, x[1] + token * d, d), 1e-12 * norm_max(x[1] + token * d, d));
    ck_assert(isfinite(norm_max(x[0], n)) && norm_max(x[0] + token * d, d) > 0);
    free(x[0]), free(x[1]), free(weights);
}

/* Where the matrix of a linear equation is singular, and where two fixed points merge: with the place, and NaN from there. */
START_TEST(singular)
{
    struct test_case test = {.problem = {.cell = CELL_SELECTIVE,
                                         .B = 3,
                                         .T = 4,
                                         .d = 5,
                                         .N = 2,
                                         .mixer = MIXER_HOUSEHOLDER,
                                         .r = 1,
                                         .s = 1,
                                         .norm = _i ? NORM_OUTPUT : NORM_NONE,
                                         .dtype = DTYPE_FLOAT64},
                             .threads = 2};
    const struct problem *p = &test.problem;
    struct tensors tensors = selective_tensors(&test, 360);
    struct loss loss = loss_draw(p, 361);
    int64_t d = p->d, m = problem_m(p), token = 1 * p->T + 2, n = p->B * p->T * d;
    double *y = doubles(n), *x_adjoint = doubles(n), *theta = (double *)tensors.owned[TENSOR_THETA] + token * m, u[5], length = 0;
    for (int64_t which = 0; which < NAMES; which++) {
        const struct implementation *one = variant((int)which, DTYPE_FLOAT64, level_best());
        struct settings settings = gradient_settings(GRADIENT_EXACT, 0);
        const struct environment environment = {.threads = 2};
        const struct outputs outputs = {.y = y}, weights = {.y = loss.h};
        const struct gradients wanted = {.x = x_adjoint};
        struct plan *plan;
        ck_assert_int_eq(one->plan(p, &settings, &environment, &plan).code, STATUS_OK);
        ck_assert_int_eq(one->forward(plan, &tensors.inputs, &outputs, NULL).code, STATUS_OK);
        struct tensors other = tensors_as(&tensors, DTYPE_FLOAT64);
        theta = (double *)other.owned[TENSOR_THETA] + token * m;
        double *skip = other.owned[TENSOR_SKIP], *b = (double *)other.owned[TENSOR_B] + token * p->N;
        length = 0;
        for (int64_t c = 0; c < d; c++) {
            u[c] = theta[c] / (1 + exp(-theta[c]));
            length += u[c] * u[c];
            skip[c] = 1;
        }
        for (int64_t c = 0; c < d; c++)
            u[c] /= sqrt(length);
        theta[d] = 120;
        b[0] = b[1] = 0; /* the response is 1 */
        if (_i == 1) {   /* along u the derivative is gain K, K known from w: base + xt */
            double w[5], mean = 0, uu = 0, su = 0, uy = 0, variance = 0, H[10] = {0}, next[5],
                         *scratch = doubles(textbook_selective_scratch(p));
            struct tensors sequence;
            struct error error;
            double *gain = other.owned[TENSOR_GAIN], *bias = other.owned[TENSOR_BIAS];
            for (int64_t c = 0; c < d; c++)
                gain[c] = 1, bias[c] = 0;
            ck_assert(tensors_sequence(&other, 1, &sequence, &error));
            struct problem bare = sequence.problem;
            struct selective_token at = textbook_selective_token(&bare, scratch);
            bare.norm = NORM_NONE;
            for (int64_t t = 0; t <= 2; t++) {
                const double *here = y + (p->T + t) * d;
                textbook_selective_begin(&bare, &sequence.inputs, t, here, &at); /* nothing reads */
                textbook_selective_apply(&bare, &sequence.inputs, NULL, t, &at, H, here, next, H);
            }
            memcpy(w, next, sizeof w);
            for (int64_t c = 0; c < d; c++)
                mean += w[c] / (double)d, su += u[c];
            for (int64_t c = 0; c < d; c++)
                variance += (w[c] - mean) * (w[c] - mean) / (double)d;
            double sd = sqrt(variance + 1e-5);
            for (int64_t c = 0; c < d; c++)
                uy += u[c] * (w[c] - mean) / sd, uu += u[c] * u[c];
            double K = (uu - su * su / (double)d - uy * uy / (double)d) / sd;
            for (int64_t c = 0; c < d; c++)
                gain[c] = 1 / K;
            free(scratch);
            tensors_free(&sequence);
        }
        struct status status = one->backward(plan, &other.inputs, &outputs, &weights, &wanted);
        ck_assert_msg(status.code == STATUS_SINGULAR && status.b == 1 && status.t == 2, "%s: %s at (%lld,%lld)", one->name,
                      status_names[status.code], (long long)status.b, (long long)status.t);
        int64_t from = token * d;
        ck_assert(isnan(x_adjoint[from]) && isnan(x_adjoint[p->T * d]) && isfinite(x_adjoint[from + d]));
        ck_assert(isfinite(x_adjoint[0]) && isfinite(x_adjoint[2 * p->T * d]));
        under_a_limit(one, &other, y, &loss, token);
        if (_i == 0) {
            status = one->forward(plan, &other.inputs, &outputs, NULL);
            ck_assert_msg(status.code == STATUS_SINGULAR && status.b == 1 && status.t == 2, "%s: %s", one->name,
                          status_names[status.code]);
            ck_assert(isnan(y[from]) && isfinite(y[from - 1]) && isfinite(y[2 * p->T * d]));
        }
        one->destroy(plan);
        tensors_free(&other);
    }
    free(y), free(x_adjoint);
    loss_free(&loss);
    tensors_free(&tensors);
}
END_TEST

/* Derivatives of the loss that overflow on the way are no gradient: it is said, at the first token that has them. */
START_TEST(derivatives_that_overflow)
{
    const struct test_case test = {.problem = {.cell = CELL_SELECTIVE,
                                               .B = 2,
                                               .T = 3,
                                               .d = 5,
                                               .N = 2,
                                               .mixer = MIXER_HOUSEHOLDER,
                                               .r = 1,
                                               .s = 0.5,
                                               .norm = NORM_BOTH,
                                               .dtype = DTYPE_FLOAT64},
                                   .threads = 1};
    const struct problem *p = &test.problem;
    struct tensors tensors = selective_tensors(&test, 370);
    int64_t n = p->B * p->T * p->d;
    double *y = doubles(n), *slope = doubles(n), *x_adjoint = doubles(n);
    for (int64_t i = p->T * p->d; i < n; i++)
        slope[i] = i % 2 ? 1.7e308 : -1.7e308; /* of the second sequence alone */
    for (int which = 0; which < NAMES; which++) {
        const struct implementation *one = variant(which, DTYPE_FLOAT64, level_best());
        const struct settings settings = gradient_settings(GRADIENT_EXACT, 0);
        const struct environment environment = {.threads = 1};
        const struct outputs outputs = {.y = y}, slopes = {.y = slope};
        const struct gradients wanted = {.x = x_adjoint};
        struct plan *plan;
        ck_assert_int_eq(one->plan(p, &settings, &environment, &plan).code, STATUS_OK);
        ck_assert_int_eq(one->forward(plan, &tensors.inputs, &outputs, NULL).code, STATUS_OK);
        struct status status = one->backward(plan, &tensors.inputs, &outputs, &slopes, &wanted);
        ck_assert_msg(status.code == STATUS_DIVERGED && status.b == 1, "%s: %s at (%lld,%lld)", one->name,
                      status_names[status.code], (long long)status.b, (long long)status.t);
        ck_assert(isfinite(x_adjoint[0]) && isfinite(x_adjoint[p->T * p->d - 1]));
        one->destroy(plan);
    }
    free(y), free(slope), free(x_adjoint);
    tensors_free(&tensors);
}
END_TEST

/* A state that answers what enters it a million million times over lets next to nothing enter: neither the output nor what entered is the
 * difference of larger numbers. */
START_TEST(large_responses)
{
    const struct test_case test = {.problem = {.cell = CELL_SELECTIVE,
                                               .B = 1,
                                               .T = 1,
                                               .d = 1,
                                               .N = 1,
                                               .mixer = MIXER_DENSE,
                                               .norm = NORM_NONE,
                                               .dtype = DTYPE_FLOAT64},
                                   .threads = 1};
    struct tensors tensors = selective_tensors(&test, 371);
    static const struct {
        enum tensor_id id;
        double value;
    } given[] = {{TENSOR_X, 0.7}, {TENSOR_DT, 1}, {TENSOR_B, 1e12}, {TENSOR_C, 1}, {TENSOR_SKIP, 0}, {TENSOR_THETA, 0.3}};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
        ((double *)tensors.owned[given[i].id])[0] = given[i].value;
    /* y = 1e12 (x - .7 (x - y)), H = 1e12 xt = y */
    double y, H, expected = 1e12 * 0.3 * 0.7 / (1 - 0.7e12);
    for (enum level level = 0; level < LEVEL_COUNT; level++)
        if (level_available(level)) {
            ck_assert_int_eq(run(variant(0, DTYPE_FLOAT64, level), &tensors, 1, &y, &H).code, STATUS_OK);
            ck_assert_msg(fabs(y / expected - 1) < 1e-14 && fabs(H / expected - 1) < 1e-14, "%g and %g for %g", y, H, expected);
        }
    tensors_free(&tensors);
}
END_TEST

/* What is not finite is found where it is, though it need not stay in the state. */
START_TEST(not_finite)
{
    for (int i = _i; i < selective_cases_count(); i += 8) {
        struct test_case test = selective_cases_get(i);
        const struct problem *p = &test.problem;
        static const enum tensor_id ids[] = {TENSOR_X, TENSOR_DT, TENSOR_B, TENSOR_C, TENSOR_THETA, TENSOR_Z};
        int64_t n = p->B * p->T * p->d, b = p->B - 1, t = p->T / 2;
        double *y = doubles(n), *H = doubles(final_elements(p));
        for (int k = 0; k < 6; k++)
            for (int which = 0; which < (problem_low_rank(p) ? NAMES : 1); which++) {
                struct tensors tensors = selective_tensors(&test, 370);
                int64_t each = tensor_elements(p, ids[k]) / (p->B * p->T);
                const struct implementation *one = variant(which, DTYPE_FLOAT64, level_best());
                if (each > 0 && run(one, &tensors, test.threads, y, H).code == STATUS_OK) {
                    ((double *)tensors.owned[ids[k]])[(b * p->T + t) * each + each / 2] = i / 8 % 2 ? NAN : INFINITY;
                    struct status status = run(one, &tensors, test.threads, y, H);
                    bool quiet = ids[k] == TENSOR_DT && !isnan(((double *)tensors.owned[ids[k]])[(b * p->T + t) * each + each / 2]);
                    ck_assert_msg((status.code == STATUS_DIVERGED && status.b == b && status.t == t) || quiet,
                                  "%s, %s, %s: %s at (%lld,%lld)", one->name, test.name, tensor_names[ids[k]],
                                  status_names[status.code], (long long)status.b, (long long)status.t);
                }
                tensors_free(&tensors);
            }
        free(y), free(H);
    }
}
END_TEST

Suite *suite_selective_sequential(void)
{
    Suite *suite = suite_create("selective_sequential");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, answers, 0, selective_cases_count());
    tcase_add_test(tests, answers_of_small_problems);
    tcase_add_loop_test(tests, other_builds, 0, selective_cases_count());
    tcase_add_loop_test(tests, threads, 0, selective_cases_count());
    tcase_add_loop_test(tests, gradients, 0, 8);
    tcase_add_loop_test(tests, gradients_of_other_builds, 0, selective_cases_count());
    tcase_add_test(tests, iterates_are_the_same);
    tcase_add_test(tests, at_most);
    tcase_add_test(tests, at_most_of_a_pass);
    tcase_add_loop_test(tests, landing, 0, 36);
    tcase_add_loop_test(tests, singular, 0, 2);
    tcase_add_test(tests, derivatives_that_overflow);
    tcase_add_test(tests, large_responses);
    tcase_add_loop_test(tests, not_finite, 0, 8);
    suite_add_tcase(suite, tests);
    return suite;
}
