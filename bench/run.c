/* See run.h. */
#include "bench/run.h"

#include "bench/build.h"
#include "bench/files.h"
#include "bench/journal.h"
#include "bench/machine.h"
#include "bench/process.h"
#include "bench/progress.h"
#include "bench/table.h"
#include "bench/worker.h"
#include "plots/plot.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define SPIN_COUNT "10000"

struct run {
    const struct run_request *request;
    struct sweep sweep;
    char folder[PATH_MAX - 256]; /* leaves room for the names inside */
    char machine[MACHINE_TYPE_SIZE];
    struct journal *journal;
    struct progress progress;
    size_t count[RESULT_COUNT];
};

/* The first of these signals ends the run after the round that is under way; the second one ends it at once. */
static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

static void utc_now(const char *format, size_t capacity, char text[capacity])
{
    time_t now = time(NULL);
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(text, capacity, format, &parts);
}

static void path_in(const struct run *run, const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", run->folder, name);
}

/* A folder of this run's own, results/NAME/TIME, with a number behind it where another run has begun in the same second. */
static bool make_folder(struct run *run, struct error *error)
{
    char parent[PATH_MAX - 512], stamp[32];
    int length = snprintf(parent, sizeof parent, "%s/%s", run->request->results, run->sweep.name);
    if (length < 0 || (size_t)length >= sizeof parent)
        return fail(error, "%.200s...: the path of the results folder is too long", run->request->results);
    if (!files_make_folder(parent, error))
        return false;
    utc_now("%Y-%m-%dT%H-%M-%SZ", sizeof stamp, stamp);
    for (int attempt = 1; attempt < 1000; attempt++) {
        if (attempt == 1)
            snprintf(run->folder, sizeof run->folder, "%s/%s", parent, stamp);
        else
            snprintf(run->folder, sizeof run->folder, "%s/%s-%d", parent, stamp, attempt);
        if (mkdir(run->folder, 0777) == 0)
            return true;
        if (errno != EEXIST)
            break;
    }
    return fail(error, "%s: cannot make the folder of this run: %s", run->folder, strerror(errno));
}

static bool write_json(const struct run *run, const char *name, json_t *json, struct error *error)
{
    char path[PATH_MAX];
    path_in(run, name, path);
    char *text = json != NULL ? json_dumps(json, JSON_INDENT(2)) : NULL;
    bool good = text != NULL ? files_write(path, text, strlen(text), error) : fail(error, "no memory for %s", name);
    free(text);
    json_decref(json);
    return good;
}

/* What the child said, or what became of it. The object belongs to the caller; NULL when out of memory. */
static json_t *outcome(const struct process_result *process, double time_limit)
{
    char message[512];
    enum result result = RESULT_CRASHED;
    json_t *finding = json_loads(process->output, 0, NULL);
    if (!process->timed_out && process->signal == 0 && process->exit_status == 0 && json_is_object(finding))
        return finding;
    json_decref(finding);
    if (process->timed_out) {
        result = RESULT_TIMED_OUT;
        snprintf(message, sizeof message, "stopped after the time limit of %g s", time_limit);
    } else if (process->flooded) {
        snprintf(message, sizeof message, "wrote more than %d MiB", PROCESS_OUTPUT_MAX >> 20);
    } else if (process->signal != 0) {
        snprintf(message, sizeof message, "ended by signal %d (%s)", process->signal, strsignal(process->signal));
    } else {
        snprintf(message, sizeof message, "exit status %d: %.400s", process->exit_status, process->errors);
    }
    return json_pack("{ss so sn sn}", "result", result_name(result), "message", json_text(message), "place", "inputs");
}

/* One round of one point, into the journal. */
static bool round_of(struct run *run, const struct point *point, const char *label, struct error *error)
{
    const struct limits limits = {.samples = run->sweep.run.samples, .time_limit = run->sweep.run.time_limit};
    const char *const argv[] = {run->request->program, "worker", NULL};
    char started[32], key[KEY_SIZE], log[PATH_MAX];
    utc_now("%Y-%m-%dT%H:%M:%SZ", sizeof started, started);
    point_key(point, run->machine, key);
    path_in(run, "log.txt", log);
    char *input = worker_request(point, &limits);
    if (input == NULL)
        return fail(error, "no memory to describe a point");
    const struct process_request request = {
        .argv = argv, .input = input, .input_size = strlen(input), .log = log, .time_limit = limits.time_limit};
    struct process_result process;
    bool good = process_run(&request, &process, error);
    free(input);
    if (!good)
        return false;

    json_t *finding = outcome(&process, limits.time_limit);
    json_t *record = json_pack("{si ss si ss ss so so so}", "version", RECORD_VERSION, "key", key, "round", 0, "started", started,
                               "machine", run->machine, "build", json_text(build_identity(point_implementation(point)->name)),
                               "harness", json_text(build_identity("harness")), "point", point_to_json(point));
    json_t *account = json_pack("{sf sI si si}", "wall_s", process.wall, "peak_bytes", (json_int_t)process.peak_bytes, "signal",
                                process.signal, "exit", process.exit_status);
    for (int i = 0; measure_word(i) != NULL; i++)
        if (json_object_get(finding, measure_word(i)) == NULL)
            json_object_set_new(finding, measure_word(i), json_null());
    good = record != NULL && finding != NULL && json_object_update(record, finding) == 0 &&
           json_object_set(record, "process", account) == 0;
    if (!good)
        fail(error, "no memory for a record");
    enum result result = good ? result_find(json_string_value(json_object_get(record, "result"))) : RESULT_COUNT;
    if (good && result == RESULT_COUNT)
        good = fail(error, "a worker answered with a result that is none");
    good = good && journal_append(run->journal, record, error);
    if (good) {
        run->count[result]++;
        progress_finished(&run->progress, label, result_name(result), result_failed(result), process.wall);
    }
    json_decref(record);
    json_decref(finding);
    json_decref(account);
    process_result_free(&process);
    return good;
}

static bool measure_all(struct run *run, FILE *out, struct error *error)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    enum { SIGNALS = sizeof signals / sizeof signals[0] };
    struct sigaction old[SIGNALS], action = {.sa_handler = interrupt, .sa_flags = SA_RESETHAND | SA_RESTART};
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &action, &old[i]);
    progress_begin(&run->progress, out, run->sweep.n_points);
    bool good = true;
    for (size_t i = 0; i < run->sweep.n_points && good && !interrupted; i++) {
        char label[160];
        point_label(&run->sweep.point[i], sizeof label, label);
        progress_running(&run->progress, label);
        good = round_of(run, &run->sweep.point[i], label, error);
    }
    progress_end(&run->progress);
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &old[i], NULL);
    return good;
}

static size_t points_left(const struct run *run)
{
    size_t measured = 0;
    for (enum result result = 0; result < RESULT_COUNT; result++)
        measured += run->count[result];
    return measured < run->sweep.n_points ? run->sweep.n_points - measured : 0;
}

/* How many points ended how. */
static void print_results(const struct run *run, FILE *out)
{
    fprintf(out, "\nResults:");
    for (enum result result = 0; result < RESULT_COUNT; result++)
        if (run->count[result] > 0)
            fprintf(out, " %zu %s%s", run->count[result], result_name(result), result_failed(result) ? " (!)" : "");
    size_t left = points_left(run);
    if (left > 0)
        fprintf(out, "; %zu of %zu points were not measured", left, run->sweep.n_points);
    fprintf(out, "\n\n  %s/\n    journal.jsonl  every record, raw samples included\n    machine.json   what it was measured on\n",
            run->folder);
}

/* Table and plots from the journal, and where everything is. What was measured is said before anything that can still fail. */
static bool conclude(struct run *run, const char *journal, FILE *out, struct error *error)
{
    char table[PATH_MAX];
    struct plots_drawn drawn;
    path_in(run, "table.csv", table);
    bool printed = table_print(out, journal, error);
    print_results(run, out);
    if (!printed || !table_write(journal, table, error))
        return false;
    fprintf(out, "    table.csv      one row a record, units in the header\n");
    if (!plots_draw(&run->sweep, journal, run->folder, &drawn, error))
        return false;
    fprintf(out, "    plots/*.svg    %zu pictures, each with its script and data\n", drawn.pictures);
    if (drawn.note[0] != '\0')
        fprintf(out, "\n%s\n", drawn.note);
    return (fflush(out) == 0 && !ferror(out)) || fail(error, "the summary could not be written: %s", strerror(errno));
}

static bool keep_sweep_file(const struct run *run, struct error *error)
{
    char path[PATH_MAX];
    path_in(run, "sweep.yaml", path);
    return files_write(path, run->sweep.source.text, run->sweep.source.size, error);
}

bool run_sweep(const struct run_request *request, FILE *out, enum run_end *end, struct error *error)
{
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return fail(error, "no memory for a run");
    run->request = request;
    *end = RUN_COMPLETE;
    if (!sweep_read(request->sweep_path, request->many, &run->sweep, error)) {
        free(run);
        return false;
    }
    /* Threads that wait for each other spin briefly and then sleep: while another process has one of the processors, OpenMP's own
     * default, to spin for milliseconds, makes a call of microseconds take as long as a time slice. machine.json records it. */
    setenv("GOMP_SPINCOUNT", SPIN_COUNT, 0);
    machine_type(run->machine);
    char journal[PATH_MAX] = "";
    bool good = make_folder(run, error) && keep_sweep_file(run, error) && write_json(run, "machine.json", machine_facts(), error);
    if (good) {
        path_in(run, "journal.jsonl", journal);
        good = journal_open(journal, &run->journal, error) && measure_all(run, out, error);
        journal_close(run->journal);
        struct error later; /* the first error is the one to report; what was measured before it is concluded all the same */
        good = conclude(run, journal, out, good ? error : &later) && good;
    }
    if (points_left(run) > 0)
        *end = RUN_INTERRUPTED;
    for (enum result result = 0; result < RESULT_COUNT; result++)
        if (result_failed(result) && run->count[result] > 0)
            *end = RUN_FAILED;
    sweep_free(&run->sweep);
    free(run);
    return good;
}

/* Counts the records of a journal by their results. */
static bool count_record(json_t *record, void *context)
{
    struct run *run = context;
    enum result result = result_find(json_string_value(json_object_get(record, "result")));
    if (result < RESULT_COUNT)
        run->count[result]++;
    return true;
}

bool run_draw(const char *folder, FILE *out, struct error *error)
{
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return fail(error, "no memory to draw a run");
    char path[PATH_MAX], journal[PATH_MAX];
    size_t torn, length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    bool good = length > 0 && length < sizeof run->folder;
    snprintf(run->folder, sizeof run->folder, "%.*s", (int)length, folder);
    path_in(run, "sweep.yaml", path);
    path_in(run, "journal.jsonl", journal);
    if (!good)
        fail(error, "expected the folder of a run, such as results/quick/2026-11-23T19-34-59Z");
    good = good && sweep_read(path, true, &run->sweep, error);
    if (good) {
        good = journal_read(journal, count_record, run, &torn, error) && conclude(run, journal, out, error);
        sweep_free(&run->sweep);
    }
    free(run);
    return good;
}
