/* What the mathematics says, checked on the textbook definitions and on the code that measures problems: the low-rank forms, the
 * spectrum, Theorem 3.1 as it is true, both bounds that hold, and bounds that do not. */
#include "tests/support/reference.h"

#include "bench/problems/bounds.h"
#include "bench/problems/spectrum.h"
#include "bench/problems/textbook.h"
#include "bench/problems/textbook_mixer.h"
#include "impls/math/low_rank.h"
#include "impls/math/mixer.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { T = 6, D = 8, N = T * D };

static const struct {
    enum mixer mixer;
    int r;
    double s;
} mixers[] = {{MIXER_DPLR, 1, 1},        {MIXER_DPLR, 4, 1},           {MIXER_DPLR, 2, 2},
              {MIXER_HOUSEHOLDER, 1, 1}, {MIXER_HOUSEHOLDER, 4, 1},    {MIXER_HOUSEHOLDER, 2, 2},
              {MIXER_KRONECKER, 0, 1},   {MIXER_KRONECKER_ROWS, 0, 1}, {MIXER_DENSE, 0, 0}};
enum { MIXERS = sizeof mixers / sizeof mixers[0] };

static struct tensors draw(int mixer, enum form form, uint64_t seed)
{
    struct test_case test = {.problem = {.B = 1,
                                         .T = T,
                                         .d = D,
                                         .mixer = mixers[mixer].mixer,
                                         .r = mixers[mixer].r,
                                         .s = mixers[mixer].s,
                                         .form = form,
                                         .dtype = DTYPE_FLOAT64}};
    return case_tensors(&test, seed);
}

/* I - Q (D,D) of a token, column by column, from the textbook. */
static void textbook_matrix(const struct problem *p, const double *theta, double matrix[D * D])
{
    double q[512], x[D] = {0}, Qx[D];
    ck_assert_int_le(textbook_size(p), 512);
    textbook_activate(p, theta, q);
    for (int j = 0; j < D; j++) {
        x[j] = 1;
        textbook_mix(p, q, x, Qx);
        for (int i = 0; i < D; i++)
            matrix[j * D + i] = x[i] - Qx[i];
        x[j] = 0;
    }
}

/* Mixers by hand: d = 2, u = (1,1)/sqrt(2) up to SiLU's sign, alpha = 1/2. */
START_TEST(mixers_by_hand)
{
    struct problem p = {.B = 1, .T = 1, .d = 2, .mixer = MIXER_DPLR, .r = 1, .s = 2, .dtype = DTYPE_FLOAT64};
    const double theta[] = {3, 3, 0}, x[] = {1, 3};
    double q[16], y[2];
    textbook_activate(&p, theta, q);
    textbook_mix(&p, q, x, y); /* u.x = 4/sqrt(2), s alpha = 1: Qx = x - (2,2) */
    ck_assert_double_eq_tol(y[0], -1, 1e-15);
    ck_assert_double_eq_tol(y[1], 1, 1e-15);

    /* Two Householder terms, u_0 = (1,0), u_1 = (1,1)/sqrt(2), both reflections: H_0 acts first. */
    const double two[] = {5, 0, 4, 4, 200, 200};
    p.mixer = MIXER_HOUSEHOLDER;
    p.r = 2;
    textbook_activate(&p, two, q);
    textbook_mix(&p, q, x, y); /* H_0: (-1,3); H_1 swaps and negates: (-3,1) */
    ck_assert_double_eq_tol(y[0], -3, 1e-14);
    ck_assert_double_eq_tol(y[1], 1, 1e-14);

    /* Kronecker with n1 = 1: K1 is 1 up to 1e-6, L2 lower triangular of ones: L L^T = [[1,1],[1,2]], D1 = D2 = 1/2. */
    double one = 1.2784645427610738; /* SiLU(one) = 1 */
    const double kronecker[] = {one, one, one, one, 0, 0, 0};
    p.mixer = MIXER_KRONECKER;
    p.s = 1;
    textbook_activate(&p, kronecker, q);
    textbook_mix(&p, q, x, y);
    double sigma = (3 + sqrt(5)) / 2, k1 = 1 / (1 + 1e-6), k2 = 1 / (sigma + 1e-6);
    ck_assert_double_eq_tol(y[0], 1 - 0.25 * k1 * k2 * (1 * 1 + 1 * 3), 1e-9);
    ck_assert_double_eq_tol(y[1], 3 - 0.25 * k1 * k2 * (1 * 1 + 2 * 3), 1e-9);
}
END_TEST

/* One step by hand, both forms: d = 1, Q = 1 - alpha with u = 1. */
START_TEST(steps_by_hand)
{
    struct problem p = {
        .B = 1, .T = 2, .d = 1, .mixer = MIXER_DPLR, .r = 1, .s = 1, .form = FORM_NORMALISED, .dtype = DTYPE_FLOAT64};
    const double v[] = {1, 2}, lambda[] = {0.5, 0.25}, theta[] = {4, 0, 4, 0}, h0[] = {8};
    const struct inputs inputs = {.v = v, .lambda = lambda, .theta = theta, .h0 = h0};
    double h[2];
    ck_assert(textbook_iterate(&p, &inputs, 1, 1, h, NULL)); /* Q = 1/2: h_0 = 4 + .5 * .5, h_1 = .25 h_0 + .75 * 1 */
    ck_assert_double_eq_tol(h[0], 4.25, 1e-15);
    ck_assert_double_eq_tol(h[1], 1.8125, 1e-15);
    ck_assert(textbook_iterate(&p, &inputs, 1, 2, h, NULL)); /* h_0 = 4 + .5 (.5 + .5 * 4.25) */
    ck_assert_double_eq_tol(h[0], 5.3125, 1e-15);
    p.form = FORM_PLAIN;
    ck_assert(textbook_iterate(&p, &inputs, 1, 2, h, NULL)); /* h^1_0 = 4.5, h^2_0 = 4 + .5 + .5 * 4.5 */
    ck_assert_double_eq_tol(h[0], 6.75, 1e-15);
}
END_TEST

/* A_t from the low-rank form against A_t = M^{-1} Lambda: M A x = Lambda x for the textbook's M (plain: Q A x = Lambda x). */
START_TEST(low_rank_forms)
{
    struct tensors tensors = draw(_i % 6, (enum form)(_i / 6), 31);
    const struct problem *p = &tensors.problem;
    bool normalised = p->form == FORM_NORMALISED;
    const double *lambda = tensors.inputs.lambda, *x = tensors.inputs.v, *theta = tensors.inputs.theta;
    double q[512], scratch[512], gate[D], y[4], Ax[D], I_Q[D * D];
    mixer_activate(p, theta, q, scratch);
    for (int c = 0; c < D; c++) {
        gate[c] = normalised ? 1 - lambda[c] : 1;
        Ax[c] = lambda[c] * x[c];
    }
    for (int i = 0; i < p->r; i++) {
        y[i] = 0;
        for (int c = 0; c < D; c++)
            y[i] += q[i * D + c] * lambda[c] * x[c];
    }
    ck_assert(low_rank_solve(p, q, normalised ? gate : NULL, y, scratch));
    for (int i = 0; i < p->r; i++)
        for (int c = 0; c < D; c++)
            Ax[c] += gate[c] * q[i * D + c] * y[i]; /* A x = Lambda x + G U b */
    textbook_matrix(p, theta, I_Q);
    for (int i = 0; i < D; i++) {
        double MAx = Ax[i];
        for (int j = 0; j < D; j++)
            MAx -= gate[i] * I_Q[j * D + i] * Ax[j];
        ck_assert_double_eq_tol(MAx, lambda[i] * x[i], 1e-11);
    }
    tensors_free(&tensors);
}
END_TEST

/* rho, kappa and the norms from r x r algebra against LAPACK on the textbook's d x d matrix. */
START_TEST(spectrum)
{
    struct tensors tensors = draw(_i % MIXERS, (enum form)(_i / MIXERS), 32);
    const struct problem *p = &tensors.problem;
    const double *lambda = tensors.inputs.lambda, *theta = tensors.inputs.theta;
    double matrix[D * D], gated[D * D], power[D], inf = 0;
    struct spectrum found;
    ck_assert(spectrum_token(p, theta, lambda, true, &found));
    textbook_matrix(p, theta, matrix);
    for (int i = 0; i < D; i++) {
        double sum = 0;
        for (int j = 0; j < D; j++) {
            gated[j * D + i] = (p->form == FORM_NORMALISED ? 1 - lambda[i] : 1) * matrix[j * D + i];
            sum += fabs(matrix[j * D + i]);
        }
        inf = fmax(inf, sum);
    }
    ck_assert_double_eq_tol(found.norm_inf, inf, 1e-12);
    /* the spectral radius as the growth of ||(G (I - Q))^k x||, which owes nothing to eigenvalues */
    double growth = 0;
    for (int i = 0; i < D; i++)
        power[i] = 1 + 0.1 * i;
    enum { STEPS = 20000 };
    for (int k = 0; k < STEPS; k++) {
        double next[D] = {0}, size = 0;
        for (int j = 0; j < D; j++)
            for (int i = 0; i < D; i++)
                next[i] += gated[j * D + i] * power[j];
        for (int i = 0; i < D; i++)
            size = fmax(size, fabs(next[i]));
        growth += log(size);
        for (int i = 0; i < D; i++)
            power[i] = next[i] / size;
    }
    ck_assert_double_eq_tol(found.rho, exp(growth / STEPS), 2e-3 * found.rho);
    double kappa = spectrum_norm_2(D, gated), norm = spectrum_norm_2(D, matrix); /* both overwritten */
    ck_assert_double_eq_tol(found.kappa, kappa, 1e-9 * kappa);
    ck_assert_double_eq_tol(found.norm, norm, 1e-9 * norm);
    tensors_free(&tensors);
}
END_TEST

/* ||J||_2, J the Jacobian of f in h: columns f(e_j) - f(0). */
static double jacobian_norm(const struct problem *p, const struct inputs *inputs)
{
    static double J[N * N];
    double h[N] = {0}, f0[N], f[N];
    ck_assert(textbook_apply(p, inputs, h, f0));
    for (int j = 0; j < N; j++) {
        h[j] = 1;
        ck_assert(textbook_apply(p, inputs, h, f));
        h[j] = 0;
        for (int i = 0; i < N; i++)
            J[j * N + i] = f[i] - f0[i];
    }
    return spectrum_norm_2(N, J);
}

/* The same mixer and lambda at every token. */
static void make_constant(struct tensors *tensors)
{
    int64_t m = problem_m(&tensors->problem);
    for (int t = 1; t < T; t++) {
        memcpy((double *)tensors->owned[1] + t * D, tensors->owned[1], D * sizeof(double));
        memcpy((double *)tensors->owned[2] + t * m, tensors->owned[2], (size_t)m * sizeof(double));
    }
}

/* Theorem 3.1 where it is true: constant mixers, normalised, 0 <= lambda < 1. */
START_TEST(theorem_3_1)
{
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct tensors tensors = draw(_i, FORM_NORMALISED, 40 + seed);
        struct spectrum found;
        make_constant(&tensors);
        ck_assert(spectrum_token(&tensors.problem, tensors.inputs.theta, tensors.inputs.lambda, true, &found));
        double norm = jacobian_norm(&tensors.problem, &tensors.inputs);
        ck_assert_msg(norm <= found.norm * (1 + 1e-12), "||J|| = %g, ||I - Q|| = %g", norm, found.norm);
        tensors_free(&tensors);
    }
}
END_TEST

/* ... and where it is not: a negative lambda. lambda = -0.6, I - Q = I / 2: the norm tends to 1.6 / 0.4 / 2 = 2 with T. */
START_TEST(theorem_3_1_needs_positive_lambda)
{
    struct tensors tensors = draw(MIXERS - 1, FORM_NORMALISED, 50);
    for (int i = 0; i < N; i++)
        ((double *)tensors.owned[1])[i] = -0.6;
    for (int i = 0; i < T * D * D; i++)
        ((double *)tensors.owned[2])[i] = i / D % D == i % D ? 0.5 : 0;
    ck_assert_double_gt(jacobian_norm(&tensors.problem, &tensors.inputs), 1.5);
    tensors_free(&tensors);
}
END_TEST

/* Both bounds on errors of textbook iterates; and kappa^l, which is none: somewhere the error is larger. */
START_TEST(bounds_hold)
{
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct tensors tensors = draw(_i % MIXERS, (enum form)(_i / MIXERS), 60 + seed);
        const struct problem *p = &tensors.problem;
        double exact[N], h[N];
        struct spectrum found;
        struct bounds bounds;
        ck_assert_int_eq(reference_exact(&tensors, exact).code, STATUS_OK);
        ck_assert(spectrum_sequence(p, &tensors.inputs, exact, &found));
        ck_assert(bounds_begin(&bounds, exact, T, D, found.norm_inf, found.kappa, norm_max(tensors.inputs.lambda, N)));
        for (int l = 0; l <= 30; l++, bounds_next(&bounds)) {
            double most = 0, most_token = 0;
            ck_assert(textbook_iterate(p, &tensors.inputs, 1, l, h, NULL));
            for (int t = 0; t < T; t++) {
                double sum = 0;
                for (int c = 0; c < D; c++) {
                    double e = h[t * D + c] - exact[t * D + c];
                    most = fmax(most, fabs(e));
                    sum += e * e;
                }
                most_token = fmax(most_token, sqrt(sum));
                ck_assert_msg(sqrt(sum) <= bounds.y[t] * (1 + 1e-9) + 1e-12, "token %d, l = %d: %g above %g", t, l, sqrt(sum),
                              bounds.y[t]);
            }
            ck_assert_double_le(most_token, bounds.token_size * (1 + 1e-9) + 1e-12);
            if (p->form == FORM_NORMALISED)
                ck_assert_double_le(most, bounds.max_norm * (1 + 1e-9) + 1e-12);
        }
        bounds_end(&bounds);
        tensors_free(&tensors);
    }
}
END_TEST

/* docs/mathematics.md: lambda = .9, I - Q = .9: kappa^10 = .09^10 is 3e-11, the relative error of 200 tokens is .27. */
START_TEST(kappa_to_the_l_is_no_bound)
{
    enum { LONG = 200 };
    struct problem p = {.B = 1, .T = LONG, .d = 1, .mixer = MIXER_DENSE, .form = FORM_NORMALISED, .dtype = DTYPE_FLOAT64};
    double v[LONG], lambda[LONG], theta[LONG], exact[LONG], h[LONG];
    for (int t = 0; t < LONG; t++) {
        v[t] = 1;
        lambda[t] = 0.9;
        theta[t] = 0.1;
    }
    struct tensors tensors = {.problem = p, .inputs = {.v = v, .lambda = lambda, .theta = theta}, .owned = {v, lambda, theta}};
    ck_assert_int_eq(reference_exact(&tensors, exact).code, STATUS_OK);
    ck_assert(textbook_iterate(&p, &tensors.inputs, 1, 10, h, NULL));
    ck_assert_double_gt(distance_max(h, exact, LONG), 1e-3);
    ck_assert_double_gt(distance_max(h, exact, LONG), 1e6 * pow(0.09, 10));
    ck_assert_double_eq_tol(distance_max(h, exact, LONG), 0.27, 0.005);
}
END_TEST

Suite *suite_theory(void);

Suite *suite_theory(void)
{
    Suite *suite = suite_create("theory");
    TCase *tests = tcase_create("theory");
    tcase_add_test(tests, mixers_by_hand);
    tcase_add_test(tests, steps_by_hand);
    tcase_add_loop_test(tests, low_rank_forms, 0, 6 * 2);
    tcase_add_loop_test(tests, spectrum, 0, MIXERS * 2);
    tcase_add_loop_test(tests, theorem_3_1, 0, MIXERS);
    tcase_add_test(tests, theorem_3_1_needs_positive_lambda);
    tcase_add_loop_test(tests, bounds_hold, 0, MIXERS * 2);
    tcase_add_test(tests, kappa_to_the_l_is_no_bound);
    suite_add_tcase(suite, tests);
    return suite;
}
