/* What reads a user's files, with each of its allocations failing in turn: it says so, takes nothing for what it is not, and loses
 * nothing. The whole program is tested so by the suite faults; here sanitizers can watch. */
#include "bench/base/parse.h"
#include "bench/base/safetensors.h"
#include "bench/base/stream.h"
#include "bench/command/vocabulary.h"
#include "bench/journal/journal.h"
#include "bench/journal/records.h"
#include "bench/sweep/sweep.h"
#include "tests/support/allocations.h"
#include "tests/support/scratch.h"

Suite *suite_memory(void);

static const char sweep_text[] = "name: t\nmeasure: convergence\nimpls: [fixed_point, diagonal_scan split=time]\n"
                                 "problem: {T: [8, 16], d: {from: 4, to: 64, factor: 2}}\nskip: [{T: 8, d: 8}]\n"
                                 "grids: [{run: {seed: [1, 2, 3, 4]}}]\nplots: [{kind: throughput, where: {mixer: dplr}}]\n"
                                 "scale: one\nscales: {one: {run: {threads: 1}}, other: {problem: {B: [1, 2]}}}\n"
                                 "paper: [{figure: a, says: b, differs: c, here: convergence_rate, where: {T: 8}}]\n";

/* The last line ends in numbers and a name for which jansson's buffers must grow. */
static const char journal_text[] = "{\"n\":1}\n{\"value\":0.12345678901234567,\"a name of more than sixteen bytes\":[1]}\n";

static const char tensors_header[] = "{\"a tensor with a long name\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";

static json_t *record; /* to be appended */

static void setup(void)
{
    scratch_make();
    record = json_pack("{s:i}", "n", 2);
    ck_assert_ptr_nonnull(record);
}

static void teardown(void)
{
    json_decref(record);
    scratch_remove();
}

static const char *write_sweep(void)
{
    const char *path = scratch_path("a.yaml");
    scratch_write(path, sweep_text, strlen(sweep_text));
    return path;
}

static const char *write_journal(void)
{
    const char *path = scratch_path("journal.jsonl");
    scratch_write(path, journal_text, strlen(journal_text));
    return path;
}

/* At an odd place, so that the data are copied. */
static const char *write_tensors(void)
{
    const char *path = scratch_path("t.safetensors");
    char bytes[8 + sizeof tensors_header - 1 + 4] = {sizeof tensors_header - 1};
    memcpy(bytes + 8, tensors_header, sizeof tensors_header - 1);
    scratch_write(path, bytes, sizeof bytes);
    return path;
}

static bool read_sweep(const char *path, struct error *error)
{
    struct sweep sweep;
    if (!sweep_read(&sweep_vocabulary, path, NULL, false, &sweep, error))
        return false;
    allocations_fail(0);
    ck_assert_uint_eq(sweep.n_points, 72);
    sweep_free(&sweep);
    return true;
}

static bool count_values(json_t *read, void *context)
{
    const json_t *list = json_object_get(read, "a name of more than sixteen bytes");
    *(double *)context += json_number_value(json_object_get(read, "value")) + (double)json_array_size(list);
    return true;
}

static bool read_journal(const char *path, struct error *error)
{
    double values = 0;
    struct unread unread;
    if (!journal_read(path, count_values, &values, &unread, error))
        return false;
    allocations_fail(0);
    ck_assert_double_eq(values, 1.12345678901234567);
    ck_assert_uint_eq(unread.torn, 0);
    return true;
}

static bool open_journal(const char *path, struct error *error)
{
    struct journal *journal;
    bool opened = journal_open(path, &journal, error);
    allocations_fail(0);
    char *text = scratch_read(path);
    ck_assert_str_eq(text, journal_text); /* a line that there is no memory for is not torn */
    free(text);
    journal_close(journal);
    return opened;
}

static bool append_to_journal(const char *path, struct error *error)
{
    struct journal *journal;
    bool appended = journal_open(path, &journal, error) && journal_append(journal, record, error);
    allocations_fail(0);
    journal_close(journal);
    char *text = scratch_read(path);
    ck_assert_int_eq(strncmp(text, journal_text, strlen(journal_text)), 0);
    ck_assert_str_eq(text + strlen(journal_text), appended ? "{\"n\":2,\"checksum\":\"12e782e18ec9df37\"}\n" : "");
    free(text);
    return appended;
}

static bool open_tensors(const char *path, struct error *error)
{
    struct safetensors *file;
    if (!safetensors_open(path, &file, error))
        return false;
    allocations_fail(0);
    ck_assert_ptr_nonnull(safetensors_find(file, "a tensor with a long name"));
    safetensors_close(file);
    return true;
}

static const struct {
    const char *(*write)(void);
    bool (*read)(const char *path, struct error *error);
    long least; /* allocations that it makes at least, or the test would test nothing */
} readers[] = {
    {write_sweep, read_sweep, 20},          {write_journal, read_journal, 10}, {write_journal, open_journal, 10},
    {write_journal, append_to_journal, 10}, {write_tensors, open_tensors, 10},
};

START_TEST(a_reader_says_when_there_is_no_memory)
{
    long n = 0;
    struct error error;
    bool good;
    do {
        const char *path = readers[_i].write();
        memset(&error, 0, sizeof error);
        allocations_fail(++n);
        good = readers[_i].read(path, &error);
        allocations_fail(0);
        ck_assert_msg(good || strstr(error.text, "memory") != NULL, "allocation %ld: %s", n, error.text);
    } while (!good);
    ck_assert_int_gt(n, readers[_i].least);
}
END_TEST

/* Whatever went on since the memory was refused, also below: the watch knows. */
START_TEST(a_watch_notes_that_memory_was_refused)
{
    struct json_watch watch, inner;
    json_t *json;
    json_watch_begin(&watch);
    ck_assert(json_watch_end(&watch));
    json_watch_begin(&watch);
    allocations_fail(1);
    int set = json_object_set_new(record, "median", json_real(1.5));
    allocations_fail(0);
    ck_assert_int_ne(set, 0);
    ck_assert(json_parse("{\"n\": 1}", 8, 0, &json, NULL));
    json_decref(json);
    json_watch_begin(&inner);
    ck_assert(json_watch_end(&inner));
    ck_assert_int_eq(json_object_set_new(record, "median", json_real(1.5)), 0);
    ck_assert(!json_watch_end(&watch));
    json_watch_begin(&watch);
    ck_assert_int_eq(json_object_set_new(record, "median", json_real(2.5)), 0);
    ck_assert(json_watch_end(&watch));
}
END_TEST

/* What is refused to one that watches for itself is its own affair: it says so where it returns. */
START_TEST(watches_nest)
{
    struct json_watch watch;
    json_t *json;
    json_watch_begin(&watch);
    allocations_fail(2);
    bool parsed = json_parse("{\"n\": 1}", 8, 0, &json, NULL);
    allocations_fail(0);
    ck_assert(!parsed);
    ck_assert(json_watch_end(&watch));
}
END_TEST

/* The text of a watch is the whole text, or none. */
START_TEST(a_watch_prints_all_or_nothing)
{
    char *text;
    long n = 0;
    do {
        struct json_watch watch;
        json_watch_begin(&watch);
        allocations_fail(++n);
        json_t *json = json_pack("{s:[i, f], s:s}", "list", 1, 0.5, "a name", "a text of more than sixteen bytes");
        text = json_watch_print(&watch, json, JSON_COMPACT | JSON_SORT_KEYS);
        allocations_fail(0);
        json_decref(json);
    } while (text == NULL);
    ck_assert_int_gt(n, 10);
    ck_assert_str_eq(text, "{\"a name\":\"a text of more than sixteen bytes\",\"list\":[1,0.5]}");
    free(text);
}
END_TEST

/* Long texts, for which jansson's parser must grow its buffer: where it cannot, it loses bytes and then writes before the buffer. */
static const char long_texts[] =
    "{\"a name of more than sixteen bytes\": [123456789012345, 0.12345678901234567, \"and a longer text\"]}";

START_TEST(the_parser_outlives_a_lack_of_memory)
{
    json_t *json;
    bool parsed;
    long n = 0;
    do {
        allocations_fail(++n);
        parsed = json_parse(long_texts, strlen(long_texts), 0, &json, NULL);
        allocations_fail(0);
        ck_assert(parsed == (json != NULL));
    } while (!parsed);
    ck_assert_int_gt(n, 10);
    ck_assert_uint_eq(json_array_size(json_object_get(json, "a name of more than sixteen bytes")), 3);
    json_decref(json);
}
END_TEST

START_TEST(files_of_json_are_read_whole_or_not_at_all)
{
    json_t *json;
    enum seal seal;
    const char *path = scratch_path("facts.json");
    scratch_write(path, long_texts, strlen(long_texts));
    ck_assert(json_parse_file(path, &json, &seal));
    ck_assert_uint_eq(json_object_size(json), 1);
    json_decref(json);
    allocations_fail(1);
    bool enough = json_parse_file(path, &json, &seal);
    allocations_fail(0);
    ck_assert(!enough);
    ck_assert_ptr_null(json);
    scratch_write(path, "{", 1);
    ck_assert(json_parse_file(path, &json, &seal));
    ck_assert_ptr_null(json);
    ck_assert(json_parse_file(scratch, &json, &seal));
    ck_assert_ptr_null(json);
    ck_assert(json_parse_file(scratch_path("none"), &json, &seal));
    ck_assert_ptr_null(json);
}
END_TEST

START_TEST(a_stream_says_when_there_is_no_memory)
{
    struct stream stream;
    bool good;
    long n = 0;
    do {
        allocations_fail(++n);
        good = stream_open(&stream);
        for (int i = 0; i < 5000 && good; i++)
            fprintf(stream.file, "%5d\n", i);
        good = good && stream_close(&stream);
        allocations_fail(0);
        ck_assert(good || stream.text == NULL);
    } while (!good);
    ck_assert_int_gt(n, 3);
    ck_assert_uint_eq(stream.length, 30000);
    ck_assert_str_eq(stream.text + 30000 - 6, " 4999\n");
    free(stream.text);
}
END_TEST

START_TEST(json_that_there_is_no_memory_for_is_not_bad_json)
{
    json_t *json;
    json_error_t why;
    ck_assert(json_parse("{\"n\": 1}", 8, 0, &json, &why));
    ck_assert_int_eq(json_integer_value(json_object_get(json, "n")), 1);
    json_decref(json);
    ck_assert(json_parse("{\"n\": 1", 7, 0, &json, &why));
    ck_assert_ptr_null(json);
    ck_assert_str_ne(why.text, "");
    allocations_fail(3);
    bool parsed = json_parse("{\"n\": 1}", 8, 0, &json, &why);
    allocations_fail(0);
    ck_assert(!parsed);
    ck_assert_ptr_null(json);
}
END_TEST

Suite *suite_memory(void)
{
    Suite *suite = suite_create("memory");
    TCase *tests = tcase_create("memory");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, a_reader_says_when_there_is_no_memory, 0, sizeof readers / sizeof readers[0]);
    tcase_add_test(tests, a_watch_notes_that_memory_was_refused);
    tcase_add_test(tests, watches_nest);
    tcase_add_test(tests, a_watch_prints_all_or_nothing);
    tcase_add_test(tests, the_parser_outlives_a_lack_of_memory);
    tcase_add_test(tests, files_of_json_are_read_whole_or_not_at_all);
    tcase_add_test(tests, a_stream_says_when_there_is_no_memory);
    tcase_add_test(tests, json_that_there_is_no_memory_for_is_not_bad_json);
    suite_add_tcase(suite, tests);
    return suite;
}
