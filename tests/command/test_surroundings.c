/* The program among streams, signals and limits that are not as usual: no record suffers, nothing is written where it does not
 * belong, and the exit status follows one rule (docs/reference/command-line.md). */
#include "bench/journal/records.h"
#include "bench/journal/warning.h"
#include "tests/support/outcome.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"

Suite *suite_surroundings(void);

static char program[PATH_MAX], sweep[PATH_MAX], results[PATH_MAX], faulted[3 * PATH_MAX];

static void setup(void)
{
    program_find("bench", program);
    scratch_make();
    snprintf(sweep, sizeof sweep, "%s", scratch_path("tiny.yaml"));
    snprintf(results, sizeof results, "%s", scratch_path("results"));
    scratch_write(sweep, outcome_sweep, strlen(outcome_sweep));
}

/* Runs a script with what it needs to measure the sweep, "$0" "$1" --results "$2", under a fault with env $3; status and what is
 * there then. */
static struct outcome measure(const char *script)
{
    const char *const argv[] = {"/bin/sh", "-c", script, program, sweep, results, faulted, NULL};
    return outcome_run(argv, results);
}

static void expect_complete(const char *script, int status)
{
    struct outcome outcome = measure(script);
    ck_assert_msg(outcome.ended && outcome.status == status, "%s: status %d, not %d: %s", script, outcome.status, status,
                  outcome.errors);
    ck_assert_msg(outcome.complete && outcome.unsound == NULL, "%s: %s", script,
                  outcome.unsound != NULL ? outcome.unsound : "something is missing");
}

/* ---- Streams ----------------------------------------------------------------------------------------------------------------- */

/* The rule: what could not be printed makes of 0 a 2; a reader that has gone is none of it. */
static const char *const commands[] = {"list", "check \"$sweep\"", "columns", "data A5", "draw \"$results\"/tiny/run-1"};

static struct process_result shell(const char *command, const char *around)
{
    struct process_result process;
    struct error error;
    char script[1024];
    snprintf(script, sizeof script, "sweep=$1 results=$2; command() { \"$0\" %s; }; %s", command, around);
    const char *const argv[] = {"/bin/sh", "-c", script, program, sweep, results, NULL};
    const struct process_request request = {.argv = argv, .time_limit = HANG};
    ck_assert_msg(process_run(&request, &process, &error), "%s", error.text);
    return process;
}

/* 4 becomes a pipe that nobody reads any more. */
#define GONE "rm -f \"$2.pipe\"; mkfifo \"$2.pipe\"; exec 3<>\"$2.pipe\"; exec 4>\"$2.pipe\"; exec 3>&-; "

static const struct {
    const char *around;
    int status;
    const char *said;
} ends[] = {
    {"command >/dev/full", 2, "standard output: cannot be written"},
    {"command >&-", 2, "standard output: cannot be written"},
    {"command >/dev/full 2>&-", 2, ""},
    {"command <&- >/dev/null", 0, ""},
    {"command <&- >/dev/null 2>&-", 0, ""},
    {GONE "command >&4 4>&-", 0, ""},
    {"trap '' PIPE; " GONE "command >&4 4>&-", 0, ""},
};

START_TEST(what_cannot_be_printed_is_an_error)
{
    expect_complete("\"$0\" \"$1\" --results \"$2\" >/dev/null", 0);
    for (size_t c = 0; c < sizeof commands / sizeof commands[0]; c++)
        for (size_t e = 0; e < sizeof ends / sizeof ends[0]; e++) {
            struct process_result process = shell(commands[c], ends[e].around);
            ck_assert_msg(process.exit_status == ends[e].status && strstr(process.errors, ends[e].said) != NULL,
                          "%s, %s: status %d, %s", commands[c], ends[e].around, process.exit_status, process.errors);
            process_result_free(&process);
        }
}
END_TEST

/* Anything that says what the program prints, in files other than those that are meant to. */
static const char *printed_into(void)
{
    static char said[PROCESS_ERRORS_SIZE];
    const char *const argv[] = {"grep", "-rlE", "Results:|cannot be written|left out", results, NULL};
    const struct process_request request = {.argv = argv, .time_limit = HANG};
    struct process_result process;
    struct error error;
    ck_assert_msg(process_run(&request, &process, &error), "%s", error.text);
    snprintf(said, sizeof said, "%s", process.output);
    process_result_free(&process);
    return said;
}

/* Whatever becomes of what it prints, a run measures to its end, leaves all its files, and prints into none of them. */
static const struct {
    const char *script;
    int status;
} streams[] = {
    {"\"$0\" \"$1\" --results \"$2\" >/dev/full", 2},    {"\"$0\" \"$1\" --results \"$2\" >&-", 2},
    {"\"$0\" \"$1\" --results \"$2\" <&- >&-", 2},       {"\"$0\" \"$1\" --results \"$2\" <&- 2>&-", 0},
    {"\"$0\" \"$1\" --results \"$2\" >&- 2>&-", 2},      {"\"$0\" \"$1\" --results \"$2\" 2>&-", 0},
    {"\"$0\" \"$1\" --results \"$2\" <&-", 0},           {"\"$0\" \"$1\" --results \"$2\" <&- >&- 2>&-", 2},
    {GONE "\"$0\" \"$1\" --results \"$2\" >&4 4>&-", 0}, {"trap '' PIPE; " GONE "\"$0\" \"$1\" --results \"$2\" >&4 4>&-", 0},
};

START_TEST(no_record_suffers_from_streams)
{
    expect_complete(streams[_i].script, streams[_i].status);
    ck_assert_str_eq(printed_into(), "");
}
END_TEST

/* ---- Signals ----------------------------------------------------------------------------------------------------------------- */

/* Runs until "$0" stops. */
#define UNTIL_IT_STOPS                                                                                                             \
    "env $3 \"$0\" \"$1\" --results \"$2\" >/dev/null & pid=$!; until grep -q '^State:.T' /proc/$pid/status; do sleep 0.01; "      \
    "done; "

/* What env $3 lets happen. */
static void fault(const char *kind, const char *where)
{
    struct faulted under;
    unlink(scratch_path("calls"));
    program_faulted(kind, where, scratch_path("calls"), &under);
    snprintf(faulted, sizeof faulted, "%s %s %s %s %s", under.preload, under.kind, under.where, under.count,
             under.word[FAULTED_WORDS - 1]);
}

/* The program stops where it is about to sync its n-th file. */
static void stop_at(int n)
{
    char kind[32];
    snprintf(kind, sizeof kind, "stop:%d", n);
    fault(kind, "run");
}

/* The first file that is synced while the journal has a record: what a run syncs before is its own affair. */
static int first_in_measuring;

static void find_measuring(void)
{
    setup();
    for (size_t records = 0; records == 0;) {
        stop_at(++first_in_measuring);
        records = measure(UNTIL_IT_STOPS "kill -KILL $pid").records;
    }
    scratch_remove();
}

/* Sends a signal to the run while it measures, and ends as it does. */
#define MEET(around, signal) around " " UNTIL_IT_STOPS "kill -" signal " $pid; kill -CONT $pid; wait $pid"

static const struct {
    const char *script;
    int status;
    bool complete;
} met[] = {
    {MEET("trap '' HUP;", "HUP"), 0, true},
    {MEET("nohup", "HUP"), 0, true},
    {MEET("", "INT"), 0, true}, /* what a shell starts in the background ignores it */
    {MEET("", "HUP"), 130, false},
    {MEET("", "TERM"), 130, false},
    {MEET("trap '' TERM;", "TERM"), 0, true},
    {MEET("env --default-signal=INT", "INT"), 130, false},
    {MEET("env --block-signal=TERM,HUP", "TERM"), 130, false},
    {MEET("env --ignore-signal=CHLD", "WINCH"), 0, true},
    {MEET("env --block-signal=CHLD,ALRM,PIPE", "WINCH"), 0, true},
};

START_TEST(signals_mean_what_they_meant_at_the_start)
{
    stop_at(first_in_measuring);
    struct outcome outcome = measure(met[_i].script);
    ck_assert_msg(outcome.ended && outcome.status == met[_i].status, "%s: status %d, not %d: %s", met[_i].script, outcome.status,
                  met[_i].status, outcome.errors);
    ck_assert_msg(outcome.unsound == NULL, "%s", outcome.unsound);
    ck_assert(outcome.complete == met[_i].complete);
    ck_assert_uint_eq(outcome.records, met[_i].complete ? OUTCOME_POINTS : 1);
}
END_TEST

/* ---- Locks ------------------------------------------------------------------------------------------------------------------- */

static const char training[] = "name: tiny\nmeasure: training\ntask: parity labels=all\nmodel: {layer: lstm, d: 4, d_model: 4}\n"
                               "recipe: {steps: 2, batch: 2, train_length: 4}\n"
                               "run: {rounds: 1, threads: 1, calibration: none, time_limit: 1 h, training_limit: 1 h}\n";

/* Another run works on the training; this one says so and waits, before its own time is counted, and can be ended meanwhile. */
static const struct {
    const char *then;
    int status;
} waits[] = {
    {"exec 9>&-; wait $pid", 0},
    {"kill -TERM $pid; wait $pid", 130},
};

START_TEST(a_training_of_another_run_is_waited_for)
{
    char script[1024];
    struct process_result process;
    struct error error;
    scratch_write(sweep, training, strlen(training));
    snprintf(script, sizeof script,
             "\"$0\" \"$1\" --results \"$2\" >\"$2.first\" || exit 3; exec 9>>\"$(echo \"$2\"/trained/*/lock)\"; flock 9; "
             "\"$0\" \"$1\" --results \"$2\" --fresh >\"$2.said\" 9>&- & pid=$!; "
             "until grep -q 'another run works on this training' \"$2.said\"; do sleep 0.01; done; %s",
             waits[_i].then);
    const char *const argv[] = {"/bin/sh", "-c", script, program, sweep, results, NULL};
    const struct process_request request = {.argv = argv, .time_limit = HANG};
    ck_assert_msg(process_run(&request, &process, &error), "%s", error.text);
    ck_assert_msg(process.exit_status == waits[_i].status, "status %d: %s", process.exit_status, process.errors);
    process_result_free(&process);
}
END_TEST

static const char *const lockless[] = {"lock:1", "nolock:1"};

/* Journal and trainings alike work where a file system has no locks, and the run says what it cannot notice. */
START_TEST(file_systems_without_locks_will_do)
{
    static const char *const where[] = {"run", "worker"};
    for (size_t i = 0; i < sizeof where / sizeof where[0]; i++) {
        struct process_result process;
        struct error error;
        scratch_write(sweep, training, strlen(training));
        fault(lockless[_i], where[i]);
        const char *const argv[] = {"/bin/sh", "-c", "env $3 \"$0\" \"$1\" --fresh --results \"$2\"", program, sweep, results,
                                    faulted,   NULL};
        const struct process_request request = {.argv = argv, .time_limit = HANG};
        ck_assert_msg(process_run(&request, &process, &error), "%s", error.text);
        ck_assert_msg(process.exit_status == 0, "status %d: %s", process.exit_status, process.errors);
        ck_assert((strstr(process.output, "has no locks") != NULL) == (strcmp(where[i], "run") == 0));
        process_result_free(&process);
    }
}
END_TEST

/* ---- Threads ----------------------------------------------------------------------------------------------------------------- */

#define THREADS(settings)                                                                                                          \
    "name: tiny\nmeasure: throughput\nimpls: fixed_point\nproblem: {T: 8, d: 4}\nsettings: {l: 2}\n"                               \
    "run: {rounds: 1, samples: 1, time_limit: 1 h, " settings "}\n"
#define UP_TO_3 THREADS("threads: [1, 2, 3], calibration: none")

static const struct {
    const char *sweep, *around;
    int working;        /* points with more threads are unsupported, with a reason */
    const char *reason; /* named there; NULL: there are none */
    bool shared;        /* the points say that their threads share processors; of the others nobody asks */
} crews[] = {
    {UP_TO_3, "OMP_DYNAMIC=true OMP_MAX_ACTIVE_LEVELS=0 OMP_NUM_THREADS=1 OMP_NESTED=false", 3, NULL, false},
    {UP_TO_3, "OMP_THREAD_LIMIT=2", 2, "OMP_THREAD_LIMIT is 2; unset it", false},
    {THREADS("threads: [2, 3, 4]"), "OMP_THREAD_LIMIT=1", 1, "OMP_THREAD_LIMIT is 1; unset it",
     false}, /* limits of none are measured */
    {UP_TO_3, "OMP_PLACES={0} OMP_PROC_BIND=true", 3, NULL, true},
    {UP_TO_3, "taskset -c \"$(taskset -cp $$ | sed 's/.*: *//; s/[-,].*//')\"", 3, NULL, true},
};

/* A record claims no other number of threads than worked. */
START_TEST(threads_that_do_not_work_have_no_figures)
{
    char script[512], journal[PATH_MAX];
    struct process_result process;
    struct records records;
    struct error error;
    scratch_write(sweep, crews[_i].sweep, strlen(crews[_i].sweep));
    snprintf(script, sizeof script, "exec env %s \"$0\" \"$1\" --results \"$2\"", crews[_i].around);
    const char *const argv[] = {"/bin/sh", "-c", script, program, sweep, results, NULL};
    const struct process_request request = {.argv = argv, .time_limit = HANG};
    ck_assert_msg(process_run(&request, &process, &error), "%s", error.text);
    ck_assert_msg(process.exit_status == 0, "%s: status %d: %s", script, process.exit_status, process.errors);
    snprintf(journal, sizeof journal, "%.3000s/tiny/run-1/journal.jsonl", results);
    ck_assert_msg(records_read(journal, &records, &error), "%s", error.text);
    ck_assert_uint_eq(records.n, 3);
    for (size_t i = 0; i < records.n; i++) {
        const struct record *record = &records.record[i];
        int threads = (int)record->point.value[FIELD_THREADS].integer;
        const char *message = column_text(record, COLUMN_MESSAGE);
        bool works = threads <= crews[_i].working;
        ck_assert_msg(record->result == (works ? RESULT_OK : (enum result)STATUS_UNSUPPORTED), "%s: %d threads: %s %s", script,
                      threads, result_name(record->result), message);
        ck_assert(works || strstr(message, crews[_i].reason) != NULL);
        if (crews[_i].shared && threads > 1)
            ck_assert_ptr_nonnull(record_warned(record, WARNING_SMT));
    }
    records_free(&records);
    process_result_free(&process);
}
END_TEST

/* ---- Address space ----------------------------------------------------------------------------------------------------------- */

#ifdef __SANITIZE_ADDRESS__ /* reserves terabytes */
enum { SHORT_OF_SPACE = 0 };
#else
enum { SHORT_OF_SPACE = 1 };
#endif

/* OpenBLAS asks for ever when it is refused: every command ends, and says why. */
START_TEST(too_little_address_space_is_said)
{
    static const char *const limits[] = {"-v 80000", "-v 190000", "-d 20000", "-d 150000"};
    for (size_t c = 0; c < sizeof commands / sizeof commands[0]; c++)
        for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
            char around[128];
            snprintf(around, sizeof around, "ulimit %s; command", limits[i]);
            struct process_result process = shell(commands[c], around);
            ck_assert_msg(process.exit_status == 2 && strstr(process.errors, "too little address space: OpenBLAS") != NULL,
                          "%s, %s: status %d, %s", commands[c], around, process.exit_status, process.errors);
            process_result_free(&process);
        }
    expect_complete("ulimit -v 2000000; OPENBLAS_NUM_THREADS=1 \"$0\" \"$1\" --results \"$2\"", 0);
}
END_TEST

/* So does the stack: with less than it needs every command says so, rather than crash; with no more it works. */
START_TEST(too_little_stack_is_said)
{
    for (size_t c = 0; c < sizeof commands / sizeof commands[0]; c++) {
        struct process_result process = shell(commands[c], "ulimit -s 128; command");
        ck_assert_msg(process.exit_status == 2 && strstr(process.errors, "too little stack: ulimit -s allows 128 KiB") != NULL,
                      "%s: status %d, %s", commands[c], process.exit_status, process.errors);
        process_result_free(&process);
    }
    expect_complete("ulimit -s 256; \"$0\" \"$1\" --results \"$2\"", 0);
}
END_TEST

Suite *suite_surroundings(void)
{
    Suite *suite = suite_create("surroundings");
    TCase *tests = tcase_create("surroundings");
    tcase_add_unchecked_fixture(tests, find_measuring, NULL);
    tcase_add_checked_fixture(tests, setup, scratch_remove);
    tcase_add_test(tests, what_cannot_be_printed_is_an_error);
    tcase_add_loop_test(tests, no_record_suffers_from_streams, 0, sizeof streams / sizeof streams[0]);
    tcase_add_loop_test(tests, signals_mean_what_they_meant_at_the_start, 0, sizeof met / sizeof met[0]);
    tcase_add_loop_test(tests, a_training_of_another_run_is_waited_for, 0, sizeof waits / sizeof waits[0]);
    tcase_add_loop_test(tests, file_systems_without_locks_will_do, 0, sizeof lockless / sizeof lockless[0]);
    tcase_add_loop_test(tests, threads_that_do_not_work_have_no_figures, 0, sizeof crews / sizeof crews[0]);
    tcase_add_loop_test(tests, too_little_address_space_is_said, 0, SHORT_OF_SPACE);
    tcase_add_loop_test(tests, too_little_stack_is_said, 0, SHORT_OF_SPACE);
    suite_add_tcase(suite, tests);
    return suite;
}
