/* AdamW against its formula (train/math/adamw.h; Loshchilov and Hutter), written out in double precision: updates of both dtypes with their
 * bias corrections, epsilon and decay, the norm that a gradient is clipped by, and the numbers that a step of a training puts in. */
#include "bench/base/random.h"
#include "tests/support/trial.h"
#include "train/math/pass.h"
#include "tests/support/numbers.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_adamw(void);

static const double BETA_1 = 0.9, BETA_2 = 0.999, EPSILON = 1e-8; /* docs/explanation/training.md, The recipe */
static const double unit[DTYPE_COUNT] = {0x1p-24, 0x1p-53};

/* One weight and its moments. */
struct weight {
    double w, m, v;
};

/* Step t of one weight with the gradient g, after clipping. */
static void formula(struct weight *x, double g, int t, double rate, double decay)
{
    x->m = BETA_1 * x->m + (1 - BETA_1) * g;
    x->v = BETA_2 * x->v + (1 - BETA_2) * g * g;
    double m_hat = x->m / (1 - pow(BETA_1, t)), v_hat = x->v / (1 - pow(BETA_2, t));
    x->w -= rate * (decay * x->w + m_hat / (sqrt(v_hat) + EPSILON));
}

/* |a - b| in units of rounding of what they were made from. */
static void near(const char *what, int64_t i, int t, double a, double b, double size, enum dtype dtype)
{
    ck_assert_msg(fabs(a - b) <= 8 * unit[dtype] * size, "%s of number %lld at step %d: %.17g, by the formula %.17g", what,
                  (long long)i, t, a, b);
}

/* ---- One update --------------------------------------------------------------------------------------------------------------- */

/* A matrix, which is decayed, and a vector, which is not. */
static struct parameters two_parameters(enum dtype dtype, int64_t rows, int64_t columns)
{
    struct parameters parameters = {0};
    parameters_add(&parameters, "matrix", rows, columns, true, (struct start){START_NORMAL, 0, 1});
    parameters_add(&parameters, "vector", columns, 0, false, (struct start){START_NORMAL, 0, 1});
    ck_assert_int_eq(parameters_allocate(&parameters, dtype, 3).code, STATUS_OK);
    return parameters;
}

/* Gradients of every size, from 0 by far below epsilon to large ones; some turn their sign from step to step. */
static double gradient_of(int64_t i, int t)
{
    static const double sizes[] = {0, 1e-14, 1e-9, 1e-8, 3e-8, 1e-4, 1, 1e5};
    double sign = i / 8 % 2 && t % 2 ? -1 : 1;
    return sign * sizes[i % 8] * (1 + 0.5 * random_uniform(12, (uint32_t)t, (uint64_t)i));
}

START_TEST(updates)
{
    enum { ROWS = 5, COLUMNS = 16, STEPS = 6 };
    enum dtype dtype = (enum dtype)(_i % DTYPE_COUNT);
    double scale = _i / DTYPE_COUNT % 2 ? 0.25 : 1, decay = _i / DTYPE_COUNT / 2 ? 0.1 : 0, rate = 0.02;
    struct parameters parameters = two_parameters(dtype, ROWS, COLUMNS);
    for (int t = 1; t <= STEPS; t++) {
        struct weight before[2][ROWS * COLUMNS];
        for (int k = 0; k < 2; k++) {
            const struct parameter *p = &parameters.item[k];
            for (int64_t i = 0; i < p->size; i++) {
                put(p->gradient, dtype, i, gradient_of(i, t));
                before[k][i] = (struct weight){get(p->value, dtype, i), get(p->first, dtype, i), get(p->second, dtype, i)};
                ck_assert(t > 1 || (before[k][i].m == 0 && before[k][i].v == 0));
            }
        }
        struct adamw adamw = {.rate = rate, .decay = decay, .scale = scale, .beta = {BETA_1, BETA_2}, .epsilon = EPSILON};
        adamw.correction[0] = 1 / (1 - pow(BETA_1, t)), adamw.correction[1] = 1 / (1 - pow(BETA_2, t));
        arithmetic_get(dtype)->update(&parameters, &adamw, 1 + t % 3);
        for (int k = 0; k < 2; k++) {
            const struct parameter *p = &parameters.item[k];
            for (int64_t i = 0; i < p->size; i++) {
                struct weight x = before[k][i];
                double g = scale * get(p->gradient, dtype, i), v_hat, moved;
                formula(&x, g, t, rate, k == 0 ? decay : 0);
                v_hat = x.v / (1 - pow(BETA_2, t));
                moved = rate * (fabs(before[k][i].m) + fabs(g)) * 10 / (sqrt(v_hat) + EPSILON);
                near("the first moment", i, t, get(p->first, dtype, i), x.m, fabs(before[k][i].m) + fabs(g), dtype);
                /* 1 - beta_2 has an error of its own in float32: 0.999 is rounded before it is taken from 1 */
                near("the second moment", i, t, get(p->second, dtype, i), x.v,
                     x.v + 1e3 * (1 - BETA_2) * g * g + 1e-38 / unit[dtype], dtype);
                near("the weight", i, t, get(p->value, dtype, i), x.w, fabs(x.w) + rate + 1e3 * moved, dtype);
                if (i % 8 == 0) /* nothing but decay where there was never a gradient */
                    ck_assert(isfinite(x.w) && get(p->first, dtype, i) == 0 && get(p->second, dtype, i) == 0);
            }
        }
    }
    parameters_free(&parameters);
}
END_TEST

/* The first step of a weight whose gradient is large is rate long whatever the gradient; of one whose gradient is epsilon, half of that. */
START_TEST(first_step)
{
    enum { N = 16 };
    enum dtype dtype = (enum dtype)_i;
    struct parameters parameters = two_parameters(dtype, 1, N);
    const struct parameter *p = &parameters.item[1];
    double before[N];
    for (int64_t i = 0; i < N; i++) {
        put(p->value, dtype, i, before[i] = 0);
        put(p->gradient, dtype, i, i == 0 ? 0 : i == 1 ? EPSILON : i % 2 ? -3 : 1e3);
    }
    struct adamw adamw = {.rate = 0.5, .scale = 1, .beta = {BETA_1, BETA_2}, .correction = {1 / (1 - BETA_1), 1 / (1 - BETA_2)}};
    adamw.epsilon = EPSILON;
    arithmetic_get(dtype)->update(&parameters, &adamw, 1);
    for (int64_t i = 0; i < N; i++)
        ck_assert_double_eq_tol(get(p->value, dtype, i), i == 0 ? 0 : i == 1 ? -0.25 : i % 2 ? 0.5 : -0.5, 1e-4);
    parameters_free(&parameters);
}
END_TEST

/* The norm of the whole gradient, of parameters shorter and longer than the stretches that its squares are added in. */
START_TEST(norms)
{
    static const int64_t sizes[] = {1, 4095, 4096, 4097, 10000};
    enum dtype dtype = (enum dtype)_i;
    struct parameters parameters = {0};
    long double squares = 0;
    for (int k = 0; k < 5; k++)
        parameters_add(&parameters, "p", sizes[k], 0, false, (struct start){START_CONSTANT, 0, 0});
    ck_assert_int_eq(parameters_allocate(&parameters, dtype, 3).code, STATUS_OK);
    for (int k = 0; k < 5; k++)
        for (int64_t i = 0; i < sizes[k]; i++) {
            put(parameters.item[k].gradient, dtype, i, random_normal(13, (uint32_t)k, (uint64_t)i));
            long double g = get(parameters.item[k].gradient, dtype, i);
            squares += g * g;
        }
    double norm = arithmetic_get(dtype)->norm(&parameters);
    ck_assert_double_eq_tol(norm, (double)sqrtl(squares), 1e3 * unit[dtype] * norm);
    for (int k = 0; k < 5; k++) /* the last number of each counts */
        for (int64_t i = 0; i < sizes[k]; i++)
            put(parameters.item[k].gradient, dtype, i, i == sizes[k] - 1 ? k + 1 : 0);
    ck_assert_double_eq_tol(arithmetic_get(dtype)->norm(&parameters), sqrt(1 + 4 + 9 + 16 + 25), 1e-5);
    parameters_free(&parameters);
}
END_TEST

/* ---- Steps of a training ------------------------------------------------------------------------------------------------------- */

/* Weights, first and second moments of a training: tensors in this order, each third as many numbers. */
struct snapshot {
    double *x[3];
    bool *matrix;
    int64_t n;
};

static struct snapshot snap(const struct training *training)
{
    const struct named_tensor *tensors;
    size_t n = training_tensors(training, &tensors) / 3;
    struct snapshot snapshot = {.n = training_parameters(training)};
    snapshot.matrix = calloc((size_t)snapshot.n, sizeof *snapshot.matrix);
    for (int k = 0; k < 3; k++) {
        int64_t at = 0;
        snapshot.x[k] = calloc((size_t)snapshot.n, sizeof(double));
        ck_assert(snapshot.x[k] != NULL && snapshot.matrix != NULL);
        for (size_t i = 0; i < n; i++) {
            const struct named_tensor *tensor = &tensors[(size_t)k * n + i];
            int64_t size = (int64_t)(tensor_bytes(tensor) / dtype_size(tensor->dtype));
            for (int64_t j = 0; j < size; j++, at++) {
                snapshot.x[k][at] = get(tensor->data, tensor->dtype, j);
                snapshot.matrix[at] = tensor->rank == 2;
            }
        }
        ck_assert_int_eq(at, snapshot.n);
    }
    return snapshot;
}

static void snapshot_free(struct snapshot *snapshot)
{
    for (int k = 0; k < 3; k++)
        free(snapshot->x[k]);
    free(snapshot->matrix);
}

/* A training whose gradient is clipped to a norm of about epsilon, or hardly ever: the gradient of each step follows from the first moments
 * before and after it, and everything else from the gradient. Decay is of matrices alone. */
START_TEST(steps)
{
    enum { STEPS = 4 };
    static const double clips[] = {1e-8, 1, 0};
    struct trial trial = trial_of((struct way){.layer = "lstm"}, "A5");
    trial.model.dtype = DTYPE_FLOAT64;
    trial.recipe.steps = STEPS, trial.recipe.warmup = 2, trial.recipe.schedule = SCHEDULE_CONSTANT;
    trial.recipe.learning_rate = 0.1, trial.recipe.weight_decay = 0.05, trial.recipe.grad_clip = clips[_i];
    trial_open(&trial);
    struct snapshot before = snap(trial.training);
    int unseen = 0;
    for (int t = 1; t <= STEPS; t++) {
        struct step step = trial_steps(&trial, 1);
        struct snapshot after = snap(trial.training);
        double rate = t == 1 ? 0.05 : 0.1, squares = 0;
        for (int64_t i = 0; i < after.n; i++) {
            struct weight x = {before.x[0][i], before.x[1][i], before.x[2][i]};
            double g = (after.x[1][i] - BETA_1 * x.m) / (1 - BETA_1);
            formula(&x, g, t, rate, before.matrix[i] ? 0.05 : 0);
            ck_assert_double_eq_tol(after.x[2][i], x.v, 1e-9 * x.v + 1e-30);
            ck_assert_msg(fabs(after.x[0][i] - x.w) <= 1e-9, "clip %g, step %d: number %lld is %.12g, by the formula %.12g",
                          clips[_i], t, (long long)i, after.x[0][i], x.w);
            squares += g * g;
            unseen += after.x[2][i] == 0;
        }
        double clipped = clips[_i] > 0 && step.norm > clips[_i] ? clips[_i] : step.norm;
        ck_assert_double_eq_tol(sqrt(squares), clipped, 1e-7 * clipped);
        snapshot_free(&before);
        before = after;
    }
    ck_assert_int_gt(unseen, 0); /* tokens that did not come up */
    snapshot_free(&before);
    trial_close(&trial);
}
END_TEST

Suite *suite_adamw(void)
{
    Suite *suite = suite_create("adamw");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, updates, 0, DTYPE_COUNT * 4);
    tcase_add_loop_test(all, first_step, 0, DTYPE_COUNT);
    tcase_add_loop_test(all, norms, 0, DTYPE_COUNT);
    tcase_add_loop_test(all, steps, 0, 3);
    suite_add_tcase(suite, all);
    return suite;
}
