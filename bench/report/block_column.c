/* See block_column.h. */
#include "bench/report/block_column.h"

#include "bench/base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROUNDS "throughput.low", "throughput.high", "95 % interval of the median over rounds", false
#define PROBLEMS(to) "reach.to." to ".q1", "reach.to." to ".q3", "quartiles of the problems", true
#define NONE NULL, NULL, NULL, false
#define NEVER NULL, NULL, NULL, true

// clang-format off
static const struct block_column columns[] = {
    {"rounds",                           "rounds",                       "", NONE},
    {"samples",                          "samples",                      "", NONE},
    {"result",                           "result",                       "", NONE},
    {"message",                          "message",                      "", NONE},
    {"warnings",                         "warnings",                     "", NONE},
    {"max_h",                            "inputs.max_h",                 "", NONE},
    {"measured_rho",                     "inputs.rho",                   "", NONE},
    {"measured_kappa",                   "inputs.kappa",                 "", NONE},
    {"measured_norm",                    "inputs.norm",                  "", NONE},
    {"measured_norm_inf",                "inputs.norm_inf",              "", NONE},
    {"bounds_hold",                      "convergence.bounds_hold",      "", NONE},
    {"convergence_rate",                 "convergence.rate",             "", NONE},
    {"convergence_l_run",                "convergence.l_run",            "iterations", NONE},
    {"iterations_to_error_1e_1",         "convergence.error_to.1e-1",    "iterations", NEVER},
    {"iterations_to_error_1e_3",         "convergence.error_to.1e-3",    "iterations", NEVER},
    {"iterations_to_error_1e_6",         "convergence.error_to.1e-6",    "iterations", NEVER},
    {"final_error_max",                  "convergence.final.error_max",  "", NONE},
    {"problems",                         "reach.problems",               "", NONE},
    {"problems_set_aside",               "reach.set_aside",              "", NONE},
    {"problems_sensitive",               "reach.sensitive",              "", NONE},
    {"problems_diverged",                "reach.diverged",               "", NONE},
    {"applications_to_error_1e_1_median", "reach.to.1e-1.median",        "1/token", PROBLEMS("1e-1")},
    {"applications_to_error_1e_3_median", "reach.to.1e-3.median",        "1/token", PROBLEMS("1e-3")},
    {"applications_to_error_1e_6_median", "reach.to.1e-6.median",        "1/token", PROBLEMS("1e-6")},
    {"problems_at_error_1e_1",           "reach.to.1e-1.reached",        "", NONE},
    {"problems_at_error_1e_3",           "reach.to.1e-3.reached",        "", NONE},
    {"problems_at_error_1e_6",           "reach.to.1e-6.reached",        "", NONE},
    {"error_floor_median",               "reach.floor",                  "", NONE},
    {"tracked",                          "reach.tracked",                "", NONE},
    {"seconds_per_call_median",          "throughput.median",            "s", ROUNDS},
    {"seconds_per_call_fastest_round",   "throughput.least",             "s", NONE},
    {"seconds_per_call_slowest_round",   "throughput.most",              "s", NONE},
    {"tokens_per_s",                     "throughput.tokens_per_s",      "tokens/s", NONE},
    {"GB_per_s",                         "throughput.GB_per_s",          "GB/s", NONE},
    {"GFLOP_per_s",                      "throughput.GFLOP_per_s",       "GFLOP/s", NONE},
    {"bound_share",                      "throughput.bound.share",       "", NONE},
    {"bound_by",                         "throughput.bound.binds",       "", NONE},
    {"working_set_bytes",                "throughput.set",               "B", NONE},
    {"error_iterate",                    "throughput.error_iterate",     "", NONE},
    {"error_exact",                      "throughput.error_exact",       "", NONE},
    {"error_allowed",                    "throughput.tolerance",         "", NONE},
    {"applications",                     "throughput.applications",      "1/token", NONE},
    {"l_run",                            "throughput.l_run",             "iterations", NONE},
    {"gradient_all_cosine",              "gradient.all.cosine",          "", NONE},
    {"gradient_all_one_minus_cosine",    "gradient.all.lack",            "", NONE},
    {"gradient_all_distance",            "gradient.all.distance",        "", NONE},
    {"training_steps",                   "training.steps",               "", NONE},
    {"training_length",                  "training.length",              "tokens", NONE},
    {"training_loss",                    "training.loss",                "nats", NONE},
    {"training_token_accuracy",          "training.accuracy",            "", NONE},
    {"checked_token_accuracy",           "training.checked",             "", NONE},
    {"ms_per_step",                      "training.ms_a_step",           "ms", NONE},
    {"training_processes",               "training.sittings",            "", NONE},
    {"training_seconds",                 "training.seconds.all",         "s", NONE},
    {"training_seconds_iterations",      "training.seconds.iterations",  "s", NONE},
    {"training_seconds_forward",         "training.seconds.forward",     "s", NONE},
    {"training_seconds_backward",        "training.seconds.backward",    "s", NONE},
    {"training_parameters",              "training.parameters",          "", NONE},
    {"token_accuracy",                   "accuracy.token.share",         "", "accuracy.token.low", "accuracy.token.high",
     "95 % interval over positions, as if independent", false},
    {"token_accuracy_scaled",            "accuracy.token.scaled",        "", "accuracy.token.scaled_low", "accuracy.token.scaled_high",
     "95 % interval over positions, as if independent", false},
    {"sequence_accuracy",                "accuracy.sequence.share",      "", "accuracy.sequence.low", "accuracy.sequence.high",
     "95 % interval over examples", false},
    {"chance_accuracy",                  "accuracy.chance",              "", NONE},
    {"test_loss",                        "accuracy.loss",                "nats", NONE},
    {"sequences_scored",                 "accuracy.sequence.of",         "", NONE},
    {"longest_length_by_token_accuracy", "accuracy.longest_token",       "tokens", NONE},
    {"longest_length_by_sequence_accuracy", "accuracy.longest_sequence", "tokens", NONE},
    {"l_star_median",                    "accuracy.l_star.median",       "iterations", "accuracy.l_star.q1", "accuracy.l_star.q3",
     "quartiles of the sequences", true},
    {"l_star_never",                     "accuracy.l_star.never",        "", NONE},
    {"l_star_of",                        "accuracy.l_star.of",           "", NONE},
    {"difference_max_median",            "accuracy.difference.max.median", "", "accuracy.difference.max.q1",
     "accuracy.difference.max.q3", "quartiles of the sequences", false},
    {"trained_steps",                    "accuracy.steps",               "", NONE},
    {"training_result",                  "accuracy.training",            "", NONE},
    {"load_others",                      "load.others",                  "processors", NONE},
};
// clang-format on

enum { N_COLUMNS = sizeof columns / sizeof columns[0] };

const struct block_column *block_column_find(const char *name)
{
    for (int i = 0; i < N_COLUMNS; i++)
        if (strcmp(columns[i].name, name) == 0)
            return &columns[i];
    return NULL;
}

const char *block_column_nearest(const char *name)
{
    const char *names[N_COLUMNS];
    for (int i = 0; i < N_COLUMNS; i++)
        names[i] = columns[i].name;
    return text_nearest(name, names, N_COLUMNS);
}

double block_column_number(const struct block_column *column, const struct record *record)
{
    char part[64];
    double number = record_number(record, column->path);
    const char *last = strrchr(column->path, '.');
    if (!isnan(number) || !column->never || last == NULL)
        return number;
    snprintf(part, sizeof part, "%.*s", (int)(last - column->path), column->path);
    return record->point.value[FIELD_L].kind != VALUE_NONE && json_is_object(record_at(record, part)) ? INFINITY : NAN;
}
