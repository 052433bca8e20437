/* The implementations on the CUDA device without a card: their kernels run on the CPU (tests/cuda/runner.h), in every order of threads
 * and blocks, plain and under sanitizers; bugs that are planted must be caught. */
#include "bench/base/process.h"
#include "impls/impl.h"
#include "tests/support/program.h"

#include <stdlib.h>
#include <string.h>

#undef fail

Suite *suite_cuda(void);

enum { LINE_MAX_BYTES = 512, OUTPUT_BYTES = 1 << 15 };

/* A program of this build, and how it ended; -1: by a signal. Its words are in output. */
static int run(const char *const *argv, char output[OUTPUT_BYTES])
{
    char path[PATH_MAX];
    struct process_result result;
    struct error error;
    program_find(argv[0], path);
    /* kernels that spread addresses widely confuse older sanitizers: ThreadSanitizer wants them still */
    const char *arguments[12] = {"setarch", "-R", path}, **own = arguments + 2;
    for (int i = 1; argv[i] != NULL; i++)
        own[i] = argv[i];
    bool still = strstr(argv[0], "thread") != NULL;
    struct process_request request = {.argv = still ? arguments : own, .time_limit = HANG};
    ck_assert_msg(process_run(&request, &result, &error), "%s", error.text);
    snprintf(output, OUTPUT_BYTES, "%s%s", result.output, result.errors);
    int status = result.signal == 0 ? result.exit_status : -1;
    ck_assert_msg(!result.timed_out, "%s takes too long", argv[0]);
    process_result_free(&result);
    return status;
}

/* Whether the build makes programs of this way (tests/cuda/rules.mk): where it does and they are missing, their tests fail. */
static bool built(const char *way)
{
    return strstr(KERNEL_WAYS, way) != NULL;
}

/* ---- The runner -------------------------------------------------------------------------------------------------------------- */

/* In this way a kernel without a bug is right, and one with a bug ends otherwise and says so. */
static const struct {
    const char *way, *kind, *order, *resident, *says; /* says: NULL where there is no bug */
} bugs[] = {
    {"plain", "sum", "forward", "1", NULL},
    {"plain", "sum", "reverse", "2", NULL},
    {"plain", "sum", "random", "0", NULL},
    {"plain", "missing-barrier", "forward", "1", NULL}, /* what plain order does not show */
    {"plain", "missing-barrier", "reverse", "1", "wrong: block"},
    {"plain", "missing-barrier", "random", "1", "wrong: block"},
    {"plain", "divergent-barrier", "forward", "1", "threads of a block meet at different barriers: block 0, thread 0 at bugs.cc:"},
    {"plain", "early-return", "forward", "1", "barrier that not all threads reach: block 0, thread 0 at bugs.cc:"},
    {"plain", "divergent-shuffle", "forward", "1", "not all lanes of a warp meet: block 0, thread 0 at bugs.cc:"},
    {"plain", "uninitialised", "forward", "1", "wrong: block 0 has -nan"},
    {"plain", "warp", "random", "1", NULL},
    {"plain", "chain", "reverse", "1", NULL},
    {"plain", "chain", "random", "0", NULL},
    {"plain", "missing-ticket", "forward", "1", NULL}, /* nor this */
    {"plain", "missing-ticket", "reverse", "2", "waits for a word that nobody writes: block 5, thread 0 at bugs.cc:"},
    {"address", "sum", "random", "2", NULL},
    {"address", "chain", "random", "2", NULL},
    {"address", "out-of-bounds", "forward", "1", "AddressSanitizer"},
    {"thread", "sum", "forward", "2", NULL},
    {"thread", "missing-barrier", "forward", "1", "ThreadSanitizer: data race"},
    {"thread", "warp", "forward", "2", NULL},
    {"thread", "missing-warp-barrier", "forward", "1", "ThreadSanitizer: data race"},
    {"thread", "chain", "random", "0", NULL},
    {"thread", "missing-release", "random", "2", "ThreadSanitizer: data race"},
};

START_TEST(runner)
{
    char name[64], output[OUTPUT_BYTES];
    snprintf(name, sizeof name, "bugs-%s", bugs[_i].way);
    const char *argv[] = {name, bugs[_i].kind, bugs[_i].order, bugs[_i].resident, NULL};
    if (!built(bugs[_i].way))
        return; /* there is no clang++ */
    int status = run(argv, output);
    if (bugs[_i].says == NULL)
        ck_assert_msg(status == 0, "%s %s %s: status %d: %s", name, bugs[_i].kind, bugs[_i].order, status, output);
    else
        ck_assert_msg(status != 0 && strstr(output, bugs[_i].says) != NULL, "%s %s %s: status %d: %s", name, bugs[_i].kind,
                      bugs[_i].order, status, output);
}
END_TEST

/* ---- No device ---------------------------------------------------------------------------------------------------------------- */

/* What the list says of every row by a driver (tests/cuda/driver.c) that knows this CUDA and answers so when it is to begin. */
static const struct {
    const char *version, *answer, *says;
} drivers[] = {
    {"0", "0", "no NVIDIA driver (CUDA "},
    {"9020", "0", "the NVIDIA driver is too old: it knows CUDA 9.2, this was built with CUDA "},
    {"99000", "34", "no NVIDIA driver: libcuda is the Toolkit's stub (CUDA error 34)"},
    {"99000", "100", "no CUDA device: the NVIDIA driver (CUDA 99.0) shows none"},
    {"99000", "999", "no CUDA device can be used: unknown error (CUDA error 999)"},
};

static int occurrences(const char *text, const char *word)
{
    int n = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
        n++;
    return n;
}

START_TEST(no_device)
{
    char folder[PATH_MAX], output[OUTPUT_BYTES];
    const char *argv[] = {"bench", "list", NULL};
    snprintf(folder, sizeof folder, "%s/driver", program_folder());
    setenv("LD_LIBRARY_PATH", folder, 1);
    setenv("DRIVER_VERSION", drivers[_i].version, 1);
    setenv("DRIVER_ANSWER", drivers[_i].answer, 1);
    ck_assert_int_eq(run(argv, output), 0);
    if (strstr(output, "built without CUDA") != NULL)
        return; /* then nobody asks the driver */
    int rows = 0;
    for (int i = 0; i < registry_count(); i++)
        rows += registry_get(i, DTYPE_FLOAT32, LEVEL_BASELINE)->device == DEVICE_CUDA;
    ck_assert_msg(occurrences(output, drivers[_i].says) == rows, "%s is not said of %d rows: %s", drivers[_i].says, rows, output);
}
END_TEST

/* A card that refuses every call, and has too little memory: device.c itself says so, by a made-up runtime (tests/cuda/runtime.c). */
START_TEST(refused)
{
    char path[PATH_MAX], output[OUTPUT_BYTES];
    const char *argv[] = {"device-refused", NULL};
    snprintf(path, sizeof path, "%s/device-refused", program_folder());
    if (access(path, X_OK) != 0)
        return; /* built without CUDA: there is no device.c */
    ck_assert_msg(run(argv, output) == 0, "%s", output);
}
END_TEST

/* ---- The implementations ----------------------------------------------------------------------------------------------------- */

static const struct {
    const char *way, *work;
} ways[] = {{"plain", "all"}, {"address", "some"}, {"thread", "few"}};
enum { WAYS = sizeof ways / sizeof ways[0] };

START_TEST(implementations)
{
    const struct implementation *one = registry_get(_i / WAYS, DTYPE_FLOAT32, LEVEL_BASELINE);
    char name[64], output[OUTPUT_BYTES];
    snprintf(name, sizeof name, "kernels-%s", ways[_i % WAYS].way);
    const char *argv[] = {name, ways[_i % WAYS].work, one->name, NULL};
    if (one->device != DEVICE_CUDA || !built(ways[_i % WAYS].way))
        return;
    int status = run(argv, output);
    ck_assert_msg(status == 0, "%s %s: status %d: %s", name, one->name, status, output);
}
END_TEST

/* What measures the device's limits has kernels as well. */
START_TEST(limits)
{
    char name[64], output[OUTPUT_BYTES];
    snprintf(name, sizeof name, "limits-%s", ways[_i].way);
    const char *argv[] = {name, NULL};
    if (!built(ways[_i].way))
        return;
    int status = run(argv, output);
    ck_assert_msg(status == 0, "%s: status %d: %s", name, status, output);
}
END_TEST

/* ---- Planted bugs ------------------------------------------------------------------------------------------------------------ */

enum { PLANTED_MAX = 128 };
static char planted[PLANTED_MAX][64];

/* The first words of tests/cuda/planted.list. */
static int read_planted(void)
{
    FILE *file = fopen("tests/cuda/planted.list", "r");
    char line[LINE_MAX_BYTES];
    int n = 0;
    while (file != NULL && n < PLANTED_MAX && fgets(line, sizeof line, file) != NULL)
        if (line[0] != '#' && sscanf(line, "%63s", planted[n]) == 1)
            n++;
    if (file != NULL)
        fclose(file);
    return n;
}

START_TEST(planted_bugs)
{
    char implementation[64], bug[64], way[64], program[96], object[PATH_MAX], output[OUTPUT_BYTES];
    ck_assert_int_eq(sscanf(planted[_i], "%63[^.].%63[^.].%63s", implementation, bug, way), 3);
    snprintf(program, sizeof program, "kernels-%s", way);
    snprintf(object, sizeof object, "%s/kernels/planted/%s.so", program_folder(), planted[_i]);
    const char *argv[] = {program, "few", implementation, object, NULL};
    if (!built(way))
        return;
    ck_assert_msg(access(object, R_OK) == 0, "%s is missing", object);
    int status = run(argv, output);
    if (strcmp(bug, "none") == 0) {
        ck_assert_msg(status == 0, "%s has no bug: status %d: %s", planted[_i], status, output);
        return;
    }
    const char *summary = strstr(output, "SUMMARY: AddressSanitizer: ");
    bool leak = summary != NULL && strstr(summary, "leaked in") != NULL; /* of a test that gave up */
    bool sanitizer = (summary != NULL && !leak) || strstr(output, "runtime error") != NULL ||
                     strstr(output, "SUMMARY: ThreadSanitizer: data race") != NULL;
    bool caught = strcmp(way, "plain") == 0 ? status == 1 || status == -1 : sanitizer && status != 0;
    ck_assert_msg(caught, "%s goes unnoticed: status %d: %s", planted[_i], status, output);
}
END_TEST

/* Every implementation has its barrier and its index. */
START_TEST(planted_everywhere)
{
    int n = read_planted();
    for (int i = 0; i < registry_count(); i++) {
        const struct implementation *one = registry_get(i, DTYPE_FLOAT32, LEVEL_BASELINE);
        int barriers = 0, indices = 0;
        for (int k = 0; k < n; k++)
            if (strncmp(planted[k], one->name, strlen(one->name)) == 0 && planted[k][strlen(one->name)] == '.') {
                barriers += strstr(planted[k], ".barrier.") != NULL;
                indices += strstr(planted[k], ".index.") != NULL;
            }
        ck_assert_msg(one->device != DEVICE_CUDA || (barriers > 0 && indices > 0), "no bug is planted in %s", one->name);
    }
}
END_TEST

Suite *suite_cuda(void)
{
    Suite *suite = suite_create("cuda");
    TCase *tests = tcase_create("runner"), *absent = tcase_create("absent"), *kernels = tcase_create("kernels"),
          *found = tcase_create("planted");
    tcase_add_loop_test(tests, runner, 0, sizeof bugs / sizeof bugs[0]);
    tcase_add_loop_test(absent, no_device, 0, sizeof drivers / sizeof drivers[0]);
    tcase_add_test(absent, refused);
    tcase_add_loop_test(kernels, implementations, 0, registry_count() * WAYS);
    tcase_add_loop_test(kernels, limits, 0, 2); /* plain and address: thread takes too long */
    tcase_add_loop_test(found, planted_bugs, 0, read_planted());
    tcase_add_test(found, planted_everywhere);
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, absent);
    suite_add_tcase(suite, kernels);
    suite_add_tcase(suite, found);
    return suite;
}
