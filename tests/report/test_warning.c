/* Warnings: both sides of every threshold, what a round, a record and a point show, and that remedies in use are not suggested. */
#include "bench/measure/warning_find.h"
#include "bench/report/warning_print.h"
#include "tests/support/made_records.h"
#include "tests/support/record_json.h"

#include <math.h>

Suite *suite_warning(void);

static struct error error;

static void setup(void)
{
    scratch_make();
    scratch_write(scratch_path("journal"), "", 0);
}

#define JOURNAL scratch_path("journal")

/* "busy clock": the codes of a list; good until the next call. */
static const char *codes_of(const json_t *list)
{
    static char text[256];
    text[0] = '\0';
    ck_assert_ptr_nonnull(list);
    for (size_t i = 0; i < json_array_size(list); i++) {
        size_t used = strlen(text);
        const char *code = json_string_value(json_object_get(json_array_get(list, i), "code"));
        snprintf(text + used, sizeof text - used, "%s%s", used ? " " : "", code);
    }
    return text;
}

START_TEST(both_sides_of_each_threshold)
{
    for (int code = 0; code < WARNING_COUNT; code++) {
        double threshold = warnings[code].threshold;
        const double silent[] = {threshold, NAN, -1}, loud = nextafter(threshold, INFINITY);
        json_t *list = json_array();
        for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++)
            ck_assert(warning_note(list, (enum warning_code)code, silent[i]));
        ck_assert_uint_eq(json_array_size(list), 0);
        ck_assert(warning_note(list, (enum warning_code)code, loud));
        ck_assert_str_eq(codes_of(list), warnings[code].code);
        ck_assert(warning_note(list, (enum warning_code)code, loud + 1));
        ck_assert(warning_note(list, (enum warning_code)code, loud));
        ck_assert_uint_eq(json_array_size(list), 1);
        ck_assert_double_eq(json_number_value(json_object_get(warning_in(list, (enum warning_code)code), "figure")), loud + 1);
        json_decref(list);
    }
}
END_TEST

START_TEST(the_table_is_whole)
{
    for (int code = 0; code < WARNING_COUNT; code++) {
        ck_assert_msg(warnings[code].code && warnings[code].figure && warnings[code].cause && warnings[code].remedy[0].text,
                      "row %d", code);
        for (int other = 0; other < code; other++)
            ck_assert_str_ne(warnings[code].code, warnings[other].code);
    }
}
END_TEST

/* ---- A round ----------------------------------------------------------------------------------------------------------- */

static const double even[] = {1, 1.01, 0.99, 1, 1, 1.01};
static const struct load quiet = {.others = 0, .steal = 0, .resolution = 0.01, .throttled = NAN, .addition_s = {4e-10, 4e-10}};
static const struct threading alone = {1, 4, 2, false, 4};

static void check_round(const double *seconds, size_t n, struct load load, struct threading threading, const char *expected)
{
    json_t *list = warnings_of_round(seconds, n, &load, &threading);
    ck_assert_str_eq(codes_of(list), expected);
    json_decref(list);
}

START_TEST(a_quiet_round_has_none)
{
    struct load unknown = {NAN, NAN, 0.01, NAN, NAN, NAN, {NAN, NAN}};
    check_round(even, 6, quiet, alone, "");
    check_round(even, 6, unknown, (struct threading){2, 0, 0, false, 0}, "");
    check_round(even, 1, quiet, alone, "");
    for (int i = 0; i < 2; i++) { /* a pace that could not be told is none */
        struct load untold = quiet;
        untold.addition_s[i] = 0;
        check_round(even, 6, untold, alone, "");
    }
    check_round(NULL, 0, quiet, alone, "");
}
END_TEST

/* What the ticks of the counters cannot tell from nothing is no warning. */
START_TEST(load_of_others)
{
    struct load load = quiet;
    load.others = 0.109;
    check_round(even, 6, load, alone, "");
    load.others = 0.111;
    check_round(even, 6, load, alone, "busy");
    load.resolution = 0.02;
    check_round(even, 6, load, alone, "");
    load = quiet;
    load.steal = 0.059;
    check_round(even, 6, load, alone, "");
    load.steal = 0.061;
    check_round(even, 6, load, alone, "steal");
}
END_TEST

START_TEST(clocks)
{
    struct load load = quiet;
    load.addition_s[1] = 4.1e-10;
    check_round(even, 6, load, alone, "");
    load.addition_s[1] = 4.13e-10;
    check_round(even, 6, load, alone, "clock");
    load.addition_s[1] = 3.85e-10;
    check_round(even, 6, load, alone, "clock");
    load = quiet;
    load.throttled = 1;
    check_round(even, 6, load, alone, "throttle");
    load.throttled = NAN;
    load.stopped = 1;
    check_round(even, 6, load, alone, "quota");
}
END_TEST

START_TEST(threads_on_cores)
{
    static const struct {
        struct threading threading;
        const char *expected;
    } rows[] = {
        {{4, 4, 1, false, 4}, ""}, {{5, 4, 1, false, 0}, "smt"}, {{4, 4, 2, false, 8}, "smt"},
        {{4, 4, 2, true, 4}, ""},  {{5, 4, 2, true, 8}, "smt"},  {{1, 4, 2, false, 1}, ""},
        {{8, 0, 0, false, 0}, ""}, {{3, 4, 1, true, 2}, "smt"}, /* a mask leaves two of four */
        {{3, 4, 1, true, 3}, ""},  {{2, 0, 0, true, 1}, "smt"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_round(even, 6, quiet, rows[i].threading, rows[i].expected);
    ck_assert(!threads_are_pinned(NULL, NULL, NULL));
    ck_assert(threads_are_pinned("cores", NULL, NULL) && threads_are_pinned(NULL, "close", NULL));
    ck_assert(threads_are_pinned(NULL, NULL, "0 1") && !threads_are_pinned("cores", "FALSE", NULL));
}
END_TEST

/* The middle half of 0.8 0.9 1 1.1 1.2 is 0.9 to 1.1: 10 % either way. */
START_TEST(samples)
{
    static const double slow[] = {1.12, 1.01, 1, 1, 1, 1}, barely[] = {1.1, 1.01, 1, 1, 1, 1}, rough[] = {1, 0.8, 0.9, 1.1, 1.2};
    static const double narrow[] = {1, 0.951, 1.049, 1.2, 0.8};
    check_round(slow, 6, quiet, alone, "first_slow");
    check_round(barely, 6, quiet, alone, "");
    check_round(rough, 5, quiet, alone, "wide");
    check_round(narrow, 5, quiet, alone, "");
    json_t *list = warnings_of_round(rough, 5, &quiet, &alone);
    ck_assert_double_eq_tol(json_number_value(json_object_get(json_array_get(list, 0), "figure")), 0.1, 1e-12);
    json_decref(list);
}
END_TEST

/* ---- A record ---------------------------------------------------------------------------------------------------------- */

START_TEST(what_a_finished_record_shows)
{
    static const struct {
        const char *record, *expected;
    } rows[] = {
        {"{}", ""},
        {"{\"warnings\":null,\"process\":{\"peak_bytes\":90},\"limits\":{\"memory_bytes\":100}}", ""},
        {"{\"warnings\":null,\"process\":{\"peak_bytes\":91},\"limits\":{\"memory_bytes\":100}}", "memory"},
        {"{\"process\":{\"peak_bytes\":91},\"limits\":{\"memory_bytes\":null}}", ""},
        {"{\"throughput\":{\"bound\":{\"share\":1}}}", ""},
        {"{\"throughput\":{\"bound\":{\"share\":1.01}},\"warnings\":[{\"code\":\"busy\",\"figure\":1}]}", "busy share"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *record = json_loads(rows[i].record, 0, NULL);
        ck_assert(warnings_of_record(record));
        ck_assert_str_eq(codes_of(json_object_get(record, "warnings")), rows[i].expected);
        json_decref(record);
    }
}
END_TEST

/* ---- A point ----------------------------------------------------------------------------------------------------------- */

/* Six rounds, with one median and one addition of their own, and the warnings of the first two. */
static void made_rounds(const char *T, double last_median, double last_addition, const char *warned)
{
    for (int i = 0; i < 6; i++) {
        char members[512];
        snprintf(members, sizeof members,
                 "{\"round\":%d,\"throughput\":{\"seconds\":[1],\"median\":%.17g},\"load\":{\"addition_s\":[4e-10,%.17g]},"
                 "\"warnings\":[%s]}",
                 i, i == 5 ? last_median : 1, i == 5 ? last_addition : 4e-10, i < 2 ? warned : "");
        made_record(JOURNAL, "ok", members, "impl=fixed_point", "measure=throughput", T, NULL);
    }
}

static void check_point(double last_median, double last_addition, const char *warned, const char *expected)
{
    scratch_write(JOURNAL, "", 0);
    made_rounds("T=64", last_median, last_addition, warned);
    struct records records = made_merged(JOURNAL);
    char *text = json_dumps(record_at(records.record, "warnings"), JSON_COMPACT | JSON_REAL_PRECISION(6));
    ck_assert_str_eq(text, expected);
    free(text);
    records_free(&records);
}

#define BUSY "{\"code\":\"busy\",\"figure\":0.25},{\"code\":\"a code of tomorrow\",\"figure\":9}"

START_TEST(what_only_the_point_shows)
{
    check_point(1, 4e-10, "", "[]");
    check_point(1.099, 4.1e-10, "", "[]");
    check_point(1.11, 4e-10, "", "[{\"code\":\"wide\",\"figure\":0.055,\"rounds\":0}]");
    check_point(1, 5e-10, "", "[{\"code\":\"clock\",\"figure\":0.25,\"rounds\":0}]");
    check_point(1, 4e-10, BUSY, "[{\"code\":\"busy\",\"figure\":0.25,\"rounds\":2}]");
    check_point(1, 5e-10, "{\"code\":\"clock\",\"figure\":0.5}", "[{\"code\":\"clock\",\"figure\":0.5,\"rounds\":2}]");
}
END_TEST

START_TEST(rounds_are_counted)
{
    static const char *const expected[] = {"[{\"code\":\"few_rounds\",\"figure\":1.0,\"rounds\":0}]", "[]"};
    for (int n = 5; n <= 6; n++) {
        scratch_write(JOURNAL, "", 0);
        for (int i = 0; i < n; i++)
            made_record(JOURNAL, "ok", made_speed(i, 1), "impl=fixed_point", "measure=throughput", NULL);
        made_record(JOURNAL, "timed_out", NULL, "impl=dense_sequential", "measure=throughput", NULL); /* has no figure to doubt */
        struct records records = made_merged(JOURNAL);
        char *text = json_dumps(record_at(&records.record[1], "warnings"), JSON_COMPACT);
        ck_assert_str_eq(text, expected[n - 5]);
        ck_assert_uint_eq(json_array_size(record_at(&records.record[0], "warnings")), 0);
        free(text);
        records_free(&records);
    }
}
END_TEST

/* ---- In words ---------------------------------------------------------------------------------------------------------- */

static void check_printed(const struct precautions *precautions, const char *expected)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    struct records records = made_merged(JOURNAL);
    ck_assert_ptr_nonnull(out);
    ck_assert_msg(warnings_print(out, &records, precautions, &error), "%s", error.text);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_str_eq(text, expected);
    free(text);
    records_free(&records);
}

START_TEST(nothing_to_say)
{
    const struct precautions none = {0};
    check_printed(&none, "");
    made_rounds("T=64", 1, 4e-10, "");
    check_printed(&none, "");
}
END_TEST

START_TEST(a_paragraph_a_code)
{
    const struct precautions none = {.rounds = 1};
    made_rounds("T=64", 1, 4e-10, "{\"code\":\"busy\",\"figure\":0.25}");
    made_rounds("T=32", 1, 4e-10, "{\"code\":\"busy\",\"figure\":0.5}");
    made_rounds("T=16", 1.2, 4e-10, "");
    made_record(JOURNAL, "ok", NULL, "impl=fixed_point", "measure=convergence", NULL); /* another measure: not counted */
    check_printed(&none, "\nWarnings (explained in docs/reference/messages.md):\n"
                         "busy: 4 of 18 rounds, 2 of 3 points; at worst 0.50 processors: fixed_point\n"
                         "    (1,32,8) householder r=1 kappa=free l=16 threads=1. Other programs kept\n"
                         "    processors busy while samples were timed. Remedies: a quiet machine; run:\n"
                         "    {rounds: 6} or more; run: {until: ...}.\n"
                         "wide: 1 of 3 points; at worst \u00b110 %: fixed_point (1,16,8) householder r=1\n"
                         "    kappa=free l=16 threads=1. The quartiles of a round's samples, or the 95 %\n"
                         "    interval over rounds, are wider than \u00b15 %. Remedies: a quiet machine; run:\n"
                         "    {samples: 20} or more; run: {until: ...}.\n");
}
END_TEST

/* The remedies of a code, under some precautions; the caller frees it. */
static char *remedies(const char *code, struct precautions precautions)
{
    char *text = NULL, warned[64];
    size_t length = 0;
    scratch_write(JOURNAL, "", 0);
    snprintf(warned, sizeof warned, "{\"code\":\"%s\",\"figure\":8}", code);
    made_rounds("T=64", 1, 4e-10, warned);
    struct records records = made_merged(JOURNAL);
    FILE *out = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(out);
    ck_assert(warnings_print(out, &records, &precautions, &error));
    ck_assert_int_eq(fclose(out), 0);
    records_free(&records);
    char *to = text; /* on one line, with single blanks */
    for (const char *from = text; *from; from++)
        if ((*from != '\n' && *from != ' ') || (to > text && to[-1] != ' '))
            *to++ = (char)(*from == '\n' ? ' ' : *from);
    *to = '\0';
    return text;
}

START_TEST(remedies_in_use_are_not_suggested)
{
    static const struct {
        const char *code, *remedy;
        struct precautions without, with;
    } rows[] = {
        {"busy", "{until:", {.rounds = 6}, {.until = true}},
        {"busy", "{rounds: 6}", {.rounds = 5}, {.rounds = 6}},
        {"steal", "{until:", {.rounds = 6}, {.until = true}},
        {"clock", "governor", {.governor = "powersave"}, {.governor = "performance"}},
        {"clock", "governor", {.governor = "schedutil"}, {.governor = ""}},
        {"clock", "turbo", {.turbo = true}, {.turbo = false}},
        {"smt", "OMP_PLACES", {.pinned = false}, {.pinned = true}},
        {"first_slow", "{samples:", {.samples = 19}, {.samples = 20}},
        {"wide", "; run: {until:", {.until = false}, {.until = true}},
        {"wide", "a larger at_most:", {.until = true}, {.until = false}},
        {"few_rounds", "{rounds: 6}", {.rounds = 5}, {.rounds = 6}},
        {"few_rounds", "repeat the command", {.rounds = 6}, {.rounds = 5}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *without = remedies(rows[i].code, rows[i].without), *with = remedies(rows[i].code, rows[i].with);
        const char *helps = strstr(without, "Remedies:");
        ck_assert_msg(helps != NULL && strstr(helps, rows[i].remedy) != NULL, "%s: %s", rows[i].code, without);
        helps = strstr(with, "Remedies:");
        ck_assert_msg(helps == NULL || strstr(helps, rows[i].remedy) == NULL, "%s: %s", rows[i].code, with);
        free(without);
        free(with);
    }
    char *text = remedies("first_slow", (struct precautions){.samples = 20});
    ck_assert_ptr_nonnull(strstr(text, "No further remedy known."));
    free(text);
}
END_TEST

/* What the machine's file says of matrix products stands in the paragraph of that code, and in no other. */
START_TEST(products_that_the_environment_slows)
{
    struct precautions precautions = {.rounds = 3};
    json_t *facts = json_loads("{\"product\":{\"core\":\"Slow\",\"MFLOP_per_s\":{\"float32\":12300,\"float64\":6100},\"forced\":"
                               "{\"by\":\"OPENBLAS_CORETYPE=Slow\",\"free\":{\"core\":\"Fast\",\"MFLOP_per_s\":{\"float32\":98400,"
                               "\"float64\":61000}}}}}",
                               0, NULL);
    precautions_of_machine(facts, &precautions);
    json_decref(facts);
    char *text = remedies("blas_forced", precautions), *other = remedies("busy", precautions);
    ck_assert_msg(strstr(text, "at worst 8.00 times the time of its own choice") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "With OPENBLAS_CORETYPE=Slow OpenBLAS (Slow) multiplies with 12.3 GFLOP/s in float32 and 6.1 in "
                               "float64; by its own choice (Fast) with 98.4 and 61. Remedies: unset OPENBLAS_*") != NULL,
                  "%s", text);
    ck_assert_ptr_null(strstr(other, "OPENBLAS"));
    free(text);
    free(other);
    precautions_of_machine(NULL, &precautions);
    ck_assert_str_eq(precautions.product, "");
}
END_TEST

START_TEST(precautions_that_a_machine_shows)
{
    struct precautions precautions = {.rounds = 3};
    json_t *facts = json_loads("{\"cpu\":{\"governor\":\"powersave\",\"turbo\":true},"
                               "\"threading_variables\":{\"OMP_PLACES\":\"cores\",\"OMP_PROC_BIND\":\"false\"}}",
                               0, NULL);
    precautions_of_machine(facts, &precautions);
    ck_assert_str_eq(precautions.governor, "powersave");
    ck_assert(precautions.turbo && !precautions.pinned);
    json_decref(facts);
    facts =
        json_loads("{\"cpu\":{\"governor\":null,\"turbo\":null},\"threading_variables\":{\"GOMP_CPU_AFFINITY\":\"0-3\"}}", 0, NULL);
    precautions_of_machine(facts, &precautions);
    ck_assert_str_eq(precautions.governor, "");
    ck_assert(!precautions.turbo && precautions.pinned);
    json_decref(facts);
    precautions_of_machine(NULL, &precautions);
    ck_assert(!precautions.pinned);
    ck_assert_int_eq(precautions.rounds, 3);
}
END_TEST

Suite *suite_warning(void)
{
    Suite *suite = suite_create("warning");
    TCase *tests = tcase_create("warning");
    tcase_add_checked_fixture(tests, setup, scratch_remove);
    tcase_add_test(tests, both_sides_of_each_threshold);
    tcase_add_test(tests, the_table_is_whole);
    tcase_add_test(tests, a_quiet_round_has_none);
    tcase_add_test(tests, load_of_others);
    tcase_add_test(tests, clocks);
    tcase_add_test(tests, threads_on_cores);
    tcase_add_test(tests, samples);
    tcase_add_test(tests, what_a_finished_record_shows);
    tcase_add_test(tests, what_only_the_point_shows);
    tcase_add_test(tests, rounds_are_counted);
    tcase_add_test(tests, nothing_to_say);
    tcase_add_test(tests, a_paragraph_a_code);
    tcase_add_test(tests, remedies_in_use_are_not_suggested);
    tcase_add_test(tests, products_that_the_environment_slows);
    tcase_add_test(tests, precautions_that_a_machine_shows);
    suite_add_tcase(suite, tests);
    return suite;
}
