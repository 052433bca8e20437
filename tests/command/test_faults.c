/* Every call that can fail does fail once: a tiny sweep is run with its n-th allocation, write, fsync or fork failing (tests/faults/),
 * or the clock set back a day at the n-th time that it is read, in the program or in the processes that it measures in. Each time the
 * program must end by itself with a documented status, leave a journal that can be read and nothing half-written, and the same
 * command without the fault must then complete. A disk that is full, or fails, from the n-th call on is no result of any round: the run
 * says so, and then the same command completes, without --retry.
 *
 * make test tries every n of the kinds that are few, and a sample of the allocations; FAULTS=every (make faults) tries every n,
 * FAULTS=disk every n of that kind. */
#include "bench/base/random.h"
#include "tests/support/outcome.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *suite_faults(void);

enum { SEED = 20261123 };

static const struct fault {
    const char *kind, *where;
    bool trains;      /* the sweep has a training */
    uint64_t sampled; /* how many n make test tries at most; 0: all of them */
} faults[] = {
    {"write", "run", false, 0}, {"short", "run", false, 0},   {"fsync", "run", false, 0},     {"fork", "run", false, 0},
    {"lock", "run", false, 0},  {"nolock", "run", false, 0},
    {"clock", "run", false, 0}, {"malloc", "run", false, 16}, {"malloc", "worker", false, 6}, {"write", "worker", false, 4},
    {"disk", "any", false, 8},  {"disk", "any", true, 12},    {"disk", "worker", true, 6},
};

/* What a disk can say, by turns. */
static const int disk_reasons[] = {ENOSPC, EDQUOT, EIO, EROFS, EFBIG};
enum { DISK_REASONS = sizeof disk_reasons / sizeof disk_reasons[0] };

#ifdef __SANITIZE_ADDRESS__ /* its allocator must come before any other */
enum { FAULTS = 0 };
#else
enum { FAULTS = sizeof faults / sizeof faults[0] };
#endif

static char program[PATH_MAX];
static uint64_t failures;

static void setup(void)
{
    program_find("bench", program);
    scratch_make();
    scratch_write(scratch_path("tiny.yaml"), outcome_sweep, strlen(outcome_sweep));
    scratch_write(scratch_path("trained.yaml"), outcome_trained_sweep, strlen(outcome_trained_sweep));
}

static bool is_disk(const struct fault *fault)
{
    return strcmp(fault->kind, "disk") == 0;
}

static const char *verdict(const struct fault *fault, const struct outcome *faulted, const struct outcome *again)
{
    if (!faulted->ended)
        return "it did not end by itself";
    if (faulted->status != 0 && faulted->status != 1 && faulted->status != 2)
        return "an undocumented status";
    if (faulted->unsound != NULL)
        return faulted->unsound;
    if (faulted->status == 2 && faulted->errors[0] == '\0')
        return "status 2 without a word";
    if (faulted->status == 0 && !faulted->complete)
        return "status 0 with something missing";
    if (faulted->status == 1 && !faulted->failed)
        return "status 1 without a failed point";
    if (is_disk(fault) && (faulted->status == 1 || faulted->failed))
        return "a full disk became a result";
    if (is_disk(fault) && faulted->status == 2 && strstr(faulted->errors, "give the same command again") == NULL)
        return "it does not say what to do";
    if (strcmp(fault->where, "run") == 0 && faulted->failed)
        return "a point failed where only the program itself did";
    if (again->unsound != NULL)
        return again->unsound;
    return again->ended && again->status == 0 && again->complete ? NULL : "the same command again did not complete";
}

/* Lets the n-th call fail. Returns how many there were. */
static uint64_t attempt(const struct fault *fault, uint64_t n, int job)
{
    char results[PATH_MAX], kind[64], count[PATH_MAX + 16], name[32], reason[16];
    struct faulted under;
    snprintf(name, sizeof name, "results%d", job);
    snprintf(results, sizeof results, "%s", scratch_path(name));
    snprintf(kind, sizeof kind, "%s:%llu", fault->kind, (unsigned long long)n);
    snprintf(count, sizeof count, "%s.calls", results);
    program_faulted(kind, fault->where, count, &under);
    snprintf(reason, sizeof reason, "%d", disk_reasons[n % DISK_REASONS]);
    setenv("FAULT_REASON", reason, 1);
    const char *sweep = scratch_path(fault->trains ? "trained.yaml" : "tiny.yaml");
    const char *const plain_argv[] = {program, sweep, "--results", results, is_disk(fault) ? NULL : "--retry", NULL};
    const char *faulted_argv[FAULTED_WORDS + sizeof plain_argv / sizeof plain_argv[0]];
    memcpy(faulted_argv, under.word, sizeof under.word);
    memcpy(faulted_argv + FAULTED_WORDS, plain_argv, sizeof plain_argv);
    struct outcome faulted = outcome_run(faulted_argv, results);
    /* What completed is complete: running it again tells nothing, unless its records come from the future. */
    bool settled = faulted.status == 0 && faulted.complete && strcmp(fault->kind, "clock") != 0;
    struct outcome again = settled ? faulted : outcome_run(plain_argv, results);
    struct fault_counts counts = program_fault_counts(count);
    const char *wrong = verdict(fault, &faulted, &again);
    if ((counts.failed > 0) != (n >= 1 && n <= counts.calls))
        wrong = "the call that should fail did not";
    if (wrong != NULL)
        fprintf(stderr, "faults: %s %s: %s (status %d, %zu records; then %d): %s\n", fault->where, kind, wrong, faulted.status,
                faulted.records, again.status, faulted.errors);
    failures += wrong != NULL;
    if (access(results, F_OK) == 0)
        nftw(results, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    unlink(count);
    return counts.calls;
}

/* One of several processes that share the n among them. */
static void try_share(const struct fault *fault, uint64_t first, uint64_t stride, int job, int jobs)
{
    uint64_t n = first + (uint64_t)job * stride;
    while (attempt(fault, n, job) >= n)
        n += (uint64_t)jobs * stride;
}

START_TEST(nothing_that_fails_breaks_a_run)
{
    const struct fault *fault = &faults[_i];
    const char *wanted = getenv("FAULTS");
    bool every = fault->sampled == 0 || (wanted != NULL && (strcmp(wanted, "every") == 0 || strcmp(wanted, fault->kind) == 0));
    failures = 0;
    uint64_t calls = attempt(fault, 0, 0), stride = every ? 1 : calls / fault->sampled + 1;
    ck_assert_msg(calls > 0 && failures == 0, "no call of %s was seen in %s, or it fails without a fault", fault->kind,
                  fault->where);
    uint64_t first = 1 + (uint64_t)(random_uniform(SEED, 1, (uint64_t)_i) * (double)stride);
    enum { JOBS = 2 };
    int failed_jobs = 0;
    fflush(NULL);
    for (int job = 0; job < JOBS; job++) {
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            failures = 0;
            try_share(fault, first, stride, job, JOBS);
            _exit(failures > 0);
        }
    }
    for (int job = 0, status; job < JOBS; job++)
        failed_jobs += wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    printf("faults: %s in %s: %llu calls, %s failed once\n", fault->kind, fault->where, (unsigned long long)calls,
           stride == 1 ? "each" : "some");
    ck_assert_msg(failed_jobs == 0, "see above");
}
END_TEST

Suite *suite_faults(void)
{
    Suite *suite = suite_create("faults");
    TCase *tests = tcase_create("faults");
    tcase_add_checked_fixture(tests, setup, scratch_remove);
    tcase_add_loop_test(tests, nothing_that_fails_breaks_a_run, 0, FAULTS);
    suite_add_tcase(suite, tests);
    return suite;
}
