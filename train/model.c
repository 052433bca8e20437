/* Which models there are; what one is made of is in parts.c, its arithmetic in math/pass.c. */
#include "train/math/pass.h"
#include "train/variants.h"

#include <stdio.h>

VARIANTS_DECLARE(struct arithmetic, arithmetic)

const struct arithmetic *arithmetic_get(enum dtype dtype)
{
    static const struct arithmetic *const table[DTYPE_COUNT][LEVEL_COUNT] = VARIANTS_ROW(arithmetic);
    return table[dtype][level_best()];
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
    if ((int)model->feed_forward < 0 || model->feed_forward >= FEED_FORWARD_COUNT) {
        snprintf(reason, capacity, "unknown feed_forward %d", (int)model->feed_forward);
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
