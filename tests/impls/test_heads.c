/* The cell selective_heads: its textbook against a writing of its own in complex numbers, with mistakes planted in that; and every
 * implementation, in all dtypes and instruction levels, against the textbook, gradients against complex steps, at the edges of
 * steps too. */
#include "tests/support/allocations.h"
#include "tests/support/complex_heads.h"
#include "tests/support/heads_cases.h"
#include "tests/support/gradient_cases.h"
#include "tests/support/numbers.h"
#include "tests/support/room.h"

#include "bench/measure/subject.h"
#include "bench/problems/disturbance.h"
#include "bench/problems/exact.h"
#include "bench/problems/textbook.h"
#include "bench/problems/textbook_heads.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMPLEMENTATIONS_MOST = 64 };
static int
    handed_out[IMPLEMENTATIONS_MOST]; /* builds of each, by variant(): a test that asks none of one proves nothing about it */
static bool fewer;                    /* the test asks some alone, or nothing, and sees to that by itself */

static const struct implementation *numbered(int index, enum dtype dtype, enum level level)
{
    return registry_get_for(index, CELL_SELECTIVE_HEADS, dtype, level);
}

static bool is_one(int index)
{
    const struct implementation *one = numbered(index, DTYPE_FLOAT64, LEVEL_BASELINE);
    return one->device == DEVICE_CPU && (one->cells & CELLS_SELECTIVE_HEADS) != 0;
}

/* How many builds there are in one dtype, of all implementations. */
static int builds(void)
{
    int there = 0, levels = 0;
    for (enum level level = 0; level < LEVEL_COUNT; level++)
        levels += level_available(level);
    for (int i = 0; i < registry_count(); i++)
        there += is_one(i);
    return there * levels;
}

static void none_yet(void)
{
    ck_assert_int_le(registry_count(), IMPLEMENTATIONS_MOST);
    memset(handed_out, 0, sizeof handed_out);
    fewer = false;
}

static void all_by_now(void)
{
    for (int i = 0; i < registry_count() && !fewer; i++)
        ck_assert_msg(!is_one(i) || handed_out[i] > 0, "%s was not asked", numbered(i, DTYPE_FLOAT64, LEVEL_BASELINE)->name);
}

/* The build of implementation `index` for this problem, or NULL where it does not take it or this machine does not execute the
 * level. */
static const struct implementation *variant(int index, const struct problem *p, const struct settings *settings, enum level level)
{
    const struct environment environment = {.threads = 3};
    struct support support;
    if (!level_available(level) || !is_one(index))
        return NULL;
    const struct implementation *one = numbered(index, p->dtype, level);
    one->supports(p, settings, &environment, &support);
    handed_out[index] += support.yes;
    return support.yes ? one : NULL;
}

/* y (B,T,d) and H (B,d,N) by the textbook. */
static void textbook(const struct tensors *tensors, double *y, double *H)
{
    const struct problem *p = &tensors->problem;
    int64_t size = p->T * p->d, states = p->d * p->N;
    struct error error;
    memset(H, 0, (size_t)(p->B * states) * sizeof *H);
    for (int64_t b = 0; b < p->B; b++) {
        struct tensors sequence;
        ck_assert(tensors_sequence(tensors, b, &sequence, &error));
        if (sequence.inputs.H0 != NULL)
            memcpy(H + b * states, sequence.inputs.H0, (size_t)states * sizeof *H);
        textbook_heads_run(&sequence.problem, &sequence.inputs, H + b * states, y + b * size);
        tensors_free(&sequence);
    }
}

/* ---- The textbook ------------------------------------------------------------------------------------------------------------- */

/* The largest distance of y (T,d) and H (d,N) of sequence 0 from the writing in complex numbers. */
static double apart(const struct tensors *tensors, enum heads_mistake mistake, const double *y, const double *H)
{
    const struct problem *p = &tensors->problem;
    struct complex_heads in = {{NULL}};
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++) {
        int64_t n = tensor_elements(p, id) > 0 ? tensor_of_sequence(p, id) : 0;
        in.tensor[id] = n > 0 ? room(n, sizeof(double complex)) : NULL;
        for (int64_t i = 0; i < n && tensors->owned[id] != NULL; i++)
            in.tensor[id][i] = ((double *)tensors->owned[id])[i];
    }
    double complex *found = room(p->T * p->d, sizeof *found), *final = room(p->d * p->N, sizeof *final);
    complex_heads_run(p, &in, mistake, found, final);
    double most = 0;
    for (int64_t i = 0; i < p->T * p->d; i++)
        most = fmax(most, fabs(creal(found[i]) - y[i]) / (1 + fabs(y[i])));
    for (int64_t i = 0; i < p->d * p->N; i++)
        most = fmax(most, fabs(creal(final[i]) - H[i]) / (1 + fabs(H[i])));
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++)
        free(in.tensor[id]);
    free(found), free(final);
    return most;
}

START_TEST(both_writings_agree)
{
    struct test_case test = heads_cases_get(_i);
    const struct problem *p = &test.problem;
    double *y = doubles(p->B * p->T * p->d), *H = doubles(final_elements(p));
    for (enum heads_edge edge = 0; edge < HEADS_EDGES; edge++) {
        struct tensors tensors = heads_tensors(&test, edge, 11);
        textbook(&tensors, y, H);
        double far = apart(&tensors, HEADS_RIGHT, y, H);
        ck_assert_msg(far < 1e-12, "%s, edge %d: off by %g", test.name, edge, far);
        tensors_free(&tensors);
    }
    free(y), free(H);
}
END_TEST

/* Mistakes that the comparison above is to find. */
START_TEST(mistakes_show)
{
    struct test_case test = heads_cases_get(5);
    const struct problem *p = &test.problem;
    double *y = doubles(p->B * p->T * p->d), *H = doubles(final_elements(p));
    struct tensors tensors = heads_tensors(&test, HEADS_DRAWN, 12);
    textbook(&tensors, y, H);
    for (enum heads_mistake mistake = HEADS_RIGHT + 1; mistake < HEADS_MISTAKES; mistake++)
        ck_assert_msg(apart(&tensors, mistake, y, H) > 1e-3, "mistake %d does not show", (int)mistake);
    free(y), free(H);
    tensors_free(&tensors);
}
END_TEST

/* The map is its own answer, whatever it is applied to, and the exact answer by the textbook alone is that. */
START_TEST(map_is_the_answer)
{
    struct test_case test = heads_cases_get(_i);
    struct tensors tensors = heads_tensors(&test, HEADS_DRAWN, 14), sequence;
    const struct problem *p = &test.problem;
    int64_t n = p->T * p->d;
    double *y = doubles(p->B * n), *H = doubles(final_elements(p)), *next = doubles(n), *solved = doubles(n);
    struct error error;
    textbook(&tensors, y, H);
    ck_assert(tensors_sequence(&tensors, 0, &sequence, &error));
    for (int64_t i = 0; i < n; i++)
        solved[i] = 3;
    ck_assert(textbook_apply(&sequence.problem, &sequence.inputs, solved, next));
    ck_assert_int_eq(exact_by_textbook(&sequence.problem, &sequence.inputs, NULL, solved).code, STATUS_OK);
    ck_assert(exact_by_textbook_operations(&sequence.problem) > 0);
    ck_assert_int_eq(memcmp(next, y, (size_t)n * sizeof *y), 0);
    ck_assert_int_eq(memcmp(solved, y, (size_t)n * sizeof *y), 0);
    free(y), free(H), free(next), free(solved);
    tensors_free(&tensors), tensors_free(&sequence);
}
END_TEST

/* ---- Answers ------------------------------------------------------------------------------------------------------------------ */

/* Measured against the largest of all where a tensor's own is less than a thousandth of that: a norm takes what goes along the
 * output, which may be all of a tensor's gradient but for the 1e-5 of its root. */
static void near(const struct implementation *one, const struct tensors *tensors, const struct gradient_values *found,
                 const struct gradient_values *expected, const char *name, int edge)
{
    int which;
    double off = gradient_error(&tensors->problem, found, expected, &which);
    ck_assert_msg(off <= 1e-11, "%s: %s, edge %d: gradient of %s off by %g", name, one->name, edge, tensor_names[which], off);
}

static void compare(const struct implementation *one, const char *name, const struct tensors *tensors,
                    const struct settings *settings, int threads, const double *y, const double *H, const char *level)
{
    const struct problem *p = &tensors->problem;
    int64_t n = p->B * p->T * p->d, states = final_elements(p);
    void *mine = room(n, dtype_size(p->dtype)), *final = room(states, dtype_size(p->dtype));
    double *as = doubles(n), *final_as = doubles(states), tolerance = p->dtype == DTYPE_FLOAT32 ? 3e-5 : 1e-13;
    const bool norm = p->norm == NORM_OUTPUT || p->norm == NORM_BOTH; /* enlarges a row that is nearly 0 */
    struct trace trace = {.l_run = 9};
    struct status status = run_variant(one, tensors, settings, threads, mine, final, &trace);
    ck_assert_msg(status.code == STATUS_OK, "%s: %s: %s", name, one->name, status.message);
    ck_assert_int_eq(trace.l_run, 0);
    to_doubles(p->dtype, mine, 0, n, as);
    to_doubles(p->dtype, final, 0, states, final_as);
    const struct yardstick yardstick = {1e-6, 1};
    double off = fmax(distance_max_to(as, y, n, &yardstick), distance_max_to(final_as, H, states, &yardstick));
    ck_assert_msg(off <= (norm ? 10 : 1) * tolerance, "%s: %s, %s: y off by %g, H by %g", name, one->name, level,
                  distance_max_to(as, y, n, &yardstick), distance_max_to(final_as, H, states, &yardstick));
    free(mine), free(final), free(as), free(final_as);
}

START_TEST(answers)
{
    struct test_case test = heads_cases_get(_i);
    const struct problem *p = &test.problem;
    double *y = doubles(p->B * p->T * p->d), *H = doubles(final_elements(p));
    struct settings settings = fixed_l(1);
    int seen = 0;
    for (enum heads_edge edge = 0; edge < HEADS_EDGES; edge++) {
        struct tensors raw = heads_tensors(&test, edge, 21);
        for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++) {
            struct tensors tensors = tensors_as(&raw, dtype);
            textbook(&tensors, y, H);
            for (int i = 0; i < registry_count(); i++)
                for (enum level level = 0; level < LEVEL_COUNT; level++) {
                    const struct implementation *one = variant(i, &tensors.problem, &settings, level);
                    if (one == NULL)
                        continue;
                    compare(one, test.name, &tensors, &settings, test.threads, y, H, level_names[level]);
                    seen++;
                }
            tensors_free(&tensors);
        }
        tensors_free(&raw);
    }
    ck_assert_int_ge(builds(), 2); /* two implementations at least */
    ck_assert_int_eq(seen, HEADS_EDGES * DTYPE_COUNT * builds());
    free(y), free(H);
}
END_TEST

/* The state that one half leaves is the initial state of the other. */
START_TEST(halves)
{
    struct test_case test = heads_cases_get(_i);
    const struct problem *p = &test.problem;
    if (p->T < 2) {
        fewer = true; /* there are no halves */
        return;
    }
    struct tensors whole = heads_tensors(&test, HEADS_DRAWN, 22);
    int64_t d = p->d, states = p->d * p->N, first = p->T / 2;
    for (int i = 0; i < registry_count(); i++) {
        struct settings settings = fixed_l(1);
        const struct implementation *one = variant(i, p, &settings, level_best());
        if (one == NULL)
            continue;
        double *y = doubles(p->B * p->T * d), *H = doubles(p->B * states), *part = doubles(p->T * d), *between = doubles(states),
               *last = doubles(states);
        ck_assert_int_eq(run_variant(one, &whole, &settings, 1, y, H, NULL).code, STATUS_OK);
        struct tensors sequence;
        struct error error;
        ck_assert(tensors_sequence(&whole, 0, &sequence, &error));
        struct tensors half = sequence;
        half.problem.T = first;
        ck_assert_int_eq(run_variant(one, &half, &settings, 1, part, between, NULL).code, STATUS_OK);
        half.problem.T = p->T - first;
        for (enum tensor_id id = 0; id < TENSORS_MAX; id++)
            if (sequence.inputs.tensor[id] != NULL && strncmp(tensor_row(p, id)->shape, "BT", 2) == 0)
                half.inputs.tensor[id] = (const double *)sequence.inputs.tensor[id] + tensor_of_sequence(p, id) / p->T * first;
        half.inputs.H0 = between;
        ck_assert_int_eq(run_variant(one, &half, &settings, 1, part + first * d, last, NULL).code, STATUS_OK);
        ck_assert_msg(distance_max(part, y, p->T * d) < 1e-13 && distance_max(last, H, states) < 1e-13, "%s: %s: by %g and %g",
                      test.name, one->name, distance_max(part, y, p->T * d), distance_max(last, H, states));
        free(y), free(H), free(part), free(between), free(last);
        tensors_free(&sequence);
    }
    tensors_free(&whole);
}
END_TEST

/* Threads and bits: answers and final states are the same for every number of threads. */
START_TEST(thread_counts)
{
    struct test_case test = heads_cases_get(_i);
    struct tensors raw = heads_tensors(&test, HEADS_DRAWN, 23);
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++) {
        struct tensors tensors = tensors_as(&raw, dtype);
        const struct problem *p = &tensors.problem;
        size_t y_bytes = (size_t)(p->B * p->T * p->d) * dtype_size(dtype), H_bytes = (size_t)final_elements(p) * dtype_size(dtype);
        char *y = room(2, y_bytes), *H = room(2, H_bytes);
        struct settings settings = fixed_l(1);
        for (int i = 0; i < registry_count() * (int)LEVEL_COUNT; i++) {
            const struct implementation *one = variant(i / (int)LEVEL_COUNT, p, &settings, (enum level)(i % (int)LEVEL_COUNT));
            for (int n = 1; n <= 4 && one != NULL; n++) {
                ck_assert_int_eq(
                    run_variant(one, &tensors, &settings, n, y + (n > 1 ? y_bytes : 0), H + (n > 1 ? H_bytes : 0), NULL).code,
                    STATUS_OK);
                ck_assert_msg(n == 1 || (memcmp(y, y + y_bytes, y_bytes) == 0 && memcmp(H, H + H_bytes, H_bytes) == 0),
                              "%s: %s: other bits with %d threads", test.name, one->name, n);
            }
        }
        free(y), free(H);
        tensors_free(&tensors);
    }
    tensors_free(&raw);
}
END_TEST

/* Chunks of every size: one token, sizes that divide nothing, a whole sequence and more. */
START_TEST(chunks)
{
    static const char *const sizes[] = {"1", "2", "7", "64", "1000"};
    struct test_case test = heads_cases_get(_i);
    const struct problem *p = &test.problem;
    double *y = doubles(p->B * p->T * p->d), *H = doubles(final_elements(p));
    struct loss loss = loss_draw(p, 27);
    int seen = 0;
    fewer = true; /* one takes chunks, and is counted */
    for (enum heads_edge edge = 0; edge < HEADS_EDGES; edge++) {
        struct tensors tensors = heads_tensors(&test, edge, 28);
        struct gradient_values found, expected = {.h = NULL};
        textbook(&tensors, y, H);
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
            struct settings settings = gradient_settings(GRADIENT_EXACT, 0);
            settings.n_options = 1;
            settings.option[0] = (struct option){.name = "chunk"};
            strncpy(settings.option[0].value, sizes[k], sizeof settings.option[0].value - 1);
            for (int i = 0; i < registry_count(); i++) {
                const struct implementation *one = variant(i, p, &settings, level_best());
                if (one == NULL)
                    continue;
                struct gradient_values *to = k == 0 ? &expected : &found;
                compare(one, test.name, &tensors, &settings, test.threads, y, H, sizes[k]);
                ck_assert_int_eq(gradients_from(one, &tensors, &settings, test.threads, &loss, to).code, STATUS_OK);
                if (k > 0) {
                    near(one, &tensors, to, &expected, test.name, (int)edge);
                    gradient_values_free(to);
                }
                seen++;
            }
        }
        gradient_values_free(&expected);
        tensors_free(&tensors);
    }
    ck_assert_int_eq(seen, HEADS_EDGES * (int)(sizeof sizes / sizeof sizes[0]));
    loss_free(&loss);
    free(y), free(H);
}
END_TEST

/* ---- Gradients ---------------------------------------------------------------------------------------------------------------- */

/* Exact ones against complex steps: of all tensors, of the initial state also where none is given. */
START_TEST(gradients)
{
    struct test_case test = heads_cases_get(_i);
    const struct problem *p = &test.problem;
    struct settings settings = gradient_settings(GRADIENT_EXACT, 0);
    struct loss loss = loss_draw(p, 31);
    int seen = 0;
    for (enum heads_edge edge = 0; edge < HEADS_EDGES; edge++) {
        struct tensors tensors = heads_tensors(&test, edge, 32);
        struct gradient_values expected, found;
        gradient_expect_exact(&tensors, &loss, &expected);
        for (int i = 0; i < registry_count(); i++)
            for (enum level level = 0; level < LEVEL_COUNT; level++) {
                const struct implementation *one = variant(i, p, &settings, level);
                if (one == NULL)
                    continue;
                struct status status = gradients_from(one, &tensors, &settings, test.threads, &loss, &found);
                ck_assert_msg(status.code == STATUS_OK, "%s: %s", test.name, status.message);
                near(one, &tensors, &found, &expected, test.name, (int)edge);
                gradient_values_free(&found);
                seen++;
            }
        gradient_values_free(&expected);
        tensors_free(&tensors);
    }
    ck_assert_int_eq(seen, HEADS_EDGES * builds());
    loss_free(&loss);
}
END_TEST

/* Of longer sequences, in several stretches: float32 against float64, whose tensors it has; the same bits for every number of
 * threads. */
START_TEST(long_gradients)
{
    struct test_case test = heads_cases_get(_i);
    struct tensors raw = heads_tensors(&test, HEADS_DRAWN, 33), narrow = tensors_as(&raw, DTYPE_FLOAT32),
                   wide = tensors_as(&narrow, DTYPE_FLOAT64);
    struct settings settings = gradient_settings(GRADIENT_EXACT, 0);
    struct loss loss = loss_draw(&test.problem, 34);
    const struct tensors *const both[] = {&wide, &narrow};
    for (int i = 0; i < registry_count(); i++) {
        struct gradient_values expected = {.h = NULL}, found;
        for (int k = 0; k < 2; k++)
            for (int threads = 1; threads <= 3; threads++) {
                const struct implementation *one = variant(i, &both[k]->problem, &settings, level_best());
                if (one == NULL)
                    continue;
                struct gradient_values *to = k == 0 && threads == 1 ? &expected : &found, first = {.h = NULL};
                ck_assert_int_eq(gradients_from(one, both[k], &settings, threads, &loss, to).code, STATUS_OK);
                if (to == &expected)
                    continue;
                if (k == 1)
                    gradient_assert_near(one, &narrow, to, &expected, 2e-4, test.name);
                ck_assert_int_eq(gradients_from(one, both[k], &settings, 1, &loss, &first).code, STATUS_OK);
                for (enum tensor_id id = 0; id < TENSORS_MAX; id++)
                    ck_assert_msg(first.of[id] == NULL || memcmp(first.of[id], to->of[id],
                                                                 (size_t)tensor_elements(&test.problem, id) * sizeof(double)) == 0,
                                  "%s: other bits of %s with %d threads", test.name, tensor_names[id], threads);
                gradient_values_free(to);
                gradient_values_free(&first);
            }
        gradient_values_free(&expected);
    }
    loss_free(&loss);
    tensors_free(&raw), tensors_free(&narrow), tensors_free(&wide);
}
END_TEST

/* Each gradient alone is what it is among all of them; without a loss on the outputs, or on the final state, nothing comes from
 * there. */
START_TEST(single_gradients)
{
    struct test_case test = heads_cases_get(_i);
    const struct problem *p = &test.problem;
    struct tensors tensors = heads_tensors(&test, HEADS_DRAWN, 35);
    struct settings settings = gradient_settings(GRADIENT_EXACT, 0);
    struct loss loss = loss_draw(p, 36);
    for (int i = 0; i < registry_count(); i++) {
        const struct implementation *one = variant(i, p, &settings, level_best());
        if (one == NULL)
            continue;
        struct gradient_values all, single;
        ck_assert_int_eq(gradients_from(one, &tensors, &settings, 2, &loss, &all).code, STATUS_OK);
        for (enum tensor_id id = 0; id < TENSORS_MAX; id++) {
            if (all.of[id] == NULL)
                continue;
            ck_assert_int_eq(gradient_run_some(one, &tensors, &settings, 2, &loss, 1u << id, &single).code, STATUS_OK);
            ck_assert_int_eq(memcmp(single.of[id], all.of[id], (size_t)tensor_elements(p, id) * sizeof(double)), 0);
            gradient_values_free(&single);
        }
        for (int which = 0; which < 3; which++) {
            const struct loss some = {.h = which == 0 ? loss.h : NULL, .final = which == 1 ? loss.final : NULL};
            struct loss zeros = {.h = doubles(p->B * p->T * p->d), .final = doubles(final_elements(p))};
            if (which == 0)
                memcpy(zeros.h, loss.h, (size_t)(p->B * p->T * p->d) * sizeof(double));
            if (which == 1)
                memcpy(zeros.final, loss.final, (size_t)final_elements(p) * sizeof(double));
            struct gradient_values without;
            ck_assert_int_eq(gradients_from(one, &tensors, &settings, 1, &some, &without).code, STATUS_OK);
            ck_assert_int_eq(gradients_from(one, &tensors, &settings, 1, &zeros, &single).code, STATUS_OK);
            gradient_assert_near(one, &tensors, &without, &single, 1e-15, test.name);
            gradient_values_free(&without), gradient_values_free(&single);
            loss_free(&zeros);
        }
        gradient_values_free(&all);
    }
    loss_free(&loss);
    tensors_free(&tensors);
}
END_TEST

/* An adjoint that is not finite comes to light at the token where it enters. */
START_TEST(adjoints_not_finite)
{
    struct test_case test = heads_cases_get(_i);
    const struct problem *p = &test.problem;
    struct tensors tensors = heads_tensors(&test, HEADS_DRAWN, 37);
    struct settings settings = gradient_settings(GRADIENT_EXACT, 0);
    struct loss loss = loss_draw(p, 38);
    int64_t size = p->T * p->d, at = p->B * size * 2 / 3;
    loss.h[at] = NAN;
    for (int i = 0; i < registry_count(); i++) {
        const struct implementation *one = variant(i, p, &settings, level_best());
        struct gradient_values found;
        if (one == NULL)
            continue;
        struct status status = gradients_from(one, &tensors, &settings, test.threads, &loss, &found);
        ck_assert_int_eq(status.code, STATUS_DIVERGED);
        ck_assert(status.b == at / size && status.t == at % size / p->d);
        gradient_values_free(&found);
    }
    loss_free(&loss);
    tensors_free(&tensors);
}
END_TEST

/* ---- What the contract promises ------------------------------------------------------------------------------------------------ */

/* NaN or Inf in any tensor comes to light, at the token where it enters. */
START_TEST(not_finite)
{
    struct test_case test = heads_cases_get(_i);
    struct tensors raw = heads_tensors(&test, HEADS_DRAWN, 24);
    void *y = room(raw.problem.B * raw.problem.T * raw.problem.d, sizeof(double));
    for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++)
        for (enum tensor_id id = 0; id < TENSORS_MAX; id++)
            for (int kind = 0; kind < 2; kind++) {
                struct tensors tensors = tensors_as(&raw, dtype);
                const struct problem *p = &tensors.problem;
                if (tensors.owned[id] == NULL) {
                    tensors_free(&tensors);
                    continue;
                }
                int64_t at = tensor_elements(p, id) * 2 / 3, per = tensor_of_sequence(p, id), b = at / per;
                int64_t t = strncmp(tensor_row(p, id)->shape, "BT", 2) == 0 ? at % per / (per / p->T) : 0;
                if (id == TENSOR_A && kind == 1) { /* then nothing is kept, which is a finite answer */
                    tensors_free(&tensors);
                    continue;
                }
                put(tensors.owned[id], dtype, at, kind == 0 ? NAN : INFINITY);
                struct settings settings = fixed_l(1);
                for (int i = 0; i < registry_count(); i++) {
                    const struct implementation *one = variant(i, p, &settings, level_best());
                    if (one == NULL)
                        continue;
                    struct status status = run_variant(one, &tensors, &settings, test.threads, y, NULL, NULL);
                    ck_assert_msg(status.code == STATUS_DIVERGED && status.b == b && status.t == t,
                                  "%s: %s: %s in %s at (%lld,%lld): %s at (%lld,%lld)", test.name, one->name,
                                  kind == 0 ? "NaN" : "Inf", tensor_names[id], (long long)b, (long long)t,
                                  status_names[status.code], (long long)status.b, (long long)status.t);
                }
                tensors_free(&tensors);
            }
    free(y);
    tensors_free(&raw);
}
END_TEST

/* What support.host_bytes says, plan() takes; and forward() allocates nothing. */
START_TEST(memory)
{
    enum { APART = 8192 };
    struct test_case test = heads_cases_get(_i);
    struct tensors raw = heads_tensors(&test, HEADS_DRAWN, 25);
    for (int i = 0; i < registry_count(); i++)
        for (enum gradient gradient = GRADIENT_NONE; gradient <= GRADIENT_EXACT; gradient++) {
            struct settings settings = gradient_settings(gradient, 0);
            const struct environment environment = {.threads = test.threads};
            struct support support;
            struct plan *plan;
            const struct implementation *one = variant(i, &test.problem, &settings, level_best());
            if (one == NULL)
                continue;
            double *y = doubles(test.problem.B * test.problem.T * test.problem.d);
            const struct outputs outputs = {.y = y};
            one->supports(&test.problem, &settings, &environment, &support);
            long before = allocations_bytes();
            ck_assert_int_eq(one->plan(&test.problem, &settings, &environment, &plan).code, STATUS_OK);
            double taken = (double)(allocations_bytes() - before), said = (double)support.host_bytes;
            ck_assert_msg(taken <= said + APART && said <= taken + APART, "%s, %s, gradient %d: takes %.0f bytes, says %.0f",
                          one->name, test.name, (int)gradient, taken, said);
            long calls = allocations();
            struct status status = one->forward(plan, &raw.inputs, &outputs, NULL);
            calls = allocations() - calls;
            ck_assert_int_eq(status.code, STATUS_OK);
            ck_assert_int_eq(calls, 0);
            free(y);
            one->destroy(plan);
        }
    tensors_free(&raw);
}
END_TEST

/* Passes that lack a tensor, have one too many or would write over one are refused, and so are problems without a meaning. */
START_TEST(misuse)
{
    struct test_case test = heads_cases_get(1);
    struct tensors tensors = heads_tensors(&test, HEADS_DRAWN, 26);
    const struct problem *p = &tensors.problem;
    int64_t n = p->B * p->T * p->d;
    double *y = doubles(n);
    struct settings settings = fixed_l(1);
    const struct environment environment = {.threads = 2};
    for (int i = 0; i < registry_count(); i++) {
        const struct implementation *one = variant(i, p, &settings, level_best());
        struct plan *plan;
        if (one == NULL)
            continue;
        ck_assert_int_eq(one->plan(p, &settings, &environment, &plan).code, STATUS_OK);
        ck_assert_int_eq(
            one->backward(plan, &tensors.inputs, &(struct outputs){.y = y}, &(struct outputs){0}, &(struct gradients){0}).code,
            STATUS_UNSUPPORTED); /* the plan was made without */
        const struct outputs outputs = {.y = y}, onto = {.y = (void *)tensors.inputs.x};
        struct inputs lacking = tensors.inputs, more = tensors.inputs;
        lacking.dt = NULL, more.v = y;
        ck_assert_int_eq(one->forward(plan, &tensors.inputs, &onto, NULL).code, STATUS_UNSUPPORTED);
        ck_assert_int_eq(one->forward(plan, &lacking, &outputs, NULL).code, STATUS_UNSUPPORTED);
        ck_assert_int_eq(one->forward(plan, &more, &outputs, NULL).code, STATUS_UNSUPPORTED);
        for (int64_t k = 0; k < n; k++)
            ck_assert(y[k] == 0);
        one->destroy(plan);
        struct problem bad[] = {*p, *p, *p, *p, *p, *p};
        bad[0].r = 1, bad[1].heads = 0, bad[2].heads = 4, bad[3].N = 0, bad[4].mixer = MIXER_DENSE, bad[5].reads = READS_BC;
        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            struct support support;
            one->supports(&bad[k], &settings, &environment, &support);
            ck_assert_msg(!support.yes && support.reason[0] != '\0', "problem %zu is taken", k);
        }
        settings.gradient = GRADIENT_STEPS, settings.gradient_steps = 1;
        ck_assert_ptr_null(variant(i, p, &settings, level_best()));
        settings.gradient = GRADIENT_NONE;
    }
    struct problem mixed = *p, forgets = *p;
    char reason[160];
    mixed.mixer = MIXER_DENSE, forgets.forget = FORGET_HEAD;
    ck_assert(!problem_check(&mixed, sizeof reason, reason) && strstr(reason, "mixer dense") != NULL);
    ck_assert(!problem_check(&forgets, sizeof reason, reason) && strstr(reason, "forget head") != NULL);
    free(y);
    tensors_free(&tensors);
}
END_TEST

/* As a fresh layer has them: steps above 0, rates of heads from 1 to 16, what passes by as it is. */
START_TEST(draws)
{
    struct test_case test = heads_cases_get(_i);
    const struct problem *p = &test.problem;
    const struct regime regime = {.seed = 5, .scale = 0.56, .limit = 1000, .drawn_h0 = true};
    struct tensors tensors;
    struct error error;
    ck_assert(tensors_sample(p, &regime, &tensors, &error));
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++) {
        const double *x = tensors.inputs.tensor[id];
        int64_t n = tensor_elements(p, id);
        ck_assert((x != NULL) == (n > 0));
        for (int64_t i = 0; i < n; i++) {
            ck_assert(isfinite(x[i]));
            ck_assert(id != TENSOR_DT || (x[i] > 0 && x[i] < 1));
            ck_assert(id != TENSOR_A || (x[i] >= 1 && x[i] <= 16));
            ck_assert((id != TENSOR_SKIP && id != TENSOR_GAIN) || x[i] == 1);
        }
    }
    tensors_free(&tensors);
}
END_TEST

Suite *suite_heads(void);

Suite *suite_heads(void)
{
    Suite *suite = suite_create("heads");
    TCase *textbook_alone = tcase_create("textbook"), *all = tcase_create("implementations");
    int n = heads_cases_count();
    tcase_set_timeout(textbook_alone, 300);
    tcase_set_timeout(all, 300);
    tcase_add_loop_test(textbook_alone, both_writings_agree, 0, n);
    tcase_add_test(textbook_alone, mistakes_show);
    tcase_add_loop_test(textbook_alone, map_is_the_answer, 0, n);
    tcase_add_loop_test(textbook_alone, draws, 0, n);
    tcase_add_checked_fixture(all, none_yet, all_by_now);
    tcase_add_loop_test(all, answers, 0, n);
    tcase_add_loop_test(all, halves, 0, n);
    tcase_add_loop_test(all, thread_counts, 0, n);
    tcase_add_loop_test(all, chunks, 0, n);
    tcase_add_loop_test(all, gradients, 0, HEADS_SMALL);
    tcase_add_loop_test(all, long_gradients, 0, n);
    tcase_add_loop_test(all, single_gradients, 0, n);
    tcase_add_loop_test(all, adjoints_not_finite, 0, n);
    tcase_add_loop_test(all, not_finite, 0, n);
    tcase_add_loop_test(all, memory, 0, n);
    tcase_add_test(all, misuse);
    suite_add_tcase(suite, textbook_alone);
    suite_add_tcase(suite, all);
    return suite;
}
