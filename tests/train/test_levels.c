/* Every sequence mixer at every instruction level that this machine has, in both dtypes: the same outputs and input gradients as the
 * baseline in float64, but for rounding. */
#include "bench/base/random.h"
#include "train/sequence.h"
#include "tests/support/numbers.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

Suite *suite_levels(void);

enum { B = 3, T = 7, D = 20, WIDTH = 36, N = B * T * D };

static void draw(void *x, enum dtype dtype, uint32_t stream)
{
    for (int64_t i = 0; i < N; i++)
        put(x, dtype, i, random_normal(4, stream, (uint64_t)i));
}

/* y and dx (N) of one variant of a layer; weights and inputs are the same but for rounding. */
static void run(int layer, enum dtype dtype, enum level level, double *y, double *dx)
{
    const struct sequence_layer *one = sequence_layer_get(layer, dtype, level);
    struct model_spec model = {.layer = layer, .blocks = 1, .d_model = D, .d = WIDTH, .dtype = dtype, .heads = 2};
    model.mixer = MIXER_HOUSEHOLDER, model.r = 2, model.s = 1, model.readout = READOUT_STATE;
    model.feedback = one->cell == CELL_SELECTIVE ? FEEDBACK_RAW : FEEDBACK_RMS;
    model.N = 4, model.reads = READS_DT_BC, model.norm = NORM_BOTH, model.convolution = CONVOLUTION_SHORT;
    model.forget = FORGET_HEAD, model.output_gate = OUTPUT_GATE_SILU;
    static const char *const by[CELL_COUNT] = {[CELL_VECTOR] = "structured_sequential",
                                               [CELL_SELECTIVE] = "structured_sequential",
                                               [CELL_SELECTIVE_HEADS] = "diagonal_scan",
                                               [CELL_DELTA] = "delta_sequential"};
    struct recurrence recurrence = {.implementation = registry_find(by[one->cell]),
                                    .settings = {.gradient = GRADIENT_EXACT, .quantile = 1, .damping = 1}};
    struct environment environment = {.threads = 2};
    struct parameters parameters = {0};
    double memory[4][N];
    void *x = memory[0], *out = memory[1], *d_out = memory[2], *d_x = memory[3];
    one->declare(&model, &parameters);
    ck_assert_int_eq(parameters_allocate(&parameters, dtype, 5).code, STATUS_OK);
    struct sequence_setup setup = {.model = &model,
                                   .recurrence = &recurrence,
                                   .environment = &environment,
                                   .parameter = parameters.item,
                                   .B = B,
                                   .T = T,
                                   .gradient = true};
    struct sequence_plan *plan;
    ck_assert_int_eq(one->plan(&setup, &plan).code, STATUS_OK);
    draw(x, dtype, 1);
    draw(d_out, dtype, 2);
    ck_assert_int_eq(one->forward(plan, x, out).code, STATUS_OK);
    ck_assert_int_eq(one->backward(plan, x, d_out, d_x).code, STATUS_OK);
    for (int64_t i = 0; i < N; i++) {
        y[i] = get(out, dtype, i);
        dx[i] = get(d_x, dtype, i);
    }
    one->destroy(plan);
    parameters_free(&parameters);
}

static double distance(const double *a, const double *b)
{
    double off = 0, size = 0;
    for (int i = 0; i < N; i++) {
        off += (a[i] - b[i]) * (a[i] - b[i]);
        size += b[i] * b[i];
    }
    return sqrt(off / size);
}

START_TEST(levels)
{
    static const double tolerance[DTYPE_COUNT] = {1e-4, 1e-12};
    double y[N], dx[N], y_here[N], dx_here[N];
    run(_i, DTYPE_FLOAT64, LEVEL_BASELINE, y, dx);
    for (int level = 0; level < LEVEL_COUNT; level++) {
        for (int dtype = 0; level_available((enum level)level) && dtype < DTYPE_COUNT; dtype++) {
            run(_i, (enum dtype)dtype, (enum level)level, y_here, dx_here);
            ck_assert_double_lt(distance(y_here, y), tolerance[dtype]);
            ck_assert_double_lt(distance(dx_here, dx), tolerance[dtype]);
        }
    }
}
END_TEST

Suite *suite_levels(void)
{
    Suite *suite = suite_create("levels");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, levels, 0, sequence_layer_count());
    suite_add_tcase(suite, all);
    return suite;
}
