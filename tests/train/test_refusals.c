/* Trainings that are not opened: models, recipes and recurrences that make no sense, with the reason; and when memory runs out. */
#include "tests/support/allocations.h"
#include "tests/support/trial.h"
#include "train/sequence.h"

#include <check.h>
#include <math.h>
#include <string.h>

Suite *suite_refusals(void);

static void wrong_heads(struct trial *trial)
{
    trial->model.layer = sequence_layer_find("attention");
    trial->model.heads = 3;
}

static void wrong_rate(struct trial *trial)
{
    trial->recipe.learning_rate = -1e-3;
}

static void wrong_nan_rate(struct trial *trial)
{
    trial->recipe.learning_rate = NAN;
}

static void wrong_length(struct trial *trial)
{
    trial->recipe.length = INT64_MAX / 2;
}

static void wrong_batch(struct trial *trial)
{
    trial->recipe.batch = INT64_MAX / 2;
}

static void wrong_layer(struct trial *trial)
{
    trial->model.layer = 1000;
}

static void wrong_blocks(struct trial *trial)
{
    trial->model.blocks = 0;
}

static void wrong_gamma(struct trial *trial)
{
    trial->recipe.gamma = 4;
}

static void wrong_window(struct trial *trial)
{
    trial->recipe.curriculum = true;
    trial->recipe.curriculum_accuracy = 0.9;
}

static void wrong_gradient(struct trial *trial)
{
    trial->model.layer = sequence_layer_find("fp_rnn");
    trial->recurrence.implementation = registry_find("fixed_point");
}

static void wrong_mixer(struct trial *trial)
{
    trial->model.layer = sequence_layer_find("fp_rnn");
    trial->model.mixer = MIXER_DENSE;
    trial->model.r = 0;
}

static void wrong_kronecker(struct trial *trial)
{
    trial->model.layer = sequence_layer_find("fp_rnn");
    trial->model.mixer = MIXER_KRONECKER;
    trial->model.r = 0;
    trial->recurrence.implementation = registry_find("structured_sequential");
    trial->recurrence.settings.gradient = GRADIENT_EXACT;
}

static void wrong_feedback(struct trial *trial)
{
    trial->model.layer = sequence_layer_find("fp_mamba");
    trial->recurrence.implementation = registry_find("structured_sequential");
    trial->recurrence.settings.gradient = GRADIENT_EXACT;
    trial->model.feedback = FEEDBACK_RMS;
}

static void wrong_states(struct trial *trial)
{
    wrong_feedback(trial);
    trial->model.feedback = FEEDBACK_RAW;
    trial->model.N = 0;
}

static void wrong_convolution(struct trial *trial)
{
    wrong_feedback(trial);
    trial->model.feedback = FEEDBACK_RAW;
    trial->model.convolution = CONVOLUTION_COUNT;
}

static void wrong_mamba_mixer(struct trial *trial)
{
    wrong_feedback(trial);
    trial->model.mixer = MIXER_DENSE;
}

static void wrong_delta_heads(struct trial *trial)
{
    trial->model.layer = sequence_layer_find("delta");
    trial->recurrence.implementation = registry_find("delta_sequential");
    trial->recurrence.settings.gradient = GRADIENT_EXACT;
    trial->model.mixer = MIXER_NONE, trial->model.s = 0, trial->model.r = 1;
    trial->model.heads = 3;
}

static void wrong_delta_steps(struct trial *trial)
{
    wrong_delta_heads(trial);
    trial->model.heads = 2, trial->model.r = 0;
}

static void wrong_delta_gradient(struct trial *trial)
{
    wrong_delta_heads(trial);
    trial->model.heads = 2;
    trial->recurrence.settings.gradient = GRADIENT_STEPS;
}

static void wrong_delta_implementation(struct trial *trial)
{
    wrong_delta_gradient(trial);
    trial->recurrence.implementation = registry_find("fixed_point");
}

static void wrong_eigenvalues(struct trial *trial)
{
    wrong_delta_heads(trial);
    trial->model.heads = 2, trial->model.eigenvalues = EIGENVALUES_COUNT;
}

static void wrong_output_gate(struct trial *trial)
{
    wrong_delta_heads(trial);
    trial->model.heads = 2, trial->model.output_gate = OUTPUT_GATE_COUNT;
}

static void wrong_feed_forward(struct trial *trial)
{
    trial->model.feed_forward = FEED_FORWARD_COUNT;
}

static void wrong_gamma_of_exact(struct trial *trial)
{
    wrong_kronecker(trial);
    trial->model.mixer = MIXER_HOUSEHOLDER;
    trial->model.r = 1;
    trial->recipe.gamma = 4;
}

static const struct {
    void (*spoil)(struct trial *);
    const char *words; /* that the reason has */
} wrongs[] = {{wrong_heads, "heads"},
              {wrong_rate, "learning_rate"},
              {wrong_nan_rate, "learning_rate"},
              {wrong_length, "length"},
              {wrong_batch, "batch"},
              {wrong_layer, "layer"},
              {wrong_blocks, "blocks"},
              {wrong_gamma, "gamma"},
              {wrong_window, "window"},
              {wrong_gradient, "gradient"},
              {wrong_mixer, "mixer"},
              {wrong_kronecker, "mixer kronecker is not supported"},
              {wrong_gamma_of_exact, "gamma"},
              {wrong_feedback, "feedback rms"},
              {wrong_states, "N = 0"},
              {wrong_convolution, "convolution"},
              {wrong_mamba_mixer, "mixer dense"},
              {wrong_delta_heads, "heads = 3"},
              {wrong_delta_steps, "r = 0"},
              {wrong_delta_gradient, "gradient"},
              {wrong_delta_implementation, "fixed_point"},
              {wrong_eigenvalues, "eigenvalues"},
              {wrong_output_gate, "output_gate"},
              {wrong_feed_forward, "feed_forward"}};

START_TEST(refused)
{
    struct trial trial = trial_of((struct way){.layer = "lstm"}, "Z2");
    wrongs[_i].spoil(&trial);
    struct status status = trial_try(&trial);
    ck_assert_int_eq(status.code, STATUS_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(status.message, wrongs[_i].words));
    ck_assert_ptr_null(trial.training);
    task_close(trial.task);
}
END_TEST

START_TEST(memory_runs_out)
{
    static const struct way ways[] = {{.layer = "lstm"},
                                      {.layer = "attention"},
                                      {"fp_rnn", "fixed_point", GRADIENT_STEPS, 0},
                                      {"fp_rnn", "structured_sequential", GRADIENT_EXACT, 0},
                                      {"fp_mamba", "structured_sequential", GRADIENT_EXACT, 0},
                                      {"mamba", "diagonal_scan", GRADIENT_EXACT, 0},
                                      {"delta", "delta_sequential", GRADIENT_EXACT, 0},
                                      {"mamba2", "diagonal_scan", GRADIENT_EXACT, 0}};
    struct trial trial = trial_of(ways[_i], "Z2");
    trial.model.feed_forward = FEED_FORWARD_GELU;
    struct status status;
    int failures = 0;
    ck_assert_int_eq(trial_try(&trial).code, STATUS_OK);
    do {
        training_close(trial.training);
        allocations_fail(++failures);
        status =
            training_open(&trial.model, &trial.recipe, &trial.recurrence, trial.task, &trial.environment, NULL, &trial.training);
        allocations_fail(0);
        ck_assert(status.code == STATUS_OK || (status.code == STATUS_OUT_OF_MEMORY && trial.training == NULL));
    } while (status.code != STATUS_OK);
    ck_assert_int_gt(failures, 10);
    trial_close(&trial);
}
END_TEST

Suite *suite_refusals(void)
{
    Suite *suite = suite_create("refusals");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, refused, 0, sizeof wrongs / sizeof wrongs[0]);
    tcase_add_loop_test(all, memory_runs_out, 0, 8);
    suite_add_tcase(suite, all);
    return suite;
}
