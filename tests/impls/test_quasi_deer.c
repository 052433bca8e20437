/* The sweeps of quasi_deer against their formula: h^l_t = F_t(h^{l-1}_{t-1}) + J_t (h^l_{t-1} - h^{l-1}_{t-1}), with A_t solved for
 * here and J_t = diag(A_t) cut to [-1, 1]. Problems are drawn of which many diagonals lie beyond either end. */
#include "tests/support/reference.h"

#include "bench/base/random.h"
#include "bench/measure/subject.h"
#include "bench/problems/textbook.h"
#include "bench/problems/textbook_mixer.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_quasi_deer(void);

enum { B = 2, T = 8, D = 4, SIZE = T * D, N = B * SIZE, SWEEPS = 4, WIDEST = 64 };

/* A (D,D) = M^-1 Lambda, M = I - G (I - Q), or Q in the plain form, by elimination with pivots. The largest |A|. */
static double transition(const struct problem *p, const double *theta, const double *lambda, double *A)
{
    long double M[D][2 * D];
    double q[WIDEST], unit[D] = {0}, mixed[D], most = 0;
    ck_assert_int_le(textbook_size(p), WIDEST);
    textbook_activate(p, theta, q);
    for (int j = 0; j < D; j++) {
        unit[j] = 1;
        textbook_mix(p, q, unit, mixed);
        for (int i = 0; i < D; i++) {
            double gate = p->form == FORM_NORMALISED ? 1 - lambda[i] : 1;
            M[i][j] = (i == j) - (long double)gate * ((i == j) - (long double)mixed[i]);
            M[i][D + j] = i == j ? lambda[i] : 0;
        }
        unit[j] = 0;
    }
    for (int k = 0; k < D; k++) {
        int pivot = k;
        for (int i = k; i < D; i++)
            pivot = fabsl(M[i][k]) > fabsl(M[pivot][k]) ? i : pivot;
        for (int j = 0; j < 2 * D; j++) {
            long double swap = M[k][j];
            M[k][j] = M[pivot][j];
            M[pivot][j] = swap;
        }
        for (int i = 0; i < D; i++) {
            long double factor = i != k ? M[i][k] / M[k][k] : 0;
            for (int j = 0; j < 2 * D; j++)
                M[i][j] -= factor * M[k][j];
        }
    }
    for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++) {
            A[i * D + j] = (double)(M[i][D + j] / M[i][i]);
            most = fmax(most, fabs(A[i * D + j]));
        }
    return most;
}

/* How many diagonals were cut at either end, and the largest |A| that there was. */
struct seen {
    int above, below;
    double most;
};

/* h (T,D): the next iterate of one sequence. */
static void sweep(const struct tensors *one, const double *h, double *next, struct seen *seen)
{
    const struct problem *p = &one->problem;
    const double *v = one->inputs.v, *lambda = one->inputs.lambda, *theta = one->inputs.theta, *W = one->inputs.W,
                 *initial = one->inputs.h0;
    int64_t m = problem_m(p);
    for (int t = 0; t < T; t++) {
        const double *before = t > 0 ? h + (t - 1) * D : initial, *here = t > 0 ? next + (t - 1) * D : initial;
        double raw[WIDEST] = {0}, A[D * D], squares = 0;
        ck_assert_int_le(m, WIDEST);
        for (int c = 0; c < D; c++)
            squares += before[c] * before[c];
        double scale = p->feedback == FEEDBACK_RMS ? 1 / sqrt(squares / D + 1e-6) : 1;
        for (int64_t k = 0; k < m; k++) {
            raw[k] = theta[t * m + k];
            for (int c = 0; W != NULL && c < D; c++)
                raw[k] += W[k * D + c] * scale * before[c];
        }
        seen->most = fmax(seen->most, transition(p, raw, lambda + t * D, A));
        for (int c = 0; c < D; c++) {
            double J = A[c * D + c], step = v[t * D + c];
            for (int k = 0; k < D; k++)
                step += A[c * D + k] * (before[k] - (p->form == FORM_NORMALISED ? v[t * D + k] : 0));
            seen->above += J > 1;
            seen->below += J < -1;
            J = J > 1 ? 1 : J < -1 ? -1 : J;
            next[t * D + c] = step + J * (here[c] - before[c]);
        }
    }
}

static const struct {
    enum mixer mixer;
    int r;
    double s;
} mixers[] = {{MIXER_NONE, 0, 0},        {MIXER_DPLR, 1, 2},      {MIXER_DPLR, 2, 1.2},         {MIXER_HOUSEHOLDER, 1, 2},
              {MIXER_HOUSEHOLDER, 3, 2}, {MIXER_KRONECKER, 0, 4}, {MIXER_KRONECKER_ROWS, 0, 2}, {MIXER_DENSE, 0, 0}};
enum { MIXERS = sizeof mixers / sizeof mixers[0], CASES = MIXERS * FORM_COUNT * FEEDBACK_COUNT, SEEDS = 12 };

static void compare(const struct test_case *test, uint64_t seed, struct seen *all, int *compared)
{
    struct tensors tensors = case_tensors(test, seed);
    struct settings settings = fixed_l(SWEEPS);
    struct seen seen = {0};
    double expected[SWEEPS][N], iterates[SWEEPS * N], h[N];
    static const int64_t keep[SWEEPS] = {1, 2, 3, 4}, sequences[B] = {0, 1};
    struct trace trace = {.keep = keep, .n_keep = SWEEPS, .sequences = sequences, .n_sequences = B, .iterates = iterates};
    if (test->problem.mixer == MIXER_DENSE) /* any matrix */
        for (int64_t i = 0; i < B * T * D * D; i++)
            ((double *)tensors.owned[2])[i] = 0.8 * random_normal(seed, 20, (uint64_t)i);
    for (int64_t b = 0; b < B; b++) {
        struct tensors one;
        struct error error;
        double zero[SIZE] = {0};
        ck_assert(tensors_sequence(&tensors, b, &one, &error));
        for (int l = 0; l < SWEEPS; l++)
            sweep(&one, l > 0 ? expected[l - 1] + b * SIZE : zero, expected[l] + b * SIZE, &seen);
        tensors_free(&one);
    }
    if (seen.most < 1e3) { /* beyond that rounding decides */
        const struct implementation *one = registry_get(registry_find("quasi_deer"), DTYPE_FLOAT64, level_best());
        choose_options(one, (int)seed, &settings);
        struct status status = run_variant(one, &tensors, &settings, 1 + (int)seed % 3, h, NULL, &trace);
        ck_assert_msg(status.code == STATUS_OK, "%s", status.message);
        ck_assert_int_eq(trace.n_kept, SWEEPS);
        for (int l = 0; l < SWEEPS; l++) {
            double distance = distance_max(iterates + l * N, expected[l], N);
            ck_assert_msg(distance < 1e-10 * (1 + seen.most * seen.most), "%s: sweep %d is off by %g (largest element of A %g)",
                          test->name, l + 1, distance, seen.most);
        }
        all->above += seen.above, all->below += seen.below;
        ++*compared;
    }
    tensors_free(&tensors);
}

START_TEST(sweeps)
{
    int mixer = _i % MIXERS, compared = 0;
    enum feedback feedback = (enum feedback)(_i / MIXERS % FEEDBACK_COUNT);
    struct test_case test = {.initial = true,
                             .problem = {.B = B, .T = T, .d = D, .mixer = mixers[mixer].mixer, .r = mixers[mixer].r}};
    struct seen all = {0};
    test.problem.s = mixers[mixer].s, test.problem.dtype = DTYPE_FLOAT64;
    test.problem.form = (enum form)(_i / MIXERS / FEEDBACK_COUNT);
    test.problem.feedback = test.problem.mixer == MIXER_NONE ? FEEDBACK_NONE : feedback;
    problem_print(&test.problem, sizeof test.name, test.name);
    for (uint64_t seed = 130; seed < 130 + SEEDS; seed++)
        compare(&test, seed, &all, &compared);
    ck_assert_msg(compared >= SEEDS / 3, "%s: %d of %d problems were compared", test.name, compared, SEEDS);
    bool cut = test.problem.mixer != MIXER_NONE;
    ck_assert_msg(!cut || (all.above > 0 && all.below > 0), "%s: %d diagonals above 1, %d below -1", test.name, all.above,
                  all.below);
}
END_TEST

Suite *suite_quasi_deer(void)
{
    Suite *suite = suite_create("quasi_deer");
    TCase *cases = tcase_create("all");
    tcase_add_loop_test(cases, sweeps, 0, CASES);
    suite_add_tcase(suite, cases);
    return suite;
}
