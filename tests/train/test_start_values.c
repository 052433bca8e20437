/* Where weights start: every parameter of every layer and of the model around it, against the table of docs/reference/layers.md; and which
 * of them decay. */
#include "bench/problems/textbook.h"
#include "train/math/pass.h"

#include <check.h>
#include <math.h>
#include <string.h>

Suite *suite_start_values(void);

enum start_law { CONSTANT, NORMAL, UNIFORM, FORGET }; /* forget: 1 in the second quarter, 0 elsewhere */

static const struct {
    const char *layer, *name;
    enum start_law law;
    double size; /* constant; deviation of a normal law, or bound of a uniform one, times sqrt(inputs) of `of` */
    enum { ONE, MODEL, STATE } of;
} starts[] = {
    {NULL, "embedding", NORMAL, 0.3, ONE},
    {NULL, "norm.gain", CONSTANT, 1, ONE},
    {NULL, "norm.bias", CONSTANT, 0, ONE},
    {NULL, "head.W", NORMAL, 0.1, MODEL},
    {NULL, "head.b", CONSTANT, 0, ONE},
    {"fp_rnn", "W_in", UNIFORM, 1, MODEL},
    {"fp_rnn", "W_b", UNIFORM, 1, STATE},
    {"fp_rnn", "W_l", UNIFORM, 1, STATE},
    {"fp_rnn", "b_l", CONSTANT, 0, ONE},
    {"fp_rnn", "W_c", UNIFORM, 1, STATE},
    {"fp_rnn", "gain", CONSTANT, 1, ONE},
    {"fp_rnn", "W_out", UNIFORM, 1, STATE},
    {"fp_rnn", "W_theta", NORMAL, 0.1, STATE},
    {"fp_rnn", "b_theta", CONSTANT, 3, ONE},
    {"fp_rnn", "W", NORMAL, 0.1, STATE},
    {"fp_rnn", "W_ch", UNIFORM, 1, STATE},
    {"lstm", "W_x", UNIFORM, 1, STATE},
    {"lstm", "W_h", UNIFORM, 1, STATE},
    {"lstm", "b", FORGET, 1, ONE},
    {"lstm", "W_out", UNIFORM, 1, STATE},
    {"attention", "W_qkv", NORMAL, 1, MODEL},
    {"attention", "W_out", NORMAL, 1, STATE},
};

/* The row of a parameter; its index, or -1. */
static int start_of(const char *layer, const char *name)
{
    const char *dot = strrchr(name, '.'), *norm = strstr(name, "norm.");
    const char *last = strncmp(name, "block.", 6) != 0 ? name : norm != NULL ? norm : dot + 1;
    bool own = strncmp(name, "block.", 6) == 0 && norm == NULL;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (own == (starts[i].layer != NULL) && strcmp(starts[i].name, last) == 0 &&
            (!own || strcmp(starts[i].layer, strcmp(layer, "diagonal") == 0 ? "fp_rnn" : layer) == 0))
            return (int)i;
    return -1;
}

/* Moments of a law, as far off as chance takes so many numbers. */
static void assert_law(const char *name, const double *x, int64_t n, bool uniform, double size)
{
    double sum = 0, squares = 0, fourth = 0, most = norm_max(x, n), deviation = uniform ? size / sqrt(3) : size;
    for (int64_t i = 0; i < n; i++) {
        sum += x[i];
        squares += x[i] * x[i];
        fourth += pow(x[i], 4);
    }
    double chance = 5 / sqrt((double)n), variance = squares / (double)n, peak = fourth / (double)n / (variance * variance);
    ck_assert_msg(fabs(sum / (double)n) <= chance * deviation, "%s: the mean is %g", name, sum / (double)n);
    ck_assert_msg(fabs(variance / (deviation * deviation) - 1) <= 1.5 * chance, "%s: the deviation is %g, not %g", name,
                  sqrt(variance), deviation);
    ck_assert_msg(fabs(peak - (uniform ? 1.8 : 3)) < (uniform ? 2 : 10) * chance, "%s: no %s law", name,
                  uniform ? "uniform" : "normal");
    ck_assert_msg(!uniform || (most <= size && most > size * (1 - 20 / (double)n)), "%s: the largest is %g, not %g", name, most,
                  size);
}

START_TEST(start_values)
{
    enum { D = 48, STATE_WIDTH = 36 };
    struct model_spec model = {.layer = _i, .blocks = 2, .d_model = D, .d = STATE_WIDTH, .dtype = DTYPE_FLOAT64, .heads = 2};
    model.mixer = MIXER_HOUSEHOLDER, model.r = 2, model.s = 1, model.feedback = FEEDBACK_RMS, model.readout = READOUT_STATE;
    const char *layer = sequence_layer_get(_i, DTYPE_FLOAT64, LEVEL_BASELINE)->name;
    struct parameters parameters = {0};
    double last = 0;
    model_declare(&model, 60, 50, &parameters);
    ck_assert_int_eq(parameters_allocate(&parameters, DTYPE_FLOAT64, 77).code, STATUS_OK);
    for (int i = 0; i < parameters.n; i++) {
        const struct parameter *p = &parameters.item[i];
        const double *x = p->value;
        int row = start_of(layer, p->name);
        ck_assert_msg(row >= 0, "%s is not documented", p->name);
        double inputs = starts[row].of == MODEL   ? D
                        : starts[row].of == STATE ? STATE_WIDTH
                                                  : 1,
               size = starts[row].size / sqrt(inputs);
        ck_assert_msg(p->decayed == (p->rank == 2), "%s: weight decay is of matrices only", p->name);
        for (int64_t k = 0; k < p->size; k++) {
            ck_assert_msg(starts[row].law != CONSTANT || x[k] == size, "%s starts at %g", p->name, x[k]);
            ck_assert_msg(starts[row].law != FORGET || x[k] == (k / STATE_WIDTH == 1), "%s: number %lld starts at %g", p->name,
                          (long long)k, x[k]);
        }
        if (starts[row].law == NORMAL || starts[row].law == UNIFORM) {
            assert_law(p->name, x, p->size, starts[row].law == UNIFORM, size);
            ck_assert_msg(x[0] / size != last, "%s starts like the one before it", p->name);
            last = x[0] / size;
        }
        ck_assert(norm_max(p->first, p->size) == 0 && norm_max(p->second, p->size) == 0);
    }
    parameters_free(&parameters);
}
END_TEST

Suite *suite_start_values(void)
{
    Suite *suite = suite_create("start_values");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, start_values, 0, sequence_layer_count());
    suite_add_tcase(suite, all);
    return suite;
}
