/* What a run keeps, damaged at random places: bits, bytes, cuts, stretches that are doubled, dropped or zero. No figure may change in
 * silence: whatever is read is as it was, and whatever is not read is said, and measured again. FLIPS says how many of each file
 * (make flips: 500); one in FIFTY of them goes through the whole program. */
#include "bench/base/process.h"
#include "bench/base/random.h"
#include "bench/base/safetensors_write.h"
#include "bench/command/points.h"
#include "bench/journal/records.h"
#include "bench/machine/machine_file.h"
#include "bench/measure/cache.h"
#include "bench/measure/checkpoint.h"
#include "tests/support/program.h"
#include "tests/support/record_json.h"
#include "tests/support/scratch.h"

#include <glob.h>
#include <unistd.h>

Suite *suite_flips(void);

enum { FLIPS_DEFAULT = 60, FIFTY = 50, STREAM_FLIPS = 91 };

static const char timed[] = "name: timed\nmeasure: [convergence, throughput]\nproblem: {T: [8, 16], d: 4}\nsettings: {l: 5}\n"
                            "impls: [fixed_point, structured_sequential]\nplots: [{kind: roofline}]\n"
                            "run: {threads: 1, samples: 2, rounds: 3, time_limit: 1 h}\n";
#define LEARNT                                                                                                                     \
    "name: learnt\nmeasure: accuracy\ntask: Z2\nmodel: {layer: lstm, d_model: 8, d: 8}\n"                                          \
    "recipe: {steps: 60, batch: 8, train_length: 4}\ntest: {test_length: 2, examples: 20}\n"                                       \
    "run: {threads: 1, calibration: none, time_limit: 1 h, training_limit: %s}\n"

static struct error error;
static char program[PATH_MAX];

/* ---- Files and damage ----------------------------------------------------------------------------------------------------------- */

struct bytes {
    char *at;
    size_t n;
};

static struct bytes bytes_of(const char *path)
{
    struct stat facts;
    ck_assert_msg(stat(path, &facts) == 0, "%s", path);
    return (struct bytes){scratch_read(path), (size_t)facts.st_size};
}

enum damage { BIT, BYTE, CUT, DOUBLED, DROPPED, ZEROS, DAMAGES };

static size_t below(struct draws *draws, size_t n)
{
    return draws_below(draws, (uint32_t)n);
}

/* Damage number i of some bytes, which it changes for certain; the caller frees them. */
static struct bytes damaged(const struct bytes *whole, size_t i)
{
    struct draws draws = draws_begin(1, STREAM_FLIPS, i);
    struct bytes made = {malloc(2 * whole->n), whole->n};
    ck_assert_ptr_nonnull(made.at);
    do {
        size_t at = below(&draws, whole->n), n = 1 + below(&draws, whole->n - at < 4096 ? whole->n - at : 4096);
        memcpy(made.at, whole->at, whole->n);
        made.n = whole->n;
        switch ((enum damage)(i % DAMAGES)) {
        case BIT:
            made.at[at] ^= (char)(1 << below(&draws, 8));
            break;
        case BYTE:
            made.at[at] = (char)below(&draws, 256);
            break;
        case CUT:
            made.n = at;
            break;
        case DOUBLED:
            memcpy(made.at + at + n, whole->at + at, whole->n - at);
            made.n += n;
            break;
        case DROPPED:
            memmove(made.at + at, made.at + at + n, whole->n - at - n);
            made.n -= n;
            break;
        default:
            memset(made.at + at, 0, n);
        }
    } while (made.n == whole->n && memcmp(made.at, whole->at, whole->n) == 0);
    return made;
}

static size_t flips(void)
{
    const char *asked = getenv("FLIPS");
    long n = asked != NULL ? strtol(asked, NULL, 10) : FLIPS_DEFAULT;
    ck_assert_int_gt(n, 0);
    return (size_t)n;
}

/* ---- The runs that are damaged, measured once -------------------------------------------------------------------------------------- */

static char journal[PATH_MAX], machine[PATH_MAX], folder[PATH_MAX], training[PATH_MAX], checkpoint[PATH_MAX];

/* Runs the program; the output belongs to the caller. */
static struct process_result call(const char *const *arguments)
{
    const char *argv[8] = {program};
    struct process_result process;
    for (int i = 0; arguments[i] != NULL; i++)
        argv[i + 1] = arguments[i];
    ck_assert_msg(process_run(&(struct process_request){.argv = argv, .time_limit = HANG}, &process, &error), "%s", error.text);
    ck_assert_msg(!process.timed_out && process.signal == 0, "%s %s", process.output, process.errors);
    return process;
}

static int run(const char *text, const char *results)
{
    const char *sweep = scratch_path("sweep.yaml");
    scratch_write(sweep, text, strlen(text));
    struct process_result process = call((const char *const[]){sweep, "--results", results, NULL});
    process_result_free(&process);
    return process.exit_status;
}

static void only_match(const char *pattern, char path[PATH_MAX])
{
    glob_t found;
    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
    ck_assert_uint_eq(found.gl_pathc, 1);
    snprintf(path, PATH_MAX, "%s", found.gl_pathv[0]);
    globfree(&found);
}

static void setup(void)
{
    char text[1024];
    program_find("bench", program);
    scratch_make();
    snprintf(text, sizeof text, LEARNT, "1 h");
    ck_assert_int_eq(run(timed, scratch_path("results")), 0);
    ck_assert_int_eq(run(text, scratch_path("results")), 0);
    snprintf(folder, sizeof folder, "%s", scratch_path("results/timed/run-1"));
    snprintf(journal, sizeof journal, "%s", scratch_path("results/timed/run-1/journal.jsonl"));
    snprintf(machine, sizeof machine, "%s", scratch_path("results/timed/run-1/machine.json"));
    only_match(scratch_path("results/trained/*"), training);
    checkpoint_file(training, checkpoint);
}

static void teardown(void)
{
    scratch_remove();
}

/* ---- Journals ------------------------------------------------------------------------------------------------------------------- */

static bool keep_line(const struct record_line *line, void *lines)
{
    return json_array_append(lines, line->json) == 0;
}

/* The valid lines of a journal. */
static json_t *lines_of(const char *path, struct unread *unread)
{
    json_t *lines = json_array();
    ck_assert_msg(records_each(path, keep_line, lines, unread, &error), "%s", error.text);
    return lines;
}

static bool has_equal(const json_t *lines, const json_t *line)
{
    for (size_t i = 0; i < json_array_size(lines); i++)
        if (json_equal(json_array_get(lines, i), line))
            return true;
    return false;
}

/* Whether all lines are lines of another text: then the rest was never written, as far as anyone can tell. */
static bool are_lines_of(const struct bytes *bytes, const struct bytes *whole)
{
    for (size_t at = 0, n; at < bytes->n; at += n) {
        const char *end = memchr(bytes->at + at, '\n', bytes->n - at);
        n = end != NULL ? (size_t)(end - bytes->at) + 1 - at : 0;
        if (n == 0 || memmem(whole->at, whole->n, bytes->at + at, n) == NULL)
            return false;
    }
    return true;
}

START_TEST(journals)
{
    struct unread unread;
    json_t *whole = lines_of(journal, &unread);
    struct bytes bytes = bytes_of(journal);
    size_t aside = 0, n = flips();
    ck_assert_uint_eq(json_array_size(whole), 16);
    for (size_t i = 0; i < n; i++) {
        struct bytes made = damaged(&bytes, i);
        size_t kept = 0;
        scratch_write(scratch_path("j"), made.at, made.n);
        json_t *lines = lines_of(scratch_path("j"), &unread);
        for (size_t k = 0; k < json_array_size(lines); k++)
            ck_assert_msg(has_equal(whole, json_array_get(lines, k)), "flip %zu changed a record", i);
        for (size_t k = 0; k < json_array_size(whole); k++)
            kept += has_equal(lines, json_array_get(whole, k));
        bool said = unread.aside + unread.torn > 0;
        ck_assert_msg(said || kept == json_array_size(whole) || are_lines_of(&made, &bytes), "flip %zu lost a record in silence",
                      i);
        ck_assert_msg(i % DAMAGES > BYTE || kept + 2 >= json_array_size(whole), "flip %zu lost %zu records", i,
                      json_array_size(whole) - kept);
        aside += said;
        json_decref(lines);
        free(made.at);
    }
    ck_assert_uint_gt(aside, n / 2);
    json_decref(whole);
    free(bytes.at);
}
END_TEST

/* ---- Checkpoints, weights, inputs ------------------------------------------------------------------------------------------------- */

START_TEST(checkpoints)
{
    struct bytes bytes = bytes_of(checkpoint);
    for (size_t i = 0; i < flips(); i++) {
        struct checkpoint *opened;
        struct bytes made = damaged(&bytes, i);
        scratch_write(checkpoint, made.at, made.n);
        ck_assert_msg(checkpoint_open_in(training, &opened, &error) == CHECKPOINT_BAD, "flip %zu was not noticed", i);
        ck_assert_ptr_null(opened);
        ck_assert_msg(strstr(error.text, checkpoint) != NULL, "%s", error.text);
        free(made.at);
    }
    scratch_write(checkpoint, bytes.at, bytes.n);
    free(bytes.at);
}
END_TEST

static const float numbers[6] = {1, 2, 3, 4, 5, 6};
static const struct tensor tensors_written[] = {
    {.name = "v", .dtype = DTYPE_FLOAT32, .rank = 3, .shape = {1, 2, 3}, .bytes = sizeof numbers, .data = numbers},
    {.name = "lambda", .dtype = DTYPE_FLOAT32, .rank = 3, .shape = {1, 2, 3}, .bytes = sizeof numbers, .data = numbers}};

static struct point point_of(const char *const (*settings)[2], size_t n)
{
    struct point point = {{{.kind = VALUE_NONE}}};
    for (int field = 0; field < FIELD_COUNT; field++)
        if (fields[field].default_text != NULL && field != FIELD_INPUTS)
            ck_assert(field_read(field, fields[field].default_text, &point.value[field]));
    for (size_t i = 0; i < n; i++)
        ck_assert(field_read(field_find_any(settings[i][0]), settings[i][1], &point.value[field_find_any(settings[i][0])]));
    point_canonical(&point);
    return point;
}

/* A file of inputs defines its points by its bytes; one that has a checksum is refused besides. */
START_TEST(inputs)
{
    char path[PATH_MAX], key[KEY_HALF + 1], key_then[KEY_HALF + 1];
    struct tensors tensors;
    snprintf(path, sizeof path, "%s", scratch_path("in.safetensors"));
    ck_assert_msg(safetensors_write(path, tensors_written, 2, NULL, &error), "%s", error.text);
    const char *const settings[][2] = {
        {"impl", "diagonal_scan"}, {"measure", "convergence"}, {"T", "2"}, {"d", "3"}, {"mixer", "none"}, {"inputs", path}};
    struct point point = point_of(settings, sizeof settings / sizeof settings[0]);
    struct problem problem = point_problem(&point);
    ck_assert_msg(tensors_read(path, &problem, NULL, &tensors, &error), "%s", error.text);
    tensors_free(&tensors);
    point_identity(&point, key);
    struct bytes bytes = bytes_of(path);
    for (size_t i = 0; i < flips(); i++) {
        struct bytes made = damaged(&bytes, i);
        scratch_write(path, made.at, made.n);
        point_identity(&point, key_then);
        ck_assert_msg(strcmp(key, key_then) != 0, "flip %zu left the key as it was", i);
        if (tensors_read(path, &problem, NULL, &tensors, &error)) { /* the checksum has another name */
            ck_assert_msg(memcmp(tensors.inputs.v, numbers, sizeof numbers) == 0, "flip %zu", i);
            tensors_free(&tensors);
        }
        free(made.at);
    }
    free(bytes.at);
}
END_TEST

/* Drawn inputs that rounds share. */
START_TEST(caches)
{
    char path[PATH_MAX];
    const char *const settings[][2] = {{"impl", "fixed_point"}, {"measure", "throughput"}, {"T", "4"}, {"d", "4"}};
    struct point point = point_of(settings, sizeof settings / sizeof settings[0]);
    struct tensors drawn, found;
    const char *cache = scratch_path("cache");
    ck_assert_msg(tensors_make(&point, cache, NULL, &drawn, &error), "%s", error.text);
    only_match(scratch_path("cache/*"), path);
    struct bytes bytes = bytes_of(path);
    ck_assert(cache_load(cache, &point, &found));
    tensors_free(&found);
    for (size_t i = 0; i < flips(); i++) {
        struct bytes made = damaged(&bytes, i);
        scratch_write(path, made.at, made.n);
        ck_assert_msg(!cache_load(cache, &point, &found), "flip %zu was not noticed", i);
        free(made.at);
    }
    tensors_free(&drawn);
    free(bytes.at);
}
END_TEST

/* ---- machine.json ------------------------------------------------------------------------------------------------------------------ */

static bool has_all_of(const json_t *found, json_t *whole)
{
    const char *name;
    json_t *value;
    json_object_foreach(whole, name, value)
    {
        if (strcmp(name, "checksum") != 0 && !json_equal(value, json_object_get(found, name)))
            return false;
    }
    return true;
}

START_TEST(machine_files)
{
    json_t *whole, *facts;
    bool changed;
    size_t noticed = 0, n = flips();
    struct bytes bytes = bytes_of(machine);
    ck_assert(machine_file_read(folder, &whole, &changed) && !changed && json_is_object(json_object_get(whole, "roofs")));
    for (size_t i = 0; i < n; i++) {
        struct bytes made = damaged(&bytes, i);
        scratch_write(machine, made.at, made.n);
        ck_assert(machine_file_read(folder, &facts, &changed));
        ck_assert_msg(changed ? facts == NULL : has_all_of(facts, whole), "flip %zu", i);
        noticed += changed;
        json_decref(facts);
        free(made.at);
    }
    ck_assert_uint_gt(noticed, n / 2);
    scratch_write(machine, bytes.at, bytes.n);
    json_decref(whole);
    free(bytes.at);
}
END_TEST

/* ---- points.txt ------------------------------------------------------------------------------------------------------------------- */

START_TEST(points_files)
{
    struct keys whole, keys;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.3000s/points.txt", folder);
    struct bytes bytes = bytes_of(path);
    ck_assert_msg(points_read(folder, &whole, &error), "%s", error.text);
    for (size_t i = 0; i < flips(); i++) {
        struct bytes made = damaged(&bytes, i);
        scratch_write(path, made.at, made.n);
        free(made.at);
        if (!points_read(folder, &keys, &error))
            continue;
        ck_assert_msg(keys.n == whole.n && memcmp(keys.key, whole.key, whole.n * sizeof *whole.key) == 0, "flip %zu", i);
        points_free(&keys);
    }
    scratch_write(path, bytes.at, bytes.n);
    points_free(&whole);
    free(bytes.at);
}
END_TEST

/* ---- Through the program ------------------------------------------------------------------------------------------------------------ */

/* What a reader sees of a run: its table, and the lines of the roofline plot. */
struct seen {
    char *table, *lines;
};

static struct seen look(void)
{
    char table[PATH_MAX], lines[PATH_MAX];
    snprintf(table, sizeof table, "%.3000s/table.csv", folder);
    snprintf(lines, sizeof lines, "%.3000s/plots/roofline.dat", folder);
    return (struct seen){scratch_read(table), access(lines, F_OK) == 0 ? scratch_read(lines) : strdup("no plot")};
}

static bool same(const struct seen *a, const struct seen *b)
{
    return strcmp(a->table, b->table) == 0 && strcmp(a->lines, b->lines) == 0;
}

static void forget(struct seen *seen)
{
    free(seen->table);
    free(seen->lines);
}

/* The same figures are drawn, or what is missing is said. */
static void check_drawing(const char *path, const struct bytes *bytes, size_t i, const struct seen *before)
{
    static const char *const words[] = {"journal.jsonl: line", "lines are set aside",     "the last line is incomplete",
                                        "were not measured",   "some rounds are missing", "machine.json"};
    struct bytes made = damaged(bytes, i);
    scratch_write(path, made.at, made.n);
    free(made.at);
    struct process_result process = call((const char *const[]){"draw", folder, NULL});
    struct seen after = look();
    bool said = false;
    const char *head = strstr(process.output, "every record, raw samples"); /* the list of files names machine.json, too */
    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
        const char *found = strstr(process.output, words[w]);
        said = said || (found != NULL && (w < 5 || strstr(found + 40, words[w]) != NULL));
    }
    ck_assert_msg(head != NULL && process.exit_status == 0, "flip %zu: %s", i, process.errors);
    ck_assert_msg(said || same(before, &after), "flip %zu of %s changed a figure in silence:\n%s", i, path, process.output);
    forget(&after);
    process_result_free(&process);
    scratch_write(path, bytes->at, bytes->n);
}

/* Run again: all rounds are there, what was not damaged is as it was, and what has no times is what it was. */
static void check_resuming(const struct bytes *bytes, size_t i, const struct records *whole)
{
    struct bytes made = damaged(bytes, i);
    struct records records;
    scratch_write(journal, made.at, made.n);
    free(made.at);
    ck_assert_int_eq(run(timed, scratch_path("results")), 0);
    ck_assert_msg(records_read(journal, &records, &error), "%s", error.text);
    for (size_t k = 0; k < whole->n; k++) {
        const struct record *old = &whole->record[k];
        size_t found = 0;
        for (size_t m = 0; m < records.n; m++) {
            const struct record *new = &records.record[m];
            if (strcmp(column_text(old, COLUMN_KEY), column_text(new, COLUMN_KEY)) != 0 ||
                column_number(old, COLUMN_ROUND) != column_number(new, COLUMN_ROUND))
                continue;
            const json_t *before = record_at(old, "convergence"), *after = record_at(new, "convergence");
            ck_assert(before == NULL ? after == NULL : json_equal(before, after));
            found++;
        }
        ck_assert_uint_ge(found, 1);
    }
    records_free(&records);
    scratch_write(journal, bytes->at, bytes->n);
}

START_TEST(figures_of_a_run)
{
    struct seen before = look();
    struct records whole;
    struct bytes of_journal = bytes_of(journal), of_machine = bytes_of(machine);
    size_t n = (flips() + FIFTY - 1) / FIFTY;
    ck_assert_msg(records_read(journal, &whole, &error), "%s", error.text);
    for (size_t i = 0; i < n; i++) {
        check_drawing(journal, &of_journal, i, &before);
        check_drawing(machine, &of_machine, i, &before);
    }
    for (size_t i = 0; i < n; i++)
        check_resuming(&of_journal, i, &whole);
    records_free(&whole);
    forget(&before);
    free(of_journal.at);
    free(of_machine.at);
}
END_TEST

/* A training whose clock runs ahead leaves a checkpoint half way; whatever then happens to it, the weights come out the same. */
START_TEST(weights_of_a_training)
{
    char text[1024], results[PATH_MAX], sweep[PATH_MAX], path[PATH_MAX];
    struct faulted under;
    snprintf(sweep, sizeof sweep, "%s", scratch_path("late.yaml"));
    for (size_t i = 0; i < (flips() + FIFTY - 1) / FIFTY; i++) {
        snprintf(results, sizeof results, "%s/late-%zu", scratch, i);
        snprintf(text, sizeof text, LEARNT, "1 min");
        scratch_write(sweep, text, strlen(text));
        unlink(scratch_path("calls")); /* counted anew */
        program_faulted("late:200", "worker", scratch_path("calls"), &under);
        const char *argv[FAULTED_WORDS + 5], *const plain[] = {program, sweep, "--results", results, NULL};
        memcpy(argv, under.word, sizeof under.word);
        memcpy(argv + FAULTED_WORDS, plain, sizeof plain);
        struct process_result process;
        ck_assert_msg(process_run(&(struct process_request){.argv = argv, .time_limit = HANG}, &process, &error), "%s", error.text);
        ck_assert_int_eq(process.exit_status, 1); /* timed out */
        process_result_free(&process);
        snprintf(text, sizeof text, "%.3000s/trained/*/checkpoint.safetensors", results);
        only_match(text, path);
        struct bytes half = bytes_of(path), made = damaged(&half, i);
        scratch_write(path, made.at, made.n);
        free(made.at);
        free(half.at);
        snprintf(text, sizeof text, LEARNT, "2 h");
        ck_assert_int_eq(run(text, results), 0);
        struct safetensors *expected, *found;
        ck_assert_msg(safetensors_open(checkpoint, &expected, &error) && safetensors_open(path, &found, &error), "%s", error.text);
        for (size_t k = 0; k < safetensors_count(expected); k++) {
            const struct tensor *a = safetensors_get(expected, k), *b = safetensors_find(found, a->name);
            ck_assert_msg(b != NULL && a->bytes == b->bytes && memcmp(a->data, b->data, a->bytes) == 0, "flip %zu: %s", i, a->name);
        }
        safetensors_close(expected);
        safetensors_close(found);
    }
}
END_TEST

Suite *suite_flips(void)
{
    Suite *suite = suite_create("flips");
    TCase *tests = tcase_create("flips");
    tcase_add_unchecked_fixture(tests, setup, teardown);
    tcase_add_test(tests, journals);
    tcase_add_test(tests, checkpoints);
    tcase_add_test(tests, inputs);
    tcase_add_test(tests, caches);
    tcase_add_test(tests, machine_files);
    tcase_add_test(tests, points_files);
    tcase_add_test(tests, figures_of_a_run);
    tcase_add_test(tests, weights_of_a_training);
    suite_add_tcase(suite, tests);
    return suite;
}
