/* What a run depends on is replaced while it is under way: its program, the files of inputs, a shared library. Records of one key then
 * still mean one thing, and the run says what it noticed. Each run is stopped between two records (tests/faults/), so that nothing
 * hangs on how fast it is. */
#include "bench/base/safetensors_write.h"
#include "bench/journal/records.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>

enum { POINTS = 30, STOP = 20 /* the number of the fsync before which a run is stopped: between its records */ };

static char home[PATH_MAX / 2], program[PATH_MAX], results[PATH_MAX], sweep_file[PATH_MAX], count[PATH_MAX], said[PATH_MAX];

/* Copies a file of the build. */
static void copy(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    char piece[65536];
    ck_assert(in != NULL && out != NULL);
    for (size_t n; (n = fread(piece, 1, sizeof piece, in)) > 0;)
        ck_assert_uint_eq(fwrite(piece, 1, n, out), n);
    fclose(in);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_int_eq(chmod(to, 0755), 0);
}

/* A checkout that has nothing but the program. */
static void setup(void)
{
    char built[PATH_MAX];
    scratch_make();
    program_find("bench", built);
    snprintf(home, sizeof home, "%s/checkout", scratch);
    snprintf(program, sizeof program, "%s/bench", home);
    ck_assert_int_eq(mkdir(home, 0777), 0);
    snprintf(results, sizeof results, "%s/results", scratch);
    snprintf(sweep_file, sizeof sweep_file, "%s/sweep.yaml", scratch);
    snprintf(count, sizeof count, "%s/count", scratch);
    snprintf(said, sizeof said, "%s/said", scratch);
    copy("run.sh", scratch_path("checkout/run.sh"));
    copy(built, program);
}

static void teardown(void)
{
    scratch_remove();
}

/* Starts the program with up to four words, under a fault, or none where it is NULL; what it says on both streams goes into a file. */
static pid_t start(const char *fault, const char *preload, const char *const words[4])
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid != 0)
        return pid;
    struct faulted faulted;
    char preloaded[PATH_MAX + 16];
    int out = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    program_faulted(fault != NULL ? fault : "fsync:0", "run", count, &faulted);
    if (preload != NULL) {
        snprintf(preloaded, sizeof preloaded, "LD_PRELOAD=%s", preload);
        faulted.word[1] = preloaded;
    }
    const char *argv[FAULTED_WORDS + 6];
    memcpy(argv, faulted.word, sizeof faulted.word);
    argv[FAULTED_WORDS] = program;
    memcpy(argv + FAULTED_WORDS + 1, words, 4 * sizeof *argv);
    argv[FAULTED_WORDS + 5] = NULL;
    execvp(argv[0], (char *const *)argv);
    _exit(127);
}

/* Until it stops or ends; true when it stopped. */
static bool follow(pid_t pid, int *status)
{
    ck_assert_int_eq(waitpid(pid, status, WUNTRACED), pid);
    return WIFSTOPPED(*status);
}

static void read_records(struct records *records)
{
    char journal[PATH_MAX];
    struct error error;
    snprintf(journal, sizeof journal, "%.3000s/replaced/run-1/journal.jsonl", results);
    ck_assert_msg(records_read(journal, records, &error), "%s", error.text);
}

/* Starts a run, and stops it when it has some of its records, but not all. Returns how many. */
static size_t stop_in_the_middle(const char *sweep, const char *preload, pid_t *pid)
{
    char fault[32];
    int status;
    struct records records;
    scratch_write(sweep_file, sweep, strlen(sweep));
    snprintf(fault, sizeof fault, "stop:%d", STOP);
    *pid = start(fault, preload, (const char *[4]){sweep_file, "--results", results});
    ck_assert(follow(*pid, &status));
    read_records(&records);
    size_t n = records.n;
    ck_assert(n > 0 && n < POINTS);
    records_free(&records);
    return n;
}

/* Lets it go on; its exit status. */
static int go_on(pid_t pid)
{
    int status;
    kill(pid, SIGCONT);
    ck_assert(!follow(pid, &status));
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect_said(const char *words)
{
    char *text = scratch_read(said);
    ck_assert_msg(strstr(text, words) != NULL, "it did not say '%s': %s", words, text);
    free(text);
}

static const char drawn[] = "name: replaced\nmeasure: convergence\nproblem: {T: 4, d: 4, mixer: dplr}\nregime: {kappa: 0.5}\n"
                            "settings: {l: {from: 1, to: 30, step: 1}}\nimpls: fixed_point\n";

/* Built anew by another command, say, or cleaned away; another sweep under the same name; other scripts of plots. The program that was
 * started measures what it has read, and draws with what it carries. */
enum { PROGRAM_RENAMED, PROGRAM_GONE, SWEEP_REWRITTEN, SWEEP_GONE, SCRIPTS_REWRITTEN, PARTS };

static void replace_part(int part)
{
    static const char other[] = "#!/bin/sh\nexit 3\n";
    char plots[PATH_MAX];
    snprintf(plots, sizeof plots, "%.3000s/replaced/run-1/plots", results);
    switch (part) {
    case PROGRAM_RENAMED:
        scratch_write(scratch_path("other"), other, strlen(other));
        ck_assert_int_eq(chmod(scratch_path("other"), 0755), 0);
        ck_assert_int_eq(rename(scratch_path("other"), program), 0);
        break;
    case PROGRAM_GONE:
        ck_assert_int_eq(remove(program), 0);
        break;
    case SWEEP_REWRITTEN:
        scratch_write(sweep_file, other, strlen(other));
        break;
    case SWEEP_GONE:
        ck_assert_int_eq(remove(sweep_file), 0);
        break;
    case SCRIPTS_REWRITTEN:
        ck_assert_int_eq(mkdir(plots, 0777), 0);
        strcat(plots, "/page.gp");
        scratch_write(plots, other, strlen(other));
        break;
    }
}

START_TEST(a_part_of_it)
{
    struct records records;
    pid_t pid;
    char kept[PATH_MAX], picture[PATH_MAX];
    stop_in_the_middle(drawn, NULL, &pid);
    replace_part(_i);
    int status = go_on(pid);
    char *text = scratch_read(said);
    ck_assert_msg(status == 0, "%s", text);
    free(text);
    read_records(&records);
    ck_assert_uint_eq(records.n, POINTS);
    for (size_t i = 0; i < records.n; i++)
        ck_assert_int_eq(records.record[i].result, RESULT_OK);
    records_free(&records);
    snprintf(kept, sizeof kept, "%.3000s/replaced/run-1/sweep.yaml", results);
    snprintf(picture, sizeof picture, "%.3000s/replaced/run-1/plots/error-against-iteration-1.svg", results);
    text = scratch_read(kept);
    ck_assert_str_eq(text, drawn);
    free(text);
    ck_assert_int_eq(access(picture, R_OK), 0);
}
END_TEST

/* ---- Inputs ------------------------------------------------------------------------------------------------------------------ */

/* Inputs whose largest state is about that large. */
static void write_inputs(const char *path, float size)
{
    float v[16], lambda[16];
    struct error error;
    for (int i = 0; i < 16; i++) {
        v[i] = size;
        lambda[i] = 0;
    }
    struct tensor tensor[] = {
        {.name = "v", .dtype = DTYPE_FLOAT32, .rank = 3, .shape = {1, 4, 4}, .bytes = sizeof v, .data = v},
        {.name = "lambda", .dtype = DTYPE_FLOAT32, .rank = 3, .shape = {1, 4, 4}, .bytes = sizeof lambda, .data = lambda}};
    ck_assert_msg(safetensors_write(path, tensor, 2, NULL, &error), "%s", error.text);
}

enum { RENAMED, REWRITTEN, CUT_SHORT, GONE, WAYS };

static void replace_inputs(const char *path, int way)
{
    const char *other = scratch_path("other.safetensors");
    write_inputs(other, 300);
    if (way == RENAMED)
        ck_assert_int_eq(rename(other, path), 0);
    else if (way == REWRITTEN)
        copy(other, path);
    else if (way == CUT_SHORT)
        ck_assert_int_eq(truncate(path, 9), 0);
    else
        ck_assert_int_eq(remove(path), 0);
}

static double largest_state(const struct record *record)
{
    return column_number(record, COLUMN_MAX_H);
}

/* Rounds of a key are all of one content; the other points are measured to the end; the next run measures what is there then. */
START_TEST(inputs)
{
    static const char sweep[] =
        "name: replaced\nmeasure: convergence\nproblem: {T: 4, d: 4}\nsettings: {l: {from: 1, to: 15, step: 1}}\n"
        "impls: fixed_point\ngrids:\n  - regime: {kappa: 0.5}\n    problem: {mixer: dplr}\n"
        "  - inputs: inputs.safetensors\n    problem: {mixer: none}\n";
    struct records records;
    pid_t pid;
    int status;
    char file[PATH_MAX];
    snprintf(file, sizeof file, "%s/inputs.safetensors", scratch);
    write_inputs(file, 3);
    size_t before = stop_in_the_middle(sweep, NULL, &pid);
    size_t from_file = 0, of_drawn = 0;
    replace_inputs(file, _i);
    ck_assert_int_eq(go_on(pid), 2);
    expect_said("was changed while the run was under way");
    read_records(&records);
    ck_assert_uint_ge(records.n, before);
    for (size_t i = 0; i < records.n; i++) {
        bool own = records.record[i].point.value[FIELD_INPUTS].kind == VALUE_TEXT;
        from_file += own;
        of_drawn += !own;
        ck_assert_int_eq(records.record[i].result, RESULT_OK);
        if (own)
            ck_assert_msg(fabs(largest_state(&records.record[i]) - 3) < 1e-3, "%g", largest_state(&records.record[i]));
    }
    records_free(&records);
    ck_assert_uint_eq(of_drawn, 15);
    ck_assert(from_file > 0 && from_file < 15);
    if (_i == CUT_SHORT || _i == GONE) /* the next run cannot begin, and says why */
        return;
    pid = start(NULL, NULL, (const char *[4]){sweep_file, "--results", results});
    ck_assert(!follow(pid, &status));
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    read_records(&records);
    size_t large = 0;
    for (size_t i = 0; i < records.n; i++)
        large += records.record[i].point.value[FIELD_INPUTS].kind == VALUE_TEXT && largest_state(&records.record[i]) > 100;
    ck_assert_uint_eq(large, 15);
    /* A point of before by itself is another problem by now. */
    char key[KEY_SIZE];
    size_t old = 0;
    while (records.record[old].point.value[FIELD_INPUTS].kind != VALUE_TEXT || largest_state(&records.record[old]) > 100)
        old++;
    snprintf(key, sizeof key, "%s", column_text(&records.record[old], COLUMN_KEY));
    records_free(&records);
    pid = start(NULL, NULL, (const char *[4]){"point", key, "--results", results});
    ck_assert(!follow(pid, &status));
    ck_assert(WIFEXITED(status));
    expect_said("its bytes are not those that the record was measured on");
}
END_TEST

/* ---- Libraries --------------------------------------------------------------------------------------------------------------- */

START_TEST(a_library)
{
    struct records records;
    pid_t pid;
    char built[PATH_MAX], library[PATH_MAX];
    snprintf(built, sizeof built, "%.200s/faults.so", program_folder());
    snprintf(library, sizeof library, "%s/faults.so", scratch);
    copy(built, library);
    size_t before = stop_in_the_middle(drawn, library, &pid);
    copy(built, scratch_path("another.so"));
    ck_assert_int_eq(rename(scratch_path("another.so"), library), 0);
    ck_assert_int_eq(go_on(pid), 2);
    expect_said("faults.so was replaced while the run was under way");
    read_records(&records);
    ck_assert_uint_le(records.n, before + 1); /* the one that was being written */
    records_free(&records);
}
END_TEST

Suite *suite_replaced(void);

Suite *suite_replaced(void)
{
    Suite *suite = suite_create("replaced");
    TCase *tests = tcase_create("replaced");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, HANG);
    tcase_add_loop_test(tests, a_part_of_it, 0, PARTS);
    tcase_add_loop_test(tests, inputs, 0, WAYS);
    tcase_add_test(tests, a_library);
    suite_add_tcase(suite, tests);
    return suite;
}
