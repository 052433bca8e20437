/* Plug-ins, as a user meets them: a sweep names the file, and what is right is measured and validated; what is wrong costs its
 * own point, in words that say what it did, or is refused with the place in the file. No time decides anything. */
#include "bench/journal/records.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"

#include "bench/base/process.h"

Suite *suite_plugin(void);

static const char plugins[] = "plugins"; /* of the build; the Makefile makes them for whoever says this word */
static char program[PATH_MAX], results[PATH_MAX];

/* A copy of one of the plug-ins of tests/plugin/, in the folder of the sweep. */
static void bring(const char *name, const char *as)
{
    char from[PATH_MAX], file[64];
    snprintf(file, sizeof file, "%s/%.40s.so", plugins, name);
    snprintf(from, sizeof from, "%.200s/%s", program_folder(), file);
    struct stat about;
    ck_assert_msg(stat(from, &about) == 0, "%s: run this through make test", from);
    char *bytes = scratch_read(from);
    scratch_write(scratch_path(as), bytes, (size_t)about.st_size);
    free(bytes);
}

static void setup(void)
{
    scratch_make();
    program_find("bench", program);
    snprintf(results, sizeof results, "%s", scratch_path("results"));
}

static void teardown(void)
{
    scratch_remove();
}

static struct process_result bench(const char *first, const char *second)
{
    const char *const argv[] = {program, first, second, "--results", results, NULL};
    const char *const alone[] = {program, first, "--results", results, NULL};
    const struct process_request request = {.argv = second != NULL ? argv : alone, .time_limit = HANG};
    struct process_result process;
    struct error error;
    ck_assert_msg(process_run(&request, &process, &error), "%s", error.text);
    return process;
}

#define HEAD "name: mine\nmeasure: throughput\nrun: {threads: 1, samples: 2, rounds: 1}\n"
#define PROBLEM "problem: {B: 2, T: 13, d: 5, mixer: none, initial: drawn}\n"

/* Runs a sweep; the status must be the one that is expected. */
static struct process_result sweep(const char *text, int status)
{
    const char *path = scratch_path("sweep.yaml");
    scratch_write(path, text, strlen(text));
    struct process_result process = bench(path, NULL);
    ck_assert_msg(process.signal == 0 && process.exit_status == status, "status %d, not %d: %s%s", process.exit_status, status,
                  process.output, process.errors);
    return process;
}

static void refused(const char *text, const char *words)
{
    struct process_result process = sweep(text, 2);
    ck_assert_msg(strstr(process.errors, words) != NULL, "expected \"%s\": %s", words, process.errors);
    process_result_free(&process);
}

/* ---- One that is right ----------------------------------------------------------------------------------------------------------- */

struct seen {
    int of_plugin, of_builtin;
};

static bool see(const struct record_line *line, void *context)
{
    struct seen *seen = context;
    const char *name = line->point.value[FIELD_IMPLEMENTATION].text;
    ck_assert_msg(line->result == RESULT_OK, "%s: %s", name, json_string_value(json_object_get(line->json, "message")));
    ck_assert(strcmp(line_text(line->json, COLUMN_VALIDATED_AGAINST), "the exact answer") == 0);
    seen->of_plugin += name[0] == '.';
    seen->of_builtin += name[0] != '.';
    return true;
}

static struct seen records(void)
{
    struct seen seen = {0};
    struct unread unread;
    struct error error;
    ck_assert_msg(records_each(scratch_path("results/mine/run-1/journal.jsonl"), see, &seen, &unread, &error), "%s", error.text);
    return seen;
}

static const char *const forms[] = {
    "problem: {B: 2, T: 13, d: 5, mixer: none, initial: [zero, drawn], form: [normalised, plain], dtype: [float32, float64]}\n",
    "problem: {B: 3, T: [1, 64], d: [1, 16], mixer: none}\n",
};

START_TEST(a_plugin_is_measured_as_what_is_built_in)
{
    char text[1024];
    bring("scan", "scan.so");
    bring("scan_cxx", "scan_cxx.so");
    bring("scan_1_0", "scan_1_0.so"); /* of the header as it was in that version */
    snprintf(text, sizeof text, HEAD "%simpls: [./scan.so, ./scan_cxx.so, ./scan_1_0.so, diagonal_scan]\n", forms[_i]);
    struct process_result process = sweep(text, 0);
    process_result_free(&process);
    struct seen seen = records();
    ck_assert_int_eq(seen.of_plugin, 3 * seen.of_builtin);
    ck_assert_int_gt(seen.of_builtin, 0);
}
END_TEST

START_TEST(a_run_is_drawn_without_its_plugins_and_a_point_needs_them)
{
    bring("scan", "scan.so");
    struct process_result process = sweep(HEAD PROBLEM "impls: [./scan.so, diagonal_scan]\n", 0);
    process_result_free(&process);
    char *points = scratch_read(scratch_path("results/mine/run-1/points.txt")), key[KEY_HALF + 1];
    char *line = strstr(points, "./scan.so");
    ck_assert_ptr_nonnull(line);
    while (line > points && line[-1] != '\n')
        line--;
    snprintf(key, sizeof key, "%.*s", KEY_HALF, line);
    free(points);

    process = bench("point", key);
    ck_assert_msg(process.exit_status == 0 && strstr(process.output, "\"result\": \"ok\"") != NULL, "%s%s", process.output,
                  process.errors);
    process_result_free(&process);

    ck_assert_int_eq(remove(scratch_path("scan.so")), 0);
    process = bench("draw", scratch_path("results/mine/run-1"));
    ck_assert_msg(process.exit_status == 0 && strstr(process.output, "2 ok") != NULL && strstr(process.output, "./scan.so") != NULL,
                  "%s%s", process.output, process.errors);
    process_result_free(&process);
    process = bench("point", key);
    ck_assert_msg(strstr(process.output, "is no longer the file that was described") != NULL, "%s%s", process.output,
                  process.errors);
    process_result_free(&process);
}
END_TEST

/* A rebuilt plug-in is measured again, and what stands beside it is kept. */
START_TEST(other_bytes_are_another_build)
{
    bring("scan", "scan.so");
    const char *text = HEAD PROBLEM "impls: [./scan.so, diagonal_scan]\n";
    struct process_result process = sweep(text, 0);
    process_result_free(&process);
    process = sweep(text, 0);
    ck_assert_msg(strstr(process.output, "2 rounds kept, 0 to measure") != NULL, "%s", process.output);
    process_result_free(&process);
    bring("scan_cxx", "scan.so");
    process = sweep(text, 0);
    ck_assert_msg(strstr(process.output, "1 rounds kept, 1 to measure") != NULL, "%s", process.output);
    process_result_free(&process);
}
END_TEST

/* One that iterates is held to the definition's iterates and residuals, its gradient to the definition's gradient, with and
 * without a trace. */
static const struct {
    const char *text;
    int status;
    const char *said;
} others[] = {
    {"measure: throughput\nimpls: [./iterate.so]\nsettings: {l: 3}\n", 0, "1 ok"},
    {"measure: throughput\nimpls: [./iterate.so]\nsettings: {l: 9, tolerance: 1e-8}\n", 0, "1 ok"},
    {"measure: throughput\nimpls: [./iterate.so]\nsettings: {l: 3}\npass: backward\n", 0, "1 ok"},
    {"measure: convergence\nimpls: [./iterate.so]\nsettings: {l: 3}\n", 0, "1 ok"},
    {"measure: gradient\nimpls: [./iterate.so]\nsettings: {l: 3}\n", 0, "1 ok"},
    {"measure: memory\nimpls: [./iterate.so]\nsettings: {l: 3}\n", 0, "1 ok"},
    {"measure: throughput\nimpls: [./iterate.so fault=trace]\nsettings: {l: 3}\n", 1, "after the timed calls"},
    {"measure: throughput\nimpls: [./iterate.so fault=gradient]\nsettings: {l: 3}\npass: backward\n", 1, "1 wrong"},
    {"measure: throughput\nimpls: [./iterate.so fault=none]\nsettings: {l: 3}\n", 2,
     "./iterate.so has no option \"fault=none\"; expected fault=trace|gradient"},
};

START_TEST(one_that_iterates_and_has_gradients_is_measured_by_every_measure)
{
    char text[1024];
    bring("iterate", "iterate.so");
    snprintf(text, sizeof text,
             "name: mine\nrun: {threads: 1, samples: 2, rounds: 1}\nproblem: {B: 2, T: 13, d: 5, mixer: none, initial: drawn, "
             "dtype: float64}\n%s",
             others[_i].text);
    struct process_result process = sweep(text, others[_i].status);
    ck_assert_msg(strstr(others[_i].status == 2 ? process.errors : process.output, others[_i].said) != NULL, "%s%s", process.output,
                  process.errors);
    process_result_free(&process);
}
END_TEST

/* From nothing to a verdict, whichever it is. */
START_TEST(a_new_kernel_is_built_and_judged)
{
    char folder[PATH_MAX], script[3 * PATH_MAX];
    snprintf(folder, sizeof folder, "%s", scratch_path("swift"));
    struct process_result process = bench("new-impl", folder);
    ck_assert_msg(process.exit_status == 0 && strstr(process.output, "/run.sh sweep.yaml") != NULL, "%s%s", process.output,
                  process.errors);
    process_result_free(&process);
    snprintf(script, sizeof script, "cd '%s' && make && '%s' sweep.yaml --results '%s'", folder, program, results);
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    const struct process_request request = {.argv = argv, .time_limit = HANG};
    struct error error;
    ck_assert_msg(process_run(&request, &process, &error), "%s", error.text);
    ck_assert_msg(process.exit_status == 0 && strstr(process.output, "Verdicts: 1 ") != NULL &&
                      strstr(process.output, "Results: 2 ok") != NULL,
                  "%s%s", process.output, process.errors);
    process_result_free(&process);

    process = bench("new-impl", folder);
    ck_assert_msg(process.exit_status == 2 && strstr(process.errors, "is there already") != NULL, "%s", process.errors);
    process_result_free(&process);
    process = bench("new-impl", scratch_path("2 fast"));
    ck_assert_msg(process.exit_status == 2 && strstr(process.errors, "is no name of a kernel") != NULL, "%s", process.errors);
    process_result_free(&process);
}
END_TEST

/* ---- Those that are not ------------------------------------------------------------------------------------------------------------ */

/* What each costs its own point. */
static const struct {
    const char *fault, *result, *words;
} points[] = {
    {"crash", "crashed", "(Segmentation fault): plug-in in forward()"},
    {"hang", "timed_out", "time limit reached: 5 s: plug-in in forward()"},
    {"leak", "out_of_memory", "memory limit reached"},
    {"exit", "crashed", "exit status 0: plug-in in forward(): called exit()"},
    {"end", "crashed", "exit status 0: ended without an answer"},
    {"input", "crashed", "plug-in in forward(): wrote to the input v"},
    {"beyond", "crashed", "plug-in in forward(): touched what lies behind the output h"},
    {"beside", "internal", "wrote to memory beside the output h"},
    {"before", "internal", "wrote to memory beside the output h"},
    {"stale", "wrong", "after the timed calls"},
    {"nothing", "wrong", "sequence"},
    {"last", "wrong", "t 12, channel 4"},
    {"code", "internal", "forward() returned the code 17, which is none"},
    {"says", "singular", "as it likes"},
    {"planless", "internal", "plan() said ok and left no plan"},
    {"refuses", "unsupported", "d = 5 is no multiple of 8"},
    {"unlisted", "unsupported", "the problem has the tensor lambda, which is not among those that the plug-in lists"},
    {"unlisted_initial", "unsupported", "the problem has the tensor h0, which is not among those that the plug-in lists"},
    {"minor", "ok", ""}, /* of a later version, which has more */
    {"print", "ok", ""},
    {"load_print", "ok", ""},
};
enum { POINTS = sizeof points / sizeof points[0] };

static bool judge(const struct record_line *line, void *context)
{
    bool *seen = context;
    const char *name = line->point.value[FIELD_IMPLEMENTATION].text, *result = result_name(line->result),
               *message = json_string_value(json_object_get(line->json, "message"));
    char expected[64];
    for (size_t i = 0; i < POINTS; i++) {
        snprintf(expected, sizeof expected, "./%s.so", points[i].fault);
        if (strcmp(expected, name) != 0)
            continue;
        ck_assert_msg(strcmp(result, points[i].result) == 0 && strstr(message != NULL ? message : "", points[i].words) != NULL,
                      "%s: %s: %s", name, result, message);
        seen[i] = true;
    }
    ck_assert_msg(name[0] == '.' || line->result == RESULT_OK, "%s: %s: %s", name, result, message);
    return true;
}

START_TEST(a_bad_plugin_costs_its_own_point_and_says_what_it_did)
{
    bool seen[POINTS] = {false};
    struct unread unread;
    struct error error;
    char text[2048] =
        "name: mine\nmeasure: throughput\nrun: {threads: 1, samples: 2, rounds: 1, time_limit: 5, memory_limit: 1 GB}\n" PROBLEM
        "impls: [diagonal_scan";
    for (size_t i = 0; i < POINTS; i++) {
        char file[64];
        size_t used = strlen(text);
        snprintf(file, sizeof file, "%s.so", points[i].fault);
        bring(points[i].fault, file);
        snprintf(text + used, sizeof text - used, ", ./%s", file);
    }
    strcat(text, "]\n");
    struct process_result process = sweep(text, 1);
    process_result_free(&process);
    ck_assert_msg(records_each(scratch_path("results/mine/run-1/journal.jsonl"), judge, seen, &unread, &error), "%s", error.text);
    for (size_t i = 0; i < POINTS; i++)
        ck_assert_msg(seen[i], "%s: no record", points[i].fault);
}
END_TEST

/* What is refused before anything is measured: with file, line and column. */
static const struct {
    const char *fault, *words;
} refusals[] = {
    {"load_crash",
     "sweep.yaml:5:9: ./load_crash.so: crashes when it is loaded: signal 11 (Segmentation fault): while it was loaded"},
    {"load_hang", "sweep.yaml:5:9: ./load_hang.so: hangs when it is loaded: no description after 10 s: while it was loaded"},
    {"load_exit",
     "sweep.yaml:5:9: ./load_exit.so: ends the process when it is loaded: exit status 0: while it was loaded: called exit()"},
    {"major", "sweep.yaml:5:9: ./major.so: is for interface 2.7, and this program has 1.0; expected the same major version"},
    {"magic", "sweep.yaml:5:9: ./magic.so: what fprnn_plugin() returns does not begin with FPRNN_MAGIC"},
    {"small", "sweep.yaml:5:9: ./small.so: its struct fprnn_plugin has 16 bytes; expected at least "},
    {"kind", "sweep.yaml:5:9: ./kind.so: its kind is \"quick\"; expected exact, iterative or solver"},
    {"cells", "sweep.yaml:5:9: ./cells.so: takes no cell that this program knows"},
    {"refuses_host", "sweep.yaml:5:9: ./refuses_host.so: does not work with interface 1.0, which is this program's"},
};

START_TEST(what_cannot_be_described_is_refused)
{
    char text[512], file[64];
    snprintf(file, sizeof file, "%s.so", refusals[_i].fault);
    bring(refusals[_i].fault, file);
    snprintf(text, sizeof text, HEAD PROBLEM "impls: [./%s]\n", file);
    refused(text, refusals[_i].words);
}
END_TEST

START_TEST(what_is_no_plugin_is_refused)
{
    scratch_write(scratch_path("text.so"), "text", 4);
    refused(HEAD PROBLEM "impls: [./none.so]\n",
            "sweep.yaml:5:9: ./none.so: No such file or directory; expected the file of a plug-in");
    refused(HEAD PROBLEM "impls: [./text.so]\n", "sweep.yaml:5:9: ./text.so: ");
    refused(HEAD PROBLEM "impls: [./text.so]\n", "expected a shared library");
    bring("scan", "scan.so");
    refused(HEAD PROBLEM "impls: [./scan.so chunk=3]\n", "sweep.yaml:5:9: ./scan.so has no option \"chunk=3\"; expected none");
    refused("name: mine\nmeasure: training\ntask: parity\nrecipe: {train_impl: ./scan.so}\n", "plug-ins may stand in impls");
}
END_TEST

Suite *suite_plugin(void)
{
    Suite *suite = suite_create("plugin");
    TCase *tests = tcase_create("plugin");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, a_plugin_is_measured_as_what_is_built_in, 0, sizeof forms / sizeof forms[0]);
    tcase_add_loop_test(tests, one_that_iterates_and_has_gradients_is_measured_by_every_measure, 0,
                        sizeof others / sizeof others[0]);
    tcase_add_test(tests, a_run_is_drawn_without_its_plugins_and_a_point_needs_them);
    tcase_add_test(tests, a_new_kernel_is_built_and_judged);
    tcase_add_test(tests, other_bytes_are_another_build);
    tcase_add_test(tests, a_bad_plugin_costs_its_own_point_and_says_what_it_did);
    tcase_add_loop_test(tests, what_cannot_be_described_is_refused, 0, sizeof refusals / sizeof refusals[0]);
    tcase_add_test(tests, what_is_no_plugin_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
