/* See tensor_place.h. */
#include "bench/problems/tensor_place.h"

#include <inttypes.h>
#include <stdio.h>

void tensor_place(const struct problem *problem, enum tensor_id id, int64_t b, int64_t i, char text[TENSOR_PLACE_SIZE])
{
    int64_t width = id == TENSOR_THETA ? problem_m(problem) : problem->d, row = i / width, column = i % width;
    if (id == TENSOR_W)
        snprintf(text, TENSOR_PLACE_SIZE, "row %" PRId64 ", column %" PRId64, row, column);
    else if (id == TENSOR_H0)
        snprintf(text, TENSOR_PLACE_SIZE, "sequence %" PRId64 ", channel %" PRId64, b, column);
    else
        snprintf(text, TENSOR_PLACE_SIZE, "sequence %" PRId64 ", t %" PRId64 ", %s %" PRId64, b, row,
                 id == TENSOR_THETA ? "parameter" : "channel", column);
}
