/* All fixed points of a token of the selective cell: each satisfies the textbook's map, nothing else finds another one, their number is
 * odd, and they attract where their Jacobian says so. */
#include "bench/problems/fixed_points.h"
#include "bench/problems/inputs.h"
#include "bench/problems/lapack.h"
#include "bench/problems/textbook.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_fixed_points(void);

enum { T = 6, D = 10, N = 3, R_MOST = 8 };

static const struct variant {
    enum mixer mixer;
    int r;
    double s, scale;
    enum feedback feedback;
    enum reads reads;
    enum norm norm;
    enum gate gate;
} variants[] = {
    {MIXER_HOUSEHOLDER, 1, 1, 0.56, FEEDBACK_RAW, READS_BC, NORM_BOTH, GATE_OUTSIDE},
    {MIXER_HOUSEHOLDER, 1, 2, 0.21, FEEDBACK_RAW, READS_DT_BC, NORM_BOTH, GATE_INSIDE},
    {MIXER_DPLR, 1, 2, 0.56, FEEDBACK_NONE, READS_NONE, NORM_OUTPUT, GATE_OUTSIDE},
    {MIXER_HOUSEHOLDER, 2, 2, 0.56, FEEDBACK_RAW, READS_BC, NORM_BOTH, GATE_OUTSIDE},
    {MIXER_DPLR, 2, 1, 0.3, FEEDBACK_RAW, READS_DT, NORM_BOTH, GATE_INSIDE},
    {MIXER_HOUSEHOLDER, 4, 2, 0.4, FEEDBACK_RAW, READS_BC, NORM_BOTH, GATE_OUTSIDE},
    {MIXER_DPLR, 4, 2, 0.56, FEEDBACK_NONE, READS_NONE, NORM_OUTPUT, GATE_OUTSIDE},
    {MIXER_HOUSEHOLDER, 8, 2, 0.56, FEEDBACK_RAW, READS_BC, NORM_BOTH, GATE_OUTSIDE},
    {MIXER_DPLR, 8, 1, 0.21, FEEDBACK_RAW, READS_NONE, NORM_BOTH, GATE_OUTSIDE},
};
enum { VARIANTS = sizeof variants / sizeof variants[0] };

/* The token that a test looks at, and all that belongs to it. */
static struct tensors sequence;
static struct selective_token token;
static struct token_equation equation;
static struct fixed_points found;
static double *token_room, *equation_room, *H, *before;

static void forget(void)
{
    tensors_free(&sequence);
    fixed_points_free(&found);
    free(token_room);
    free(equation_room);
    free(H);
    free(before);
    token_room = equation_room = H = before = NULL;
}

static void begin(const struct variant *v, uint64_t seed)
{
    struct error error;
    const struct problem problem = {.cell = CELL_SELECTIVE,
                                    .B = 1,
                                    .T = T,
                                    .d = D,
                                    .N = N,
                                    .mixer = v->mixer,
                                    .r = v->r,
                                    .s = v->s,
                                    .feedback = v->feedback,
                                    .reads = v->reads,
                                    .norm = v->norm,
                                    .gate = v->gate,
                                    .dtype = DTYPE_FLOAT64};
    const struct regime regime = {.seed = seed, .scale = v->scale, .limit = 1000, .drawn_h0 = true};
    forget();
    ck_assert(token_equation_possible(&problem));
    ck_assert_msg(tensors_sample(&problem, &regime, &sequence, &error), "%s", error.text);
    token_room = calloc((size_t)textbook_selective_scratch(&problem), sizeof *token_room);
    equation_room = calloc((size_t)token_equation_scratch(&problem), sizeof *equation_room);
    H = malloc(sizeof(double) * D * N);
    before = malloc(sizeof(double) * D);
    memcpy(H, sequence.inputs.H0, sizeof(double) * D * N);
    memcpy(before, sequence.inputs.y0, sizeof(double) * D);
    token = textbook_selective_token(&problem, token_room);
    ck_assert(fixed_points_make(&problem, &found));
}

static void look_at(int64_t t)
{
    const struct problem *p = &sequence.problem;
    textbook_selective_begin(p, &sequence.inputs, t, before, &token);
    equation = token_equation_make(p, &sequence.inputs, t, &token, H, equation_room);
    ck_assert(fixed_points_find(p, &sequence.inputs, t, &token, H, &equation, &found));
    ck_assert_int_ge(found.n, 1);
}

/* next = f(y) of the token in d numbers. */
static void apply(int64_t t, const double *y, double *next)
{
    textbook_selective_apply(&sequence.problem, &sequence.inputs, NULL, t, &token, H, y, next, NULL);
}

/* On to the next token, from the first fixed point of this one. */
static void go_on(int64_t t)
{
    double next[D];
    textbook_selective_apply(&sequence.problem, &sequence.inputs, NULL, t, &token, H, found.point[0].y, next, H);
    memcpy(before, found.point[0].y, sizeof(double) * D);
}

static void every_token(const struct variant *v, int seeds, void (*check)(int64_t t))
{
    for (int seed = 1; seed <= seeds; seed++) {
        begin(v, (uint64_t)seed);
        for (int64_t t = 0; t < T; t++) {
            look_at(t);
            check(t);
            go_on(t);
        }
    }
}

/* ---- They are fixed points ------------------------------------------------------------------------------------------------------ */

/* By the map of a problem of that one token. */
static void is_fixed(int64_t t)
{
    struct problem one = sequence.problem;
    struct inputs inputs = sequence.inputs;
    static const enum tensor_id of_token[] = {TENSOR_X, TENSOR_DT, TENSOR_B, TENSOR_C, TENSOR_THETA, TENSOR_Z};
    one.T = 1;
    for (size_t i = 0; i < sizeof of_token / sizeof of_token[0]; i++)
        if (inputs.tensor[of_token[i]] != NULL)
            inputs.tensor[of_token[i]] = (const double *)inputs.tensor[of_token[i]] + t * tensor_elements(&one, of_token[i]);
    inputs.H0 = H;
    inputs.y0 = before;
    for (int i = 0; i < found.n; i++) {
        double next[D];
        ck_assert(textbook_apply(&one, &inputs, found.point[i].y, next));
        ck_assert_double_le(distance_max(found.point[i].y, next, D), 1e-9);
        ck_assert_double_le(found.point[i].residual, 1e-9);
        ck_assert(i == 0 || found.point[i].sd >= found.point[i - 1].sd);
    }
}

START_TEST(each_satisfies_the_textbook)
{
    every_token(&variants[_i], 5, is_fixed);
}
END_TEST

static void is_odd(int64_t t)
{
    (void)t;
    ck_assert_int_eq(found.n % 2, 1);
    ck_assert_int_le(found.n, 2 * (int)sequence.problem.r + 1);
    ck_assert(!found.merged && !found.eigenvalue);
}

START_TEST(there_is_an_odd_number)
{
    every_token(&variants[_i], 40, is_odd);
}
END_TEST

/* ---- There is no other ---------------------------------------------------------------------------------------------------------- */

/* r = 1: g = s alpha u.(x - y) of the map, at an output whose g is given. */
static double map_of_g(int64_t t, double g)
{
    const double *x = (const double *)sequence.inputs.x + t * D, *u = token.q;
    double strength = sequence.problem.s * token.q[D], length = 0, y[D], next[D], after = 0;
    for (int i = 0; i < D; i++)
        length += u[i] * u[i];
    for (int i = 0; i < D; i++)
        y[i] = x[i] - u[i] * g / (strength * length);
    apply(t, y, next);
    for (int i = 0; i < D; i++)
        after += strength * u[i] * (x[i] - next[i]);
    return after;
}

/* Where the map of g crosses the diagonal, on a fine grid over all values that it takes. */
static int crossings(int64_t t)
{
    enum { STEPS = 40000 };
    double most = 0;
    int n = 0;
    for (int i = 0; i <= 400; i++) /* as far as it ever gets */
        most = fmax(most, fabs(map_of_g(t, tan(M_PI * (i - 199.9) / 401))));
    double last = 0;
    for (int i = 0; i <= STEPS; i++) {
        double g = 1.5 * most * (2 * (i + 0.25) / STEPS - 1), difference = map_of_g(t, g) - g;
        n += i > 0 && (difference > 0) != (last > 0);
        last = difference;
    }
    return n;
}

static void crosses_as_often(int64_t t)
{
    ck_assert_int_eq(crossings(t), found.n);
}

START_TEST(a_scan_finds_no_other)
{
    every_token(&variants[_i], 4, crosses_as_often);
}
END_TEST

/* J (D,D) of the token's map at y, by central differences. */
static void jacobian(int64_t t, const double *y, double *J)
{
    const double step = 1e-6;
    for (int j = 0; j < D; j++) {
        double moved[D], up[D], down[D];
        memcpy(moved, y, sizeof moved);
        moved[j] = y[j] + step;
        apply(t, moved, up);
        moved[j] = y[j] - step;
        apply(t, moved, down);
        for (int i = 0; i < D; i++)
            J[i * D + j] = (up[i] - down[i]) / (2 * step);
    }
}

/* Newton's method in d numbers; whether it got to a fixed point. */
static bool newton(int64_t t, double *y)
{
    for (int l = 0; l < 60; l++) {
        double J[D * D], next[D], size = 0;
        apply(t, y, next);
        if (distance_max(y, next, D) <= 1e-11)
            return true;
        jacobian(t, y, J);
        for (int i = 0; i < D; i++) {
            next[i] -= y[i];
            for (int j = 0; j < D; j++)
                J[i * D + j] = (i == j) - J[i * D + j];
        }
        if (!lapack_solve(D, J, next))
            return false;
        for (int i = 0; i < D; i++)
            size = fmax(size, fabs(next[i]));
        for (int i = 0; i < D; i++)
            y[i] += next[i] * fmin(1, 4 / size);
    }
    return false;
}

/* Every start of many leads to one that is listed; and each of these is found by some start, where starts cover the space. */
static void newton_finds_the_same(int64_t t)
{
    enum { STARTS = 200 };
    bool seen[2 * R_MOST + 1] = {false};
    unsigned state = 1;
    for (int start = 0; start < STARTS; start++) {
        double y[D];
        for (int i = 0; i < D; i++) {
            state = state * 1664525u + 1013904223u;
            y[i] = 6 * ((double)(state >> 8) / (1 << 24) - 0.5);
        }
        if (!newton(t, y))
            continue;
        double distance;
        int at = fixed_points_at(&sequence.problem, &found, y, 1e-6, &distance);
        ck_assert_msg(at >= 0, "seed, t %lld: a fixed point that is not listed, %g from the nearest of %d", (long long)t, distance,
                      found.n);
        seen[at] = true;
    }
    for (int i = 0; i < found.n && equation.r <= 2; i++)
        ck_assert_msg(seen[i], "t %lld: no start leads to fixed point %d of %d, sd %g", (long long)t, i, found.n,
                      found.point[i].sd);
}

START_TEST(newton_finds_no_other)
{
    every_token(&variants[_i], 2, newton_finds_the_same);
}
END_TEST

/* ---- Which attract -------------------------------------------------------------------------------------------------------------- */

static void jacobian_agrees(int64_t t)
{
    for (int i = 0; i < found.n; i++) {
        double J[D * D];
        jacobian(t, found.point[i].y, J);
        ck_assert_double_eq_tol(lapack_radius(D, J), found.point[i].rho, 1e-4 * (1 + found.point[i].rho));
    }
}

START_TEST(stability_is_that_of_the_jacobian)
{
    every_token(&variants[_i], 4, jacobian_agrees);
}
END_TEST

/* The iteration from a disturbed fixed point comes back to it, or leaves it. */
static void attracts(int64_t t)
{
    for (int i = 0; i < found.n; i++) {
        const struct fixed_point *point = &found.point[i];
        double y[D], next[D], most = 0;
        for (int k = 0; k < D; k++)
            y[k] = point->y[k] + 1e-5 * (k % 3 - 1 + 0.1 * k);
        double start = distance_max(y, point->y, D);
        for (int l = 0; l < 3000 && most < 30 * start; l++) {
            apply(t, y, next);
            memcpy(y, next, sizeof y);
            most = fmax(most, distance_max(y, point->y, D));
        }
        if (point->rho < 0.98)
            ck_assert_double_le(distance_max(y, point->y, D), 1e-3 * start);
        if (point->rho > 1.02)
            ck_assert_double_ge(most, 2 * start);
    }
}

START_TEST(they_attract_as_they_say)
{
    every_token(&variants[_i], 4, attracts);
}
END_TEST

/* ---- The token's own iteration -------------------------------------------------------------------------------------------------- */

/* In r numbers it is the one in d. */
static void iterates_agree(int64_t t)
{
    double g[R_MOST], next_g[R_MOST], y[D] = {0}, next[D], other[D];
    token_equation_of(&equation, NULL, g);
    for (int l = 0; l < 30; l++) {
        apply(t, y, next);
        token_equation_output(&equation, g, other);
        ck_assert_double_le(distance_max(other, next, D), 1e-9);
        memcpy(y, other, sizeof y);
        token_equation_step(&equation, g, next_g);
        token_equation_of(&equation, y, g);
        for (int i = 0; i < equation.r; i++)
            ck_assert_double_eq_tol(g[i], next_g[i], 1e-9 * (1 + fabs(g[i])));
    }
    if (token_equation_iterate(&equation, 20000, g) > 0) {
        token_equation_output(&equation, g, y);
        int at = fixed_points_at(&sequence.problem, &found, y, 1e-6, NULL);
        ck_assert(at >= 0 && found.point[at].rho < 1);
    } else {
        ck_assert(found.point[0].rho > 0.99 || found.n > 1);
    }
}

START_TEST(its_own_iteration_ends_on_one_of_them)
{
    every_token(&variants[_i], 5, iterates_agree);
}
END_TEST

/* ---- Degenerate ----------------------------------------------------------------------------------------------------------------- */

/* x, what comes from the state, and bias are 0: y = 0 is a fixed point, and each eigenvalue of A above the root of epsilon gives two
 * more, y and -y, whose standard deviation it is. */
START_TEST(nothing_to_start_from)
{
    for (int seed = 1; seed <= 20; seed++) {
        begin(&variants[_i], (uint64_t)seed);
        memset(sequence.owned[TENSOR_X], 0, sizeof(double) * D);
        memset(H, 0, sizeof(double) * D * N);
        look_at(0);
        double A[R_MOST * R_MOST], re[R_MOST], im[R_MOST], zero[D] = {0}, next[D];
        int expected = 1, r = (int)sequence.problem.r;
        memcpy(A, equation.A, (size_t)(r * r) * sizeof *A);
        ck_assert(lapack_eigen(r, A, re, im, NULL, NULL));
        for (int i = 0; i < r; i++)
            expected += 2 * (im[i] == 0 && re[i] > sqrt(1e-5));
        ck_assert_int_eq(found.n, expected);
        ck_assert_int_eq(found.eigenvalue, expected > 1);
        apply(0, zero, next);
        ck_assert_double_eq(norm_max(next, D), 0);
        for (int i = 0; i < found.n; i++) {
            double mirrored[D];
            for (int k = 0; k < D; k++)
                mirrored[k] = -found.point[i].y[k];
            ck_assert(norm_max(found.point[i].y, D) < 1e-9 ||
                      fixed_points_at(&sequence.problem, &found, mirrored, 1e-6, NULL) >= 0);
        }
    }
}
END_TEST

/* Along a path of tokens on which there are three at one end and one at the other, two of them fall into one somewhere: there, to the last
 * digit that tells, the number is even and says so; elsewhere it is odd. */
START_TEST(two_that_merge_are_noticed)
{
    begin(&variants[1], 1);
    double x[D], low = 1, high = 40;
    memcpy(x, sequence.inputs.x, sizeof x);
    for (int l = 0; l < 60; l++) {
        double middle = (low + high) / 2;
        for (int k = 0; k < D; k++)
            ((double *)sequence.owned[TENSOR_X])[k] = middle * x[k];
        look_at(0);
        ck_assert_int_eq(found.merged, found.n % 2 == 0);
        ck_assert(l > 20 || !found.merged);
        if (found.n > 1)
            low = middle;
        else
            high = middle;
    }
    ck_assert(low > 1 && high < 40);
}
END_TEST

Suite *suite_fixed_points(void)
{
    Suite *suite = suite_create("fixed_points");
    TCase *tests = tcase_create("fixed_points");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, NULL, forget);
    tcase_add_loop_test(tests, each_satisfies_the_textbook, 0, VARIANTS);
    tcase_add_loop_test(tests, there_is_an_odd_number, 0, VARIANTS);
    tcase_add_loop_test(tests, a_scan_finds_no_other, 0, 3);
    tcase_add_loop_test(tests, newton_finds_no_other, 3, VARIANTS);
    tcase_add_loop_test(tests, stability_is_that_of_the_jacobian, 0, VARIANTS);
    tcase_add_loop_test(tests, they_attract_as_they_say, 0, VARIANTS);
    tcase_add_loop_test(tests, its_own_iteration_ends_on_one_of_them, 0, VARIANTS);
    tcase_add_loop_test(tests, nothing_to_start_from, 0, VARIANTS);
    tcase_add_test(tests, two_that_merge_are_noticed);
    suite_add_tcase(suite, tests);
    return suite;
}
