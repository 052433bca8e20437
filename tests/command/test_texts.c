/* Texts of others, through the program: a journal and a machine.json whose texts are hostile, all of them and one at a time, are drawn and
 * gone on with; a sweep file with a hostile name is refused. Nothing of it reaches the terminal, the tables, the pages or the pictures but
 * as what can be seen, and no cell of the table is a formula. */
#include "bench/base/process.h"
#include "bench/journal/journal.h"
#include "bench/journal/record.h"
#include "bench/machine/machine_file.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"

#include <dirent.h>
#include <jansson.h>
#include <unistd.h>

Suite *suite_texts(void);

static const char sweep_text[] =
    "name: tiny\nmeasure: throughput\nimpls: [diagonal_scan, structured_sequential]\nproblem: {T: 4, d: 2, mixer: none}\n"
    "paper:\n  - {figure: a, says: b, here: seconds_per_call_median, where: {T: 4}, differs: c}\n"
    "run: {rounds: 1, samples: 1, threads: 1, time_limit: 1 h, calibration: none}\n";

/* What a terminal, an eye, a spreadsheet, a page and gnuplot would fall for, in one. */
static const char *const hostile[] = {
    "=1+1|cmd\x1b]0;owned\x07\x1b[2J\xc2\x9b"
    "5m\xe2\x80\xae`system('x')`\"@x,<script>\n\r\t\x7f end",
    "@SUM(1)",
    "-2+3+cmd|' /C calc'!A0",
    "\t=1",
};
enum { HOSTILE = sizeof hostile / sizeof hostile[0] };

static char program[PATH_MAX], sweep[PATH_MAX], results[PATH_MAX], run[PATH_MAX];

static void setup(void)
{
    program_find("bench", program);
    scratch_make();
    snprintf(sweep, sizeof sweep, "%s", scratch_path("tiny.yaml"));
    snprintf(results, sizeof results, "%s", scratch_path("results"));
    snprintf(run, sizeof run, "%s", scratch_path("results/tiny/run-1"));
    scratch_write(sweep, sweep_text, strlen(sweep_text));
}

static struct process_result call(const char *const *argv)
{
    struct process_result process;
    struct error error;
    ck_assert_msg(process_run(&(const struct process_request){.argv = argv, .time_limit = HANG}, &process, &error), "%s",
                  error.text);
    ck_assert_msg(!process.timed_out && process.signal == 0 && process.exit_status <= 2, "%d %s", process.signal, process.errors);
    return process;
}

/* ---- What may be seen --------------------------------------------------------------------------------------------------------- */

static void expect_harmless(const char *where, const char *text, const char *allowed)
{
    static const char *const never[] = {"\xc2\x9b", "\xe2\x80\xae", "<script>"};
    for (const char *c = text; *c != '\0'; c++)
        ck_assert_msg(!((unsigned char)*c < ' ' || *c == 0x7f) || strchr(allowed, *c) != NULL, "%s: the byte %02x: %.60s", where,
                      (unsigned)*c, c > text + 20 ? c - 20 : text);
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        bool markup = never[i][0] == '<' && strstr(where, ".md") == NULL && strstr(where, ".svg") == NULL; /* it is none there */
        ck_assert_msg(markup || strstr(text, never[i]) == NULL, "%s: %s", where, never[i]);
    }
}

/* Cells begin where a line does, or after a comma, outside of quotes. */
static void expect_no_formula(const char *text)
{
    bool quoted = false, begins = true;
    for (const char *c = text; *c != '\0'; c++) {
        const char *cell = *c == '"' ? c + 1 : c;
        if (begins && !quoted && strchr("=+-@\t\r", *cell) != NULL && *cell != '\0') {
            char *end;
            strtod(cell, &end);
            ck_assert_msg(*cell == '-' && end > cell && strchr(",\n", *end) != NULL, "a formula: %.40s", cell);
        }
        quoted ^= *c == '"';
        begins = *c == ',' || *c == '\n';
    }
}

static void look_at_folder(const char *folder)
{
    DIR *listing = opendir(folder);
    ck_assert_ptr_nonnull(listing);
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        static const char *const shown[] = {".txt", ".csv", ".md", ".svg", ".dat"};
        const char *dot = strrchr(entry->d_name, '.');
        char path[2 * PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        for (size_t i = 0; i < sizeof shown / sizeof shown[0] && dot != NULL; i++) {
            if (strcmp(dot, shown[i]) != 0)
                continue;
            char *text = scratch_read(path);
            expect_harmless(entry->d_name, text, i < 3 ? "\n" : "\n\t");
            if (i == 1)
                expect_no_formula(text);
            free(text);
        }
    }
    closedir(listing);
}

static void expect_harmless_run(void)
{
    const char *const draw[] = {program, "draw", run, NULL}, *const again[] = {program, sweep, "--results", results, NULL};
    const char *const *const commands[] = {draw, again};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        struct process_result process = call(commands[i]);
        char plots[PATH_MAX + 16];
        expect_harmless("stdout", process.output, "\n");
        expect_harmless("stderr", process.errors, "\n");
        process_result_free(&process);
        look_at_folder(run);
        snprintf(plots, sizeof plots, "%s/plots", run);
        look_at_folder(plots);
    }
}

/* ---- What is made hostile ------------------------------------------------------------------------------------------------------ */

/* Puts a text in place of the n-th one of a tree (n < 0: of each). What says which point and round it is stays, or the record would not
 * count. Returns how many there are. */
static int poison(json_t *json, const char *name, int n, const char *text)
{
    static const char *const kept[] = {"key", "point", "result", "build", "harness"};
    const char *key;
    json_t *value;
    size_t index;
    int seen = 0;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0] && name != NULL; i++)
        if (strcmp(name, kept[i]) == 0)
            return 0;
    if (json_is_string(json)) {
        if (n <= 0)
            ck_assert_int_eq(json_string_set(json, text), 0);
        return 1;
    }
    json_object_foreach(json, key, value) seen += poison(value, key, n < 0 ? n : n - seen >= 0 ? n - seen : INT_MAX, text);
    json_array_foreach(json, index, value) seen += poison(value, NULL, n < 0 ? n : n - seen >= 0 ? n - seen : INT_MAX, text);
    return seen;
}

static bool take(json_t *record, void *list)
{
    return json_array_append(list, record) == 0;
}

/* Writes the journal and machine.json anew, poisoned; returns how many texts there are in both. */
static int write_poisoned(const json_t *records, const json_t *facts, int n, const char *text)
{
    char path[PATH_MAX + 32];
    struct journal *journal;
    struct error error;
    json_t *poisoned = json_deep_copy(records), *about = json_deep_copy(facts);
    int seen = poison(poisoned, NULL, n, text);
    seen += poison(about, NULL, n < 0 ? n : n - seen >= 0 ? n - seen : INT_MAX, text);
    snprintf(path, sizeof path, "%s/journal.jsonl", run);
    unlink(path);
    ck_assert_msg(journal_open(path, &journal, &error), "%s", error.text);
    for (size_t i = 0; i < json_array_size(poisoned); i++)
        ck_assert_msg(journal_append(journal, json_array_get(poisoned, i), &error), "%s", error.text);
    journal_close(journal);
    ck_assert_msg(machine_file_write(run, about, &error), "%s", error.text);
    json_decref(poisoned);
    json_decref(about);
    return seen;
}

START_TEST(of_others)
{
    char path[PATH_MAX + 32];
    struct unread unread;
    struct error error;
    json_t *records = json_array();
    const char *const first[] = {program, sweep, "--results", results, NULL};
    struct process_result process = call(first);
    ck_assert_msg(process.exit_status == 0, "%s", process.errors);
    process_result_free(&process);
    snprintf(path, sizeof path, "%s/journal.jsonl", run);
    ck_assert_msg(journal_read(path, take, records, &unread, &error), "%s", error.text);
    snprintf(path, sizeof path, "%s/machine.json", run);
    json_t *facts = json_load_file(path, 0, NULL);
    ck_assert_ptr_nonnull(facts);
    ck_assert_int_eq(json_object_del(facts, "checksum"), 0); /* of other bytes; writing makes the new one */
    for (size_t i = 0; i < json_array_size(records); i++)    /* whose keys nobody compares with their points */
        json_object_set_new(json_array_get(records, i), "version", json_integer(RECORD_CHECKED - 1));
    /* A record that failed has a message, which is shown as it is. */
    json_t *failed = json_array_get(records, 0);
    ck_assert(json_object_set_new(failed, "result", json_string("wrong")) == 0 &&
              json_object_set_new(failed, "message", json_string("x")) == 0);
    for (int h = 0; h < HOSTILE; h++) {
        write_poisoned(records, facts, -1, hostile[h]);
        expect_harmless_run();
    }
    int texts = write_poisoned(records, facts, INT_MAX, "");
    for (int n = 0; n < texts; n++) {
        write_poisoned(records, facts, n, hostile[0]);
        expect_harmless_run();
    }
    printf("texts: %d of a journal and a machine.json\n", texts);
    ck_assert_int_gt(texts, 20);
    json_decref(records);
    json_decref(facts);
}
END_TEST

START_TEST(of_sweep_files)
{
    static const char *const refused[] = {
        "name: \"a\\x1b[31m\"\nimpls: fixed_point\n",
        "name: t\nimpls: \"fixed_\\u202epoint\"\n",
        "name: t\n\"\\u202e\": 1\nimpls: fixed_point\n",
        "name: t\nimpls: diagonal_scan\nproblem: {mixer: none}\npaper:\n  - {figure: \"a\\u202e\", says: b, here: residual, "
        "differs: c}\n",
        "name: t\nimpls: diagonal_scan\nproblem: {mixer: none}\nplots:\n  - {kind: throughput, name: \"a\\u202e\"}\n",
        "name: t\nimpls: diagonal_scan\nproblem: {mixer: none}\ninputs: \"\\x1b[2J\\u202e\"\n",
    };
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/\x1b[2J\xe2\x80\xae.yaml", scratch);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        scratch_write(path, refused[i], strlen(refused[i]));
        const char *const argv[] = {program, "check", path, NULL};
        struct process_result process = call(argv);
        ck_assert_msg(process.exit_status == 2 && process.errors[0] != '\0', "case %zu: %d, %s", i, process.exit_status,
                      process.output);
        expect_harmless("stderr", process.errors, "\n");
        process_result_free(&process);
    }
}
END_TEST

Suite *suite_texts(void)
{
    Suite *suite = suite_create("texts");
    TCase *tests = tcase_create("texts");
    tcase_add_checked_fixture(tests, setup, scratch_remove);
    tcase_add_test(tests, of_others);
    tcase_add_test(tests, of_sweep_files);
    suite_add_tcase(suite, tests);
    return suite;
}
