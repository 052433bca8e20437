/* See reference.h. */
#include "tests/support/reference.h"

#include "bench/measure/subject.h"
#include "bench/problems/disturbance.h"
#include "bench/problems/textbook.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNITS 200.0
/* Near the rounding of the dtype: a state-dependent recurrence can be chaotic, and then amplifies small disturbances more than
 * large ones. */
static const double disturbances[DTYPE_COUNT] = {[DTYPE_FLOAT32] = 1e-7, [DTYPE_FLOAT64] = 1e-12};
enum { DISTURBANCES = 3 };

struct settings fixed_l(int64_t l)
{
    return (struct settings){.l_max = l, .quantile = 1, .damping = 1, .damping_factor = 0.9};
}

int choose_options(const struct implementation *one, int which, struct settings *settings)
{
    char text[256], *rest = text, *option, *words, *value;
    snprintf(text, sizeof text, "%s", one->options != NULL ? one->options : "");
    int ways = 1;
    settings->n_options = 0;
    while ((option = strtok_r(rest, " ", &rest)) != NULL) {
        const char *listed[8];
        int n = 0;
        for (words = strchr(option, '='), *words++ = '\0'; n < 8 && (value = strtok_r(words, "|", &words)) != NULL; n++)
            listed[n] = value;
        int choice = which / ways % (n + 1);
        ways *= n + 1;
        if (choice == n)
            continue;
        struct option *chosen = &settings->option[settings->n_options++];
        ck_assert_uint_lt(strlen(option), sizeof chosen->name);
        ck_assert_uint_lt(strlen(listed[choice]), sizeof chosen->value);
        strcpy(chosen->name, option);
        strcpy(chosen->value, listed[choice]);
    }
    return ways;
}

struct status run_variant(const struct implementation *implementation, const struct tensors *tensors,
                          const struct settings *settings, int threads, void *h, void *final, struct trace *trace)
{
    const struct environment environment = {.threads = threads};
    const struct outputs outputs = {.h = h, .final = final};
    struct plan *plan;
    struct status status = implementation->plan(&tensors->problem, settings, &environment, &plan);
    if (status.code == STATUS_OK)
        status = implementation_forward(implementation, plan, &tensors->inputs, &outputs, trace);
    implementation->destroy(plan);
    return status;
}

struct status reference_exact(const struct tensors *tensors, double *h)
{
    const struct implementation *lu = registry_get(registry_find("dense_sequential"), DTYPE_FLOAT64, LEVEL_BASELINE);
    struct settings settings = fixed_l(1);
    struct tensors as = tensors_as(tensors, DTYPE_FLOAT64);
    struct status status = run_variant(lu, &as, &settings, 1, h, NULL, NULL);
    tensors_free(&as);
    return status;
}

void reference_iterate(const struct tensors *tensors, int64_t l, double *h)
{
    struct error error;
    int64_t size = tensors->problem.T * tensors->problem.d;
    for (int64_t b = 0; b < tensors->problem.B; b++) {
        struct tensors sequence;
        ck_assert(tensors_sequence(tensors, b, &sequence, &error));
        ck_assert(textbook_iterate(&sequence.problem, &sequence.inputs, 1, l, h + b * size, NULL));
        tensors_free(&sequence);
    }
}

double distance_scaled(const struct tensors *tensors, const double *a, const double *b)
{
    int64_t n = tensors->problem.B * tensors->problem.T * tensors->problem.d;
    double *v = calloc((size_t)n, sizeof *v), most = 0;
    ck_assert_ptr_nonnull(v);
    to_doubles(tensors->problem.dtype, tensors->inputs.tensor[cell_facts[tensors->problem.cell].driven], 0, n, v);
    double size = fmax(norm_max(b, n), norm_max(v, n));
    for (int64_t i = 0; i < n; i++)
        most = isfinite(a[i]) && isfinite(b[i]) ? fmax(most, fabs(a[i] - b[i])) : INFINITY;
    free(v);
    return most / size;
}

static double tolerance(const struct tensors *tensors, int64_t l, const double *h, enum dtype dtype)
{
    int64_t n = tensors->problem.B * tensors->problem.T * tensors->problem.d;
    double *moved = calloc((size_t)n, sizeof *moved), sensitivity = 1;
    ck_assert_ptr_nonnull(moved);
    for (int64_t b = 0; b < tensors->problem.B; b++)
        for (uint64_t seed = 0; seed < DISTURBANCES; seed++) {
            struct tensors sequence, disturbed;
            struct error error;
            int64_t size = tensors->problem.T * tensors->problem.d;
            ck_assert(tensors_sequence(tensors, b, &sequence, &error));
            ck_assert(tensors_disturbed(&sequence, disturbances[dtype], seed, &disturbed, &error));
            struct status status = status_ok();
            if (l > 0)
                reference_iterate(&disturbed, l, moved);
            else
                status = reference_exact(&disturbed, moved);
            sensitivity = fmax(sensitivity, distance_scaled(&sequence, moved, h + b * size) / disturbances[dtype]);
            if (status.code != STATUS_OK)
                sensitivity = INFINITY;
            tensors_free(&disturbed);
            tensors_free(&sequence);
        }
    free(moved);
    return UNITS * (dtype == DTYPE_FLOAT32 ? 0x1p-24 : 0x1p-53) * sensitivity;
}

double tolerance_exact(const struct tensors *tensors, const double *h, enum dtype dtype)
{
    return tolerance(tensors, 0, h, dtype);
}

double tolerance_iterate(const struct tensors *tensors, int64_t l, const double *h, enum dtype dtype)
{
    return tolerance(tensors, l, h, dtype);
}
