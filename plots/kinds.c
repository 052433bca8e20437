/* See kinds.h. */
#include "plots/kinds.h"

#include <string.h>

// clang-format off
static const struct plot_kind kinds[] = {
    {.name = "error-against-iteration",
     .summary = "residual and true error against the iteration, with the slope that rho predicts",
     .measure = "convergence",
     .series = {FIELD_IMPLEMENTATION, FIELD_KAPPA}, .n_series = 2, .along = -1,
     .title = "true error and residual against iteration",
     .x_label = "iteration l", .y_label = "relative error (max norm)",
     .columns = "iteration\tresidual\terror\terror_low\terror_high\tpredicted\tmarked_error",
     .x_columns = 1u << 0, .y_columns = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4,
     .rows = rows_error_against_iteration},
    {.name = "iterations-against-kappa",
     .summary = "iterations to a true error of 1e-6 against kappa",
     .measure = "convergence", .only_with = FIELD_L,
     .series = {FIELD_IMPLEMENTATION, FIELD_MIXER, FIELD_R}, .n_series = 3, .along = FIELD_KAPPA, .along_is_x = true,
     .title = "iterations to a true error of 1e-6 against kappa",
     .x_label = "kappa (logarithmic in 1 - kappa)",
     .y_label = "iterations to error 1e-6",
     .columns = "kappa\tposition\titerations\titerations_low\titerations_high\tasked",
     .x_columns = 1u << 1, .y_columns = 1u << 2 | 1u << 3 | 1u << 4,
     .rows = rows_iterations_against_kappa},
    {.name = "throughput",
     .summary = "tokens a second against T, d, l, B or threads",
     .measure = "throughput",
     .x = {{FIELD_T, "T: length of a sequence [tokens]"}, {FIELD_D, "d: width [channels]"}, {FIELD_L, "l: iterations"},
           {FIELD_B, "B: batch [sequences]"}, {FIELD_THREADS, "threads"}}, .n_x = 5,
     .series = {FIELD_IMPLEMENTATION, FIELD_MIXER, FIELD_R, FIELD_THREADS}, .n_series = 4, .along = -1,
     .title = "throughput",
     .y_label = "throughput [tokens/s]",
     .columns = "x\ttokens_per_s\ttokens_per_s_low\ttokens_per_s_high\twhole_range",
     .x_columns = 1u << 0, .y_columns = 1u << 1 | 1u << 2 | 1u << 3, .letters_low = true,
     .rows = rows_throughput},
    {.name = "error-against-time",
     .summary = "work and precision: error against the exact answer over the time of a call, points labelled by l",
     .measure = "throughput",
     .series = {FIELD_IMPLEMENTATION, FIELD_MIXER, FIELD_R, FIELD_TOLERANCE, FIELD_THREADS}, .n_series = 5, .along = FIELD_L,
     .title = "error against the time of a call (work and precision)",
     .x_label = "time of a call [s]", .y_label = "relative error (max norm)",
     .columns = "seconds\tseconds_low\tseconds_high\terror\tl",
     .x_columns = 1u << 0 | 1u << 1 | 1u << 2, .y_columns = 1u << 3, .decades = true,
     .rows = rows_error_against_time},
    {.name = "roofline",
     .summary = "operations a second over operations per byte, below the measured limits of the machine",
     .measure = "throughput",
     .series = {FIELD_IMPLEMENTATION}, .n_series = 1, .along = -1,
     .panels = {FIELD_THREADS, FIELD_DTYPE, FIELD_LEVEL}, .n_panels = 3,
     .title = "roofline, what the machine allows and what is reached",
     .x_label = "operations per byte", .y_label = "GFLOP/s",
     .columns = "operations_per_byte\tGFLOP_per_s",
     .x_columns = 1u << 0, .y_columns = 1u << 1, .decades = true, .letters_low = true, .roofs = true,
     .rows = rows_roofline},
    {.name = "applications-against-kappa",
     .summary = "applications of the map to a true error of 1e-6 against kappa, problem by problem",
     .measure = "reach", .only_with = FIELD_L,
     .series = {FIELD_IMPLEMENTATION, FIELD_DAMPING, FIELD_PATIENCE}, .n_series = 3, .along = FIELD_KAPPA, .along_is_x = true,
     .title = "applications to a true error of 1e-6 against kappa",
     .x_label = "kappa (logarithmic in 1 - kappa)",
     .y_label = "applications to error 1e-6",
     .columns = "kappa\tposition\tapplications\tapplications_low\tapplications_high\tasked",
     .x_columns = 1u << 1, .y_columns = 1u << 2 | 1u << 3 | 1u << 4,
     .rows = rows_applications_against_kappa},
    {.name = "share-converged",
     .summary = "share of problems that reach a true error of 1e-6 within T/4 applications, against kappa",
     .measure = "reach", .only_with = FIELD_L,
     .series = {FIELD_IMPLEMENTATION, FIELD_DAMPING, FIELD_PATIENCE}, .n_series = 3, .along = FIELD_KAPPA, .along_is_x = true,
     .title = "share of problems at an error of 1e-6 within T/4 applications, against kappa",
     .x_label = "kappa (logarithmic in 1 - kappa)",
     .y_label = "share of problems",
     .columns = "kappa\tposition\tshare\tshare_low\tshare_high\tasked",
     .x_columns = 1u << 1, .y_columns = 1u << 2 | 1u << 3 | 1u << 4, .share = true,
     .rows = rows_share_converged},
    {.name = "tracked",
     .summary = "share of the tokens at which the product of a word of A5 is tracked, against T and the like",
     .measure = "reach", .only_with = FIELD_WORDS,
     .x = {{FIELD_T, "T: length of the word [tokens]"}, {FIELD_L, "l: iterations"}}, .n_x = 2,
     .series = {FIELD_IMPLEMENTATION, FIELD_DAMPING, FIELD_L, FIELD_LAMBDA_MAX}, .n_series = 4, .along = -1,
     .title = "words of A5, share of tokens whose permutation is tracked",
     .y_label = "share of tokens tracked",
     .columns = "x\ttracked\ttracked_low\ttracked_high\twhole_range",
     .x_columns = 1u << 0, .y_columns = 1u << 1 | 1u << 2 | 1u << 3, .letters_low = true, .share = true,
     .rows = rows_tracked},
    {.name = "gradient-cosine",
     .summary = "what the cosine of a gradient with the exact one lacks of 1, against steps or iterations",
     .measure = "gradient",
     .x = {{FIELD_GRADIENT_STEPS, "n: last applications that are differentiated"}, {FIELD_L, "l: iterations"}}, .n_x = 2,
     .series = {FIELD_IMPLEMENTATION, FIELD_MIXER, FIELD_R, FIELD_FEEDBACK, FIELD_KAPPA, FIELD_GRADIENT, FIELD_GRADIENT_STEPS,
                FIELD_L}, .n_series = 8, .along = -1,
     .title = "gradient and exact gradient, 1 - cosine",
     .y_label = "1 - cosine",
     .columns = "x\tlack\tlack_low\tlack_high\twhole_range",
     .x_columns = 1u << 0, .y_columns = 1u << 1 | 1u << 2 | 1u << 3, .letters_low = true,
     .rows = rows_gradient_cosine},
    {.name = "accuracy",
     .summary = "token accuracy against length, iterations and the like",
     .measure = "accuracy", .only_with = FIELD_TASK,
     .x = {{FIELD_TEST_LENGTH, "length of the test [tokens]"}, {FIELD_L, "l: iterations"}, {FIELD_TRAIN_L, "l of the training"},
           {FIELD_R, "r"}, {FIELD_D, "d: width [channels]"}, {FIELD_TRAIN_LENGTH, "length of the training [tokens]"}}, .n_x = 6,
     .series = {FIELD_LAYER, FIELD_MIXER, FIELD_R, FIELD_TRAIN_L, FIELD_GRADIENT, FIELD_GRADIENT_STEPS, FIELD_IMPLEMENTATION,
                FIELD_L, FIELD_TOLERANCE}, .n_series = 9, .along = -1,
     .title = "token accuracy",
     .y_label = "token accuracy",
     .columns = "x\taccuracy\taccuracy_low\taccuracy_high\twhole_range\tchance",
     .x_columns = 1u << 0, .y_columns = 1u << 1 | 1u << 2 | 1u << 3, .letters_low = true, .share = true,
     .rows = rows_token_accuracy},
    {.name = "sequence-accuracy",
     .summary = "the same of whole sequences: every label right",
     .measure = "accuracy", .only_with = FIELD_TASK,
     .x = {{FIELD_TEST_LENGTH, "length of the test [tokens]"}, {FIELD_L, "l: iterations"}, {FIELD_TRAIN_L, "l of the training"},
           {FIELD_R, "r"}, {FIELD_D, "d: width [channels]"}, {FIELD_TRAIN_LENGTH, "length of the training [tokens]"}}, .n_x = 6,
     .series = {FIELD_LAYER, FIELD_MIXER, FIELD_R, FIELD_TRAIN_L, FIELD_GRADIENT, FIELD_GRADIENT_STEPS, FIELD_IMPLEMENTATION,
                FIELD_L, FIELD_TOLERANCE}, .n_series = 9, .along = -1,
     .title = "sequence accuracy",
     .y_label = "sequence accuracy",
     .columns = "x\taccuracy\taccuracy_low\taccuracy_high\twhole_range\tchance",
     .x_columns = 1u << 0, .y_columns = 1u << 1 | 1u << 2 | 1u << 3, .letters_low = true, .share = true,
     .rows = rows_sequence_accuracy},
    {.name = "iterations",
     .summary = "iterations until a sequence has converged, l*, against length and the like",
     .measure = "accuracy", .only_with = FIELD_TOLERANCE,
     .x = {{FIELD_TEST_LENGTH, "length of the test [tokens]"}, {FIELD_TRAIN_L, "l of the training"}, {FIELD_R, "r"},
           {FIELD_D, "d: width [channels]"}}, .n_x = 4,
     .series = {FIELD_LAYER, FIELD_MIXER, FIELD_R, FIELD_TRAIN_L, FIELD_GRADIENT, FIELD_GRADIENT_STEPS, FIELD_IMPLEMENTATION,
                FIELD_TOLERANCE}, .n_series = 8, .along = -1,
     .title = "iterations until a sequence has converged",
     .y_label = "l*: iterations",
     .columns = "x\titerations\titerations_low\titerations_high\twhole_range",
     .x_columns = 1u << 0, .y_columns = 1u << 1 | 1u << 2 | 1u << 3, .letters_low = true,
     .rows = rows_iterations},
    {.name = "loss",
     .summary = "loss of a training against its steps",
     .measure = "training", .only_with = FIELD_TASK,
     .series = {FIELD_LAYER, FIELD_MIXER, FIELD_R, FIELD_TRAIN_IMPL, FIELD_TRAIN_L, FIELD_GRADIENT, FIELD_GRADIENT_STEPS,
                FIELD_CURRICULUM}, .n_series = 8, .along = -1,
     .title = "loss against the steps of the training",
     .x_label = "step", .y_label = "cross-entropy [nats]",
     .columns = "step\tloss\tloss_low\tloss_high\tlength",
     .x_columns = 1u << 0, .y_columns = 1u << 1 | 1u << 2 | 1u << 3,
     .rows = rows_loss},
};
// clang-format on

int plot_kind_count(void)
{
    return (int)(sizeof kinds / sizeof kinds[0]);
}

const struct plot_kind *plot_kind_get(int kind)
{
    return &kinds[kind];
}

int plot_kind_find(const char *name)
{
    for (int k = 0; k < plot_kind_count(); k++)
        if (!strcmp(kinds[k].name, name))
            return k;
    return -1;
}

bool plot_kind_takes_x(int kind, int field)
{
    for (int i = 0; i < kinds[kind].n_x; i++)
        if (kinds[kind].x[i].field == field)
            return true;
    return false;
}
