/* The drawn problems: raw draws pinned for ever, the same bits for every number of threads, the kappa that was asked for, tensors
 * from a file. */
#include "bench/measure/cache.h"
#include "tests/support/selective_cases.h"

#include "bench/base/random.h"
#include "bench/base/safetensors_write.h"
#include "bench/measure/subject.h"
#include "tests/support/scratch.h"

#include <omp.h>

static struct point a_point(const char *const settings[][2], size_t n)
{
    struct point point;
    for (int field = 0; field < FIELD_COUNT; field++) {
        point.value[field] = (struct value){0};
        if (fields[field].default_text != NULL)
            ck_assert(field_read(field, fields[field].default_text, &point.value[field]));
    }
    for (size_t i = 0; i < n; i++) {
        int field = field_find_any(settings[i][0]);
        ck_assert_msg(field >= 0 && field_read(field, settings[i][1], &point.value[field]), "%s", settings[i][0]);
    }
    point_canonical(&point);
    return point;
}

/* Written down once: they may never change, on any machine. The first is the known answer of Philox 4x32-10 for counter 0, key 0:
 * 6627e8d5 e169c58d. */
START_TEST(raw_draws_are_pinned)
{
    ck_assert_double_eq(random_uniform(0, 0, 0), (double)(0x6627e8d5e169c58dULL >> 11) * 0x1p-53);
    ck_assert_double_eq(random_uniform(7, 3, 1), random_uniform(7, 3, 1));
    ck_assert_double_ne(random_uniform(7, 3, 1), random_uniform(8, 3, 1));
    ck_assert_double_ne(random_uniform(7, 3, 1), random_uniform(7, 4, 1));
    ck_assert_double_ne(random_uniform(7, 3, 1), random_uniform(7, 3, 1ULL << 32 | 1));
    double sum = 0, squares = 0, fourth = 0;
    enum { N = 100000 };
    for (uint64_t i = 0; i < N; i++) {
        double x = random_normal(1, 1, i), u = random_uniform(1, 2, i);
        ck_assert(u >= 0 && u < 1);
        sum += x;
        squares += x * x;
        fourth += x * x * x * x;
    }
    ck_assert_double_eq_tol(sum / N, 0, 0.015); /* five standard deviations of each estimate */
    ck_assert_double_eq_tol(squares / N, 1, 0.023);
    ck_assert_double_eq_tol(fourth / N, 3, 0.16);
}
END_TEST

START_TEST(kappa_is_what_was_asked_for)
{
    static const char *const mixers[] = {"dplr", "householder", "kronecker", "dense", "kronecker_rows"};
    static const char *const kappas[] = {"0.3", "0.9", "0.99", "0.999", "1.5"};
    static const char *const dtypes[] = {"float32", "float64"};
    for (int k = 0; k < 5; k++)
        for (int s = 1; s <= 2; s++)
            for (int rest = 0; rest < 8; rest++) {
                bool one = rest & 4;
                const char *const settings[][2] = {{"B", "2"},
                                                   {"T", "7"},
                                                   {"d", "12"},
                                                   {"mixer", mixers[_i]},
                                                   {"r", rest & 1 ? "3" : "1"},
                                                   {"s", s == 1 ? "1" : "2"},
                                                   {"form", rest & 2 ? "plain" : "normalised"},
                                                   {"kappa", kappas[k]},
                                                   {"tokens", one ? "one" : "all"},
                                                   {"dtype", dtypes[rest & 1]}};
                struct point point = a_point(settings, sizeof settings / sizeof settings[0]);
                struct tensors tensors;
                struct error error;
                bool drawn = tensors_make(&point, NULL, NULL, &tensors, &error);
                double kappa = point.value[FIELD_KAPPA].real;
                /* I - Q of strength s, or of norm 1 for a dense mixer, reaches no larger kappa; sums of several vectors may */
                double reach = strcmp(mixers[_i], "dense") == 0 ? 1 : s;
                if (kappa > reach && !drawn)
                    continue;
                ck_assert_msg(drawn, "%s: %s", mixers[_i], error.text);
                int64_t at_most = 0;
                for (int64_t b = 0; b < 2; b++) {
                    struct tensors sequence;
                    struct spectrum spectrum;
                    ck_assert(tensors_sequence(&tensors, b, &sequence, &error));
                    ck_assert(spectrum_sequence(&sequence.problem, &sequence.inputs, NULL, &spectrum));
                    ck_assert_msg(fabs(spectrum.kappa / kappa - 1) < (rest & 1 ? 1e-9 : 1e-5),
                                  "%s s=%d %d: kappa %.12g asked, %.12g", mixers[_i], s, rest, kappa, spectrum.kappa);
                    for (int64_t t = 0; t < 7; t++) {
                        struct spectrum token;
                        int64_t m = problem_m(&tensors.problem);
                        ck_assert(spectrum_token(&sequence.problem, (const double *)sequence.inputs.theta + t * m,
                                                 (const double *)sequence.inputs.lambda + t * 12, false, &token));
                        at_most += token.kappa > 0.999 * kappa;
                    }
                    tensors_free(&sequence);
                }
                ck_assert_int_eq(at_most, one ? 2 : 14);
                tensors_free(&tensors);
            }
}
END_TEST

/* A prescribed kappa below 1 must be a problem that has an answer to converge to. */
START_TEST(prescribed_problems_do_not_explode)
{
    static const char *const mixers[] = {"dplr", "householder", "kronecker", "dense", "kronecker_rows"};
    const char *const settings[][2] = {{"T", "256"},
                                       {"d", "32"},
                                       {"mixer", mixers[_i % 5]},
                                       {"r", _i / 5 % 2 ? "4" : "1"},
                                       {"s", _i / 10 % 2 ? "2" : "1"},
                                       {"form", _i / 20 ? "plain" : "normalised"},
                                       {"kappa", "0.9"},
                                       {"dtype", "float64"}};
    struct point point = a_point(settings, sizeof settings / sizeof settings[0]);
    struct tensors tensors;
    struct answers answers;
    struct error error;
    ck_assert_msg(tensors_make(&point, NULL, NULL, &tensors, &error), "%s", error.text);
    ck_assert(answers_make(&tensors, NULL, 0, 1, false, &answers, &error));
    ck_assert_int_eq(answers.worst.status.code, STATUS_OK);
    ck_assert_double_lt(answers.worst.residual, 1e-10);
    ck_assert_msg(answers.worst.largest < 1000, "max|h*| = %g", answers.worst.largest);
    answers_free(&answers);
    tensors_free(&tensors);
}
END_TEST

START_TEST(same_bits_for_every_number_of_threads)
{
    const char *const settings[][2] = {
        {"B", "2"},          {"T", "31"}, {"d", "9"}, {"mixer", "householder"}, {"r", "2"}, {"kappa", _i ? "0.9" : "free"},
        {"initial", "drawn"}};
    struct point point = a_point(settings, sizeof settings / sizeof settings[0]);
    struct tensors tensors[3];
    struct error error;
    int64_t sizes[TENSORS_MAX];
    for (int k = 0; k < 3; k++) {
        omp_set_num_threads(k + 1);
        ck_assert(tensors_make(&point, NULL, NULL, &tensors[k], &error));
    }
    tensor_sizes(&tensors[0].problem, sizes);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 5; i++) {
            ck_assert_int_eq(tensors[k].owned[i] != NULL, i != 3);
            if (i != 3)
                ck_assert_mem_eq(tensors[k].owned[i], tensors[0].owned[i], (size_t)sizes[i] * sizeof(float));
        }
    for (int k = 0; k < 3; k++)
        tensors_free(&tensors[k]);
}
END_TEST

/* A safetensors file with v and lambda of (1,2,3), written byte by byte. */
static void write_file(const char *path, const char *header, size_t elements)
{
    unsigned char bytes[4096] = {0};
    size_t length = (size_t)snprintf((char *)bytes + 8, sizeof bytes - 8, "%s", header);
    bytes[0] = (unsigned char)length;
    bytes[1] = (unsigned char)(length >> 8);
    for (size_t i = 0; i < elements; i++) {
        float x = (float)i;
        memcpy(bytes + 8 + length + 4 * i, &x, 4);
    }
    scratch_write(path, bytes, 8 + length + 4 * elements);
}

START_TEST(tensors_from_a_file)
{
    scratch_make();
    const char *path = scratch_path("in.safetensors");
    write_file(path,
               "{\"lambda\":{\"dtype\":\"F32\",\"shape\":[1,2,3],\"data_offsets\":[0,24]},"
               "\"v\":{\"dtype\":\"F32\",\"shape\":[1,2,3],\"data_offsets\":[24,48]}}",
               12);
    const char *const settings[][2] = {{"T", "2"}, {"d", "3"}, {"mixer", "none"}, {"dtype", "float64"}, {"inputs", path}};
    struct point point = a_point(settings, sizeof settings / sizeof settings[0]);
    struct tensors tensors;
    struct error error;
    ck_assert_msg(tensors_make(&point, NULL, NULL, &tensors, &error), "%s", error.text);
    for (int i = 0; i < 6; i++) {
        ck_assert_double_eq(((const double *)tensors.inputs.lambda)[i], i);
        ck_assert_double_eq(((const double *)tensors.inputs.v)[i], 6 + i);
    }
    ck_assert_ptr_null(tensors.inputs.h0);
    tensors_free(&tensors);

    static const char *const other[][3] = {{"T", "3", "v does not have the shape of this problem, (1,3,3)"},
                                           {"mixer", "dplr", "has no tensor theta, which this problem needs"}};
    for (int k = 0; k < 2; k++) {
        struct point changed = point;
        ck_assert(field_read(field_find_any(other[k][0]), other[k][1], &changed.value[field_find_any(other[k][0])]));
        changed.value[FIELD_R] = (struct value){.kind = VALUE_INTEGER, .integer = 1};
        changed.value[FIELD_S] = (struct value){.kind = VALUE_REAL, .real = 1};
        ck_assert(!tensors_make(&changed, NULL, NULL, &tensors, &error));
        ck_assert_msg(strstr(error.text, other[k][2]) != NULL, "%s", error.text);
    }
    scratch_remove();
}
END_TEST

/* What is not asked for may be of any dtype and rank; what is may not, and a start that cannot be read is not taken for none. */
static const struct {
    const char *header; /* ' for " */
    const char *message;
} other_tensors[] = {
    {"{'lambda':{'dtype':'F32','shape':[1,2,3],'data_offsets':[0,24]},'v':{'dtype':'F32','shape':[1,2,3],'data_offsets':[24,48]},"
     "'gate':{'dtype':'BF16','shape':[2],'data_offsets':[48,52]},'step':{'dtype':'I64','shape':[1],'data_offsets':[52,60]},"
     "'x':{'dtype':'F32','shape':[1,1,1,1,1,1,1,1,1],'data_offsets':[60,64]}}",
     NULL},
    {"{'lambda':{'dtype':'F32','shape':[1,2,3],'data_offsets':[0,24]},'v':{'dtype':'BF16','shape':[1,2,3],'data_offsets':[24,36]}}",
     "tensor v: dtype is \"BF16\"; expected \"F32\" or \"F64\""},
    {"{'lambda':{'dtype':'F32','shape':[1,2,3],'data_offsets':[0,24]},'v':{'dtype':'F32','shape':[1,2,3],'data_offsets':[24,48]},"
     "'h0':{'dtype':'F16','shape':[1,4],'data_offsets':[48,56]}}",
     "tensor h0: dtype is \"F16\"; expected \"F32\" or \"F64\""},
    {"{'lambda':{'dtype':'F32','shape':[1,1,1,1,1,1,1,2,3],'data_offsets':[0,24]},"
     "'v':{'dtype':'F32','shape':[1,2,3],'data_offsets':[24,48]}}",
     "tensor lambda: 9 dimensions; expected at most 8"},
    {"{'lambda':{'dtype':'F32','shape':[1,2,3],'data_offsets':[0,24]},'v':{'dtype':'F32','shape':[1,2,3],'data_offsets':[24,48]},"
     "'theta':{'dtype':'BF16','shape':[2],'data_offsets':[48,52]}}",
     "has a tensor theta, which this problem does not use"},
};

START_TEST(other_tensors_of_a_file)
{
    static const size_t elements[] = {16, 9, 14, 12, 13};
    char header[1024];
    struct tensors tensors;
    struct error error;
    scratch_make();
    const char *path = scratch_path("in.safetensors");
    snprintf(header, sizeof header, "%s", other_tensors[_i].header);
    for (char *c = header; (c = strchr(c, '\'')) != NULL;)
        *c = '"';
    write_file(path, header, elements[_i]);
    const char *const settings[][2] = {{"T", "2"}, {"d", "3"}, {"mixer", "none"}, {"dtype", "float32"}, {"inputs", path}};
    struct point point = a_point(settings, sizeof settings / sizeof settings[0]);
    bool made = tensors_make(&point, NULL, NULL, &tensors, &error);
    ck_assert_msg(made == (other_tensors[_i].message == NULL), "%s", error.text);
    if (made)
        tensors_free(&tensors);
    else
        ck_assert_msg(strstr(error.text, other_tensors[_i].message) != NULL, "%s", error.text);
    scratch_remove();
}
END_TEST

/* Tensors of a state-dependent mixer: a problem that has no use for them is another one than the file's. Others are passed over. */
START_TEST(tensors_without_a_use_are_refused)
{
    scratch_make();
    const char *path = scratch_path("in.safetensors");
    write_file(path,
               "{\"lambda\":{\"dtype\":\"F32\",\"shape\":[1,2,3],\"data_offsets\":[0,24]},"
               "\"v\":{\"dtype\":\"F32\",\"shape\":[1,2,3],\"data_offsets\":[24,48]},"
               "\"theta\":{\"dtype\":\"F32\",\"shape\":[1,2,4],\"data_offsets\":[48,80]},"
               "\"W\":{\"dtype\":\"F32\",\"shape\":[4,3],\"data_offsets\":[80,128]},"
               "\"other\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[128,132]}}",
               33);
    static const struct {
        const char *mixer, *feedback, *reason;
    } row[] = {{"dplr", "raw", NULL},
               {"dplr", "none", "has a tensor W, which this problem does not use: that needs feedback: raw or rms"},
               {"none", "none", "has a tensor theta, which this problem does not use: that needs a mixer"}};
    for (int k = 0; k < 3; k++) {
        const char *const settings[][2] = {
            {"T", "2"}, {"d", "3"}, {"mixer", row[k].mixer}, {"feedback", row[k].feedback}, {"inputs", path}};
        struct point point = a_point(settings, sizeof settings / sizeof settings[0]);
        struct tensors tensors;
        struct error error = {.text = ""};
        bool made = tensors_make(&point, NULL, NULL, &tensors, &error);
        ck_assert_msg(made == (row[k].reason == NULL), "%s", error.text);
        ck_assert_msg(made || strstr(error.text, row[k].reason) != NULL, "%s", error.text);
        if (made)
            tensors_free(&tensors);
    }
    scratch_remove();
}
END_TEST

/* Every tensor of the selective cell, written to a file and read from it, is what it was; a sequence of it alone, too; and files of another
 * problem are refused by name. */
START_TEST(tensors_of_the_selective_cell)
{
    scratch_make();
    const char *path = scratch_path("selective.safetensors");
    for (int i = 0; i < selective_cases_count(); i++) {
        struct test_case test = selective_cases_small(i);
        struct tensors tensors = selective_tensors(&test, 96), read, sequence, alone;
        struct tensor tensor[TENSORS_MAX];
        struct error error;
        size_t n = tensors_list(&tensors, tensor);
        ck_assert_msg(safetensors_write(path, tensor, n, NULL, &error), "%s", error.text);
        ck_assert_msg(tensors_check(path, &test.problem, &error), "%s: %s", test.name, error.text);
        ck_assert_msg(tensors_finite(path, &test.problem, &error), "%s: %s", test.name, error.text);
        ck_assert_msg(tensors_read(path, &test.problem, NULL, &read, &error), "%s: %s", test.name, error.text);
        ck_assert(tensors_sequence(&tensors, test.problem.B - 1, &sequence, &error));
        ck_assert(tensors_sequence(&read, test.problem.B - 1, &alone, &error));
        for (enum tensor_id id = 0; id < TENSORS_MAX; id++) {
            ck_assert_msg((tensors.owned[id] == NULL) == (read.owned[id] == NULL), "%s: %s", test.name, tensor_names[id]);
            if (tensors.owned[id] == NULL)
                continue;
            size_t bytes = (size_t)tensor_elements(&test.problem, id) * sizeof(double);
            size_t own = (size_t)tensor_of_sequence(&test.problem, id) * sizeof(double);
            ck_assert_msg(memcmp(tensors.owned[id], read.owned[id], bytes) == 0, "%s: %s", test.name, tensor_names[id]);
            ck_assert_msg(memcmp(sequence.owned[id], alone.owned[id], own) == 0, "%s: %s", test.name, tensor_names[id]);
            ck_assert(memcmp(sequence.owned[id], (char *)tensors.owned[id] + bytes - own, own) == 0);
        }
        struct problem other = test.problem;
        other.N++;
        ck_assert(!tensors_check(path, &other, &error));
        ck_assert_msg(strstr(error.text, "shape") != NULL, "%s", error.text);
        tensors_free(&tensors), tensors_free(&read), tensors_free(&sequence), tensors_free(&alone);
    }
    scratch_remove();
}
END_TEST

Suite *suite_draw(void);

Suite *suite_draw(void)
{
    Suite *suite = suite_create("draw");
    TCase *tests = tcase_create("draw");
    tcase_add_test(tests, raw_draws_are_pinned);
    tcase_add_loop_test(tests, kappa_is_what_was_asked_for, 0, 5);
    tcase_add_loop_test(tests, prescribed_problems_do_not_explode, 0, 40);
    tcase_add_loop_test(tests, same_bits_for_every_number_of_threads, 0, 2);
    tcase_add_test(tests, tensors_from_a_file);
    tcase_add_loop_test(tests, other_tensors_of_a_file, 0, sizeof other_tensors / sizeof other_tensors[0]);
    tcase_add_test(tests, tensors_without_a_use_are_refused);
    tcase_add_test(tests, tensors_of_the_selective_cell);
    suite_add_tcase(suite, tests);
    return suite;
}
