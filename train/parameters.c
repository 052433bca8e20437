/* See parameters.h. */
#include "train/parameters.h"

#include "bench/base/random.h"
#include "impls/contract/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GRAIN = 16, KINDS = 4 }; /* each parameter starts at a multiple of 16 numbers: aligned */

void parameters_add(struct parameters *parameters, const char *name, int64_t rows, int64_t columns, bool decayed,
                    struct start start)
{
    if (parameters->n == parameters->capacity) {
        int capacity = 2 * parameters->capacity + 32;
        struct parameter *more = realloc(parameters->item, (size_t)capacity * sizeof *more);
        if (more == NULL) {
            parameters->failed = true;
            return;
        }
        parameters->item = more;
        parameters->capacity = capacity;
    }
    struct parameter *parameter = &parameters->item[parameters->n++];
    *parameter = (struct parameter){.rank = columns > 0 ? 2 : 1, .shape = {rows, columns}, .decayed = decayed, .start = start};
    parameter->size = columns > 0 ? rows * columns : rows;
    parameters->total += parameter->size;
    snprintf(parameter->name, sizeof parameter->name, "%s%s", parameters->prefix, name);
}

static double start_value(const struct parameter *parameter, uint64_t seed, uint32_t stream, int64_t i);

/* Of row i of a matrix. */
static double start_length(const struct parameter *matrix, uint64_t seed, uint32_t stream, int64_t i)
{
    double squares = 0;
    for (int64_t k = i * matrix->shape[1]; k < (i + 1) * matrix->shape[1]; k++) {
        double value = start_value(matrix, seed, stream, k);
        squares += value * value;
    }
    return sqrt(squares);
}

static double start_value(const struct parameter *parameter, uint64_t seed, uint32_t stream, int64_t i)
{
    const struct start *start = &parameter->start;
    switch (start->kind) {
    case START_NORMAL:
        return start->a + start->b * random_normal(seed, stream, (uint64_t)i);
    case START_UNIFORM:
        return start->a + (start->b - start->a) * random_uniform(seed, stream, (uint64_t)i);
    case START_BLOCK:
        return i * (int64_t)start->b / parameter->size == (int64_t)start->a ? 1 : 0;
    case START_COUNTED:
        return log((double)(i % parameter->shape[1] + 1));
    case START_LOGARITHM:
        return log(start->b - (start->b - start->a) * random_uniform(seed, stream, (uint64_t)i));
    case START_STEP:
        return log(expm1(exp(start->a + (start->b - start->a) * random_uniform(seed, stream, (uint64_t)i))));
    case START_LENGTHS:
        return start_length(parameter - 1, seed, stream - 1, i);
    default:
        return start->a;
    }
}

static int64_t padded(int64_t size)
{
    return (size + GRAIN - 1) / GRAIN * GRAIN;
}

struct status parameters_allocate(struct parameters *parameters, enum dtype dtype, uint64_t seed)
{
    int64_t all = 0, at = 0;
    size_t width = dtype_size(dtype);
    for (int i = 0; i < parameters->n; i++)
        all += padded(parameters->item[i].size);
    parameters->memory = parameters->failed ? NULL : memory_allocate(KINDS * all, width);
    if (parameters->memory == NULL)
        return status_at(STATUS_OUT_OF_MEMORY, -1, -1, "out of memory for %lld weights", (long long)parameters->total);
    memset(parameters->memory, 0, (size_t)(KINDS * all) * width);
    parameters->dtype = dtype;
    for (int i = 0; i < parameters->n; i++) {
        struct parameter *parameter = &parameters->item[i];
        void **const kinds[KINDS] = {&parameter->value, &parameter->gradient, &parameter->first, &parameter->second};
        for (int k = 0; k < KINDS; k++)
            *kinds[k] = (char *)parameters->memory + (size_t)(k * all + at) * width;
        for (int64_t j = 0; j < parameter->size; j++) {
            double value = start_value(parameter, seed, STREAM_WEIGHTS + (uint32_t)i, j);
            if (dtype == DTYPE_FLOAT32)
                ((float *)parameter->value)[j] = (float)value;
            else
                ((double *)parameter->value)[j] = value;
        }
        at += padded(parameter->size);
    }
    return status_ok();
}

void parameters_free(struct parameters *parameters)
{
    free(parameters->item);
    free(parameters->memory);
    *parameters = (struct parameters){0};
}
