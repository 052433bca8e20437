/* The row of a sequence layer that carries out a recurrence, of a family that knows it with a channel mixer and without: RECURRENT_LAYER
 * defines it from FAMILY_check(), FAMILY_declare(), FAMILY_plan() and FAMILY_destroy(), which take whether it mixes, and from the
 * functions resize(), forward(), backward() and look() of the file that it stands in. */
#ifndef TRAIN_LAYERS_RECURRENT_H
#define TRAIN_LAYERS_RECURRENT_H

#include "train/sequence.h"

#define RECURRENT_LAYER(row, family, mixing, ...)                                                                                  \
    static bool check_##row(const struct sequence_setup *setup, size_t capacity, char *reason)                                     \
    {                                                                                                                              \
        return family##_check(setup, mixing, capacity, reason);                                                                    \
    }                                                                                                                              \
    static void declare_##row(const struct model_spec *model, struct parameters *parameters)                                       \
    {                                                                                                                              \
        family##_declare(model, mixing, parameters);                                                                               \
    }                                                                                                                              \
    static struct status plan_##row(const struct sequence_setup *setup, struct sequence_plan **plan)                               \
    {                                                                                                                              \
        return family##_plan(setup, mixing, plan);                                                                                 \
    }                                                                                                                              \
    static void destroy_##row(struct sequence_plan *plan)                                                                          \
    {                                                                                                                              \
        family##_destroy(plan);                                                                                                    \
    }                                                                                                                              \
    const struct sequence_layer VARIANT(row) = {.name = #row,                                                                      \
                                                .recurrent = true,                                                                 \
                                                .check = check_##row,                                                              \
                                                .declare = declare_##row,                                                          \
                                                .plan = plan_##row,                                                                \
                                                .resize = resize,                                                                  \
                                                .forward = forward,                                                                \
                                                .backward = backward,                                                              \
                                                .look = look,                                                                      \
                                                .destroy = destroy_##row,                                                          \
                                                __VA_ARGS__}

#endif
