/* What a model is made of: its parameters, in their order, around those of the layer. */
#include "train/math/pass.h"

#include <math.h>
#include <stdio.h>

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

/* Of the feed-forward part. */
static int feed_forward_count(const struct model_spec *model, const struct surroundings *around)
{
    static const int matrices[] = {[FEED_FORWARD_NONE] = 0, [FEED_FORWARD_GELU] = 4, [FEED_FORWARD_SWIGLU] = 2};
    return model->feed_forward != FEED_FORWARD_NONE ? norm_count(around) + matrices[model->feed_forward] : 0;
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
        .gain = first,
        .bias = around_it.rms ? NULL : first + 1,
        .mixer = first + norm_count(&around_it),
        .feed_forward = model->feed_forward != FEED_FORWARD_NONE ? first + each - feed_forward_count(model, &around_it) : NULL};
}

struct feed_forward_parameters model_feed_forward(const struct model_spec *model, const struct parameter *first, bool rms)
{
    const struct parameter *W = first + (rms ? 1 : 2);
    struct feed_forward_parameters p = {.gain = first, .bias = rms ? NULL : first + 1, .W_up = W, .W_down = W + 1};
    if (model->feed_forward == FEED_FORWARD_GELU)
        p.b_up = W + 1, p.W_down = W + 2, p.b_down = W + 3;
    return p;
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

static void declare_feed_forward(const struct model_spec *model, const struct surroundings *around, struct parameters *parameters)
{
    int64_t D = model->d_model, width = FEED_FORWARD_WIDTH * D;
    double up = 1 / sqrt((double)D), down = 1 / sqrt((double)width);
    const struct start from_model = {START_UNIFORM, -up, up}, from_width = {START_UNIFORM, -down, down};
    const bool gates = model->feed_forward == FEED_FORWARD_SWIGLU;
    declare_norm(around, parameters, D);
    parameters_add(parameters, "W_up", gates ? 2 * width : width, D, true, from_model);
    if (!gates)
        parameters_add(parameters, "b_up", width, 0, false, (struct start){START_CONSTANT, 0, 0});
    parameters_add(parameters, "W_down", D, width, true, from_width);
    if (!gates)
        parameters_add(parameters, "b_down", D, 0, false, (struct start){START_CONSTANT, 0, 0});
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
        snprintf(parameters->prefix, sizeof parameters->prefix, "block.%lld.feed_forward.", (long long)k);
        if (model->feed_forward != FEED_FORWARD_NONE)
            declare_feed_forward(model, &layer->around, parameters);
    }
    parameters->prefix[0] = '\0';
    declare_norm(&layer->around, parameters, D);
    if (layer->around.tied)
        return;
    parameters_add(parameters, "head.W", classes, D, true, (struct start){START_NORMAL, 0, 0.1 / sqrt((double)D)});
    parameters_add(parameters, "head.b", classes, 0, false, (struct start){START_CONSTANT, 0, 0});
}
