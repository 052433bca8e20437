/* See gradients.h. */
#include "tests/support/gradients.h"

#include "tests/support/allocations.h"
#include "tests/support/complex_delta.h"
#include "tests/support/complex_heads.h"
#include "tests/support/complex_map.h"
#include "tests/support/complex_selective.h"
#include "tests/support/room.h"

#include "bench/base/random.h"
#include "bench/measure/subject.h"
#include "bench/problems/textbook.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct loss loss_draw(const struct problem *p, uint64_t seed)
{
    int64_t n = p->B * p->T * p->d, last = final_elements(p);
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
    void *h_weights = as_dtype(p->dtype, loss->h, n), *final_weights = as_dtype(p->dtype, loss->final, final_elements(p));
    tensor_sizes(p, sizes);
    *values = (struct gradient_values){.h = room(n, sizeof(double))};
    for (int i = 0; i < TENSORS_MAX; i++)
        if (sizes[i] > 0 && (wanted >> i & 1)) {
            raw[i] = room(sizes[i], dtype_size(p->dtype));
            memset(raw[i], 0xff, (size_t)sizes[i] * dtype_size(p->dtype)); /* NaN */
            values->of[i] = room(sizes[i], sizeof(double));
        }
    const struct outputs outputs = {.h = h}, weights = {.h = h_weights, .final = final_weights};
    struct gradients gradients;
    memcpy(gradients.tensor, raw, sizeof raw);
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

/* ---- Derivatives by complex steps ---------------------------------------------------------------------------------------------- */

/* What is differentiated: the exact answer, or, with steps > 0, f^steps at h (B,T,d). */
struct question {
    const struct tensors *tensors;
    const struct loss *loss;
    int64_t steps;
    const double *from;
    double complex *x[TENSORS_MAX]; /* the tensors of all sequences: what moves */
    double complex *h, *next;       /* (T,d) scratch */
    double complex *final;          /* of one sequence */
    bool *unsettled;                /* becomes true where there is no exact answer; NULL: the test ends there */
};

/* Tensor id of sequence b; NULL where the problem has none. */
static double complex *tensor_at(const struct question *q, enum tensor_id id, int64_t b)
{
    const struct problem *p = &q->tensors->problem;
    return tensor_elements(p, id) == 0 ? NULL : q->x[id] + (tensor_of_batch(p, id) ? b * tensor_of_sequence(p, id) : 0);
}

static void states_vector(const struct question *q, int64_t b)
{
    struct problem p = q->tensors->problem;
    int64_t size = p.T * p.d;
    double complex *h = q->h, *next = q->next;
    const struct complex_inputs inputs = {.v = tensor_at(q, TENSOR_V, b),
                                          .lambda = tensor_at(q, TENSOR_LAMBDA, b),
                                          .theta = tensor_at(q, TENSOR_THETA, b),
                                          .W = tensor_at(q, TENSOR_W, b),
                                          .h0 = tensor_at(q, TENSOR_H0, b)};
    if (q->steps == 0)
        complex_exact(&p, &inputs, h);
    for (int64_t k = 0; k < q->steps; k++) {
        complex_apply(&p, &inputs, h, next);
        memcpy(h, next, (size_t)size * sizeof *h);
    }
    memcpy(q->final, h + size - p.d, (size_t)p.d * sizeof *h);
}

static void states_selective(const struct question *q, int64_t b)
{
    struct complex_selective inputs;
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++)
        inputs.tensor[id] = tensor_at(q, id, b);
    bool settles = q->steps > 0 || complex_selective_exact(&q->tensors->problem, &inputs, q->h, q->final);
    ck_assert_msg(settles || q->unsettled != NULL,
                  "sequence %lld has a token whose own iteration does not settle: no exact answer to differentiate", (long long)b);
    if (!settles)
        *q->unsettled = true;
    for (int64_t k = 0; k < q->steps; k++) {
        complex_selective_apply(&q->tensors->problem, &inputs, q->h, q->next, q->final);
        memcpy(q->h, q->next, (size_t)(q->tensors->problem.T * q->tensors->problem.d) * sizeof *q->h);
    }
}

static void states_delta(const struct question *q, int64_t b)
{
    struct complex_delta inputs;
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++)
        inputs.tensor[id] = tensor_at(q, id, b);
    complex_delta_run(&q->tensors->problem, &inputs, MISTAKE_NONE, q->h, q->final);
}

static void states_heads(const struct question *q, int64_t b)
{
    struct complex_heads inputs;
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++)
        inputs.tensor[id] = tensor_at(q, id, b);
    complex_heads_run(&q->tensors->problem, &inputs, HEADS_RIGHT, q->h, q->final);
}

static void (*const states_of[CELL_COUNT])(const struct question *, int64_t b) = {
    [CELL_VECTOR] = states_vector,
    [CELL_SELECTIVE] = states_selective,
    [CELL_DELTA] = states_delta,
    [CELL_SELECTIVE_HEADS] = states_heads,
};

/* q->h and q->final = the states of sequence b. */
static void states(const struct question *q, int64_t b)
{
    const struct problem *p = &q->tensors->problem;
    int64_t size = p->T * p->d;
    for (int64_t i = 0; i < size && q->steps > 0; i++)
        q->h[i] = q->from[b * size + i];
    states_of[p->cell](q, b);
}

/* The imaginary part of the loss of sequence b, over the step. */
static double evaluate(const struct question *q, int64_t b)
{
    const struct problem *p = &q->tensors->problem;
    int64_t size = p->T * p->d, last = final_elements(p) / p->B;
    double complex sum = 0;
    states(q, b);
    for (int64_t i = 0; i < size; i++)
        sum += q->h[i] * q->loss->h[b * size + i];
    for (int64_t i = 0; i < last; i++)
        sum += q->final[i] * q->loss->final[b * last + i];
    return cimag(sum) / COMPLEX_STEP;
}

/* An initial state of zero where none is given: its gradient is asked for all the same. */
static void begin(struct question *q, int64_t sizes[TENSORS_MAX])
{
    const struct problem *p = &q->tensors->problem;
    tensor_sizes(p, sizes);
    for (int i = 0; i < TENSORS_MAX; i++) {
        const double *given = q->tensors->owned[i];
        q->x[i] = room(sizes[i], sizeof *q->x[i]);
        for (int64_t k = 0; k < sizes[i]; k++)
            q->x[i][k] = given != NULL ? given[k] : 0;
    }
    q->h = room(p->T * p->d, sizeof *q->h);
    q->next = room(p->T * p->d, sizeof *q->next);
    q->final = room(final_elements(p) / p->B, sizeof *q->final);
}

static void end(struct question *q)
{
    for (int i = 0; i < TENSORS_MAX; i++)
        free(q->x[i]);
    free(q->h);
    free(q->next);
    free(q->final);
}

/* Every number of every tensor in turn, and of the sequences that it is part of the loss. */
static void differentiate(struct question *q, struct gradient_values *values)
{
    int64_t sizes[TENSORS_MAX], B = q->tensors->problem.B;
    *values = (struct gradient_values){0};
    begin(q, sizes);
    for (int i = 0; i < TENSORS_MAX; i++) {
        if (sizes[i] > 0)
            values->of[i] = room(sizes[i], sizeof(double));
        for (int64_t k = 0; k < sizes[i]; k++) {
            bool own = tensor_of_batch(&q->tensors->problem, (enum tensor_id)i); /* else it is everyone's */
            int64_t from = own ? k / (sizes[i] / B) : 0, to = own ? from + 1 : B;
            q->x[i][k] += COMPLEX_STEP * I;
            for (int64_t b = from; b < to; b++)
                values->of[i][k] += evaluate(q, b);
            q->x[i][k] = creal(q->x[i][k]);
        }
    }
    end(q);
}

void gradient_states(const struct tensors *tensors, int64_t n, const double *from, double *h)
{
    struct question q = {.tensors = tensors, .steps = n, .from = from};
    int64_t sizes[TENSORS_MAX], size = tensors->problem.T * tensors->problem.d;
    begin(&q, sizes);
    for (int64_t b = 0; b < tensors->problem.B; b++) {
        states(&q, b);
        for (int64_t i = 0; i < size; i++)
            h[b * size + i] = creal(q.h[i]);
    }
    end(&q);
}

bool gradient_settles(const struct tensors *tensors)
{
    bool unsettled = false;
    struct question q = {.tensors = tensors, .unsettled = &unsettled};
    int64_t sizes[TENSORS_MAX];
    begin(&q, sizes);
    for (int64_t b = 0; b < tensors->problem.B; b++)
        states(&q, b);
    end(&q);
    return !unsettled;
}

void gradient_expect_exact(const struct tensors *tensors, const struct loss *loss, struct gradient_values *values)
{
    struct question q = {.tensors = tensors, .loss = loss};
    differentiate(&q, values);
}

void gradient_expect_steps(const struct tensors *tensors, const struct loss *loss, int64_t n, const double *h,
                           struct gradient_values *values)
{
    struct question q = {.tensors = tensors, .loss = loss, .steps = n, .from = h};
    differentiate(&q, values);
}

/* The same with the least share of the largest of all that a tensor is measured by. */
static double distance(const struct problem *p, const struct gradient_values *values, const struct gradient_values *expected,
                       double share, int *which)
{
    int64_t sizes[TENSORS_MAX];
    double most = 0, all = 0;
    tensor_sizes(p, sizes);
    *which = 0;
    for (int i = 0; i < TENSORS_MAX; i++)
        all = fmax(all, sizes[i] > 0 ? norm_max(expected->of[i], sizes[i]) : 0);
    for (int i = 0; i < TENSORS_MAX; i++) {
        double difference = 0, size = sizes[i] > 0 ? fmax(norm_max(expected->of[i], sizes[i]), share * all) : 1;
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

double gradient_distance(const struct problem *p, const struct gradient_values *values, const struct gradient_values *expected,
                         int *which)
{
    return distance(p, values, expected, 1e-8, which);
}

double gradient_error(const struct problem *p, const struct gradient_values *values, const struct gradient_values *expected,
                      int *which)
{
    return distance(p, values, expected, 1e-3, which);
}
