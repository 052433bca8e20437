/* The table of fields: what its values may be, and that every value survives being printed and read. */
#include "bench/sweep/field.h"

#include "bench/base/number.h"
#include "bench/sweep/options.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#undef fail /* libcheck's old macro hides the function of error.h */

Suite *suite_field(void);

/* Of every field: spellings that are taken, each canonical, and spellings that are refused. NULL ends a list. */
// clang-format off
static const struct {
    const char *taken[8], *refused[12];
} samples[FIELD_COUNT] = {
    [FIELD_IMPLEMENTATION] = {{"fixed_point", "diagonal_scan split=time"},
                              {"", "none", "fixed_pont", "fixed_point chunk", "fixed_point =4", "fixed_point a=b=c",
                               "fixed_point split=time split=batch", "fixed_point splat=time", "fixed_point split=tim",
                               "structured_sequential split=time",
                               "fixed_point an_option_of_a_very_long_name=1"}},
    [FIELD_MEASURE] = {{"convergence", "throughput", "training", "accuracy"}, {"", "speed", "Convergence", "convergence "}},
    [FIELD_PASS] = {{"forward", "backward"}, {"", "both", "Backward", "none"}},
    [FIELD_CELL] = {{"vector", "selective", "delta", "selective_heads"}, {"", "0", "matrix"}},
    [FIELD_N] = {{"1", "16", "1024"}, {"0", "1025", "none"}},
    [FIELD_READS] = {{"none", "dt", "bc", "dt+bc"}, {"Q", "b", "all"}},
    [FIELD_NORM] = {{"none", "bc", "output", "both"}, {"yes", "layer"}},
    [FIELD_GATE] = {{"outside", "inside"}, {"none", "in"}},
    [FIELD_FORGET] = {{"none", "head"}, {"yes", "channel"}},
    [FIELD_SCALE] = {{"0.56", "1e6"}, {"0", "-1", "1e7"}},
    [FIELD_B] = {{"1", "65536"}, {"0", "65537", "-1", "1.0", "1e3", "", " 1", "1 ", "free"}},
    [FIELD_T] = {{"1", "16777216"}, {"0", "16777217", "99999999999999999999", "08", "0x10", "1_000", "+5", "~", "inf"}},
    [FIELD_D] = {{"1", "65536"}, {"0", "65537", "4 4", "four", "1,000"}},
    [FIELD_MIXER] = {{"none", "dplr", "householder", "kronecker", "dense", "kronecker_rows"}, {"None", "house", "no", ""}},
    [FIELD_R] = {{"1", "64"}, {"0", "65"}},
    [FIELD_S] = {{"0.5", "4", "1e-6"}, {"0", "4.0001", "-1", "nan", "inf", "1.", ".", "e3", "1e", "0x1p1", "01.5"}},
    [FIELD_FORM] = {{"normalised", "plain"}, {"normalized"}},
    [FIELD_FEEDBACK] = {{"none", "raw", "rms"}, {"yes", "true"}},
    [FIELD_DTYPE] = {{"float32", "float64"}, {"double", "32"}},
    [FIELD_INITIAL] = {{"zero", "drawn"}, {"0", "one"}},
    [FIELD_KAPPA] = {{"free", "0.9", "16"}, {"0", "16.5", "none", "Free"}},
    [FIELD_WORDS] = {{"none", "A5"}, {"S5", "a5", "1"}},
    [FIELD_TOKENS] = {{"all", "one"}, {"1"}},
    [FIELD_LAMBDA_MAX] = {{"0", "0.999", "1"}, {"1.1", "-0.5"}},
    [FIELD_LIMIT] = {{"1000", "1e300", "0.1"}, {"0", "1e301", "1e999"}},
    [FIELD_INPUTS] = {{"none", "inputs.safetensors", "no such/file"}, {"", "yes", "~", "True", "a\nb", "a\x7f"}},
    [FIELD_L] = {{"1", "1000000"}, {"0", "1000001", "none"}},
    [FIELD_TOLERANCE] = {{"none", "1", "1e-10", "0.1"}, {"0", "1.5", "free"}},
    [FIELD_QUANTILE] = {{"0.75", "1"}, {"0", "1.01", "75%"}},
    [FIELD_DAMPING] = {{"0.99", "1"}, {"0", "2"}},
    [FIELD_DAMPING_FACTOR] = {{"0.9", "1"}, {"0", "2"}},
    [FIELD_AGREEMENT] = {{"none", "0.0001", "1"}, {"0", "1.5", "free"}},
    [FIELD_PATIENCE] = {{"none", "1", "1000000"}, {"0", "1000001", "free"}},
    [FIELD_THREADS] = {{"all", "1", "1024"}, {"0", "1025", "two"}},
    [FIELD_ISA] = {{"baseline", "avx2", "avx512", "best"}, {"sse", "AVX2"}},
    [FIELD_TASK] = {{"A5", "Z2", "parity"}, {"", "none", "A", "a5", "A5 x=1"}},
    [FIELD_LAYER] = {{"fp_rnn", "diagonal", "fp_mamba", "mamba", "mamba2", "delta", "lstm", "attention"}, {"", "gru", "LSTM"}},
    [FIELD_D_MODEL] = {{"1", "65536"}, {"0", "65537"}},
    [FIELD_BLOCKS] = {{"1", "64"}, {"0", "65"}},
    [FIELD_HEADS] = {{"1", "1024"}, {"0", "1025"}},
    [FIELD_READOUT] = {{"input", "state"}, {"output"}},
    [FIELD_CONVOLUTION] = {{"none", "short"}, {"yes", "4"}},
    [FIELD_MIXING] = {{"apart", "symmetric"}, {"none", "x+y"}},
    [FIELD_EIGENVALUES] = {{"positive", "both"}, {"negative", "2"}},
    [FIELD_OUTPUT_GATE] = {{"none", "silu"}, {"yes", "sigmoid"}},
    [FIELD_FEED_FORWARD] = {{"none", "gelu", "swiglu"}, {"relu", "4"}},
    [FIELD_STEPS] = {{"1", "100000000"}, {"0", "1e9"}},
    [FIELD_BATCH] = {{"1", "65536"}, {"0", "65537"}},
    [FIELD_TRAIN_LENGTH] = {{"1", "65536"}, {"0", "65537"}},
    [FIELD_LEARNING_RATE] = {{"0.003", "10"}, {"0", "-0.003", "11"}},
    [FIELD_WARMUP] = {{"0", "200"}, {"-1", "none"}},
    [FIELD_SCHEDULE] = {{"constant", "cosine", "linear"}, {"none", ""}},
    [FIELD_WEIGHT_DECAY] = {{"0", "0.01"}, {"-1", "11"}},
    [FIELD_GRAD_CLIP] = {{"none", "1"}, {"0", "-1"}},
    [FIELD_CURRICULUM] = {{"none", "lengths"}, {"yes", "no"}},
    [FIELD_CURRICULUM_ACCURACY] = {{"0.9", "1"}, {"0", "1.1"}},
    [FIELD_CURRICULUM_WINDOW] = {{"1", "200"}, {"0"}},
    [FIELD_TARGET] = {{"none", "0.95", "1"}, {"0", "1.1"}},
    [FIELD_CHECK_EVERY] = {{"1", "100"}, {"0"}},
    [FIELD_CHECK_EXAMPLES] = {{"1", "1000"}, {"0"}},
    [FIELD_TRAIN_DTYPE] = {{"float32", "float64"}, {"bfloat16"}},
    [FIELD_TRAIN_IMPL] = {{"fixed_point", "structured_sequential"}, {"", "none", "fixed_pont"}},
    [FIELD_GRADIENT] = {{"exact", "steps"}, {"none", "1"}},
    [FIELD_GRADIENT_STEPS] = {{"1", "1024"}, {"0"}},
    [FIELD_HANDS_ON] = {{"iterate", "applied"}, {"y", "1"}},
    [FIELD_TRAIN_L] = {{"1", "16"}, {"0"}},
    [FIELD_TRAIN_TOLERANCE] = {{"none", "0.1"}, {"0", "2"}},
    [FIELD_TRAIN_QUANTILE] = {{"0.75", "1"}, {"0", "2"}},
    [FIELD_TRAIN_DAMPING] = {{"0.99", "1"}, {"0", "2"}},
    [FIELD_TRAIN_DAMPING_FACTOR] = {{"0.9", "1"}, {"0", "2"}},
    [FIELD_TRAIN_PATIENCE] = {{"none", "15"}, {"0", "free"}},
    [FIELD_GAMMA] = {{"none", "4", "0.5"}, {"0", "-4"}},
    [FIELD_TEST_LENGTH] = {{"1", "65536"}, {"0", "65537"}},
    [FIELD_EXAMPLES] = {{"1", "1000"}, {"0"}},
    [FIELD_TEST_BATCH] = {{"1", "100"}, {"0"}},
    [FIELD_AGAINST] = {{"none", "fixed_point", "fixed_point_chunked chunk=1"}, {"", "fixed_pont", "fixed_point_chunked chunk"}},
    [FIELD_TRAIN_SEED] = {{"0", "9007199254740991"}, {"9007199254740992"}},
    [FIELD_TEST_SEED] = {{"0", "9007199254740991"}, {"9007199254740992"}},
    [FIELD_SEED] = {{"0", "9007199254740991"}, {"9007199254740992", "-1", "1.5"}},
};
// clang-format on

START_TEST(values_survive_printing)
{
    for (int field = 0; field < FIELD_COUNT; field++) {
        ck_assert_ptr_nonnull(samples[field].taken[0]);
        for (int i = 0; i < 8 && samples[field].taken[i] != NULL; i++) {
            const char *text = samples[field].taken[i];
            char printed[VALUE_TEXT_MAX];
            struct value value, again;
            ck_assert_msg(field_read(field, text, &value), "%s: %s", fields[field].name, text);
            field_print(field, &value, sizeof printed, printed);
            ck_assert_str_eq(printed, text);
            ck_assert(field_read(field, printed, &again));
            ck_assert(value_equal(&value, &again));
            for (int k = 0; k < i; k++) {
                ck_assert(field_read(field, samples[field].taken[k], &again));
                ck_assert(!value_equal(&value, &again));
            }
        }
    }
}
END_TEST

START_TEST(bad_values_are_refused)
{
    for (int field = 0; field < FIELD_COUNT; field++) {
        ck_assert_ptr_nonnull(samples[field].refused[0]);
        for (int i = 0; i < 12 && samples[field].refused[i] != NULL; i++) {
            struct value value = {.kind = VALUE_NONE, .integer = -77};
            ck_assert_msg(!field_read(field, samples[field].refused[i], &value), "%s: %s", fields[field].name,
                          samples[field].refused[i]);
            ck_assert(value.kind == VALUE_NONE && value.integer == -77);
        }
    }
}
END_TEST

START_TEST(the_table_is_sound)
{
    for (int field = 0; field < FIELD_COUNT; field++) {
        const struct field *row = &fields[field];
        struct value value;
        ck_assert_ptr_nonnull(row->unit);
        ck_assert_int_eq(field_find_any(row->name), field); /* names are unique */
        if (row->formerly != NULL) {                        /* a name of its own, too */
            ck_assert_int_eq(field_find_any(row->formerly), -1);
            ck_assert_int_eq(field_find_former(row->formerly), field);
        }
        ck_assert_msg(row->absent == NULL || field_read(field, row->absent, &value), "%s", row->name);
        ck_assert_msg(row->default_text == NULL || field_read(field, row->default_text, &value), "%s", row->name);
        ck_assert_msg(row->kind != VALUE_WORD || field_word(field, 0) != NULL, "%s", row->name);
        if (row->special != NULL) /* it is stored as 0, which the range must not hold */
            ck_assert_msg(!field_read(field, "0", &value), "%s", row->name);
    }
    ck_assert_int_eq(field_find_any("no_such_field"), -1);
    ck_assert_int_eq(field_find_any(""), -1);
}
END_TEST

/* Integer and real share their room: whoever asks for one looks at the kind first. A point is sixty values, and a sweep a million
 * points. */
START_TEST(kinds_share_their_room)
{
    ck_assert_uint_le(sizeof(struct value), 16);
    for (int field = 0; field < FIELD_COUNT; field++) {
        const struct field *row = &fields[field];
        struct value value;
        if (row->special != NULL)
            ck_assert(field_read(field, row->special, &value) && value_is_special(field, &value));
        for (int i = 0; i < 8 && samples[field].taken[i] != NULL; i++) {
            ck_assert(field_read(field, samples[field].taken[i], &value));
            ck_assert_msg(value_is_special(field, &value) ==
                              (row->special != NULL && strcmp(samples[field].taken[i], row->special) == 0),
                          "%s: %s", row->name, samples[field].taken[i]);
            value = (struct value){.kind = VALUE_NONE};
            ck_assert(!value_is_special(field, &value) && value.integer == 0 && value.real == 0);
        }
    }
    const struct value minus = {.kind = VALUE_REAL, .real = -0.0}, plus = {.kind = VALUE_REAL, .real = 0.0};
    ck_assert(value_is_special(FIELD_KAPPA, &minus) && value_equal(&minus, &plus));
    ck_assert(value_hash(&minus, 1) == value_hash(&plus, 1));
}
END_TEST

START_TEST(says_what_it_expects)
{
    static const struct {
        int field;
        const char *expected;
    } rows[] = {
        {FIELD_B, "a whole number from 1 to 65536"},
        {FIELD_SEED, "a whole number from 0 to 9007199254740991"},
        {FIELD_KAPPA, "a number above 0, at most 16, or free"},
        {FIELD_LAMBDA_MAX, "a number from 0 to 1"},
        {FIELD_MIXER, "one of none, dplr, householder, kronecker, dense, kronecker_rows"},
        {FIELD_TOKENS, "all or one"},
        {FIELD_CELL, "one of vector, selective, delta, selective_heads"},
        {FIELD_ISA, "one of baseline, avx2, avx512, best"},
        {FIELD_INPUTS, "the name of a file, or none"},
    };
    char text[256];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        field_expected(rows[i].field, sizeof text, text);
        ck_assert_str_eq(text, rows[i].expected);
    }
    for (int field = 0; field < FIELD_COUNT; field++) { /* always terminated */
        char small[8];
        field_expected(field, sizeof small, small);
        ck_assert_uint_lt(strlen(small), sizeof small);
    }
}
END_TEST

START_TEST(this_machine_is_resolved)
{
    struct value threads, level, number;
    char text[32];
    ck_assert(field_read(FIELD_THREADS, "all", &threads) && field_read(FIELD_ISA, "best", &level) &&
              field_read(FIELD_THREADS, "3", &number));
    field_resolve(FIELD_THREADS, &threads);
    field_resolve(FIELD_ISA, &level);
    field_resolve(FIELD_THREADS, &number);
    ck_assert_int_ge(threads.integer, 1);
    ck_assert_int_eq(level.integer, level_best());
    ck_assert_int_eq(number.integer, 3);
    field_print(FIELD_THREADS, &threads, sizeof text, text);
    ck_assert_str_ne(text, "all");
}
END_TEST

START_TEST(numbers_have_one_spelling)
{
    static const struct {
        const char *read, *printed;
    } rows[] = {{"1e-06", "1e-6"},
                {"0.10", "0.1"},
                {"1E3", "1000"},
                {".5", "0.5"},
                {"-0.0", "0"},
                {"1e+22", "1e22"},
                {"123456789", "123456789"},
                {"1e-300", "1e-300"},
                {"1000000", "1e6"},
                {"0.30000000000000004", "0.30000000000000004"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[40];
        double number;
        ck_assert_msg(number_read_real(rows[i].read, &number), "%s", rows[i].read);
        number_print_real(number, sizeof text, text);
        ck_assert_str_eq(text, rows[i].printed);
    }
}
END_TEST

START_TEST(options_have_one_spelling)
{
    struct options options;
    struct error error;
    char text[VALUE_TEXT_MAX];
    ck_assert(options_read("  diagonal_scan   split=time ", &options, &error));
    ck_assert_int_eq(options.implementation, registry_find("diagonal_scan"));
    options_print(&options, sizeof text, text);
    ck_assert_str_eq(text, "diagonal_scan split=time");
    ck_assert(!options_read("diagonal_scan split=sideways", &options, &error));
    ck_assert_str_eq(error.text,
                     "diagonal_scan has no option \"split=sideways\"; expected split=batch|channels|time store=keep|stream");
    ck_assert(!options_read("dense_sequential_cuda split=time", &options, &error));
    ck_assert_str_eq(error.text, "dense_sequential_cuda has no option \"split=time\"; expected none");
    ck_assert(!options_read("fixed_pont", &options, &error));
    ck_assert_str_eq(error.text, "no implementation is called \"fixed_pont\"; did you mean fixed_point?");
    ck_assert(!options_read("magic", &options, &error));
    ck_assert_str_eq(error.text, "no implementation is called \"magic\"; expected a name that ./run.sh list shows");
}
END_TEST

Suite *suite_field(void)
{
    Suite *suite = suite_create("field");
    TCase *tests = tcase_create("field");
    tcase_add_test(tests, values_survive_printing);
    tcase_add_test(tests, bad_values_are_refused);
    tcase_add_test(tests, the_table_is_sound);
    tcase_add_test(tests, kinds_share_their_room);
    tcase_add_test(tests, says_what_it_expects);
    tcase_add_test(tests, this_machine_is_resolved);
    tcase_add_test(tests, numbers_have_one_spelling);
    tcase_add_test(tests, options_have_one_spelling);
    suite_add_tcase(suite, tests);
    return suite;
}
