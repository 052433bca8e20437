/* See gradients.h. */
#include "tests/support/gradients.h"

#include "tests/support/allocations.h"

#include "bench/base/random.h"
#include "bench/measure/subject.h"
#include "bench/problems/textbook.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *room(int64_t n, size_t size)
{
    void *memory = calloc((size_t)n + 1, size);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

struct loss loss_draw(const struct problem *p, uint64_t seed)
{
    int64_t n = p->B * p->T * p->d, last = p->B * p->d;
    struct loss loss = {.h = room(n, sizeof(double)), .final = room(last, sizeof(double))};
    for (int64_t i = 0; i < n; i++)
        loss.h[i] = random_normal(seed, 10, (uint64_t)i);
    for (int64_t i = 0; i < last; i++)
        loss.final[i] = random_normal(seed, 11, (uint64_t)i);
    return loss;
}

void loss_free(struct loss *loss)
{
    free(loss->h);
    free(loss->final);
}

void gradient_values_free(struct gradient_values *values)
{
    for (int i = 0; i < TENSORS_MAX; i++)
        free(values->of[i]);
    free(values->h);
    *values = (struct gradient_values){0};
}

/* n doubles as the dtype has them. */
static void *as_dtype(enum dtype dtype, const double *values, int64_t n)
{
    if (values == NULL)
        return NULL;
    void *as = room(n, dtype_size(dtype));
    for (int64_t i = 0; i < n && dtype == DTYPE_FLOAT32; i++)
        ((float *)as)[i] = (float)values[i];
    if (dtype == DTYPE_FLOAT64)
        memcpy(as, values, (size_t)n * sizeof *values);
    return as;
}

struct status gradient_run_some(const struct implementation *one, const struct tensors *tensors, const struct settings *settings,
                                int threads, const struct loss *loss, unsigned wanted, struct gradient_values *values)
{
    const struct problem *p = &tensors->problem;
    const struct environment environment = {.threads = threads};
    int64_t sizes[TENSORS_MAX], n = p->B * p->T * p->d;
    void *raw[TENSORS_MAX] = {0}, *h = room(n, dtype_size(p->dtype));
    void *h_weights = as_dtype(p->dtype, loss->h, n), *final_weights = as_dtype(p->dtype, loss->final, p->B * p->d);
    tensor_sizes(p, sizes);
    *values = (struct gradient_values){.h = room(n, sizeof(double))};
    for (int i = 0; i < TENSORS_MAX; i++)
        if (sizes[i] > 0 && (wanted >> i & 1)) {
            raw[i] = room(sizes[i], dtype_size(p->dtype));
            memset(raw[i], 0xff, (size_t)sizes[i] * dtype_size(p->dtype)); /* NaN */
            values->of[i] = room(sizes[i], sizeof(double));
        }
    const struct outputs outputs = {.h = h}, weights = {.h = h_weights, .final = final_weights};
    const struct gradients gradients = {raw[0], raw[1], raw[2], raw[3], raw[4]};
    struct plan *plan;
    long allocated = 0;
    struct status status = one->plan(p, settings, &environment, &plan);
    if (status.code == STATUS_OK)
        status = implementation_forward(one, plan, &tensors->inputs, &outputs, NULL);
    if (status.code == STATUS_OK || status.code == STATUS_NOT_CONVERGED) {
        allocated = allocations();
        status = one->backward(plan, &tensors->inputs, &outputs, &weights, &gradients);
        allocated = allocations() - allocated;
    }
    one->destroy(plan);
    ck_assert_msg(allocated == 0 || strncmp(one->name, "planted", 7) == 0, "%s: backward() allocates", one->name);
    to_doubles(p->dtype, h, 0, n, values->h);
    for (int i = 0; i < TENSORS_MAX; i++) {
        if (raw[i] != NULL)
            to_doubles(p->dtype, raw[i], 0, sizes[i], values->of[i]);
        free(raw[i]);
    }
    free(h);
    free(h_weights);
    free(final_weights);
    return status;
}

struct status gradients_from(const struct implementation *one, const struct tensors *tensors, const struct settings *settings,
                             int threads, const struct loss *loss, struct gradient_values *values)
{
    return gradient_run_some(one, tensors, settings, threads, loss, GRADIENTS_ALL, values);
}

/* ---- Differences ------------------------------------------------------------------------------------------------------------ */

/* What is differentiated. */
struct question {
    const struct loss *loss;
    int64_t steps;      /* 0: the exact answer */
    const double *from; /* (B,T,d) where the steps begin */
    double *h, *next;   /* (B,T,d) scratch */
};

static void steps(const struct tensors *tensors, const struct question *q)
{
    struct problem p = tensors->problem;
    const struct inputs *all = &tensors->inputs;
    int64_t m = problem_m(&p), size = p.T * p.d, B = p.B;
    p.B = 1;
    memcpy(q->h, q->from, (size_t)(B * size) * sizeof *q->h);
    for (int64_t b = 0; b < B; b++) {
        const struct inputs inputs = {.v = (const double *)all->v + b * size,
                                      .lambda = (const double *)all->lambda + b * size,
                                      .theta = all->theta != NULL ? (const double *)all->theta + b * p.T * m : NULL,
                                      .W = all->W,
                                      .h0 = all->h0 != NULL ? (const double *)all->h0 + b * p.d : NULL};
        for (int64_t k = 0; k < q->steps; k++) {
            ck_assert(textbook_apply(&p, &inputs, q->h + b * size, q->next));
            memcpy(q->h + b * size, q->next, (size_t)size * sizeof *q->h);
        }
    }
}

static double evaluate(const struct tensors *tensors, const struct question *q)
{
    const struct problem *p = &tensors->problem;
    double sum = 0;
    if (q->steps > 0)
        steps(tensors, q);
    else
        ck_assert_int_eq(reference_exact(tensors, q->h).code, STATUS_OK);
    for (int64_t b = 0; b < p->B; b++)
        for (int64_t i = 0; i < p->T * p->d; i++) {
            int64_t last = i - (p->T - 1) * p->d;
            sum +=
                q->h[b * p->T * p->d + i] * (q->loss->h[b * p->T * p->d + i] + (last >= 0 ? q->loss->final[b * p->d + last] : 0));
        }
    return sum;
}

/* The tensors with an initial state, zero where none is given: its gradient is asked for all the same. */
static struct tensors with_initial(const struct tensors *tensors)
{
    struct tensors copy = tensors_as(tensors, DTYPE_FLOAT64);
    if (copy.owned[4] == NULL)
        copy.inputs.h0 = copy.owned[4] = room(copy.problem.B * copy.problem.d, sizeof(double));
    return copy;
}

static void differentiate(const struct tensors *tensors, const struct question *q, struct gradient_values *values)
{
    int64_t sizes[TENSORS_MAX];
    struct tensors moved = with_initial(tensors);
    tensor_sizes(&tensors->problem, sizes);
    *values = (struct gradient_values){0};
    for (int i = 0; i < TENSORS_MAX; i++) {
        double *x = moved.owned[i], step = x != NULL && sizes[i] > 0 ? 2e-5 * norm_max(x, sizes[i]) : 0;
        if (step == 0)
            step = 1e-7; /* k(h) of a zero state with rms feedback turns at 1e-3 */
        if (sizes[i] > 0)
            values->of[i] = room(sizes[i], sizeof(double));
        for (int64_t k = 0; x != NULL && k < sizes[i]; k++) {
            double here = x[k], sum = 0;
            for (int width = 1; width <= 2; width++) { /* 8 (f(1) - f(-1)) - (f(2) - f(-2)) */
                x[k] = here + width * step;
                double above = evaluate(&moved, q);
                x[k] = here - width * step;
                sum += (width == 1 ? 8 : -1) * (above - evaluate(&moved, q));
            }
            x[k] = here;
            values->of[i][k] = sum / (12 * step);
        }
    }
    tensors_free(&moved);
}

static void expect(const struct tensors *tensors, const struct loss *loss, int64_t n, const double *h,
                   struct gradient_values *values)
{
    int64_t size = tensors->problem.B * tensors->problem.T * tensors->problem.d;
    struct question q = {loss, n, h, room(size, sizeof(double)), room(size, sizeof(double))};
    differentiate(tensors, &q, values);
    free(q.h);
    free(q.next);
}

void gradient_expect_exact(const struct tensors *tensors, const struct loss *loss, struct gradient_values *values)
{
    expect(tensors, loss, 0, NULL, values);
}

void gradient_expect_steps(const struct tensors *tensors, const struct loss *loss, int64_t n, const double *h,
                           struct gradient_values *values)
{
    expect(tensors, loss, n, h, values);
}

double gradient_distance(const struct problem *p, const struct gradient_values *values, const struct gradient_values *expected,
                         int *which)
{
    int64_t sizes[TENSORS_MAX];
    double most = 0, all = 0;
    tensor_sizes(p, sizes);
    *which = 0;
    for (int i = 0; i < TENSORS_MAX; i++)
        all = fmax(all, sizes[i] > 0 ? norm_max(expected->of[i], sizes[i]) : 0);
    for (int i = 0; i < TENSORS_MAX; i++) {
        double difference = 0, size = sizes[i] > 0 ? fmax(norm_max(expected->of[i], sizes[i]), 1e-8 * all) : 1;
        for (int64_t k = 0; k < sizes[i]; k++) {
            double x = fabs(values->of[i][k] - expected->of[i][k]);
            difference = x <= difference ? difference : isnan(x) ? INFINITY : x;
        }
        if (difference / size > most) {
            most = difference / size;
            *which = i;
        }
    }
    return most;
}
