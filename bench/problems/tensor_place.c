/* See tensor_place.h. */
#include "bench/problems/tensor_place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What an index of each dimension counts. */
static const char *const words[][2] = {{"B", "sequence"},  {"T", "t"},    {"d", "channel"}, {"N", "state"},
                                       {"m", "parameter"}, {"r", "step"}, {"h", "head"}};

static const char *word_of(char letter)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i][0][0] == letter)
            return words[i][1];
    return "index";
}

void tensor_place(const struct problem *p, enum tensor_id id, int64_t b, int64_t i, char text[TENSOR_PLACE_SIZE])
{
    const struct tensor_row *row = tensor_row(p, id);
    bool batch = tensor_of_batch(p, id), matrix = !batch && strlen(row->shape) == 2;
    int64_t shape[TENSOR_DIMENSIONS], index[TENSOR_DIMENSIONS];
    int rank = tensor_shape(p, id, shape), used = 0;
    for (int k = rank - 1; k >= 0; k--) {
        index[k] = k == 0 && batch ? b : i % shape[k];
        i /= shape[k];
    }
    for (int k = 0; k < rank; k++)
        used += snprintf(text + used, (size_t)(TENSOR_PLACE_SIZE - used), "%s%s %" PRId64, k > 0 ? ", " : "",
                         !matrix  ? word_of(row->shape[k])
                         : k == 0 ? "row"
                                  : "column",
                         index[k]);
}

void output_place(const struct problem *p, int64_t b, int64_t i, char text[TENSOR_PLACE_SIZE])
{
    snprintf(text, TENSOR_PLACE_SIZE, "sequence %" PRId64 ", t %" PRId64 ", channel %" PRId64, b, i / p->d, i % p->d);
}

void tensor_shape_print(const struct problem *p, enum tensor_id id, char text[TENSOR_SHAPE_SIZE])
{
    int64_t shape[TENSOR_DIMENSIONS];
    int rank = tensor_shape(p, id, shape), used = 0;
    for (int k = 0; k < rank; k++)
        used += snprintf(text + used, (size_t)(TENSOR_SHAPE_SIZE - used), "%s%" PRId64, k > 0 ? "," : "(", shape[k]);
    snprintf(text + used, (size_t)(TENSOR_SHAPE_SIZE - used), ")");
}
