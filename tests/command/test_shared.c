/* A results folder that is shared, or was unpacked from somebody: links, pipes, sockets, devices, folders and further names of a file are
 * planted at every name that the program opens, in a folder that is new and in one that is complete. The program must end by itself,
 * with a documented status; nothing outside may be followed, changed, made or cleaned out; no trouble of this kind becomes a result; and
 * once the object is gone the same command completes.
 *
 * make test tries a sample of objects and names; SHARED=every tries them all. */
#include "bench/base/process.h"
#include "bench/base/random.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>
#include <xxhash.h>

Suite *suite_shared(void);

enum { SEED = 20261130, SAMPLED = 14 /* one object of so many, in make test */, NAMES_MAX = 100 };

static const char sweep_text[] =
    "name: tiny\nmeasure: [training, accuracy]\ntask: [parity labels=all]\nmodel: {layer: [lstm], d: 4, d_model: 4}\n"
    "recipe: {steps: 4, batch: 2, train_length: 4, warmup: 1}\ntest: {test_length: 4, examples: 4}\n"
    "run: {rounds: 1, threads: 1, time_limit: 1 h, training_limit: 1 h, calibration: none}\n";
static const char timed_text[] = "name: tiny\nmeasure: throughput\nimpls: diagonal_scan\nproblem: {T: 4, d: 2, mixer: none}\n"
                                 "run: {rounds: 1, samples: 1, threads: 1, time_limit: 1 h, calibration: none}\n";

/* Names that a complete run does not show: of what comes and goes, and of what is removed. */
static const char *const passing[] = {"tiny/run-1/scale.txt",
                                      "tiny/run-1/comparison.md",
                                      "tiny/run-1/inputs",
                                      "tiny/run-1/table.csv.new",
                                      "tiny/run-1/plots/learning-2.svg",
                                      "tiny/run-1/plots/roofline-2.dat",
                                      "tiny/run-1/plots/learning.svg.new"};

enum object { LINK_TO_FILE, LINK_TO_FOLDER, LINK_TO_NOTHING, PIPE, SOCKET, DEVICE, FOLDER, SECOND_NAME, OBJECTS };
static const char *const objects[OBJECTS] = {"a link to a file", "a link to a folder", "a link to nothing", "a pipe",
                                             "a socket",         "a device",           "a folder",          "a second name"};

static char program[PATH_MAX];

static void setup(void)
{
    program_find("bench", program);
    scratch_make();
    scratch_write(scratch_path("trained.yaml"), sweep_text, strlen(sweep_text));
    scratch_write(scratch_path("timed.yaml"), timed_text, strlen(timed_text));
}

/* ---- What is outside -------------------------------------------------------------------------------------------------------- */

static uint64_t seen;

/* Each entry counts for itself, so that their order does not matter. */
static int see(const char *path, const struct stat *about, int kind, struct FTW *position)
{
    (void)position;
    uint64_t entry = XXH3_64bits_withSeed(path, strlen(path), (uint64_t)kind);
    if (S_ISREG(about->st_mode)) {
        char *text = scratch_read(path);
        entry = XXH3_64bits_withSeed(text, (size_t)about->st_size, entry);
        free(text);
    }
    seen += entry;
    return 0;
}

/* Changes when anything in a folder does. */
static uint64_t look(const char *folder)
{
    seen = 0;
    ck_assert_int_eq(nftw(folder, see, 16, FTW_PHYS), 0);
    return seen;
}

static void clear(const char *path)
{
    struct stat about;
    if (lstat(path, &about) == 0)
        nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void call(const char *const *argv)
{
    struct process_result process;
    struct error error;
    ck_assert_msg(process_run(&(const struct process_request){.argv = argv, .time_limit = HANG}, &process, &error), "%s",
                  error.text);
    ck_assert_msg(process.exit_status == 0, "%s: %s", argv[0], process.errors);
    process_result_free(&process);
}

/* ---- Planting -------------------------------------------------------------------------------------------------------------- */

/* Moves what has the name outside, or puts something there, and plants the object in its place. False where this machine cannot. */
static bool plant(enum object object, const char *path, const char *outside)
{
    char target[PATH_MAX], inner[PATH_MAX + 32];
    struct stat about;
    snprintf(target, sizeof target, "%s/it", outside);
    bool was = lstat(path, &about) == 0, folder = was ? S_ISDIR(about.st_mode) : object == LINK_TO_FOLDER;
    if (object == LINK_TO_NOTHING || object >= PIPE)
        clear(path);
    else if (was && rename(path, target) != 0)
        return false;
    else if (!was && !folder)
        scratch_write(target, "{}\n", 3);
    if (object == LINK_TO_FOLDER && !was) {
        static const char *const inside[] = {"x.safetensors", "roofline-2.svg", "learning-2.dat", "a.0123456789abcdef.new"};
        ck_assert_int_eq(mkdir(target, 0777), 0);
        for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
            snprintf(inner, sizeof inner, "%s/%s", target, inside[i]);
            scratch_write(inner, "x", 1);
        }
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    switch (object) {
    case LINK_TO_FILE:
    case LINK_TO_FOLDER:
        return folder == (object == LINK_TO_FOLDER) && symlink(target, path) == 0;
    case LINK_TO_NOTHING:
        return symlink(target, path) == 0;
    case PIPE:
        return mkfifo(path, 0666) == 0;
    case SOCKET: {
        char here[PATH_MAX];
        const char *name = strrchr(path, '/') + 1;
        snprintf(inner, sizeof inner, "%.*s", (int)(name - path), path);
        snprintf(address.sun_path, sizeof address.sun_path, "%.100s", name);
        int end = socket(AF_UNIX, SOCK_STREAM, 0);
        bool bound =
            getcwd(here, sizeof here) != NULL && chdir(inner) == 0 && bind(end, (struct sockaddr *)&address, sizeof address) == 0;
        ck_assert(chdir(here) == 0 && close(end) == 0);
        return bound;
    }
    case DEVICE:
        return mknod(path, S_IFCHR | 0666, makedev(1, 3)) == 0; /* only for root */
    case FOLDER:
        return !folder && mkdir(path, 0777) == 0;
    default:
        scratch_write(target, "", 0);
        return !folder && link(target, path) == 0;
    }
}

/* ---- One object at one name -------------------------------------------------------------------------------------------------- */

static uint64_t tried, failures;

/* Runs a command on the folder; NULL or what is wrong. */
static const char *attempt(const char *const *argv, const char *outside, uint64_t before, bool must_succeed, char *said)
{
    struct process_result process;
    struct error error;
    ck_assert_msg(process_run(&(const struct process_request){.argv = argv, .time_limit = HANG}, &process, &error), "%s",
                  error.text);
    const char *wrong = process.timed_out || process.signal != 0                ? "it did not end by itself"
                        : process.exit_status != 0 && process.exit_status != 2  ? "an undocumented status, or a result"
                        : process.exit_status == 2 && process.errors[0] == '\0' ? "status 2 without a word"
                        : process.exit_status == 2 && must_succeed              ? "the same command did not complete"
                        : look(outside) != before                               ? "something outside was changed"
                                                                                : NULL;
    snprintf(said, 200, "%.199s", process.errors);
    process_result_free(&process);
    return wrong;
}

/* model: a complete folder to start from; NULL: one that only has the folders above the name. */
static void try_one(const char *sweep, const char *model, const char *name, enum object object)
{
    char results[PATH_MAX / 2], outside[PATH_MAX / 2], path[PATH_MAX], run[PATH_MAX], said[200] = "";
    snprintf(results, sizeof results, "%s/results", scratch);
    snprintf(outside, sizeof outside, "%s/outside", scratch);
    snprintf(path, sizeof path, "%.2000s/%.1000s", results, name);
    snprintf(run, sizeof run, "%.2000s/tiny/run-1", results);
    clear(results);
    clear(outside);
    ck_assert_int_eq(mkdir(outside, 0777), 0);
    if (model != NULL) {
        call((const char *const[]){"cp", "-a", model, results, NULL});
    } else {
        char above[PATH_MAX];
        snprintf(above, sizeof above, "%.*s", (int)(strrchr(path, '/') - path), path);
        call((const char *const[]){"mkdir", "-p", above, NULL});
    }
    if (!plant(object, path, outside))
        return;
    const char *const again[] = {program, sweep, "--results", results, NULL}, *const draw[] = {program, "draw", run, NULL};
    uint64_t before = look(outside);
    bool above_run = strncmp(run, path, strlen(path)) == 0; /* whom draw is told to go to, it goes to */
    const char *wrong = attempt(again, outside, before, false, said);
    if (wrong == NULL && !above_run)
        wrong = attempt(draw, outside, before, false, said);
    clear(path);
    if (wrong == NULL)
        wrong = attempt(again, outside, before, true, said);
    if (wrong != NULL)
        fprintf(stderr, "shared: %s at %s%s: %s: %s\n", objects[object], name, model != NULL ? "" : " (new)", wrong, said);
    tried++;
    failures += wrong != NULL;
}

/* ---- All of them ------------------------------------------------------------------------------------------------------------- */

static char *names[NAMES_MAX];
static size_t n_names, names_from;

static int note(const char *path, const struct stat *about, int kind, struct FTW *position)
{
    (void)about, (void)kind;
    if (position->level > 0 && n_names < NAMES_MAX)
        names[n_names++] = strdup(path + names_from);
    return 0;
}

START_TEST(nothing_is_followed)
{
    const char *wanted = getenv("SHARED");
    bool every = wanted != NULL && strcmp(wanted, "every") == 0;
    char sweep[PATH_MAX], model[PATH_MAX];
    snprintf(sweep, sizeof sweep, "%s", scratch_path(_i == 0 ? "trained.yaml" : "timed.yaml"));
    snprintf(model, sizeof model, "%s", scratch_path("model"));
    call((const char *const[]){program, sweep, "--results", model, NULL});
    names_from = strlen(model) + 1;
    n_names = 0;
    ck_assert_int_eq(nftw(model, note, 16, FTW_PHYS), 0);
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
        names[n_names++] = strdup(passing[i]);
    ck_assert_uint_gt(n_names, 20);
    uint64_t place = 0;
    for (size_t i = 0; i < n_names; i++)
        for (enum object object = 0; object < OBJECTS; object++)
            for (int fresh = 0; fresh <= 1; fresh++)
                if (every || random_uniform(SEED, 1, place++) * SAMPLED < 1)
                    try_one(sweep, fresh ? NULL : model, names[i], object);
    printf("shared: %llu objects planted at %zu names\n", (unsigned long long)tried, n_names);
    ck_assert_msg(failures == 0 && tried > 0, "see above");
    for (size_t i = 0; i < n_names; i++)
        free(names[i]);
}
END_TEST

/* The folder itself may be a link: results may lie on another disk. */
START_TEST(the_root_may_be_a_link)
{
    char link[PATH_MAX];
    snprintf(link, sizeof link, "%s", scratch_path("link"));
    ck_assert_int_eq(mkdir(scratch_path("elsewhere"), 0777), 0);
    ck_assert_int_eq(symlink("elsewhere", link), 0);
    call((const char *const[]){program, scratch_path("trained.yaml"), "--results", link, NULL});
    call((const char *const[]){program, "draw", scratch_path("link/tiny/run-1"), NULL});
    ck_assert_int_eq(access(scratch_path("elsewhere/tiny/run-1/table.csv"), R_OK), 0);
}
END_TEST

Suite *suite_shared(void)
{
    Suite *suite = suite_create("shared");
    TCase *tests = tcase_create("shared");
    tcase_add_checked_fixture(tests, setup, scratch_remove);
    tcase_add_loop_test(tests, nothing_is_followed, 0, 2);
    tcase_add_test(tests, the_root_may_be_a_link);
    suite_add_tcase(suite, tests);
    return suite;
}
