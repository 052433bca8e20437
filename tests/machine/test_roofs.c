/* The machine's limits: the loops compute what they claim, at every level; the bound follows from the figures by hand; figures come
 * back from JSON, and nonsense does not; implementations tell sensible working sets. How fast anything is decides nothing here. */
#include "bench/machine/machine_print.h"
#include "impls/contract/support.h"
#include "tests/support/cases.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"
#include "tests/support/numbers.h"

#include <math.h>

Suite *suite_roofs(void);

static struct error error;

/* ---- Loops ------------------------------------------------------------------------------------------------------------- */

enum { LONGEST = 300, GUARD = 64 }; /* numbers */

/* Three arrays of either dtype, as doubles. */
/* Small whole numbers: every result is exact. */
static double b_at(int64_t i)
{
    return (double)(i % 97 + 1);
}

static double c_at(int64_t i)
{
    return (double)(i % 89 - 40);
}

static void check_pass(const struct roof_kernels *kernels, enum dtype dtype, enum roof_kernel k, int64_t n)
{
    const double untouched = -12345;
    void *a = memory_allocate(LONGEST + GUARD, sizeof(double)), *b = memory_allocate(LONGEST + GUARD, sizeof(double)),
         *c = memory_allocate(LONGEST + GUARD, sizeof(double));
    ck_assert(a != NULL && b != NULL && c != NULL);
    double sum = 0;
    for (int64_t i = 0; i < LONGEST + GUARD; i++) {
        put(a, dtype, i, untouched);
        put(b, dtype, i, b_at(i));
        put(c, dtype, i, c_at(i));
        sum += i < n ? b_at(i) : 0;
    }
    double returned = kernels->pass[k](roof_kernel_arrays[k] > 1 ? a : NULL, b, roof_kernel_arrays[k] > 2 ? c : NULL, n);
    ck_assert_double_eq(returned, k == ROOF_READ ? sum : 0);
    for (int64_t i = 0; i < LONGEST + GUARD; i++) {
        bool written = i < n && k != ROOF_READ;
        double triad = roof_kernel_arrays[k] > 2 ? ROOF_TRIAD_FACTOR * c_at(i) : 0;
        ck_assert_msg(get(a, dtype, i) == (written ? b_at(i) + triad : untouched), "%s of %lld: element %lld is %g",
                      roof_kernel_names[k], (long long)n, (long long)i, get(a, dtype, i));
    }
    free(a);
    free(b);
    free(c);
}

START_TEST(passes_do_what_they_claim)
{
    enum dtype dtype = _i % DTYPE_COUNT;
    enum level level = _i / DTYPE_COUNT;
    if (!level_available(level))
        return;
    const struct roof_kernels *kernels = roof_kernels_get(dtype, level);
    ck_assert_ptr_nonnull(kernels);
    for (enum roof_kernel k = 0; k < ROOF_KERNEL_COUNT; k++) {
#ifdef LEVELS_X86
        ck_assert(kernels->pass[k] != NULL);
#endif
        for (int64_t n = 0; n <= LONGEST && kernels->pass[k] != NULL; n++)
            check_pass(kernels, dtype, k, n);
    }
}
END_TEST

/* The number of operations that is counted is the number that is done. */
START_TEST(multiply_adds_are_done)
{
    enum dtype dtype = _i % DTYPE_COUNT;
    enum level level = _i / DTYPE_COUNT;
    if (!level_available(level))
        return;
    const struct roof_kernels *kernels = roof_kernels_get(dtype, level);
    ck_assert_int_ge(kernels->fma_numbers, 12);
    ck_assert_double_eq(kernels->fma(0, 1, 1), 0);
    ck_assert_double_eq(kernels->fma(17, 1, 1), 17.0 * kernels->fma_numbers);
    ck_assert_double_eq(kernels->fma(3, 0.5, 1), 1.75 * kernels->fma_numbers);
}
END_TEST

START_TEST(exponentials_are_taken)
{
    enum dtype dtype = _i % DTYPE_COUNT;
    enum level level = _i / DTYPE_COUNT;
    if (!level_available(level))
        return;
    const struct roof_kernels *kernels = roof_kernels_get(dtype, level);
    double sum = 0;
    for (int i = 0; i < kernels->exponential_numbers; i++)
        sum += exp(-4.0 * i / kernels->exponential_numbers);
    ck_assert_double_eq_tol(kernels->exponentials(3), sum, sum * (dtype == DTYPE_FLOAT32 ? 1e-5 : 1e-13));
}
END_TEST

/* ---- Ladder and bound -------------------------------------------------------------------------------------------------- */

START_TEST(ladder)
{
    static const struct {
        double cache, available, last;
        bool shortened;
    } rows[] = {
        {32 << 20, 0, 1073741824.0, false},
        {32 << 20, 1e12, 1073741824.0, false},
        {480.0 * (1 << 20), 1e12, 1073741824.0, false},
        {600.0 * (1 << 20), 1e12, 2147483648.0, false}, /* twice the cache */
        {600.0 * (1 << 20), 4294967296.0, 1073741824.0, true},
        {0, 1000000000, 134217728.0, true},
        {0, 1, 16384, true}, /* one step there always is */
    };
    static struct roofs roofs;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        roofs_ladder(rows[i].cache, rows[i].available, &roofs);
        ck_assert_double_eq(roofs.set[0], 16384);
        ck_assert_double_eq(roofs.set[roofs.n_sets - 1], rows[i].last);
        ck_assert_int_eq(roofs.shortened, rows[i].shortened);
        for (int k = 1; k < roofs.n_sets; k++)
            ck_assert_double_eq(roofs.set[k], 2 * roofs.set[k - 1]);
    }
    roofs_ladder(INFINITY, 0, &roofs);
    ck_assert_int_eq(roofs.n_sets, ROOF_SETS_MAX);
}
END_TEST

/* Two numbers of threads, three working sets, and a level that is missing. */
static void made(struct roofs *roofs)
{
    *roofs = (struct roofs){.set = {100, 200, 400}, .n_sets = 3, .level = LEVEL_AVX2, .n_roofs = 2};
    for (int r = 0; r < 2; r++) {
        static const double copy[] = {50e6, 40e6, 10e6}, read[] = {30e6, 45e6, 20e6};
        struct roof *roof = &roofs->roof[r];
        roof->threads = r == 0 ? 1 : 6;
        for (int i = 0; i < 3; i++) {
            roof->bandwidth[ROOF_COPY][i] = (r + 1) * copy[i];
            roof->bandwidth[ROOF_READ][i] = (r + 1) * read[i];
        }
        roof->rate[DTYPE_FLOAT32][LEVEL_BASELINE] = 500e6;
        roof->rate[DTYPE_FLOAT32][LEVEL_AVX2] = 2000e6;
        roof->rate[DTYPE_FLOAT64][LEVEL_BASELINE] = 250e6;
        roof->rate[DTYPE_FLOAT64][LEVEL_AVX2] = 1000e6;
        roof->exponentials[DTYPE_FLOAT64][LEVEL_AVX2] = 100e6;
    }
}

START_TEST(bounds_by_hand)
{
    static const struct {
        struct work work;
        int threads;
        enum level level;
        enum dtype dtype;
        double bandwidth, rate, bytes_s, operations_s;
    } rows[] = {
        {{900e6, 1000e6, 150, false, 0},
         1,
         LEVEL_AVX2,
         DTYPE_FLOAT64,
         50e6,
         1000e6,
         18,
         1}, /* the highest of both steps around it */
        {{900e6, 1000e6, 250, false, 0}, 1, LEVEL_AVX2, DTYPE_FLOAT64, 45e6, 1000e6, 20, 1},
        {{900e6, 1000e6, 200, false, 0}, 1, LEVEL_AVX2, DTYPE_FLOAT32, 45e6, 2000e6, 20, 0.5}, /* a step by itself */
        {{900e6, 1000e6, 1, false, 0}, 1, LEVEL_BASELINE, DTYPE_FLOAT32, 50e6, 500e6, 18, 2},  /* below the ladder */
        {{900e6, 1000e6, 100, false, 0}, 1, LEVEL_BASELINE, DTYPE_FLOAT32, 50e6, 500e6, 18, 2},
        {{900e6, 1000e6, 1e12, false, 0}, 1, LEVEL_BASELINE, DTYPE_FLOAT64, 20e6, 250e6, 45, 4}, /* beyond it */
        {{900e6, 1000e6, 400, false, 0}, 6, LEVEL_AVX2, DTYPE_FLOAT64, 40e6, 1000e6, 22.5, 1},
        {{900e6, 1000e6, 150, true, 0},
         1,
         LEVEL_BASELINE,
         DTYPE_FLOAT64,
         50e6,
         1000e6,
         18,
         1},                                                                                 /* a library's own level: the best */
        {{900e6, 1e11, 150, false, 0}, 6, LEVEL_AVX2, DTYPE_FLOAT64, 100e6, 1000e6, 9, 100}, /* operations bind */
        {{900e6, 1000e6, 150, false, 500e6}, 1, LEVEL_AVX2, DTYPE_FLOAT64, 50e6, 1000e6, 18, 6}, /* and exponentials after them */
        {{900e6, 1000e6, 150, true, 1e10}, 6, LEVEL_AVX2, DTYPE_FLOAT64, 100e6, 1000e6, 9, 101},
    };
    static struct roofs roofs;
    struct bound bound;
    made(&roofs);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert(roofs_bound(&roofs, &rows[i].work, rows[i].threads, rows[i].level, rows[i].dtype, &bound));
        ck_assert_double_eq(bound.bandwidth, rows[i].bandwidth);
        ck_assert_double_eq(bound.rate, rows[i].rate);
        ck_assert_double_eq(bound.bytes_s, rows[i].bytes_s);
        ck_assert_double_eq(bound.operations_s, rows[i].operations_s);
        ck_assert_double_eq(bound.seconds, fmax(rows[i].bytes_s, rows[i].operations_s));
        ck_assert_int_eq(bound.bytes_bind, rows[i].bytes_s > rows[i].operations_s);
    }
    ck_assert(!roofs_bound(&roofs, &rows[0].work, 2, LEVEL_AVX2, DTYPE_FLOAT64, &bound));
    ck_assert(!roofs_bound(&roofs, &rows[0].work, 1, LEVEL_AVX512, DTYPE_FLOAT64, &bound));
    roofs.n_sets = 0;
    ck_assert(!roofs_bound(&roofs, &rows[0].work, 1, LEVEL_AVX2, DTYPE_FLOAT64, &bound));
}
END_TEST

static double member(const json_t *json, const char *name)
{
    return json_number_value(json_object_get(json, name));
}

START_TEST(bound_as_json)
{
    struct bound bound = {.bandwidth = 5e9, .rate = 2e9, .bytes_s = 3, .operations_s = 4, .seconds = 4};
    json_t *json = bound_to_json(&bound, 16);
    ck_assert_double_eq(member(json, "GB_per_s"), 5);
    ck_assert_double_eq(member(json, "GFLOP_per_s"), 2);
    ck_assert_double_eq(member(json, "seconds"), 4);
    ck_assert_double_eq(member(json, "share"), 0.25);
    ck_assert_str_eq(json_string_value(json_object_get(json, "binds")), "operations");
    ck_assert_uint_eq(json_object_size(json), 5);
    json_decref(json);
    bound.bytes_bind = true;
    json = bound_to_json(&bound, NAN); /* nothing was timed */
    ck_assert_str_eq(json_string_value(json_object_get(json, "binds")), "bytes");
    ck_assert(json_is_null(json_object_get(json, "share")));
    json_decref(json);
}
END_TEST

/* Made figures, as no device is needed to divide by them; without figures there is no bound. */
START_TEST(bound_on_a_device)
{
    static struct roofs roofs;
    const struct work work = {.bytes = 4e9, .operations = 4e9, .set = 4e9};
    struct bound bound;
    made(&roofs);
    ck_assert(!roofs_device_bound(&roofs, &work, &bound));
    roofs.device = (struct device_limits){.bandwidth = 2e12, .rate = 1e12};
    ck_assert(roofs_device_bound(&roofs, &work, &bound));
    ck_assert_double_eq_tol(bound.seconds, 4e-3, 1e-15);
    ck_assert(!bound.bytes_bind && bound.bytes_s < bound.seconds);
    roofs.device.rate = 40e12;
    ck_assert(roofs_device_bound(&roofs, &work, &bound) && bound.bytes_bind);
    ck_assert_double_eq_tol(bound.seconds, 2e-3, 1e-15);
}
END_TEST

/* ---- JSON -------------------------------------------------------------------------------------------------------------- */

START_TEST(round_trip)
{
    static struct roofs before, after;
    made(&before);
    before.shortened = true;
    before.device = (struct device_limits){.bandwidth = 2e12, .rate = 40e12};
    json_t *json = roofs_to_json(&before);
    char *text = json_dumps(json, 0);
    ck_assert_ptr_nonnull(text);
    json_decref(json);
    json = json_loads(text, 0, NULL);
    ck_assert_msg(roofs_from_json(json, &after, &error), "%s", error.text);
    json_t *again = roofs_to_json(&after);
    ck_assert(json_equal(json, again));
    json_decref(again);
    ck_assert(after.n_sets == 3 && after.set[2] == 400 && after.shortened && after.level == LEVEL_AVX2 && after.n_roofs == 2);
    ck_assert(after.device.bandwidth == 2e12 && after.device.rate == 40e12);
    ck_assert(after.roof[1].threads == 6 && after.roof[1].bandwidth[ROOF_COPY][2] == 20e6 &&
              after.roof[1].rate[DTYPE_FLOAT64][LEVEL_BASELINE] == 250e6 &&
              after.roof[1].exponentials[DTYPE_FLOAT64][LEVEL_AVX2] == 100e6);
    json_t *roof = json_array_get(json_object_get(json, "threads"), 0), *bandwidths = json_object_get(roof, "MB_per_s");
    ck_assert_double_eq(json_number_value(json_array_get(json_object_get(bandwidths, "read"), 1)), 45);
    ck_assert(json_is_null(json_object_get(bandwidths, "triad_nt")));
    ck_assert(json_is_null(json_object_get(json_object_get(json_object_get(roof, "MFLOP_per_s"), "float32"), "avx512")));
    json_decref(json);
    free(text);
}
END_TEST

/* Where something is wrong, under which name, and what; NULL: missing. */
static const struct {
    enum { TOP, ROOF, BANDWIDTHS, RATES } where;
    const char *name, *value, *complaint;
} wrong[] = {
    {TOP, "level", NULL, "level"},
    {TOP, "level", "\"sse\"", "level"},
    {TOP, "level", "1", "level"},
    {TOP, "shortened", NULL, "shortened"},
    {TOP, "shortened", "0", "shortened"},
    {TOP, "sets", NULL, "sets"},
    {TOP, "sets", "[]", "sets"},
    {TOP, "sets", "[100, 400, 200]", "sets"},
    {TOP, "sets", "[100, 100, 200]", "sets"},
    {TOP, "sets", "[0, 100, 200]", "sets"},
    {TOP, "sets", "[100, 200, \"400\"]", "sets"},
    {TOP, "sets", "[100, 200, 400000000000000000]", "sets"},
    {TOP, "sets", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33]", "sets"},
    {TOP, "sets", "[100, 200]", "threads[0]"}, /* fewer than figures */
    {TOP, "threads", NULL, "threads"},
    {TOP, "threads", "[]", "threads"},
    {TOP, "threads", "{}", "threads"},
    {TOP, "threads", "[1]", "threads[0]"},
    {TOP, "threads", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33]", "threads"},
    {TOP, "device", "[]", "device"},
    {TOP, "device", "{\"MB_per_s\": 2000000}", "device"},
    {TOP, "device", "{\"MB_per_s\": 0, \"MFLOP_per_s\": 1}", "device"},
    {ROOF, "threads", NULL, "threads[0]"},
    {ROOF, "threads", "0", "threads[0]"},
    {ROOF, "threads", "4294967297", "threads[0]"},
    {ROOF, "threads", "6", "threads[1]"}, /* twice */
    {ROOF, "MB_per_s", NULL, "threads[0]"},
    {ROOF, "MFLOP_per_s", "[]", "threads[0]"},
    {BANDWIDTHS, "copy", NULL, "threads[0]"},
    {BANDWIDTHS, "copy", "7", "threads[0]"},
    {BANDWIDTHS, "copy", "[1, 2]", "threads[0]"},
    {BANDWIDTHS, "copy", "[1, 2, -3]", "threads[0]"},
    {BANDWIDTHS, "read", "[1, 2, 0]", "threads[0]"},
    {BANDWIDTHS, "read", "[1, 2, \"3\"]", "threads[0]"},
    {BANDWIDTHS, "read", "[1, 2, 9000000000000000000]", "threads[0]"},
    {ROOF, "MEXP_per_s", "[]", "threads[0]"},
    {RATES, "baseline", NULL, "threads[0]"},
    {RATES, "avx512", "-1", "threads[0]"},
};

START_TEST(nonsense_is_refused)
{
    static struct roofs roofs;
    made(&roofs);
    json_t *json = roofs_to_json(&roofs), *roof = json_array_get(json_object_get(json, "threads"), 0);
    json_t *const places[] = {[TOP] = json,
                              [ROOF] = roof,
                              [BANDWIDTHS] = json_object_get(roof, "MB_per_s"),
                              [RATES] = json_object_get(json_object_get(roof, "MFLOP_per_s"), "float32")};
    ck_assert(roofs_from_json(json, &roofs, &error));
    if (wrong[_i].value == NULL)
        ck_assert_int_eq(json_object_del(places[wrong[_i].where], wrong[_i].name), 0);
    else
        json_object_set_new(places[wrong[_i].where], wrong[_i].name, json_loads(wrong[_i].value, JSON_DECODE_ANY, NULL));
    ck_assert(!roofs_from_json(json, &roofs, &error));
    ck_assert_msg(strstr(error.text, wrong[_i].complaint) != NULL, "%s", error.text);
    json_decref(json);
    ck_assert(!roofs_from_json(NULL, &roofs, &error));
}
END_TEST

/* ---- Measuring --------------------------------------------------------------------------------------------------------- */

START_TEST(measures_what_was_asked_for)
{
    static const int threads[] = {1, 2};
    static struct roofs roofs;
    roofs_ladder(0, 4 * 65536, &roofs);
    ck_assert_int_eq(roofs.n_sets, 3);
    ck_assert_msg(roofs_measure(threads, 2, &roofs, &error), "%s", error.text);
    ck_assert_int_eq(roofs.n_roofs, 2);
    ck_assert_int_eq(roofs.level, level_best());
    for (int r = 0; r < 2; r++) {
        ck_assert_int_eq(roofs.roof[r].threads, threads[r]);
        for (int k = 0; k < ROOF_KERNEL_COUNT; k++)
            for (int i = 0; i < 3; i++)
                ck_assert_int_eq(roofs.roof[r].bandwidth[k][i] > 0, roof_kernels_get(DTYPE_FLOAT64, roofs.level)->pass[k] != NULL);
        for (int dtype = 0; dtype < DTYPE_COUNT; dtype++)
            for (int level = 0; level < LEVEL_COUNT; level++)
                ck_assert_int_eq(roofs.roof[r].rate[dtype][level] > 0, level_available((enum level)level));
    }
    ck_assert(!roofs_measure(threads, 0, &roofs, &error));
    ck_assert(!roofs_measure(threads, ROOF_COUNTS_MAX + 1, &roofs, &error));
}
END_TEST

/* A program that answers what it was told to, or worse. */
static bool run_program(const char *script, json_t **json)
{
    static const int threads[] = {1};
    const char *path = scratch_path("program");
    scratch_write(path, script, strlen(script));
    ck_assert_int_eq(chmod(path, 0755), 0);
    return roofs_run(path, threads, 1, false, json, &error);
}

START_TEST(a_child_is_not_trusted)
{
    static struct roofs roofs;
    json_t *json;
    made(&roofs);
    json_t *given = roofs_to_json(&roofs);
    char *text = json_dumps(given, 0);
    scratch_write(scratch_path("answer"), text, strlen(text));
    free(text);
    ck_assert_msg(
        run_program(
            "#!/bin/sh\n[ \"$1\" = roofs ] && grep -q '^{\"threads\":\\[1\\],\"device\":false}$' && cat \"${0%/*}/answer\"\n",
            &json),
        "%s", error.text);
    ck_assert(json_equal(json, given));
    json_decref(json);
    json_decref(given);
    static const struct {
        const char *script, *complaint;
    } rows[] = {
        {"#!/bin/sh\necho nonsense\n", "no results: machine limits: expected an object"},
        {"#!/bin/sh\necho '{\"level\": 3}'\n", "no results: machine limits: level: unknown instruction set"},
        {"#!/bin/sh\necho too bad >&2\nexit 3\n", "failed: exit status 3: too bad"},
        {"#!/bin/sh\nkill -9 $$\n", "failed: signal 9"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert(!run_program(rows[i].script, &json));
        ck_assert_msg(strstr(error.text, rows[i].complaint) != NULL, "%s", error.text);
        ck_assert_ptr_null(json);
    }
    static const int one = 1;
    ck_assert(!roofs_run(scratch_path("missing"), &one, 1, false, &json, &error));
}
END_TEST

START_TEST(the_hidden_command_checks_what_it_reads)
{
    static const char *const requests[] = {"nonsense",
                                           "{}",
                                           "[]",
                                           "{\"threads\": []}",
                                           "{\"threads\": [0]}",
                                           "{\"threads\": [4294967297]}",
                                           "{\"threads\": [\"1\"]}",
                                           "{\"threads\": 1}"};
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        char answer[16] = "";
        FILE *in = fmemopen((void *)requests[i], strlen(requests[i]), "r"), *out = fmemopen(answer, sizeof answer, "w");
        ck_assert(in != NULL && out != NULL);
        ck_assert_msg(!roofs_command(in, out, &error), "%s", requests[i]);
        fclose(in);
        fclose(out);
        ck_assert_str_eq(answer, "");
    }
}
END_TEST

/* ---- Printing ---------------------------------------------------------------------------------------------------------- */

enum { WIDEST = 110 };

static void check_width(const char *text)
{
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        ck_assert_msg(strcspn(line, "\n") <= WIDEST, "%.*s", (int)strcspn(line, "\n"), line);
}

START_TEST(prints_a_row_a_working_set)
{
    static struct roofs roofs;
    char *text = NULL;
    size_t length;
    made(&roofs);
    roofs.set[2] = 1.5 * (1 << 30);
    roofs.shortened = true;
    FILE *out = open_memstream(&text, &length);
    roofs.roof[1].threads = ROOF_THREADS_MAX;
    roofs.roof[1].bandwidth[ROOF_COPY][1] = 12.34e9;
    roofs.roof[1].bandwidth[ROOF_COPY][2] = 1234e9;
    roofs_print(out, &roofs);
    ck_assert_int_eq(fclose(out), 0);
    check_width(text);
    static const char *const rows[] = {
        "               1 thread                                       1024 threads\n",
        "\n       200 B     0.04        -        -        -     0.04      12.3        -        -        -     0.09\n",
        "\n     1.5 GiB     0.01        -        -        -     0.02      1234        -        -        -     0.04\n",
        "The largest working set is a quarter of the available memory",
        "\n  float32 1 thread          0.50      2.00         -\n",
        "\n  float64 1024 threads      0.25      1.00         -\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(strstr(text, rows[i]) != NULL, "lacks: %s\nit has:\n%s", rows[i], text);
    free(text);
}
END_TEST

/* The whole command, in the program's own child. */
START_TEST(the_machine_is_measured_and_printed)
{
    char program[PATH_MAX], *text = NULL;
    size_t length;
    program_find("bench", program);
    FILE *out = open_memstream(&text, &length);
    ck_assert_msg(machine_print(out, program, &error), "%s", error.text);
    ck_assert_int_eq(fclose(out), 0);
    check_width(text);
    ck_assert_msg(strstr(text, "\n      16 KiB ") != NULL && strstr(text, "\n      32 KiB ") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "\n  float64 1 thread ") != NULL, "%s", text);
    free(text);
}
END_TEST

/* ---- Working sets ------------------------------------------------------------------------------------------------------ */

static struct work count_of(const char *name, const struct problem *problem, enum dtype dtype, int threads, int64_t l,
                            struct support *support)
{
    const struct settings settings = {.l_max = l, .quantile = 1, .damping = 1};
    const struct environment environment = {.threads = threads};
    const struct implementation *one = registry_get(registry_find(name), dtype, LEVEL_BASELINE);
    struct problem p = *problem;
    struct work work = {0};
    p.dtype = dtype;
    one->supports(&p, &settings, &environment, support);
    if (support->yes)
        one->count(&p, &settings, &environment, l, &work);
    return work;
}

START_TEST(working_sets_fit_into_what_there_is)
{
    int seen = 0;
    for (int c = 0; c < cases_count(); c++)
        for (int i = 0; i < registry_count(); i++)
            for (int k = 0; k < 4; k++) {
                struct test_case test = cases_get(c);
                struct support support;
                const char *name = registry_get(i, DTYPE_FLOAT32, LEVEL_BASELINE)->name;
                enum dtype dtype = k % 2;
                struct work work = count_of(name, &test.problem, dtype, 1 + k, 3, &support);
                test.problem.dtype = dtype;
                if (!support.yes)
                    continue;
                double there_is = problem_bytes(&test.problem) + (double)support.host_bytes;
                ck_assert_msg(work.set > 0 && work.set <= there_is, "%s: %s: %g of %g bytes", test.name, name, work.set, there_is);
                seen++;
            }
    ck_assert_int_gt(seen, cases_count());
}
END_TEST

START_TEST(working_sets_by_hand)
{
    static const struct {
        const char *name;
        struct problem problem;
        int threads;
        double numbers;
    } rows[] = {
        /* v, lambda, h of 2 5 3 numbers */
        {"diagonal_scan", {.B = 2, .T = 5, .d = 3}, 1, 90},
        {"diagonal_scan", {.B = 1, .T = 500, .d = 3, .form = FORM_PLAIN}, 2, 4500}, /* split over time: the same arrays twice */
        /* v, lambda, both iterates; u and a strength a token, activated */
        {"fixed_point", {.B = 2, .T = 5, .d = 3, .mixer = MIXER_HOUSEHOLDER, .r = 1, .s = 1}, 1, 120 + 40},
        /* kronecker, d = 6 = 2 x 3: 4 + 9 activated (raw: 3 + 6 + 5) */
        {"fixed_point", {.B = 2, .T = 5, .d = 6, .mixer = MIXER_KRONECKER, .s = 1}, 1, 240 + 130},
        /* raw parameters, activated anew, and W (4,3) */
        {"fixed_point", {.B = 2, .T = 5, .d = 3, .mixer = MIXER_DPLR, .r = 1, .s = 1, .feedback = FEEDBACK_RAW}, 1, 120 + 40 + 12},
        {"fixed_point", {.B = 2, .T = 5, .d = 3}, 2, 120},
        /* v, lambda, h, theta */
        {"structured_sequential", {.B = 2, .T = 5, .d = 3, .mixer = MIXER_DPLR, .r = 2, .s = 1}, 1, 90 + 80},
        {"structured_sequential",
         {.B = 2, .T = 5, .d = 3, .mixer = MIXER_DPLR, .r = 1, .s = 1, .feedback = FEEDBACK_RMS},
         1,
         90 + 40 + 12},
        /* and a matrix a token */
        {"dense_sequential", {.B = 2, .T = 5, .d = 3, .mixer = MIXER_DENSE}, 1, 90 + 90 + 90},
        /* or a matrix a thread, of which two have a sequence */
        {"dense_sequential", {.B = 2, .T = 5, .d = 3, .mixer = MIXER_DENSE, .feedback = FEEDBACK_RAW}, 4, 18},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++) {
            struct support support;
            struct work work = count_of(rows[i].name, &rows[i].problem, dtype, rows[i].threads, 7, &support);
            ck_assert_msg(support.yes, "%s", support.reason);
            ck_assert_msg(work.set == rows[i].numbers * (double)dtype_size(dtype), "row %zu, %s: %g", i, rows[i].name, work.set);
        }
}
END_TEST

Suite *suite_roofs(void)
{
    Suite *suite = suite_create("roofs");
    TCase *tests = tcase_create("roofs");
    tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
    tcase_add_loop_test(tests, passes_do_what_they_claim, 0, DTYPE_COUNT * LEVEL_COUNT);
    tcase_add_loop_test(tests, multiply_adds_are_done, 0, DTYPE_COUNT * LEVEL_COUNT);
    tcase_add_loop_test(tests, exponentials_are_taken, 0, DTYPE_COUNT * LEVEL_COUNT);
    tcase_add_test(tests, ladder);
    tcase_add_test(tests, bounds_by_hand);
    tcase_add_test(tests, bound_as_json);
    tcase_add_test(tests, bound_on_a_device);
    tcase_add_test(tests, round_trip);
    tcase_add_loop_test(tests, nonsense_is_refused, 0, sizeof wrong / sizeof wrong[0]);
    tcase_add_test(tests, measures_what_was_asked_for);
    tcase_add_test(tests, a_child_is_not_trusted);
    tcase_add_test(tests, the_hidden_command_checks_what_it_reads);
    tcase_add_test(tests, prints_a_row_a_working_set);
    tcase_add_test(tests, the_machine_is_measured_and_printed);
    tcase_add_test(tests, working_sets_fit_into_what_there_is);
    tcase_add_test(tests, working_sets_by_hand);
    suite_add_tcase(suite, tests);
    return suite;
}
