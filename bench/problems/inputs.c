/* See inputs.h. */
#include "bench/problems/inputs.h"

#include "bench/base/random.h"
#include "bench/problems/fresh.h"
#include "bench/problems/regime.h"
#include "bench/problems/tensor_place.h"
#include "bench/problems/words.h"

#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether a problem has a tensor; initial: whether initial states are not zero. */
static bool tensor_used(const struct problem *p, enum tensor_id id, bool initial)
{
    return tensor_elements(p, id) > 0 && (initial || !tensor_row(p, id)->initial);
}

/* n elements from one dtype to another. */
static void convert(enum dtype to_dtype, void *to, enum dtype from_dtype, const void *from, int64_t n)
{
    if (to_dtype == from_dtype)
        memcpy(to, from, (size_t)n * dtype_size(to_dtype));
    else if (to_dtype == DTYPE_FLOAT32)
        for (int64_t i = 0; i < n; i++)
            ((float *)to)[i] = (float)((const double *)from)[i];
    else
        for (int64_t i = 0; i < n; i++)
            ((double *)to)[i] = ((const float *)from)[i];
}

/* Room for one tensor. */
static bool allocate_one(struct tensors *tensors, enum tensor_id id, struct error *error)
{
    const struct problem *p = &tensors->problem;
    tensors->owned[id] = memory_allocate(tensor_elements(p, id), dtype_size(p->dtype));
    if (tensors->owned[id] == NULL)
        return fail(error, "out of memory for %s (%zu bytes)", tensor_names[id],
                    (size_t)tensor_elements(p, id) * dtype_size(p->dtype));
    tensors->inputs.tensor[id] = tensors->owned[id];
    return true;
}

/* Room for every tensor that the problem uses. */
static bool allocate(struct tensors *tensors, bool initial, struct error *error)
{
    bool good = true;
    for (enum tensor_id id = 0; id < TENSORS_MAX && good; id++)
        good = !tensor_used(&tensors->problem, id, initial) || allocate_one(tensors, id, error);
    return good;
}

/* ---- Drawn ------------------------------------------------------------------------------------------------------------------ */

static void sample_normal(const struct tensors *tensors, uint64_t seed, enum tensor_id id, uint32_t stream, double scale)
{
    enum dtype dtype = tensors->problem.dtype;
    void *to = tensors->owned[id];
    int64_t n = to != NULL ? tensor_elements(&tensors->problem, id) : 0;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++) {
        double x = scale * random_normal(seed, stream, (uint64_t)i);
        convert(dtype, (char *)to + (size_t)i * dtype_size(dtype), DTYPE_FLOAT64, &x, 1);
    }
}

/* kappa of one token: the one asked for, or half of it on all tokens but one of each sequence. */
static double token_kappa(const struct regime *regime, int64_t T, int64_t token)
{
    if (!regime->one_token)
        return regime->kappa;
    int64_t place = (int64_t)(random_uniform(regime->seed, STREAM_PLACE, (uint64_t)(token / T)) * (double)T);
    return token % T != place ? regime->kappa / 2 : regime->kappa;
}

static bool sample_tokens(const struct regime *asked, struct tensors *tensors, struct error *error)
{
    const struct problem *p = &tensors->problem;
    int64_t tokens = p->B * p->T, d = p->d, m = problem_m(p);
    size_t size = dtype_size(p->dtype);
    bool good = true;
#pragma omp parallel
    {
        double *theta = malloc((size_t)(m + d + regime_scratch(p)) * sizeof *theta);
        struct regime regime = *asked;
        struct error local = {.text = "out of memory"};
        bool mine = theta != NULL, beyond = false;
        double *lambda = mine ? theta + m : NULL;
#pragma omp for schedule(static)
        for (int64_t i = 0; i < tokens; i++) {
            regime.kappa = token_kappa(asked, p->T, i);
            enum regime_outcome outcome =
                mine ? regime_token(p, &regime, i, theta, lambda, theta + m + d, &local) : REGIME_NO_MEMORY;
            mine = outcome == REGIME_SAMPLED;
            beyond = beyond || outcome == REGIME_OUT_OF_REACH;
            if (mine) {
                convert(p->dtype, (char *)tensors->owned[TENSOR_LAMBDA] + (size_t)(i * d) * size, DTYPE_FLOAT64, lambda, d);
                if (m > 0)
                    convert(p->dtype, (char *)tensors->owned[TENSOR_THETA] + (size_t)(i * m) * size, DTYPE_FLOAT64, theta, m);
            }
        }
        free(theta);
        if (!mine) {
#pragma omp critical
            {
                good = false;
                tensors->out_of_reach = tensors->out_of_reach || beyond;
                *error = local;
            }
        }
    }
    return good;
}

/* ---- From a file ------------------------------------------------------------------------------------------------------------ */

/* Every tensor that the problem needs is there, with the problem's shape, and none without a use: whoever wrote it meant another
 * problem. */
static bool fits(const char *path, const struct problem *p, const struct safetensors *file, struct error *error)
{
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++) {
        const struct tensor *tensor = safetensors_find(file, tensor_names[id]);
        const struct tensor_row *row = tensor_row(p, id);
        char reason[SAFETENSORS_REASON], expected[TENSOR_SHAPE_SIZE];
        bool passed_over = safetensors_passed_over(file, tensor_names[id], reason), there = tensor != NULL || passed_over;
        if (row == NULL)
            continue; /* of another cell: as good as any other name */
        if (!tensor_used(p, id, there)) {
            if (there)
                return fail(error, "%s: has a tensor %s, which this problem does not use: that needs %s", path, tensor_names[id],
                            row->needs);
            continue;
        }
        if (passed_over)
            return fail(error, "%s: tensor %s: %s", path, tensor_names[id], reason);
        if (tensor == NULL)
            return fail(error, "%s: has no tensor %s, which this problem needs", path, tensor_names[id]);
        int64_t shape[TENSOR_DIMENSIONS];
        int rank = tensor_shape(p, id, shape);
        tensor_shape_print(p, id, expected);
        if (tensor->rank != rank || memcmp(tensor->shape, shape, (size_t)rank * sizeof shape[0]) != 0)
            return fail(error, "%s: tensor %s does not have the shape of this problem, %s", path, tensor_names[id], expected);
    }
    return true;
}

/* Element i of a tensor is one that no problem can have. */
static bool fail_value_at(const char *path, const struct problem *p, enum tensor_id id, int64_t i, double x, struct error *error)
{
    char place[TENSOR_PLACE_SIZE];
    int64_t of_sequence = tensor_of_sequence(p, id);
    tensor_place(p, id, i / of_sequence, i % of_sequence, place);
    return fail(error, "%s: tensor %s holds %g at %s (from 0); expected numbers that are finite in %s", path, tensor_names[id], x,
                place, dtype_names[p->dtype]);
}

static bool all_finite(const char *path, const struct problem *p, const struct safetensors *file, struct error *error)
{
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++) {
        const struct tensor *tensor = safetensors_find(file, tensor_names[id]);
        int64_t n = tensor != NULL && tensor_used(p, id, true) ? tensor_elements(p, id) : 0;
        for (int64_t i = 0; i < n; i++) {
            double x =
                tensor->dtype == DTYPE_FLOAT32 ? (double)((const float *)tensor->data)[i] : ((const double *)tensor->data)[i];
            if (!isfinite(p->dtype == DTYPE_FLOAT32 ? (double)(float)x : x))
                return fail_value_at(path, p, id, i, x, error);
        }
    }
    return true;
}

static bool load(const char *path, struct tensors *tensors, const struct safetensors *file, struct error *error)
{
    const struct problem *p = &tensors->problem;
    bool good = fits(path, p, file, error) && all_finite(path, p, file, error);
    for (enum tensor_id id = 0; id < TENSORS_MAX && good; id++) {
        const struct tensor *tensor = safetensors_find(file, tensor_names[id]);
        if (tensor == NULL || !tensor_used(p, id, true))
            continue;
        good = allocate_one(tensors, id, error);
        if (good)
            convert(p->dtype, tensors->owned[id], tensor->dtype, tensor->data, tensor_elements(p, id));
    }
    return good;
}

bool tensors_check(const char *path, const struct problem *problem, struct error *error)
{
    struct safetensors *file;
    if (!safetensors_open(path, &file, error))
        return false;
    bool good = fits(path, problem, file, error);
    safetensors_close(file);
    return good;
}

bool tensors_finite(const char *path, const struct problem *problem, struct error *error)
{
    struct safetensors *file;
    if (!safetensors_open(path, &file, error))
        return false;
    bool good = fits(path, problem, file, error) && all_finite(path, problem, file, error);
    safetensors_close(file);
    return good;
}

/* Whether the bytes that were copied were those: looked at after the copying, so that a change in between is seen. */
static bool is_same(const char *path, const struct safetensors *file, const char *digest, struct tensors *tensors,
                    struct error *error)
{
    char found[DIGEST_SIZE];
    if (digest == NULL)
        return true;
    safetensors_digest(file, found);
    tensors->changed = strcmp(found, digest) != 0;
    return !tensors->changed || fail(error, "%.800s: its bytes are no longer those that the run began with", path);
}

bool tensors_read(const char *path, const struct problem *problem, const char *digest, struct tensors *tensors, struct error *error)
{
    struct safetensors *file;
    *tensors = (struct tensors){.problem = *problem};
    if (!safetensors_open(path, &file, error))
        return false;
    bool good = load(path, tensors, file, error) && is_same(path, file, digest, tensors, error);
    safetensors_close(file);
    if (!good)
        tensors_free(tensors);
    return good;
}

/* As a fresh layer has them (fresh.h). */
static void sample_fresh(const struct regime *regime, const struct tensors *tensors)
{
    const struct problem *p = &tensors->problem;
    size_t size = dtype_size(p->dtype);
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++) {
        int64_t n = tensors->owned[id] != NULL ? tensor_elements(p, id) : 0, together = fresh_together(p, id);
#pragma omp parallel for schedule(static)
        for (int64_t i = 0; i < n; i += together) {
            double x[FRESH_MOST];
            fresh_elements(p, regime, id, i, x);
            convert(p->dtype, (char *)tensors->owned[id] + (size_t)i * size, DTYPE_FLOAT64, x, together);
        }
    }
}

/* Words of a group in the place of everything that is drawn of tokens. */
static void sample_words(const struct regime *regime, const struct tensors *tensors)
{
    const struct problem *p = &tensors->problem;
    int64_t d = p->d, m = problem_m(p);
    size_t size = dtype_size(p->dtype);
    for (int64_t i = 0; i < p->B * p->T; i++) {
        double v[5], lambda[5], theta[25];
        words_token(regime, p->T, i / p->T, i % p->T, v, lambda, theta);
        convert(p->dtype, (char *)tensors->owned[TENSOR_V] + (size_t)(i * d) * size, DTYPE_FLOAT64, v, d);
        convert(p->dtype, (char *)tensors->owned[TENSOR_LAMBDA] + (size_t)(i * d) * size, DTYPE_FLOAT64, lambda, d);
        convert(p->dtype, (char *)tensors->owned[TENSOR_THETA] + (size_t)(i * m) * size, DTYPE_FLOAT64, theta, m);
    }
}

bool tensors_sample(const struct problem *problem, const struct regime *regime, struct tensors *tensors, struct error *error)
{
    const struct problem *p = &tensors->problem;
    uint64_t seed = regime->seed;
    *tensors = (struct tensors){.problem = *problem};
    bool good = allocate(tensors, regime->drawn_h0, error);
    if (good && p->cell != CELL_VECTOR)
        sample_fresh(regime, tensors);
    else if (good && regime->words)
        sample_words(regime, tensors);
    else if (good && (good = sample_tokens(regime, tensors, error)))
        sample_normal(tensors, seed, TENSOR_V, STREAM_V, 1);
    if (good && p->cell == CELL_VECTOR) {
        sample_normal(tensors, seed, TENSOR_W, STREAM_W, 1 / sqrt((double)p->d));
        sample_normal(tensors, seed, TENSOR_H0, STREAM_H0, 1);
    }
    if (!good)
        tensors_free(tensors);
    return good;
}

size_t tensors_list(const struct tensors *tensors, struct tensor tensor[TENSORS_MAX])
{
    const struct problem *p = &tensors->problem;
    size_t n = 0;
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++) {
        if (tensors->inputs.tensor[id] == NULL)
            continue;
        tensor[n] = (struct tensor){.name = tensor_names[id], .dtype = p->dtype, .data = tensors->inputs.tensor[id]};
        tensor[n].rank = tensor_shape(p, id, tensor[n].shape);
        tensor[n].bytes = (size_t)tensor_elements(p, id) * dtype_size(p->dtype);
        n++;
    }
    return n;
}

bool tensors_sequence(const struct tensors *tensors, int64_t b, struct tensors *sequence, struct error *error)
{
    return tensors_sequence_as(tensors, b, DTYPE_FLOAT64, sequence, error);
}

bool tensors_sequence_as(const struct tensors *tensors, int64_t b, enum dtype dtype, struct tensors *sequence, struct error *error)
{
    const struct problem *p = &tensors->problem;
    *sequence = (struct tensors){.problem = *p};
    sequence->problem.B = 1;
    sequence->problem.dtype = dtype;
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++) {
        const char *from = tensors->inputs.tensor[id];
        if (from == NULL)
            continue;
        if (!allocate_one(sequence, id, error)) {
            tensors_free(sequence);
            return false;
        }
        int64_t n = tensor_elements(&sequence->problem, id), offset = tensor_of_batch(p, id) ? b * n : 0;
        convert(dtype, sequence->owned[id], p->dtype, from + (size_t)offset * dtype_size(p->dtype), n);
    }
    return true;
}

void tensors_mirror(struct tensors *tensors)
{
    const struct problem *p = &tensors->problem;
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++) {
        void *x = tensors->owned[id];
        int64_t n = x != NULL && tensor_row(p, id)->odd ? tensor_elements(p, id) : 0;
        for (int64_t i = 0; i < n; i++)
            if (p->dtype == DTYPE_FLOAT32)
                ((float *)x)[i] = -((float *)x)[i];
            else
                ((double *)x)[i] = -((double *)x)[i];
    }
}

void tensors_free(struct tensors *tensors)
{
    for (enum tensor_id id = 0; id < TENSORS_MAX; id++)
        free(tensors->owned[id]);
    *tensors = (struct tensors){.problem = tensors->problem, .out_of_reach = tensors->out_of_reach, .changed = tensors->changed};
}
