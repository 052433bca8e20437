/* See data.h. */
#include "bench/command/data.h"

#include "bench/base/number.h"
#include "bench/base/text.h"
#include "tasks/task.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_DEFAULT = 16, SAMPLES_DEFAULT = 1000, SEED_DEFAULT = 1 };
static const int64_t samples_most = 1000000000000;

enum format { FORMAT_TOKENS, FORMAT_CSV, FORMAT_COUNT };
static const char *const format_names[FORMAT_COUNT] = {"tokens", "csv"};

/* ---- What is asked for ---------------------------------------------------------------------------------------------------------- */

static bool read_number(const char *flag, const char *text, int64_t least, int64_t most, int64_t *number, struct error *error)
{
    char quoted[QUOTED_SIZE];
    if (text == NULL || (number_read_integer(text, number) && *number >= least && *number <= most))
        return true;
    return fail(error, "%s is %s; expected a whole number from %" PRId64 " to %" PRId64, flag, text_quote(text, quoted), least,
                most);
}

static bool read_format(const char *text, const struct task_facts *facts, enum format *format, struct error *error)
{
    char quoted[QUOTED_SIZE], list[64];
    for (*format = FORMAT_TOKENS; text != NULL && *format < FORMAT_COUNT && strcmp(text, format_names[*format]) != 0;)
        (*format)++;
    if (*format == FORMAT_COUNT) {
        text_list(format_names, FORMAT_COUNT, sizeof list, list);
        return fail(error, "--format is %s; expected %s", text_quote(text, quoted), list);
    }
    if (*format == FORMAT_CSV && !facts->labelled)
        return fail(error, "--format csv needs a target at every position; %s has unscored positions; expected --format tokens",
                    facts->name);
    return true;
}

/* ---- Lines ---------------------------------------------------------------------------------------------------------------------- */

/* Numbers separated by blanks; '.' for those that are not asked for. */
static void put_numbers(FILE *out, const int32_t *number, int64_t T)
{
    for (int64_t t = 0; t < T; t++) {
        char digits[12], *first = digits + sizeof digits;
        uint32_t rest = (uint32_t)number[t];
        if (t > 0)
            putc(' ', out);
        if (number[t] == TASK_UNSCORED) {
            putc('.', out);
            continue;
        }
        do
            *--first = (char)('0' + rest % 10);
        while ((rest /= 10) > 0);
        fwrite(first, 1, (size_t)(digits + sizeof digits - first), out);
    }
}

static bool put_examples(FILE *out, const struct task *task, int64_t length, int64_t samples, int64_t seed, enum format format,
                         struct error *error)
{
    int64_t T = task_width(task, length, false);
    int32_t *token = calloc((size_t)T, 2 * sizeof *token);
    if (token == NULL)
        return fail_memory(error);
    int32_t *target = token + T;
    if (format == FORMAT_CSV)
        fputs("seed,input,target\n", out);
    for (int64_t i = 0; i < samples && !ferror(out); i++) {
        task_fill(task, (uint64_t)seed, (uint64_t)i, length, false, token, target);
        if (format == FORMAT_CSV)
            fprintf(out, "%" PRId64 ",", seed);
        put_numbers(out, token, T);
        putc(format == FORMAT_CSV ? ',' : '\t', out);
        put_numbers(out, target, T);
        putc('\n', out);
    }
    free(token);
    return true;
}

bool data_print(FILE *out, const struct data_request *request, struct error *error)
{
    struct task *task;
    char reason[512];
    if (!task_open(request->task, &task, sizeof reason, reason))
        return fail(error, "%s", reason);
    const struct task_facts *facts = task_facts(task);
    int64_t length = LENGTH_DEFAULT, samples = SAMPLES_DEFAULT, seed = SEED_DEFAULT;
    enum format format;
    bool good = read_number("--length", request->length, facts->shortest, facts->longest, &length, error) &&
                read_number("--samples", request->samples, 1, samples_most, &samples, error) &&
                read_number("--seed", request->seed, 0, INT64_MAX, &seed, error) &&
                read_format(request->format, facts, &format, error) &&
                put_examples(out, task, length, samples, seed, format, error);
    task_close(task);
    return good;
}
