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

static const char *numbers_in(const char *path, struct unread *unread)
{
    static char text[NUMBERS_SIZE];
    text[0] = '\0';
    ck_assert_msg(journal_read(path, note_number, text, unread, &error), "%s", error.text);
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
    struct unread unread;
    const char *path = scratch_path("journal");
    append_to(path, 1, 3, 0);
    append_to(path, 4, 5, 0);
    ck_assert_str_eq(numbers_in(path, &unread), "1,2,3,4,5,");
    ck_assert_uint_eq(unread.torn, 0);
}
END_TEST

START_TEST(writes_compact_lines_with_a_checksum)
{
    append_to(scratch_path("journal"), 1, 3, 0);
    char *text = scratch_read(scratch_path("journal"));
    ck_assert_str_eq(
        text,
        "{\"n\":1,\"value\":0.1,\"checksum\":\"d0970d74663ff2f4\"}\n"
        "{\"n\":2,\"value\":0.2,\"checksum\":\"7f5d9c9e243f1fa3\"}\n{\"n\":3,\"value\":0.3,\"checksum\":\"65b7e97192fd6522\"}\n");
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
    struct unread unread;
    int n = snprintf(text, sizeof text, "{\"n\":1}\n{\"n\":2}\n%s", tail);
    scratch_write(path, text, (size_t)n);
    ck_assert_str_eq(numbers_in(path, &unread), "1,2,");
    ck_assert_uint_eq(unread.torn, 1);
    append_to(path, 7, 8, 1);
    ck_assert_str_eq(numbers_in(path, &unread), "1,2,7,8,");
    ck_assert_uint_eq(unread.torn, 0);
}
END_TEST

/* Longer than any block that the search for the last line reads, with NUL bytes, and alone in the file. */
START_TEST(cuts_a_long_torn_line)
{
    const char *path = scratch_path("journal");
    static char text[200000] = "{\"n\":1}\n";
    struct unread unread;
    scratch_write(path, text, sizeof text);
    append_to(path, 2, 2, 1);
    ck_assert_str_eq(numbers_in(path, &unread), "1,2,");
    scratch_write(path, text + 1, 6);
    append_to(path, 3, 3, 1);
    ck_assert_str_eq(numbers_in(path, &unread), "3,");
}
END_TEST

/* Texts of which some lines are set aside: the numbers of the others, how many, the first, and what is wrong with it. */
static const struct {
    const char *text, *others;
    size_t aside, first;
    const char *reason;
} changed_texts[] = {
    {"{\"n\":1}\noops\n{\"n\":3}\n", "1,3,", 1, 2, "it is not a record"},
    {"\n\n{\"n\":3}\n", "3,", 2, 1, "it is not a record"},
    {"{\"n\":1,\"checksum\":\"0123456789abcdef\"}\n{\"n\":2}\n", "2,", 1, 1, "its checksum does not fit"},
    {"{\"n\":2}\n{\"n\":1,\"checksum\":\"0123456789abcdef\"}\n", "2,", 1, 2, "its checksum does not fit"},
    {"{\"version\":3,\"n\":1}\n", "", 1, 1, "it has no checksum"},
    {"{\"version\":3,\"n\":1,\"checksum\":7}\n", "", 1, 1, "it has no checksum"},
    {"{\"version\":2,\"n\":1,\"checksum\":\"0123456789abcdef\"}\n", "", 1, 1, "its checksum does not fit"},
    {"{\"version\":1,\"n\":1}\n{\"version\":2,\"n\":2}\n{\"version\":1000,\"n\":3}\n", "1,2,3,", 0, 0, ""},
};

START_TEST(sets_changed_lines_aside)
{
    const char *path = scratch_path("journal"), *text = changed_texts[_i].text;
    char said[UNREAD_SIZE], expected[UNREAD_SIZE] = "";
    struct unread unread;
    scratch_write(path, text, strlen(text));
    ck_assert_str_eq(numbers_in(path, &unread), changed_texts[_i].others);
    ck_assert_uint_eq(unread.aside, changed_texts[_i].aside);
    ck_assert_uint_eq(unread.torn, 0);
    const char *rest = "running its sweep again measures what is missing.";
    if (unread.aside == 1)
        snprintf(expected, sizeof expected, "journal %s: line %zu is set aside: %s. It stays in the file; %s", path,
                 changed_texts[_i].first, changed_texts[_i].reason, rest);
    if (unread.aside > 1)
        snprintf(expected, sizeof expected,
                 "journal %s: %zu lines are set aside; the first is line %zu: %s. They stay in the file; %s", path, unread.aside,
                 changed_texts[_i].first, changed_texts[_i].reason, rest);
    ck_assert(unread_say(&unread, path, said) == (unread.aside > 0));
    ck_assert_str_eq(said, expected);
    append_to(path, 7, 7, 0); /* whoever goes on leaves them where they are */
    char *after = scratch_read(path);
    ck_assert_int_eq(strncmp(after, text, strlen(text)), 0);
    free(after);
}
END_TEST

/* Every bit of a journal of two records, in turn: whatever is read is as it was. */
START_TEST(no_bit_changes_unnoticed)
{
    const char *path = scratch_path("journal");
    struct unread unread;
    append_to(path, 1, 2, 0);
    char *text = scratch_read(path);
    size_t length = strlen(text);
    for (size_t bit = 0; bit < 8 * length; bit++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        scratch_write(path, text, length);
        const char *numbers = numbers_in(path, &unread);
        bool whole = strcmp(numbers, "1,2,") == 0, said = unread.aside + unread.torn > 0;
        ck_assert_msg(whole || (said && (strcmp(numbers, "") == 0 || strcmp(numbers, "1,") == 0 || strcmp(numbers, "2,") == 0)),
                      "bit %zu: %s", bit, numbers);
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
    free(text);
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
    struct unread unread;
    append_to(scratch_path("journal"), 1, 3, 0);
    ck_assert(!journal_read(scratch_path("journal"), refuse, &calls, &unread, &error));
    ck_assert_str_eq(error.text, "enough");
    ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(takes_back_what_does_not_fit)
{
    const char *path = scratch_path("journal");
    struct journal *journal;
    struct rlimit unlimited, limit;
    struct unread unread;
    ck_assert(journal_open(path, &journal, &error));
    ck_assert(append(journal, 1));
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
    limit = unlimited;
    limit.rlim_cur = 70; /* one record takes 50 bytes: of the second a part fits, */
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert(!append(journal, 2));
    ck_assert_ptr_nonnull(strstr(error.text, path));
    limit.rlim_cur = 50; /* and now nothing of it */
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert(!append(journal, 3));
    ck_assert_ptr_nonnull(strstr(error.text, "File too large"));
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    ck_assert_str_eq(numbers_in(path, &unread), "1,");
    ck_assert_uint_eq(unread.torn, 0);
    ck_assert(append(journal, 4));
    journal_close(journal);
    ck_assert_str_eq(numbers_in(path, &unread), "1,4,");
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
    struct unread unread;
    int calls = 0;
    json_t *array = json_array();
    ck_assert_int_eq(mkfifo(scratch_path("fifo"), 0600), 0);
    ck_assert(!journal_open(scratch_path("fifo"), &journal, &error));
    ck_assert(!journal_open(scratch, &journal, &error));
    ck_assert(!journal_open(scratch_path("none/journal"), &journal, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "No such file"));
    ck_assert(!journal_read(scratch_path("none"), refuse, &calls, &unread, &error));
    ck_assert(!journal_read(scratch, refuse, &calls, &unread, &error));
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
    tcase_add_test(tests, writes_compact_lines_with_a_checksum);
    tcase_add_loop_test(tests, cuts_a_torn_last_line, 0, sizeof torn_tails / sizeof *torn_tails);
    tcase_add_test(tests, cuts_a_long_torn_line);
    tcase_add_loop_test(tests, sets_changed_lines_aside, 0, sizeof changed_texts / sizeof *changed_texts);
    tcase_add_test(tests, no_bit_changes_unnoticed);
    tcase_add_test(tests, stops_when_asked);
    tcase_add_test(tests, takes_back_what_does_not_fit);
    tcase_add_test(tests, has_one_writer);
    tcase_add_test(tests, refuses_what_is_no_journal);
    tcase_add_test(tests, has_null_for_what_json_cannot_say);
    suite_add_tcase(suite, tests);
    return suite;
}
