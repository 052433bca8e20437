/* Lengths of examples. */
#include "tasks/family.h"

int64_t draw_length(struct draws *draws, int64_t from, int64_t length)
{
    return from >= length ? length : from + draws_below(draws, (uint32_t)(length - from + 1));
}
