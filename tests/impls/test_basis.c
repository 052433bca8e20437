/* Orthonormal vectors (impls/math/basis.h), and GMRES and Anderson that are made of them, on sequences longer than the stretches of
 * 2048 elements that sums are taken over: the last stretch is shorter, or a single element. What is expected is computed here, in
 * long double. */
#include "tests/support/reference.h"
#include "tests/support/room.h"

#include "bench/base/random.h"
#include "bench/measure/subject.h"
#include "bench/problems/textbook.h"
#include "impls/math/basis.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_basis(void);

static double inner(const double *x, const double *y, int64_t n)
{
    long double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (long double)x[i] * y[i];
    return (double)sum;
}

/* ---- The basis ------------------------------------------------------------------------------------------------------------------
 * */

enum { B = 3, MOST = 5, WIDTH = MOST + 1 };

/* T of vectors of so many elements, d = 1. */
static const int64_t elements[] = {1, 7, 2047, 2048, 2049, 4096, 4097, 6000};
enum { LENGTHS = sizeof elements / sizeof elements[0] };

static bool open_basis(int64_t n, int threads, struct basis *basis)
{
    struct problem problem = {.B = B, .T = n, .d = 1, .dtype = DTYPE_FLOAT64};
    bool opened = basis_open(&problem, MOST, threads, basis);
    if (opened)
        memset(basis->count, 0, B * sizeof *basis->count);
    return opened;
}

/* Vector k of all sequences: the last of each is much longer at its end, so that no sum can do without that. */
static void draw(int64_t n, int k, double *w)
{
    for (int64_t i = 0; i < B * n; i++)
        w[i] = random_normal(120, (uint32_t)k, (uint64_t)i) * (i % n == n - 1 ? 30 : 1);
}

/* What was appended is orthogonal to the others, of length 1, and with its coefficients again what it was. */
static void assert_appended(const struct basis *basis, int64_t b, const double *was)
{
    int64_t n = basis->n, last = basis->count[b] - 1;
    const double *q = basis->q + b * MOST * n, *c = basis->c + b * WIDTH;
    double *left = doubles(n), size = sqrt(inner(was, was, n));
    memcpy(left, was, (size_t)n * sizeof *left);
    for (int64_t j = 0; j <= last; j++) {
        double dot = inner(q + j * n, q + last * n, n), expected = inner(q + j * n, was, n);
        ck_assert_msg(fabs(dot - (j == last)) < 1e-13, "%lld elements: vectors %lld and %lld: %g", (long long)n, (long long)j,
                      (long long)last, dot);
        ck_assert_msg(fabs(c[j] - expected) < 1e-12 * size, "%lld elements: coefficient %lld of %lld is %.15g, expected %.15g",
                      (long long)n, (long long)j, (long long)last, c[j], expected);
        for (int64_t i = 0; i < n; i++)
            left[i] -= c[j] * q[j * n + i];
    }
    ck_assert_double_lt(norm_max(left, n), 1e-12 * size);
    free(left);
}

START_TEST(vectors)
{
    int64_t n = elements[_i % LENGTHS];
    int threads = 1 + _i / LENGTHS, most = n < MOST ? (int)n : MOST;
    struct basis basis;
    double *w = doubles(B * n), *was = doubles(B * n);
    ck_assert(open_basis(n, threads, &basis));
    for (int k = 0; k < most; k++) {
        const bool which[B] = {true, k % 2 == 0, true};
        int64_t before = basis.count[1];
        draw(n, k, w);
        memcpy(was, w, (size_t)(B * n) * sizeof *w);
        basis_append(&basis, which, 1e-8, w);
        for (int64_t b = 0; b < B; b++) {
            ck_assert(basis.grown[b] == which[b]);
            if (which[b])
                assert_appended(&basis, b, was + b * n);
        }
        ck_assert_int_eq(basis.count[1], before + which[1]);
        ck_assert(which[1] ||
                  memcmp(w + n, was + n, (size_t)n * sizeof *w) == 0); /* nothing is done with those that are not named */
    }
    free(w), free(was);
    basis_close(&basis);
}
END_TEST

/* A combination of what is there adds nothing, nor does one with so little else in it; with more it does. */
START_TEST(dependent)
{
    static const struct {
        double rest; /* of what the vector was */
        bool grows;
    } rows[] = {{0, false}, {0.9e-4, false}, {1.1e-4, true}, {1e-2, true}};
    int64_t n = elements[2 + _i];
    static const bool all[B] = {true, true, true};
    double *w = doubles(B * n), size = sqrt(9 + 4);
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        struct basis basis;
        ck_assert(open_basis(n, 2, &basis));
        for (int i = 0; i < 3; i++) {
            draw(n, i, w);
            basis_append(&basis, all, 1e-8, w);
        }
        for (int64_t i = 0; i < B * n; i++) {
            const double *q = basis.q + i / n * MOST * n + i % n;
            w[i] = 3 * q[0] - 2 * q[n] + rows[k].rest * size * q[2 * n];
        }
        for (int64_t b = 0; b < B; b++)
            basis.count[b] = 2;
        basis_append(&basis, all, 1e-4, w);
        for (int64_t b = 0; b < B; b++) {
            const double *c = basis.c + b * WIDTH;
            ck_assert_msg(basis.grown[b] == rows[k].grows && basis.count[b] == 2 + rows[k].grows, "%g of it new: %lld vectors",
                          rows[k].rest, (long long)basis.count[b]);
            ck_assert_double_eq_tol(c[0], 3, 1e-12);
            ck_assert_double_eq_tol(c[1], -2, 1e-12);
            ck_assert_double_eq_tol(c[2], rows[k].grows ? rows[k].rest * size : 0, 1e-12);
            const double *q = basis.q + b * MOST * n; /* one projection alone would leave rounding, enlarged by how little is new */
            for (int64_t j = 0; j < 2 && rows[k].grows; j++)
                ck_assert_double_lt(fabs(inner(q + j * n, q + 2 * n, n)), 1e-14);
        }
        basis_close(&basis);
    }
    free(w);
}
END_TEST

/* Products with all vectors, and sums of vectors; the same bits on any number of threads. */
START_TEST(products_and_sums)
{
    int64_t n = elements[1 + _i];
    static const bool which[B] = {true, false, true}, all[B] = {true, true, true};
    static const int64_t n_of[B] = {2, 3, 3};
    double *first = NULL, c[2][B * WIDTH];
    for (int threads = 1; threads <= 4; threads++) {
        struct basis basis;
        double *w = doubles(B * n), *to = doubles(B * n), coefficient[B * WIDTH];
        ck_assert(open_basis(n, threads, &basis));
        for (int k = 0; k < 3; k++) {
            draw(n, k, w);
            basis_append(&basis, all, 1e-8, w);
        }
        draw(n, 7, w);
        memcpy(to, w, (size_t)(B * n) * sizeof *w);
        basis_dots(&basis, all, w);
        memcpy(c[threads > 1], basis.c, sizeof c[0]);
        for (int i = 0; i < B * WIDTH; i++)
            coefficient[i] = random_normal(121, 0, (uint64_t)i);
        basis_add(&basis, which, basis.q, coefficient, n_of, to);
        for (int64_t b = 0; b < B; b++) {
            for (int64_t j = 0; j < 3; j++)
                ck_assert_double_eq_tol(basis.c[b * WIDTH + j], inner(basis.q + (b * MOST + j) * n, w + b * n, n),
                                        1e-12 * sqrt((double)n));
            ck_assert_double_eq_tol(basis.c[b * WIDTH + 3], inner(w + b * n, w + b * n, n), 1e-12 * 1000 * (double)n);
            ck_assert(threads == 1 || memcmp(c[0] + b * WIDTH, c[1] + b * WIDTH, 4 * sizeof c[0][0]) == 0);
            for (int64_t i = 0; i < n; i++) {
                double sum = w[b * n + i];
                for (int64_t j = 0; which[b] && j < n_of[b]; j++)
                    sum += coefficient[b * WIDTH + j] * basis.q[(b * MOST + j) * n + i];
                ck_assert_msg(fabs(to[b * n + i] - sum) < 1e-12 * (1 + fabs(sum)), "%lld elements: element %lld is %g, expected %g",
                              (long long)n, (long long)i, to[b * n + i], sum);
            }
        }
        ck_assert(threads == 1 || memcmp(first, to, (size_t)(B * n) * sizeof *to) == 0);
        first = first != NULL ? first : memcpy(doubles(B * n), to, (size_t)(B * n) * sizeof *to);
        free(w), free(to);
        basis_close(&basis);
    }
    free(first);
}
END_TEST

/* ---- What is made of it
 * ------------------------------------------------------------------------------------------------------------ */

enum { LONGEST = 6 };

/* The l-th iterate of GMRES (docs/explanation/solvers.md): f(0), then what minimises ||f(h) - h||_2 over the span of r, J r, ...
 * J^(l-2) r with r = f(0). Of sequence `one`, by orthogonal vectors and a least-squares problem, both by modified Gram and Schmidt.
 * */
static void minimal(const struct tensors *one, int l, double *h)
{
    const struct problem *p = &one->problem;
    int64_t n = p->T * p->d;
    double *zero = doubles(n), *r = doubles(n), *q[LONGEST], *w[LONGEST], R[LONGEST][LONGEST] = {{0}}, y[LONGEST] = {0};
    ck_assert(textbook_apply(p, &one->inputs, zero, r));
    memcpy(h, r, (size_t)n * sizeof *h);
    double *left = memcpy(doubles(n), r, (size_t)n * sizeof *r);
    int k = l - 1;
    for (int i = 0; i < k; i++) {
        q[i] = doubles(n), w[i] = doubles(n);
        for (int64_t j = 0; j < n; j++) /* the next of the space: r, or J times the last */
            q[i][j] = i == 0 ? r[j] : q[i - 1][j] - w[i - 1][j];
        for (int pass = 0; pass < 2; pass++)
            for (int a = 0; a < i; a++) {
                double c = inner(q[a], q[i], n);
                for (int64_t j = 0; j < n; j++)
                    q[i][j] -= c * q[a][j];
            }
        double size = sqrt(inner(q[i], q[i], n));
        for (int64_t j = 0; j < n; j++)
            q[i][j] /= size;
        ck_assert(textbook_apply(p, &one->inputs, q[i], w[i]));
        for (int64_t j = 0; j < n; j++) /* (I - J) q = q - (f(q) - f(0)) */
            w[i][j] = q[i][j] - (w[i][j] - r[j]);
    }
    double *u[LONGEST];
    for (int i = 0; i < k; i++) { /* W = U R, and y = R^-1 U^T r */
        u[i] = memcpy(doubles(n), w[i], (size_t)n * sizeof(double));
        for (int pass = 0; pass < 2; pass++)
            for (int a = 0; a < i; a++) {
                double c = inner(u[a], u[i], n);
                R[a][i] += c;
                for (int64_t j = 0; j < n; j++)
                    u[i][j] -= c * u[a][j];
            }
        R[i][i] = sqrt(inner(u[i], u[i], n));
        for (int64_t j = 0; j < n; j++)
            u[i][j] /= R[i][i];
        y[i] = inner(u[i], left, n);
        for (int64_t j = 0; j < n; j++)
            left[j] -= y[i] * u[i][j];
    }
    for (int i = k - 1; i >= 0; i--) {
        for (int a = i + 1; a < k; a++)
            y[i] -= R[i][a] * y[a];
        y[i] /= R[i][i];
    }
    for (int64_t j = 0; k > 0 && j < n; j++) {
        h[j] = 0;
        for (int i = 0; i < k; i++)
            h[j] += y[i] * q[i][j];
    }
    for (int i = 0; i < k; i++)
        free(q[i]), free(w[i]), free(u[i]);
    free(zero), free(r), free(left);
}

/* T d of 2048 and one more token, of two stretches and a part, of exactly two. */
static const struct {
    int64_t T, d;
} sizes[] = {{121, 17}, {300, 17}, {256, 16}, {683, 3}};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

START_TEST(iterates)
{
    static const enum mixer mixers[] = {MIXER_DPLR, MIXER_HOUSEHOLDER, MIXER_KRONECKER};
    int64_t T = sizes[_i % SIZES].T, d = sizes[_i % SIZES].d, n = T * d;
    struct test_case test = {
        .name = "basis", .initial = true, .problem = {.B = 2, .T = T, .d = d, .mixer = mixers[_i % 3], .s = 0.7}};
    test.problem.r = mixer_facts[test.problem.mixer].takes_r ? 2 : 0, test.problem.dtype = DTYPE_FLOAT64;
    test.problem.form = (enum form)(_i / SIZES);
    struct tensors tensors = case_tensors(&test, 122);
    double *krylov = doubles(2 * n), *anderson = doubles(2 * n), *expected = doubles(n), *next = doubles(n);
    for (int l = 1; l <= LONGEST; l++) {
        struct settings settings = fixed_l(l);
        const struct implementation *one = registry_get(registry_find("gmres"), DTYPE_FLOAT64, level_best());
        ck_assert_int_eq(run_variant(one, &tensors, &settings, 1 + l % 3, krylov, NULL, NULL).code, STATUS_OK);
        one = registry_get(registry_find("anderson"), DTYPE_FLOAT64, level_best());
        ck_assert_int_eq(run_variant(one, &tensors, &settings, 1 + l % 3, anderson, NULL, NULL).code, STATUS_OK);
        for (int64_t b = 0; b < 2; b++) {
            struct tensors alone;
            struct error error;
            ck_assert(tensors_sequence(&tensors, b, &alone, &error));
            minimal(&alone, l, expected);
            ck_assert(textbook_apply(&alone.problem, &alone.inputs, expected, next));
            ck_assert_msg(distance_max(krylov + b * n, expected, n) < 1e-9, "gmres, iterate %d, T d = %lld: off by %g", l,
                          (long long)n, distance_max(krylov + b * n, expected, n));
            if (l > 1) /* f of GMRES' */
                ck_assert_msg(distance_max(anderson + b * n, next, n) < 1e-9, "anderson, iterate %d, T d = %lld: off by %g", l,
                              (long long)n, distance_max(anderson + b * n, next, n));
            tensors_free(&alone);
        }
    }
    free(krylov), free(anderson), free(expected), free(next);
    tensors_free(&tensors);
}
END_TEST

Suite *suite_basis(void)
{
    Suite *suite = suite_create("basis");
    TCase *basis = tcase_create("basis"), *solvers = tcase_create("solvers");
    tcase_add_loop_test(basis, vectors, 0, 3 * LENGTHS);
    tcase_add_loop_test(basis, dependent, 0, LENGTHS - 2);
    tcase_add_loop_test(basis, products_and_sums, 0, LENGTHS - 1);
    tcase_add_loop_test(solvers, iterates, 0, SIZES * FORM_COUNT);
    suite_add_tcase(suite, basis);
    suite_add_tcase(suite, solvers);
    return suite;
}
