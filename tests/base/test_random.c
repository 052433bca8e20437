/* The table of random streams: no two uses share one, and no stream is named anywhere else. */
#include "bench/base/random_streams.h"
#include "tasks/family.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct range {
    const char *name;
    uint64_t first, n;
};

#define RANGE(name, first, n) {#name, (first), (n)},
static const struct range ranges[] = {RANDOM_STREAMS(RANGE)};
enum { RANGES = sizeof ranges / sizeof ranges[0] };

START_TEST(no_two_uses_share_a_stream)
{
    for (size_t i = 0; i < RANGES; i++) {
        ck_assert_msg(ranges[i].n >= 1 && ranges[i].first + ranges[i].n <= 1ULL << 32, "%s", ranges[i].name);
        for (size_t k = 0; k < i; k++)
            ck_assert_msg(ranges[i].first + ranges[i].n <= ranges[k].first || ranges[k].first + ranges[k].n <= ranges[i].first,
                          "%s and %s share a stream", ranges[i].name, ranges[k].name);
    }
}
END_TEST

/* What seeds mean: these may never change. */
START_TEST(streams_are_pinned)
{
    static const struct {
        enum random_stream stream;
        uint32_t number;
    } pinned[] = {
        {STREAM_V, 1},
        {STREAM_W, 2},
        {STREAM_H0, 3},
        {STREAM_PLACE, 4},
        {STREAM_WORDS, 6},
        {STREAM_LAMBDA, 16},
        {STREAM_CHANNELS, 17},
        {STREAM_THETA, 1024},
        {STREAM_SEQUENCE, 5},
        {STREAM_ORDER, 64},
        {STREAM_TASKS, 0x41},
        {STREAM_TASKS_TRAINED, 0x80000041},
        {STREAM_GAMMA, 0x47000000},
        {STREAM_GAMMA_ACCEPT, 0x47000001},
        {STREAM_GAMMA_BOOST, 0x47000002},
        {STREAM_WEIGHTS, 0x57000000},
    };
    for (size_t i = 0; i < sizeof pinned / sizeof pinned[0]; i++)
        ck_assert_uint_eq((uint32_t)pinned[i].stream, pinned[i].number);
}
END_TEST

START_TEST(no_two_families_of_tasks_share_a_letter)
{
    int n = 0;
    for (const struct family *family; (family = family_get(n)) != NULL; n++) {
        ck_assert_msg(family->letter >= 'A' && family->letter <= 'Z', "%s", family->name);
        for (int k = 0; k < n; k++)
            ck_assert_msg(family_get(k)->letter != family->letter, "%s and %s", family_get(k)->name, family->name);
    }
    ck_assert_int_gt(n, 1);
}
END_TEST

/* Lines of the sources that a pattern finds and another does not. */
static void expect_no_line(const char *pattern, const char *allowed)
{
    char command[512], line[512] = "";
    snprintf(command, sizeof command,
             "grep -rnE --include='*.[ch]' --include='*.cc' --include='*.cu' '%s' bench impls plots tasks train | grep -vE '%s'",
             pattern, allowed);
    FILE *found = popen(command, "r");
    ck_assert_ptr_nonnull(found);
    bool any = fgets(line, sizeof line, found) != NULL;
    pclose(found);
    ck_assert_msg(!any, "a stream outside of the table: %s", line);
}

/* Every call names a stream of the table, or hands on one that it was given. */
START_TEST(streams_are_named_in_the_table_alone)
{
    expect_no_line(
        "random_(uniform|normal)\\(|draws_begin\\(",
        "(random_(uniform|normal)|draws_begin)\\([^,]*(\\([^()]*\\)[^,]*)*, (STREAM_[A-Z0-9_]+|stream|uint32_t stream)[ ,]");
    expect_no_line("STREAM_[A-Z0-9_]+ = ", "^bench/base/random_streams\\.h:");
    expect_no_line("uint32_t stream = ", "STREAM_");
}
END_TEST

Suite *suite_random(void);

Suite *suite_random(void)
{
    Suite *suite = suite_create("random");
    TCase *tests = tcase_create("random");
    tcase_add_test(tests, no_two_uses_share_a_stream);
    tcase_add_test(tests, streams_are_pinned);
    tcase_add_test(tests, no_two_families_of_tasks_share_a_letter);
    tcase_add_test(tests, streams_are_named_in_the_table_alone);
    suite_add_tcase(suite, tests);
    return suite;
}
