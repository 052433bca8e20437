/* Child processes: whatever a child does, process_run() comes back, says what happened, and leaves nothing running. Limits of time
 * are far away; where one must be reached the child says when, and the limit comes there. */
#include "bench/base/process.h"
#include "tests/support/clock.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *suite_process(void);

static const double NEVER = HANG;

static struct error error;
static struct process_result result;

static bool run_with(const char *script, const char *input, size_t input_size, const char *log, double time_limit)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    struct process_request request = {.argv = argv, .input = input, .input_size = input_size, .log = log, .time_limit = time_limit};
    return process_run(&request, &result, &error);
}

static void run_script(const char *script, double time_limit)
{
    ck_assert_msg(run_with(script, NULL, 0, NULL, time_limit), "%s", error.text);
}

static long number_in(const char *text)
{
    return strtol(text, NULL, 10);
}

/* The letter of /proc for what a process does; 'X' where it is gone. */
static char state_of(long pid)
{
    char path[64], line[512] = "";
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 'X';
    bool read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    const char *name_end = strrchr(line, ')');
    return !read || name_end == NULL ? 'X' : name_end[2];
}

/* Gone, or dead and waiting for a parent that does not care. */
static bool dead(long pid)
{
    return state_of(pid) == 'Z' || state_of(pid) == 'X';
}

static void wait_until_dead(long pid)
{
    ck_assert_int_gt(pid, 1);
    while (!dead(pid))
        usleep(1000);
}

/* The number of the process that left this note. */
static long wait_for_note(const char *note)
{
    while (access(note, F_OK) != 0)
        usleep(1000);
    char *text = scratch_read(note);
    long pid = number_in(text);
    free(text);
    return pid;
}

/* Where a script says "ready" it has come to what no more than a limit ends. */
struct end {
    const char *note;
    struct process_request request;
};

static void end_when_ready(void *context)
{
    struct end *end = context;
    wait_for_note(end->note);
    end->request.time_limit = 0;
}

static void run_watched(const char *script, void (*meanwhile)(void *))
{
    char text[2 * PATH_MAX];
    struct end end = {.note = scratch_path("ready")};
    snprintf(text, sizeof text, "ready() { echo $$ >'%.900s.new' && mv '%.900s.new' '%.900s'; }; %s", end.note, end.note, end.note,
             script);
    const char *const argv[] = {"/bin/sh", "-c", text, NULL};
    end.request = (struct process_request){.argv = argv, .time_limit = NEVER, .meanwhile = meanwhile, .context = &end};
    ck_assert_msg(process_run(&end.request, &result, &error), "%s", error.text);
}

static void run_into_limit(const char *script)
{
    run_watched(script, end_when_ready);
}

START_TEST(collects_output_and_status)
{
    run_script("echo out; echo err >&2; exit 7", NEVER);
    ck_assert_str_eq(result.output, "out\n");
    ck_assert_uint_eq(result.output_size, 4);
    ck_assert_str_eq(result.errors, "err\n");
    ck_assert_int_eq(result.exit_status, 7);
    ck_assert_int_eq(result.signal, 0);
    ck_assert(!result.timed_out && !result.flooded);
    ck_assert(result.wall > 0 && result.wall < NEVER);
    process_result_free(&result);
}
END_TEST

START_TEST(gives_arguments_as_they_are)
{
    const char *const argv[] = {"printf", "%s|%s|%s", "$(exit 3)`exit 3`", "'\"; exit 3 #", "", NULL};
    struct process_request request = {.argv = argv, .time_limit = NEVER};
    ck_assert_msg(process_run(&request, &result, &error), "%s", error.text);
    ck_assert_str_eq(result.output, "$(exit 3)`exit 3`|'\"; exit 3 #|");
    process_result_free(&result);
}
END_TEST

START_TEST(gives_input)
{
    size_t size = 5000000;
    char *input = malloc(size);
    ck_assert_ptr_nonnull(input);
    for (size_t i = 0; i < size; i++)
        input[i] = (char)(i * 2654435761u >> 24);
    ck_assert_msg(run_with("cat", input, size, NULL, NEVER), "%s", error.text);
    ck_assert_uint_eq(result.output_size, size);
    ck_assert(memcmp(result.output, input, size) == 0);
    process_result_free(&result);
    ck_assert_msg(run_with("exit 0", input, size, NULL, NEVER), "%s", error.text); /* nobody reads it */
    ck_assert_int_eq(result.exit_status, 0);
    process_result_free(&result);
    free(input);
    run_script("cat", NEVER);
    ck_assert_uint_eq(result.output_size, 0);
    process_result_free(&result);
}
END_TEST

START_TEST(reports_signals)
{
    run_script("echo before; kill -SEGV $$", NEVER);
    ck_assert_int_eq(result.signal, SIGSEGV);
    ck_assert_str_eq(result.output, "before\n");
    ck_assert(!result.timed_out);
    process_result_free(&result);
    signal(SIGPIPE, SIG_IGN); /* ours; the child starts with its own */
    run_script("kill -PIPE $$", NEVER);
    ck_assert_int_eq(result.signal, SIGPIPE);
    process_result_free(&result);
}
END_TEST

START_TEST(measures_memory)
{
    run_script("x=$(head -c 60000000 /dev/zero | tr '\\0' x); echo ${#x}", NEVER);
    ck_assert_str_eq(result.output, "60000000\n");
    ck_assert_uint_gt(result.peak_bytes, 60000000);
    process_result_free(&result);
}
END_TEST

static const struct {
    const char *script;
    int signal;
} endless[] = {
    {"ready; sleep 10000", SIGTERM},
    {"ready; exec sleep 10000", SIGTERM},
    {"exec >&- 2>&-; ready; sleep 10000", SIGTERM},
    {"trap '' TERM; ready; while :; do sleep 10000; done", SIGKILL},
    {"ready; while :; do echo 0123456789 >&2; done", SIGTERM},
    {"sleep 10000 & ready; wait", SIGTERM},
};

START_TEST(ends_what_does_not_end)
{
    run_into_limit(endless[_i].script);
    ck_assert(result.timed_out);
    ck_assert_int_eq(result.signal, endless[_i].signal);
    process_result_free(&result);
}
END_TEST

START_TEST(keeps_what_came_before_the_limit)
{
    run_into_limit("echo begun; ready; sleep 10000");
    ck_assert(result.timed_out);
    ck_assert_str_eq(result.output, "begun\n");
    process_result_free(&result);
}
END_TEST

/* ---- Time that does not pass for the child ---------------------------------------------------------------------------------- */

/* Nobody looked for so long: this process was stopped, or all of the machine. */
static void sleep_once(void *context)
{
    struct end *end = context;
    long pid = wait_for_note(end->note);
    clock_leap(100 * NEVER);
    kill((pid_t)pid, SIGCONT);
}

START_TEST(time_asleep_does_not_count)
{
    run_watched("trap 'exit 3' CONT; ready; while :; do sleep 0.01; done", sleep_once);
    ck_assert(!result.timed_out);
    ck_assert_int_eq(result.exit_status, 3);
    process_result_free(&result);
}
END_TEST

/* The clock is past the limit by steps that are no gaps while the child is stopped; then it goes on, and ends. */
static void stop_for_long(void *context)
{
    static int looks;
    struct end *end = context;
    long pid = wait_for_note(end->note);
    while (looks == 0 && state_of(pid) != 'T')
        usleep(1000);
    looks++;
    if (looks < 20)
        clock_leap(1.5);
    else
        kill((pid_t)pid, SIGCONT);
    end->request.time_limit = looks < 20 ? 10 : NEVER;
}

START_TEST(time_stopped_does_not_count)
{
    run_watched("ready; kill -STOP $$; exit 3", stop_for_long);
    ck_assert(!result.timed_out);
    ck_assert_int_eq(result.exit_status, 3);
    process_result_free(&result);
}
END_TEST

START_TEST(is_not_held_by_grandchildren)
{
    run_script("sleep 10000 & echo $!; exit 4", NEVER);
    ck_assert_int_eq(result.exit_status, 4);
    ck_assert(!result.timed_out);
    wait_until_dead(number_in(result.output)); /* and they are ended with the child */
    process_result_free(&result);
    /* One that left the group still holds the pipes; we end it ourselves. */
    char script[PATH_MAX + 128];
    const char *note = scratch_path("pid");
    snprintf(script, sizeof script, "setsid sh -c 'echo $$ >\"%s\"; exec sleep 10000' & until test -s '%s'; do :; done; exit 5",
             note, note);
    run_script(script, NEVER);
    char *text = scratch_read(note);
    ck_assert_int_eq(result.exit_status, 5);
    ck_assert(!result.timed_out);
    ck_assert(!dead(number_in(text)));
    ck_assert_int_eq(kill((pid_t)number_in(text), SIGKILL), 0);
    free(text);
    process_result_free(&result);
}
END_TEST

START_TEST(notices_the_end_after_closed_streams)
{
    run_script("exec >&- 2>&-; sleep 0.1; exit 3", NEVER);
    ck_assert_int_eq(result.exit_status, 3);
    ck_assert(!result.timed_out);
    process_result_free(&result);
}
END_TEST

START_TEST(bounds_the_output)
{
    run_script("while :; do cat /dev/zero; done", NEVER);
    ck_assert(result.flooded && !result.timed_out);
    ck_assert_int_eq(result.signal, SIGKILL);
    ck_assert_uint_le(result.output_size, PROCESS_OUTPUT_MAX);
    process_result_free(&result);
}
END_TEST

START_TEST(bounds_the_log)
{
    const char *log = scratch_path("log");
    scratch_write(log, "first\n", 6);
    ck_assert_msg(run_with("echo begin >&2; head -c 5000000 /dev/zero | tr '\\0' x >&2; echo end >&2", NULL, 0, log, NEVER), "%s",
                  error.text);
    char *text = scratch_read(log);
    ck_assert_uint_eq(strlen(text), 6 + PROCESS_LOG_MAX);
    ck_assert_int_eq(strncmp(text, "first\nbegin\nxxx", 15), 0);
    free(text);
    ck_assert_uint_eq(strlen(result.errors), PROCESS_ERRORS_SIZE - 1);
    ck_assert_str_eq(result.errors + PROCESS_ERRORS_SIZE - 1 - 7, "xxxend\n");
    process_result_free(&result);
}
END_TEST

START_TEST(reports_what_cannot_start)
{
    static const char *const names[] = {"/none/such", "no-such-program-anywhere", "/etc/passwd", "/", ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *const argv[] = {names[i], NULL};
        struct process_request request = {.argv = argv, .time_limit = NEVER};
        char expected[64];
        snprintf(expected, sizeof expected, "cannot run %s: ", names[i]);
        ck_assert(!process_run(&request, &result, &error));
        ck_assert_ptr_null(result.output);
        ck_assert_int_eq(strncmp(error.text, expected, strlen(expected)), 0);
    }
    ck_assert(!run_with("exit 0", NULL, 0, scratch_path("none/log"), NEVER));
    ck_assert_ptr_nonnull(strstr(error.text, "none/log"));
}
END_TEST

START_TEST(says_when_its_children_are_taken_away)
{
    signal(SIGCHLD, SIG_IGN);
    ck_assert(!run_with("exit 0", NULL, 0, NULL, NEVER));
    ck_assert_ptr_nonnull(strstr(error.text, "another part of the program"));
}
END_TEST

/* Those open here, or of those the ones that any child inherits. */
static int open_descriptors(bool inherited)
{
    int n = 0;
    for (int i = 0; i < 1024; i++) {
        int flags = fcntl(i, F_GETFD);
        n += flags >= 0 && !(inherited && (flags & FD_CLOEXEC));
    }
    return n;
}

START_TEST(leaves_no_descriptors)
{
    int before = open_descriptors(false);
    for (int i = 0; i < 20; i++) {
        const char *const argv[] = {i % 2 ? "/none/such" : "true", NULL};
        struct process_request request = {.argv = argv, .log = scratch_path("log"), .time_limit = NEVER};
        ck_assert(process_run(&request, &result, &error) == (i % 2 == 0));
        process_result_free(&result);
    }
    ck_assert_int_eq(open_descriptors(false), before);
    run_script("ls /proc/self/fd | wc -l", NEVER); /* one more is the folder itself */
    ck_assert_int_eq(number_in(result.output), open_descriptors(true) + 1);
    process_result_free(&result);
}
END_TEST

START_TEST(works_without_streams_of_its_own)
{
    pid_t pid = fork();
    if (pid == 0) {
        close(0);
        close(1);
        close(2);
        bool right = run_with("cat; echo err >&2", "in", 2, NULL, NEVER) && strcmp(result.output, "in") == 0 &&
                     strcmp(result.errors, "err\n") == 0;
        _exit(right ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(children_do_not_outlive_it)
{
    char script[PATH_MAX + 64];
    const char *note = scratch_path("pid");
    snprintf(script, sizeof script, "echo $$ >'%s.new'; mv '%s.new' '%s'; exec sleep 10000", note, note, note);
    pid_t pid = fork();
    if (pid == 0) {
        run_with(script, NULL, 0, NULL, NEVER);
        _exit(0);
    }
    long child = wait_for_note(note);
    ck_assert(!dead(child));
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    wait_until_dead(child);
}
END_TEST

/* dd holds a block of 100 MB as long as it runs. */
START_TEST(memory_limits)
{
    const char *const argv[] = {"dd", "if=/dev/zero", "of=/dev/null", "bs=100M", "count=1000000", NULL};
    const char *const small[] = {"dd", "if=/dev/zero", "of=/dev/null", "bs=1M", "count=10", NULL};
    struct process_request request = {.argv = argv, .time_limit = NEVER, .memory_limit = 50000000};
    ck_assert_msg(process_run(&request, &result, &error), "%s", error.text);
    ck_assert_uint_gt(result.over_memory, 50000000);
    ck_assert(!result.timed_out);
    ck_assert_int_eq(result.signal, SIGKILL);
    process_result_free(&result);
    request.argv = small;
    ck_assert_msg(process_run(&request, &result, &error), "%s", error.text);
    ck_assert_uint_eq(result.over_memory, 0);
    ck_assert_int_eq(result.exit_status, 0);
    process_result_free(&result);
}
END_TEST

/* What a user's environment says of languages, terminals and shells changes nothing of a child; what it says of threads does. */
START_TEST(gives_a_known_environment)
{
    static const char *const hostile[][2] = {
        {"LC_ALL", "tr_TR.UTF-8"}, {"LC_NUMERIC", "de_DE.UTF-8"}, {"LANG", "ja_JP"},        {"LANGUAGE", "de"},
        {"GNUTERM", "qt"},         {"GNUPLOT_LIB", "/nowhere"},   {"BASH_ENV", "/nowhere"}, {"ENV", "/nowhere"},
        {"CDPATH", "/"},           {"POSIXLY_CORRECT", "1"},
    };
    const char *const argv[] = {"env", NULL};
    const struct process_request request = {.argv = argv, .time_limit = NEVER};
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++)
        setenv(hostile[i][0], hostile[i][1], 1);
    setenv("OMP_NUM_THREADS", "3", 1);
    ck_assert_msg(process_run(&request, &result, &error), "%s", error.text);
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        char line[80];
        snprintf(line, sizeof line, "%s=%s\n", hostile[i][0], hostile[i][1]);
        ck_assert_msg(strstr(result.output, line) == NULL, "%s", line);
    }
    ck_assert_ptr_nonnull(strstr(result.output, "LC_ALL=C.UTF-8\n"));
    ck_assert_ptr_nonnull(strstr(result.output, "OMP_NUM_THREADS=3\n"));
    ck_assert_ptr_nonnull(strstr(result.output, "PATH="));
    process_result_free(&result);
}
END_TEST

Suite *suite_process(void)
{
    Suite *suite = suite_create("process");
    TCase *tests = tcase_create("process");
    tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
    tcase_add_test(tests, collects_output_and_status);
    tcase_add_test(tests, gives_arguments_as_they_are);
    tcase_add_test(tests, gives_input);
    tcase_add_test(tests, gives_a_known_environment);
    tcase_add_test(tests, reports_signals);
    tcase_add_test(tests, memory_limits);
    tcase_add_test(tests, measures_memory);
    tcase_add_loop_test(tests, ends_what_does_not_end, 0, sizeof endless / sizeof *endless);
    tcase_add_test(tests, keeps_what_came_before_the_limit);
    tcase_add_test(tests, time_asleep_does_not_count);
    tcase_add_test(tests, time_stopped_does_not_count);
    tcase_add_test(tests, is_not_held_by_grandchildren);
    tcase_add_test(tests, notices_the_end_after_closed_streams);
    tcase_add_test(tests, bounds_the_output);
    tcase_add_test(tests, bounds_the_log);
    tcase_add_test(tests, reports_what_cannot_start);
    tcase_add_test(tests, says_when_its_children_are_taken_away);
    tcase_add_test(tests, leaves_no_descriptors);
    tcase_add_test(tests, works_without_streams_of_its_own);
    tcase_add_test(tests, children_do_not_outlive_it);
    suite_add_tcase(suite, tests);
    return suite;
}
