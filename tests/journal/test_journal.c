/* The journal: what is appended is read back, and no torn line, full disk or second writer loses a whole record. */
#include "bench/base/parse.h"
#include "bench/journal/journal.h"
#include "tests/support/scratch.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

Suite *suite_journal(void);

static struct error error;

enum { NUMBERS_SIZE = 1024 };

static json_t *record_of(int number)
{
    return json_pack("{s:i, s:o}", "n", number, "value", json_number(0.1 * number));
}

static bool append(struct journal *journal, int number)
{
    json_t *record = record_of(number);
    bool appended = journal_append(journal, record, &error);
    json_decref(record);
    return appended;
}

/* The numbers n of the records, "1,2,3,", or "" with error. */
static bool note_number(json_t *record, void *context)
{
    char *text = context;
    size_t length = strlen(text);
    snprintf(text + length, NUMBERS_SIZE - length, "%d,", (int)json_integer_value(json_object_get(record, "n")));
    return true;
}

static const char *numbers_in(const char *path, size_t *torn)
{
    static char text[NUMBERS_SIZE];
    text[0] = '\0';
    ck_assert_msg(journal_read(path, note_number, text, torn, &error), "%s", error.text);
    return text;
}

static void append_to(const char *path, int first, int last, size_t torn)
{
    struct journal *journal;
    ck_assert_msg(journal_open(path, &journal, &error), "%s", error.text);
    ck_assert_uint_eq(journal_torn(journal), torn);
    for (int i = first; i <= last; i++)
        ck_assert_msg(append(journal, i), "%s", error.text);
    journal_close(journal);
}

START_TEST(keeps_records_over_openings)
{
    size_t torn;
    const char *path = scratch_path("journal");
    append_to(path, 1, 3, 0);
    append_to(path, 4, 5, 0);
    ck_assert_str_eq(numbers_in(path, &torn), "1,2,3,4,5,");
    ck_assert_uint_eq(torn, 0);
}
END_TEST

START_TEST(writes_compact_lines)
{
    append_to(scratch_path("journal"), 1, 3, 0);
    char *text = scratch_read(scratch_path("journal"));
    ck_assert_str_eq(text, "{\"n\":1,\"value\":0.1}\n{\"n\":2,\"value\":0.2}\n{\"n\":3,\"value\":0.3}\n");
    free(text);
}
END_TEST

static const char *const torn_tails[] = {
    "{\"n\":3", "{\"n\":3}", "x", "\n", "{\"n\":3]\n", "[3]\n", "3\n", "{\"n\":3}{\"n\":4}\n", "\xff\xfe\n", "{\"n\":\"\xc3",
};

START_TEST(cuts_a_torn_last_line)
{
    const char *path = scratch_path("journal"), *tail = torn_tails[_i];
    char text[256];
    size_t torn;
    int n = snprintf(text, sizeof text, "{\"n\":1}\n{\"n\":2}\n%s", tail);
    scratch_write(path, text, (size_t)n);
    ck_assert_str_eq(numbers_in(path, &torn), "1,2,");
    ck_assert_uint_eq(torn, 1);
    append_to(path, 7, 8, 1);
    ck_assert_str_eq(numbers_in(path, &torn), "1,2,7,8,");
    ck_assert_uint_eq(torn, 0);
}
END_TEST

/* Longer than any block that the search for the last line reads, with NUL bytes, and alone in the file. */
START_TEST(cuts_a_long_torn_line)
{
    const char *path = scratch_path("journal");
    static char text[200000] = "{\"n\":1}\n";
    size_t torn;
    scratch_write(path, text, sizeof text);
    append_to(path, 2, 2, 1);
    ck_assert_str_eq(numbers_in(path, &torn), "1,2,");
    scratch_write(path, text + 1, 6);
    append_to(path, 3, 3, 1);
    ck_assert_str_eq(numbers_in(path, &torn), "3,");
}
END_TEST

START_TEST(names_a_bad_line_in_the_middle)
{
    const char *path = scratch_path("journal");
    char text[NUMBERS_SIZE] = "", expected[PATH_MAX + 64];
    size_t torn;
    scratch_write(path, "{\"n\":1}\noops\n{\"n\":3}\n", 21);
    ck_assert(!journal_read(path, note_number, text, &torn, &error));
    snprintf(expected, sizeof expected, "journal %s: line 2 is not a record", path);
    ck_assert_str_eq(error.text, expected);
    ck_assert_str_eq(text, "1,");
}
END_TEST

static bool refuse(json_t *record, void *context)
{
    (void)record;
    ++*(int *)context;
    return fail(&error, "enough");
}

START_TEST(stops_when_asked)
{
    int calls = 0;
    size_t torn;
    append_to(scratch_path("journal"), 1, 3, 0);
    ck_assert(!journal_read(scratch_path("journal"), refuse, &calls, &torn, &error));
    ck_assert_str_eq(error.text, "enough");
    ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(takes_back_what_does_not_fit)
{
    const char *path = scratch_path("journal");
    struct journal *journal;
    struct rlimit unlimited, limit;
    size_t torn;
    ck_assert(journal_open(path, &journal, &error));
    ck_assert(append(journal, 1));
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
    limit = unlimited;
    limit.rlim_cur = 30; /* one record takes 20 bytes: of the second a part fits, */
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert(!append(journal, 2));
    ck_assert_ptr_nonnull(strstr(error.text, path));
    limit.rlim_cur = 20; /* and now nothing of it */
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert(!append(journal, 3));
    ck_assert_ptr_nonnull(strstr(error.text, "File too large"));
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    ck_assert_str_eq(numbers_in(path, &torn), "1,");
    ck_assert_uint_eq(torn, 0);
    ck_assert(append(journal, 4));
    journal_close(journal);
    ck_assert_str_eq(numbers_in(path, &torn), "1,4,");
}
END_TEST

START_TEST(has_one_writer)
{
    struct journal *first, *second;
    ck_assert(journal_open(scratch_path("journal"), &first, &error));
    ck_assert(!journal_open(scratch_path("journal"), &second, &error));
    ck_assert_ptr_null(second);
    ck_assert_ptr_nonnull(strstr(error.text, "another run"));
    journal_close(first);
    ck_assert(journal_open(scratch_path("journal"), &second, &error));
    journal_close(second);
}
END_TEST

START_TEST(refuses_what_is_no_journal)
{
    struct journal *journal;
    size_t torn;
    int calls = 0;
    json_t *array = json_array();
    ck_assert_int_eq(mkfifo(scratch_path("fifo"), 0600), 0);
    ck_assert(!journal_open(scratch_path("fifo"), &journal, &error));
    ck_assert(!journal_open(scratch, &journal, &error));
    ck_assert(!journal_open(scratch_path("none/journal"), &journal, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "No such file"));
    ck_assert(!journal_read(scratch_path("none"), refuse, &calls, &torn, &error));
    ck_assert(!journal_read(scratch, refuse, &calls, &torn, &error));
    ck_assert_int_eq(calls, 0);
    ck_assert(journal_open(scratch_path("journal"), &journal, &error));
    ck_assert(!journal_append(journal, array, &error));
    ck_assert(!journal_append(journal, NULL, &error));
    journal_close(journal);
    journal_close(NULL);
    json_decref(array);
}
END_TEST

START_TEST(has_null_for_what_json_cannot_say)
{
    const double rows[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++)
        ck_assert(json_is_null(json_number(rows[i])));
    json_t *number = json_number(0.5), *text = json_text("caf\xc3\xa9"), *bad = json_text("a\xff\xc3z");
    ck_assert_double_eq(json_real_value(number), 0.5);
    ck_assert_str_eq(json_string_value(text), "caf\xc3\xa9");
    ck_assert_str_eq(json_string_value(bad), "a??z");
    ck_assert(json_is_null(json_text(NULL)));
    json_decref(number);
    json_decref(text);
    json_decref(bad);
}
END_TEST

Suite *suite_journal(void)
{
    Suite *suite = suite_create("journal");
    TCase *tests = tcase_create("journal");
    tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
    tcase_add_test(tests, keeps_records_over_openings);
    tcase_add_test(tests, writes_compact_lines);
    tcase_add_loop_test(tests, cuts_a_torn_last_line, 0, sizeof torn_tails / sizeof *torn_tails);
    tcase_add_test(tests, cuts_a_long_torn_line);
    tcase_add_test(tests, names_a_bad_line_in_the_middle);
    tcase_add_test(tests, stops_when_asked);
    tcase_add_test(tests, takes_back_what_does_not_fit);
    tcase_add_test(tests, has_one_writer);
    tcase_add_test(tests, refuses_what_is_no_journal);
    tcase_add_test(tests, has_null_for_what_json_cannot_say);
    suite_add_tcase(suite, tests);
    return suite;
}
