/* Training step by step: the same bits twice and after a restore, clipping and decay, what is refused, what NaN does, and
 * what is told of the recurrence inside. */
#include "tests/support/allocations.h"
#include "tests/support/trial.h"
#include "train/schedule.h"
#include "train/sequence.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_training(void);

/* ---- What a layer hands on -------------------------------------------------------------------------------------------------- */

/* f^n(y^l) is y^(l+n), so that the loss is that of a training with n more iterations; the gradient begins at y^l instead, where it is the
 * same once all has converged. */
START_TEST(hands_on_what_f_makes_of_it)
{
    static const char *const layers[] = {"fp_rnn", "fp_mamba"};
    for (int i = 0; i < 2; i++)
        for (int converged = 0; converged < 2; converged++) {
            const struct way way = {layers[i], "fixed_point", GRADIENT_STEPS, 0};
            struct trial applied = trial_of(way, "S3"), longer = applied;
            applied.model.dtype = longer.model.dtype = DTYPE_FLOAT64;
            applied.recurrence.settings.l_max = converged ? 2000 : 1;
            longer.recurrence.settings.l_max = applied.recurrence.settings.l_max + 2;
            applied.recurrence.settings.further = 2;
            trial_open(&applied), trial_open(&longer);
            struct step one = trial_steps(&applied, 1), other = trial_steps(&longer, 1);
            ck_assert(one.loss == other.loss);
            double apart = fabs(one.norm / other.norm - 1);
            ck_assert_msg(converged ? apart < 1e-10 : apart > 1e-6, "%s: the norms are %g apart", layers[i], apart);
            trial_close(&applied), trial_close(&longer);
        }
}
END_TEST

/* An exact implementation stands where f leaves it; a fused one has no way to do this. */
START_TEST(who_hands_on)
{
    struct trial exact = trial_of((struct way){"fp_mamba", "structured_sequential", GRADIENT_EXACT, 0}, "S3");
    struct trial fused = trial_of((struct way){"fp_mamba", "fixed_point_fused", GRADIENT_STEPS, 0}, "S3");
    exact.recurrence.settings.further = fused.recurrence.settings.further = 2;
    trial_open(&exact);
    trial_steps(&exact, 1);
    trial_close(&exact);
    struct status status = trial_try(&fused);
    ck_assert_int_eq(status.code, STATUS_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(status.message, "use fixed_point"));
    trial_close(&fused);
}
END_TEST

/* ---- The same bits ---------------------------------------------------------------------------------------------------------- */

static const struct way ways[] = {
    {.layer = "lstm"},
    {.layer = "attention"},
    {"fp_rnn", "structured_sequential", GRADIENT_EXACT, 0},
    {"fp_rnn", "fixed_point", GRADIENT_STEPS, 0},
    {"fp_rnn", "fixed_point", GRADIENT_STEPS, 1e-2},
    {"fp_rnn", "fixed_point_fused", GRADIENT_STEPS, 0},
    {"diagonal", "diagonal_scan", GRADIENT_EXACT, 0},
    {"mamba", "diagonal_scan", GRADIENT_EXACT, 0},
    {"fp_mamba", "structured_sequential", GRADIENT_EXACT, 0},
    {"fp_mamba", "fixed_point", GRADIENT_STEPS, 0},
    {"fp_mamba", "fixed_point_fused", GRADIENT_STEPS, 0},
    {"delta", "delta_sequential", GRADIENT_EXACT, 0},
    {"mamba2", "chunked_scan", GRADIENT_EXACT, 0},
};
enum { LAYERS = sizeof ways / sizeof ways[0] };
static const struct way plain = {.layer = "lstm"};

START_TEST(same_bits_twice)
{
    struct trial a = trial_of(ways[_i], "S3"), b = trial_of(ways[_i], "S3"), c = trial_of(ways[_i], "S3");
    c.recipe.seed++;
    trial_open(&a), trial_open(&b), trial_open(&c);
    struct step one = trial_steps(&a, 7), other = trial_steps(&b, 7), third = trial_steps(&c, 7);
    tensors_check_equal(a.training, b.training);
    ck_assert(one.loss == other.loss && one.norm == other.norm && one.loss != third.loss);
    trial_close(&a), trial_close(&b), trial_close(&c);
}
END_TEST

START_TEST(restored_is_undisturbed)
{
    struct trial whole = trial_of(ways[_i], "S3"), first = whole, second = whole;
    whole.recipe.curriculum = true, whole.recipe.curriculum_accuracy = 1e-9, whole.recipe.curriculum_window = 3;
    first.recipe = second.recipe = whole.recipe;
    trial_open(&whole), trial_open(&first), trial_open(&second);
    trial_steps(&whole, 11);
    trial_steps(&first, 5);
    size_t bytes;
    char *kept = tensors_copy(first.training, &bytes);
    struct training_state state = training_state(first.training);
    ck_assert_int_eq(state.step, 5);
    ck_assert_int_eq(state.window_n, 2);
    tensors_set(second.training, kept);
    training_restore(second.training, &state);
    trial_steps(&second, 6);
    tensors_check_equal(whole.training, second.training);
    struct training_state a = training_state(whole.training), b = training_state(second.training);
    ck_assert(a.step == b.step && a.stage == b.stage && a.window_sum == b.window_sum && a.window_n == b.window_n);
    free(kept);
    trial_close(&whole), trial_close(&first), trial_close(&second);
}
END_TEST

START_TEST(a_step_allocates_nothing)
{
    struct trial trial = trial_of(ways[_i], "S3");
    trial_open(&trial);
    struct step step = trial_steps(&trial, 1);
    long before = allocations(), after; /* the assertions allocate, too */
    for (int i = 0; i < 3; i++)
        training_step(trial.training, &step);
    after = allocations();
    ck_assert_int_eq(after, before);
    ck_assert_int_eq(step.step, 4);
    trial_close(&trial);
}
END_TEST

/* What is allocated for a training with its first step, at two numbers of iterations beyond those that a fused pass carries along. */
static const char *const iterated[] = {"fixed_point", "fixed_point_fused"};
START_TEST(memory_does_not_grow_with_l)
{
    static const int64_t l[2] = {1000, 4000};
    long spent[2];
    for (int i = 0; i < 2; i++) {
        struct trial trial = trial_of((struct way){"fp_rnn", iterated[_i], GRADIENT_STEPS, 0}, "S3");
        trial.model.d_model = trial.model.d = 64;
        trial.recipe.batch = 4;
        trial.recurrence.settings.l_max = l[i];
        long before = allocations_bytes();
        trial_open(&trial);
        trial_steps(&trial, 1);
        spent[i] = allocations_bytes() - before;
        trial_close(&trial);
    }
    ck_assert_int_gt(spent[0], 0);
    ck_assert_int_eq(spent[0], spent[1]);
}
END_TEST

/* Of a matrix state: a fused pass carries all iterates of the tokens at hand, but keeps none of them. */
START_TEST(memory_of_states_hardly_grows_with_l)
{
    static const int64_t l[2] = {4, 64};
    double spent[2];
    for (int i = 0; i < 2; i++) {
        struct trial trial = trial_of((struct way){"fp_mamba", iterated[_i], GRADIENT_STEPS, 0}, "A5");
        trial.model.d_model = 64, trial.model.d = 128, trial.model.N = 16;
        trial.recipe.batch = 256, trial.recipe.length = 16;
        trial.recurrence.settings.l_max = l[i];
        long before = allocations_bytes();
        trial_open(&trial);
        trial_steps(&trial, 1);
        spent[i] = (double)(allocations_bytes() - before);
        trial_close(&trial);
    }
    ck_assert_msg(spent[1] < 1.05 * spent[0], "%g bytes with %lld iterations, %g with %lld", spent[0], (long long)l[0], spent[1],
                  (long long)l[1]);
}
END_TEST

START_TEST(tensors_are_named)
{
    struct trial trial = trial_of(ways[_i], "S3");
    trial_open(&trial);
    const struct named_tensor *tensors;
    size_t n = training_tensors(trial.training, &tensors);
    int64_t weights = 0, moments = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t size = (int64_t)(tensor_bytes(&tensors[i]) / dtype_size(tensors[i].dtype));
        *(tensors[i].weight ? &weights : &moments) += size;
        ck_assert_int_eq(tensors[i].weight, strncmp(tensors[i].name, "adam.", 5) != 0);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(tensors[i].name, tensors[j].name);
    }
    ck_assert_int_eq(weights, training_parameters(trial.training));
    ck_assert_int_eq(moments, 2 * weights);
    trial_close(&trial);
}
END_TEST

/* ---- The optimiser ---------------------------------------------------------------------------------------------------------- */

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
    struct trial trial = trial_of(plain, "S3");
    double norm = 0;
    static const double share[] = {0, 2, 0.5}; /* the clip in terms of the norm of the first gradient; 0: none */
    for (int i = 0; i < 3; i++) {
        trial.task = NULL;
        trial.recipe.grad_clip = share[i] * norm;
        trial_open(&trial);
        struct step step = trial_steps(&trial, 1);
        ck_assert(i == 0 || step.norm == norm);
        norm = step.norm;
        ck_assert_double_eq_tol(moments_norm(trial.training), 0.1 * norm * (i == 2 ? 0.5 : 1), 1e-5 * norm);
        trial_close(&trial);
    }
}
END_TEST

START_TEST(decay_spares_biases_and_norms)
{
    struct trial spared = trial_of(plain, "S3"), decayed = spared;
    spared.recipe.weight_decay = 0, decayed.recipe.weight_decay = 10;
    trial_open(&spared), trial_open(&decayed);
    trial_steps(&spared, 1), trial_steps(&decayed, 1);
    const struct named_tensor *a, *b;
    size_t n = training_tensors(spared.training, &a);
    training_tensors(decayed.training, &b);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(memcmp(a[i].data, b[i].data, tensor_bytes(&a[i])) != 0, a[i].weight && a[i].rank == 2);
    trial_close(&spared), trial_close(&decayed);
}
END_TEST

START_TEST(nan_changes_nothing)
{
    struct trial trial = trial_of(ways[_i], "S3");
    trial_open(&trial);
    trial_steps(&trial, 2);
    const struct named_tensor *tensors;
    training_tensors(trial.training, &tensors);
    ((float *)tensors[0].data)[3] = _i % 2 ? NAN : INFINITY; /* the embedding of token 0 */
    size_t bytes;
    char *before = tensors_copy(trial.training, &bytes), *after;
    struct step step;
    struct status status = training_step(trial.training, &step);
    ck_assert_int_eq(status.code, STATUS_DIVERGED);
    after = tensors_copy(trial.training, &bytes);
    ck_assert_int_eq(memcmp(before, after, bytes), 0);
    ck_assert_int_eq(training_state(trial.training).step, 2);
    free(before), free(after);
    trial_close(&trial);
}
END_TEST

/* ---- Evaluation ------------------------------------------------------------------------------------------------------------- */

START_TEST(evaluated)
{
    struct trial trial = trial_of(ways[_i], "S3");
    trial.model.dtype = DTYPE_FLOAT64;
    trial.recurrence.settings.tolerance = 0; /* with one, how long a sequence iterates depends on its batch */
    trial_open(&trial);
    trial_steps(&trial, 3);
    size_t bytes;
    char *before = tensors_copy(trial.training, &bytes), *after;
    int32_t answer[2][90], token[9], target[9];
    struct evaluation whole = {.answer = answer[0]}, parts = {.answer = answer[1]};
    struct evaluation_request request = {.recurrence = trial.recurrence, .length = 9, .samples = 10, .batch = 100, .seed = 8};
    ck_assert_int_eq(training_evaluate(trial.training, &request, &whole).code, STATUS_OK);
    request.batch = 4;
    ck_assert_int_eq(training_evaluate(trial.training, &request, &parts).code, STATUS_OK);
    ck_assert_int_eq(whole.score.positions, 90);
    ck_assert_int_eq(whole.score.sequences, 10);
    ck_assert(memcmp(&whole.score, &parts.score, sizeof whole.score) == 0);
    ck_assert_double_eq_tol(whole.loss, parts.loss, 1e-10);
    ck_assert(memcmp(answer[0], answer[1], sizeof answer[0]) == 0);
    struct task_score score = {0};
    for (uint64_t i = 0; i < 10; i++) {
        task_fill(trial.task, 8, i, 9, false, token, target);
        task_score(trial.task, 9, target, answer[0] + 9 * i, &score);
    }
    ck_assert(memcmp(&score, &whole.score, sizeof score) == 0);
    after = tensors_copy(trial.training, &bytes);
    ck_assert_int_eq(memcmp(before, after, bytes), 0);
    request.length = INT64_MAX / 2;
    ck_assert_int_eq(training_evaluate(trial.training, &request, &parts).code, STATUS_UNSUPPORTED);
    free(before), free(after);
    trial_close(&trial);
}
END_TEST

/* Where nothing is asked, or what is asked does not count, there is no answer. */
START_TEST(answers_are_those_scored)
{
    enum { EXAMPLES = 7, LENGTH = 8 };
    struct trial trial = trial_of(plain, "copying");
    trial_open(&trial);
    trial_steps(&trial, 1);
    const struct task_facts *facts = task_facts(trial.task);
    int64_t T = task_width(trial.task, LENGTH, false), answers = 0;
    int32_t *answer = malloc((size_t)(EXAMPLES + 2) * (size_t)T * sizeof *answer), *token = answer + EXAMPLES * T,
            *target = token + T;
    struct evaluation evaluation = {.answer = answer};
    struct evaluation_request request = {.length = LENGTH, .samples = EXAMPLES, .batch = 3, .seed = 8};
    ck_assert_int_eq(training_evaluate(trial.training, &request, &evaluation).code, STATUS_OK);
    for (int64_t i = 0; i < EXAMPLES; i++) {
        task_fill(trial.task, 8, (uint64_t)i, LENGTH, false, token, target);
        for (int64_t t = 0; t < T; t++) {
            bool counts = target[t] >= 0 && target[t] != facts->uncounted;
            ck_assert(counts ? answer[i * T + t] >= 0 && answer[i * T + t] < facts->classes : answer[i * T + t] == TASK_UNSCORED);
            answers += counts;
        }
    }
    ck_assert_int_eq(answers, evaluation.score.positions);
    ck_assert_int_lt(answers, EXAMPLES * T);
    free(answer);
    trial_close(&trial);
}
END_TEST

/* ---- The recurrence inside -------------------------------------------------------------------------------------------------- */

START_TEST(iterations_are_told)
{
    struct trial trial = trial_of((struct way){"fp_rnn", "fixed_point", GRADIENT_STEPS, 1e-2}, "S3");
    trial_open(&trial);
    struct step step = trial_steps(&trial, 1);
    ck_assert_double_eq(step.l_max, 20);
    ck_assert(step.iterations > 1 && step.iterations <= 20);
    trial_close(&trial);
    trial.task = NULL;
    trial.recipe.gamma = 3;
    trial_open(&trial);
    for (int64_t i = 1; i <= 5; i++) {
        step = trial_steps(&trial, 1);
        ck_assert_double_eq(step.l_max, (double)schedule_l_max(&trial.recipe, i));
        ck_assert_double_le(step.iterations, step.l_max);
    }
    trial_close(&trial);
    trial = trial_of(plain, "S3");
    trial_open(&trial);
    step = trial_steps(&trial, 1);
    ck_assert(isnan(step.iterations) && isnan(step.l_max));
    trial_close(&trial);
}
END_TEST

/* What an evaluation says of l*, and the inputs that it was found on: an implementation run by hand on them says the same. */
START_TEST(inputs_are_those_of_the_layer)
{
    enum { SEQUENCES = 6, LENGTH = 9 };
    struct trial trial = trial_of((struct way){"fp_rnn", "fixed_point", GRADIENT_STEPS, 1e-3}, "S3");
    trial.model.blocks = 2, trial.model.dtype = DTYPE_FLOAT64;
    trial_open(&trial);
    trial_steps(&trial, 3);
    int64_t l[2 * SEQUENCES], by_hand[SEQUENCES];
    struct evaluation evaluation = {.l = l};
    struct evaluation_request request = {
        .recurrence = trial.recurrence, .length = LENGTH, .samples = SEQUENCES, .batch = SEQUENCES, .seed = 8};
    ck_assert_int_eq(training_evaluate(trial.training, &request, &evaluation).code, STATUS_OK);
    ck_assert_int_eq(evaluation.n_l, 2 * SEQUENCES);
    for (int64_t block = 0; block < 2; block++) {
        struct problem problem;
        struct inputs inputs;
        ck_assert_int_eq(training_recurrence_inputs(trial.training, block, LENGTH, SEQUENCES, 8, &problem, &inputs).code,
                         STATUS_OK);
        ck_assert(problem.B == SEQUENCES && problem.T == LENGTH && problem.d == 16 && problem.feedback == FEEDBACK_RMS);
        const struct implementation *one = registry_get(trial.recurrence.implementation, DTYPE_FLOAT64, level_best());
        struct settings settings = trial.recurrence.settings;
        settings.gradient = GRADIENT_NONE;
        struct plan *plan;
        double h[SEQUENCES * LENGTH * 16];
        struct trace trace = {.l = by_hand};
        ck_assert_int_eq(one->plan(&problem, &settings, &trial.environment, &plan).code, STATUS_OK);
        one->forward(plan, &inputs, &(struct outputs){.h = h}, &trace);
        one->destroy(plan);
        for (int b = 0; b < SEQUENCES; b++) {
            ck_assert_int_gt(by_hand[b], 1);
            ck_assert_int_eq(l[b * 2 + block], by_hand[b]);
        }
    }
    struct problem problem;
    struct inputs inputs;
    ck_assert_int_eq(training_recurrence_inputs(trial.training, 2, LENGTH, SEQUENCES, 8, &problem, &inputs).code,
                     STATUS_UNSUPPORTED);
    trial_close(&trial);
}
END_TEST

Suite *suite_training(void)
{
    Suite *suite = suite_create("training");
    TCase *bits = tcase_create("bits");
    tcase_add_test(bits, hands_on_what_f_makes_of_it);
    tcase_add_test(bits, who_hands_on);
    tcase_add_loop_test(bits, same_bits_twice, 0, LAYERS);
    tcase_add_loop_test(bits, restored_is_undisturbed, 0, LAYERS);
    tcase_add_loop_test(bits, a_step_allocates_nothing, 0, LAYERS);
    tcase_add_loop_test(bits, memory_does_not_grow_with_l, 0, sizeof iterated / sizeof iterated[0]);
    tcase_add_loop_test(bits, memory_of_states_hardly_grows_with_l, 0, sizeof iterated / sizeof iterated[0]);
    tcase_add_loop_test(bits, tensors_are_named, 0, LAYERS);
    suite_add_tcase(suite, bits);
    TCase *edges = tcase_create("edges");
    tcase_add_test(edges, clipping);
    tcase_add_test(edges, decay_spares_biases_and_norms);
    tcase_add_loop_test(edges, nan_changes_nothing, 0, LAYERS);
    tcase_add_loop_test(edges, evaluated, 0, LAYERS);
    tcase_add_test(edges, answers_are_those_scored);
    suite_add_tcase(suite, edges);
    TCase *recurrences = tcase_create("recurrences");
    tcase_add_test(recurrences, iterations_are_told);
    tcase_add_test(recurrences, inputs_are_those_of_the_layer);
    suite_add_tcase(suite, recurrences);
    return suite;
}
