/* Training step by step: the same bits twice and after a restore, schedules, curriculum and clipping at their edges, what is refused,
 * what NaN does, and what each layer can learn at all. */
#include "tests/allocations.h"
#include "train/schedule.h"
#include "train/sequence.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_training(void);

/* ---- A training to start from ------------------------------------------------------------------------------------------------ */

struct bench {
    struct model_spec model;
    struct recipe recipe;
    struct recurrence recurrence;
    struct environment environment;
    const char *task_name;
    struct task *task;
    struct training *training;
};

static struct bench bench_of(const char *layer, const char *task)
{
    struct bench bench = {
        .model = {.layer = sequence_layer_find(layer), .blocks = 1, .d_model = 16, .d = 16, .dtype = DTYPE_FLOAT32},
        .recipe = {.steps = 40, .batch = 8, .length = 6, .rate = 1e-2, .warmup = 4, .schedule = SCHEDULE_COSINE},
        .recurrence = {.settings = {.l_max = 20, .quantile = 1, .damping = 1, .gradient = GRADIENT_EXACT, .gradient_steps = 1}},
        .environment = {.threads = 2},
        .task_name = task,
    };
    bench.model.mixer = MIXER_HOUSEHOLDER, bench.model.r = 1, bench.model.s = 1;
    bench.model.feedback = FEEDBACK_RMS, bench.model.heads = 2;
    bench.recipe.decay = 0.01, bench.recipe.clip = 1, bench.recipe.seed = 3;
    bench.recurrence.implementation = registry_find("structured_sequential");
    return bench;
}

static struct status bench_try(struct bench *bench)
{
    char reason[160] = "";
    ck_assert_msg(bench->task != NULL || task_open(bench->task_name, &bench->task, sizeof reason, reason), "%s", reason);
    return training_open(&bench->model, &bench->recipe, &bench->recurrence, bench->task, &bench->environment, NULL,
                         &bench->training);
}

static void bench_open(struct bench *bench)
{
    struct status status = bench_try(bench);
    ck_assert_msg(status.code == STATUS_OK, "%s", status.message);
}

static void bench_close(struct bench *bench)
{
    training_close(bench->training);
    task_close(bench->task);
}

static struct step steps(struct bench *bench, int64_t n)
{
    struct step step = {0};
    for (int64_t i = 0; i < n; i++) {
        struct status status = training_step(bench->training, &step);
        ck_assert_msg(status.code == STATUS_OK, "%s", status.message);
    }
    return step;
}

static size_t tensor_bytes(const struct named_tensor *tensor)
{
    size_t size = dtype_size(tensor->dtype);
    for (int i = 0; i < tensor->rank; i++)
        size *= (size_t)tensor->shape[i];
    return size;
}

/* Copies of all tensors, one after the other. */
static char *tensors_copy(const struct training *training, size_t *bytes)
{
    const struct named_tensor *tensors;
    size_t n = training_tensors(training, &tensors);
    *bytes = 0;
    for (size_t i = 0; i < n; i++)
        *bytes += tensor_bytes(&tensors[i]);
    char *copy = malloc(*bytes + 1), *to = copy;
    ck_assert_ptr_nonnull(copy);
    for (size_t i = 0; i < n; to += tensor_bytes(&tensors[i]), i++)
        memcpy(to, tensors[i].data, tensor_bytes(&tensors[i]));
    return copy;
}

static void tensors_set(struct training *training, const char *from)
{
    const struct named_tensor *tensors;
    size_t n = training_tensors(training, &tensors);
    for (size_t i = 0; i < n; from += tensor_bytes(&tensors[i]), i++)
        memcpy(tensors[i].data, from, tensor_bytes(&tensors[i]));
}

static void check_equal(const struct training *one, const struct training *other)
{
    size_t bytes, others;
    char *a = tensors_copy(one, &bytes), *b = tensors_copy(other, &others);
    ck_assert_uint_eq(bytes, others);
    ck_assert_int_eq(memcmp(a, b, bytes), 0);
    free(a), free(b);
}

/* ---- The same bits ------------------------------------------------------------------------------------------------------------- */

static const char *const layers[] = {"lstm", "attention"};
enum { LAYERS = sizeof layers / sizeof layers[0] };

START_TEST(same_bits_twice)
{
    struct bench a = bench_of(layers[_i], "S3"), b = bench_of(layers[_i], "S3"), c = bench_of(layers[_i], "S3");
    c.recipe.seed++;
    bench_open(&a), bench_open(&b), bench_open(&c);
    struct step one = steps(&a, 7), other = steps(&b, 7), third = steps(&c, 7);
    check_equal(a.training, b.training);
    ck_assert(one.loss == other.loss && one.norm == other.norm && one.loss != third.loss);
    bench_close(&a), bench_close(&b), bench_close(&c);
}
END_TEST

START_TEST(restored_is_undisturbed)
{
    struct bench whole = bench_of(layers[_i], "S3"), first = whole, second = whole;
    whole.recipe.curriculum = true, whole.recipe.curriculum_accuracy = 1e-9, whole.recipe.curriculum_window = 3;
    first.recipe = second.recipe = whole.recipe;
    bench_open(&whole), bench_open(&first), bench_open(&second);
    steps(&whole, 11);
    steps(&first, 5);
    size_t bytes;
    char *kept = tensors_copy(first.training, &bytes);
    struct training_state state = training_state(first.training);
    ck_assert_int_eq(state.step, 5);
    ck_assert_int_eq(state.window_n, 2);
    tensors_set(second.training, kept);
    training_restore(second.training, &state);
    steps(&second, 6);
    check_equal(whole.training, second.training);
    struct training_state a = training_state(whole.training), b = training_state(second.training);
    ck_assert(a.step == b.step && a.stage == b.stage && a.stage_step == b.stage_step && a.window_sum == b.window_sum &&
              a.window_n == b.window_n);
    free(kept);
    bench_close(&whole), bench_close(&first), bench_close(&second);
}
END_TEST

START_TEST(a_step_allocates_nothing)
{
    struct bench bench = bench_of(layers[_i], "S3");
    bench_open(&bench);
    struct step step = steps(&bench, 1);
    long before = allocations(), after; /* the assertions allocate, too */
    for (int i = 0; i < 3; i++)
        training_step(bench.training, &step);
    after = allocations();
    ck_assert_int_eq(after, before);
    ck_assert_int_eq(step.step, 4);
    bench_close(&bench);
}
END_TEST

START_TEST(tensors_are_named)
{
    struct bench bench = bench_of(layers[_i], "S3");
    bench_open(&bench);
    const struct named_tensor *tensors;
    size_t n = training_tensors(bench.training, &tensors);
    int64_t weights = 0, moments = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t size = (int64_t)(tensor_bytes(&tensors[i]) / dtype_size(tensors[i].dtype));
        *(tensors[i].weight ? &weights : &moments) += size;
        ck_assert_int_eq(tensors[i].weight, strncmp(tensors[i].name, "adam.", 5) != 0);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(tensors[i].name, tensors[j].name);
    }
    ck_assert_int_eq(weights, training_parameters(bench.training));
    ck_assert_int_eq(moments, 2 * weights);
    bench_close(&bench);
}
END_TEST

/* ---- Rates, lengths, l_max ----------------------------------------------------------------------------------------------------- */

START_TEST(schedules)
{
    struct recipe recipe = {.steps = 100, .warmup = 10, .rate = 2};
    for (int kind = 0; kind < SCHEDULE_COUNT; kind++) {
        recipe.schedule = (enum schedule)kind;
        ck_assert_double_eq(schedule_rate(&recipe, 1), 0.2);
        ck_assert_double_eq(schedule_rate(&recipe, 10), 2);
        ck_assert_double_eq_tol(schedule_rate(&recipe, 100), kind == SCHEDULE_CONSTANT ? 2 : 0, 1e-15);
    }
    recipe.schedule = SCHEDULE_LINEAR;
    ck_assert_double_eq_tol(schedule_rate(&recipe, 55), 1, 1e-12);
    recipe.schedule = SCHEDULE_COSINE;
    ck_assert_double_eq_tol(schedule_rate(&recipe, 55), 1, 1e-12);
    recipe.warmup = 0;
    ck_assert_double_lt(schedule_rate(&recipe, 1), 2);
    ck_assert_double_gt(schedule_rate(&recipe, 1), 1.99);
    recipe.warmup = 100;
    ck_assert_double_eq(schedule_rate(&recipe, 100), 2);
    recipe.warmup = 200;
    ck_assert_double_eq(schedule_rate(&recipe, 100), 1);
}
END_TEST

START_TEST(lengths)
{
    char reason[160];
    struct task *task;
    int64_t list[STAGES_MAX];
    static const int64_t expected[] = {2, 3, 4, 6, 8, 12, 16, 20};
    ck_assert(task_open("A5", &task, sizeof reason, reason));
    struct recipe recipe = {.length = 20, .curriculum = true};
    ck_assert_int_eq(schedule_lengths(&recipe, task, list), 8);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(list[i], expected[i]);
    recipe.length = 16;
    ck_assert_int_eq(schedule_lengths(&recipe, task, list), 7);
    recipe.length = 2;
    ck_assert_int_eq(schedule_lengths(&recipe, task, list), 1);
    ck_assert_int_eq(list[0], 2);
    recipe.length = 20, recipe.curriculum = false;
    ck_assert_int_eq(schedule_lengths(&recipe, task, list), 1);
    ck_assert_int_eq(list[0], 20);
    task_close(task);
}
END_TEST

/* Mean of ceil(X), X of Gamma(k, 1): the sum of P(X > n), which is erfc(sqrt n) for k = 1/2 and Poisson's for whole k. */
static double mean_of_ceiling(double k)
{
    double sum = 0;
    for (int n = 0; n < 200; n++) {
        double term = exp(-n), above = k < 1 ? erfc(sqrt(n)) : 0;
        for (int j = 0; j < k && k >= 1; term *= (double)n / ++j)
            above += term;
        sum += above;
    }
    return sum;
}

START_TEST(drawn_l_max)
{
    static const double shapes[] = {0.5, 1, 4, 30};
    for (int k = 0; k < 4; k++) {
        struct recipe recipe = {.gamma = shapes[k], .seed = 5};
        enum { DRAWN = 4000 };
        double sum = 0, square = 0;
        for (int64_t step = 1; step <= DRAWN; step++) {
            int64_t l = schedule_l_max(&recipe, step);
            ck_assert_int_ge(l, 1);
            ck_assert_int_eq(l, schedule_l_max(&recipe, step));
            sum += (double)l, square += (double)l * (double)l;
        }
        double mean = sum / DRAWN, variance = square / DRAWN - mean * mean;
        ck_assert_double_eq_tol(mean, mean_of_ceiling(shapes[k]), 5 * sqrt(variance / DRAWN));
    }
}
END_TEST

START_TEST(curriculum)
{
    static const int64_t expected[] = {2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5};
    struct bench bench = bench_of("lstm", "Z2");
    bench.recipe.length = 5;
    bench.recipe.curriculum = true, bench.recipe.curriculum_window = 3, bench.recipe.curriculum_accuracy = 1e-9;
    bench_open(&bench);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        ck_assert_int_eq(steps(&bench, 1).length, expected[i]);
    ck_assert_int_eq(training_state(bench.training).stage_step, 10);
    bench_close(&bench);
    bench.task = NULL;
    bench.recipe.curriculum_accuracy = 1; /* out of reach in so few steps */
    bench_open(&bench);
    ck_assert_int_eq(steps(&bench, 12).length, 2);
    bench_close(&bench);
}
END_TEST

START_TEST(steps_end)
{
    struct bench bench = bench_of("lstm", "Z2");
    bench.recipe.steps = 2;
    bench_open(&bench);
    ck_assert_int_eq(steps(&bench, 2).step, 2);
    struct step step;
    ck_assert_int_eq(training_step(bench.training, &step).code, STATUS_UNSUPPORTED);
    bench_close(&bench);
}
END_TEST

/* ---- The optimiser ------------------------------------------------------------------------------------------------------------- */

/* Norm of all first moments. After the first step they are a tenth of the clipped gradient. */
static double moments_norm(const struct training *training)
{
    const struct named_tensor *tensors;
    size_t n = training_tensors(training, &tensors);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const float *m = tensors[i].data;
        for (size_t k = 0; strncmp(tensors[i].name, "adam.m.", 7) == 0 && k < tensor_bytes(&tensors[i]) / sizeof *m; k++)
            sum += (double)m[k] * (double)m[k];
    }
    return sqrt(sum);
}

START_TEST(clipping)
{
    struct bench bench = bench_of("lstm", "S3");
    double norm = 0;
    static const double share[] = {0, 2, 0.5}; /* the clip in terms of the norm of the first gradient; 0: none */
    for (int i = 0; i < 3; i++) {
        bench.task = NULL;
        bench.recipe.clip = share[i] * norm;
        bench_open(&bench);
        struct step step = steps(&bench, 1);
        ck_assert(i == 0 || step.norm == norm);
        norm = step.norm;
        ck_assert_double_eq_tol(moments_norm(bench.training), 0.1 * norm * (i == 2 ? 0.5 : 1), 1e-5 * norm);
        bench_close(&bench);
    }
}
END_TEST

START_TEST(decay_spares_biases_and_norms)
{
    struct bench plain = bench_of("lstm", "S3"), decayed = plain;
    plain.recipe.decay = 0, decayed.recipe.decay = 10;
    bench_open(&plain), bench_open(&decayed);
    steps(&plain, 1), steps(&decayed, 1);
    const struct named_tensor *a, *b;
    size_t n = training_tensors(plain.training, &a);
    training_tensors(decayed.training, &b);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(memcmp(a[i].data, b[i].data, tensor_bytes(&a[i])) != 0, a[i].weight && a[i].rank == 2);
    bench_close(&plain), bench_close(&decayed);
}
END_TEST

START_TEST(nan_changes_nothing)
{
    struct bench bench = bench_of(layers[_i], "S3");
    bench_open(&bench);
    steps(&bench, 2);
    const struct named_tensor *tensors;
    training_tensors(bench.training, &tensors);
    ((float *)tensors[0].data)[3] = _i % 2 ? NAN : INFINITY; /* the embedding of token 0 */
    size_t bytes;
    char *before = tensors_copy(bench.training, &bytes), *after;
    struct step step;
    struct status status = training_step(bench.training, &step);
    ck_assert_int_eq(status.code, STATUS_DIVERGED);
    after = tensors_copy(bench.training, &bytes);
    ck_assert_int_eq(memcmp(before, after, bytes), 0);
    ck_assert_int_eq(training_state(bench.training).step, 2);
    free(before), free(after);
    bench_close(&bench);
}
END_TEST

/* ---- What is refused ----------------------------------------------------------------------------------------------------------- */

static void wrong_heads(struct bench *bench)
{
    bench->model.layer = sequence_layer_find("attention");
    bench->model.heads = 3;
}

static void wrong_rate(struct bench *bench)
{
    bench->recipe.rate = -1e-3;
}

static void wrong_nan_rate(struct bench *bench)
{
    bench->recipe.rate = NAN;
}

static void wrong_length(struct bench *bench)
{
    bench->recipe.length = INT64_MAX / 2;
}

static void wrong_batch(struct bench *bench)
{
    bench->recipe.batch = INT64_MAX / 2;
}

static void wrong_layer(struct bench *bench)
{
    bench->model.layer = 1000;
}

static void wrong_blocks(struct bench *bench)
{
    bench->model.blocks = 0;
}

static void wrong_gamma(struct bench *bench)
{
    bench->recipe.gamma = 4;
}

static void wrong_window(struct bench *bench)
{
    bench->recipe.curriculum = true;
    bench->recipe.curriculum_accuracy = 0.9;
}

static void wrong_gradient(struct bench *bench)
{
    bench->model.layer = sequence_layer_find("fp_rnn");
    bench->recurrence.settings.gradient = GRADIENT_NONE;
}

static void wrong_mixer(struct bench *bench)
{
    bench->model.layer = sequence_layer_find("fp_rnn");
    bench->model.mixer = MIXER_DENSE;
    bench->model.r = 0;
}

static const struct {
    void (*spoil)(struct bench *);
    const char *words; /* that the reason has */
} wrongs[] = {{wrong_heads, "heads"},   {wrong_rate, "rate"},         {wrong_nan_rate, "rate"}, {wrong_length, "length"},
              {wrong_batch, "batch"},   {wrong_layer, "layer"},       {wrong_blocks, "blocks"}, {wrong_gamma, "gamma"},
              {wrong_window, "window"}, {wrong_gradient, "gradient"}, {wrong_mixer, "mixer"}};

START_TEST(refused)
{
    struct bench bench = bench_of("lstm", "Z2");
    wrongs[_i].spoil(&bench);
    struct status status = bench_try(&bench);
    ck_assert_int_eq(status.code, STATUS_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(status.message, wrongs[_i].words));
    ck_assert_ptr_null(bench.training);
    task_close(bench.task);
}
END_TEST

START_TEST(memory_runs_out)
{
    struct bench bench = bench_of(layers[_i], "Z2");
    struct status status;
    int failures = 0;
    ck_assert_int_eq(bench_try(&bench).code, STATUS_OK);
    do {
        training_close(bench.training);
        allocations_fail(++failures);
        status =
            training_open(&bench.model, &bench.recipe, &bench.recurrence, bench.task, &bench.environment, NULL, &bench.training);
        allocations_fail(0);
        ck_assert(status.code == STATUS_OK || (status.code == STATUS_OUT_OF_MEMORY && bench.training == NULL));
    } while (status.code != STATUS_OK);
    ck_assert_int_gt(failures, 10);
    bench_close(&bench);
}
END_TEST

/* ---- Evaluation ---------------------------------------------------------------------------------------------------------------- */

START_TEST(evaluation)
{
    struct bench bench = bench_of(layers[_i], "S3");
    bench.model.dtype = DTYPE_FLOAT64;
    bench_open(&bench);
    steps(&bench, 3);
    size_t bytes;
    char *before = tensors_copy(bench.training, &bytes), *after;
    struct evaluation whole = {0}, parts = {0};
    struct evaluation_request request = {.recurrence = bench.recurrence, .length = 9, .samples = 10, .batch = 100, .seed = 8};
    ck_assert_int_eq(training_evaluate(bench.training, &request, &whole).code, STATUS_OK);
    request.batch = 4;
    ck_assert_int_eq(training_evaluate(bench.training, &request, &parts).code, STATUS_OK);
    ck_assert_int_eq(whole.score.positions, 90);
    ck_assert_int_eq(whole.score.sequences, 10);
    ck_assert(memcmp(&whole.score, &parts.score, sizeof whole.score) == 0);
    ck_assert_double_eq_tol(whole.loss, parts.loss, 1e-10);
    after = tensors_copy(bench.training, &bytes);
    ck_assert_int_eq(memcmp(before, after, bytes), 0);
    request.length = INT64_MAX / 2;
    ck_assert_int_eq(training_evaluate(bench.training, &request, &parts).code, STATUS_UNSUPPORTED);
    free(before), free(after);
    bench_close(&bench);
}
END_TEST

Suite *suite_training(void)
{
    Suite *suite = suite_create("training");
    TCase *bits = tcase_create("bits");
    tcase_add_loop_test(bits, same_bits_twice, 0, LAYERS);
    tcase_add_loop_test(bits, restored_is_undisturbed, 0, LAYERS);
    tcase_add_loop_test(bits, a_step_allocates_nothing, 0, LAYERS);
    tcase_add_loop_test(bits, tensors_are_named, 0, LAYERS);
    suite_add_tcase(suite, bits);
    TCase *edges = tcase_create("edges");
    tcase_add_test(edges, schedules);
    tcase_add_test(edges, lengths);
    tcase_add_test(edges, drawn_l_max);
    tcase_add_test(edges, curriculum);
    tcase_add_test(edges, steps_end);
    tcase_add_test(edges, clipping);
    tcase_add_test(edges, decay_spares_biases_and_norms);
    tcase_add_loop_test(edges, nan_changes_nothing, 0, LAYERS);
    tcase_add_loop_test(edges, refused, 0, sizeof wrongs / sizeof wrongs[0]);
    tcase_add_loop_test(edges, memory_runs_out, 0, LAYERS);
    tcase_add_loop_test(edges, evaluation, 0, LAYERS);
    suite_add_tcase(suite, edges);
    return suite;
}
