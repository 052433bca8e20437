/* What of a line a record keeps in memory, how much that is, and the texts that records share. */
#include "bench/journal/packed.h"

#include "bench/base/texts.h"
#include "bench/journal/records.h"
#include "tests/support/allocations.h"
#include "tests/support/made_records.h"

#include <ctype.h>
#include <glob.h>
#include <math.h>

Suite *suite_packed(void);

static struct texts texts;
static struct packed packed;

/* ---- Kinds ---------------------------------------------------------------------------------------------------------------------- */

static void pack_line(const char *text)
{
    json_t *line = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(line);
    ck_assert(packed_of_line(line, &texts, &packed));
    json_decref(line);
}

static void check_kind(enum column_id id, enum datum_kind kind)
{
    ck_assert_msg(packed_datum(&packed, id)->kind == kind, "%s is of kind %d, not %d", schema[id].path,
                  packed_datum(&packed, id)->kind, kind);
}

static void give_back(void)
{
    packed_free(&packed);
    texts_free(&texts);
}

START_TEST(every_kind)
{
    pack_line("{\"version\":3,\"machine\":\"m\",\"message\":\"\",\"rounds\":9007199254740993,"
              "\"inputs\":{\"kappa\":0.5,\"rho\":null},"
              "\"convergence\":{\"bounds_hold\":true,\"l\":[1,2,4],\"error_max\":[0.5,null,1],\"residual\":[],\"final\":null},"
              "\"throughput\":null,"
              "\"warnings\":[{\"code\":\"busy\",\"figure\":0.25},{\"code\":\"of tomorrow\",\"figure\":1},"
              "{\"code\":\"wide\",\"figure\":null,\"rounds\":3},7]}");
    check_kind(COLUMN_VERSION, DATUM_INTEGER);
    ck_assert(packed_datum(&packed, COLUMN_ROUNDS)->integer == INT64_C(9007199254740993)); /* no double is that */
    check_kind(COLUMN_KAPPA, DATUM_REAL);
    ck_assert_double_eq(packed_datum(&packed, COLUMN_KAPPA)->real, 0.5);
    ck_assert_str_eq(packed_datum(&packed, COLUMN_MACHINE)->text, "m");
    ck_assert_str_eq(packed_datum(&packed, COLUMN_MESSAGE)->text, "");
    check_kind(COLUMN_BOUNDS_HOLD, DATUM_BOOLEAN);
    ck_assert(packed_datum(&packed, COLUMN_BOUNDS_HOLD)->boolean);
    const struct datum *whole = packed_datum(&packed, COLUMN_CURVE_L), *holed = packed_datum(&packed, COLUMN_CURVE_ERROR_MAX);
    ck_assert(whole->kind == DATUM_LIST && whole->n == 3 && whole->whole && whole->list[2] == 4);
    ck_assert(holed->kind == DATUM_LIST && holed->n == 3 && !holed->whole && holed->list[0] == 0.5 && isnan(holed->list[1]));
    check_kind(COLUMN_CURVE_RESIDUAL, DATUM_LIST);
    ck_assert_uint_eq(packed_datum(&packed, COLUMN_CURVE_RESIDUAL)->n, 0);
    const struct datum *list = packed_datum(&packed, COLUMN_WARNINGS);
    ck_assert(list->kind == DATUM_WARNINGS && list->n == 2);
    ck_assert(list->warned[0].code == WARNING_BUSY && list->warned[0].figure == 0.25 && list->warned[0].rounds == 0);
    ck_assert(list->warned[1].code == WARNING_WIDE && list->warned[1].figure == 0 && list->warned[1].rounds == 3);
    give_back();
}
END_TEST

/* A value that is null, one that is not there and one whose object is not there: only the last may not be filled. */
START_TEST(null_and_absent)
{
    pack_line("{\"inputs\":{\"rho\":null},\"convergence\":{\"final\":null,\"error_to\":{\"1e-1\":null}},\"throughput\":null,"
              "\"reach\":7,\"accuracy\":[]}");
    static const struct {
        enum column_id id;
        bool within;
    } rows[] = {{COLUMN_KEY, true},
                {COLUMN_RHO, true},
                {COLUMN_KAPPA, true},
                {COLUMN_CURVE_L, true},
                {COLUMN_ERROR_TO_1E_1, true},
                {COLUMN_ERROR_TO_1E_3, true},
                {COLUMN_RESIDUAL_TO_1E_1, false},
                {COLUMN_FINAL_RESIDUAL, false},
                {COLUMN_TIME_MEDIAN, false},
                {COLUMN_BOUND_SHARE, false},
                {COLUMN_PROBLEMS, false},
                {COLUMN_TEST_LOSS, false}};
    ck_assert_uint_eq(packed.n, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_kind(rows[i].id, DATUM_NONE);
        ck_assert_msg(packed_within(&packed, rows[i].id) == rows[i].within, "%s", schema[rows[i].id].path);
    }
    ck_assert(packed_has(&packed, "inputs") && packed_has(&packed, "convergence"));
    ck_assert(!packed_has(&packed, "throughput") && !packed_has(&packed, "reach") && !packed_has(&packed, "accuracy"));
    ck_assert(!packed_has(&packed, "final") && !packed_has(&packed, "nothing"));
    give_back();
}
END_TEST

/* What no row of the schema has is dropped, as is an object where a value belongs: lines of other programs. */
START_TEST(unknown_members)
{
    pack_line("{\"tomorrow\":1,\"throughput\":{\"median\":2,\"secret\":[1,2],\"bound\":{\"share\":{\"a\":1}}},\"load\":\"\","
              "\"key\":{\"x\":1},\"message\":null}");
    ck_assert_uint_eq(packed.n, 1);
    check_kind(COLUMN_TIME_MEDIAN, DATUM_INTEGER);
    ck_assert(packed_within(&packed, COLUMN_BOUND_SHARE) && !packed_within(&packed, COLUMN_LOAD_OTHERS));
    give_back();
}
END_TEST

/* Nothing that is made from records asks for what only the journal holds. */
START_TEST(only_in_the_journal)
{
    static const char *const ids[] = {
#define COLUMN(id, ...) "COLUMN_" #id,
#include "bench/journal/schema.def"
#undef COLUMN
    };
    glob_t found;
    pack_line("{\"build\":\"b\",\"order\":{\"seed\":1},\"convergence\":{\"error_l2\":[1],\"l\":[1]}}");
    ck_assert_uint_eq(packed.n, 1);
    give_back();
    ck_assert_int_eq(glob("bench/report/*.c", 0, NULL, &found), 0);
    ck_assert_int_eq(glob("bench/report/blocks/*.c", GLOB_APPEND, NULL, &found), 0);
    ck_assert_int_eq(glob("plots/*.c", GLOB_APPEND, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *source = scratch_read(found.gl_pathv[i]);
        for (int id = 0; id < COLUMN_COUNT; id++) {
            const char *at = schema[id].journal_only ? strstr(source, ids[id]) : NULL;
            for (; at != NULL; at = strstr(at + 1, ids[id]))
                ck_assert_msg(isalnum((unsigned char)at[strlen(ids[id])]) || at[strlen(ids[id])] == '_', "%s: %s",
                              found.gl_pathv[i], ids[id]);
        }
        free(source);
    }
    globfree(&found);
}
END_TEST

/* Values are set where their object is there, and nowhere else; lists are copied. */
START_TEST(changed_and_packed_again)
{
    struct unpacked values;
    struct packed again;
    double list[2] = {1, NAN};
    struct warned warned[1] = {{.code = WARNING_STEAL, .figure = 2, .rounds = 1}};
    pack_line("{\"throughput\":{\"median\":2,\"seconds\":[1,2,3],\"low\":1},\"load\":null}");
    unpacked_of(&packed, &values);
    unpacked_clear(&values, COLUMN_SECONDS);
    unpacked_set_integer(&values, COLUMN_ROUNDS, 4);
    unpacked_set_real(&values, COLUMN_TIME_HIGH, 2.5);
    unpacked_set_real(&values, COLUMN_TIME_LOW, NAN);
    unpacked_set_real(&values, COLUMN_TIME_Q1, INFINITY);
    unpacked_set_text(&values, COLUMN_STARTED, NULL);
    unpacked_set_real(&values, COLUMN_LOAD_OTHERS, 1);
    unpacked_set(&values, COLUMN_OUTLIERS, (struct datum){.kind = DATUM_LIST, .n = 2, .list = list});
    unpacked_set(&values, COLUMN_WARNINGS, (struct datum){.kind = DATUM_WARNINGS, .n = 1, .warned = warned});
    ck_assert(packed_of(&values, &again));
    packed_free(&packed);
    list[0] = 9, warned[0].figure = 9;
    packed = again;
    check_kind(COLUMN_SECONDS, DATUM_NONE);
    check_kind(COLUMN_TIME_LOW, DATUM_NONE);
    check_kind(COLUMN_TIME_Q1, DATUM_NONE);
    check_kind(COLUMN_STARTED, DATUM_NONE);
    check_kind(COLUMN_LOAD_OTHERS, DATUM_NONE);
    ck_assert_int_eq(packed_datum(&packed, COLUMN_ROUNDS)->integer, 4);
    ck_assert_int_eq(packed_datum(&packed, COLUMN_TIME_MEDIAN)->integer, 2);
    ck_assert_double_eq(packed_datum(&packed, COLUMN_TIME_HIGH)->real, 2.5);
    ck_assert_double_eq(packed_datum(&packed, COLUMN_OUTLIERS)->list[0], 1);
    ck_assert(isnan(packed_datum(&packed, COLUMN_OUTLIERS)->list[1]));
    ck_assert_double_eq(packed_datum(&packed, COLUMN_WARNINGS)->warned->figure, 2);
    give_back();
}
END_TEST

/* One that was refused leaves nothing behind. */
START_TEST(out_of_memory)
{
    json_t *line = json_loads("{\"machine\":\"m\",\"throughput\":{\"median\":2,\"seconds\":[1,2,3]}}", 0, NULL);
    bool done = false;
    for (long n = 1; !done; n++) {
        ck_assert_int_lt(n, 16);
        allocations_fail(n);
        done = packed_of_line(line, &texts, &packed);
        allocations_fail(0);
        ck_assert(done || (packed.datum == NULL && packed.n == 0));
        give_back();
    }
    json_decref(line);
}
END_TEST

/* ---- Texts ------------------------------------------------------------------------------------------------------------------------ */

START_TEST(equal_texts_are_one)
{
    enum { N = 5000 };
    static const char *kept[N];
    char text[100000];
    for (int i = 0; i < N; i++) {
        snprintf(text, sizeof text, "text %d", i);
        kept[i] = texts_keep(&texts, text);
    }
    for (int i = 0; i < N; i++) {
        snprintf(text, sizeof text, "text %d", i);
        ck_assert_str_eq(kept[i], text);
        ck_assert_ptr_eq(texts_keep(&texts, text), kept[i]);
    }
    ck_assert_uint_eq(texts.n, N);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    const char *empty = texts_keep(&texts, ""), *longest = texts_keep(&texts, text);
    ck_assert_str_eq(empty, "");
    ck_assert_str_eq(longest, text);
    ck_assert_ptr_eq(texts_keep(&texts, text), longest);
    texts_free(&texts);
    ck_assert_uint_eq(texts.n, 0);
}
END_TEST

/* ---- Records ------------------------------------------------------------------------------------------------------------------------ */

/* Bytes that records hold: their points, their values, their texts. */
static size_t held_by(const struct records *records)
{
    size_t held = records->n * sizeof *records->record + records->texts.n_slots * sizeof *records->texts.slot;
    for (size_t i = 0; i < records->texts.n_slots; i++)
        held += records->texts.slot[i] != NULL ? strlen(records->texts.slot[i]) + 1 : 0;
    for (size_t i = 0; i < records->n; i++) {
        const struct packed *one = &records->record[i].packed;
        held += one->n * sizeof *one->datum;
        for (size_t k = 0; k < one->n; k++)
            held += one->datum[k].kind == DATUM_LIST ? one->datum[k].n * sizeof *one->datum[k].list : 0;
    }
    return held;
}

/* What 1,000 rounds with all that a throughput record has take once they are read, and merged: 100,000 must fit in 500 MB with the sweep
 * and the table beside them. Counted in bytes that were asked for, so that it is the same everywhere. */
START_TEST(memory_a_record)
{
    enum { N = 1000, READ = 3000 };
    static const char members[] =
        "{\"ended\":\"2026-11-23T18:40:00Z\",\"build\":\"0123456789abcdef\",\"harness\":\"0123456789abcdef\","
        "\"limits\":{\"samples\":10,\"time_s\":60.5,\"memory_bytes\":1000000},"
        "\"inputs\":{\"rho\":0.5,\"kappa\":0.5,\"norm\":0.5,\"norm_inf\":0.5,\"max_h\":1.5,\"equation_residual\":1e-16},"
        "\"throughput\":{\"calls\":3,\"seconds\":[1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5,1.5],\"median\":1.5,\"variation\":0.01,"
        "\"outliers\":[],\"tokens_per_s\":1.5,\"bytes\":100,\"operations\":100,\"GB_per_s\":1.5,\"GFLOP_per_s\":1.5,"
        "\"bound\":{\"share\":0.5,\"binds\":\"bytes\",\"seconds\":0.5,\"GB_per_s\":1.5,\"GFLOP_per_s\":1.5,\"roofs\":"
        "\"0123456789abcdef\"},"
        "\"set\":100,\"error_iterate\":1e-7,\"error_exact\":1e-7,\"residual\":1e-7,\"tolerance\":1e-6,"
        "\"validated_against\":\"the textbook l-th iterate\",\"validated_sequence\":0,\"applications\":50,\"l_run\":50,"
        "\"peak_bytes\":1000},"
        "\"load\":{\"others\":0.5,\"steal\":0.5,\"switches\":0.5,\"addition_s\":[1e-10,1e-10]},\"warnings\":[],"
        "\"process\":{\"wall_s\":1.5,\"start_s\":1.5,\"inputs_s\":1.5,\"plan_s\":1.5,\"validation_s\":1.5,\"timing_s\":1.5,\"end_"
        "s\":1.5,"
        "\"harness_s\":1.5,\"peak_bytes\":1000,\"signal\":0,\"exit\":0}}";
    struct records records;
    struct error error;
    scratch_make();
    for (int i = 0; i < N; i++) {
        char T[16];
        snprintf(T, sizeof T, "T=%d", i + 1);
        made_record(scratch_path("journal"), "ok", members, "impl=fixed_point", "measure=throughput", T, NULL);
    }
    ck_assert_msg(records_read(scratch_path("journal"), &records, &error), "%s", error.text);
    ck_assert_uint_eq(records.n, N);
    size_t held = held_by(&records);
    ck_assert_msg(held / N < READ, "%zu bytes a record", held / N);
    long before = allocations_bytes();
    ck_assert_msg(records_merge(&records, &error), "%s", error.text);
    long asked = allocations_bytes() - before;
    ck_assert_msg(asked / N < READ, "merging asked for %ld bytes a record", asked / N);
    ck_assert_uint_eq(records.n, N);
    records_free(&records);
    scratch_remove();
}
END_TEST

Suite *suite_packed(void)
{
    Suite *suite = suite_create("packed");
    TCase *tests = tcase_create("packed");
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, every_kind);
    tcase_add_test(tests, null_and_absent);
    tcase_add_test(tests, unknown_members);
    tcase_add_test(tests, only_in_the_journal);
    tcase_add_test(tests, changed_and_packed_again);
    tcase_add_test(tests, out_of_memory);
    tcase_add_test(tests, equal_texts_are_one);
    tcase_add_test(tests, memory_a_record);
    suite_add_tcase(suite, tests);
    return suite;
}
