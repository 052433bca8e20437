/* Troubles of the disk that go away are no results: a limit on the size of files, and the folder of a training that is removed while the
 * training is under way. The run ends with status 2, a message that names a file and says what to do, and records of nothing but what
 * went well; then the same command completes. */
#include "tests/support/outcome.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

Suite *suite_disk(void);

static char program[PATH_MAX], sweep[PATH_MAX], results[PATH_MAX];

static void setup(void)
{
    program_find("bench", program);
    scratch_make();
    snprintf(sweep, sizeof sweep, "%s", scratch_path("trained.yaml"));
    snprintf(results, sizeof results, "%s", scratch_path("results"));
    scratch_write(sweep, outcome_trained_sweep, strlen(outcome_trained_sweep));
}

static void clear(void)
{
    if (access(results, F_OK) == 0)
        nftw(results, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void expect_complete(void)
{
    const char *const argv[] = {program, sweep, "--results", results, NULL};
    struct outcome outcome = outcome_run(argv, results);
    ck_assert_msg(outcome.ended && outcome.status == 0 && outcome.complete && outcome.unsound == NULL, "status %d, %s: %s",
                  outcome.status, outcome.unsound, outcome.errors);
}

/* In blocks of 512 bytes: from where nothing can be written to where everything can. */
START_TEST(a_limit_on_the_size_of_files)
{
    int refused = 0, passed = 0;
    expect_complete();
    for (int blocks = 1; passed == 0; blocks = 1 + 3 * blocks / 2) {
        char script[64];
        snprintf(script, sizeof script, "ulimit -f %d && exec \"$@\"", blocks);
        const char *const argv[] = {"sh", "-c", script, "sh", program, sweep, "--results", results, NULL};
        clear();
        struct outcome outcome = outcome_run(argv, results);
        ck_assert_msg(outcome.ended && outcome.unsound == NULL && !outcome.failed, "%d blocks: %s: %s", blocks, outcome.unsound,
                      outcome.errors);
        ck_assert_msg(outcome.status == 0 ? outcome.complete
                                          : outcome.status == 2 && strstr(outcome.errors, "File too large") != NULL &&
                                                strstr(outcome.errors, "ulimit -f") != NULL,
                      "%d blocks: status %d, %s", blocks, outcome.status, outcome.errors);
        refused += outcome.status == 2;
        passed += outcome.status == 0;
        expect_complete();
    }
    ck_assert_int_ge(refused, 4);
}
END_TEST

/* The only child of a process that has stopped; 0 while there is none. */
static pid_t stopped_child(pid_t parent)
{
    char path[80], text[600] = "";
    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)parent, (long)parent);
    FILE *file = fopen(path, "re");
    long child = 0;
    if (file == NULL || fscanf(file, "%ld", &child) != 1)
        child = 0;
    if (file != NULL)
        fclose(file);
    snprintf(path, sizeof path, "/proc/%ld/stat", child);
    file = child > 0 ? fopen(path, "re") : NULL;
    size_t n = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file != NULL)
        fclose(file);
    text[n] = '\0';
    const char *state = strrchr(text, ')');
    return state != NULL && state[1] == ' ' && state[2] == 'T' ? (pid_t)child : 0;
}

/* Lets the run stop where the process that trains is about to sync its checkpoint, does something to it, lets it go on, and returns the
 * exit status of the run. */
static int meet(void (*then)(pid_t worker), char said[PROCESS_ERRORS_SIZE])
{
    struct faulted under;
    int ends[2], status;
    program_faulted("stop:1", "worker", scratch_path("calls"), &under);
    const char *argv[FAULTED_WORDS + 5];
    const char *const plain[] = {program, sweep, "--results", results, NULL};
    memcpy(argv, under.word, sizeof under.word);
    memcpy(argv + FAULTED_WORDS, plain, sizeof plain);
    ck_assert_int_eq(pipe(ends), 0);
    pid_t run = fork(), worker;
    ck_assert_int_ge(run, 0);
    if (run == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(ends[1]);
    while ((worker = stopped_child(run)) == 0) {
        ck_assert_int_eq(waitpid(run, &status, WNOHANG), 0);
        nanosleep(&(const struct timespec){.tv_nsec = 1000000}, NULL);
    }
    then(worker);
    ck_assert_int_eq(kill(worker, SIGCONT), 0);
    ck_assert_int_eq(waitpid(run, &status, 0), run);
    ssize_t n = read(ends[0], said, PROCESS_ERRORS_SIZE - 1);
    said[n > 0 ? n : 0] = '\0';
    close(ends[0]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void remove_trainings(pid_t worker)
{
    (void)worker;
    char trained[PATH_MAX + 16];
    snprintf(trained, sizeof trained, "%s/trained", results);
    ck_assert_int_eq(nftw(trained, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

START_TEST(a_training_whose_folder_is_removed)
{
    char said[PROCESS_ERRORS_SIZE];
    expect_complete();
    clear();
    int status = meet(remove_trainings, said);
    ck_assert_msg(status == 2 && strstr(said, "checkpoint.safetensors: its folder is gone; give the same command again") != NULL,
                  "status %d: %s", status, said);
    expect_complete();
}
END_TEST

/* What the system does to a process that reads a page of a file which is gone. */
static void end_by_bus_error(pid_t worker)
{
    ck_assert_int_eq(kill(worker, SIGBUS), 0);
}

START_TEST(a_file_cut_short_under_a_worker)
{
    char said[PROCESS_ERRORS_SIZE];
    expect_complete();
    clear();
    int status = meet(end_by_bus_error, said);
    ck_assert_msg(status == 2 && strstr(said, "was cut short") != NULL, "status %d: %s", status, said);
    expect_complete();
}
END_TEST

static size_t unfinished;

static int count_unfinished(const char *path, const struct stat *about, int kind, struct FTW *position)
{
    (void)about, (void)kind, (void)position;
    size_t length = strlen(path);
    unfinished += length > 4 && strcmp(path + length - 4, ".new") == 0;
    return 0;
}

static size_t unfinished_files(void)
{
    unfinished = 0;
    ck_assert_int_eq(nftw(results, count_unfinished, 16, FTW_PHYS), 0);
    return unfinished;
}

/* Killed where it is about to sync a file: the next run removes what it had written of it. */
START_TEST(what_killed_runs_leave)
{
    size_t left = 0;
    int fsyncs = 1;
    for (bool stopped = true; stopped; fsyncs += 3) {
        struct faulted under;
        char kind[32];
        int status;
        snprintf(kind, sizeof kind, "stop:%d", fsyncs);
        program_faulted(kind, "run", scratch_path("calls"), &under);
        const char *argv[FAULTED_WORDS + 5];
        const char *const plain[] = {program, sweep, "--results", results, NULL};
        memcpy(argv, under.word, sizeof under.word);
        memcpy(argv + FAULTED_WORDS, plain, sizeof plain);
        clear();
        unlink(scratch_path("calls"));
        pid_t run = fork();
        ck_assert_int_ge(run, 0);
        if (run == 0) {
            execvp(argv[0], (char *const *)argv);
            _exit(127);
        }
        ck_assert_int_eq(waitpid(run, &status, WUNTRACED), run);
        stopped = WIFSTOPPED(status);
        if (stopped) {
            kill(run, SIGKILL);
            ck_assert_int_eq(waitpid(run, &status, 0), run);
            left += unfinished_files();
        }
        expect_complete();
        ck_assert_uint_eq(unfinished_files(), 0);
    }
    ck_assert_uint_ge(left, 3);
    ck_assert_int_gt(fsyncs, 12);
}
END_TEST

static void end_at_once(pid_t worker)
{
    ck_assert_int_eq(kill(worker, SIGKILL), 0);
}

/* The same of a process that trains; what it wrote of its checkpoint is in the folder of the training. */
START_TEST(what_killed_trainings_leave)
{
    char said[PROCESS_ERRORS_SIZE];
    const char *const again[] = {program, sweep, "--retry", "--results", results, NULL};
    expect_complete();
    clear();
    ck_assert_int_eq(meet(end_at_once, said), 1);
    ck_assert_uint_eq(unfinished_files(), 1);
    struct outcome outcome = outcome_run(again, results);
    ck_assert_msg(outcome.status == 0 && outcome.complete, "status %d: %s", outcome.status, outcome.errors);
    ck_assert_uint_eq(unfinished_files(), 0);
}
END_TEST

Suite *suite_disk(void)
{
    Suite *suite = suite_create("disk");
    TCase *tests = tcase_create("disk");
    tcase_add_checked_fixture(tests, setup, scratch_remove);
    tcase_add_test(tests, a_limit_on_the_size_of_files);
    tcase_add_test(tests, a_training_whose_folder_is_removed);
    tcase_add_test(tests, what_killed_runs_leave);
    tcase_add_test(tests, what_killed_trainings_leave);
    tcase_add_test(tests, a_file_cut_short_under_a_worker);
    suite_add_tcase(suite, tests);
    return suite;
}
