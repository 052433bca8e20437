/* See table.h: table.csv. */
#include "bench/report/table.h"

#include "bench/base/files.h"
#include "bench/base/stream.h"

#include <stdlib.h>
#include <string.h>

/* What a column takes from its place in a record: the number or text there, the same of points that iterate alone, or a list of
 * numbers or of what has a code, separated by blanks. */
enum pick { PICK_VALUE, PICK_ITERATING, PICK_LIST };

struct column {
    const char *header, *path;
    enum pick pick;
};

// clang-format off
static const struct column columns[] = {
    {"rounds",                           "rounds",                      PICK_VALUE},
    {"samples",                          "samples",                     PICK_VALUE},
    {"first round started",              "started",                     PICK_VALUE},
    {"last round started",               "ended",                       PICK_VALUE},
    {"machine",                          "machine",                     PICK_VALUE},
    {"device",                           "device.name",                 PICK_VALUE},
    {"proof of the device's code",       "device.proof",                PICK_VALUE},
    {"key",                              "key",                         PICK_VALUE},
    {"result",                           "result",                      PICK_VALUE},
    {"message",                          "message",                     PICK_VALUE},
    {"place b",                          "place.b",                     PICK_VALUE},
    {"place t",                          "place.t",                     PICK_VALUE},
    {"warnings",                         "warnings",                    PICK_LIST},
    {"measured rho",                     "inputs.rho",                  PICK_VALUE},
    {"measured kappa",                   "inputs.kappa",                PICK_VALUE},
    {"measured norm of I-Q",             "inputs.norm",                 PICK_VALUE},
    {"max |h*|",                         "inputs.max_h",                PICK_VALUE},
    {"exact answer's equation residual", "inputs.equation_residual",    PICK_VALUE},
    {"convergence iterations run [1]",   "convergence.l_run",           PICK_ITERATING},
    {"final residual",                   "convergence.final.residual",  PICK_VALUE},
    {"final error l2",                   "convergence.final.error_l2",  PICK_VALUE},
    {"final error max",                  "convergence.final.error_max", PICK_VALUE},
    {"rate of convergence",              "convergence.rate",            PICK_VALUE},
    {"iterations to residual 1e-1",      "convergence.residual_to.1e-1", PICK_ITERATING},
    {"iterations to residual 1e-3",      "convergence.residual_to.1e-3", PICK_ITERATING},
    {"iterations to residual 1e-6",      "convergence.residual_to.1e-6", PICK_ITERATING},
    {"iterations to error 1e-1",         "convergence.error_to.1e-1",   PICK_ITERATING},
    {"iterations to error 1e-3",         "convergence.error_to.1e-3",   PICK_ITERATING},
    {"iterations to error 1e-6",         "convergence.error_to.1e-6",   PICK_ITERATING},
    {"applications to error 1e-1 [1/token]", "convergence.applications_to.1e-1", PICK_ITERATING},
    {"applications to error 1e-3 [1/token]", "convergence.applications_to.1e-3", PICK_ITERATING},
    {"applications to error 1e-6 [1/token]", "convergence.applications_to.1e-6", PICK_ITERATING},
    {"convergence applications [1/token]", "convergence.applications",  PICK_ITERATING},
    {"bounds hold",                      "convergence.bounds_hold",     PICK_VALUE},
    {"problems",                         "reach.problems",              PICK_VALUE},
    {"problems set aside",               "reach.set_aside",             PICK_VALUE},
    {"problems that diverged",           "reach.diverged",              PICK_VALUE},
    {"median applications to error 1e-3 [1/token]", "reach.to.1e-3.median", PICK_VALUE},
    {"q1 of applications to error 1e-3 [1/token]", "reach.to.1e-3.q1", PICK_VALUE},
    {"q3 of applications to error 1e-3 [1/token]", "reach.to.1e-3.q3", PICK_VALUE},
    {"problems that reached error 1e-3", "reach.to.1e-3.reached",  PICK_VALUE},
    {"share of problems at error 1e-3 within T/4 applications", "reach.to.1e-3.within", PICK_VALUE},
    {"median applications to error 1e-6 [1/token]", "reach.to.1e-6.median", PICK_VALUE},
    {"q1 of applications to error 1e-6 [1/token]", "reach.to.1e-6.q1", PICK_VALUE},
    {"q3 of applications to error 1e-6 [1/token]", "reach.to.1e-6.q3", PICK_VALUE},
    {"problems that reached error 1e-6", "reach.to.1e-6.reached",  PICK_VALUE},
    {"share of problems at error 1e-6 within T/4 applications", "reach.to.1e-6.within", PICK_VALUE},
    {"median floor of the error",        "reach.floor",                 PICK_VALUE},
    {"share of tokens tracked",          "reach.tracked",               PICK_VALUE},
    {"calls a sample",                   "throughput.calls",            PICK_VALUE},
    {"median over rounds [s]",           "throughput.median",           PICK_VALUE},
    {"median low 95% [s]",               "throughput.low",              PICK_VALUE},
    {"median high 95% [s]",              "throughput.high",             PICK_VALUE},
    {"q1 of rounds [s]",                 "throughput.q1",               PICK_VALUE},
    {"q3 of rounds [s]",                 "throughput.q3",               PICK_VALUE},
    {"fastest round [s]",                "throughput.least",            PICK_VALUE},
    {"slowest round [s]",                "throughput.most",             PICK_VALUE},
    {"variation between rounds",         "throughput.between",          PICK_VALUE},
    {"variation within a round",         "throughput.within",           PICK_VALUE},
    {"outlying rounds",                  "throughput.outliers",         PICK_LIST},
    {"tokens/s [1/s]",                   "throughput.tokens_per_s",     PICK_VALUE},
    {"traffic a call [B]",               "throughput.bytes",            PICK_VALUE},
    {"operations a call [FLOP]",         "throughput.operations",       PICK_VALUE},
    {"bandwidth [GB/s]",                 "throughput.GB_per_s",         PICK_VALUE},
    {"arithmetic [GFLOP/s]",             "throughput.GFLOP_per_s",      PICK_VALUE},
    {"error against iterate",            "throughput.error_iterate",    PICK_VALUE},
    {"error against exact",              "throughput.error_exact",      PICK_VALUE},
    {"residual",                         "throughput.residual",         PICK_VALUE},
    {"allowed error",                    "throughput.tolerance",        PICK_VALUE},
    {"applications [1/token]",           "throughput.applications",     PICK_ITERATING},
    {"iterations run [1]",               "throughput.l_run",            PICK_ITERATING},
    {"upload to the device [s]",         "throughput.transfers.upload_s", PICK_VALUE},
    {"download from the device [s]",     "throughput.transfers.download_s", PICK_VALUE},
    {"share of the bound",               "throughput.bound.share",      PICK_VALUE},
    {"bound by",                         "throughput.bound.binds",      PICK_VALUE},
    {"working set [B]",                  "throughput.set",              PICK_VALUE},
    {"cosine of the gradient of v",     "gradient.v.cosine",          PICK_VALUE},
    {"distance of the gradient of v",   "gradient.v.distance",        PICK_VALUE},
    {"cosine of the gradient of lambda", "gradient.lambda.cosine",     PICK_VALUE},
    {"distance of the gradient of lambda", "gradient.lambda.distance",   PICK_VALUE},
    {"cosine of the gradient of theta", "gradient.theta.cosine",      PICK_VALUE},
    {"distance of the gradient of theta", "gradient.theta.distance",    PICK_VALUE},
    {"cosine of the gradient of W",     "gradient.W.cosine",          PICK_VALUE},
    {"distance of the gradient of W",   "gradient.W.distance",        PICK_VALUE},
    {"cosine of the gradient of h0",    "gradient.h0.cosine",         PICK_VALUE},
    {"distance of the gradient of h0",  "gradient.h0.distance",       PICK_VALUE},
    {"cosine of the gradient of all inputs", "gradient.all.cosine",        PICK_VALUE},
    {"1 - cosine of the gradient of all inputs", "gradient.all.lack",     PICK_VALUE},
    {"distance of the gradient of all inputs", "gradient.all.distance",      PICK_VALUE},
    {"training steps",                               "training.steps",               PICK_VALUE},
    {"training length reached",                      "training.length",              PICK_VALUE},
    {"training loss [nats]",                         "training.loss",                PICK_VALUE},
    {"training token accuracy",                      "training.accuracy",            PICK_VALUE},
    {"checked token accuracy",                       "training.checked",             PICK_VALUE},
    {"time of a step [ms]",                          "training.ms_a_step",           PICK_VALUE},
    {"training time [s]",                            "training.seconds.all",         PICK_VALUE},
    {"training data [s]",                            "training.seconds.data",        PICK_VALUE},
    {"training iterations [s]",                      "training.seconds.iterations",  PICK_VALUE},
    {"training forward beside iterations [s]",       "training.seconds.forward",     PICK_VALUE},
    {"training backward [s]",                        "training.seconds.backward",    PICK_VALUE},
    {"training optimiser [s]",                       "training.seconds.optimiser",   PICK_VALUE},
    {"training checks [s]",                          "training.seconds.checks",      PICK_VALUE},
    {"training checkpoints [s]",                     "training.seconds.checkpoints", PICK_VALUE},
    {"trained parameters",                           "training.parameters",          PICK_VALUE},
    {"training folder",                              "training.folder",              PICK_VALUE},
    {"token accuracy",                               "accuracy.token.share",         PICK_VALUE},
    {"token accuracy low 95%",                       "accuracy.token.low",           PICK_VALUE},
    {"token accuracy high 95%",                      "accuracy.token.high",          PICK_VALUE},
    {"scaled token accuracy",                        "accuracy.token.scaled",        PICK_VALUE},
    {"scaled token accuracy low 95%",                "accuracy.token.scaled_low",    PICK_VALUE},
    {"scaled token accuracy high 95%",               "accuracy.token.scaled_high",   PICK_VALUE},
    {"tokens right",                                 "accuracy.token.right",         PICK_VALUE},
    {"tokens asked",                                 "accuracy.token.of",            PICK_VALUE},
    {"sequence accuracy",                            "accuracy.sequence.share",      PICK_VALUE},
    {"sequence accuracy low 95%",                    "accuracy.sequence.low",        PICK_VALUE},
    {"sequence accuracy high 95%",                   "accuracy.sequence.high",       PICK_VALUE},
    {"sequences right",                              "accuracy.sequence.right",      PICK_VALUE},
    {"sequences asked",                              "accuracy.sequence.of",         PICK_VALUE},
    {"test loss [nats]",                             "accuracy.loss",                PICK_VALUE},
    {"longest length with token accuracy above 0.9", "accuracy.longest_token",       PICK_VALUE},
    {"longest length with sequence accuracy above 0.9","accuracy.longest_sequence",    PICK_VALUE},
    {"median l* [1]",                                "accuracy.l_star.median",       PICK_VALUE},
    {"q1 of l* [1]",                                 "accuracy.l_star.q1",           PICK_VALUE},
    {"q3 of l* [1]",                                 "accuracy.l_star.q3",           PICK_VALUE},
    {"sequences that never converged",               "accuracy.l_star.never",        PICK_VALUE},
    {"difference from against, max (median)",        "accuracy.difference.max.median", PICK_VALUE},
    {"difference from against, max (q1)",            "accuracy.difference.max.q1",   PICK_VALUE},
    {"difference from against, max (q3)",            "accuracy.difference.max.q3",   PICK_VALUE},
    {"difference from against, l2 (median)",         "accuracy.difference.l2.median", PICK_VALUE},
    {"test applications [1/token]",                  "accuracy.applications",        PICK_VALUE},
    {"parameters",                                   "accuracy.parameters",          PICK_VALUE},
    {"steps trained",                                "accuracy.steps",               PICK_VALUE},
    {"training result",                              "accuracy.training",            PICK_VALUE},
    {"load by others [processors]",      "load.others",                 PICK_VALUE},
    {"stolen by the host [processors]",  "load.steal",                  PICK_VALUE},
    {"forced waits [1/s]",               "load.switches",               PICK_VALUE},
    {"time of a round's process [s]",    "process.wall_s",              PICK_VALUE},
    {"start [s]",                        "process.start_s",             PICK_VALUE},
    {"setup [s]",                        "process.setup_s",             PICK_VALUE},
    {"validation [s]",                   "process.validation_s",        PICK_VALUE},
    {"timing [s]",                       "process.timing_s",            PICK_VALUE},
    {"end [s]",                          "process.end_s",               PICK_VALUE},
    {"harness [s]",                      "process.harness_s",           PICK_VALUE},
    {"peak memory [B]",                  "throughput.peak_bytes",       PICK_VALUE},
    {"peak memory of the process [B]",   "process.peak_bytes",          PICK_VALUE},
    {"signal",                           "process.signal",              PICK_VALUE},
    {"exit status",                      "process.exit",                PICK_VALUE},
};
// clang-format on

enum { N_COLUMNS = sizeof columns / sizeof columns[0] };

const char *table_path(const char *header)
{
    for (int c = 0; c < N_COLUMNS; c++)
        if (strcmp(columns[c].header, header) == 0)
            return columns[c].path;
    return NULL;
}

static void put_text(FILE *out, const char *text)
{
    if (!strpbrk(text, "\",\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void put_json(FILE *out, const json_t *value)
{
    if (json_is_string(value))
        put_text(out, json_string_value(value));
    else if (json_is_integer(value))
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        fprintf(out, "%.9g", json_real_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "true" : "false", out);
}

static void put_list(FILE *out, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i), *code = json_object_get(entry, "code");
        fputs(i ? " " : "", out);
        put_json(out, code ? code : entry);
    }
}

static void put_column(FILE *out, const struct column *column, const struct record *record)
{
    const json_t *value = record_at(record, column->path);
    bool iterates = record->point.value[FIELD_L].kind != VALUE_NONE;
    if (column->pick == PICK_VALUE || (column->pick == PICK_ITERATING && iterates))
        put_json(out, value);
    else if (column->pick == PICK_LIST)
        put_list(out, value);
}

static void put_header(FILE *out)
{
    for (int f = 0; f < FIELD_COUNT; f++) {
        fprintf(out, "%s%s", f ? "," : "", fields[f].name);
        if (fields[f].unit[0])
            fprintf(out, " [%s]", fields[f].unit);
    }
    for (int c = 0; c < N_COLUMNS; c++) {
        fputc(',', out);
        put_text(out, columns[c].header);
    }
    fputc('\n', out);
}

static void put_record(FILE *out, const struct record *record)
{
    for (int f = 0; f < FIELD_COUNT; f++) {
        char text[VALUE_TEXT_MAX];
        const struct value *value = &record->point.value[f];
        if (f)
            fputc(',', out);
        if (value->kind == VALUE_NONE)
            continue;
        field_print(f, value, sizeof text, text);
        put_text(out, text);
    }
    for (int c = 0; c < N_COLUMNS; c++) {
        fputc(',', out);
        put_column(out, &columns[c], record);
    }
    fputc('\n', out);
}

bool table_write(const struct records *records, const char *csv_path, struct error *error)
{
    struct stream out;
    if (!stream_open(&out))
        return fail(error, "out of memory for %.900s", csv_path);
    put_header(out.file);
    for (size_t i = 0; i < records->n; i++)
        put_record(out.file, &records->record[i]);
    if (!stream_close(&out))
        return fail(error, "out of memory for %.900s", csv_path);
    bool done = files_write(csv_path, out.text, out.length, error);
    free(out.text);
    return done;
}
