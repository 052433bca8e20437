/* What a model is made of; its arithmetic is in pass.c. */
#include "train/math/pass.h"
#include "train/variants.h"

#include <math.h>
#include <stdio.h>

VARIANTS_DECLARE(struct arithmetic, arithmetic)

const struct arithmetic *arithmetic_get(enum dtype dtype)
{
    static const struct arithmetic *const table[DTYPE_COUNT][LEVEL_COUNT] = VARIANTS_ROW(arithmetic);
    return table[dtype][level_best()];
}

static struct surroundings around(const struct model_spec *model)
{
    return sequence_layer_get(model->layer, model->dtype, LEVEL_BASELINE)->around;
}

static void declare_norm(const struct surroundings *around, struct parameters *parameters, int64_t d)
{
    parameters_add(parameters, "norm.gain", d, 0, false, (struct start){START_CONSTANT, 1, 1});
    if (!around->rms)
        parameters_add(parameters, "norm.bias", d, 0, false, (struct start){START_CONSTANT, 0, 0});
}

static int norm_count(const struct surroundings *around)
{
    return around->rms ? 1 : 2;
}

static int final_count(const struct surroundings *around)
{
    return norm_count(around) + (around->tied ? 0 : 2);
}

struct block_parameters model_block(const struct model_spec *model, const struct parameters *parameters, int64_t block)
{
    const struct surroundings around_it = around(model);
    int each = (parameters->n - 1 - final_count(&around_it)) / (int)model->blocks;
    const struct parameter *first = parameters->item + 1 + block * each;
    return (struct block_parameters){
        .gain = first, .bias = around_it.rms ? NULL : first + 1, .mixer = first + norm_count(&around_it)};
}

struct final_parameters model_final(const struct model_spec *model, const struct parameters *parameters)
{
    const struct surroundings around_it = around(model);
    const struct parameter *gain = parameters->item + parameters->n - final_count(&around_it);
    const struct parameter *W = gain + norm_count(&around_it);
    return (struct final_parameters){.gain = gain,
                                     .bias = around_it.rms ? NULL : gain + 1,
                                     .W = around_it.tied ? parameters->item : W,
                                     .b = around_it.tied ? NULL : W + 1};
}

void model_declare(const struct model_spec *model, int64_t vocabulary, int64_t classes, struct parameters *parameters)
{
    const struct sequence_layer *layer = sequence_layer_get(model->layer, model->dtype, LEVEL_BASELINE);
    int64_t D = model->d_model;
    parameters->prefix[0] = '\0';
    parameters_add(parameters, "embedding", vocabulary, D, true, (struct start){START_NORMAL, 0, layer->around.embedding});
    for (int64_t k = 0; k < model->blocks; k++) {
        snprintf(parameters->prefix, sizeof parameters->prefix, "block.%lld.", (long long)k);
        declare_norm(&layer->around, parameters, D);
        snprintf(parameters->prefix, sizeof parameters->prefix, "block.%lld.%s.", (long long)k, layer->name);
        layer->declare(model, parameters);
    }
    parameters->prefix[0] = '\0';
    declare_norm(&layer->around, parameters, D);
    if (layer->around.tied)
        return;
    parameters_add(parameters, "head.W", classes, D, true, (struct start){START_NORMAL, 0, 0.1 / sqrt((double)D)});
    parameters_add(parameters, "head.b", classes, 0, false, (struct start){START_CONSTANT, 0, 0});
}

bool model_check(const struct sequence_setup *setup, size_t capacity, char *reason)
{
    static const int64_t most = INT32_MAX / 8; /* OpenBLAS counts in int, and a layer is up to four times as wide as its state */
    const struct model_spec *model = setup->model;
    if (model->layer < 0 || model->layer >= sequence_layer_count()) {
        snprintf(reason, capacity, "unknown layer %d", model->layer);
        return false;
    }
    if ((int)model->dtype < 0 || model->dtype >= DTYPE_COUNT) {
        snprintf(reason, capacity, "unknown dtype %d", (int)model->dtype);
        return false;
    }
    if (model->blocks < 1 || model->blocks > 1000 || model->d_model < 1 || model->d_model > most || model->d < 1 ||
        model->d > most) {
        snprintf(reason, capacity, "blocks = %lld must be between 1 and 1000, d_model = %lld and d = %lld at least 1",
                 (long long)model->blocks, (long long)model->d_model, (long long)model->d);
        return false;
    }
    if (setup->B < 1 || setup->T < 1 || setup->B > most / setup->T) {
        snprintf(reason, capacity,
                 "a batch of %lld sequences of %lld positions: both must be at least 1, and their product below 2^28",
                 (long long)setup->B, (long long)setup->T);
        return false;
    }
    if (setup->environment->threads < 1) {
        snprintf(reason, capacity, "threads = %d: must be at least 1", setup->environment->threads);
        return false;
    }
    return sequence_layer_get(model->layer, model->dtype, level_best())->check(setup, capacity, reason);
}
