/* Plots: the data files of every kind from a small journal, word by word; failures are in them; nothing a user names is run. */
#include "plots/plot.h"

#include "bench/base/process.h"
#include "bench/machine/machine_file.h"
#include "plots/kinds.h"
#include "tests/support/made_records.h"
#include "tests/support/program.h"

#include <math.h>
#include <unistd.h>

Suite *suite_plots(void);

static struct error error;
static struct sweep sweep;
static struct plots_drawn drawn;

static void setup(void)
{
    scratch_make();
    memset(&sweep, 0, sizeof sweep);
    memset(&drawn, 0, sizeof drawn);
    strcpy(sweep.name, "made");
    scratch_write(scratch_path("journal"), "", 0);
}

static struct plot_request *request(const char *kind, const char *name)
{
    struct plot_request *made = &sweep.plot[sweep.n_plots++];
    made->x = made->along = -1;
    strcpy(made->kind, kind);
    strcpy(made->name, name);
    return made;
}

static bool draw(void)
{
    struct records records = made_merged(scratch_path("journal"));
    bool done = plots_draw(&sweep, &records, scratch, &drawn, &error);
    records_free(&records);
    return done;
}

static bool exists(const char *name)
{
    return access(scratch_path(name), F_OK) == 0;
}

static void check_file(const char *name, const char *expected)
{
    char *text = scratch_read(scratch_path(name));
    ck_assert_str_eq(text, expected);
    free(text);
}

static void check_contains(const char *name, const char *expected)
{
    char *text = scratch_read(scratch_path(name));
    ck_assert_msg(strstr(text, expected) != NULL, "%s lacks: %s\nit has:\n%s", name, expected, text);
    free(text);
}

#define JOURNAL scratch_path("journal")

/* ---- What is written for each kind ------------------------------------------------------------------------------------- */

START_TEST(error_against_iteration)
{
    const char *first =
        "{\"inputs\":{\"rho\":0.5},\"convergence\":{\"l\":[1,2,3],\"residual\":[0.5,0.25,null],\"error_max\":[0.4,0.2,0]}}";
    const char *second = "{\"inputs\":{\"rho\":0.5},\"convergence\":{\"l\":[1,2],\"residual\":[0.5,0.25],\"error_max\":[0.2,0.1]}}";
    const char *exact = "{\"convergence\":{\"l\":[],\"final\":{\"error_max\":1e-15}}}";
    made_record(JOURNAL, "ok", first, "impl=fixed_point", "measure=convergence", "kappa=0.5", "l=3", NULL);
    made_record(JOURNAL, "ok", second, "impl=fixed_point", "measure=convergence", "kappa=0.5", "l=3", "seed=2", NULL);
    made_record(JOURNAL, "singular", NULL, "impl=fixed_point", "measure=convergence", "kappa=0.9", "l=3", NULL);
    made_record(JOURNAL, "ok", exact, "impl=structured_sequential", "measure=convergence", "kappa=0.5", NULL);
    request("error-against-iteration", "error-against-iteration");
    ck_assert_msg(draw(), "%s", error.text);
    ck_assert_uint_eq(drawn.pictures, 1);
    check_file(
        "plots/error-against-iteration.dat",
        "# The page. To redraw: gnuplot -c error-against-iteration.gp error-against-iteration.dat error-against-iteration.svg\n"
        "columns\t1\nwidth\t760\npanel_height\t400\nmargins\t66\t16\t20\t46\nletters\t15\thigh\n"
        "title\tmade: true error and residual against iteration\n"
        "subtitle\tB = 1, T = 64, d = 8, mixer = householder, r = 1, s = 1, form = normalised, dtype = float32, l = 3, threads = "
        "1,\n"
        "subtitle\tisa = baseline\n"
        "x_label\titeration l\ny_label\trelative error (max norm)\npanel\t \n"
        "curve\tfixed_point, kappa = 0.5\t0\tpoints\ncurve\tfixed_point, kappa = 0.9\t1\tpoints\n"
        "curve\tstructured_sequential, kappa = 0.5\t2\tline\n"
        "foot\tLetters at the edges are points without a value: S singular\n"
        "foot\tSeveral seeds: median and range.\n"
        "foot\tHorizontal lines: implementations that do not iterate.\n"
        "foot\t4 points, measured 2026-11-23 on machine fedcba987654.\n"
        "x_low\t0.8\nx_high\t2.5\ny_low\t1e-16\ny_high\t2.736315\n"
        "\n\n# Letters at the edges for points without a figure (curve -1: of several), and numbers beside points.\n"
        "# panel\tcurve\tplace\tx\ty\tslot\ttext\n0\t0\tnone\tNaN\tNaN\t0\t-\n0\t1\tright\tNaN\tNaN\t0\tS\n"
        "\n\n# fixed_point, kappa = 0.5 | \n# iteration\tresidual\terror\terror_low\terror_high\tpredicted\tmarked_error\n"
        "1\t0.5\t0.3\t0.2\t0.4\t0.5\t0.3\n2\t0.25\t0.15\t0.1\t0.2\t0.25\t0.15\n"
        "\n\n# fixed_point, kappa = 0.9 | \n# iteration\tresidual\terror\terror_low\terror_high\tpredicted\tmarked_error\n"
        "NaN\tNaN\tNaN\tNaN\tNaN\tNaN\tNaN\n"
        "\n\n# structured_sequential, kappa = 0.5 | \n# "
        "iteration\tresidual\terror\terror_low\terror_high\tpredicted\tmarked_error\n"
        "0.8\tNaN\t1e-15\tNaN\tNaN\tNaN\tNaN\n2.5\tNaN\t1e-15\tNaN\tNaN\tNaN\tNaN\n");
}
END_TEST

START_TEST(iterations_against_kappa)
{
    const char *reached = "{\"inputs\":{\"kappa\":0.5},\"convergence\":{\"error_to\":{\"1e-6\":20}}}";
    const char *slower = "{\"convergence\":{\"error_to\":{\"1e-6\":30}}}",
               *never = "{\"convergence\":{\"error_to\":{\"1e-6\":null}}}";
    const char *beyond = "{\"inputs\":{\"kappa\":1.5},\"convergence\":{\"error_to\":{\"1e-6\":200}}}";
    made_record(JOURNAL, "ok", reached, "impl=fixed_point", "measure=convergence", "kappa=0.5", NULL);
    made_record(JOURNAL, "ok", slower, "impl=fixed_point", "measure=convergence", "kappa=0.5", "seed=2", NULL);
    made_record(JOURNAL, "ok", never, "impl=fixed_point", "measure=convergence", "kappa=0.9", NULL);
    made_record(JOURNAL, "ok", reached, "impl=fixed_point", "measure=convergence", "kappa=0.75", NULL);
    made_record(JOURNAL, "ok", slower, "impl=fixed_point", "measure=convergence", "kappa=0.75", "seed=2", NULL);
    made_record(JOURNAL, "ok", never, "impl=fixed_point", "measure=convergence", "kappa=0.75", "seed=3", NULL);
    made_record(JOURNAL, "crashed", NULL, "impl=fixed_point", "measure=convergence", "kappa=0.99", NULL);
    made_record(JOURNAL, "ok", beyond, "impl=fixed_point", "measure=convergence", NULL);
    made_record(JOURNAL, "ok", never, "impl=structured_sequential", "measure=convergence", NULL); /* has no iterations: not drawn */
    request("iterations-against-kappa", "iterations-against-kappa");
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/iterations-against-kappa.dat",
                   "curve\tfixed_point\t0\tpoints\n"
                   "foot\tLetters at the edges are points without a value: C crashed, N not reached\n"
                   "foot\tSeveral seeds: median and range.\n"
                   "foot\tOpen circles: kappa was not prescribed; its measured value is drawn.\n"
                   "foot\t8 points, measured 2026-11-23 on machine fedcba987654.\n"
                   "x_low\t0.002\nx_high\t0.625\ny_low\t10\ny_high\t1000\n"
                   "tick\t0.0025\t>= 1\ntick\t0.01\t0.99\ntick\t0.1\t0.9\ntick\t0.25\t0.75\ntick\t0.5\t0.5\n");
    check_contains("plots/iterations-against-kappa.dat",
                   "0\t0\tedge\t0.01\tNaN\t0\tC\n0\t0\tedge\t0.1\tNaN\t0\tN\n0\t0\tedge\t0.25\tNaN\t0\tN\n");
    check_contains("plots/iterations-against-kappa.dat",
                   "# kappa\tposition\titerations\titerations_low\titerations_high\tasked\n"
                   "0.5\t0.5\t25\t20\t30\t1\n0.75\t0.25\t30\t20\t30\t1\n0.9\t0.1\tNaN\tNaN\tNaN\t1\n"
                   "0.99\t0.01\tNaN\tNaN\tNaN\t1\n1.5\t0.0025\t200\t200\t200\t0\n");
}
END_TEST

/* Rounds of these medians, in a point given by l. */
static void made_rounds(const char *l, int n, const double *median)
{
    for (int i = 0; i < n; i++)
        made_record(JOURNAL, "ok", made_speed(i, median[i]), "impl=fixed_point", "measure=throughput", l, NULL);
}

START_TEST(throughput)
{
    static const double six[] = {2, 1, 2, 4, 2, 2};
    made_rounds("l=1", 1, six);
    made_rounds("l=4", 6, six);
    made_rounds("l=8", 2, six);
    made_record(JOURNAL, "wrong", "{\"throughput\":{\"median\":null}}", "impl=fixed_point", "measure=throughput", "l=2", NULL);
    made_record(JOURNAL, "ok", made_speed(0, 0.5), "impl=structured_sequential", "measure=throughput", NULL);
    made_record(JOURNAL, "unsupported", NULL, "impl=dense_sequential", "measure=throughput", NULL);
    request("throughput", "throughput")->x = FIELD_L;
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/throughput-against-l.dat", "title\tmade: throughput against l\n");
    check_contains(
        "plots/throughput-against-l.dat",
        "foot\tLetters at the edges are points without a value: U unsupported, W wrong\n"
        "foot\tBars: 95 % interval of the median over rounds.\n"
        "foot\tBars of points with 2 to 5 rounds: range of the rounds (too few for an interval).\n"
        "foot\tPoints with a single round have no bars: their spread is not known.\n"
        "foot\tHorizontal lines: implementations that do not iterate.\n"
        "foot\t6 points, each timed with 2 to 12 samples in 1 to 6 rounds, measured 2026-11-23 on machine fedcba987654.\n");
    check_contains("plots/throughput-against-l.dat", "0\t0\tright\tNaN\tNaN\t0\tU\n0\t1\tedge\t2\tNaN\t0\tW\n");
    check_contains("plots/throughput-against-l.dat",
                   "# x\ttokens_per_s\ttokens_per_s_low\ttokens_per_s_high\twhole_range\n"
                   "1\t32\tNaN\tNaN\t0\n2\tNaN\tNaN\tNaN\t0\n4\t32\t16\t64\t0\n8\t42.66667\t32\t64\t0\n");
    check_contains("plots/throughput-against-l.dat", "0.8\t128\tNaN\tNaN\t1\n10\t128\tNaN\tNaN\t1\n");
}
END_TEST

/* A round on a later day is said. */
START_TEST(days_of_the_rounds)
{
    made_record(JOURNAL, "ok", made_speed(0, 2), "impl=fixed_point", "measure=throughput", NULL);
    made_record(JOURNAL, "ok",
                "{\"round\":1,\"started\":\"2026-11-25T01:00:00Z\",\"throughput\":{\"seconds\":[1],\"median\":1,"
                "\"tokens_per_s\":64}}",
                "impl=fixed_point", "measure=throughput", NULL);
    request("throughput", "throughput");
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/throughput-against-T.dat", "foot\t1 point, each timed with 3 samples in 2 rounds, measured 2026-11-23 to "
                                                     "2026-11-25 on machine fedcba987654.\n");
}
END_TEST

START_TEST(error_against_time)
{
    static const double six[] = {2, 2, 1.5, 2.5, 2, 2};
    const char *unknown = "{\"throughput\":{\"median\":3,\"tokens_per_s\":1,\"error_exact\":null}}";
    const char *fine = "{\"throughput\":{\"median\":0.5,\"tokens_per_s\":1,\"error_exact\":0}}";
    made_rounds("l=9", 6, six);
    made_record(JOURNAL, "ok", fine, "impl=fixed_point", "measure=throughput", "l=1", NULL);
    made_record(JOURNAL, "ok", unknown, "impl=fixed_point", "measure=throughput", "l=20", NULL);
    made_record(JOURNAL, "timed_out", NULL, "impl=dense_sequential", "measure=throughput", NULL);
    request("error-against-time", "work");
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/work.dat", "title\tmade: error against time per call (work-precision)\n");
    check_contains("plots/work.dat", "0\t0\tright\tNaN\tNaN\t0\tT\n"
                                     "0\t1\tbeside\t0.5\t1e-17\t0\t1\n0\t1\tbeside\t2\t1e-07\t0\t9\n");
    check_contains("plots/work.dat",
                   "# seconds\tseconds_low\tseconds_high\terror\tlabel\n0.5\tNaN\tNaN\t1e-17\t1\n2\t1.5\t2.5\t1e-07\t9\n");
}
END_TEST

/* Solvers stopped by tolerances are one curve, labelled by them; the same l of two tolerances are two points. */
START_TEST(error_against_time_along_tolerances)
{
    made_record(JOURNAL, "ok", "{\"throughput\":{\"median\":2,\"tokens_per_s\":1,\"error_exact\":1e-7}}", "impl=fixed_point",
                "measure=throughput", "l=9", "tolerance=1e-6", NULL);
    made_record(JOURNAL, "ok", "{\"throughput\":{\"median\":1,\"tokens_per_s\":1,\"error_exact\":1e-5}}", "impl=fixed_point",
                "measure=throughput", "l=9", "tolerance=1e-4", NULL);
    request("error-against-time", "work")->along = FIELD_TOLERANCE;
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/work.dat", "0\t0\tbeside\t2\t1e-07\t0\t1e-06\n0\t0\tbeside\t1\t1e-05\t0\t0.0001\n");
    check_contains("plots/work.dat", "Small numbers beside points: tolerance of the residual");
    check_contains("plots/work.dat", "label\n2\tNaN\tNaN\t1e-07\t1e-06\n1\tNaN\tNaN\t1e-05\t0.0001\n");
}
END_TEST

#define LACK(number) "{\"gradient\":{\"all\":{\"lack\":" number "}}}"

/* Seeds share a point; what lacks nothing has a place at the floor; exact gradients are level. */
START_TEST(gradient_cosine)
{
    static const char *const fixed = "impl=fixed_point", *const measured = "measure=gradient", *const steps = "gradient=steps";
    made_record(JOURNAL, "ok", LACK("0.5"), fixed, measured, steps, "gradient_steps=1", NULL);
    made_record(JOURNAL, "ok", LACK("1.5"), fixed, measured, steps, "gradient_steps=1", "seed=2", NULL);
    made_record(JOURNAL, "ok", LACK("0.75"), fixed, measured, steps, "gradient_steps=1", "seed=3", NULL);
    made_record(JOURNAL, "ok", LACK("0.25"), fixed, measured, steps, "gradient_steps=2", NULL);
    made_record(JOURNAL, "ok", LACK("0"), fixed, measured, steps, "gradient_steps=4", NULL);
    made_record(JOURNAL, "singular", NULL, fixed, measured, steps, "gradient_steps=8", NULL);
    made_record(JOURNAL, "ok", LACK("null"), fixed, measured, steps, "gradient_steps=16", NULL);
    made_record(JOURNAL, "ok", LACK("0.125"), fixed, measured, NULL);
    request("gradient-cosine", "gradient-cosine");
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/gradient-cosine-against-gradient_steps.dat",
                   "x_label\tn: differentiated evaluations of f\ny_label\t1 - cosine\npanel\t \n"
                   "curve\tgradient = exact\t0\tline\ncurve\tgradient = steps\t1\tpoints\n"
                   "foot\tLetters at the edges are points without a value: S singular, ? not known\n"
                   "foot\tSeveral seeds: median and range.\n"
                   "foot\tErrors below 1e-17 (also 0) are drawn at 1e-17.\nfoot\tHorizontal lines: points to which the x axis does "
                   "not apply.\n");
    check_contains("plots/gradient-cosine-against-gradient_steps.dat",
                   "# gradient = steps | \n# x\tlack\tlack_low\tlack_high\twhole_range\n1\t0.75\t0.5\t1.5\t0\n"
                   "2\t0.25\tNaN\tNaN\t0\n4\t1e-17\tNaN\tNaN\t0\n8\tNaN\tNaN\tNaN\t0\n16\tNaN\tNaN\tNaN\t0\n");
    check_contains("plots/gradient-cosine-against-gradient_steps.dat", "\t0.125\tNaN\tNaN\t1\n");
}
END_TEST

#define FAR(median, q1, q3) "{\"accuracy\":{\"difference\":{\"max\":{\"median\":" median ",\"q1\":" q1 ",\"q3\":" q3 "}}}}"
#define LEARNT "task=A5", "layer=fp_rnn", "impl=fixed_point"

START_TEST(difference)
{
    static const char *const measured = "measure=accuracy", *const against = "against=structured_sequential";
    made_record(JOURNAL, "ok", FAR("0.5", "0.25", "0.75"), measured, LEARNT, against, "tolerance=0.1", "test_length=4", NULL);
    made_record(JOURNAL, "ok", FAR("0", "0", "1e-9"), measured, LEARNT, against, "tolerance=0.1", "test_length=8", NULL);
    made_record(JOURNAL, "ok", FAR("0.5", "0", "1"), measured, LEARNT, against, "tolerance=0.1", "test_length=16", NULL);
    made_record(JOURNAL, "ok", FAR("0.7", "0", "1"), measured, LEARNT, against, "tolerance=0.1", "test_length=16", "test_seed=2",
                NULL);
    made_record(JOURNAL, "diverged", NULL, measured, LEARNT, against, "tolerance=0.1", "test_length=32", NULL);
    made_record(JOURNAL, "ok", "{\"accuracy\":{}}", measured, LEARNT, "tolerance=0.1", "test_length=64",
                NULL); /* against nothing */
    request("difference", "difference");
    ck_assert_msg(draw(), "%s", error.text);
    ck_assert_uint_eq(drawn.pictures, 1);
    check_contains("plots/difference-against-test_length.dat", "foot\tLetters at the edges are points without a value: D diverged\n"
                                                               "foot\tSeveral seeds: median and range.\n"
                                                               "foot\tBars of a single seed: quartiles over the sequences.\n"
                                                               "foot\tErrors below 1e-17 (also 0) are drawn at 1e-17.\n");
    check_contains(
        "plots/difference-against-test_length.dat",
        "# x\tdifference\tdifference_low\tdifference_high\twhole_range\n4\t0.5\t0.25\t0.75\t0\n8\t1e-17\t1e-17\t1e-09\t0\n"
        "16\t0.6\t0.5\t0.7\t0\n32\tNaN\tNaN\tNaN\t0\n");
}
END_TEST

/* Checks and checkpoints are no part of a step. A target that was missed takes nothing from the times. */
START_TEST(step_of_a_training)
{
    static const char *const parts =
        "{\"training\":{\"steps\":10,\"seconds\":{\"data\":1,\"iterations\":2,\"forward\":3,\"backward\":1.5,"
        "\"optimiser\":0.5,\"checks\":100,\"checkpoints\":100,\"all\":300}}}";
    static const char *const none =
        "{\"training\":{\"steps\":10,\"seconds\":{\"data\":1,\"iterations\":0,\"forward\":1,\"backward\":1,"
        "\"optimiser\":1}}}";
    static const char *const measured = "measure=training", *const task = "task=A5", *const by = "train_impl=fixed_point";
    made_record(JOURNAL, "target_not_reached", parts, measured, task, "layer=fp_rnn", by, "train_l=4", NULL);
    made_record(JOURNAL, "ok", parts, measured, task, "layer=fp_rnn", by, "train_l=8", NULL);
    made_record(JOURNAL, "timed_out", NULL, measured, task, "layer=fp_rnn", by, "train_l=16", NULL);
    made_record(JOURNAL, "ok", none, measured, task, "layer=lstm", NULL);
    request("step-share", "step-share")->x = FIELD_TRAIN_L;
    request("step-time", "step-time")->x = FIELD_TRAIN_L;
    ck_assert_msg(draw(), "%s", error.text);
    ck_assert_uint_eq(drawn.pictures, 2);
    check_contains("plots/step-share-against-train_l.dat", "\n4\t0.25\tNaN\tNaN\t0\n8\t0.25\tNaN\tNaN\t0\n16\tNaN\tNaN\tNaN\t0\n");
    check_contains("plots/step-share-against-train_l.dat", "\t0\tNaN\tNaN\t1\n");
    check_contains("plots/step-share-against-train_l.dat", "foot\tLetters at the edges are points without a value: T timed out\n");
    check_contains("plots/step-time-against-train_l.dat", "\n4\t800\tNaN\tNaN\t0\n8\t800\tNaN\tNaN\t0\n");
    check_contains("plots/step-time-against-train_l.dat", "\t400\tNaN\tNaN\t1\n");
}
END_TEST

#define CHECKED(accuracy, seconds)                                                                                                 \
    "{\"training\":{\"curve\":{\"step\":[10,20,30],\"checked\":[null," accuracy "],\"seconds\":[1," seconds "]}}}"

/* What checks found, by steps and by seconds; rows without a check are none. */
START_TEST(learning)
{
    static const char *const measured = "measure=training", *const task = "task=A5", *const layer = "layer=lstm";
    made_record(JOURNAL, "ok", CHECKED("0.25,0.5", "2,3"), measured, task, layer, "target=0.5", NULL);
    made_record(JOURNAL, "ok", CHECKED("0.5,0.75", "4,9"), measured, task, layer, "target=0.5", "train_seed=2", NULL);
    made_record(JOURNAL, "ok", CHECKED("null,null", "4,9"), measured, task, layer, "steps=40", NULL); /* without a target */
    request("learning", "learning");
    request("learning-time", "learning-time");
    ck_assert_msg(draw(), "%s", error.text);
    ck_assert_uint_eq(drawn.pictures, 2);
    check_contains("plots/learning.dat", "\n20\t0.375\t0.25\t0.5\t2\n30\t0.625\t0.5\t0.75\t3\n");
    check_contains("plots/learning-time.dat", "\n3\t0.375\t0.25\t0.5\t20\n6\t0.625\t0.5\t0.75\t30\n");
}
END_TEST

/* Ladder of 16 and 64 KiB and 8 MiB; the second number of threads has two first caches, and one second cache, of its own. */
#define MACHINE                                                                                                                    \
    "{\"cpu\": {\"caches\": [{\"level\": 1, \"kind\": \"Data\", \"bytes\": 32768, \"sharing\": 1},"                                \
    "{\"level\": 1, \"kind\": \"Instruction\", \"bytes\": 999999, \"sharing\": 1},"                                                \
    "{\"level\": 2, \"kind\": \"Unified\", \"bytes\": 131072, \"sharing\": 2}]},"                                                  \
    "\"roofs\": {\"level\": \"avx2\", \"shortened\": false, \"sets\": [16384, 65536, 8388608], \"threads\": ["                     \
    "{\"threads\": 1, \"MB_per_s\": {\"copy\": [90000, 50000, 8000], \"copy_nt\": [10, 10, 10000], \"triad\": null,"               \
    "\"triad_nt\": null, \"read\": [100000, 40000, 9000]}, \"MFLOP_per_s\": {\"float32\": {\"baseline\": 20000, \"avx2\": 80000,"  \
    "\"avx512\": null}, \"float64\": {\"baseline\": 10000, \"avx2\": 40000, \"avx512\": null}}}]}}"

static void write_machine(const char *text)
{
    scratch_write(scratch_path("machine.json"), text, strlen(text));
}

#define COUNTED(seconds, bytes, operations)                                                                                        \
    "{\"throughput\":{\"median\":" seconds ",\"bytes\":" bytes ",\"operations\":" operations "}}"

START_TEST(roofline)
{
    made_record(JOURNAL, "ok", COUNTED("2", "4e9", "1e9"), "impl=fixed_point", "measure=throughput", "T=16", NULL);
    made_record(JOURNAL, "ok", COUNTED("1", "8e9", "2e9"), "impl=fixed_point", "measure=throughput", "T=32", NULL);
    made_record(JOURNAL, "ok", COUNTED("1", "1e9", "3e9"), "impl=structured_sequential", "measure=throughput", NULL);
    made_record(JOURNAL, "ok", COUNTED("1", "1e9", "5e9"), "impl=structured_sequential", "measure=throughput", "threads=2", NULL);
    made_record(JOURNAL, "ok", COUNTED("1", "1e9", "0"), "impl=structured_sequential", "measure=throughput", "T=8", NULL);
    made_record(JOURNAL, "wrong", COUNTED("null", "1e9", "5e9"), "impl=fixed_point", "measure=throughput", "threads=2", NULL);
    request("roofline", "roofline");
    write_machine(MACHINE);
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/roofline.dat",
                   "panel\tthreads = 1\npanel\tthreads = 2\ncurve\tfixed_point\t0\tdots\ncurve\tstructured_sequential\t1\tdots\n"
                   "foot\tLetters at the edges are points without a value: W wrong\n"
                   "foot\tLines: measured limits of this machine: bandwidth from each cache and from memory, and "
                   "multiply-adds in registers.\n"
                   "foot\tNo lines: the machine limits were not measured with this number of threads.\n"
                   "foot\t5 points");
    check_contains("plots/roofline.dat", "x_low\t0.1\nx_high\t10\ny_low\t0.335371\ny_high\t100\n"); /* room for W */
    /* Half of 32 KiB; half of 128 KiB; the largest. */
    check_contains("plots/roofline.dat", "1\t0\tright\tNaN\tNaN\t0\tW\n0\t-1\tline\t0.56\t56\t0\tL1 100 GB/s\n"
                                         "0\t-1\tline\t1.12\t56\t0\tL2 50 GB/s\n0\t-1\tline\t5.6\t56\t0\tmemory 10 GB/s\n"
                                         "0\t-1\tceiling\t10\t80\t0\tfloat32 80 GFLOP/s\n\n\n");
    check_contains("plots/roofline.dat", "# fixed_point | threads = 1\n# operations_per_byte\tGFLOP_per_s\n0.25\t0.5\n0.25\t2\n\n\n"
                                         "# structured_sequential | threads = 1\n# operations_per_byte\tGFLOP_per_s\n3\t3\n\n\n");
    check_contains("plots/roofline.dat",
                   "# The machine's limits: each line, then what nothing exceeds.\n# operations_per_byte\tGFLOP_per_s\n"
                   "# L1, a working set of 16384 bytes\n0.1\t10\n0.8\t80\n\n# L2, a working set of 65536 bytes\n0.1\t5\n1.6\t80\n\n"
                   "# memory, a working set of 8388608 bytes\n0.1\t1\n8\t80\n\n# float32\n0.8\t80\n10\t80\n\n\n"
                   "# The machine's limits: each line, then what nothing exceeds.\n# operations_per_byte\tGFLOP_per_s\nNaN\tNaN\n");
}
END_TEST

/* An exponential counts as what takes as long: at 8 GFLOP/s and 2e9 of them a second as four operations, so the share of the level
 * line that a dot has is the share of its bound. Where a rate is not known they are left out, and that is said. */
START_TEST(roofline_counts_exponentials)
{
#define BOUND "\"bound\":{\"GFLOP_per_s\":8}}}"
#define COUNTED_TOO(exponentials) "{\"throughput\":{\"median\":2,\"bytes\":4e9,\"operations\":1e9,\"exponentials\":" exponentials
    static const char *const roofs =
        "{\"roofs\": {\"level\": \"avx2\", \"shortened\": false, \"sets\": [16384], \"threads\": [{\"threads\": 1, \"MB_per_s\": "
        "{\"copy\": [90000], \"copy_nt\": [10], \"triad\": null, \"triad_nt\": null, \"read\": [100000]}, \"MFLOP_per_s\": "
        "{\"float32\": "
        "{\"baseline\": 8000, \"avx2\": 80000, \"avx512\": null}, \"float64\": {\"baseline\": 4000, \"avx2\": 40000, \"avx512\": "
        "null}}, \"MEXP_per_s\": {\"float32\": {\"baseline\": 2000, \"avx2\": null, \"avx512\": null}, \"float64\": {\"baseline\": "
        "500, \"avx2\": null, \"avx512\": null}}}]}}";
    made_record(JOURNAL, "ok", COUNTED_TOO("7e9,") BOUND, "impl=fixed_point", "measure=throughput", "T=16", NULL);
    made_record(JOURNAL, "ok", COUNTED_TOO("0,") BOUND, "impl=fixed_point", "measure=throughput", "T=32", NULL);
    made_record(JOURNAL, "ok", COUNTED_TOO("1e14,") BOUND, "impl=fixed_point", "measure=throughput", "T=48", NULL);
    made_record(JOURNAL, "ok", COUNTED_TOO("7e9,") BOUND, "impl=fixed_point", "measure=throughput", "isa=avx2", NULL);
    made_record(JOURNAL, "ok", COUNTED_TOO("7e9,") BOUND, "impl=fixed_point", "measure=throughput", "dtype=float64", NULL);
    made_record(JOURNAL, "ok", COUNTED_TOO("7e9}}"), "impl=fixed_point", "measure=throughput", "T=128", NULL);
    request("roofline", "roofline");
    write_machine(roofs);
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/roofline.dat",
                   "foot\tAn exponential that is counted apart counts as the operations that take as long on this "
                   "machine.\nfoot\tExponentials that are counted apart are left out: their rate was not measured.\n");
    check_contains("plots/roofline.dat", "# fixed_point | dtype = float32, isa = baseline\n# operations_per_byte\tGFLOP_per_s\n"
                                         "7.25\t14.5\n0.25\t0.5\n100000.2\t200000.5\n0.25\t0.5\n\n\n");
    check_contains("plots/roofline.dat",
                   "# fixed_point | dtype = float32, isa = avx2\n# operations_per_byte\tGFLOP_per_s\n0.25\t0.5\n\n\n");
    check_contains("plots/roofline.dat", "# fixed_point | dtype = float64, isa = baseline\n# operations_per_byte\tGFLOP_per_s\n"
                                         "28.25\t56.5\n\n\n");
    check_contains("plots/roofline.dat", "margins\t66\t22\t20\t46\n"); /* room for half of 1e+06 */
}
END_TEST

/* The dots alone, and words for why: no file, none of JSON, or limits that make no sense. */
START_TEST(roofline_without_roofs)
{
    static const char *const machines[] = {NULL, "", "{", "[]", "{\"roofs\": null}", "{\"roofs\": {\"level\": \"avx2\"}}"};
    made_record(JOURNAL, "ok", COUNTED("2", "4e9", "1e9"), "impl=fixed_point", "measure=throughput", NULL);
    request("roofline", "roofline");
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        if (machines[i] != NULL)
            write_machine(machines[i]);
        ck_assert_msg(draw(), "%s", error.text);
        check_contains("plots/roofline.dat", "foot\tNo lines: the machine limits were not measured");
        check_contains("plots/roofline.dat", "\t0\t-\n\n\n# fixed_point | \n# operations_per_byte\tGFLOP_per_s\n0.25\t0.5\n\n\n");
    }
}
END_TEST

/* Lines only from a file that is as it was written, with limits that a round names, or that no round does. */
static const struct {
    bool spoilt, named, other;
    const char *said; /* NULL: there are lines */
} kept_limits[] = {
    {false, false, false, NULL},
    {false, true, false, NULL},
    {false, true, true, NULL}, /* of rounds before and after a calibration */
    {false, false, true, "The machine limits in machine.json are not those of these rounds: their lines are not drawn."},
    {true, false, false, "machine.json changed since it was written: neither the machine nor its limits are known."},
    {true, true, false, "machine.json changed since it was written: neither the machine nor its limits are known."},
};

START_TEST(limits_are_those_of_the_rounds)
{
    char name[SEAL_DIGITS + 1], members[512];
    json_t *machine = json_loads(MACHINE, 0, NULL);
    ck_assert(machine_limits_name(json_object_get(machine, "roofs"), name));
    ck_assert_msg(machine_file_write(scratch, machine, &error), "%s", error.text);
    json_decref(machine);
    for (int k = 0; k < 2; k++) {
        const char *const names[] = {kept_limits[_i].named ? name : NULL, kept_limits[_i].other ? "0123456789abcdef" : NULL};
        snprintf(members, sizeof members, "{\"throughput\":{\"median\":2,\"bytes\":4e9,\"operations\":1e9,\"bound\":{%s%s%s}}}",
                 names[k] != NULL ? "\"roofs\":\"" : "", names[k] != NULL ? names[k] : "", names[k] != NULL ? "\"" : "");
        made_record(JOURNAL, "ok", members, "impl=fixed_point", "measure=throughput", k == 0 ? "T=16" : "T=32", NULL);
    }
    if (kept_limits[_i].spoilt) {
        char *text = scratch_read(scratch_path("machine.json")), *at = strstr(text, "80000");
        at[0] = '9';
        scratch_write(scratch_path("machine.json"), text, strlen(text));
        free(text);
    }
    request("roofline", "roofline");
    ck_assert_msg(draw(), "%s", error.text);
    ck_assert_str_eq(drawn.note, kept_limits[_i].said != NULL ? kept_limits[_i].said : "");
    check_contains("plots/roofline.dat",
                   kept_limits[_i].said != NULL ? "foot\tNo lines: " : "foot\tLines: measured limits of this machine");
}
END_TEST

/* ---- Panels, curves, pages --------------------------------------------------------------------------------------------- */

#define SPEED "{\"throughput\":{\"median\":2,\"low\":1.6,\"high\":2.5,\"tokens_per_s\":50}}"

/* What varies and nobody named makes panels: nothing but seeds shares a point. */
START_TEST(what_varies_is_never_summarised)
{
    made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", "dtype=float32", NULL);
    made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", "dtype=float64", NULL);
    request("throughput", "throughput");
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/throughput-against-T.dat",
                   "panel\tdtype = float32\npanel\tdtype = float64\ncurve\tfixed_point\t0\tpoints\n");
}
END_TEST

START_TEST(panels_with_a_single_x_are_left_out_and_said)
{
    made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", "T=16", NULL);
    made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", "T=32", NULL);
    made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", "T=16", "d=4", NULL);
    request("throughput", "throughput");
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/throughput-against-T.dat", "panel\t \ncurve\tfixed_point\t0\tpoints\n");
    check_contains("plots/throughput-against-T.dat", "foot\tLeft out: d = 4 (only T = 16).\n");
}
END_TEST

START_TEST(an_implementation_that_does_not_use_a_field_is_in_every_panel)
{
    made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", "l=1", NULL);
    made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", "l=2", NULL);
    made_record(JOURNAL, "ok", SPEED, "impl=dense_sequential", "measure=throughput", NULL);
    request("throughput", "throughput");
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/throughput-against-T.dat",
                   "panel\tl = 1\npanel\tl = 2\ncurve\tdense_sequential\t0\tpoints\ncurve\tfixed_point\t1\tpoints\n");
    check_contains("plots/throughput-against-T.dat", "# dense_sequential | l = 1\n# x\ttokens_per_s\ttokens_per_s_low\t"
                                                     "tokens_per_s_high\twhole_range\n64\t50\tNaN\tNaN\t0\n");
    check_contains("plots/throughput-against-T.dat", "# dense_sequential | l = 2\n# x\ttokens_per_s\ttokens_per_s_low\t"
                                                     "tokens_per_s_high\twhole_range\n64\t50\tNaN\tNaN\t0\n");
}
END_TEST

START_TEST(crowded_figures_have_pages)
{
    for (int d = 1; d <= 14; d++) {
        char text[16];
        snprintf(text, sizeof text, "d=%d", d);
        made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", text, NULL);
    }
    struct plot_request *panels = request("throughput", "panels"), *curves = request("throughput", "curves");
    panels->panel[panels->n_panel++] = FIELD_D;
    curves->series[curves->n_series++] = FIELD_D;
    ck_assert_msg(draw(), "%s", error.text);
    ck_assert_uint_eq(drawn.pictures, 4);
    ck_assert(exists("plots/panels-1.svg") && exists("plots/panels-2.svg") && exists("plots/curves-1.svg") &&
              exists("plots/curves-2.svg"));
    check_contains("plots/panels-2.dat", "panel\td = 13\npanel\td = 14\n");
    check_contains("plots/curves-2.dat", "curve\td = 13\t12\tpoints\ncurve\td = 14\t13\tpoints\n");
}
END_TEST

#define EXACT_SPEED "{\"throughput\":{\"median\":2,\"low\":1.6,\"high\":2.5,\"tokens_per_s\":50,\"error_exact\":1e-3}}"

START_TEST(without_plots_asked_for_each_measure_has_its_own)
{
    made_record(JOURNAL, "ok", EXACT_SPEED, "impl=fixed_point", "measure=throughput", "T=16", NULL);
    made_record(JOURNAL, "ok", EXACT_SPEED, "impl=fixed_point", "measure=throughput", "T=32", NULL);
    ck_assert_msg(draw(), "%s", error.text);
    ck_assert_uint_eq(drawn.pictures, 2);
    ck_assert(exists("plots/throughput-against-T.svg") && exists("plots/error-against-time.svg"));
    ck_assert(!exists("plots/throughput-against-d.svg") && !exists("plots/error-against-iteration.svg"));
    ck_assert_str_eq(drawn.note, "");
}
END_TEST

/* Nobody asked, and x has a single value: kappa, like T. */
START_TEST(unasked_plots_of_a_single_x_are_passed_over)
{
    const char *reached = "{\"convergence\":{\"error_to\":{\"1e-6\":20}}}";
    made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", NULL);
    made_record(JOURNAL, "ok", reached, "impl=fixed_point", "measure=convergence", "kappa=0.5", "r=2", NULL);
    made_record(JOURNAL, "ok", reached, "impl=fixed_point", "measure=convergence", "kappa=0.5", NULL);
    ck_assert_msg(draw(), "%s", error.text);
    ck_assert(!exists("plots/iterations-against-kappa.svg") && !exists("plots/throughput-against-T.svg"));
    made_record(JOURNAL, "ok", reached, "impl=fixed_point", "measure=convergence", "kappa=0.9", NULL);
    ck_assert_msg(draw(), "%s", error.text);
    ck_assert(exists("plots/iterations-against-kappa.svg") && !exists("plots/throughput-against-T.svg"));
}
END_TEST

/* Nobody asked for so many: a few pages, and words for the rest. */
START_TEST(unasked_plots_have_few_pages)
{
    for (int limit = 1; limit <= 40; limit++) {
        char text[16];
        snprintf(text, sizeof text, "limit=%d", limit);
        made_record(JOURNAL, "ok", EXACT_SPEED, "impl=fixed_point", "measure=throughput", text, NULL);
    }
    ck_assert_msg(draw(), "%s", error.text);
    ck_assert_uint_eq(drawn.pictures, 3);
    ck_assert_str_eq(drawn.note,
                     "left out of error-against-time: 4 panels, of 40 combinations of limit; a plots: section in the sweep "
                     "file can select them");
    check_contains("plots/error-against-time-3.dat", "foot\tLeft out: 4 more panels; a plots: section in the sweep file can select "
                                                     "them.\n");
    request("error-against-time", "error-against-time");
    ck_assert_msg(draw(), "%s", error.text);
    ck_assert_uint_eq(drawn.pictures, 4);
    ck_assert_str_eq(drawn.note, "");
}
END_TEST

/* kappa is none where the mixer reads the state: beside a single kappa that makes no curve, and no name, of its own. */
START_TEST(none_beside_a_single_value_is_one_curve)
{
    static const char *const feedback[] = {"feedback=none", "feedback=raw"}, *const T[] = {"T=16", "T=32"};
    for (int i = 0; i < 4; i++)
        made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", feedback[i / 2], T[i % 2], NULL);
    struct plot_request *made = request("throughput", "throughput");
    made->series[made->n_series++] = FIELD_IMPLEMENTATION;
    made->series[made->n_series++] = FIELD_KAPPA;
    made->panel[made->n_panel++] = FIELD_FEEDBACK;
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/throughput-against-T.dat",
                   "panel\tfeedback = none\npanel\tfeedback = raw\ncurve\tfixed_point\t0\tpoints\nfoot\t");
    check_contains("plots/throughput-against-T.dat", "# fixed_point | feedback = raw\n# x\ttokens_per_s\ttokens_per_s_low\t"
                                                     "tokens_per_s_high\twhole_range\n16\t50\tNaN\tNaN\t0\n32\t50\tNaN\tNaN\t0\n");
}
END_TEST

/* With several values around, none has a name. */
START_TEST(none_beside_several_values_is_named)
{
    static const char *const kappa[] = {"kappa=0.5", "kappa=0.9", "feedback=raw"};
    for (int i = 0; i < 3; i++)
        made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", kappa[i], NULL);
    struct plot_request *made = request("throughput", "throughput");
    made->series[made->n_series++] = FIELD_KAPPA;
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/throughput-against-T.dat",
                   "curve\tkappa = 0.5\t0\tpoints\ncurve\tkappa = 0.9\t1\tpoints\ncurve\tno kappa\t2\tpoints\n");
}
END_TEST

START_TEST(inputs_of_files_and_drawn_ones_do_not_share_a_curve)
{
    made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", NULL);
    made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", "inputs=a.safetensors", NULL);
    request("throughput", "throughput");
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/throughput-against-T.dat", "panel\tinputs = a.safetensors\npanel\tinputs = none\n");
}
END_TEST

/* Up to four letters stand one above the other, each in the colour of its curve; more are counted. */
START_TEST(letters_are_stacked_then_counted)
{
    for (int r = 1; r <= 6; r++) {
        char text[16];
        snprintf(text, sizeof text, "r=%d", r);
        made_record(JOURNAL, r == 6 ? "wrong" : "unsupported", NULL, "impl=fixed_point", "measure=throughput", "T=16", text, NULL);
        if (r <= 4)
            made_record(JOURNAL, "unsupported", NULL, "impl=fixed_point", "measure=throughput", "T=32", text, NULL);
    }
    request("throughput", "throughput");
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/throughput-against-T.dat",
                   "0\t-1\tedge\t16\tNaN\t0\t5 U\n0\t-1\tedge\t16\tNaN\t1\t1 W\n0\t0\tedge\t32\tNaN\t0\tU\n"
                   "0\t1\tedge\t32\tNaN\t1\tU\n0\t2\tedge\t32\tNaN\t2\tU\n0\t3\tedge\t32\tNaN\t3\tU\n\n");
}
END_TEST

static double page_number(const char *name, const char *setting)
{
    char *text = scratch_read(scratch_path(name)), *at = strstr(text, setting);
    ck_assert_ptr_nonnull(at);
    double number = strtod(at + strlen(setting), NULL);
    free(text);
    return number;
}

/* Letters have room of their own: the axis begins below the lowest point by the height of the stack, and no lower. */
START_TEST(letters_do_not_run_over_points)
{
    const char *slow = "{\"throughput\":{\"median\":2,\"low\":1.6,\"high\":2.5,\"tokens_per_s\":16}}";
    const double lowest = 16, stack = 4 * 15.0 / 334;
    made_record(JOURNAL, "ok", slow, "impl=fixed_point", "measure=throughput", "T=32", NULL);
    request("throughput", "speed");
    ck_assert_msg(draw(), "%s", error.text);
    ck_assert_double_eq_tol(page_number("plots/speed.dat", "\ny_low\t"), 10, 1e-6);
    for (int r = 1; r <= 4; r++) {
        char text[16];
        snprintf(text, sizeof text, "r=%d", r);
        made_record(JOURNAL, "unsupported", NULL, "impl=fixed_point", "measure=throughput", "T=16", text, NULL);
    }
    ck_assert_msg(draw(), "%s", error.text);
    double low = page_number("plots/speed.dat", "\ny_low\t"), high = page_number("plots/speed.dat", "\ny_high\t");
    double room = log(lowest / low) / log(high / low);
    ck_assert_double_ge(room, stack - 1e-3);
    ck_assert_double_le(room, stack + 0.1);
}
END_TEST

/* An exact implementation has no error against itself: no curve, no letter, no entry in the key. */
START_TEST(unknown_errors_are_not_drawn)
{
    made_record(JOURNAL, "ok", EXACT_SPEED, "impl=fixed_point", "measure=throughput", NULL);
    made_record(JOURNAL, "ok", SPEED, "impl=structured_sequential", "measure=throughput", NULL);
    made_record(JOURNAL, "ok", "{\"convergence\":{\"l\":[1],\"residual\":[0.5],\"error_max\":[0.4]}}", "impl=fixed_point",
                "measure=convergence", NULL);
    made_record(JOURNAL, "ok", "{\"convergence\":{\"l\":[],\"final\":{\"error_max\":null}}}", "impl=structured_sequential",
                "measure=convergence", NULL);
    request("error-against-time", "time");
    request("error-against-iteration", "iteration");
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/time.dat", "panel\t \ncurve\tfixed_point\t0\tpoints\nfoot\tPoints with a single round");
    check_contains("plots/iteration.dat", "panel\t \ncurve\tfixed_point\t0\tpoints\nfoot\t1 point");
}
END_TEST

START_TEST(long_names_of_panels_are_wrapped)
{
    static const char *const forms[] = {"form=plain", "form=normalised"}, *const dtypes[] = {"dtype=float32", "dtype=float64"};
    for (int i = 0; i < 4; i++)
        made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", forms[i / 2], dtypes[i % 2],
                    i % 2 ? "damping=0.5" : "damping=0.25", NULL);
    request("throughput", "throughput");
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/throughput-against-T.dat",
                   "panel\tform = normalised, dtype = float32,\npanel_more\tdamping = 0.25\npanel\t");
}
END_TEST

/* Few values are all ticks, many are powers of two; none overlap. */
START_TEST(ticks_are_what_was_measured)
{
    static const char *const few[] = {"T=16", "T=24", "T=300"};
    for (int i = 0; i < 3; i++)
        made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", few[i], NULL);
    for (int i = 0; i < 20; i++) {
        char text[16];
        snprintf(text, sizeof text, "T=%d", 1000 + i);
        made_record(JOURNAL, "ok", SPEED, "impl=structured_sequential", "measure=throughput", text, NULL);
    }
    struct value name = {.kind = VALUE_TEXT, .text = "fixed_point"};
    struct condition only = {.field = FIELD_IMPLEMENTATION, .value = &name, .n_values = 1};
    request("throughput", "few")->where = (struct filter){&only, 1};
    request("throughput", "many");
    ck_assert_msg(draw(), "%s", error.text);
    check_contains("plots/few.dat", "tick\t16\t16\ntick\t24\t24\ntick\t300\t300\n\n");
    check_contains("plots/many.dat", "tick\t16\t16\ntick\t32\t32\ntick\t64\t64\ntick\t128\t128\ntick\t256\t256\ntick\t512\t512\n"
                                     "tick\t1024\t1024\n\n");
}
END_TEST

/* What an earlier drawing left of the same plot goes, whatever else lies there stays. */
START_TEST(pages_of_an_earlier_drawing_are_removed)
{
    made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", NULL);
    request("throughput", "speed");
    request("throughput", "speed-2");
    request("error-against-time", "gone");
    ck_assert_int_eq(mkdir(scratch_path("plots"), 0700), 0);
    static const char *const stale[] = {"plots/speed-1.svg", "plots/speed-1.dat", "plots/speed_2.svg", "plots/gone.svg",
                                        "plots/gone-12.dat"},
                             *const kept[] = {"plots/speed-1.png", "plots/speed-x.svg", "plots/speedy.svg", "plots/speed-.svg"};
    for (size_t i = 0; i < sizeof stale / sizeof stale[0]; i++)
        scratch_write(scratch_path(stale[i]), "old", 3);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        scratch_write(scratch_path(kept[i]), "old", 3);
    ck_assert_msg(draw(), "%s", error.text);
    for (size_t i = 0; i < sizeof stale / sizeof stale[0]; i++)
        ck_assert_msg(!exists(stale[i]), "%s", stale[i]);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        ck_assert_msg(exists(kept[i]), "%s", kept[i]);
    ck_assert(exists("plots/speed.svg") && exists("plots/speed-2.svg") && exists("plots/speed-2.dat"));
}
END_TEST

/* ---- Nothing to draw, nothing that worked ------------------------------------------------------------------------------ */

START_TEST(no_records_no_picture)
{
    request("throughput", "speed");
    request("error-against-iteration", "error");
    ck_assert_msg(draw(), "%s", error.text);
    ck_assert_uint_eq(drawn.pictures, 0);
    ck_assert_str_eq(drawn.note, "not drawn (no matching records): speed, error");
    ck_assert(!exists("plots/speed.svg"));
}
END_TEST

START_TEST(all_failed_is_drawn)
{
    for (int result = 1; result < RESULT_COUNT; result++) {
        const char *word = result_name((enum result)result);
        char seed[16];
        snprintf(seed, sizeof seed, "seed=%d", result);
        made_record(JOURNAL, word, NULL, "impl=fixed_point", "measure=throughput", seed, NULL);
        made_record(JOURNAL, word, NULL, "impl=fixed_point", "measure=convergence", seed, NULL);
        made_record(JOURNAL, word, NULL, "impl=fixed_point", "measure=gradient", "gradient=steps", seed, NULL);
        made_record(JOURNAL, word, NULL, "impl=fixed_point", "measure=reach", "kappa=0.9", seed, NULL);
        made_record(JOURNAL, word, NULL, "impl=fixed_point", "measure=memory", seed, NULL);
        made_record(JOURNAL, word, NULL, "impl=fixed_point", "measure=roots", "cell=selective", "scale=0.5", seed, NULL);
        made_record(JOURNAL, word, NULL, "impl=fixed_point", "measure=reach", "mixer=dense", "form=plain", "words=A5", "d=5", seed,
                    NULL);
    }
    static const char *const trained[] = {"training", "accuracy"};
    for (int result = 1; result < RESULT_COUNT; result++)
        for (size_t i = 0; i < sizeof trained / sizeof trained[0]; i++) {
            char seed[24], measure[24];
            snprintf(seed, sizeof seed, "train_seed=%d", result);
            snprintf(measure, sizeof measure, "measure=%s", trained[i]);
            made_record(JOURNAL, result_name((enum result)result), NULL, measure, "impl=fixed_point", "task=A5", "layer=fp_rnn",
                        "against=structured_sequential", "test_length=4", "tolerance=0.1", seed, NULL);
        }
    for (int k = 0; k < plot_kind_count(); k++)
        request(plot_kind_get(k)->name, plot_kind_get(k)->name);
    ck_assert_msg(draw(), "%s", error.text);
    ck_assert_uint_eq(drawn.pictures, (size_t)plot_kind_count());
    /* every result has a letter of its own, and no more lines than a stack may have */
    check_contains("plots/throughput-against-T.dat",
                   "0\t-1\tedge\t64\tNaN\t0\t1 U, 1 M, 1 K, 1 D\n0\t-1\tedge\t64\tNaN\t1\t1 S, 1 P, 1 I, 1 E\n"
                   "0\t-1\tedge\t64\tNaN\t2\t1 A, 1 F, 1 W, 1 C\n0\t-1\tedge\t64\tNaN\t3\t1 T, 1 N, 1 L\n\n");
}
END_TEST

START_TEST(bad_requests)
{
    request("pie", "pie");
    ck_assert(!draw());
    ck_assert_str_eq(error.text, "unknown kind of plot pie");
    sweep.n_plots = 0;
    request("throughput", "speed")->x = FIELD_KAPPA;
    ck_assert(!draw());
    ck_assert_str_eq(error.text, "a plot of kind throughput cannot have kappa on its x axis");
}
END_TEST

START_TEST(gnuplot_missing)
{
    made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", NULL);
    request("throughput", "speed");
    char *path = strdup(getenv("PATH"));
    setenv("PATH", scratch, 1);
    bool done = draw();
    setenv("PATH", path, 1);
    free(path);
    ck_assert(!done);
    ck_assert_msg(strstr(error.text, "gnuplot-nox") != NULL, "%s", error.text);
    ck_assert(!exists("plots/speed.svg"));
}
END_TEST

/* What gnuplot says reaches the error, and no half picture stays. */
START_TEST(gnuplot_fails)
{
    made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", NULL);
    request("throughput", "speed");
    const char *program = "#!/bin/sh\necho 'no such terminal' >&2\nexit 1\n";
    scratch_write(scratch_path("gnuplot"), program, strlen(program));
    ck_assert_int_eq(chmod(scratch_path("gnuplot"), 0700), 0);
    char *path = strdup(getenv("PATH"));
    setenv("PATH", scratch, 1);
    bool done = draw();
    setenv("PATH", path, 1);
    free(path);
    ck_assert(!done);
    ck_assert_msg(strstr(error.text, "no such terminal") != NULL, "%s", error.text);
    ck_assert(!exists("plots/speed.svg") && !exists("plots/speed.svg.new"));
}
END_TEST

/* ---- Names are only names ---------------------------------------------------------------------------------------------- */

START_TEST(hostile_names_do_nothing)
{
#define HOSTILE_FOLDER "<touch i; `touch j` '\" |touch k"
    ck_assert_int_eq(chdir(scratch), 0); /* what a name might run would leave a file here */
    const char *hostile = "inputs=<touch a;`touch b`'\"$(touch c)|touch d&\\n@x{}^_%s#";
    made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", hostile, NULL);
    made_record(JOURNAL, "wrong", NULL, "impl=fixed_point", "measure=throughput", "inputs=# \"", NULL);
    strcpy(sweep.name, "<touch e `touch f` $(touch g) ' \" \\");
    request("throughput", "|touch h `x` $(y) '\" <../..");
    struct records records = made_merged(JOURNAL);
    ck_assert_msg(plots_draw(&sweep, &records, HOSTILE_FOLDER, &drawn, &error), "%s", error.text);
    records_free(&records);
    ck_assert_uint_eq(drawn.pictures, 1);
    for (const char *name = "abcdefghijk"; *name; name++)
        ck_assert_msg(!exists((char[]){*name, '\0'}), "%c was made", *name);
    check_contains(HOSTILE_FOLDER "/plots/_touch_h__x____y______.._...svg",
                   "&lt;touch a;'touch b'''$(touch c)|touch d&amp;/n@x{}^_%s#");
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(names_that_meet_are_numbered)
{
    made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", NULL);
    request("throughput", "a+b");
    request("throughput", "a*b");
    ck_assert_msg(draw(), "%s", error.text);
    ck_assert(exists("plots/a_b.svg") && exists("plots/a_b_2.svg"));
    check_contains("plots/a_b.dat", "title\tmade: throughput against T (a+b)\n");
}
END_TEST

START_TEST(the_same_bytes_again_and_by_hand)
{
    made_record(JOURNAL, "ok", SPEED, "impl=fixed_point", "measure=throughput", NULL);
    request("throughput", "speed");
    ck_assert(draw());
    char *first = scratch_read(scratch_path("plots/speed.svg"));
    ck_assert(draw());
    check_file("plots/speed.svg", first);
    ck_assert_int_eq(chdir(scratch_path("plots")), 0);
    const char *const argv[] = {"gnuplot", "-c", "curves-log.gp", "speed.dat", "again.svg", NULL}; /* as the data file says */
    const struct process_request by_hand = {.argv = argv, .time_limit = HANG};
    struct process_result process;
    ck_assert_msg(process_run(&by_hand, &process, &error), "%s", error.text);
    ck_assert_msg(process.exit_status == 0 && process.signal == 0, "%s", process.errors);
    process_result_free(&process);
    ck_assert_int_eq(chdir("/"), 0);
    check_file("plots/again.svg", first);
    free(first);
}
END_TEST

/* ---- The table of kinds ------------------------------------------------------------------------------------------------ */

START_TEST(kinds)
{
    for (int k = 0; k < plot_kind_count(); k++)
        ck_assert_int_eq(plot_kind_find(plot_kind_get(k)->name), k);
    ck_assert_int_eq(plot_kind_find("Throughput"), -1);
    int throughput_kind = plot_kind_find("throughput");
    static const int allowed[] = {FIELD_T, FIELD_D, FIELD_L, FIELD_B, FIELD_THREADS};
    int found = 0;
    for (int f = 0; f < FIELD_COUNT; f++)
        found += plot_kind_takes_x(throughput_kind, f);
    ck_assert_int_eq(found, 5);
    for (int i = 0; i < found; i++)
        ck_assert(plot_kind_takes_x(throughput_kind, allowed[i]));
    int work = plot_kind_find("error-against-time");
    ck_assert(!plot_kind_takes_x(work, FIELD_T));
    ck_assert(plot_kind_takes_along(work, FIELD_L) && plot_kind_takes_along(work, FIELD_TOLERANCE));
    ck_assert(!plot_kind_takes_along(work, FIELD_T) && !plot_kind_takes_along(throughput_kind, FIELD_TOLERANCE));
}
END_TEST

Suite *suite_plots(void)
{
    Suite *suite = suite_create("plots");
    TCase *tests = tcase_create("plots");
    tcase_add_checked_fixture(tests, setup, scratch_remove);
    tcase_add_test(tests, error_against_iteration);
    tcase_add_test(tests, iterations_against_kappa);
    tcase_add_test(tests, throughput);
    tcase_add_test(tests, days_of_the_rounds);
    tcase_add_test(tests, error_against_time);
    tcase_add_test(tests, error_against_time_along_tolerances);
    tcase_add_test(tests, gradient_cosine);
    tcase_add_test(tests, difference);
    tcase_add_test(tests, step_of_a_training);
    tcase_add_test(tests, learning);
    tcase_add_test(tests, roofline);
    tcase_add_test(tests, roofline_counts_exponentials);
    tcase_add_test(tests, roofline_without_roofs);
    tcase_add_loop_test(tests, limits_are_those_of_the_rounds, 0, sizeof kept_limits / sizeof kept_limits[0]);
    tcase_add_test(tests, what_varies_is_never_summarised);
    tcase_add_test(tests, panels_with_a_single_x_are_left_out_and_said);
    tcase_add_test(tests, an_implementation_that_does_not_use_a_field_is_in_every_panel);
    tcase_add_test(tests, crowded_figures_have_pages);
    tcase_add_test(tests, without_plots_asked_for_each_measure_has_its_own);
    tcase_add_test(tests, unasked_plots_of_a_single_x_are_passed_over);
    tcase_add_test(tests, unasked_plots_have_few_pages);
    tcase_add_test(tests, none_beside_a_single_value_is_one_curve);
    tcase_add_test(tests, none_beside_several_values_is_named);
    tcase_add_test(tests, inputs_of_files_and_drawn_ones_do_not_share_a_curve);
    tcase_add_test(tests, letters_are_stacked_then_counted);
    tcase_add_test(tests, letters_do_not_run_over_points);
    tcase_add_test(tests, unknown_errors_are_not_drawn);
    tcase_add_test(tests, long_names_of_panels_are_wrapped);
    tcase_add_test(tests, ticks_are_what_was_measured);
    tcase_add_test(tests, pages_of_an_earlier_drawing_are_removed);
    tcase_add_test(tests, no_records_no_picture);
    tcase_add_test(tests, all_failed_is_drawn);
    tcase_add_test(tests, bad_requests);
    tcase_add_test(tests, gnuplot_missing);
    tcase_add_test(tests, gnuplot_fails);
    tcase_add_test(tests, hostile_names_do_nothing);
    tcase_add_test(tests, names_that_meet_are_numbered);
    tcase_add_test(tests, the_same_bytes_again_and_by_hand);
    tcase_add_test(tests, kinds);
    suite_add_tcase(suite, tests);
    return suite;
}
