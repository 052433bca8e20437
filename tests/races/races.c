/* Every implementation that is named, over the shared lists of cases of all cells, with 2 and 3 threads and every way to divide the work: to be
 * built with ThreadSanitizer, which ends the process with a report where two threads reach for the same memory unordered. What is
 * computed is checked elsewhere (test_implementations.c). Also draws problems, which threads do as well.
 *
 *   races IMPLEMENTATION... */
#include "bench/measure/cache.h"
#include "bench/sweep/point.h"
#include "impls/contract/support.h"
#include "tests/support/delta_cases.h"
#include "tests/support/heads_cases.h"
#include "tests/support/reference.h"
#include "tests/support/selective_cases.h"

#include <check.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int threads[] = {2, 3};

/* Without an option of its own, and with each "split=" of the scans. */
static const char *const splits[] = {NULL, "batch", "channels", "time"};

/* So many iterations; until a tolerance, damped whenever it does not come nearer; the same by a constant factor. */
static const struct settings settings_of[] = {
    {.l_max = 3, .quantile = 1, .damping = 1, .damping_factor = 0.9},
    {.l_max = 6, .tolerance = 1e-3, .quantile = 0.5, .damping = 0.9, .damping_factor = 0.5, .patience = 1},
    {.l_max = 6, .tolerance = 1e-3, .quantile = 0.5, .damping = 0.9, .damping_factor = 0.5},
};

enum { SETTINGS = sizeof settings_of / sizeof settings_of[0], SPLITS = sizeof splits / sizeof splits[0] };

static long ran;

/* The gradient of a sum at h (B,T,d), which forward() left, if the variant has it. */
static void run_gradient(const struct implementation *one, const struct tensors *tensors, const struct settings *without, int n,
                         enum gradient gradient, void *h)
{
    const struct problem *p = &tensors->problem;
    const struct environment environment = {.threads = n};
    struct settings settings = *without;
    struct support support;
    settings.gradient = gradient;
    settings.gradient_steps = 2;
    one->supports(p, &settings, &environment, &support);
    if (!support.yes || !(one->gradients & (unsigned)gradient))
        return;
    int64_t sizes[TENSORS_MAX];
    void *to[TENSORS_MAX] = {0};
    tensor_sizes(p, sizes);
    for (int i = 0; i < TENSORS_MAX; i++)
        if (sizes[i] > 0)
            ck_assert_ptr_nonnull(to[i] = malloc((size_t)sizes[i] * dtype_size(p->dtype)));
    const struct outputs outputs = {.h = h}, weights = {.h = h};
    struct gradients gradients;
    memcpy(gradients.tensor, to, sizeof to);
    struct plan *plan;
    ck_assert_int_eq(one->plan(p, &settings, &environment, &plan).code, STATUS_OK);
    one->backward(plan, &tensors->inputs, &outputs, &weights, &gradients);
    one->destroy(plan);
    ran++;
    for (int i = 0; i < TENSORS_MAX; i++)
        free(to[i]);
}

/* Runs one variant once, if it takes the problem. */
static void run_once(const struct implementation *one, const struct tensors *tensors, const struct settings *settings, int n)
{
    const struct problem *p = &tensors->problem;
    const struct environment environment = {.threads = n};
    struct support support;
    struct option option;
    for (int i = 0; i < settings->n_options; i++) {
        option = settings->option[i];
        if (!option_allowed(one->options, &option))
            return;
    }
    one->supports(p, settings, &environment, &support);
    if (!support.yes)
        return;
    size_t size = dtype_size(p->dtype);
    void *h = malloc((size_t)(p->B * p->T * p->d) * size), *final = malloc((size_t)final_elements(p) * size);
    int64_t *l = calloc((size_t)p->B, sizeof *l);
    double *residual = calloc((size_t)(settings->l_max * p->B), sizeof *residual);
    struct trace trace = {.l = l, .residual = residual};
    ck_assert(h != NULL && final != NULL && l != NULL && residual != NULL);
    run_variant(one, tensors, settings, n, h, final, &trace);
    ran++;
    for (enum gradient gradient = GRADIENT_EXACT; gradient <= GRADIENT_STEPS; gradient++)
        run_gradient(one, tensors, settings, n, gradient, h);
    free(h);
    free(final);
    free(l);
    free(residual);
}

static void run_case(const struct implementation *one, const struct tensors *tensors)
{
    for (int k = 0; k < SETTINGS; k++)
        for (int split = 0; split < SPLITS; split++) {
            struct settings settings = settings_of[k];
            if (splits[split] != NULL) {
                snprintf(settings.option[0].name, sizeof settings.option[0].name, "split");
                snprintf(settings.option[0].value, sizeof settings.option[0].value, "%s", splits[split]);
                settings.n_options = 1;
            }
            for (size_t n = 0; n < sizeof threads / sizeof threads[0]; n++)
                run_once(one, tensors, &settings, threads[n]);
        }
}

/* A drawn problem of a mixer, tokens shared among threads. */
static void draw(enum mixer mixer, int n)
{
    struct point point = {0};
    struct tensors tensors;
    struct error error;
    omp_set_num_threads(n);
    for (int field = 0; field < FIELD_COUNT; field++)
        if (fields[field].default_text != NULL)
            field_read(field, fields[field].default_text, &point.value[field]);
    field_read(FIELD_IMPLEMENTATION, "fixed_point", &point.value[FIELD_IMPLEMENTATION]);
    field_read(FIELD_MEASURE, "convergence", &point.value[FIELD_MEASURE]);
    field_read(FIELD_T, "9", &point.value[FIELD_T]);
    field_read(FIELD_D, "8", &point.value[FIELD_D]);
    field_read(FIELD_MIXER, mixer_names[mixer], &point.value[FIELD_MIXER]);
    field_read(FIELD_INITIAL, "drawn", &point.value[FIELD_INITIAL]);
    point_canonical(&point);
    ck_assert_msg(tensors_make(&point, NULL, NULL, &tensors, &error), "%s", error.text);
    tensors_free(&tensors);
    ran++;
}

/* All cases of the implementation for one cell, in both dtypes. */
static void run_cell(int index, enum cell cell, int cases, struct test_case (*get)(int),
                     struct tensors (*make)(const struct test_case *, uint64_t))
{
    for (int k = 0; k < cases; k++) {
        struct test_case test = get(k);
        struct tensors drawn = make(&test, 13);
        for (enum dtype dtype = 0; dtype < DTYPE_COUNT; dtype++) {
            struct tensors tensors = tensors_as(&drawn, dtype);
            run_case(registry_get_for(index, cell, dtype, LEVEL_BASELINE), &tensors);
            tensors_free(&tensors);
        }
        tensors_free(&drawn);
    }
}

static struct tensors delta_drawn(const struct test_case *test, uint64_t seed)
{
    return delta_tensors(test, (struct delta_edge){NAN, NAN}, seed);
}

static struct tensors heads_drawn(const struct test_case *test, uint64_t seed)
{
    return heads_tensors(test, HEADS_DRAWN, seed);
}

static void run_all(const char *name)
{
    int index = registry_find(name);
    ck_assert_msg(index >= 0, "there is no %s", name);
    run_cell(index, CELL_VECTOR, cases_count(), cases_get, case_tensors);
    run_cell(index, CELL_SELECTIVE, selective_cases_count(), selective_cases_get, selective_tensors);
    run_cell(index, CELL_DELTA, delta_cases_count(), delta_cases_get, delta_drawn);
    run_cell(index, CELL_SELECTIVE_HEADS, heads_cases_count(), heads_cases_get, heads_drawn);
}

static char **names; /* NULL at the end */

START_TEST(races)
{
    for (char **name = names; *name != NULL; name++)
        run_all(*name);
    for (enum mixer mixer = 0; mixer < MIXER_COUNT; mixer++)
        for (size_t n = 0; n < sizeof threads / sizeof threads[0]; n++)
            draw(mixer, threads[n]);
}
END_TEST

int main(int argc, char **argv)
{
    names = argv + (argc > 0);
    Suite *suite = suite_create("races");
    TCase *tests = tcase_create("races");
    tcase_add_test(tests, races);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* the cases assert, but what is looked for is this process's own */
    srunner_run_all(runner, CK_NORMAL);
    bool good = srunner_ntests_failed(runner) == 0 && ran > 0;
    srunner_free(runner);
    printf("%ld runs\n", ran);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
