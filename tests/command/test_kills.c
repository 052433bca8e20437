/* Runs that are killed at random moments, and go on: nothing may be lost, doubled or changed, and what they end with must be what an
 * undisturbed run ends with, in every figure that is not a time. KILLS says how many (make kills: 200). */
#include "bench/base/clock.h"
#include "bench/base/process.h"
#include "bench/base/random.h"
#include "bench/journal/journal.h"
#include "bench/journal/records.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KILLS_DEFAULT = 10, CELLS_MAX = 1000, STREAM_KILLS = 90 };

static const char *const sweeps[] = {
    "name: killed\nproblem: {B: 2, T: 32, d: 8, mixer: dplr}\nregime: {kappa: 0.5}\nsettings: {l: [2, 5]}\n"
    "impls: [fixed_point, structured_sequential]\nmeasure: [convergence, throughput]\nrun: {samples: 2, rounds: 3, threads: 1, "
    "time_limit: 1 h, calibration: none}\n",
    "name: killed\nproblem: {T: 16, d: 8}\nregime: {kappa: 0.7}\nimpls: [fixed_point, planted_crash, planted_off]\n"
    "measure: throughput\nrun: {samples: 2, rounds: 4, order_seed: 3, time_limit: 1 h, calibration: none}\n",
    "name: killed\nproblem: {T: [1, 40], d: 6, dtype: float64, mixer: none}\nimpls: diagonal_scan\nmeasure: throughput\n"
    "run: {samples: 2, rounds: 6, time_limit: 1 h, calibration: none, until: {relative_interval: 0.00000001%, at_most: 8 "
    "rounds}}\n",
};
enum { SWEEPS = sizeof sweeps / sizeof sweeps[0] };

static char program[PATH_MAX];

static void setup(void)
{
    program_find("bench-planted", program);
    scratch_make();
}

static void teardown(void)
{
    scratch_remove();
}

/* Starts the sweep with its output thrown away. */
static pid_t start(const char *sweep, const char *results)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        int nowhere = open("/dev/null", O_RDWR);
        for (int end = 0; end < 3; end++)
            dup2(nowhere, end);
        execl(program, program, sweep, "--results", results, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static void sleep_for(double seconds)
{
    struct timespec time = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
}

/* The whole lines of a journal; what comes after them is torn. */
static char *whole_lines(const char *journal)
{
    if (access(journal, F_OK) != 0)
        return strdup("");
    char *text = scratch_read(journal), *end = strrchr(text, '\n');
    end != NULL ? (void)(end[1] = '\0') : (void)(text[0] = '\0');
    return text;
}

/* ---- Comparing ------------------------------------------------------------------------------------------------------------------ */

/* What of a record is a time, or depends on times. */
static const char *const times[] = {"started", "load", "warnings", "process"};
static const char *const figures_kept[] = {"bytes",
                                           "operations",
                                           "set",
                                           "error_iterate",
                                           "error_exact",
                                           "residual",
                                           "tolerance",
                                           "validated_against",
                                           "validated_sequence",
                                           "applications",
                                           "l_run"};

static json_t *without_times(const json_t *record)
{
    json_t *kept = json_deep_copy(record), *throughput = json_object_get(kept, "throughput");
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        json_object_del(kept, times[i]);
    if (json_is_object(throughput)) {
        json_t *figures = json_object();
        for (size_t i = 0; i < sizeof figures_kept / sizeof figures_kept[0]; i++)
            json_object_set(figures, figures_kept[i], json_object_get(throughput, figures_kept[i]));
        json_object_set_new(kept, "throughput", figures);
    }
    return kept;
}

static bool same_round(const json_t *a, const json_t *b)
{
    return json_equal(json_object_get(a, "key"), json_object_get(b, "key")) &&
           json_equal(json_object_get(a, "round"), json_object_get(b, "round"));
}

static bool keep(json_t *record, void *list)
{
    return json_array_append(list, record) == 0;
}

static json_t *read_all(const char *journal)
{
    struct error error;
    struct unread unread;
    json_t *list = json_array();
    ck_assert_msg(journal_read(journal, keep, list, &unread, &error), "%s", error.text);
    ck_assert_uint_eq(unread.torn, 0);
    return list;
}

static void compare_journals(const char *undisturbed, const char *killed)
{
    json_t *expected = read_all(undisturbed), *found = read_all(killed);
    ck_assert_uint_eq(json_array_size(expected), json_array_size(found)); /* none lost, none doubled: each has its equal below */
    for (size_t i = 0; i < json_array_size(expected); i++) {
        const json_t *record = json_array_get(expected, i);
        size_t n = 0;
        for (size_t k = 0; k < json_array_size(found); k++) {
            const json_t *other = json_array_get(found, k);
            if (!same_round(record, other))
                continue;
            json_t *left = without_times(record), *right = without_times(other);
            ck_assert_msg(json_equal(left, right), "a record differs: %s", json_dumps(right, JSON_COMPACT));
            json_decref(left);
            json_decref(right);
            n++;
        }
        ck_assert_uint_eq(n, 1);
    }
    json_decref(expected);
    json_decref(found);
}

/* Cuts a line of a table into its cells, in place. */
static int split(char *line, char *cell[CELLS_MAX])
{
    int n = 0;
    bool quoted = false;
    cell[n++] = line;
    for (char *c = line; *c != '\0'; c++) {
        quoted ^= *c == '"';
        if (*c == ',' && !quoted) {
            *c = '\0';
            ck_assert_int_lt(n, CELLS_MAX);
            cell[n++] = c + 1;
        }
    }
    return n;
}

/* Words in the name of a column that is a time, a spread of times, or what the machine did meanwhile. */
static bool is_time(const char *name)
{
    static const char *const words[] = {
        "seconds",  "per_s",    "ms_per_step", "started",   "ended", "peak_bytes", "variation",
        "warnings", "outlying", "bound_",      "calls_per", "load_", "process_",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(name, words[i]) != NULL)
            return true;
    return false;
}

/* Drops the cells of columns that are times from a line, in place: what of them is filled depends on the machine. */
static int drop_times(char **name, int n, char **cell)
{
    int kept = 0;
    for (int i = 0; i < n; i++)
        if (!is_time(name[i]))
            cell[kept++] = cell[i];
    return kept;
}

static void compare_tables(const char *undisturbed, const char *killed)
{
    char *text[2] = {scratch_read(undisturbed), scratch_read(killed)}, *rest[2];
    char *name[2][CELLS_MAX], *cell[2][CELLS_MAX], *line[2];
    int n[2] = {0, 0}, kept[2], compared = 0;
    for (int row = 0;; row++) {
        for (int t = 0; t < 2; t++) {
            line[t] = strtok_r(row == 0 ? text[t] : NULL, "\n", &rest[t]);
            n[t] = row == 0 ? split(line[t], name[t]) : n[t];
        }
        ck_assert((line[0] == NULL) == (line[1] == NULL));
        if (line[0] == NULL)
            break;
        for (int t = 0; t < 2; t++) {
            if (row == 0)
                memcpy(cell[t], name[t], sizeof cell[t]);
            else
                ck_assert_int_eq(split(line[t], cell[t]), n[t]);
            kept[t] = drop_times(name[t], n[t], cell[t]);
        }
        ck_assert_int_eq(kept[0], kept[1]);
        for (int i = 0; i < kept[0]; i++, compared++)
            ck_assert_msg(strcmp(cell[0][i], cell[1][i]) == 0, "row %d, cell %d: %s and %s", row, i, cell[0][i], cell[1][i]);
    }
    ck_assert_int_gt(compared, 40);
    free(text[0]);
    free(text[1]);
}

/* ---- Killing -------------------------------------------------------------------------------------------------------------------- */

/* Kills and goes on until the run ends by itself, or there were enough kills. latest: seconds, about as long as the whole sweep takes,
 * so that its end is hit as well. Each time at another moment, whether or not the one before came in time: on a machine that has become
 * faster since, one of them will. Returns how many. */
static int kill_until_done(const char *sweep, const char *results, const char *journal, int already, int enough, double latest)
{
    static uint64_t moments;
    char *before = strdup("");
    int kills = 0, status = -1;
    while (status < 0) {
        pid_t pid = start(sweep, results);
        if (already + kills < enough) {
            sleep_for(latest * random_uniform(1, STREAM_KILLS, moments++));
            kill(pid, SIGKILL);
        }
        int how;
        ck_assert_int_eq(waitpid(pid, &how, 0), pid);
        while (waitpid(-1, NULL, 0) > 0) /* what it had just started dies a little later, and may still hold the journal's lock */
            continue;
        kills += WIFSIGNALED(how);
        status = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
        char *after = whole_lines(journal); /* what was there is there still, to the letter */
        ck_assert_msg(strncmp(before, after, strlen(before)) == 0, "a record was lost or changed");
        free(before);
        before = after;
    }
    ck_assert_msg(status == 0 || status == 1, "status %d", status);
    free(before);
    return kills;
}

START_TEST(nothing_is_lost)
{
    const char *asked = getenv("KILLS");
    int enough = asked != NULL ? (int)strtol(asked, NULL, 10) : KILLS_DEFAULT, kills = 0, runs = 0;
    char undisturbed[SWEEPS][PATH_MAX], results[PATH_MAX], sweep[PATH_MAX], paths[4][PATH_MAX];
    double lasts[SWEEPS];
    ck_assert_int_gt(enough, 0);
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    for (; kills < enough; runs++) {
        int s = runs % SWEEPS;
        snprintf(sweep, sizeof sweep, "%s/%d.yaml", scratch, s);
        snprintf(undisturbed[s], PATH_MAX, "%s/undisturbed-%d", scratch, s);
        snprintf(results, sizeof results, "%s/killed-%d", scratch, runs);
        scratch_write(sweep, sweeps[s], strlen(sweeps[s]));
        if (runs < SWEEPS) {
            double began = clock_seconds();
            kill_until_done(sweep, undisturbed[s], "", 0, 0, 0);
            lasts[s] = clock_seconds() - began;
        }
        snprintf(paths[0], PATH_MAX, "%.900s/killed/run-1/journal.jsonl", results);
        snprintf(paths[1], PATH_MAX, "%.900s/killed/run-1/journal.jsonl", undisturbed[s]);
        snprintf(paths[2], PATH_MAX, "%.900s/killed/run-1/table.csv", results);
        snprintf(paths[3], PATH_MAX, "%.900s/killed/run-1/table.csv", undisturbed[s]);
        kills += kill_until_done(sweep, results, paths[0], kills, enough, lasts[s]);
        compare_journals(paths[1], paths[0]);
        compare_tables(paths[3], paths[2]);
    }
    printf("killed %d times in %d runs\n", kills, runs);
}
END_TEST

Suite *suite_kills(void);

Suite *suite_kills(void)
{
    Suite *suite = suite_create("kills");
    TCase *tests = tcase_create("kills");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, nothing_is_lost);
    suite_add_tcase(suite, tests);
    return suite;
}
