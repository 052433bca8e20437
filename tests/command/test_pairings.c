/* Which pairs of a sweep with a baseline are measured: who is compared with whom, what of a journal counts, and when it is enough. */
#include "bench/command/tally.h"
#include "bench/command/vocabulary.h"
#include "bench/sweep/baseline.h"
#include "tests/support/scratch.h"

#include <check.h>
#include <math.h>

Suite *suite_pairings(void);

static struct error error;
static struct sweep sweep;
static struct tally tally;
static const struct conditions here = {"machine", "libraries", 10}, rebuilt = {"another machine", "libraries", 10};

static bool read_text(const char *text)
{
    scratch_write(scratch_path("sweep.yaml"), text, strlen(text));
    return sweep_read(&sweep_vocabulary, scratch_path("sweep.yaml"), NULL, false, &sweep, &error);
}

/* Points 0 and 1: fixed_point at T 8 and 16, points 2 and 3 the baseline there, or in another order; and one that is alone. */
static void open_both(void)
{
    ck_assert_msg(read_text("name: t\nbaseline: structured_sequential\nproblem: {T: [8, 16], d: 4, mixer: dplr}\n"
                            "impls: [fixed_point, structured_sequential]\nmeasure: throughput\n"
                            "run: {samples: 10, time_limit: 10 s, margin: 10%}\n"
                            "grids: [{settings: {l: 4}}, {impls: fixed_point, measure: convergence}]\n"),
                  "%s", error.text);
    ck_assert_msg(tally_make(&sweep, &here, false, &tally, &error), "%s", error.text);
}

static void setup(void)
{
    scratch_make();
    open_both();
}

static void teardown(void)
{
    tally_free(&tally);
    sweep_free(&sweep);
    scratch_remove();
}

/* One half of a pair of a comparison as a run leaves it; its baseline is of a build that `of` says. */
static void half(const struct conditions *of, size_t i, enum side side, int number, const char *result, double seconds)
{
    char key[SIDES][KEY_SIZE];
    const struct pairing *pairing = &tally.pairings.pairing[i];
    point_key(&sweep.point[pairing->point[SIDE_NEW]], &here, key[SIDE_NEW]);
    point_key(&sweep.point[pairing->point[SIDE_BASELINE]], of, key[SIDE_BASELINE]);
    json_t *record = json_pack("{ss si ss s{si ss ss} s{s[fff]} s{sf sn}}", "key", key[side], "round", number, "result", result,
                               "pair", "number", number, "side", side_names[side], "with", key[1 - side], "throughput", "seconds",
                               2 * seconds, seconds, 3 * seconds, "limits", "time_s", 10.0, "memory_bytes");
    ck_assert_ptr_nonnull(record);
    tally_record(&tally, record);
    json_decref(record);
}

static void pair(size_t i, int number, double ratio)
{
    half(&here, i, SIDE_NEW, number, "ok", ratio);
    half(&here, i, SIDE_BASELINE, number, "ok", 1);
}

START_TEST(partners)
{
    ck_assert_uint_eq(sweep.n_compared, 2);
    ck_assert_uint_eq(tally.pairings.n, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct point *new = &sweep.point[tally.pairings.pairing[i].point[SIDE_NEW]];
        const struct point *base = &sweep.point[tally.pairings.pairing[i].point[SIDE_BASELINE]];
        ck_assert_str_eq(new->value[FIELD_IMPLEMENTATION].text, "fixed_point");
        ck_assert_str_eq(base->value[FIELD_IMPLEMENTATION].text, "structured_sequential");
        ck_assert_int_eq(new->value[FIELD_T].integer, base->value[FIELD_T].integer);
    }
    size_t alone = 0;
    for (size_t i = 0; i < sweep.n_points; i++)
        alone += !tally.point[i].paired && tally_wants(&tally, i, 0);
    ck_assert_uint_eq(alone, 2); /* the convergence, at both T */
}
END_TEST

/* What the baseline does not know does not part them; what it knows in two ways leaves open which is meant. */
START_TEST(partners_share_what_both_use)
{
    tally_free(&tally);
    sweep_free(&sweep);
    ck_assert_msg(read_text("name: t\nbaseline: fixed_point\nproblem: {T: 8, d: 4, mixer: dplr}\nmeasure: throughput\n"
                            "impls: [fixed_point, structured_sequential, fixed_point split=time]\nsettings: {l: [4, 8]}\n"),
                  "%s", error.text);
    ck_assert_uint_eq(sweep.n_compared, 2); /* by split, at either l; structured_sequential has no l */
    sweep_free(&sweep);
    ck_assert_msg(read_text("name: t\nproblem: {T: 8, d: 4, mixer: dplr}\nmeasure: throughput\n"
                            "impls: [fixed_point, structured_sequential]\nsettings: {l: [4, 8]}\n"),
                  "%s", error.text);
    ck_assert_ptr_null(sweep.partner);
    ck_assert(baseline_apply(&sweep, "structured_sequential", &error));
    ck_assert_uint_eq(sweep.n_compared, 2);
    ck_assert(!baseline_apply(&sweep, "gmres", &error));
    ck_assert_ptr_nonnull(strstr(error.text, "gmres"));
    ck_assert(!baseline_apply(&sweep, "no_such", &error));
    sweep_free(&sweep);
    ck_assert(
        !read_text("name: t\nbaseline: gmres\nproblem: {T: 8, d: 4, mixer: dplr}\nmeasure: throughput\nimpls: fixed_point\n"));
    ck_assert_ptr_nonnull(strstr(error.text, "sweep.yaml:2:11: baseline gmres"));
    ck_assert(!read_text("name: t\nbaseline: gmres\nproblem: {T: 8, d: 4, mixer: dplr}\nmeasure: convergence\nimpls: gmres\n"));
    ck_assert(!read_text("name: t\nbaseline: [gmres, anderson]\nproblem: {T: 8, d: 4}\nmeasure: throughput\nimpls: gmres\n"));
    open_both(); /* for teardown() */
}
END_TEST

START_TEST(ten_then_twenty_then_forty)
{
    ck_assert_uint_eq(pairings_planned(&tally.pairings), 20);
    for (int number = 0; number < 10; number++) {
        ck_assert(pairings_want(&tally.pairings, 0) && pairings_look(&tally.pairings) && tally.pairings.target == 10);
        pair(0, number, 1.5 + 0.001 * number);            /* slower, clearly */
        pair(1, number, number % 2 != 0 ? 1.4 : 1 / 1.4); /* undecided */
    }
    ck_assert(!pairings_want(&tally.pairings, 0) && !pairings_want(&tally.pairings, 1));
    ck_assert(pairings_look(&tally.pairings));
    ck_assert_uint_eq(tally.pairings.target, 20);
    ck_assert(!pairings_want(&tally.pairings, 0) && pairings_want(&tally.pairings, 1));
    ck_assert_uint_eq(pairings_planned(&tally.pairings), 10);
    for (int number = 10; number < 40; number++) {
        ck_assert(pairings_look(&tally.pairings) && pairings_want(&tally.pairings, 1));
        pair(1, number, number % 2 != 0 ? 1.4 : 1 / 1.4);
    }
    ck_assert(pairings_look(&tally.pairings));
    ck_assert_uint_eq(tally.pairings.target, 40);
    ck_assert_uint_eq(pairings_planned(&tally.pairings), 0);
}
END_TEST

/* A look waits for all, and a run that resumes looks at what is there as it would have. */
START_TEST(looks_together)
{
    for (int number = 0; number < 10; number++)
        pair(0, number, 1.5 + 0.001 * number);
    ck_assert(pairings_look(&tally.pairings));
    ck_assert(!tally.pairings.pairing[0].decided && pairings_want(&tally.pairings, 1));
    for (int number = 0; number < 20; number++)
        pair(1, number, number % 2 != 0 ? 1.4 : 1 / 1.4);
    ck_assert(pairings_look(&tally.pairings));
    ck_assert(tally.pairings.pairing[0].decided && !tally.pairings.pairing[1].decided);
    ck_assert_uint_eq(tally.pairings.target, 40); /* 20 of the other are there already */
}
END_TEST

/* What was interrupted, what failed, and what belongs to another build of the baseline. */
START_TEST(halves)
{
    const struct pairing *first = &tally.pairings.pairing[0];
    half(&here, 0, SIDE_BASELINE, 0, "ok", 1);
    ck_assert_uint_eq(pairings_complete(first), 0);
    ck_assert_int_eq(pairings_next(first), 1); /* never the number of a pair that was interrupted */
    pair(0, 1, 2);
    ck_assert_uint_eq(pairings_complete(first), 1);
    ck_assert_uint_eq(tally.kept, 3);
    half(&rebuilt, 0, SIDE_NEW, 2, "ok", 2);
    ck_assert_int_eq(pairings_next(first), 2);
    ck_assert_int_eq(tally_result(&tally, first->point[SIDE_NEW]), RESULT_OK);
    half(&here, 0, SIDE_NEW, 3, "wrong", 0);
    ck_assert(!pairings_want(&tally.pairings, 0) && pairings_want(&tally.pairings, 1));
    ck_assert_int_eq(tally_result(&tally, first->point[SIDE_NEW]), RESULT_WRONG);
    half(&here, 0, SIDE_NEW, 3, "ok", 2); /* the later line counts */
    ck_assert(pairings_want(&tally.pairings, 0));
    ck_assert_int_eq(tally_result(&tally, first->point[SIDE_NEW]), RESULT_OK);
    pairings_end(&tally.pairings, tally.pairings.pairing[1].point[SIDE_BASELINE], true);
    ck_assert(!pairings_want(&tally.pairings, 1));
}
END_TEST

/* What failed ends all comparisons of its point; with --retry, or at a longer limit, it is measured again under the same number. */
START_TEST(failures)
{
    const struct pairing *first = &tally.pairings.pairing[0];
    const size_t new = first->point[SIDE_NEW];
    pair(0, 0, 2);
    half(&here, 0, SIDE_NEW, 1, "crashed", 0);
    pair(0, 2, 2);
    ck_assert_int_eq(tally_next(&tally, new), 3);
    ck_assert_int_eq(tally_result(&tally, new), RESULT_CRASHED);
    tally_free(&tally);
    ck_assert(tally_make(&sweep, &here, true, &tally, &error));
    first = &tally.pairings.pairing[0];
    pair(0, 0, 2);
    half(&here, 0, SIDE_NEW, 1, "crashed", 0);
    pair(0, 2, 2);
    ck_assert_int_eq(tally_next(&tally, new), 1);
    ck_assert_int_eq(tally_result(&tally, new), RESULT_OK);
    ck_assert(pairings_want(&tally.pairings, 0));
    ck_assert_uint_eq(pairings_complete(first), 2);
    half(&here, 0, SIDE_NEW, 1, "ok", 2);
    ck_assert_int_eq(tally_next(&tally, new), 3);
}
END_TEST

Suite *suite_pairings(void)
{
    Suite *suite = suite_create("pairings");
    TCase *tests = tcase_create("pairings");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, partners);
    tcase_add_test(tests, partners_share_what_both_use);
    tcase_add_test(tests, ten_then_twenty_then_forty);
    tcase_add_test(tests, looks_together);
    tcase_add_test(tests, halves);
    tcase_add_test(tests, failures);
    suite_add_tcase(suite, tests);
    return suite;
}
