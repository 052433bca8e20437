/* The table of all sequence mixers: one line each. Their order here is their order in lists. */
#include "train/sequence.h"

#include "train/variants.h"

#include <string.h>

// clang-format off
#define LAYERS(X) \
    X(fp_rnn)     \
    X(diagonal)   \
    X(fp_mamba)   \
    X(mamba)      \
    X(mamba2)     \
    X(delta)      \
    X(lstm)       \
    X(attention)
// clang-format on

#define DECLARE(name) VARIANTS_DECLARE(struct sequence_layer, name)
#define ROW(name) VARIANTS_ROW(name),

LAYERS(DECLARE)

static const struct sequence_layer *const table[][DTYPE_COUNT][LEVEL_COUNT] = {LAYERS(ROW)};

int sequence_layer_count(void)
{
    return (int)(sizeof table / sizeof table[0]);
}

int sequence_layer_find(const char *name)
{
    for (int i = 0; i < sequence_layer_count(); i++)
        if (strcmp(table[i][DTYPE_FLOAT32][LEVEL_BASELINE]->name, name) == 0)
            return i;
    return -1;
}

const struct sequence_layer *sequence_layer_get(int index, enum dtype dtype, enum level level)
{
    return table[index][dtype][level];
}
