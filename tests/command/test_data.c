/* The command data, through the program: what it prints is what task_fill() draws; flags that make no sense are refused by name; and
 * a full disk, or a reader that goes away. */
#include "bench/base/process.h"
#include "tasks/task.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"

#include <unistd.h>

Suite *suite_data(void);

static char program[PATH_MAX];

static void setup(void)
{
    program_find("bench", program);
}

enum { WORDS_MAX = 12 };

/* Runs the program with words after it, or a shell's words that get the program as $0; *process is the caller's to free. */
static void call(const char *const *words, struct process_result *process)
{
    const char *argv[WORDS_MAX + 2] = {program};
    struct error error;
    for (int i = 0; i < WORDS_MAX && words[i] != NULL; i++)
        argv[i + 1] = words[i];
    const struct process_request request = {.argv = argv, .time_limit = HANG};
    ck_assert_msg(process_run(&request, process, &error), "%s", error.text);
    ck_assert_msg(!process->timed_out && process->signal == 0, "%s %s", process->output, process->errors);
}

static void shell(const char *script, struct process_result *process)
{
    const char *const argv[] = {"sh", "-c", script, program, NULL};
    const struct process_request request = {.argv = argv, .time_limit = HANG};
    struct error error;
    ck_assert_msg(process_run(&request, process, &error), "%s", error.text);
}

/* The next line that is expected, printed in the plainest way. */
static void print_expected(const struct task *task, int64_t seed, int64_t i, int64_t length, const char *between, FILE *out)
{
    int32_t number[2][64];
    int64_t T = task_width(task, length, false);
    task_fill(task, (uint64_t)seed, (uint64_t)i, length, false, number[0], number[1]);
    for (int k = 0; k < 2; k++)
        for (int64_t t = 0; t < T; t++) {
            const char *before = t > 0 ? " " : k > 0 ? between : "";
            if (number[k][t] == TASK_UNSCORED)
                fprintf(out, "%s.", before);
            else
                fprintf(out, "%s%d", before, number[k][t]);
        }
    fputc('\n', out);
}

static void expect_lines(const char *const *words, const char *text, int64_t length, int64_t samples, int64_t seed, bool csv)
{
    struct process_result process;
    struct task *task;
    char reason[512], *expected = NULL;
    size_t size;
    FILE *out = open_memstream(&expected, &size);
    ck_assert(out != NULL && task_open(text, &task, sizeof reason, reason));
    if (csv)
        fputs("seed,input,target\n", out);
    for (int64_t i = 0; i < samples; i++) {
        if (csv)
            fprintf(out, "%lld,", (long long)seed);
        print_expected(task, seed, i, length, csv ? "," : "\t", out);
    }
    ck_assert_int_eq(fclose(out), 0);
    call(words, &process);
    ck_assert_int_eq(process.exit_status, 0);
    ck_assert_str_eq(process.output, expected);
    ck_assert_str_eq(process.errors, "");
    process_result_free(&process);
    task_close(task);
    free(expected);
}

START_TEST(examples_are_printed)
{
    expect_lines((const char *const[]){"data", "A5", "--length", "5", "--samples", "7", "--seed", "3", "--format", "csv", NULL},
                 "A5", 5, 7, 3, true);
    expect_lines(
        (const char *const[]){"data", "--format", "tokens", "--samples", "7", "Z5040", "--seed", "9223372036854775807", NULL},
        "Z5040", 16, 7, INT64_MAX, false);
    expect_lines((const char *const[]){"data", "modular", NULL}, "modular", 16, 1000, 1, false);
    expect_lines((const char *const[]){"data", "copying", "--length", "1", "--samples", "3", NULL}, "copying", 1, 3, 1, false);
    expect_lines((const char *const[]){"data", "parity labels=all", "--format", "csv", "--samples", "1", NULL}, "parity labels=all",
                 16, 1, 1, true);
}
END_TEST

START_TEST(nonsense_is_refused)
{
    static const struct {
        const char *words[WORDS_MAX];
        const char *said;
    } rows[] = {
        {{"data"}, "data: expected a task, such as A5"},
        {{"data", "B5"}, "unknown task \"B5\"; expected a group such as A5"},
        {{"data", "A5", "parity"}, "parity: a second argument; expected one"},
        {{"data", "A5", "--length"}, "--length: expected a number after it"},
        {{"data", "A5", "--length", "0"}, "--length is \"0\"; expected a whole number from 1 to 1048576"},
        {{"data", "A5", "--length", "1048577"}, "--length is \"1048577\"; expected a whole number from 1 to 1048576"},
        {{"data", "A5", "--length", "-3"}, "--length is \"-3\""},
        {{"data", "modular", "--length", "20000"}, "expected a whole number from 1 to 16384"},
        {{"data", "A5", "--samples", "many"}, "--samples is \"many\"; expected a whole number from 1 to 1000000000000"},
        {{"data", "A5", "--seed", "-1"}, "--seed is \"-1\"; expected a whole number from 0 to 9223372036854775807"},
        {{"data", "A5", "--seed", "1e3"}, "--seed is \"1e3\""},
        {{"data", "A5", "--format", "json"}, "--format is \"json\"; expected tokens or csv"},
        {{"data", "A5 bos=yes", "--format", "csv"}, "A5 bos=yes has unscored positions; expected --format tokens"},
        {{"data", "parity", "--format", "csv"}, "--format csv needs a target at every position"},
        {{"data", "A5", "--lenght", "5"}, "--lenght: no such option"},
        {{"chek", "no.yaml"}, "chek: no such command; expected one, or a sweep file alone"},
        {{"list", "A5"}, "A5: expected nothing after list"},
        {{"list", "--seed", "1"}, "--seed: only for the command data"},
        {{"no.yaml", "--length", "4"}, "--length: only for the command data"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct process_result process;
        call(rows[i].words, &process);
        ck_assert_msg(process.exit_status == 2 && strstr(process.errors, rows[i].said) != NULL, "case %zu: status %d, %s", i,
                      process.exit_status, process.errors);
        ck_assert_str_eq(process.output, "");
        process_result_free(&process);
    }
}
END_TEST

/* A disk that is full is an error; a reader who has seen enough is none, and ends a command that would go on for hours. */
START_TEST(readers_and_disks)
{
    struct process_result process;
    shell("\"$0\" data A5 >/dev/full", &process);
    ck_assert_int_eq(process.exit_status, 2);
    ck_assert_msg(strstr(process.errors, "standard output: cannot be written: No space left on device") != NULL, "%s",
                  process.errors);
    process_result_free(&process);
    shell("{ \"$0\" data A5 --samples 1000000000000 --format csv; echo \"status $?\" >&2; } | head -n 1", &process);
    ck_assert_str_eq(process.output, "seed,input,target\n");
    ck_assert_str_eq(process.errors, "status 0\n");
    process_result_free(&process);
}
END_TEST

START_TEST(families_are_listed)
{
    struct process_result process;
    call((const char *const[]){"list", NULL}, &process);
    ck_assert_int_eq(process.exit_status, 0);
    for (int i = 0; task_family(i) != NULL; i++)
        ck_assert_msg(strstr(process.output, task_family_summary(i)) != NULL, "%s", process.output);
    ck_assert_msg(strstr(process.output, "options: labels=end|all\n") != NULL, "%s", process.output);
    process_result_free(&process);
}
END_TEST

Suite *suite_data(void)
{
    Suite *suite = suite_create("data");
    TCase *tests = tcase_create("data");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, examples_are_printed);
    tcase_add_test(tests, nonsense_is_refused);
    tcase_add_test(tests, readers_and_disks);
    tcase_add_test(tests, families_are_listed);
    suite_add_tcase(suite, tests);
    return suite;
}
