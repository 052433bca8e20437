/* Where weights start: every parameter of every layer and of the model around it, against the table of docs/reference/layers.md;
 * and which of them decay. */
#include "bench/problems/textbook.h"
#include "train/math/pass.h"

#include <check.h>
#include <math.h>
#include <string.h>

Suite *suite_start_values(void);

/* logarithm: of a number uniform in a range of that size below 16; forget: 1 in the second quarter, 0 elsewhere; counted: log(1 +
 * column); step: log(softplus) uniform between log 1e-3 and log 1e-1; lengths: of the rows of the matrix before it */
enum start_law { CONSTANT, NORMAL, UNIFORM, FORGET, COUNTED, STEP, LOGARITHM, LENGTHS };
enum { D = 48, STATE_WIDTH = 36, STATES = 16, BLOCKS = 2, RANK = 3 /* d_model / 16 */ };

static const struct {
    const char *layer, *name;
    enum start_law law;
    double size; /* constant; deviation of a normal law, or bound of a uniform one, times sqrt(inputs) of `of` */
    enum {
        ONE,
        MODEL,
        STATE,
        PAIR,
        OF_RANK,
        TAPS,
        BLOCK,
        WIDE
    } of; /* pair: of the state twice; block: of the state, in each block */
} starts[] = {
    {NULL, "embedding", NORMAL, 0.3, ONE},    {"fp_mamba", "embedding", NORMAL, 0.02, ONE},
    {NULL, "norm.gain", CONSTANT, 1, ONE},    {NULL, "norm.bias", CONSTANT, 0, ONE},
    {NULL, "head.W", NORMAL, 0.1, MODEL},     {NULL, "head.b", CONSTANT, 0, ONE},
    {"fp_rnn", "W_in", UNIFORM, 1, MODEL},    {"fp_rnn", "W_b", UNIFORM, 1, STATE},
    {"fp_rnn", "W_l", UNIFORM, 1, STATE},     {"fp_rnn", "b_l", CONSTANT, 0, ONE},
    {"fp_rnn", "W_c", UNIFORM, 1, STATE},     {"fp_rnn", "gain", CONSTANT, 1, ONE},
    {"fp_rnn", "W_out", UNIFORM, 1, STATE},   {"fp_rnn", "W_theta", NORMAL, 0.1, STATE},
    {"fp_rnn", "b_theta", CONSTANT, 3, ONE},  {"fp_rnn", "W", NORMAL, 0.1, STATE},
    {"fp_rnn", "W_ch", UNIFORM, 1, STATE},    {"fp_mamba", "W_in", UNIFORM, 1, MODEL},
    {"fp_mamba", "w_conv", UNIFORM, 1, TAPS}, {"fp_mamba", "b_conv", UNIFORM, 1, TAPS},
    {"fp_mamba", "W_x", UNIFORM, 1, STATE},   {"fp_mamba", "W_step", UNIFORM, 1, OF_RANK},
    {"fp_mamba", "b_step", STEP, 1, ONE},     {"fp_mamba", "A_log", COUNTED, 1, ONE},
    {"fp_mamba", "skip", CONSTANT, 1, ONE},   {"fp_mamba", "gain", CONSTANT, 1, ONE},
    {"fp_mamba", "bias", CONSTANT, 0, ONE},   {"fp_mamba", "V_theta", UNIFORM, 1, PAIR},
    {"fp_mamba", "g_theta", LENGTHS, 1, ONE}, {"fp_mamba", "b_theta", CONSTANT, 0, ONE},
    {"fp_mamba", "V_b", UNIFORM, 1, STATE},   {"fp_mamba", "g_b", LENGTHS, 1, ONE},
    {"fp_mamba", "V_c", UNIFORM, 1, STATE},   {"fp_mamba", "g_c", LENGTHS, 1, ONE},
    {"fp_mamba", "V_dt", UNIFORM, 1, STATE},  {"fp_mamba", "g_dt", LENGTHS, 1, ONE},
    {"fp_mamba", "V_z", UNIFORM, 1, STATE},   {"fp_mamba", "g_z", LENGTHS, 1, ONE},
    {"fp_mamba", "W_out", UNIFORM, 1, BLOCK}, {"lstm", "W_x", UNIFORM, 1, STATE},
    {"lstm", "W_h", UNIFORM, 1, STATE},       {"lstm", "b", FORGET, 1, ONE},
    {"lstm", "W_out", UNIFORM, 1, STATE},     {"attention", "W_qkv", NORMAL, 1, MODEL},
    {"attention", "W_out", NORMAL, 1, STATE}, {"delta", "embedding", NORMAL, 0.02, ONE},
    {"delta", "W_qkv", UNIFORM, 1, MODEL},    {"delta", "w_conv", UNIFORM, 1, TAPS},
    {"delta", "W_beta", UNIFORM, 1, MODEL},   {"delta", "W_a", UNIFORM, 1, MODEL},
    {"delta", "b_step", STEP, 1, ONE},        {"delta", "A_log", LOGARITHM, 16, ONE},
    {"delta", "W_g", UNIFORM, 1, MODEL},      {"delta", "gain", CONSTANT, 1, ONE},
    {"delta", "W_out", UNIFORM, 1, STATE},    {NULL, "W_up", UNIFORM, 1, MODEL},
    {NULL, "b_up", CONSTANT, 0, ONE},         {NULL, "W_down", UNIFORM, 1, WIDE},
    {NULL, "b_down", CONSTANT, 0, ONE},       {"mamba2", "embedding", NORMAL, 0.02, ONE},
    {"mamba2", "W_in", UNIFORM, 1, MODEL},    {"mamba2", "w_conv", UNIFORM, 1, TAPS},
    {"mamba2", "b_conv", UNIFORM, 1, TAPS},   {"mamba2", "b_step", STEP, 1, ONE},
    {"mamba2", "A_log", LOGARITHM, 15, ONE},  {"mamba2", "skip", CONSTANT, 1, ONE},
    {"mamba2", "gain", CONSTANT, 1, ONE},     {"mamba2", "W_out", UNIFORM, 1, BLOCK},
};

/* The layer that has the parameters of this one in the table. */
static const char *described(const char *layer)
{
    return strcmp(layer, "diagonal") == 0 ? "fp_rnn" : strcmp(layer, "mamba") == 0 ? "fp_mamba" : layer;
}

/* The row of a parameter, the layer's own before what all models have; its index, or -1. */
static int start_of(const char *layer, const char *name)
{
    const char *dot = strrchr(name, '.'), *norm = strstr(name, "norm.");
    const char *last = strncmp(name, "block.", 6) != 0 ? name : norm != NULL ? norm : dot + 1;
    for (int general = 0; general < 2; general++)
        for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
            if (strcmp(starts[i].name, last) == 0 &&
                (general ? starts[i].layer == NULL : starts[i].layer != NULL && strcmp(starts[i].layer, described(layer)) == 0))
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

/* What a parameter's size is divided by the root of. */
static double inputs_of(int row)
{
    static const double inputs[] = {[ONE] = 1,        [MODEL] = D, [STATE] = STATE_WIDTH,          [PAIR] = 2 * STATE_WIDTH,
                                    [OF_RANK] = RANK, [TAPS] = 4,  [BLOCK] = STATE_WIDTH * BLOCKS, [WIDE] = 4 * D};
    return inputs[starts[row].of];
}

/* Number k of a parameter whose law leaves nothing to chance; NaN of the others. */
static double sure(int row, const struct parameter *p, int64_t k)
{
    double squares = 0;
    switch (starts[row].law) {
    case CONSTANT:
        return starts[row].size / sqrt(inputs_of(row));
    case FORGET:
        return k / STATE_WIDTH == 1;
    case COUNTED:
        return log((double)(k % STATES + 1));
    case LENGTHS:
        for (int64_t c = 0; c < p[-1].shape[1]; c++)
            squares += pow(((const double *)p[-1].value)[k * p[-1].shape[1] + c], 2);
        return sqrt(squares);
    default:
        return NAN;
    }
}

/* The steps as numbers between -1 and 1. */
static void level_steps(int64_t n, const double *x, double *even)
{
    for (int64_t k = 0; k < n; k++)
        even[k] = log(log1p(exp(x[k])) / 1e-2) / log(10);
}

/* Rates of so wide a range below 16 as numbers between -1 and 1. */
static void level_rates(int64_t n, double range, const double *x, double *even)
{
    for (int64_t k = 0; k < n; k++)
        even[k] = 1 - (16 - exp(x[k])) / (range / 2);
}

START_TEST(start_values)
{
    struct model_spec model = {.blocks = BLOCKS, .d_model = D, .d = STATE_WIDTH, .dtype = DTYPE_FLOAT64};
    model.layer = _i / FEED_FORWARD_COUNT, model.feed_forward = (enum feed_forward_kind)(_i % FEED_FORWARD_COUNT);
    const struct sequence_layer *layer = sequence_layer_get(model.layer, DTYPE_FLOAT64, LEVEL_BASELINE);
    model.heads = layer->cell == CELL_DELTA || layer->cell == CELL_SELECTIVE_HEADS
                      ? STATE_WIDTH
                      : 2; /* as many numbers of a head as a law needs */
    model.forget = FORGET_HEAD, model.output_gate = OUTPUT_GATE_SILU;
    model.mixer = MIXER_HOUSEHOLDER, model.r = 2, model.s = 1, model.readout = READOUT_STATE;
    model.feedback = layer->cell == CELL_SELECTIVE ? FEEDBACK_RAW : FEEDBACK_RMS;
    model.N = STATES, model.reads = READS_DT_BC, model.norm = NORM_BOTH, model.convolution = CONVOLUTION_SHORT;
    struct parameters parameters = {0};
    double last = 0, even[STATE_WIDTH];
    model_declare(&model, 60, 50, &parameters);
    ck_assert_int_eq(parameters_allocate(&parameters, DTYPE_FLOAT64, 77).code, STATUS_OK);
    for (int i = 0; i < parameters.n; i++) {
        const struct parameter *p = &parameters.item[i];
        const double *x = p->value;
        int row = start_of(layer->name, p->name);
        ck_assert_msg(row >= 0, "%s is not documented", p->name);
        double size = starts[row].size / sqrt(inputs_of(row));
        bool decayed = starts[row].law == LENGTHS || (p->rank == 2 && starts[row].law != COUNTED);
        ck_assert_msg(p->decayed == decayed, "%s: weight decay is of matrices and their lengths, but not of rates", p->name);
        for (int64_t k = 0; k < p->size; k++) {
            double value = sure(row, p, k);
            ck_assert_msg(isnan(value) || fabs(x[k] - value) <= 1e-15 * fabs(value), "%s: number %lld starts at %g, not %g",
                          p->name, (long long)k, x[k], value);
        }
        if (starts[row].law == STEP) {
            ck_assert_int_eq(p->size, STATE_WIDTH);
            level_steps(p->size, x, even);
            x = even;
        }
        if (starts[row].law == LOGARITHM) {
            ck_assert_int_eq(p->size, STATE_WIDTH);
            level_rates(p->size, starts[row].size, x, even);
            x = even, size = 1;
        }
        if (isnan(sure(row, p, 0))) {
            assert_law(p->name, x, p->size, starts[row].law != NORMAL, size);
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
    tcase_add_loop_test(all, start_values, 0, FEED_FORWARD_COUNT * sequence_layer_count());
    suite_add_tcase(suite, all);
    return suite;
}
