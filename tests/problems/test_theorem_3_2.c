/* Theorem 3.2 in the two forms in which it is well-posed: the angle between the one-step and the exact input gradient where the
 * input enters as the state does, and that between an adjoint and what the implicit gradient makes of it, for any layer. */
#include "tests/support/gradients.h"

#include "bench/problems/spectrum.h"
#include "bench/problems/textbook.h"
#include "bench/problems/textbook_mixer.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { T = 5, D = 6, N = T * D };

static const struct {
    enum mixer mixer;
    int r;
    enum feedback feedback;
} rows[] = {{MIXER_DPLR, 1, FEEDBACK_NONE},    {MIXER_HOUSEHOLDER, 3, FEEDBACK_NONE}, {MIXER_KRONECKER, 0, FEEDBACK_NONE},
            {MIXER_DENSE, 0, FEEDBACK_NONE},   {MIXER_HOUSEHOLDER, 1, FEEDBACK_RMS},  {MIXER_DPLR, 2, FEEDBACK_RAW},
            {MIXER_KRONECKER, 0, FEEDBACK_RMS}};
enum { ROWS = sizeof rows / sizeof rows[0], CONSTANT_ROWS = 4, SEEDS = 8 };

static struct tensors draw(int row, uint64_t seed)
{
    struct test_case test = {.problem = {.B = 1,
                                         .T = T,
                                         .d = D,
                                         .mixer = rows[row].mixer,
                                         .r = rows[row].r,
                                         .s = mixer_facts[rows[row].mixer].takes_s ? 0.8 : 0, /* Q can be inverted */
                                         .form = FORM_NORMALISED,
                                         .feedback = rows[row].feedback,
                                         .dtype = DTYPE_FLOAT64}};
    struct tensors tensors = case_tensors(&test, seed);
    for (int i = 0; i < N; i++) /* away from 1, where the gate forgets what passes it */
        ((double *)tensors.owned[1])[i] *= 0.7;
    return tensors;
}

/* I - Q (D,D) of token t, row by row, from the raw parameters that the state h (T,D) makes of it. */
static void mixer_rows(const struct tensors *tensors, const double *h, int t, double I_Q[D * D])
{
    const struct problem *p = &tensors->problem;
    double raw[64], q[64], x[D] = {0}, Qx[D];
    int64_t m = problem_m(p);
    const double *W = tensors->inputs.W, *before = h + (t - 1) * D;
    ck_assert(m <= 64 && textbook_size(p) <= 64);
    memcpy(raw, (const double *)tensors->inputs.theta + t * m, (size_t)m * sizeof *raw);
    if (p->feedback != FEEDBACK_NONE && t > 0) {
        double squares = 0;
        for (int c = 0; c < D; c++)
            squares += before[c] * before[c];
        for (int64_t k = 0; k < m; k++)
            for (int c = 0; c < D; c++)
                raw[k] += W[k * D + c] * before[c] / (p->feedback == FEEDBACK_RMS ? sqrt(squares / D + 1e-6) : 1);
    }
    textbook_activate(p, raw, q);
    for (int j = 0; j < D; j++) {
        x[j] = 1;
        textbook_mix(p, q, x, Qx);
        for (int i = 0; i < D; i++)
            I_Q[i * D + j] = x[i] - Qx[i];
        x[j] = 0;
    }
}

/* x (D) <- Q^{-T} x, by elimination without pivots: Q is near the identity. */
static void solve_Q_transposed(const double I_Q[D * D], double x[D])
{
    double A[D][D];
    for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++)
            A[i][j] = (i == j) - I_Q[j * D + i];
    for (int k = 0; k < D; k++)
        for (int i = 0; i < D; i++) {
            double factor = i != k ? A[i][k] / A[k][k] : 0;
            for (int j = k; j < D; j++)
                A[i][j] -= factor * A[k][j];
            x[i] -= factor * x[k];
        }
    for (int k = 0; k < D; k++)
        x[k] /= A[k][k];
}

/* ||J||_2 of f at h, by differences and power steps on J^T J. */
static double jacobian_norm(const struct tensors *tensors, const double *h)
{
    double J[N][N], at[N], above[N], below[N], x[N], y[N], norm = 0;
    memcpy(at, h, sizeof at);
    for (int j = 0; j < N; j++) {
        at[j] = h[j] + 1e-5;
        ck_assert(textbook_apply(&tensors->problem, &tensors->inputs, at, above));
        at[j] = h[j] - 1e-5;
        ck_assert(textbook_apply(&tensors->problem, &tensors->inputs, at, below));
        at[j] = h[j];
        for (int i = 0; i < N; i++)
            J[i][j] = (above[i] - below[i]) / 2e-5;
        x[j] = 1 + 0.1 * (j % 7);
    }
    for (int step = 0; step < 2000; step++) {
        double size = 0;
        for (int i = 0; i < N; i++) {
            y[i] = 0;
            for (int j = 0; j < N; j++)
                y[i] += J[i][j] * x[j];
        }
        memset(x, 0, sizeof x);
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                x[j] += J[i][j] * y[i];
        for (int j = 0; j < N; j++)
            size += x[j] * x[j];
        for (int j = 0; j < N; j++)
            x[j] /= sqrt(size);
        norm = sqrt(sqrt(size));
    }
    return norm;
}

static double cosine(const double *a, const double *b)
{
    double ab = 0, aa = 0, bb = 0;
    for (int i = 0; i < N; i++) {
        ab += a[i] * b[i];
        aa += a[i] * a[i];
        bb += b[i] * b[i];
    }
    return ab / sqrt(aa * bb);
}

/* h* and the gradient of v, either way. */
static void gradient_of_v(const struct tensors *tensors, enum gradient gradient, const struct loss *loss, double h[N], double v[N])
{
    struct settings settings = fixed_l(20000);
    struct gradient_values values;
    settings.tolerance = 1e-13;
    settings.gradient = gradient;
    settings.gradient_steps = 1;
    const struct implementation *one = registry_get(registry_find("fixed_point"), DTYPE_FLOAT64, LEVEL_BASELINE);
    struct status status = gradients_from(one, tensors, &settings, 1, loss, &values);
    ck_assert_msg(status.code == STATUS_OK, "%s", status.message);
    memcpy(h, values.h, N * sizeof *h);
    memcpy(v, values.of[0], N * sizeof *v);
    gradient_values_free(&values);
}

/* (a) Constant mixers and lambda, v = Q^{-1} (I - Q) x: then f depends on x as it does on h. */
START_TEST(input_gradient)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tensors tensors = draw(_i, 110 + seed);
        struct loss loss = loss_draw(&tensors.problem, 120 + seed);
        int64_t m = problem_m(&tensors.problem);
        double h[N], x[2][N], I_Q[D * D], v[D];
        memset(loss.final, 0, D * sizeof *loss.final);
        for (int t = 1; t < T; t++) {
            memcpy((double *)tensors.owned[1] + t * D, tensors.owned[1], D * sizeof(double));
            memcpy((double *)tensors.owned[2] + t * m, tensors.owned[2], (size_t)m * sizeof(double));
        }
        for (int kind = 0; kind < 2; kind++) {
            double gradient[N];
            gradient_of_v(&tensors, kind == 0 ? GRADIENT_STEPS : GRADIENT_EXACT, &loss, h, gradient);
            for (int t = 0; t < T; t++) { /* (I - Q)^T Q^{-T} */
                mixer_rows(&tensors, h, t, I_Q);
                memcpy(v, gradient + t * D, sizeof v);
                solve_Q_transposed(I_Q, v);
                for (int j = 0; j < D; j++) {
                    x[kind][t * D + j] = 0;
                    for (int i = 0; i < D; i++)
                        x[kind][t * D + j] += I_Q[i * D + j] * v[i];
                }
            }
        }
        double norm = jacobian_norm(&tensors, h), found = cosine(x[0], x[1]);
        ck_assert_double_lt(norm, 1);
        ck_assert_msg(found >= sqrt(1 - norm * norm) - 1e-9, "cosine %g, ||J|| = %g", found, norm);
        loss_free(&loss);
        tensors_free(&tensors);
    }
}
END_TEST

/* (b) Any layer: the adjoint a = (I - J)^{-T} delta is read off the exact gradient of v, which is Q^T G s with a_t = s_t - Lambda
 * s_{t+1}. */
START_TEST(implicit_adjoint)
{
    int judged = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tensors tensors = draw(_i, 130 + seed);
        struct loss loss = loss_draw(&tensors.problem, 140 + seed);
        const double *lambda = tensors.inputs.lambda;
        double h[N], s[N], a[N], I_Q[D * D];
        memset(loss.final, 0, D * sizeof *loss.final);
        gradient_of_v(&tensors, GRADIENT_EXACT, &loss, h, s);
        for (int t = 0; t < T; t++) {
            mixer_rows(&tensors, h, t, I_Q);
            solve_Q_transposed(I_Q, s + t * D);
        }
        for (int i = 0; i < N; i++)
            s[i] /= 1 - lambda[i];
        for (int i = 0; i < N; i++)
            a[i] = s[i] - (i + D < N ? lambda[i + D] * s[i + D] : 0);
        double norm = jacobian_norm(&tensors, h), found = cosine(loss.h, a);
        if (norm < 1) {
            ck_assert_msg(found >= sqrt(1 - norm * norm) - 1e-6, "cosine %g, ||J|| = %g", found, norm);
            judged++;
        }
        loss_free(&loss);
        tensors_free(&tensors);
    }
    ck_assert_int_gt(judged, SEEDS / 2);
}
END_TEST

Suite *suite_theorem_3_2(void);

Suite *suite_theorem_3_2(void)
{
    Suite *suite = suite_create("theorem_3_2");
    TCase *tests = tcase_create("theorem_3_2");
    tcase_add_loop_test(tests, input_gradient, 0, CONSTANT_ROWS);
    tcase_add_loop_test(tests, implicit_adjoint, 0, ROWS);
    suite_add_tcase(suite, tests);
    return suite;
}
